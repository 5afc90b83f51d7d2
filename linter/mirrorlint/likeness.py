"""How much two hosts are alike."""

from __future__ import annotations

from difflib import SequenceMatcher
from functools import lru_cache

TYPO = 0.8  # what is at least so much alike may be meant


@lru_cache(maxsize=65536)
def likeness(host: str, other: str) -> float:
    """How much two hosts are alike where they differ: the labels that they end with alike don't count."""
    ours, theirs = host.split("."), other.split(".")
    while ours and theirs and ours[-1] == theirs[-1]:
        del ours[-1], theirs[-1]
    return SequenceMatcher(None, ".".join(ours), ".".join(theirs)).ratio()
