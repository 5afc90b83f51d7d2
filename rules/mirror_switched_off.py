"""A mirror whose percentage is 0, has no value, or is so small that Envoy rounds it to 0: nothing is mirrored."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.level import WARNING
from mirrorlint.rule import Flaw, Subject

LEVEL = WARNING


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at the percentage, which several rules may have of one delegate or route."""
    shares = ((cluster, mirror.share) for cluster, rule in subject.rules() for mirror in rule.switched_off if mirror.share)
    for cluster, share in dict.fromkeys(shares):
        amount = share.node
        why = ", since Envoy counts in millionths" if amount.decimal else "" if amount else ", since no `value` is given"
        yield Flaw(amount.place, f"{share.said} of the requests are mirrored, which is none{why}", cluster, str(share.owner))
