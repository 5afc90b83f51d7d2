"""Objects as plain JSON with their places beside it, so that they can be read where their files are not.

A place is the distance from where the value before it leads one to expect: a value follows its key on the same line, the next key stands
a line further in the column of the first, an item behind its dash. Places are one word each, `+LINES` or `+LINES:COLUMN`, and "." where
the expectation holds; keys and values come in the order in which JSON writes them.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from mirrorlint.istio.certificates import WITHHELD
from mirrorlint.source import Node, Place
from mirrorlint.source.node import Raw

T = TypeVar("T")
# The keys of a mapping, or of each item of a list, which it may tell by what these are; None keeps all that is below, {} that it is there.
Shape = Mapping[str, Any] | Callable[[Node], Mapping[str, Any]] | None
_WORD = re.compile(r"\.|([+-][0-9]{1,7})(?::([0-9]{1,7}))?")
_AS_EXPECTED = "."


def pack(node: Node, shape: Shape) -> tuple[Any, str]:
    """What a shape keeps of an object, and its places from the object's own."""
    writer = _Writer(*node.raw[2:4])
    return writer.value(node.raw, shape), " ".join(writer.words)


def unpack(value: Any, places: str, path: str, line: int, column: int) -> Node | None:
    """The object that was packed, which stands at a line and a column of a file (from 1); None when the places are not its own."""
    reader = _Reader(iter(places.split(" ")), line - 1, column - 1)
    try:
        raw = reader.value(value)
    except (StopIteration, ValueError):
        return None
    return Node(raw, path) if next(reader.words, None) is None else None


def standing(value: Any, place: Place) -> Node:
    """A value all of which stands at one place."""
    return Node(_standing(value, (place.line - 1, place.column - 1, place.line - 1, place.column - 1)), place.path)


def _standing(value: Any, where: tuple[int, int, int, int]) -> Raw:
    if isinstance(value, dict):
        return ({name: ((name, False, *where), _standing(each, where)) for name, each in value.items()}, None, *where)
    if isinstance(value, list):
        return ([_standing(each, where) for each in value], None, *where)
    return (*_content(value), *where)


def _content(value: Any) -> tuple[str, bool]:
    """A scalar's text and whether it is plain."""
    return (value, False) if isinstance(value, str) else (json.dumps(value), True)


class _Cursor:
    """Where the next value is expected."""

    def __init__(self, line: int, column: int) -> None:
        self.line, self.column = line, column

    def behind(self, key: str) -> None:
        self.column += len(key) + 2

    def below(self, column: int) -> None:
        self.line, self.column = self.line + 1, column

    def each(self, items: Iterable[T]) -> Iterator[T]:
        """The items of a list, each as it is expected."""
        column = self.column + 2
        for number, item in enumerate(items):
            if number:
                self.below(column)
            else:
                self.column = column
            yield item


class _Writer(_Cursor):
    """Writes the words of places."""

    def __init__(self, line: int, column: int) -> None:
        super().__init__(line, column)
        self.words: list[str] = []

    def value(self, raw: Raw, shape: Shape) -> Any:
        content = raw[0]
        self._stand(raw)
        if type(content) is dict:
            return dict(self._entries(content, shape(Node(raw, "")) if callable(shape) else shape))
        if type(content) is list:
            return [self.value(item, shape) for item in self.each(content if shape is None or shape else ())]
        scalar = _scalar(raw)
        return scalar if shape is None or scalar is None else WITHHELD

    def _entries(self, content: Mapping[str, tuple[Raw, Raw]], shape: Mapping[str, Any] | None) -> Iterator[tuple[str, Any]]:
        column = -1
        for name, (key, value) in content.items():
            if shape is None or name in shape:
                if column >= 0:
                    self.below(column)
                self._stand(key)
                column = self.column if column < 0 else column
                self.behind(name)
                yield name, self.value(value, None if shape is None else shape[name])

    def _stand(self, raw: Raw) -> None:
        line, column = raw[2:4]
        if (line, column) == (self.line, self.column):
            self.words.append(_AS_EXPECTED)
        else:
            self.words.append(f"{line - self.line:+}" + (f":{column}" if column != self.column else ""))
        self.line, self.column = line, column


class _Reader(_Cursor):
    """Reads them again; StopIteration when there are too few, ValueError for what is none."""

    def __init__(self, words: Iterator[str], line: int, column: int) -> None:
        super().__init__(line, column)
        self.words = words

    def value(self, value: Any) -> Raw:
        self._stand()
        line, column = self.line, self.column
        if isinstance(value, dict):
            return (self._entries(value), None, line, column, line, column)
        if isinstance(value, list):
            return ([self.value(item) for item in self.each(value)], None, line, column, line, column)
        text, plain = _content(value)
        return (text, plain, line, column, line, column + len(text))

    def _entries(self, value: Mapping[str, Any]) -> dict[str, tuple[Raw, Raw]]:
        found: dict[str, tuple[Raw, Raw]] = {}
        first = -1
        for name, each in value.items():
            if first >= 0:
                self.below(first)
            self._stand()
            first = self.column if first < 0 else first
            key = (name, False, self.line, self.column, self.line, self.column + len(name))
            self.behind(name)
            found[name] = (key, self.value(each))
        return found

    def _stand(self) -> None:
        word = _WORD.fullmatch(next(self.words))
        if word is None:
            raise ValueError
        self.line += int(word[1] or 0)
        self.column = int(word[2]) if word[2] else self.column
        if self.line < 0:
            raise ValueError


def _scalar(raw: Raw) -> Any:
    """A scalar as JSON has it; what JSON would write otherwise than YAML stays the text that it is."""
    value = Node(raw, "").value
    if isinstance(value, str) or (isinstance(value, float) and not math.isfinite(value)):
        return raw[0]
    return value
