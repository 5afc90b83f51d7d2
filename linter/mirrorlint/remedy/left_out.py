"""What gives a route of the Gateway API the mirrors that Istio leaves out of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from mirrorlint.delivery.follow import Delivery
from mirrorlint.delivery.judged import Judged, judge
from mirrorlint.delivery.mesh import Mesh
from mirrorlint.fleet import Manifest
from mirrorlint.istio.references import HOSTNAME, SERVICE, read_reference
from mirrorlint.istio.routing import Destination
from mirrorlint.nearest import ingress_of
from mirrorlint.remedy import arrives, is_astray, of_one_cluster
from mirrorlint.remedy.backends import corrections
from mirrorlint.remedy.edited import edited
from mirrorlint.remedy.entries import correction, missing
from mirrorlint.rule import DOCUMENT, Edit, Subject

_Edits = tuple[Edit, ...]


def is_left_out(judged: Judged) -> bool:
    """Whether it is for a backend that Istio leaves a mirror out, not since its route attaches to nothing."""
    unbound = judged.service.unbound
    return bool(judged.mirror.why) and (unbound is None or unbound.dropped)


def restoring(subject: Subject) -> Mapping[Manifest, _Edits]:
    """For each route that lacks mirrors the edits with which the shadows of all its mirrors arrive.

    All routes of a cluster are changed at once and the delivery is asked again; where it says that a shadow is lost none is offered.
    """
    found: dict[Manifest, _Edits] = {}
    for cluster in dict.fromkeys(judged.cluster for judged in subject.judged if is_left_out(judged)):
        own = [judged for judged in subject.judged if judged.cluster == cluster]
        changes = dict(_changes([judged for judged in own if is_left_out(judged)], subject.delivery))
        while changes and (failing := _failing(changes, own, subject)):
            changes = {route: change for route, change in changes.items() if route not in failing}
        found |= changes
    return found


def _changes(left_out: Iterable[Judged], delivery: Delivery) -> Iterator[tuple[Manifest, _Edits]]:
    """The edits of routes of which each backend that Istio doesn't take has one remedy."""
    entries: dict[tuple[str, str], Edit] = {}
    for route, judged in {judged.mirror.owner: judged for judged in left_out}.items():
        refused = _refused(judged, route)
        found = [_corrected(each, judged, delivery) or _entered(each, judged, delivery, entries) for each in refused]
        edits = tuple(edit for edit in found if edit)
        if found and len(edits) == len(found) and of_one_cluster(edits, delivery):
            yield route, edits


def _refused(judged: Judged, route: Manifest) -> Iterable[Destination]:
    """The backends of a route that Istio doesn't take, each once."""
    rules = [rule for rule in judged.service.rules if rule.owner is route]
    named = [d for rule in rules for d in (*(b.destination for b in rule.backends), *(m.destination for m in rule.left_out))]
    return {destination.node: destination for destination in named if destination.why}.values()


def _corrected(refused: Destination, judged: Judged, delivery: Delivery) -> Edit | None:
    """The only correction of a backend, or of the entry where the backend's host is right."""
    mesh, route = delivery.meshes[judged.cluster], judged.mirror.owner
    if mesh.overlooked(refused.host):
        return None
    if refused.host not in mesh.services_by_host and ingress_of(delivery.meshes, judged.cluster, refused.host):
        return correction(delivery.meshes, judged.cluster, refused)
    found = [edit for edit, _ in corrections(mesh, route, refused.node, at_gateway=False)]
    return found[0] if len(found) == 1 else None


def _entered(refused: Destination, judged: Judged, delivery: Delivery, entries: dict[tuple[str, str], Edit]) -> Edit | None:
    """The ServiceEntry for a mirror's Hostname, beside the first route of the namespace that lacks it."""
    mirror = next((m for rule in judged.service.rules for m in rule.left_out if m.destination.node == refused.node), None)
    if mirror is None or read_reference(refused.node, "", SERVICE).kind != HOSTNAME:
        return None
    key = (mirror.owner.namespace, refused.host)
    text = "" if key in entries else missing(delivery, judged.cluster, mirror, refused.host, refused.port)
    if text:
        entries[key] = Edit(DOCUMENT, refused.node, (text,))
    return entries.get(key)


def _failing(changes: Mapping[Manifest, _Edits], own: Sequence[Judged], subject: Subject) -> set[Manifest]:
    """The routes of a cluster of which a shadow is lost when all of them are changed."""
    changed, _ = edited(subject.documents.clusters, (edit for edits in changes.values() for edit in edits))
    again = judge(changed, subject.delivery.of(changed), own[0].cluster, own[0].ways)
    mesh = subject.delivery.meshes[own[0].cluster]
    named = {one.mirror.key: one.mirror.destination.host for one in own}
    arriving = {judged.mirror.key for judged in again if arrives(judged) and not _led_astray(mesh, judged, named[judged.mirror.key])}
    return {one.mirror.owner for one in own if one.mirror.owner in changes and one.mirror.key not in arriving}


def _led_astray(mesh: Mesh, judged: Judged, before: str) -> bool:
    """Whether shadows of a mirror that had another host lead elsewhere."""
    host = judged.mirror.destination.host
    return host != before and any(is_astray(mesh, host, way.ends) for found in judged.ways.values() for way in found)
