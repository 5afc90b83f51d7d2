"""How much two names are alike, and which one was probably meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher, get_close_matches
from functools import lru_cache

TYPO = 0.8  # what is at least so much alike may be meant


@lru_cache(maxsize=65536)
def likeness(host: str, other: str) -> float:
    """How much two hosts are alike where they differ: the labels that they end with alike don't count."""
    ours, theirs = host.split("."), other.split(".")
    while ours and theirs and ours[-1] == theirs[-1]:
        del ours[-1], theirs[-1]
    return SequenceMatcher(None, ".".join(ours), ".".join(theirs)).ratio()


def closest(word: str, known: Iterable[str], least: float = TYPO) -> str:
    """The known word that is most like this one; "" when none comes near."""
    return next(iter(get_close_matches(word, known, 1, least)), "")


def suggestion(word: str, known: Iterable[str], least: float = 0.6) -> str:
    """The known word that was probably meant, as a question; "" when none comes near."""
    near = closest(word, known, least)
    return f" (did you mean `{near}`?)" if near else ""


def slip(word: str, known: Iterable[str]) -> str:
    """The known word that this one is but for a letter too many, one too few, or two that changed places; "" for none.

    The last letter is none of them: `app` and `apps` are two words.
    """
    return next((other for other in sorted(known) if word in _slips(other) or other in _slips(word)), "")


def _slips(word: str) -> Iterator[str]:
    yield from (word[:at] + word[at + 1 :] for at, letter in enumerate(word[:-1]) if letter.isalpha())
    pairs = (at for at in range(len(word) - 1) if word[at : at + 2].isalpha())
    yield from (word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in pairs)


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
