"""Shadows that an object of their own cluster loses if it is older than others that are for the same, which manifests don't tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import NamedTuple

from mirrorlint.delivery.age import eldest
from mirrorlint.delivery.alike import Followed
from mirrorlint.delivery.follow import Delivery
from mirrorlint.delivery.judged import Judged
from mirrorlint.delivery.sidecar import SidecarScope
from mirrorlint.delivery.way import LOST, Way, reached
from mirrorlint.fleet import Cluster, Manifest
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
    oldest: Claim
    other: Claim
    way: Way | None


def undecided(clusters: Mapping[str, Cluster], delivery: Delivery, judged: Iterable[Judged]) -> Iterator[Undecided]:
    """What of mirrors' shadows that are not lost depends on an order which manifests don't tell; the ways are the delivery's."""
    ordered = cache(lambda cluster, oldest: Followed(delivery.of(clusters, eldest(oldest)), cluster))
    for each in (mirror for mirror in judged if not mirror.rivals):
        said: set[Manifest] = set()
        for world, way, claims, oldest in _orders(each):
            if oldest.manifest not in said:
                ways = ordered(each.cluster, oldest.manifest).follow(way.call, world)
                again = next((found for found in ways if found.mirror.key == each.mirror.key), None)
                if again is None or _is_lost(again):
                    said.add(oldest.manifest)
                    other = next(claim for claim in claims if claim.manifest.identity != oldest.manifest.identity)
                    yield Undecided(each, oldest, other, again)


def _orders(judged: Judged) -> Iterator[tuple[str, Way, list[Claim], Claim]]:
    """The ways without a loss, with their worlds, and what may be the oldest of each group there; callers that see alike count once."""
    for world, ways in judged.ways.items():
        for way in {id(way.ends): way for way in ways}.values():
            groups = () if _is_lost(way) else _contested(way)
            yield from ((world, way, claims, oldest) for claims in groups for oldest in claims)


def _is_lost(way: Way) -> bool:
    return any(end.outcome == LOST for end in way.ends)


def _contested(way: Way) -> Iterator[list[Claim]]:
    """The objects of one age that are for the same, for each hop."""
    for claims in _claims(way):
        found = list({claim.manifest: claim for claim in claims}.values())
        for created in dict.fromkeys(claim.manifest.created for claim in found):
            tied = [claim for claim in found if claim.manifest.created == created]
            if len({claim.manifest.identity for claim in tied}) > 1:
                yield tied


def _claims(way: Way) -> Iterator[Iterable[Claim]]:
    """For each hop of a way in the mirror's own cluster the objects that are for the same as the one that counts there.

    These are the Sidecars of the caller's namespace, the ServiceEntries for the upstream's host, those of the proxy's own namespace where
    it has some, and the DestinationRules for the same as the one in force.
    """
    scope, upstream = way.scope, reached(way.upstream)
    mesh, service, rule = scope.mesh, upstream.service, upstream.rule
    if isinstance(scope, SidecarScope) and scope.sidecar:
        own = (s.manifest for s in mesh.sidecars if s.manifest.namespace == scope.sidecar.manifest.namespace)
        yield (Claim(manifest, manifest.node["metadata"]["name"], f"callers in `{scope.namespace}`") for manifest in own)
    near = service.namespace == scope.namespace
    seen = (entry for entry in mesh.services_by_host[service.host] if not entry.kubernetes and scope.sees(entry))
    yield (Claim(e.manifest, e.node, f"`{service.host}`") for e in seen if not near or e.namespace == scope.namespace)
    rules = mesh.rules_by_host[rule.namespace, rule.host] if rule else ()
    yield (Claim(each.manifest, each.host_node, f"`{each.host_node.text}`") for each in rules)
    yield from _claims(way.first) if way.first else ()
