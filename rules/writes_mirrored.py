"""A mirror that copies requests which change something: the target, or what it shares with the source, is changed a second time."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.delivery.follow import Delivery
from mirrorlint.delivery.judged import Judged
from mirrorlint.level import OFF
from mirrorlint.rule import Flaw, Subject

LEVEL = OFF
_WRITES = ("POST", "PUT", "PATCH", "DELETE")


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at the mirror."""
    for judged in subject.judged:
        copied = [method for method in _WRITES if _copies(subject.delivery, judged, method)]
        if copied:
            message = f"{', '.join(copied)} requests are mirrored as well: what they change is changed a second time, by the target"
            yield Flaw(judged.mirror.destination.host_node.place, message, judged.cluster, str(judged.mirror.owner))


def _copies(delivery: Delivery, judged: Judged, method: str) -> bool:
    """Whether a call that is mirrored is still mirrored with another method."""
    calls = ((way.call._replace(method=method), world) for world, ways in judged.ways.items() for way in ways)
    return any(way.mirror.key == judged.mirror.key for call, world in calls for way in delivery.follow(call, world))
