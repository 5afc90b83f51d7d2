"""One finding for one cause: what several mirrors suffer from is said once, and a loss behind a refused object belongs to the refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache

from mirrorlint.delivery import reason
from mirrorlint.delivery.age import by_name
from mirrorlint.delivery.follow import Delivery
from mirrorlint.fleet import Documents, Fault, Manifest
from mirrorlint.istio.names import subset_of, without_port
from mirrorlint.level import ERROR
from mirrorlint.rule import BROKEN, DOCUMENT, REFUSED, Edit, Finding, Loss, cause_of

_MISSING = {
    reason.UNKNOWN_TARGET: "Service",
    reason.UNKNOWN_DESTINATION: "Service",
    reason.NO_LISTENER: "Gateway",
    reason.NO_FILTER_CHAIN: "Gateway",
    reason.NO_VIRTUAL_HOST: "VirtualService",
}


class Causes:
    """Finds the object that is to blame for a loss although it is not on the way: one that is refused, or can't be read."""

    def __init__(self, documents: Documents, delivery: Delivery) -> None:
        """`delivery` is the one that the losses come from."""
        self._faults = documents.faults
        self._refused = {name: mesh.refused for name, mesh in delivery.meshes.items()}
        self._letting_in = cache(lambda refused: Delivery(documents.clusters, by_name, frozenset({refused})))

    def behind(self, loss: Loss) -> str:
        """The cause of the finding that speaks for a loss as well; "" when the loss speaks for itself."""
        fault = next((fault for fault in self._faults if _may_hold(fault, loss)), None)
        if fault:
            return cause_of(BROKEN, fault.place)
        refused = self._refused[loss.end.cluster or loss.source]
        found = next((manifest for manifest in refused if _names(manifest, loss)), None)
        found = found or next((manifest for manifest in refused if self._helps(loss, manifest)), None)
        return cause_of(REFUSED, refused[found][0].node.place) if found else ""

    def _helps(self, loss: Loss, refused: Manifest) -> bool:
        """Whether a shadow would get farther if Istio let an object through."""
        ways = self._letting_in(refused).follow(loss.way.call, loss.world)
        again = [way for way in ways if way.mirror.node == loss.way.mirror.node]
        return any(end.reason != loss.end.reason for way in again for end in way.ends)


def _names(refused: Manifest, loss: Loss) -> bool:
    """Whether a refused object is for the host or the port that is missing."""
    end, spec = loss.end, refused.node["spec"]
    if refused.kind == "Gateway" and end.reason == reason.NO_LISTENER and end.address:
        return any(server["port"]["number"].number == end.address.port for server in spec["servers"])
    wanted = {
        (reason.UNKNOWN_TARGET, "ServiceEntry"): loss.way.target[0],
        (reason.UNKNOWN_DESTINATION, "ServiceEntry"): end.destination.host if end.destination else "",
        (reason.NO_VIRTUAL_HOST, "VirtualService"): without_port(loss.way.host),
    }.get((end.reason, refused.kind), "")
    return bool(wanted) and any(subset_of(wanted.lower(), host.text.lower()) for host in spec["hosts"])


def _may_hold(fault: Fault, loss: Loss) -> bool:
    """Whether a document that can't be read names what is missing: a kind, and of a service its name."""
    end = loss.end
    cluster = end.cluster or loss.source
    name = loss.way.target[0] if end.scope is None else end.destination.host if end.destination else ""
    kind = _MISSING.get(end.reason, "")
    return bool(kind and fault.cluster == cluster and f"kind: {kind}" in fault.text and name.partition(".")[0] in fault.text)


def merged(findings: Iterable[Finding]) -> Iterator[Finding]:
    """One finding for each cause: the first of its errors, that of an object before those of mirrors; the others become notes.

    It has a fix where each of them has.
    """
    groups: dict[str, list[Finding]] = {}
    for member in dict.fromkeys(member for finding in findings for member in finding.each):
        groups.setdefault(member.cause, []).append(member)
    for group in groups.values():
        first, *others = members = sorted(group, key=lambda f: (f.likewise is not None, f.level != ERROR, f))
        notes = dict.fromkeys((*first.notes, *(other.likewise for other in others if other.likewise)))
        worlds = sorted({world for finding in group for world in finding.worlds})
        fixes = [finding.fix for finding in group if finding.rule == first.rule]
        edits = dict.fromkeys(edit for fix in fixes for edit in fix) if all(fixes) else {}
        merged_into = tuple(members) if others else ()
        yield first._replace(notes=tuple(notes), worlds=tuple(worlds), fix=tuple(_once(edits)), members=merged_into)


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
