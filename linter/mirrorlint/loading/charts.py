"""Which line of which file a value of a rendered chart comes from: a value of the user's, or a line of a template."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from itertools import chain, takewhile, zip_longest
from typing import NamedTuple

from mirrorlint.loading.disk import Disk
from mirrorlint.loading.paths import CHART
from mirrorlint.loading.template import ACTION, QUOTES, Line, Spot, kinds, lines, names, parts, spots
from mirrorlint.loading.values import Scope, called, is_part, is_telling, scalars
from mirrorlint.source import Node, Place
from mirrorlint.source.place import Origins

_VALUE = re.compile(r"\.Values\.([\w.]+)")
_MAKES = re.compile(r"\{\{-?\s*(?:include|template|tpl|toYaml)\b")
_INCLUDES = re.compile(r"\s*\{\{-?\s*(?:include|template)\s+\"([^\"]+)\"")
_DEFINES = re.compile(r"\s*\{\{-?\s*define\s+\"([^\"]+)\"")
_SURE = 2  # how well a document fits an object of a kind that it says
# The field of what `range` or `with` is at, or of a variable.
_INNER = re.compile(r"\{\{-?\s*(?:\$\w+)?\.(\w+)\s*(?:\|[^{}]*)?-?\}\}")
_SOURCE = re.compile(r"^# Source: [^/\s]+/(\S+)$", re.MULTILINE)


def sources(text: str) -> Iterator[tuple[int, str]]:
    """For each template that helm names in its output the line from which it holds, counted from 0, and its path in the chart."""
    line = position = 0
    for found in _SOURCE.finditer(text):
        line += text.count("\n", position, found.start())
        position = found.start()
        yield line, found[1]


class Definition(NamedTuple):
    """A template that others include: the path of its file as it is shown, and which of the lines there it has, counted from 0."""

    path: str
    lines: slice = slice(None)


def definitions(files: Iterable[str], disk: Disk) -> dict[str, Definition]:
    """Those in some files, as paths are shown, by their names; each ends where another one begins."""
    found: dict[str, Definition] = {}
    for file in files:
        begun = [(number, said[1]) for number, line in enumerate(disk.lines(file)) if (said := _DEFINES.match(line))]
        ends = (number for number, _ in begun[1:])
        found |= {name: Definition(file, slice(first, last)) for (first, name), last in zip_longest(begun, ends)}
    return found


class Chart:
    """A chart's template, and the values that it was rendered with."""

    def __init__(self, template: Definition, node: Node, values: Scope, disk: Disk) -> None:
        """`node` is the object."""
        self._template, self._node, self._values, self._disk = template, node, values, disk
        self._path = template.path
        self._is_packed = os.path.basename(template.path) == CHART
        self._kind, self._name = node.text_at("kind"), node.text_at("metadata", "name")

    def within(self, defined: Mapping[str, Definition]) -> Chart:
        """The definition that the whole object comes from, where its document only includes that; else this one."""
        found, passed = self, set[str]()
        while found.fit < _SURE:
            named = {name for line in found.lines if (said := _INCLUDES.match(line.text)) and (name := said[1]) in defined} - passed
            inner = [Chart(defined[name], self._node, self._values, self._disk) for name in sorted(named)]
            closest = max((each.fit for each in inner), default=0)
            fitting = [each for each in inner if each.fit == closest > 0]
            if len(fitting) != 1:
                return self
            found, passed = fitting[0], passed | named
        return found

    @property
    def fit(self) -> int:
        """How well its closest document fits the object: `_SURE` where it says the kind, 0 where it is another one."""
        return max(self._fits(part)[0] for part in parts(self._every))

    @cached_property
    def _every(self) -> list[Line]:
        """All lines of the template, without remarks."""
        return lines(self._disk.lines(self._path))[self._template.lines]

    @cached_property
    def lines(self) -> list[Line]:
        """The lines of the document with the object, or of all where several would do."""
        documents = parts(self._every)
        fits = [self._fits(part) for part in documents]
        return [line for part, fit in zip(documents, fits, strict=True) if fit == max(fits) for line in part]

    def _fits(self, part: Sequence[Line]) -> tuple[int, int]:
        """How well a document fits the object: by its kind, and by how much of the name it says; (0, 0) where it can't be its own."""
        said_kinds = {kind for _, kind in kinds(part)}
        may_be = "" in said_kinds or (not said_kinds and any(_MAKES.search(line.text) for line in part))
        said = [_said(self._values.texts(name, self._name), self._name) for name in names(part)]
        if (self._kind not in said_kinds and not may_be) or (said and max(said) < 0):
            return 0, 0
        return _SURE if self._kind in said_kinds else 1, max(said, default=0)

    @cached_property
    def whole(self) -> Place:
        """Where the object begins."""
        own = (line for line, kind in kinds(self.lines) if kind in (self._kind, ""))
        made = (line for line in self.lines if _MAKES.search(line.text))
        return self._place(next(chain(own, made, self.lines), Line(1, "")), 0)

    def key(self, name: str, value: Node, holder: Place, *, is_shared: bool) -> Place | None:
        """The one line with a key of what stands at a place, of those that may say its value; one that is shared holds several items."""
        if value.is_scalar:
            spot = self._spot(name, value, holder)
        else:
            found = self._spots(name, holder)
            spot = found[0] if len(found) == 1 and not (is_shared and self._is_rivalled(found[0], holder)) else None
        return spot and self._place(spot.line, spot.start, spot.end)

    def scalar(self, key: str, node: Node, holder: Place) -> Place | None:
        """Where a value is written: in the values, if the line of its key uses one that says the same, else in that line."""
        spot = self._spot(key, node, holder)
        if spot is None or (not key and self._is_guess(spot, node.text)):
            return self.only(node)
        return self._origin(spot, node.text) or self._place(spot.line, spot.value, spot.end)

    def maker(self, name: str, holder: Place) -> Place | None:
        """The action that writes what no line has the key of, or what stands around several that may; None where none does."""
        if self._spots(name, holder):
            return None
        block = self._block(holder)
        beside = min((line.indent for line in block if line.is_plain and line.number != holder.line), default=None)
        makers = [line for line in block if line.makes(beside)]
        if len(makers) == 1 and makers[0].number != holder.line:
            return self._place(makers[0], makers[0].text.index(ACTION))
        return holder if makers else None

    def _spots(self, name: str, holder: Place) -> list[Spot]:
        return list(spots(name, self._block(holder)))

    def _spot(self, name: str, node: Node, holder: Place) -> Spot | None:
        """The one spot that says a scalar; what is short, a number, or can't be told may be said by an action beside it as well."""
        said = [spot for spot in self._spots(name, holder) if self._says(spot, node.text)]
        if len(said) != 1:
            return None
        is_sure = is_telling(node) and not self._is_guess(said[0], node.text)
        return said[0] if is_sure or not self._is_rivalled(said[0], holder) else None

    def _is_rivalled(self, spot: Spot, holder: Place) -> bool:
        """Whether an action beside a key, or around it, may write it, too."""
        others = [line for line in self._block(holder) if line.number != spot.line.number]
        behind = (line for line in others if line.number > spot.line.number)
        own = [] if spot.written else list(takewhile(lambda line: not line.is_plain, behind))
        return any(line.makes(spot.start) for line in others if line not in own)

    def _is_guess(self, spot: Spot, text: str) -> bool:
        """Whether a spot says a text only as far as can be told."""
        return spot.has_action and self._written(spot, text) != text and self._origin(spot, text) is None

    def _block(self, holder: Place) -> list[Line]:
        """The lines of what stands at a place: its own, and those that follow further in, or as items of a list."""
        if holder == self.whole or holder.path != self._path:
            return self.lines
        behind = (line for line in self.lines if line.number > holder.line)
        inner = takewhile(lambda line: line.is_inside(holder.column - 1), behind)
        return [*(line for line in self.lines if line.number == holder.line), *inner]

    def _says(self, spot: Spot, text: str) -> bool:
        """Whether a spot gives the text: as it is written there, or by a value."""
        if not spot.has_action:
            return spot.written.strip(QUOTES) == text
        values = self._in(spot.written)
        if not values:
            return self._written(spot, text) in (text, None)
        return any(value is not None and is_part(value, text) for value in values) or (None in values and text in spot.written)

    def _written(self, spot: Spot, said: str) -> str | None:
        """What a spot gives once it is rendered as `said`; None where that can't be told."""
        texts = self._values.texts(spot.written, said)
        known = [text for text in texts if text is not None]
        return None if len(known) < len(texts) else "".join(known)

    def _origin(self, spot: Spot, text: str) -> Place | None:
        """The value that a spot says a text by."""
        return self._used(spot, text) or self._inner(spot, text)

    def _used(self, spot: Spot, text: str) -> Place | None:
        """The one value that a spot uses and that is the text, or in it if the spot uses no other."""
        values = self._in(spot.written)
        parts = [value for value in values if value is not None and is_part(value, text)]
        places = {value.place for value in parts if value.text == text or len(values) == 1}
        return places.pop() if len(places) == 1 else None

    def _inner(self, spot: Spot, text: str) -> Place | None:
        """The one value that is the text, under the name that a spot uses, in what the template uses as a whole."""
        used = _INNER.fullmatch(spot.written.strip(QUOTES))
        every = (each for value in self._wholes(self._every) for name, each in scalars(value) if used and name == used[1])
        places = {each.place for each in every if each.text == text}
        return places.pop() if len(places) == 1 else None

    def _in(self, text: str) -> list[Node | None]:
        """The values that a text uses; None for one that nothing sets."""
        return [self._values.field(name) for name in _VALUE.findall(text)]

    def _wholes(self, lines: Iterable[Line]) -> list[Node]:
        """The values that lines use and that are no scalars."""
        used = (value for line in lines for value in self._in(line.text))
        return [value for value in used if value is not None and not value.is_scalar]

    def only(self, node: Node) -> Place | None:
        """The one value that is the text, in what the document uses as a whole, else in all; what is short or a number may be anything."""
        if not is_telling(node):
            return None
        places = next((said[node.text] for said in self._texts if node.text in said), ())
        return next(iter(places)) if len(places) == 1 else None

    @cached_property
    def _texts(self) -> list[Mapping[str, AbstractSet[Place]]]:
        """Where texts are said: in what the document uses as a whole, then in each of all values."""
        return [_places(values) for values in (self._wholes(self.lines), *([each] for each in (*self._values.own, *self._values.whole)))]

    def copied(self, key: str, value: Node, holder: Place) -> Node | None:
        """The one value that an action writes as a whole at a place, where it is all of what stands there.

        In a packed chart, whose lines are not at hand, it is one of several scalars that is called as the key.
        """
        if self._is_packed:
            is_telling = len(list(scalars(value))) > 1
            every = [each for values in self._values.own for each in called(values, key)] if is_telling else []
        elif any(line.makes(None) for line in self._block(holder)) and not self._is_written(value, holder):
            every = self._wholes(self.lines)
        else:
            return None
        same = {each.place: each for each in every if len(each) and each.plain() == value.plain()}
        return next(iter(same.values())) if len(same) == 1 else None

    def _is_written(self, value: Node, holder: Place) -> bool:
        """Whether lines at a place say a scalar of a value."""
        return any(self._says(spot, each.text) for name, each in scalars(value) for spot in self._spots(name, holder))

    def _place(self, line: Line, start: int, end: int | None = None) -> Place:
        return Place(self._path, line.number, start + 1, line.number, (len(line.text.rstrip()) if end is None else end) + 1)


