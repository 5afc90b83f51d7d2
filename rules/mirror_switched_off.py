"""A mirror whose percentage is 0, or so small that Envoy rounds it to 0: nothing is mirrored."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.istio.routing import millionths
from mirrorlint.rule import WARNING, Flaw, Subject
from mirrorlint.source import Node

LEVEL = WARNING


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at the percentage."""
    for cluster, manifest, rule in subject.http_rules():
        for amount in filter(_is_none, _percentages(rule)):
            tiny = ", since Envoy counts in millionths" if amount.decimal else ""
            message = f"{amount.text} % of the requests are mirrored, which is none{tiny}"
            yield Flaw(amount.place, message, cluster, str(manifest))


def _percentages(rule: Node) -> Iterator[Node]:
    exact = rule["mirrorPercentage"]
    if rule["mirror"]:
        yield exact["value"] if exact else rule["mirrorPercent"] or rule["mirror_percent"]
    yield from (policy["percentage"]["value"] for policy in rule["mirrors"])


def _is_none(amount: Node) -> bool:
    return bool(amount) and millionths(amount.decimal) <= 0
