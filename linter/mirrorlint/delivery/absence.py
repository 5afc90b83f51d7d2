"""Why a proxy has no upstream for a destination, and the part of the destination that nothing stands behind."""

from __future__ import annotations

from typing import NamedTuple

from mirrorlint.delivery.mesh import Mesh
from mirrorlint.delivery.scope import Scope, differences
from mirrorlint.fleet import DISCOVERY
from mirrorlint.istio.routing import Destination
from mirrorlint.istio.services import Service
from mirrorlint.source import Node


class Absence(NamedTuple):
    """What is missing: the Node that asks for it, in words, the host or more that is asked for, and where the service that lacks it is.

    These, a Node and what stands there, are None when there is no such service. `subset` is one that `service` lacks ("" where it is not
    that).
    """

    node: Node
    words: str
    asked: str
    there: Node | None = None
    has: str = ""
    service: Service | None = None
    subset: str = ""


def absence(scope: Scope, target: tuple[str, int], destination: Destination) -> Absence:
    """What a proxy lacks for a destination that it takes for a host and a port."""
    host, number = target
    service = scope.service(host) or _without_port(scope, host, number)
    if destination.why:
        near = destination.near or _overlooked(scope.mesh, destination.node["namespace"])
        return Absence(destination.fault or destination.host_node, destination.why, host, *near)
    if service is None:
        return Absence(destination.host_node, _unknown(scope, host, number), host)
    if service.port(number) is None:
        there = _unmerged(scope, service, number) or _ports(service)
        return Absence(destination.port_node, _portless(service, number, destination), f"{host}:{number}", *there)
    definition = (service.node, f"{service.manifest} defines the host")
    rule = scope.rule_for(service)
    if destination.subset and not (rule and destination.subset in rule.subsets):
        words = f"no DestinationRule in force defines subset `{destination.subset}` of `{host}`"
        return Absence(destination.node["subset"], words, f"{host} {destination.subset}", *definition, service, destination.subset)
    if destination.subset and not service.alias_of:
        words = f"no endpoint of `{host}` has the labels of subset `{destination.subset}`, so Istio builds no upstream for it"
        return Absence(destination.node["subset"], words, f"{host} {destination.subset}", *definition)
    lacks = "is only another name (ExternalName)" if service.alias_of else "has no endpoint"
    return Absence(destination.host_node, f"`{host}` {lacks}, so Istio builds no upstream for it", host, *definition)


def _overlooked(mesh: Mesh, namespace: Node) -> tuple[Node, str] | tuple[()]:
    """The namespace of a `backendRef`, if the control plane sees neither the backend there nor a ReferenceGrant for it."""
    looks = not namespace.text or mesh.discovery.includes(namespace.text)
    return () if looks else (namespace, f"`{DISCOVERY}` leave out namespace `{namespace.text}`")


def _without_port(scope: Scope, host: str, number: int) -> Service | None:
    """A service that is exported to a proxy which has it not, for want of the port (sidecar.go:collectImportedServices)."""
    seen = [service for service in scope.mesh.services_by_host.get(host, ()) if scope.sees(service)]
    return seen[0] if seen and not any(service.port(number) for service in seen) else None


def _unknown(scope: Scope, host: str, number: int) -> str:
    if host not in scope.mesh.services_by_host:
        return f"`{host}:{number}` is not a host of {scope.mesh.cluster.name}'s registry"
    return f"`{host}` is not visible in namespace `{scope.namespace}`" if scope.namespace else f"`{host}` is visible to no gateway"


def _ports(service: Service) -> tuple[Node, str]:
    ports = service.numbered
    known = ", ".join(str(port.number) for port in ports) or "no port"
    return ports[0].node if ports else service.node, f"{service.manifest} has {known}"


def _unmerged(scope: Scope, service: Service, number: int) -> tuple[Node, str] | None:
    """Another service for the host that has the port, and what keeps Istio from merging the two."""
    for other in scope.services_of(service.host):
        port = other.port(number)
        if port:
            unlike = " and ".join(differences(service, other))
            return port.node, f"{other.manifest} has it, which Istio doesn't merge with {service.manifest}: they differ in {unlike}"
    return None


def _portless(service: Service, number: int, destination: Destination) -> str:
    if any(port.number == number for port in service.ports):
        return f"port {number} of `{service.host}` is UDP"
    inferred = "" if destination.port_node.present else " (the port that is called, since none is named)"
    known = ", ".join(str(port.number) for port in service.numbered)
    return f"`{service.host}` has no port {number}{inferred}" + (f", only {known}" if known else "")
