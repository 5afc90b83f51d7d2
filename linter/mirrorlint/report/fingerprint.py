"""What a finding is known by from run to run: not its line, so that an edit above it makes no new one."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from mirrorlint.report.checkout import Checkout
from mirrorlint.rule import Finding

_POSITION = re.compile(r"\b(line|column) \d+")


def fingerprints(findings: Iterable[Finding], checkout: Checkout) -> list[str]:
    """32 hexadecimal digits for each finding, from its rule, cluster, object and message; alike findings are counted through.

    What is in no object, such as a broken document, is known by its file.
    """
    seen: Counter[tuple[str, ...]] = Counter()
    found: list[str] = []
    for finding in findings:
        owner = finding.object or checkout.path(finding.place.path)
        identity = (finding.rule, finding.cluster, owner, _POSITION.sub(r"\1", finding.message))
        seen[identity] += 1
        found.append(digest([*identity, str(seen[identity])]))
    return found


def digest(parts: Sequence[str]) -> str:
    """32 hexadecimal digits that stand for some texts."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
