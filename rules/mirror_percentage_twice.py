"""A mirror with two percentages: `mirrorPercentage` counts, and `mirrorPercent` is passed over without a word."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.level import WARNING
from mirrorlint.rule import Flaw, Remark, Subject

LEVEL = WARNING


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at the one that does not count."""
    for cluster, manifest, rule in subject.http_rules():
        whole, exact = rule["mirrorPercent"] or rule["mirror_percent"], rule["mirrorPercentage"]["value"]
        if rule["mirror"] and whole and exact and whole.decimal != exact.decimal:
            message = f"{exact.text} % of the requests are mirrored and not {whole.text}: `mirrorPercentage` counts, this is passed over"
            yield Flaw(whole.place, message, cluster, str(manifest), (Remark(exact, "this one counts", cluster),))
