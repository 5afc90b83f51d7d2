"""A percentage that is passed over without a word: `mirrorPercentage` counts before `mirrorPercent`, and neither is for `mirrors`."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.istio.routing import millionths
from mirrorlint.level import WARNING
from mirrorlint.rule import Flaw, Remark, Subject
from mirrorlint.source import Node

LEVEL = WARNING


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at the one that does not count."""
    for cluster, manifest, rule in subject.http_rules():
        whole, exact = rule["mirrorPercent"] or rule["mirror_percent"], rule["mirrorPercentage"]["value"]
        if rule["mirror"] and whole and exact and whole.decimal != exact.decimal:
            message = f"{exact.text} % of the requests are mirrored and not {whole.text}: `mirrorPercentage` counts, this is passed over"
            yield Flaw(whole.place, message, cluster, str(manifest), (Remark(exact, "this one counts", cluster),))
        said = exact or whole
        remark = _of_items(rule["mirrors"], said, cluster) if said and not rule["mirror"] and not rule["delegate"] else None
        if remark:
            message = f"this {said.text} % is for `mirror` and passed over: of `mirrors` each item has its own `percentage`"
            yield Flaw(said.place, message, cluster, str(manifest), (remark,))


def _of_items(mirrors: Node, said: Node, cluster: str) -> Remark | None:
    """The first of a rule's `mirrors` that goes by another percentage than the rule says (route.go:MirrorPercentByPolicy)."""
    for policy in mirrors:
        own = policy["percentage"]
        if own and millionths(own["value"].decimal) != millionths(said.decimal):
            return Remark(own["value"], "this one counts", cluster)
        if not own and said.decimal < 100:
            return Remark(policy["destination"]["host"], "this one has none, so all requests are mirrored there", cluster)
    return None
