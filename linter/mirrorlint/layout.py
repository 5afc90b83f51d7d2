"""Where in a text the items of a sequence go, so that what stands around them, comments too, stays as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

BREAK = re.compile(r"\r\n|[\r\n]")
RISKY = "its layout is one that can't be edited without a risk"
_COMMA = re.compile(r"\s*,\s*")


class Splice(NamedTuple):
    """A stretch of a text, counted in characters, and what takes its place."""

    start: int
    end: int
    text: str


class Items(NamedTuple):
    """A sequence of scalars on one line each: where it opens, its column, and the stretch of each item."""

    start: int
    column: int
    spans: Sequence[tuple[int, int]]


class UnsafeError(Exception):
    """Why a text can't be edited."""


def flow(text: str, items: Items, new: Sequence[str], place: int, gone: Sequence[int]) -> Iterator[Splice]:
    """Put new items in the place of those that are `gone`, else behind the item `place`, in a sequence in brackets."""
    if not items.spans:
        yield Splice(items.start + 1, items.start + 1, ", ".join(new))
        return
    begin, end = items.spans[place]
    separator = _separator(text, begin, end)
    yield Splice(begin if gone else end, end, separator.join(new) if gone else "".join(separator + each for each in new))
    for number in gone[1:]:
        before, (_, after) = items.spans[number - 1][1], items.spans[number]
        if not _COMMA.fullmatch(text, before, items.spans[number][0]):
            raise UnsafeError(RISKY)
        yield Splice(before, after, "")


def block(text: str, items: Items, new: Sequence[str], place: int, gone: Sequence[int]) -> Iterator[Splice]:
    """Put new items in the place of those that are `gone`, else behind the item `place`, in a sequence with dashes."""
    begin, end = items.spans[place]
    first = _line_start(text, begin)
    dash = text[first + items.column : begin]
    lead = " " * items.column + (dash if re.fullmatch("- +", dash) else "- ")
    if gone:
        yield Splice(begin, end, new[0])
        new = new[1:]
    behind = line_end(text, end)
    yield Splice(behind, behind, "".join(newline(text, behind) + lead + each for each in new))
    for number in gone[1:]:
        begin, end = items.spans[number]
        first, last = _line_start(text, begin), line_end(text, end)
        if text[first:begin].strip(" ") != "-" or text[end:last].strip():
            raise UnsafeError(RISKY)
        yield Splice(line_end(text, _before_break(text, first)), last, "")


def entry_in_braces(behind: int, keys: Sequence[str], value: str) -> Splice:
    """Put an entry behind a value in a mapping in braces: keys below each other, and a value at their end."""
    *outer, last = keys
    return Splice(behind, behind, ", " + "".join(f"{key}: {{" for key in outer) + f"{last}: {value}" + "}" * len(outer))


def entry_below(text: str, behind: int, column: int, keys: Sequence[str], value: str) -> Splice:
    """Put an entry on lines of its own, below a value whose key stands in a column."""
    end = line_end(text, behind)
    lines = (f"{newline(text, end)}{' ' * (column + 2 * depth)}{key}:" for depth, key in enumerate(keys))
    return Splice(end, end, f"{''.join(lines)} {value}")


def newline(text: str, at: int) -> str:
    """The line break that is in use at a place."""
    found = BREAK.match(text, at) or BREAK.search(text)
    return found[0] if found else "\n"


def line_end(text: str, at: int) -> int:
    """Where the line ends, before its break."""
    found = BREAK.search(text, at)
    return found.start() if found else len(text)


def _line_start(text: str, at: int) -> int:
    return max(text.rfind("\n", 0, at), text.rfind("\r", 0, at)) + 1


def _before_break(text: str, start: int) -> int:
    """The end of the line above the one that starts here."""
    return start - 2 if text[start - 2 : start] == "\r\n" else start - 1


def _separator(text: str, begin: int, end: int) -> str:
    """What parts items: a line break where each has a line of its own, with nothing behind it that would move to another item."""
    before = text[_line_start(text, begin) : begin]
    alone = not before.strip() and text[end : line_end(text, end)].strip() in ("", ",")
    return f",{newline(text, line_end(text, end))}{before}" if alone and before else ", "
