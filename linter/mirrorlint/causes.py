"""One finding for one cause: what several mirrors suffer from is said once, and a loss behind a refused object belongs to the refusal."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache

from mirrorlint.delivery import reason
from mirrorlint.delivery.follow import Delivery
from mirrorlint.delivery.gateway import GatewayScope
from mirrorlint.delivery.mesh import Mesh
from mirrorlint.delivery.upstream import Address
from mirrorlint.delivery.way import LOST, reached
from mirrorlint.fleet import Documents, Fault, Manifest
from mirrorlint.istio.gateway import Server
from mirrorlint.istio.names import MESH, subset_of, without_port
from mirrorlint.level import ERROR
from mirrorlint.rule import BROKEN, DOCUMENT, REFUSED, Edit, Finding, Loss, Note, cause_of

_MISSING = {
    reason.UNKNOWN_TARGET: "Service",
    reason.UNKNOWN_DESTINATION: "Service",
    reason.NO_LISTENER: "Gateway",
    reason.NO_FILTER_CHAIN: "Gateway",
    reason.NO_VIRTUAL_HOST: "VirtualService",
}
_WORD = re.compile(r"[\w.*-]+")


class Causes:
    """Finds the object that is to blame for a loss although it is not on the way: one that is refused, or can't be read."""

    def __init__(self, documents: Documents, delivery: Delivery) -> None:
        """`delivery` is the one that the losses come from."""
        self._faults = documents.faults
        self._refused = {name: mesh.admission.refused for name, mesh in delivery.meshes.items()}
        self._letting_in = cache(lambda refused: delivery.of(documents.clusters, let_in=frozenset({refused})))

    def behind(self, loss: Loss) -> str:
        """The cause of the finding that speaks for a loss as well; "" when the loss speaks for itself."""
        fault = next((fault for fault in self._faults if _may_hold(fault, loss)), None)
        if fault:
            return cause_of(BROKEN, fault.place)
        refused = self._refused[loss.end.cluster or loss.source]
        found = next((manifest for manifest in refused if self._is_missing(loss, manifest)), None)
        found = found or next((manifest for manifest in refused if self._helps(loss, manifest)), None)
        return cause_of(REFUSED, refused[found][0].node.place) if found else ""

    def _helps(self, loss: Loss, refused: Manifest) -> bool:
        """Whether a shadow would arrive if Istio let an object through, or get farther at the same pods."""
        ways = self._letting_in(refused).follow(loss.way.call, loss.world)
        again = (end for way in ways if way.mirror.key == loss.way.mirror.key for end in way.ends)
        known = {(end.address, end.reason) for end in loss.way.ends}
        changed = (end for end in again if (end.address, end.reason) not in known)
        return any(end.outcome != LOST or _may_be_same(loss.end.scope, end.scope) for end in changed)

    def _is_missing(self, loss: Loss, refused: Manifest) -> bool:
        """Whether a refused object is the one that is missing, though with it the shadow may be lost for another of its faults."""
        delivery, end = self._letting_in(refused), loss.end
        if end.reason == reason.NO_LISTENER:
            address = reached(end.address)
            scopes = (scope for scope in delivery.ingress(end.cluster, address.host) if _may_be_same(end.scope, scope))
            return any(_opens(scope, address, refused) for scope in scopes)
        scope = end.scope or loss.way.scope
        mesh = delivery.meshes[scope.mesh.cluster.name]
        if end.reason == reason.NO_VIRTUAL_HOST:
            name, servers = without_port(loss.shadow.host).lower(), reached(end.chain).servers
            return any(subset_of(name, host.lower()) for host in _hosts(mesh, refused, servers, scope.namespace))
        if end.reason not in (reason.UNKNOWN_TARGET, reason.UNKNOWN_DESTINATION):
            return False
        host = _host(loss)
        found = type(scope)(mesh, scope.namespace, scope.labels).service(host)
        return found is not None and found.manifest is refused


def _may_be_same(scope: GatewayScope | None, other: GatewayScope | None) -> bool:
    """Whether two views may be of the same pods; a shadow that came to no gateway may come to any."""
    return not (scope and other and scope.labels) or (scope.namespace, scope.labels) == (other.namespace, other.labels)


