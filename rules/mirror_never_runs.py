"""A mirror that no caller can make run."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.delegates import contradicted, undelegated
from mirrorlint.delivery.judged import Judged
from mirrorlint.fleet import Manifest
from mirrorlint.level import WARNING
from mirrorlint.rule import Flaw, Obstacle, Remark, Subject
from mirrorlint.source import Node
from mirrorlint.unreached import obstacle, overlooked

LEVEL = WARNING


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at what keeps requests away, else at the mirror."""
    for judged in subject.judged:
        unbound = judged.service.unbound
        if not any(judged.ways.values()) and (not judged.mirror.why or (unbound and not unbound.dropped)):
            found = obstacle(judged, subject.delivery)
            if found:
                yield _flaw(judged, found)
    for cluster, mesh in subject.own():
        for owner, host, found in (*undelegated(mesh), *overlooked(mesh)):
            yield _never(host, host.text, owner, cluster, found)
    yield from (_contradiction(cluster, *each) for cluster, mesh in subject.own() for each in contradicted(mesh))


def _contradiction(cluster: str, delegate: Manifest, child: Node, root: Manifest, rule: Node) -> Flaw:
    why = f"its rule contradicts the one of {root} that delegates to it, so Istio leaves it out"
    asked = child["match"] if child["match"].present else child
    remark = Remark(rule["match"], "what the root asks for", cluster)
    return Flaw(asked.place, f"no request can make this mirror run: {why}", cluster, str(delegate), (remark,))


def _flaw(judged: Judged, found: Obstacle) -> Flaw:
    destination = judged.mirror.destination
    return _never(destination.host_node, destination.host, judged.mirror.owner, judged.cluster, found)


def _never(node: Node, host: str, owner: Manifest, cluster: str, found: Obstacle) -> Flaw:
    mirror = Remark(node, "so this mirror never runs", cluster)
    notes = found.remarks if found.node == node else (*found.remarks, mirror)
    message = f"no request can make the mirror to `{host}` run: {found.why}"
    return Flaw(found.node.place, message, cluster, str(found.owner or owner), notes, found.cause, mirror, doubtful=not found.certain)
