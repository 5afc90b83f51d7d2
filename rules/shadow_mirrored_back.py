"""A rule of the target that mirrors the shadow back to the source: its live traffic is doubled by what was only a copy."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.delivery import reason
from mirrorlint.delivery.follow import onward
from mirrorlint.delivery.judged import Judged
from mirrorlint.delivery.way import End, Way, reached
from mirrorlint.level import WARNING
from mirrorlint.rule import Flaw, Remark, Subject
from mirrorlint.source import Node

LEVEL = WARNING


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at the mirror that sends it back; of two that send each other's back at one."""
    said: set[Node] = set()
    for judged, way, end in subject.arrivals():
        for back in _mirrored(subject, way, end):
            node = back.mirror.destination.host_node
            served = [reached(e.route) for e in back.ends if e.cluster == judged.cluster and e.reason == reason.ARRIVES]
            if served and node not in said:
                again = any(judged.mirror in route.rule.mirrors for route in served)
                said.update((node, judged.mirror.destination.host_node) if again else (node,))
                yield _flaw(judged, end, back, again=again)


def _mirrored(subject: Subject, way: Way, end: End) -> Iterator[Way]:
    """What becomes of the copies that the target makes of a shadow."""
    for world in subject.delivery.meshes[end.cluster].worlds if reached(end.route).rule.mirrors else ():
        yield from subject.delivery.follow(onward(way, end), world)


def _flaw(judged: Judged, end: End, back: Way, *, again: bool) -> Flaw:
    message = f"this mirrors {judged.cluster}'s shadows back to it, with Host `{back.host}`, and they are served there again"
    message += ", and mirrored again" if again else ""
    remark = Remark(judged.mirror.destination.host_node, "the shadows come from here", judged.cluster)
    return Flaw(back.mirror.destination.host_node.place, message, end.cluster, str(back.mirror.owner), (remark,))
