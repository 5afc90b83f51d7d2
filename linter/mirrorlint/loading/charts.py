"""Which line of which file a value of a rendered chart comes from: a value of the user's, or a line of a template."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain, takewhile
from typing import NamedTuple

from mirrorlint.loading.disk import Disk
from mirrorlint.source import Node, Place
from mirrorlint.source.place import Origins

_VALUE = re.compile(r"\.Values\.([\w.]+)")
_TELLING = 4
_ACTION = "{{"
_ACTIONS = re.compile(r"(\{\{.*?\}\})")
_TELLS = re.compile(r"\{\{-?\s*\$?\.(Release\.Name(?:space)?|Values\.[\w.]+)\s*(?:\|\s*s?quote\s*)?-?\}\}")
_MAKES = re.compile(r"\{\{-?\s*(?:include|template|tpl|toYaml)\b")
# An action that may write more than a scalar: where a line begins, what does not steer.
_BLOCK = re.compile(r"\s*\{\{(?!-?\s*(?:(?:if|else|end|range|with|define|block)\b|\$\w*\s*:?=))|.*\{\{-?\s*toYaml\b")
# The field of what `range` or `with` is at, or of a variable.
_INNER = re.compile(r"\{\{-?\s*(?:\$\w+)?\.(\w+)\s*(?:\|[^{}]*)?-?\}\}")
_TOP = re.compile(r"[\w\"']")
_KIND = re.compile(r"(\s*)kind:\s*[\"']?(\w*)")
_NAME = re.compile(r"(?:^(\s+)|[{,]\s*)name:\s*((?:\{\{.*?\}\}|[^,}#\s])+)")
_REMARK = re.compile(r"\{\{-?\s*/\*.*?\*/\s*-?\}\}|(?:^|\s)#.*$")
_FLOW = re.compile(r"[{}\[\],]")
_QUOTES = "\"'"
_SOURCE = re.compile(r"^# Source: [^/\s]+/(\S+)$", re.MULTILINE)
_BOUNDARY = re.compile(r"^---(?:\s|$)")


class Scope(NamedTuple):
    """The values that a template sees, and those of the whole chart, which have `global`; those that win come first.

    `release` and `namespace` are what the release is called, and where it goes.
    """

    own: Sequence[Node]
    whole: Sequence[Node]
    release: str
    namespace: str

    def field(self, dotted: str) -> Node | None:
        """The value of a dotted name; None when nothing sets it."""
        values = self.whole if dotted.startswith("global.") else self.own
        return next((each for each in (_field(those, dotted) for those in values) if each.present), None)

    def texts(self, written: str, said: str) -> list[str | None]:
        """What the parts of a scalar in a template are once it is rendered as `said`; None for what can't be told."""
        parts = _ACTIONS.split(written.strip(_QUOTES))
        return [self._text(part, said) if part.startswith(_ACTION) else part for part in parts if part]

    def _text(self, action: str, said: str) -> str | None:
        """What an action writes; a value that is not in what is said may have been set otherwise."""
        told = _TELLS.fullmatch(action)
        if not told:
            return None
        if told[1].startswith("Release."):
            return self.namespace if told[1].endswith("space") else self.release
        value = self.field(told[1].removeprefix("Values."))
        return value.text if value is not None and value.text and value.text in said else None


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

    def __init__(self, template: str, node: Node, values: Scope, files: Disk) -> None:
        """`template` is a path as it is shown; `node` is the object."""
        self._path, self._values, self._files = template, values, files
        self._kind, self._name = node.text_at("kind"), node.text_at("metadata", "name")

    @cached_property
    def _every(self) -> list[Line]:
        """All lines of the template, without remarks."""
        texts = (_REMARK.sub(lambda found: " " * len(found[0]), text) for text in self._files.lines(self._path))
        return [Line(number, text) for number, text in enumerate(texts, 1)]

    @cached_property
    def lines(self) -> list[Line]:
        """The lines of the document with the object, or of all where several would do."""
        parts: list[list[Line]] = [[]]
        for line in self._every:
            if _BOUNDARY.match(line.text):
                parts.append([])
            parts[-1].append(line)
        fits = [self._fits(part) for part in parts]
        return [line for part, fit in zip(parts, fits, strict=True) if fit == max(fits) for line in part]

    def _fits(self, part: Sequence[Line]) -> tuple[int, int]:
        """How well a document fits the object: by its kind, and by how much of the name it says; (0, 0) where it can't be its own."""
        kinds = {kind for _, kind in _kinds(part)}
        may_be = "" in kinds or (not kinds and any(_MAKES.search(line.text) for line in part))
        said = [_said(self._values.texts(name, self._name), self._name) for name in _names(part)]
        if (self._kind not in kinds and not may_be) or (said and max(said) < 0):
            return 0, 0
        return 2 if self._kind in kinds else 1, max(said, default=0)

    @cached_property
    def whole(self) -> Place:
        """Where the object begins."""
        kinds = (line for line, kind in _kinds(self.lines) if kind in (self._kind, ""))
        made = (line for line in self.lines if _MAKES.search(line.text))
        return self._place(next(chain(kinds, made, self.lines), Line(1, "")), 0)

    def key(self, name: str, text: str | None, holder: Place) -> Place | None:
        """The one line with a key of what stands at a place, of those that may say a text."""
        lines = [line for line in self._with_key(name, holder) if text is None or self._says(line, name, text)]
        return self._place(lines[0], lines[0].text.index(name)) if len(lines) == 1 else None

    def scalar(self, key: str, node: Node, holder: Place) -> Place | None:
        """Where a value is written: in the values, if the line of its key uses one that says the same, else in that line."""
        lines = [line for line in self._with_key(key, holder) if self._says(line, key, node.text)]
        if len(lines) != 1:
            return self._only(node)
        line = lines[0]
        found = self._used(line, node.text) or self._inner(line, key, node.text)
        if found:
            return found
        if _ACTION in line.text and self._written(line, key, node.text) != node.text:
            if not key:
                return self._only(node)
            if any(_BLOCK.match(each.text) for each in self._block(holder) if each is not line):
                return None
        return self._place(line, _after(line.text, key))

    def _with_key(self, name: str, holder: Place) -> list[Line]:
        """The lines in which a key stands, or, for an item of a list (""), those that begin with a dash."""
        pattern = re.compile(rf"^[\s{{-]*(?:.*[{{,]\s*)?[\"']?{re.escape(name)}[\"']?\s*:(?:\s|$)" if name else r"^\s*-\s")
        return [line for line in self._block(holder) if pattern.search(line.text)]

    def _block(self, holder: Place) -> list[Line]:
        """The lines of what stands at a place: its own, and those that follow further in, or as items of a list."""
        if holder == self.whole or holder.path != self._path:
            return self.lines
        behind = (line for line in self.lines if line.number > holder.line)
        inner = takewhile(lambda line: _is_inside(line.text, holder.column - 1), behind)
        return [*(line for line in self.lines if line.number == holder.line), *inner]

    def _says(self, line: Line, key: str, text: str) -> bool:
        """Whether a line gives the text: as it is written there, or by a value."""
        if _ACTION not in line.text:
            return re.match(rf"[\"']?{re.escape(text)}(?![\w.-])", line.text[_after(line.text, key) :]) is not None
        values = self._in(line)
        if not values:
            return self._written(line, key, text) in (text, None)
        return any(value is not None and _is_part(value, text) for value in values) or (None in values and text in line.text)

    def _written(self, line: Line, key: str, said: str) -> str | None:
        """What a line gives once it is rendered as `said`; None where that can't be told."""
        texts = self._values.texts(line.text[_after(line.text, key) :].strip(), said)
        known = [text for text in texts if text is not None]
        return None if len(known) < len(texts) or _FLOW.search("".join(known)) else "".join(known)

    def _used(self, line: Line, text: str) -> Place | None:
        """The one value that a line uses and that is the text, or in it if the line uses no other."""
        values = self._in(line)
        parts = [value for value in values if value is not None and _is_part(value, text)]
        places = {value.place for value in parts if value.text == text or len(values) == 1}
        return places.pop() if len(places) == 1 else None

    def _inner(self, line: Line, key: str, text: str) -> Place | None:
        """The one value that is the text, under the name that a line uses, in what the template uses as a whole."""
        used = _INNER.fullmatch(line.text[_after(line.text, key) :].strip().strip(_QUOTES))
        every = (each for value in self._wholes(self._every) for name, each in _scalars(value) if used and name == used[1])
        places = {each.place for each in every if each.text == text}
        return places.pop() if len(places) == 1 else None

    def _in(self, line: Line) -> list[Node | None]:
        """The values that a line uses; None for one that nothing sets."""
        return [self._values.field(name) for name in _VALUE.findall(line.text)]

    def _wholes(self, lines: Iterable[Line]) -> list[Node]:
        """The values that lines use and that are no scalars."""
        used = (value for line in lines for value in self._in(line))
        return [value for value in used if value is not None and not value.is_scalar]

    def _only(self, node: Node) -> Place | None:
        """The one value that is the text, in what the document uses as a whole, else in all; what is short or a number may be anything."""
        if len(node.text) < _TELLING or not isinstance(node.value, str):
            return None
        for values in (self._wholes(self.lines), *([each] for each in (*self._values.own, *self._values.whole))):
            found = {each.place for value in values for _, each in _scalars(value) if each.text == node.text}
            if found:
                return found.pop() if len(found) == 1 else None
        return None

    def _place(self, line: Line, column: int) -> Place:
        return Place(self._path, line.number, column + 1, line.number, len(line.text.rstrip()) + 1)


