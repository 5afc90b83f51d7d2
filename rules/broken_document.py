"""A document that is meant to be of a kind which matters, and that cannot be read, says a thing twice, or is of no kind that there is."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.rule import Flaw, Subject


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at where reading stopped."""
    for fault in subject.documents.faults:
        hint = f"; {fault.hint}" if fault.hint else ""
        yield Flaw(fault.place, f"{fault.message}{hint}", fault.cluster, "")