def locate(node: Node, chart: Chart, path: Origins) -> None:
    """Note where the values of a rendered object come from."""
    path.note(node.raw, chart.whole)
    _locate(node, "", chart, path)


def _locate(node: Node, key: str, chart: Chart, path: Origins, *, is_shared: bool = False) -> None:
    holder = path.place(node.raw)
    for name, value in node.entries():
        place = chart.key(name.text, value, holder, is_shared=is_shared)
        maker = chart.maker(name.text, holder) if place is None else None
        path.note(name.raw, place or maker or holder)
        written = None if value.is_scalar or not maker else chart.copied(name.text, value, maker)
        if written is not None:
            _copy(value, written, path)
        elif maker:
            _made(value, maker, chart, path)
        else:
            _settle(value, name.text, holder, place or holder, chart, path)
    for item in node:
        _settle(item, "" if item.is_scalar else key, holder, holder, chart, path, is_shared=len(node) > 1)


def _settle(value: Node, key: str, holder: Place, place: Place, chart: Chart, path: Origins, *, is_shared: bool = False) -> None:
    found = chart.scalar(key, value, holder) if value.is_scalar else None
    path.note(value.raw, found or place)
    written = None if value.is_scalar else chart.copied(key, value, place)
    if written is not None:
        _copy(value, written, path)
    else:
        _locate(value, key, chart, path, is_shared=is_shared)


