"""A suppression that silences nothing: the finding is gone, the rule's name is wrong, or the reason is missing."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.level import WARNING
from mirrorlint.rule import Flaw, Subject

LEVEL = WARNING


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at the comment or annotation."""
    for suppression, why in subject.idle:
        yield Flaw(suppression.place, f"this suppression {why}", suppression.cluster, "")
