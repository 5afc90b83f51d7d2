"""A mirror whose percentage is 0, has no value, or is so small that Envoy rounds it to 0: nothing is mirrored."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.istio.routing import millionths
from mirrorlint.level import WARNING
from mirrorlint.rule import Flaw, Subject
from mirrorlint.source import Node

LEVEL = WARNING


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at the percentage."""
    for cluster, manifest, rule in subject.http_rules():
        for amount in _percentages(rule):
            if millionths(amount.decimal) <= 0:
                why = ", since Envoy counts in millionths" if amount.decimal else "" if amount else ", since no `value` is given"
                message = f"{amount.text or 0} % of the requests are mirrored, which is none{why}"
                yield Flaw(amount.place, message, cluster, str(manifest))


def _percentages(rule: Node) -> Iterator[Node]:
    """What percentages a rule gives; one without a `value` is 0 (route.go:MirrorPercent, MirrorPercentByPolicy)."""
    exact, whole = rule["mirrorPercentage"], rule["mirrorPercent"] or rule["mirror_percent"]
    if rule["mirror"] and (exact or whole):
        yield exact["value"] if exact else whole
    yield from (policy["percentage"]["value"] for policy in rule["mirrors"] if policy["percentage"])