def _copy(value: Node, written: Node, path: Origins) -> None:
    """Note that all of a value is another one."""
    path.note(value.raw, written.place)
    for key, each in value.entries():
        path.note(key.raw, written.key(key.text).place)
        _copy(each, written[key.text], path)
    for item, other in zip(value, written, strict=True):
        _copy(item, other, path)


def _made(value: Node, maker: Place, chart: Chart, path: Origins) -> None:
    """Note where all that an action writes comes from: the values, if they say it, else the action."""
    path.note(value.raw, (chart.only(value) if value.is_scalar else None) or maker)
    for name, each in value.entries():
        path.note(name.raw, maker)
        _made(each, maker, chart, path)
    for item in value:
        _made(item, maker, chart, path)


def _places(values: Iterable[Node]) -> dict[str, set[Place]]:
    """Where the texts of some values are."""
    found: dict[str, set[Place]] = {}
    for value in values:
        for _, each in scalars(value):
            found.setdefault(each.text, set()).add(each.place)
    return found


def _said(texts: Sequence[str | None], name: str) -> int:
    """How much of a name texts say, of which some can't be told; -1 where it is another name."""
    pattern = re.sub(r"(?:\.\*){2,}", ".*", "".join(".*" if text is None else re.escape(text) for text in texts))
    return sum(map(len, filter(None, texts))) if re.fullmatch(pattern, name) else -1
