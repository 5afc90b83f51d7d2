"""Names that are one another but for a slip."""

from __future__ import annotations


def alike(one: str, other: str) -> bool:
    """Whether two names are the same but for case or one slip."""
    return one.lower() == other.lower() or _one_slip(one, other)


def _one_slip(one: str, other: str) -> bool:
    """Whether two names differ by one character, left out, added or mistyped, or by two that changed places; digits are no slips."""
    if abs(len(one) - len(other)) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    one, other = one[start:], other[start:]
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    swapped = len(one) == 2 and one == other[::-1]
    return (swapped or max(len(one), len(other)) == 1) and not any(c.isdigit() for c in one + other)
