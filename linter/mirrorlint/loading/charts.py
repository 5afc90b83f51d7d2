"""Which line of which file a value of a rendered chart comes from: a value of the user's, or a line of a template."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple, Protocol

from mirrorlint.source import Node, Place
from mirrorlint.source.place import Origins

_VALUE = re.compile(r"\.Values\.([\w.]+)")
_ACTION = "{{"
_SOURCE = re.compile(r"^# Source: [^/\s]+/(\S+)$", re.MULTILINE)
_BOUNDARY = re.compile(r"^---(?:\s|$)")


class Files(Protocol):
    """The files at hand, by absolute path."""

    def lines(self, path: str) -> Sequence[str]:
        """The lines of a file that is shown as `path`."""


class Scope(NamedTuple):
    """The values that a template sees, and those of the whole chart, which have `global`; those that win come first."""

    own: Sequence[Node]
    whole: Sequence[Node]

    def field(self, dotted: str) -> Node | None:
        """The value of a dotted name; None when nothing sets it."""
        values = self.whole if dotted.startswith("global.") else self.own
        return next((each for each in (_field(those, dotted) for those in values) if each.present), None)


class Line(NamedTuple):
    """A line of a template, and its number from 1."""

    number: int
    text: str


def sources(text: str) -> Iterator[tuple[int, str]]:
    """For each template that helm names in its output the line from which it holds, counted from 0, and its path in the chart."""
    line = position = 0
    for found in _SOURCE.finditer(text):
        line += text.count("\n", position, found.start())
        position = found.start()
        yield line, found[1]


class Chart:
    """A chart's template, and the values that it was rendered with."""

    def __init__(self, template: str, kind: str, values: Scope, files: Files) -> None:
        """`template` is a path as it is shown; `kind` is that of the object."""
        self._path, self._kind, self._values, self._files = template, kind, values, files

    @cached_property
    def lines(self) -> list[Line]:
        """The lines of the document with the object, or of all where several would do."""
        every = [Line(number, text) for number, text in enumerate(self._files.lines(self._path), 1)]
        parts: list[list[Line]] = [[]]
        for line in every:
            if _BOUNDARY.match(line.text):
                parts.append([])
            parts[-1].append(line)
        fitting = [part for part in parts if any(re.match(rf"\s*kind:\s*[\"']?{self._kind}\b", line.text) for line in part)]
        return fitting[0] if len(fitting) == 1 else every

    def whole(self) -> Place:
        """Where the object begins."""
        line = next((each for each in self.lines if "kind:" in each.text), self.lines[0] if self.lines else Line(1, ""))
        return self._place(line, 0)

    def key(self, name: str) -> Place | None:
        """The one line with a key."""
        lines = self._with_key(name)
        return self._place(lines[0], lines[0].text.index(name)) if len(lines) == 1 else None

    def scalar(self, key: str, node: Node) -> Place | None:
        """Where a value is written: in the values, if the line of its key uses one that says the same, else in that line."""
        lines = [line for line in self._with_key(key) if self._says(line, key, node.text)]
        if len(lines) != 1:
            return self._only(node)
        line = lines[0]
        return self._used(line, node.text) or (None if _ACTION in line.text else self._place(line, _after(line.text, key)))

    def _with_key(self, name: str) -> list[Line]:
        """The lines in which a key stands, or, for an item of a list (""), those that begin with a dash."""
        pattern = re.compile(rf"^[\s{{-]*(?:.*[{{,]\s*)?[\"']?{re.escape(name)}[\"']?\s*:(?:\s|$)" if name else r"^\s*-\s")
        return [line for line in self.lines if pattern.search(line.text)]

    def _says(self, line: Line, key: str, text: str) -> bool:
        """Whether a line gives the text: as it is written there, or by a value."""
        if _ACTION in line.text:
            return not _VALUE.search(line.text) or self._used(line, text) is not None
        return text in line.text[_after(line.text, key) :]

    def _used(self, line: Line, text: str) -> Place | None:
        """The value that a line uses and that is the text, or in it."""
        for found in _VALUE.finditer(line.text):
            node = self._values.field(found[1])
            if node is not None and node.is_scalar and node.text and node.text in text:
                return node.place
        return None

    def _only(self, node: Node) -> Place | None:
        """The one value that is the text; what is short or a number may be anything."""
        if len(node.text) < 4 or not isinstance(node.value, str):
            return None
        for values in (*self._values.own, *self._values.whole):
            found = [each for each in _scalars(values) if each.text == node.text]
            if found:
                return found[0].place if len(found) == 1 else None
        return None

    def _place(self, line: Line, column: int) -> Place:
        return Place(self._path, line.number, column + 1, line.number, len(line.text.rstrip()) + 1)


def locate(node: Node, chart: Chart, path: Origins) -> None:
    """Note where the values of a rendered object come from."""
    path.note(node.raw, chart.whole())
    _locate(node, "", chart, path)


def _locate(node: Node, key: str, chart: Chart, path: Origins) -> None:
    for name, value in node.entries():
        place = chart.key(name.text) or path.place(node.raw)
        path.note(name.raw, place)
        _settle(value, name.text, place, chart, path)
    for item in node:
        _settle(item, "" if item.is_scalar else key, path.place(node.raw), chart, path)


def _settle(value: Node, key: str, parent: Place, chart: Chart, path: Origins) -> None:
    found = chart.scalar(key, value) if value.is_scalar else None
    path.note(value.raw, found or parent)
    _locate(value, key, chart, path)


def _after(text: str, key: str) -> int:
    """Where the value begins in a line."""
    start = text.index(key) + len(key) if key else text.index("-")
    found = re.compile(r"[\"']?\s*[:-]?\s*").match(text, start)
    return found.end() if found else start


def _scalars(node: Node) -> Iterator[Node]:
    if node.is_scalar:
        yield node
    for _, value in node.entries():
        yield from _scalars(value)
    for item in node:
        yield from _scalars(item)


def _field(values: Node, dotted: str) -> Node:
    for name in dotted.split("."):
        values = values[name]
    return values
