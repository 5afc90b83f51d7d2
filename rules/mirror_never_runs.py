"""A mirror that no caller can make run."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.delivery.callers import Judged
from mirrorlint.delivery.mesh import Mesh
from mirrorlint.istio.names import MESH
from mirrorlint.istio.ports import Port
from mirrorlint.istio.routing import VirtualService
from mirrorlint.rule import Flaw, Subject
from mirrorlint.source import Node


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at what keeps requests away, else at the mirror."""
    for judged in subject.judged:
        if not any(judged.ways.values()) and not judged.mirror.why:
            node, why = _cause(judged, subject.delivery.meshes[judged.cluster])
            owner = judged.mirror.owner
            yield Flaw(node.place, f"no request can make this mirror run: {why}", judged.cluster, str(owner))


def _cause(judged: Judged, mesh: Mesh) -> tuple[Node, str]:
    service, rule = judged.service, judged.rule
    if service.unbound:
        return service.unbound.node, service.unbound.why
    if rule.action != "route":
        return rule.answer, "its rule answers requests itself"
    bound = {gateway.name for gateway in mesh.gateways}
    missing = [name for name in service.gateways if name != MESH and name not in bound]
    if missing and MESH not in service.gateways:
        return service.bindings[missing[0]], f"no Gateway `{missing[0]}` is in {judged.cluster}"
    if "~" in service.export_to:
        return service.manifest.node["spec"]["exportTo"].at(0), "its VirtualService is exported to no namespace"
    return _unreached(judged, mesh)


def _unreached(judged: Judged, mesh: Mesh) -> tuple[Node, str]:
    """Why no caller of its hosts gets to a rule that is bound."""
    service, rule = judged.service, judged.rule
    ports, asked = _ports(service, mesh), {match.port for match in rule.matches}
    hosts, first = ", ".join(f"`{host.node.text}`" for host in service.hosts), service.hosts[0].node
    if service.gateway_semantics and 0 not in asked and not asked & {port.number for port in ports}:
        return first, f"{hosts} has no port {', '.join(map(str, asked))}"
    if MESH in service.gateways and not any(port.routes_http for port in ports):
        unserved = f"{hosts} is no service of {judged.cluster}, and nothing there speaks HTTP on port 80"
        return first, f"no port of {hosts} speaks HTTP, so `http` rules see none of it" if ports else unserved
    return judged.mirror.destination.host_node, f"no caller of {hosts} reaches its rule"


def _ports(service: VirtualService, mesh: Mesh) -> list[Port]:
    """The ports of the services that it is for."""
    return [port for host in service.hosts for known in mesh.services_by_host.get(host.name.lower(), ()) for port in known.ports]
