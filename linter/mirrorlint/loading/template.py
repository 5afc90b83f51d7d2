"""Lines of a chart's template, and what they tell before anything is filled in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

ACTION = "{{"
QUOTES = "\"'"
_INDENT = re.compile(r"\bn?indent\s+(\d+)")
# An action that may write more than a scalar: where a line begins, what does not steer.
_BLOCK = re.compile(r"\s*\{\{(?!-?\s*(?:(?:if|else|end|range|with|define|block)\b|\$\w*\s*:?=))|.*\{\{-?\s*toYaml\b")
_TOP = re.compile(r"[\w\"']")
_KIND = re.compile(r"(\s*)kind:\s*[\"']?(\w*)")
_NAME = re.compile(r"(?:^(\s+)|[{,]\s*)name:\s*((?:\{\{.*?\}\}|[^,}#\s])+)")
_REMARK = re.compile(r"\{\{-?\s*/\*.*?\*/\s*-?\}\}|(?:^|\s)#.*$")
_BOUNDARY = re.compile(r"^---(?:\s|$)")
_ITEM = re.compile(r"(?:^\s*(?=-\s)|([\[,])\s*)(?P<key>(?:-\s+)?)(?![\w\"'./-]+:(?:\s|$))")
_PARTS = re.compile(r"\{\{.*?\}\}|[{}\[\],]")
_COLLECTION = re.compile(r"\{(?!\{)|\[")


class Line(NamedTuple):
    """A line of a template, and its number from 1."""

    number: int
    text: str

    @property
    def indent(self) -> int:
        """The column in which its key begins, counted from 0."""
        return len(self.text) - len(self.text.lstrip(" -"))

    @property
    def is_plain(self) -> bool:
        """Whether it begins with what is written as it stands."""
        inner = self.text.lstrip()
        return bool(inner) and not inner.startswith(ACTION)

    def makes(self, indent: int | None) -> bool:
        """Whether it has an action that may write keys in a column, or further out; None is any."""
        if not _BLOCK.match(self.text):
            return False
        told = _INDENT.search(self.text)
        return indent is None or (int(told[1]) if told else self.indent) <= indent

    def is_inside(self, indent: int) -> bool:
        """Whether it goes on with what begins in a column; what is empty, or an action that does not say where it writes, may."""
        inner = self.text.lstrip()
        if not self.is_plain:
            told = _INDENT.search(inner)
            return told is None or int(told[1]) >= indent
        own = len(self.text) - len(inner)
        return own > indent or (own == indent and inner.startswith("-"))


class Spot(NamedTuple):
    """A key in a line, or what makes an item, and where its value begins and ends; columns count from 0."""

    line: Line
    start: int
    value: int
    end: int

    @property
    def written(self) -> str:
        """The value as it is written."""
        return self.line.text[self.value : self.end].strip()

    @property
    def has_action(self) -> bool:
        """Whether the value is a scalar that something is filled into."""
        return ACTION in self.written and not _COLLECTION.match(self.written)


def lines(texts: Iterable[str]) -> list[Line]:
    """The lines of a template, without remarks."""
    bare = (_REMARK.sub(lambda found: " " * len(found[0]), text) for text in texts)
    return [Line(number, text) for number, text in enumerate(bare, 1)]


def parts(every: Iterable[Line]) -> list[list[Line]]:
    """The documents of a template."""
    found: list[list[Line]] = [[]]
    for line in every:
        if _BOUNDARY.match(line.text):
            found.append([])
        found[-1].append(line)
    return found


def spots(name: str, block: Iterable[Line]) -> Iterator[Spot]:
    """Where a key stands, or, for an item of a list (""), what is behind a dash, a bracket or a comma."""
    key = re.compile(rf"(?:^[\s-]*|([{{,])\s*)(?P<key>[\"']?{re.escape(name)}[\"']?)\s*:(?:\s+|$)") if name else _ITEM
    for line in block:
        for found in key.finditer(line.text):
            end = _end(line.text, found.end()) if found[1] else len(line.text.rstrip())
            yield Spot(line, found.start("key"), found.end(), end)


def _end(text: str, start: int) -> int:
    """Where the value ends that begins in a column, inside of brackets."""
    depth = 0
    for part in _PARTS.finditer(text, start):
        if depth == 0 and part[0] in "}],":
            return len(text[: part.start()].rstrip())
        depth += (part[0] in "{[") - (part[0] in "}]")
    return len(text.rstrip())


def kinds(every: Iterable[Line]) -> list[tuple[Line, str]]:
    """The outermost kinds that lines say, "" for one that is rendered."""
    found = [(line, said) for line in every if (said := _KIND.match(line.text))]
    indent = min((len(said[1]) for _, said in found), default=0)
    return [(line, said[2]) for line, said in found if len(said[1]) == indent]


def names(part: Sequence[Line]) -> list[str]:
    """What a document of a template may say that its object is called, as it is written."""
    start = next((number for number, line in enumerate(part) if line.text.startswith("metadata:")), len(part))
    end = next((number for number in range(start + 1, len(part)) if _TOP.match(part[number].text)), len(part))
    found = [each for line in part[start:end] for each in _NAME.finditer(line.text)]
    indent = min((len(each[1] or "") for each in found), default=0)
    return [each[2] for each in found if len(each[1] or "") == indent]
