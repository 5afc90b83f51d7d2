"""Shadows that an object loses if it is older than others that are for the same, which manifests don't tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import NamedTuple

from mirrorlint.delivery.age import eldest
from mirrorlint.delivery.alike import Followed
from mirrorlint.delivery.ending import gateway_destination, server_of
from mirrorlint.delivery.follow import Delivery
from mirrorlint.delivery.gateway import GatewayScope
from mirrorlint.delivery.judged import Judged
from mirrorlint.delivery.match import Request, Route
from mirrorlint.delivery.sidecar import SidecarScope
from mirrorlint.delivery.upstream import Upstream
from mirrorlint.delivery.virtual_host import VirtualHost
from mirrorlint.delivery.way import LOST, AnyScope, End, Way, reached
from mirrorlint.fleet import Cluster, Manifest
from mirrorlint.istio.names import subset_of
from mirrorlint.source import Node


class Claim(NamedTuple):
    """An object, the Node where it says what it is for, and how messages call that."""

    manifest: Manifest
    node: Node
    what: str


class Undecided(NamedTuple):
    """A mirror of which a shadow takes another way if one object is the oldest, and is lost there; `way` is None if none is sent then.

    `other` is for the same; as far as names decide, the shadow arrives.
    """

    judged: Judged
    cluster: str
    oldest: Claim
    other: Claim
    way: Way | None


def undecided(clusters: Mapping[str, Cluster], delivery: Delivery, judged: Iterable[Judged]) -> Iterator[Undecided]:
    """What of mirrors' shadows that are not lost depends on an order which manifests don't tell; the ways are the delivery's."""
    ordered = cache(lambda cluster, oldest: Followed(delivery.of(clusters, eldest(oldest)), cluster))
    for each in (mirror for mirror in judged if not mirror.rivals):
        said: set[Manifest] = set()
        for world, way, cluster, claims, oldest in _orders(each):
            if oldest.manifest not in said:
                ways = ordered(each.cluster, oldest.manifest).follow(way.call, world)
                again = next((found for found in ways if found.mirror.key == each.mirror.key), None)
                if again is None or _is_lost(again):
                    said.add(oldest.manifest)
                    other = next(claim for claim in claims if claim.manifest.identity != oldest.manifest.identity)
                    yield Undecided(each, cluster, oldest, other, again)


def _orders(judged: Judged) -> Iterator[tuple[str, Way, str, list[Claim], Claim]]:
    """The ways without a loss, with their worlds, and what may be the oldest of each group there; callers that see alike count once."""
    for world, ways in judged.ways.items():
        for way in {id(way.ends): way for way in ways}.values():
            groups = () if _is_lost(way) else _contested(way)
            yield from ((world, way, cluster, claims, oldest) for cluster, claims in groups for oldest in claims)


def _is_lost(way: Way) -> bool:
    return any(end.outcome == LOST for end in way.ends)


def _contested(way: Way) -> Iterator[tuple[str, list[Claim]]]:
    """For each hop the objects of one age that are for the same, with their cluster."""
    for cluster, claims in _claims(way):
        found = list({claim.manifest: claim for claim in claims}.values())
        for created in dict.fromkeys(claim.manifest.created for claim in found):
            tied = [claim for claim in found if claim.manifest.created == created]
            if len({claim.manifest.identity for claim in tied}) > 1:
                yield cluster, tied


def _claims(way: Way) -> Iterator[tuple[str, Iterable[Claim]]]:
    """For each hop of a way the objects that are for the same as the one that counts there."""
    scope = way.scope
    if isinstance(scope, SidecarScope) and scope.sidecar:
        own = (s.manifest for s in scope.mesh.sidecars if s.manifest.namespace == scope.sidecar.manifest.namespace)
        what = f"callers in `{scope.namespace}`"
        yield scope.mesh.cluster.name, (Claim(manifest, manifest.node["metadata"]["name"], what) for manifest in own)
    yield from _of_upstream(scope, reached(way.upstream))
    for end in way.ends:
        yield from _at_gateway(way, end)
    yield from _claims(way.first) if way.first else ()


def _of_upstream(scope: AnyScope, upstream: Upstream) -> Iterator[tuple[str, Iterable[Claim]]]:
    """The ServiceEntries for its host, of the proxy's own namespace where that has it, and the DestinationRules like the one in force."""
    mesh, service, rule = scope.mesh, upstream.service, upstream.rule
    own = service.namespace == scope.namespace
    seen = (entry for entry in mesh.services_by_host[service.host] if not entry.kubernetes and scope.sees(entry))
    entries = (entry for entry in seen if not own or entry.namespace == scope.namespace)
    yield mesh.cluster.name, (Claim(entry.manifest, entry.node, f"`{service.host}`") for entry in entries)
    rules = mesh.rules_by_host[rule.namespace, rule.host] if rule else ()
    yield mesh.cluster.name, (Claim(each.manifest, each.host_node, f"`{each.host_node.text}`") for each in rules)


def _at_gateway(way: Way, end: End) -> Iterator[tuple[str, Iterable[Claim]]]:
    """The servers of which one shuts out the other, the rules that take the shadow, and what is for its destinations."""
    if end.chain and end.scope:
        shut_out = end.scope.shut_out(end.chain)
        servers = [server_of(end.chain, end.domain), *shut_out] if shut_out else []
        yield end.cluster, (Claim(s.gateway.manifest, s.number_node, f"port {s.number}") for s in servers)
    if end.scope and end.host and end.route:
        yield end.cluster, _taking(end.scope, end.host, end.route, way.shadow(end))
        for backend in end.route.rule.used:
            upstream = end.scope.upstream(*gateway_destination(end, backend.destination), backend.destination.subset)
            yield from _of_upstream(end.scope, reached(upstream))


def _taking(scope: GatewayScope, host: VirtualHost, taken: Route, shadow: Request) -> Iterator[Claim]:
    """The objects with rules for a shadow that share a virtual host; rules for every request stand behind the others in any case."""
    for service in host.services:
        of_routes = service.gateway_semantics  # then it may be made of several objects
        for routes in scope.mesh.routes[service] if of_routes or len(host.services) > 1 else ():
            if any(route.catch_all == taken.catch_all and route.accepts(shadow) for route in routes):
                manifest = routes[0].rule.owner if of_routes else service.manifest
                named = (each.node for each in service.hosts if subset_of(host.domain, each.name.lower()))
                node = manifest.node["metadata"]["name"] if of_routes else next(named, service.hosts[0].node)
                yield Claim(manifest, node, f"`{host.domain}`")
