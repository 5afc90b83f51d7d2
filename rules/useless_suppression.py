"""A suppression that silences nothing: the finding is gone, the rule's name is wrong, or the reason is missing."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.level import WARNING
from mirrorlint.rule import Flaw, Subject
from mirrorlint.source import Place

LEVEL = WARNING


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at the comment or annotation, once for all the rules that it names."""
    reasons: dict[tuple[Place, str], list[str]] = {}
    for suppression, why in subject.idle:
        reasons.setdefault((suppression.place, suppression.cluster), []).append(why)
    for (place, cluster), found in reasons.items():
        yield Flaw(place, f"this suppression {', and '.join(dict.fromkeys(found))}", cluster, "")
