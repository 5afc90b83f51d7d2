"""The `hostnames` of a route of the Gateway API that let all shadows of a mirror through the target's gateway."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from functools import partial

from mirrorlint.delivery import reason
from mirrorlint.delivery.arrival import in_virtual_host
from mirrorlint.delivery.gateway import Chain, GatewayScope
from mirrorlint.delivery.way import End, Way, reached
from mirrorlint.fleet import Manifest
from mirrorlint.istio.gateway import Server
from mirrorlint.istio.names import MESH, is_ip, subset_of, without_port
from mirrorlint.istio.routing import Backend, Rule, VirtualService
from mirrorlint.remedy import NO_EDITS, saves
from mirrorlint.rule import ITEMS, Edit, Loss

_is_hostname = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*").fullmatch
_MOST = 16


def routes_to(meant: Iterable[Backend], scope: GatewayScope, chain: Chain) -> set[Manifest]:
    """The routes behind a filter chain that lead to a namesake of some backend."""
    services = (service for server in chain.servers for service in scope.mesh.bound_to(server.gateway.name, scope.namespace))
    return {rule.owner for service in services if service.gateway_semantics for rule in service.rules if lead_to([rule], meant)}


def lead_to(rules: Iterable[Rule], meant: Iterable[Backend]) -> bool:
    """Whether some rule sends to a namesake of some backend: a service of that name in whatever namespace and domain."""
    names = _labels(meant)
    return any(_labels(rule.used) & names for rule in rules)


def _labels(backends: Iterable[Backend]) -> set[str]:
    return {backend.destination.host.partition(".")[0] for backend in backends}


def listing(loss: Loss, route: Manifest, names: Collection[str]) -> tuple[Edit, ...]:
    """The `hostnames` that a route lacks for refused Hosts; none where another one takes them at a further listener of the route.

    They are not expanded, so short names are listed, too (the type Hostname of the Gateway API, which is no IP; a list has at most 16).
    """
    scope, chain, spec = reached(loss.end.scope), reached(loss.end.chain), route.node["spec"]
    hostnames = (*spec["hostnames"].texts, *names)
    valid = all(_is_hostname(name) and not is_ip(name) for name in names)
    if not len(spec["hostnames"]) or not valid or len(hostnames) > _MOST:
        return NO_EDITS
    listed = Manifest(route.node.holding(spec.having("hostnames", hostnames)), route.namespace)
    found = list(scope.mesh.route_reader.read([listed]))
    alone = not _leads_on(found, chain, names) or not any(_takes(other, names) for other in _others(scope, route))
    works = alone and saves(loss, partial(_accepted, chain, found))
    return (Edit(ITEMS, spec["hostnames"], tuple(names)),) if works else NO_EDITS


def _leads_on(services: Iterable[VirtualService], chain: Chain, names: Collection[str]) -> bool:
    """Whether names are taken at other listeners than those of a chain."""
    ours = {server.gateway.name for server in chain.servers}
    return any(_takes(service, names) and not ours & set(service.gateways) for service in services)


def _others(scope: GatewayScope, route: Manifest) -> Iterator[VirtualService]:
    """What gateways take for others than a route."""
    for service in scope.mesh.virtual_services:
        if any(rule.owner is not route for rule in service.rules) and set(service.gateways) - {MESH}:
            yield service


def _takes(service: VirtualService, names: Collection[str]) -> bool:
    return any(subset_of(name, host.name.lower()) for name in names for host in service.hosts)


def _accepted(chain: Chain, services: Collection[VirtualService], way: Way) -> Iterator[End]:
    """Where a way leads if what the chain refuses for its Host is taken by what Istio makes of a route."""
    name = without_port(way.host).lower()
    for end in way.ends:
        refused = end.reason == reason.NO_VIRTUAL_HOST and end.chain is chain
        servers = ((server, service) for server in chain.servers for service in services if _serves(server, service, name))
        found = next(servers, None) if refused else None
        if found:
            scope = reached(end.scope)
            yield in_virtual_host(end, scope, scope.virtual_host(name, *found), reached(way.upstream), way.request)
        else:
            yield end


def _serves(server: Server, service: VirtualService, name: str) -> bool:
    """Whether a VirtualService gives a server a virtual host for a name."""
    return server.gateway.name in service.gateways and name in server.shared(service)
