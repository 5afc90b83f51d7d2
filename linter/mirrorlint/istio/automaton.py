"""What a regular expression matches, found in a time that grows with its length and the text's, as RE2 does (re2/README, Thompson).

A part tells at which places of a text it may end, for those at which it may begin.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache, reduce

Part = Callable[[str, set[int]], set[int]]


@lru_cache(maxsize=1024)
def one(pattern: str) -> Part:
    """What a pattern of Python is for that is one character, or a condition such as `$`."""
    match = re.compile(pattern, re.ASCII).match
    return lambda text, starts: {found.end() for found in (match(text, start) for start in starts) if found}


def sequence(parts: Sequence[Part]) -> Part:
    """One part after another."""
    return lambda text, starts: reduce(lambda places, part: part(text, places), parts, starts)


def either(parts: Sequence[Part]) -> Part:
    """Any of some parts."""
    return lambda text, starts: {end for part in parts for end in part(text, starts)}


def repeated(part: Part, least: int, most: int | None) -> Part:
    """A part at least so many times and at most so many, None for any number."""

    def ends(text: str, starts: set[int]) -> set[int]:
        for _ in range(least):
            starts = part(text, starts)
        found, further, left = {*starts}, starts, most
        while further and left != least:
            further = part(text, further) - found
            found |= further
            left = left and left - 1
        return found

    return ends
