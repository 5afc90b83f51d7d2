"""A mirror that no caller can make run."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.rule import WARNING, Flaw, Remark, Subject
from mirrorlint.unreached import obstacle

LEVEL = WARNING


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at what keeps requests away, else at the mirror."""
    for judged in subject.judged:
        unbound = judged.service.unbound
        if not any(judged.ways.values()) and (not judged.mirror.why or (unbound and not unbound.dropped)):
            node, why, remarks, cause = obstacle(judged, subject.delivery)
            message = f"no request can make the mirror to `{judged.mirror.destination.host}` run: {why}"
            mirror = Remark(judged.mirror.destination.host_node, "so this mirror never runs", judged.cluster)
            notes = remarks if node == mirror.node else (*remarks, mirror)
            yield Flaw(node.place, message, judged.cluster, str(judged.mirror.owner), notes, cause, mirror)
