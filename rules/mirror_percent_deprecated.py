"""`mirrorPercent`, the older way to say how much is mirrored, in whole numbers."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.level import OFF
from mirrorlint.rule import Flaw, Subject

LEVEL = OFF


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at the key."""
    for cluster, manifest, rule in subject.http_rules():
        for name in ("mirrorPercent", "mirror_percent"):
            if rule[name]:
                message = f"`{name}` is deprecated: `mirrorPercentage: {{value: {rule[name].text}}}` says the same"
                yield Flaw(rule.key(name).place, message, cluster, str(manifest))
