"""What gives a route of the Gateway API the mirrors that Istio leaves out of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from mirrorlint.delivery.age import by_name
from mirrorlint.delivery.callers import Judged, judge
from mirrorlint.delivery.follow import Delivery
from mirrorlint.delivery.way import LOST, SOME
from mirrorlint.fleet import Cluster, Manifest
from mirrorlint.istio.references import HOSTNAME, SERVICE, read_reference
from mirrorlint.istio.routing import Destination
from mirrorlint.remedy import of_one_cluster
from mirrorlint.remedy.backends import corrections
from mirrorlint.remedy.entries import manifest_of, missing
from mirrorlint.rule import DOCUMENT, Edit, Subject
from mirrorlint.source import Node


class _Part(NamedTuple):
    """An edit for a backend, what then stands in the backend's place, and the ServiceEntry that is added instead, if one is."""

    edit: Edit
    backend: Node
    entry: Manifest | None = None


class _Change(NamedTuple):
    """What is done about a route's backends, and the route as it is then."""

    parts: tuple[_Part, ...]
    route: Manifest


def is_left_out(judged: Judged) -> bool:
    """Whether it is for a backend that Istio leaves a mirror out, not since its route attaches to nothing."""
    unbound = judged.service.unbound
    return bool(judged.mirror.why) and (unbound is None or unbound.dropped)


def restoring(subject: Subject) -> Mapping[Manifest, tuple[Edit, ...]]:
    """For each route that lacks mirrors the edits with which the shadows of all its mirrors arrive.

    All routes of a cluster are changed at once and the delivery is asked again; where it says that a shadow is lost none is offered.
    """
    found: dict[Manifest, tuple[Edit, ...]] = {}
    for cluster in dict.fromkeys(judged.cluster for judged in subject.judged if is_left_out(judged)):
        own = [judged for judged in subject.judged if judged.cluster == cluster]
        changes = dict(_changes([judged for judged in own if is_left_out(judged)], subject.delivery))
        while changes and (failing := _failing(changes, own, subject)):
            changes = {route: change for route, change in changes.items() if route not in failing}
        found |= {route: tuple(part.edit for part in change.parts) for route, change in changes.items()}
    return found


def _changes(left_out: Iterable[Judged], delivery: Delivery) -> Iterator[tuple[Manifest, _Change]]:
    """The routes of which each backend that Istio doesn't take has one remedy."""
    entries: dict[tuple[str, str], _Part] = {}
    for route, judged in {judged.mirror.owner: judged for judged in left_out}.items():
        refused = _refused(judged, route)
        found = [_corrected(each, judged, delivery) or _entered(each, judged, delivery, entries) for each in refused]
        parts = tuple(part for part in found if part)
        if found and len(parts) == len(found) and of_one_cluster((part.edit for part in parts), delivery):
            node = route.node
            for part in parts:
                node = node.holding(part.backend)
            yield route, _Change(parts, Manifest(node))


def _refused(judged: Judged, route: Manifest) -> Iterable[Destination]:
    """The backends of a route that Istio doesn't take, each once."""
    rules = [rule for rule in judged.service.rules if rule.owner is route]
    named = [d for rule in rules for d in (*(b.destination for b in rule.backends), *(m.destination for m in rule.left_out))]
    return {destination.node: destination for destination in named if destination.why}.values()


def _corrected(refused: Destination, judged: Judged, delivery: Delivery) -> _Part | None:
    """The only correction of a backend."""
    mesh, route = delivery.meshes[judged.cluster], judged.mirror.owner
    found = [_Part(edit, right.node) for edit, right in corrections(mesh, route, refused.node, at_gateway=False)]
    return found[0] if len(found) == 1 else None


def _entered(refused: Destination, judged: Judged, delivery: Delivery, entries: dict[tuple[str, str], _Part]) -> _Part | None:
    """The ServiceEntry for a mirror's Hostname, beside the first route of the namespace that lacks it."""
    mirror = next((m for rule in judged.service.rules for m in rule.left_out if m.destination.node == refused.node), None)
    if mirror is None or read_reference(refused.node, "", SERVICE).kind != HOSTNAME:
        return None
    key = (mirror.owner.namespace, refused.host)
    text = "" if key in entries else missing(delivery, judged.cluster, mirror, refused.host, refused.port)
    if text:
        entries[key] = _Part(Edit(DOCUMENT, refused.node, (text,)), refused.node, manifest_of(text, refused.node))
    return entries[key]._replace(backend=refused.node) if key in entries else None


def _failing(changes: Mapping[Manifest, _Change], own: Sequence[Judged], subject: Subject) -> set[Manifest]:
    """The routes of a cluster of which a shadow is lost when all of them are changed."""
    name, clusters = own[0].cluster, subject.documents.clusters
    routes = (changes[manifest].route if manifest in changes else manifest for manifest in clusters[name].manifests())
    entries = {part.edit: part.entry for change in changes.values() for part in change.parts if part.entry}
    changed = {**clusters, name: Cluster(name, [*routes, *entries.values()], clusters[name].settings)}
    again = judge(changed, Delivery(changed, by_name), name, own[0].ways)
    arriving = {judged.mirror.key for judged in again if _arrives(judged)}
    return {one.mirror.owner for one in own if one.mirror.owner in changes and one.mirror.key not in arriving}


def _arrives(judged: Judged) -> bool:
    """Whether callers make a mirror run, in all worlds, and no shadow of it is lost."""
    sure = not judged.mirror.why and not judged.rivals
    return sure and all(ways and all(way.outcome not in (LOST, SOME) for way in ways) for ways in judged.ways.values())
