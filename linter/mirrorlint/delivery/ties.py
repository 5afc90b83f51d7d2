"""Which VirtualServices are for the same host and of the same age, as far as manifests tell."""

from __future__ import annotations

from mirrorlint.delivery.mesh import Mesh
from mirrorlint.istio.names import MESH
from mirrorlint.istio.routing import VirtualService


def ties(mesh: Mesh) -> list[tuple[VirtualService, VirtualService]]:
    """Pairs of sidecars' VirtualServices for the same host of which manifests can't tell the older, one of them with a mirror."""
    by_host: dict[str, list[VirtualService]] = {}
    for service in mesh.virtual_services:
        if MESH in service.gateways:
            for host in dict.fromkeys(host.name.lower() for host in service.hosts):
                by_host.setdefault(host, []).append(service)
    pairs = ((a, b) for services in by_host.values() for i, a in enumerate(services) for b in services[i + 1 :])
    return list(dict.fromkeys((a, b) for a, b in pairs if a.manifest.identity != b.manifest.identity and _tied(a, b)))


def _tied(one: VirtualService, other: VirtualService) -> bool:
    mirroring = any(rule.mirrors for service in (one, other) for rule in service.rules)
    if one.gateway_semantics and other.gateway_semantics and (one.namespace != other.namespace or _apart(one, other)):
        return False  # one is for a Service's own namespace, the other for callers elsewhere; or they are for different ports
    public = ["*" in service.export_to for service in (one, other)]
    same_standing = all(public) or (not any(public) and one.namespace == other.namespace)
    return mirroring and same_standing and one.manifest.created == other.manifest.created


def _apart(one: VirtualService, other: VirtualService) -> bool:
    """Whether both name ports, and not the same."""
    ports = [{match.port for rule in service.rules for match in rule.matches} for service in (one, other)]
    return 0 not in ports[0] | ports[1] and ports[0].isdisjoint(ports[1])
