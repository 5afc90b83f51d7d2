"""A rule of the target that mirrors the shadow back to the source: its live traffic is doubled by what was only a copy."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.delivery import reason
from mirrorlint.delivery.follow import End, Way, onward
from mirrorlint.delivery.worlds import WORLDS
from mirrorlint.rule import WARNING, Flaw, Remark, Subject

LEVEL = WARNING


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at the mirror that sends it back."""
    said = set()
    for judged, way, end in subject.arrivals():
        for back in _mirrored(subject, way, end):
            mirror = back.mirror
            if any(e.cluster == judged.cluster and e.reason == reason.ARRIVES for e in back.ends) and mirror.node not in said:
                said.add(mirror.node)
                message = f"this mirrors {judged.cluster}'s shadows back to it, with Host `{back.host}`, and they are served there again"
                remark = Remark(judged.mirror.destination.host_node, "the shadows come from here", judged.cluster)
                yield Flaw(mirror.destination.host_node.place, message, end.cluster, str(mirror.owner), (remark,))


def _mirrored(subject: Subject, way: Way, end: End) -> Iterator[Way]:
    """What becomes of the copies that the target makes of a shadow."""
    if end.route and end.route.rule.mirrors:
        for world in WORLDS:
            yield from subject.delivery.follow(onward(way, end), world)
