"""Why no request reaches a mirror's rule: what stands in front of it, or what its VirtualService is not bound to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mirrorlint.delivery.callers import Judged
from mirrorlint.delivery.mesh import Mesh
from mirrorlint.istio.matches import Match
from mirrorlint.istio.names import MESH, intersection, overlaps
from mirrorlint.istio.services import Service
from mirrorlint.rule import Remark, cause_of
from mirrorlint.source import Node

_ANSWERS = {"redirect": "redirect", "direct-response": "directResponse", "abort": "fault"}


class Obstacle(NamedTuple):
    """The Node that keeps requests away, why, what else is worth seeing; `cause` is another rule's where that speaks for it."""

    node: Node
    why: str
    remarks: tuple[Remark, ...] = ()
    cause: str = ""


def obstacle(judged: Judged, mesh: Mesh) -> Obstacle:
    """What most probably keeps requests away from a mirror that none reaches."""
    found = (*_answering(judged), *_unbound(judged, mesh), *_unserved(judged, mesh), *_overtaken(judged, mesh), *_behind(judged))
    hosts = _named(host.node.text for host in judged.service.hosts)
    return next(iter((*found, *_narrow(judged, mesh))), Obstacle(judged.mirror.node["host"], f"no caller of {hosts} reaches its rule"))


def _answering(judged: Judged) -> Iterator[Obstacle]:
    field = _ANSWERS.get(judged.rule.action)
    if field:
        node = judged.rule.node.key(field) if field in judged.rule.node else judged.mirror.node
        yield Obstacle(node, f"its rule answers requests itself (`{field}`)")


def _unbound(judged: Judged, mesh: Mesh) -> Iterator[Obstacle]:
    """A VirtualService that nobody sees, or of whose gateways none is there or serves its hosts."""
    service, cluster = judged.service, judged.cluster
    if "~" in service.export_to:
        yield Obstacle(service.manifest.node["spec"]["exportTo"].at(0), "its VirtualService is exported to no namespace")
    if MESH in service.gateways:
        return
    bound = [gateway for gateway in mesh.gateways if gateway.name in service.gateways]
    missing = next((name for name in service.gateways if name not in {gateway.name for gateway in bound}), "")
    if missing:
        refused = next((reasons for m, reasons in mesh.refused.items() if f"{m.namespace}/{m.name}" == missing and m.kind == "Gateway"), ())
        why = f"Istio refuses Gateway `{missing}`" if refused else f"no Gateway `{missing}` is in {cluster}{_elsewhere(missing, mesh)}"
        yield Obstacle(service.bindings[missing], why, cause=cause_of("refused-by-istio", refused[0].node.place) if refused else "")
    hosts = [host.name for host in service.hosts]
    servers = [server for gateway in bound for server in gateway.servers]
    if servers and not any(intersection(server.hosts_for(service.namespace), hosts) for server in servers):
        served = Remark(servers[0].node["hosts"].at(0), f"{servers[0].gateway.manifest} serves {_named(servers[0].hosts)}", cluster)
        yield Obstacle(service.hosts[0].node, f"the Gateway that its VirtualService is bound to does not serve {_named(hosts)}", (served,))


def _elsewhere(missing: str, mesh: Mesh) -> str:
    """Where a Gateway of that name is, if it is in another namespace."""
    name = missing.partition("/")[2]
    found = next((gateway.name for gateway in mesh.gateways if gateway.manifest.name == name), "")
    return f" (did you mean `{found}`?)" if found else ""


