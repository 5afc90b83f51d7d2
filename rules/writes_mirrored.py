"""A mirror that copies requests which change something: the target, or what it shares with the source, is changed a second time."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.delivery.match import accepts_string
from mirrorlint.rule import OFF, Flaw, Subject

LEVEL = OFF
_WRITES = ("POST", "PUT", "PATCH", "DELETE")


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at the mirror."""
    for judged in subject.judged:
        methods = [match.method for match in judged.rule.matches]
        copied = [name for name in _WRITES if not methods or any(accepts_string(method, name) for method in methods)]
        if copied:
            message = f"{', '.join(copied)} requests are copied as well, so what they change is changed twice"
            yield Flaw(judged.mirror.destination.host_node.place, message, judged.cluster, str(judged.mirror.owner))
