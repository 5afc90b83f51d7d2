"""The VirtualServices that Istio makes of HTTPRoutes and GRPCRoutes (pilot/pkg/config/kube/gateway/route_collections.go)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from mirrorlint.fleet import Manifest
from mirrorlint.istio.backends import Registry
from mirrorlint.istio.http_route import Converted, convert, in_precedence
from mirrorlint.istio.names import MESH, subset_of
from mirrorlint.istio.parents import Attachment, Denial, Parents, attach, hostnames, unserved
from mirrorlint.istio.routing import Host, Rule, Unbound, VirtualService
from mirrorlint.source import Node


class _Bound(NamedTuple):
    """A route's rules for one host at one gateway."""

    manifest: Manifest
    gateway: str
    host: Host
    node: Node
    rules: tuple[Rule, ...]


class Reader:
    """Reads the routes of one cluster."""

    def __init__(self, parents: Parents, registry: Registry, export_to: frozenset[str]) -> None:
        """`export_to` is the mesh's defaultVirtualServiceExportTo."""
        self._parents, self.registry, self._export_to = parents, registry, export_to

    def read(self, routes: Iterable[Manifest]) -> Iterator[VirtualService]:
        """One VirtualService for each gateway and hostname, routes for both merged; `routes` come the oldest first (mergeHTTPRoutes).

        A route that attaches to nothing, or that Istio drops, is one that is bound to nothing.
        """
        merged: dict[str, list[_Bound]] = {}
        for route in routes:
            attached = list(attach(route, self._parents))
            bound = dict(self._bound(route, attached))
            for key, one in bound.items():
                merged.setdefault(key, []).append(one)
            if not bound and not (attached and all(isinstance(one, Denial) and one.foreign for one in attached)):
                yield self._idle(route, attached)
        yield from (self._merged(key, bound) for key, bound in merged.items())

    def unserved(self, route: Manifest, gateway: Manifest, name: str) -> Unbound | None:
        """What keeps a route from a listener of a Gateway for a name that one of its hostnames covers; None where no hostname does."""
        covered = any(subset_of(name, host.name.lower()) for host in hostnames(route))
        return unserved(route, gateway, name, self._parents) if covered else None

    def _bound(self, route: Manifest, attached: Iterable[Attachment | Denial]) -> Iterator[tuple[str, _Bound]]:
        results: dict[bool, Converted] = {}
        for one in (one for one in attached if isinstance(one, Attachment)):
            at_gateway = one.gateway != MESH
            if at_gateway not in results:
                results[at_gateway] = convert(route, self.registry, at_gateway=at_gateway)
            rules = results[at_gateway].rules
            if rules and not results[at_gateway].dropped:
                for host in one.hosts:
                    yield f"{one.key}/{host.name}", _Bound(route, one.gateway, host, one.node, _at_port(rules, one.port))

    def _merged(self, key: str, bound: list[_Bound]) -> VirtualService:
        first = bound[0]
        return VirtualService(
            first.manifest,
            key.replace("/", "~"),
            (first.host,),
            {first.gateway: first.node},
            (first.gateway,),
            self._export_to,
            in_precedence(rule for one in bound for rule in in_precedence(one.rules)),
            gateway_semantics=True,
        )

    def _idle(self, route: Manifest, attached: Sequence[Attachment | Denial]) -> VirtualService:
        at_gateway = any(one.gateway != MESH for one in attached if isinstance(one, Attachment))
        rules, dropped = convert(route, self.registry, at_gateway=at_gateway)
        denied = next((one.reason for one in attached if isinstance(one, Denial) and not one.foreign), None)
        narrow = Unbound(route.node["spec"]["hostnames"], "narrower listeners keep all of its hostnames to themselves", route)
        absent = Unbound(route.node["spec"], "it has no `parentRefs`", route)
        nowhere = not any(isinstance(one, Attachment) for one in attached)
        invalid = Unbound(*dropped, route, dropped=True) if dropped else None
        bare = None if rules else Unbound(route.node["spec"]["rules"], "it has no `rules`", route)
        why = (denied or absent if nowhere else None) or invalid or denied or bare or narrow
        hosts = tuple(hostnames(route))
        return VirtualService(route, route.name, hosts, {}, (), self._export_to, rules, gateway_semantics=True, unbound=why)


def _at_port(rules: tuple[Rule, ...], port: int) -> tuple[Rule, ...]:
    """The rules for one port of the mesh (augmentPortMatch)."""
    return tuple(rule._replace(matches=tuple(match._replace(port=port) for match in rule.matches)) for rule in rules)
