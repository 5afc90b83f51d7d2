"""A connection of the target's gateway that the pods behind it do not take: plain text where they ask for mutual TLS, or the reverse."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.delivery.inbound import STRICT, Mismatch, mismatches
from mirrorlint.level import WARNING
from mirrorlint.rule import Flaw, Remark, Subject
from mirrorlint.source import Node

LEVEL = WARNING


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at the mode of the DestinationRule; where none has one, at that of the PeerAuthentication."""
    said: set[Node] = set()
    for judged, end, found in mismatches(subject.delivery, subject.judged):
        node, owner = found.decided
        if node not in said:
            said.add(node)
            taken = f"the pods of {found.workload} {_taken(found)}"
            way = f"{end.cluster}'s gateway sends the shadow on to {found.service.manifest} as {found.sent}"
            message = f"{way}, but {taken}: the connection fails"
            remarks = [Remark(judged.mirror.destination.host_node, "the shadows of this mirror go there", judged.cluster)]
            if found.taken and found.taken.node != node:
                remarks.append(Remark(found.taken.node, "this is what the pods take", end.cluster))
            yield Flaw(node.place, message, end.cluster, str(owner), tuple(remarks), doubtful=True)


def _taken(found: Mismatch) -> str:
    if found.taken is None:
        return "have no sidecar that would end it"
    return f"take {'mutual TLS' if found.taken.node.text == STRICT else 'plain text'} alone ({found.taken.owner})"