def locate(node: Node, chart: Chart, path: Origins) -> None:
    """Note where the values of a rendered object come from."""
    path.note(node.raw, chart.whole)
    _locate(node, "", chart, path)


def _locate(node: Node, key: str, chart: Chart, path: Origins) -> None:
    holder = path.place(node.raw)
    for name, value in node.entries():
        place = chart.key(name.text, value.text if value.is_scalar else None, holder) or holder
        path.note(name.raw, place)
        _settle(value, name.text, holder, place, chart, path)
    for item in node:
        _settle(item, "" if item.is_scalar else key, holder, holder, chart, path)


def _settle(value: Node, key: str, holder: Place, place: Place, chart: Chart, path: Origins) -> None:
    found = chart.scalar(key, value, holder) if value.is_scalar else None
    path.note(value.raw, found or place)
    _locate(value, key, chart, path)


def _is_inside(text: str, indent: int) -> bool:
    """Whether a line goes on with what begins in a column; what is empty, or begins with an action, may."""
    inner = text.lstrip()
    own = len(text) - len(inner)
    return not inner or inner.startswith(_ACTION) or own > indent or (own == indent and inner.startswith("-"))


def _kinds(lines: Iterable[Line]) -> list[tuple[Line, str]]:
    """The outermost kinds that lines say, "" for one that is rendered."""
    found = [(line, said) for line in lines if (said := _KIND.match(line.text))]
    indent = min((len(said[1]) for _, said in found), default=0)
    return [(line, said[2]) for line, said in found if len(said[1]) == indent]


