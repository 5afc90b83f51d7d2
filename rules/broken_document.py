"""A document that cannot be read, or that says a thing twice, and that names a kind which matters."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.rule import Flaw, Subject


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at where reading stopped."""
    for fault in subject.documents.faults:
        hint = f"; {fault.hint}" if fault.hint else ""
        yield Flaw(fault.place, f"{fault.message}{hint}", fault.cluster, "")
