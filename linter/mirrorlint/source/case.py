"""A place where a text is no YAML, and what is said of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from mirrorlint.source.failure import Failure

KEY = re.compile(r"(\s*+(?:- ++)*)(?!- )([^\s#'\"][^:#]*|'[^']*'|\"[^\"]*\"):(?=\s|$)")
_COMMENT = re.compile(r"\s++#")
_LONGEST = 60


class Advice(NamedTuple):
    """Where the fault is (counted from 0), what it is, what helps, and whether a template is the cause."""

    line: int
    column: int
    message: str
    hint: str = ""
    template: bool = False


class Anchor(NamedTuple):
    """An anchor: its line (counted from 1), and the text that it names where that is on the same line."""

    line: int
    value: str


# Finds an anchor of an earlier document by its name.
Anchors = Callable[[str], Anchor | None]


class Case(NamedTuple):
    """The lines of a text, the parser's complaint, where it complains (counted from 0), and what finds anchors before the text."""

    lines: list[str]
    failure: Failure
    line: int
    column: int
    anchors: Anchors

    @property
    def here(self) -> str:
        """The line of the fault."""
        return self.lines[self.line]

    @property
    def above(self) -> int:
        """The line of content before the fault's, or -1."""
        return next((n for n in range(self.line - 1, -1, -1) if has_content(self.lines[n])), -1)

    def nearby(self, count: int = 2) -> Iterator[int]:
        """The fault's line and those of content before it, nearest first."""
        line = self.line
        while count and line >= 0:
            yield line
            line, count = self._replace(line=line).above, count - 1


def has_content(line: str) -> bool:
    """Whether a line is neither blank nor a comment."""
    return bool(line.strip()) and not line.lstrip().startswith("#")


def short(text: str) -> str:
    """A text as messages quote it: without a comment behind it, and not too long."""
    text = text.strip()
    starts = (found.start() for found in _COMMENT.finditer(text, 0, _LONGEST + 2))
    text = text[: next((n for n in starts if all(text.count(quote, 0, n) % 2 == 0 for quote in "\"'")), len(text))]
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