def _names(part: Sequence[Line]) -> list[str]:
    """What a document of a template may say that its object is called, as it is written."""
    start = next((number for number, line in enumerate(part) if line.text.startswith("metadata:")), len(part))
    end = next((number for number in range(start + 1, len(part)) if _TOP.match(part[number].text)), len(part))
    found = [each for line in part[start:end] for each in _NAME.finditer(line.text)]
    indent = min((len(each[1] or "") for each in found), default=0)
    return [each[2] for each in found if len(each[1] or "") == indent]


def _said(texts: Sequence[str | None], name: str) -> int:
    """How much of a name texts say, of which some can't be told; -1 where it is another name."""
    pattern = re.sub(r"(?:\.\*){2,}", ".*", "".join(".*" if text is None else re.escape(text) for text in texts))
    return sum(map(len, filter(None, texts))) if re.fullmatch(pattern, name) else -1


def _after(text: str, key: str) -> int:
    """Where the value begins in a line."""
    start = text.index(key) + len(key) if key else text.index("-")
    found = re.compile(r"[\"']?\s*[:-]?\s*").match(text, start)
    return found.end() if found else start


def _is_part(value: Node, text: str) -> bool:
    """Whether a value is a text, or in it."""
    return value.is_scalar and bool(value.text) and value.text in text


def _scalars(node: Node, name: str = "") -> Iterator[tuple[str, Node]]:
    """The scalars in a value, each with its name."""
    if node.is_scalar:
        yield name, node
    for key, value in node.items():
        yield from _scalars(value, key)
    for item in node:
        yield from _scalars(item)


def _field(values: Node, dotted: str) -> Node:
    for name in dotted.split("."):
        values = values[name]
    return values
