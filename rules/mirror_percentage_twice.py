"""A percentage that is passed over without a word: `mirrorPercentage` counts before `mirrorPercent`, and neither is for `mirrors`."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.istio.routing import Rule
from mirrorlint.level import WARNING
from mirrorlint.rule import Flaw, Remark, Subject

LEVEL = WARNING


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at the one that does not count, which several rules may have of one delegate or root."""
    yield from dict.fromkeys(_found(subject))


def _found(subject: Subject) -> Iterator[Flaw]:
    rules = [(cluster, rule) for cluster, rule in subject.rules() if rule.percentages]
    counting = {rule.percentages[0] for _, rule in rules if _counts(rule)}
    for cluster, rule in rules:
        if _counts(rule):
            yield from _passed_over(rule, cluster)
        elif rule.percentages[0] not in counting:
            yield from _of_items(rule, cluster)


def _counts(rule: Rule) -> bool:
    """Whether a rule has a `mirror`, which its first percentage is for."""
    return any(mirror.share == rule.percentages[0] for mirror in (*rule.mirrors, *rule.switched_off))


def _passed_over(rule: Rule, cluster: str) -> Iterator[Flaw]:
    """Those after the first, but for what a delegate's rule has another one for."""
    first, *others = rule.percentages
    for other in (other for other in others if other.owner in (rule.owner, first.owner) and other.percent != first.percent):
        message = f"{first.said} of the requests are mirrored and not {other.node.text}: `mirrorPercentage` counts, this is passed over"
        yield Flaw(other.node.place, message, cluster, str(other.owner), (Remark(first.node, "this one counts", cluster),))


def _of_items(rule: Rule, cluster: str) -> Iterator[Flaw]:
    """The first, where one of the rule's `mirrors` goes by another (route.go:MirrorPercentByPolicy)."""
    first = rule.percentages[0]
    mirror = next((mirror for mirror in (*rule.mirrors, *rule.switched_off) if mirror.percent != first.percent), None)
    if mirror:
        message = f"this {first.said} is for `mirror` and passed over: of `mirrors` each item has its own `percentage`"
        all_of_it = Remark(mirror.destination.host_node, "this one has none, so all requests are mirrored there", cluster)
        remark = Remark(mirror.share.node, "this one counts", cluster) if mirror.share else all_of_it
        yield Flaw(first.node.place, message, cluster, str(first.owner), (remark,))
