"""What a finding is known by from run to run: not its line, so that an edit above it makes no new one."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable

from mirrorlint.fleet import BlindSpot
from mirrorlint.report.checkout import Checkout
from mirrorlint.rule import Finding

_POSITION = re.compile(r"\b(line|column) \d+")


def fingerprints(findings: Iterable[Finding], checkout: Checkout) -> list[str]:
    """32 hexadecimal digits for each finding, from its rule, cluster, object and message; alike findings are counted through.

    What is in no object, such as a broken document, is known by its file.
    """
    return _digests((f.rule, f.cluster, f.object or checkout.path(f.place.path), f.message) for f in findings)


def of_blind_spots(spots: Iterable[BlindSpot], checkout: Checkout) -> list[str]:
    """32 hexadecimal digits for each blind spot, from its cluster, path and message."""
    return _digests(("", spot.cluster, checkout.path(spot.path), spot.message) for spot in spots)


def _digests(identities: Iterable[tuple[str, str, str, str]]) -> list[str]:
    seen: Counter[tuple[str, ...]] = Counter()
    found: list[str] = []
    for *parts, message in identities:
        identity = (*parts, _POSITION.sub(r"\1", message))
        seen[identity] += 1
        found.append(hashlib.sha256(json.dumps([*identity, seen[identity]]).encode()).hexdigest()[:32])
    return found
