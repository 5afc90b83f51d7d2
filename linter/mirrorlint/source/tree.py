"""YAML text to trees of plain data: the one module that knows PyYAML."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import repeat
from sys import intern
from typing import Any, NamedTuple

from yaml.error import MarkedYAMLError, YAMLError
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)
from yaml.parser import Parser
from yaml.reader import Reader
from yaml.scanner import Scanner

from mirrorlint.source.entries import NAMES, SPECIAL_KEY, Entries, key_of, untangle
from mirrorlint.source.failure import BREAK, Failure, RefusedError, unreadable
from mirrorlint.source.node import Raw
from mirrorlint.source.scalars import STANDARD, is_null, typed

MAX_DEPTH = 128
MAX_EVENTS = 1_500_000
# What aliases may stand for in one file; go-yaml allows about 400,000 values a document (decode.go:allowedAliasRatio).
MAX_ALIASED = 1_000_000

_TOO_DEEP = f"values are nested deeper than {MAX_DEPTH} levels"
_LIMIT_OF_LIBYAML = "exceeded maximum nesting depth"  # from 0.2.6 on; it scans ahead, and so may come to it before there are events

_PROPERTIES = re.compile(r"(?:[&!]\S*[ \t]+)+")


class Repeat(NamedTuple):
    """A key that stands in one mapping for the second time; `text` is its document."""

    key: Raw
    first: Raw
    text: str


class Composed(NamedTuple):
    """A text's documents up to its end or a failure; `done`: index, line, column of the last whole one's end."""

    documents: list[Raw]
    repeats: list[Repeat]
    failure: Failure | None
    done: tuple[int, int, int]


class PurePython(Reader, Scanner, Parser):
    """PyYAML's own event parser, for installations without libyaml."""

    def __init__(self, text: str) -> None:
        """Get ready to parse a text."""
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)


EVENT_PARSER: Callable[[Any], Any] = PurePython
try:
    from yaml._yaml import CParser
except ImportError:
    pass
else:
    EVENT_PARSER = CParser


def is_well_formed(data: bytes) -> bool:
    """Whether libyaml, where it is installed, finds no fault in a stream: it tells several times faster than it gives events."""
    if not hasattr(EVENT_PARSER, "raw_parse"):
        return False
    try:
        EVENT_PARSER(data).raw_parse()
    except YAMLError:
        return False
    return True