def _opens(scope: GatewayScope, address: Address, refused: Manifest) -> bool:
    """Whether a Gateway that configures some pods is for the port that an address leads to."""
    servers = (server for gateway in scope.gateways if gateway.manifest is refused for server in gateway.servers)
    ports = {*scope.container_ports(address.host, address.port)}
    return any(not ports.isdisjoint(scope.front.listening(server)) for server in servers)


def _hosts(mesh: Mesh, refused: Manifest, servers: Iterable[Server], namespace: str) -> list[str]:
    """The hosts that a VirtualService has at some servers, or one for sidecars alone would have that is meant where none is bound."""
    bound = [(server, service) for server in servers for service in mesh.bound_to(server.gateway.name, namespace)]
    if bound:
        return [host for server, service in bound if service.manifest is refused for host in server.shared(service)]
    own = (service for service in mesh.virtual_services if service.manifest is refused and {*service.gateways} == {MESH})
    return [host.name for service in own for host in service.hosts]


def _host(loss: Loss) -> str:
    """The host of the service that is missing; "" where it is another thing."""
    if loss.end.scope is None:
        return loss.way.target[0]
    return loss.end.destination.host if loss.end.destination else ""


def _may_hold(fault: Fault, loss: Loss) -> bool:
    """Whether a document that can't be read may be what is missing: it is of that kind, and some word names the host or the port."""
    end, kind = loss.end, _MISSING.get(loss.end.reason, "")
    if not kind or fault.cluster != (end.cluster or loss.source) or f"kind: {kind}" not in fault.text:
        return False
    words = {*_WORD.findall(fault.text.lower())}
    if end.reason == reason.NO_LISTENER:
        address = reached(end.address)
        ports = (address.port, *reached(end.scope).container_ports(address.host, address.port))
        return not words.isdisjoint(map(str, ports))
    if kind == "Service":
        host = _host(loss).lower()
        own, of_service, _ = host.partition(".svc.")
        return host in words or (bool(of_service) and own.partition(".")[0] in words)
    sought = without_port(loss.shadow.host).lower()
    name = reached(loss.way.upstream).sni_for(sought) if end.reason == reason.NO_FILTER_CHAIN else sought
    return any(subset_of(name, word) for word in words)


def merged(findings: Iterable[Finding]) -> Iterator[Finding]:
    """One finding for each cause: the first of its errors, that of an object before those of mirrors; the others become notes.

    It has a fix where each of them has.
    """
    groups: dict[str, list[Finding]] = {}
    for member in dict.fromkeys(member for finding in findings for member in finding.each):
        groups.setdefault(member.cause, []).append(member)
    for group in groups.values():
        first, *others = members = sorted(group, key=lambda f: (f.likewise is not None, f.level != ERROR, f))
        notes = dict.fromkeys((*first.notes, *filter(None, (_added(other, first) for other in others))))
        worlds = sorted({world for finding in group for world in finding.worlds})
        fixes = [finding.fix for finding in group if finding.rule == first.rule]
        edits = dict.fromkeys(edit for fix in fixes for edit in fix) if all(fixes) else {}
        merged_into = tuple(members) if others else ()
        yield first._replace(notes=tuple(notes), worlds=tuple(worlds), fix=tuple(_once(edits)), members=merged_into)


def _added(other: Finding, first: Finding) -> Note | None:
    """What a finding adds to the first one of its cause: its object where nothing else does, since a line of a template makes several."""
    if other.object == first.object or (other.likewise and other.likewise.place != first.place):
        return other.likewise
    return Note(f"the same holds for {other.object}", other.cluster, other.place)


def narrowed(finding: Finding, keep: Callable[[Finding], bool]) -> Finding | None:
    """A finding of those members alone that are kept, and of the object that is their cause; None where none is."""
    kept = [member for member in finding.each if keep(member)]
    if not kept or len(kept) == len(finding.each):
        return finding if kept else None
    (found,) = merged(member for member in finding.each if member in kept or member.likewise is None)
    return found._replace(fix=tuple(edit for edit in found.fix if edit in finding.fix))


def _once(edits: Iterable[Edit]) -> Iterator[Edit]:
    """Edits of one cause, of objects that they add the first only: what is missing is missing once."""
    added = False
    for edit in edits:
        if edit.kind != DOCUMENT or not added:
            yield edit
        added = added or edit.kind == DOCUMENT