def _unserved(judged: Judged, mesh: Mesh) -> Iterator[Obstacle]:
    """A host of sidecars' routes that is no service, or one without an HTTP port."""
    service = judged.service
    owners = _owners(judged, mesh)
    if MESH not in service.gateways or any(port.routes_http for owner in owners for port in owner.ports):
        return
    hosts, host = _named(h.node.text for h in service.hosts), service.hosts[0]
    if owners:
        remarks = tuple(
            Remark(port.node, f"{owners[0].manifest} says {port.protocol or 'TCP'}", judged.cluster) for port in owners[0].ports
        )
        yield Obstacle(host.node, f"no port of {hosts} speaks HTTP, so `http` rules see none of it", remarks[:1])
    else:
        why = f"{hosts} is no service of {judged.cluster}, and nothing there speaks HTTP on port 80"
        yield Obstacle(host.node, why, cause=cause_of("host-of-no-service", host.node.place))


def _owners(judged: Judged, mesh: Mesh) -> list[Service]:
    names = [host.name.lower() for host in judged.service.hosts]
    return [service for service in mesh.services if any(overlaps(service.host.lower(), name) for name in names)]


def _overtaken(judged: Judged, mesh: Mesh) -> Iterator[Obstacle]:
    """Another VirtualService for the host, of which sidecars take the older one alone."""
    names = {host.name.lower(): host for host in judged.service.hosts}
    older = mesh.virtual_services[: mesh.virtual_services.index(judged.service)] if judged.service in mesh.virtual_services else ()
    for other in (other for other in older if MESH in other.gateways and MESH in judged.service.gateways):
        shared = next((host for host in other.hosts if host.name.lower() in names), None)
        if shared:
            remark = Remark(shared.node, f"{other.manifest} is for it, too, and older", judged.cluster)
            yield Obstacle(names[shared.name.lower()].node, f"sidecars use an older VirtualService for `{shared.name}`", (remark,))


def _behind(judged: Judged) -> Iterator[Obstacle]:
    """An earlier rule of the VirtualService that takes everything, or just what this one asks for."""
    wanted = [_conditions(match) for match in judged.rule.matches]
    for rule in judged.service.rules[: judged.service.rules.index(judged.rule)]:
        conditions = [_conditions(match) for match in rule.matches]
        takes_all = not rule.matches or any(not any(condition) for condition in conditions)
        if takes_all or (wanted and all(condition in conditions for condition in wanted)):
            what = "every request" if takes_all else "what it asks for"
            remark = Remark(judged.mirror.node["host"], "this mirror", judged.cluster)
            yield Obstacle(rule.node, f"this rule stands in front of its rule and takes {what}", (remark,))


def _conditions(match: Match) -> tuple[object, ...]:
    """What a block asks for, without where it says so; a prefix `/` asks for nothing."""
    strings = (match.uri, match.scheme, match.method, match.authority)
    asked = tuple((s.kind, s.value) for s in strings if s.kind and (s.kind, s.value) != ("prefix", "/"))
    maps = (match.headers, match.without_headers, match.query)
    more = tuple(tuple(sorted((name, s.kind, s.value) for name, s in found.items())) for found in maps)
    return (*asked, *more, match.port, tuple(sorted(match.source_labels.items())), match.source_namespace, match.gateways)


def _narrow(judged: Judged, mesh: Mesh) -> Iterator[Obstacle]:
    """Conditions that no caller can meet: a port that is not there, a gateway that the VirtualService is not bound to."""
    ports = {port.number for owner in _owners(judged, mesh) for port in owner.ports}
    ports |= {server.number for gateway in mesh.gateways if gateway.name in judged.service.gateways for server in gateway.servers}
    for match in judged.rule.matches:
        if match.port and match.port not in ports:
            listed = ", ".join(map(str, sorted(ports))) or "none"
            yield Obstacle(match.node["port"], f"its rule is for port {match.port}, and {judged.cluster} has {listed} there")
        strange = [name for name in match.gateways if name not in judged.service.gateways]
        if strange and len(strange) == len(match.gateways):
            yield Obstacle(match.node["gateways"].at(0), f"its rule is for `{strange[0]}`, which its VirtualService is not bound to")


def _named(hosts: Iterable[str]) -> str:
    return ", ".join(f"`{host}`" for host in hosts)