class Composer:
    """Reads the texts of one file within one budget."""

    def __init__(self) -> None:
        """Start with the whole budget; `exhausted` tells that it is used up."""
        self.exhausted = False
        self._budget = repeat(None, MAX_EVENTS)
        self._aliased = 0

    def compose(self, text: str) -> Composed:
        """Read a text's documents; no text raises."""
        self._text = text
        self._documents: list[Raw] = []
        self._repeats: list[Repeat] = []
        self._done = (0, 0, 0)
        failure = None
        try:
            self._read(EVENT_PARSER(text).get_event)
        except RefusedError as refused:
            failure = refused.failure
        except MarkedYAMLError as error:
            failure = _failure(error)
        except (YAMLError, UnicodeEncodeError):
            failure = unreadable(text)
        return Composed(self._documents, self._repeats, failure, self._done)

    def _read(self, get_event: Callable[[], Any]) -> None:
        steps: dict[type, Callable[[Any, list[Raw]], list[Raw]]] = {
            MappingStartEvent: self._open,
            SequenceStartEvent: self._open,
            MappingEndEvent: self._close_mapping,
            SequenceEndEvent: self._close_sequence,
            AliasEvent: self._alias,
            DocumentStartEvent: self._start_document,
            DocumentEndEvent: self._end_document,
            StreamStartEvent: lambda _, items: items,
        }
        items: list[Raw] = []
        event: Any = None
        for _ in self._budget:
            event = get_event()
            kind = type(event)
            if kind is ScalarEvent:
                start, end = event.start_mark, event.end_mark
                column = end.column
                if column and event.tag is None and event.anchor is None:
                    items.append((intern(event.value), event.implicit[0], start.line, start.column, end.line, column))
                else:
                    items.append(self._scalar(event, items))
            elif kind is StreamEndEvent:
                return
            else:
                items = steps[kind](event, items)
        self.exhausted = True
        where = _start(event) if event else (0, 0)
        raise RefusedError(f"the file holds more than {MAX_EVENTS:,} values, and the rest is not read", *where)

    def _start_document(self, _event: Any, _items: list[Raw]) -> list[Raw]:
        self._anchors: dict[str, Raw | None] = {}
        self._sizes: dict[int, tuple[int, int]] = {}
        self._stack: list[tuple[list[Raw], Any]] = []
        self._repeated: list[tuple[Raw, Raw]] = []
        return []

    def _end_document(self, event: Any, items: list[Raw]) -> list[Raw]:
        root = items[0]
        if not (type(root[0]) is str and is_null(root[0], root[1])):
            self._documents.append(root)
        end = event.end_mark
        if self._repeated:
            text = self._text[self._done[0] : end.index]
            self._repeats += [Repeat(key, first, text) for key, first in self._repeated]
        self._done = (end.index, end.line, end.column)
        return items

    def _open(self, event: Any, items: list[Raw]) -> list[Raw]:
        if len(self._stack) >= MAX_DEPTH:
            raise RefusedError(_TOO_DEEP, *_start(event))
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._stack.append((items, event))
        return []

    def _close_sequence(self, event: Any, items: list[Raw]) -> list[Raw]:
        return self._close(event, items, items)

    def _close_mapping(self, event: Any, items: list[Raw]) -> list[Raw]:
        content, names, pairs = {}, NAMES, iter(items)
        for key, value in zip(pairs, pairs, strict=True):
            content[names[key[0]] if key[1] is True else key_of(key)] = (key, value)
        if len(content) * 2 != len(items) or SPECIAL_KEY in content:
            content = untangle(items, self._repeated)
        return self._close(event, items, content)

    def _close(self, event: Any, items: list[Raw], content: list[Raw] | Entries) -> list[Raw]:
        parent, opened = self._stack.pop()
        mark = opened.start_mark
        line, column = mark.line, mark.column
        if opened.flow_style or not items:
            mark = event.end_mark
            end_line, end_column = mark.line, mark.column
        else:
            _, _, _, _, end_line, end_column = items[-1]
        if opened.anchor is not None or opened.tag is not None:
            column += self._properties(opened)
            if content is not items and not opened.flow_style:
                line, column = items[0][2:4]
        raw = (content, None, line, column, end_line, end_column)
        if opened.anchor is not None:
            self._anchors[opened.anchor] = raw
        parent.append(raw)
        return parent

    def _scalar(self, event: Any, items: list[Raw]) -> Raw:
        """Read a scalar that has a tag or an anchor or ends in column 0."""
        (line, column), end = _start(event), event.end_mark
        tag = event.implicit[0] if event.tag is None else event.tag if event.tag.startswith(STANDARD) else False
        try:
            typed(event.value, tag)
        except ValueError:
            raise RefusedError(f"`{event.value}` is not of type {event.tag.removeprefix(STANDARD)}", line, column) from None
        column += self._properties(event)
        end_line, end_column = end.line, end.column
        if event.style in ("|", ">"):
            end_line, end_column = self._last_character(event)
        elif not end_column and not event.value and items:
            line, column = end_line, end_column = items[-1][4:]
        raw = (event.value, tag, line, column, end_line, end_column)
        if event.anchor is not None:
            self._anchors[event.anchor] = raw
        return raw

    def _alias(self, event: Any, items: list[Raw]) -> list[Raw]:
        start, end = event.start_mark, event.end_mark
        if event.anchor not in self._anchors:
            raise RefusedError("undefined alias", start.line, start.column)
        anchored = self._anchors[event.anchor]
        if anchored is None:
            raise RefusedError(f"`*{event.anchor}` stands inside the value it refers to", start.line, start.column)
        size, height = self._measure(anchored[0])
        self._aliased += size
        if self._aliased > MAX_ALIASED:
            raise RefusedError(f"aliases stand for more than {MAX_ALIASED:,} values", start.line, start.column)
        if len(self._stack) + height > MAX_DEPTH:
            raise RefusedError(_TOO_DEEP, start.line, start.column)
        items.append((anchored[0], anchored[1], start.line, start.column, end.line, end.column))
        return items

    def _measure(self, content: Any) -> tuple[int, int]:
        """How many values a content holds with its aliases written out, and how deep they nest."""
        if type(content) is str:
            return 1, 0
        known = self._sizes.get(id(content))
        if known is None:
            values = content if type(content) is list else [value for _, value in content.values()]
            inner = [self._measure(value[0]) for value in values]
            known = 1 + len(inner) + sum(size for size, _ in inner), 1 + max((height for _, height in inner), default=0)
            self._sizes[id(content)] = known
        return known

    def _properties(self, event: Any) -> int:
        match = _PROPERTIES.match(self._text, event.start_mark.index)
        return match.end() - match.start() if match and match.end() < event.end_mark.index else 0

    def _last_character(self, event: Any) -> tuple[int, int]:
        """Where a block scalar's text really ends: its mark stands behind all the line breaks that follow it."""
        start, end = event.start_mark, event.end_mark
        text = self._text[start.index : end.index].rstrip()
        breaks = list(BREAK.finditer(text))
        return start.line + len(breaks), len(text) - breaks[-1].end() if breaks else start.column + len(text)


def _start(event: Any) -> tuple[int, int]:
    return event.start_mark.line, event.start_mark.column


def _failure(error: MarkedYAMLError) -> Failure:
    problem, context = error.problem_mark or error.context_mark, error.context_mark
    where = (problem.line, problem.column) if problem else (0, 0)
    if error.problem == _LIMIT_OF_LIBYAML:
        return Failure(_TOO_DEEP, *where)
    opened = (context.line, context.column) if context else (-1, 0)
    return Failure(error.problem or "", *where, error.context or "", *opened)
