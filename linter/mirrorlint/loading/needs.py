"""What objects need of others, by name alone: enough to tell whether folders are parts of one cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import permutations
from typing import NamedTuple

from mirrorlint.fleet import DEFAULT_NAMESPACE, NOTHING, BlindSpot, Manifest
from mirrorlint.istio.names import MESH, serves_mesh
from mirrorlint.kinds import NETWORKING

_OFFERED = frozenset({("", "Service"), (NETWORKING, "Gateway")})


class Needs(NamedTuple):
    """The Services and Gateways that there are, and those that VirtualServices name, each as kind and name.

    `entries` are the hosts of ServiceEntries, `mirrors` those of mirrors, and `routing` tells whether there are VirtualServices.
    """

    has: frozenset[tuple[str, str]]
    wants: frozenset[tuple[str, str]]
    entries: frozenset[str]
    mirrors: frozenset[str]
    routing: bool


def of(manifests: Sequence[Manifest]) -> Needs:
    """What some objects have and want; a mirror may lead to another cluster, so it wants nothing."""
    has = frozenset((manifest.kind, manifest.name) for manifest in manifests if (manifest.group, manifest.kind) in _OFFERED)
    routes = _all(manifests, "VirtualService")
    mirrors = frozenset(host for route in routes for host in _mirrored(route))
    return Needs(has, frozenset(want for route in routes for want in _wants(route)), _entries(manifests), mirrors, bool(routes))


def are_parts(folders: Sequence[Needs]) -> bool:
    """Whether folders are parts of one cluster, two as well.

    Another one has the entry for a mirror of one, or a Gateway that one without any is bound to. It has no VirtualServices and nothing by
    the name of what the first has, and does not look like the mirror's target, which has Services and a Gateway.
    """
    for one, other in permutations(folders, 2):
        if other.routing or one.has & other.has:
            continue
        kinds = {kind for kind, _ in other.has}
        if one.mirrors & other.entries - one.entries:
            return True
        if {want for want in one.wants & other.has if want[0] == "Gateway"} and not (one.mirrors and "Service" in kinds):
            return all(kind != "Gateway" for kind, _ in one.has)
    return False


def unplaced(manifests: Iterable[Manifest], cluster: str) -> Iterator[BlindSpot]:
    """That Services which name no namespace may be where routes need them: `kubectl apply -n` puts them anywhere."""
    every = list(manifests)
    services = _all(every, "Service")
    placed = {(service.name, service.namespace) for service in services}
    free = {service.name: service for service in services if _is_free(service)}
    routes = _all(every, "VirtualService") if free else []
    needed = {name: place for route in routes for name, place in _destinations(route) if name in free and (name, place) not in placed}
    if needed:
        name, place = next(iter(needed.items()))
        service = free[name]
        more = f" (and {len(needed) - 1} more)" if len(needed) > 1 else ""
        message = f"{service} names no namespace and is taken to be in `{service.namespace}`, but a route needs it in `{place}`{more}"
        yield BlindSpot.at(service.node.place, message, cluster)


def unserved(manifests: Sequence[Manifest], cluster: str) -> Iterator[BlindSpot]:
    """That Services come from elsewhere: VirtualServices route to several that are not here.

    One that is missing may be a mistake. Of VirtualServices for sidecars those Services count that they are for, of those for gateways all
    of namespaces without any.
    """
    services = _all(manifests, "Service")
    known = _entries(manifests) | {service.name for service in services}
    served = {service.namespace for service in services}
    lacking: dict[str, list[Manifest]] = {}
    for route in _all(manifests, "VirtualService"):
        foreign = (name for name, namespace in _destinations(route) if namespace not in served)
        own = _own_services(route) if serves_mesh(route.node["spec"]["gateways"].texts) else foreign
        for host in own:
            if not {host, host.partition(".")[0]} & known:
                lacking.setdefault(host.partition(".")[0], []).append(route)
    wanting = [(name, route) for name, routes in lacking.items() for route in routes if any(_mirrored(route))]
    if len(lacking) > 1 and wanting:
        name, route = wanting[0]
        others = ", ".join(f"`{other}`" for other in sorted(lacking)[:4] if other != name)
        message = f"{route} routes to `{name}`, and others to {others}, but no such Services are here: they seem to live elsewhere"
        yield BlindSpot.at(route.node.place, message, cluster, NOTHING)


def has_no_services(manifests: Sequence[Manifest]) -> bool:
    """Whether VirtualServices route to several Services, and not a single one is here: another repository has them."""
    routed = {each for route in _all(manifests, "VirtualService") for each in _destinations(route)}
    return len(routed) > 1 and not _all(manifests, "Service")


def _all(manifests: Iterable[Manifest], kind: str) -> list[Manifest]:
    """The objects of a kind."""
    return [manifest for manifest in manifests if manifest.kind == kind]


def _entries(manifests: Iterable[Manifest]) -> frozenset[str]:
    """The hosts of ServiceEntries."""
    return frozenset(host.text for entry in _all(manifests, "ServiceEntry") for host in entry.node["spec"]["hosts"])


def _own_services(route: Manifest) -> Iterator[str]:
    """The Services that a VirtualService is for and routes to."""
    needed = set(_routed(route))
    yield from (host.text for host in route.node["spec"]["hosts"] if host.text in needed and _is_service(host.text))


def _routed(route: Manifest) -> Iterator[str]:
    """The hosts that a VirtualService routes to."""
    yield from (to["destination"]["host"].text for rule in route.node["spec"]["http"] for to in rule["route"])


def _mirrored(route: Manifest) -> Iterator[str]:
    """The hosts of a VirtualService's mirrors."""
    for rule in route.node["spec"]["http"]:
        yield from (each["host"].text for each in (rule["mirror"], *(one["destination"] for one in rule["mirrors"])) if each["host"])


def _is_service(host: str) -> bool:
    """Whether a host is the name of a Service: short, or with its namespace and `svc`."""
    return "." not in host or host.split(".")[2:3] == ["svc"]


def _is_free(service: Manifest) -> bool:
    return service.namespace == DEFAULT_NAMESPACE and not service.node["metadata"]["namespace"]


def _destinations(route: Manifest) -> Iterator[tuple[str, str]]:
    """The name and the namespace of each Service that a VirtualService routes to."""
    for host in _routed(route):
        name, *rest = host.split(".")
        if not rest or "svc" in rest[1:2]:
            yield name, rest[0] if rest else route.namespace


def _wants(manifest: Manifest) -> Iterator[tuple[str, str]]:
    for gateway in manifest.node["spec"]["gateways"]:
        if gateway.text != MESH:
            yield "Gateway", gateway.text.rpartition("/")[2]
    yield from (("Service", name) for name, _ in _destinations(manifest))
