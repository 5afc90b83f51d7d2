"""Edits become text: spliced in where they belong, in the style of what stands around, and proved to change nothing else."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from io import StringIO
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import Event, MappingEndEvent, MappingStartEvent, ScalarEvent, SequenceEndEvent, SequenceStartEvent
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, SingleQuotedScalarString

from mirrorlint import layout
from mirrorlint.layout import BREAK, RISKY, Items, Splice, UnsafeError
from mirrorlint.rule import DOCUMENT, ENTRY, ITEMS, Edit
from mirrorlint.source.pieces import BOUNDARY
from mirrorlint.source.scalars import plain

_BOM = "\ufeff"
_LINE = re.compile(r"[^\r\n]*(?:\r\n|[\r\n])|[^\r\n]+")
_ATTRIBUTES = ("anchor", "tag", "implicit", "value", "flow_style", "explicit", "version")
_QUOTED = {'"': DoubleQuotedScalarString, "'": SingleQuotedScalarString}
_WAITS = "another fix changes the same place: run `mirrorlint fix` again"
_ALIASED = "it is written once for several places (an anchor)"


class Fixed(NamedTuple):
    """A text with edits in it, and those that are not, each with the reason."""

    text: str
    left: tuple[tuple[Edit, str], ...]


def fixed(text: str, edits: Iterable[Edit]) -> Fixed:
    """Edit a file's text; what no edit is about stays to the byte. Edits that can't be proved to change nothing else are left."""
    bom = _BOM if text.startswith(_BOM) else ""
    text = text.removeprefix(_BOM)
    lines = [0, *accumulate(map(len, _LINE.findall(text)))]
    begins = sorted({0, *(match.start() for match in BOUNDARY.finditer(text))})
    parts: dict[int, list[tuple[int, Edit]]] = {}
    for edit in _merged(edits):
        offset = lines[edit.node.place.line - 1] + edit.node.place.column - 1
        parts.setdefault(bisect_right(begins, offset) - 1, []).append((offset, edit))
    left: list[tuple[Edit, str]] = []
    done = [bom]
    for number, (begin, end) in enumerate(zip(begins, [*begins[1:], len(text)], strict=True)):
        wanted = [(offset - begin, edit) for offset, edit in parts.get(number, ())]
        part = _edited(text[begin:end], wanted) if wanted else Fixed(text[begin:end], ())
        done.append(part.text)
        left += part.left
    return Fixed("".join(done), tuple(left))


def _merged(edits: Iterable[Edit]) -> Iterable[Edit]:
    """One edit for all that add to the same sequence."""
    found: dict[object, Edit] = {}
    for edit in dict.fromkeys(edits):
        key = (edit.node, edit.dropped) if edit.kind == ITEMS else edit
        known = found.get(key)
        found[key] = edit._replace(values=tuple(dict.fromkeys((*known.values, *edit.values)))) if known else edit
    return found.values()


class _Change(NamedTuple):
    """An edit as splices of the text, and as what becomes of its events `first` to `last`."""

    splices: tuple[Splice, ...]
    first: int
    last: int
    becomes: tuple[object, ...]


def _edited(text: str, edits: Iterable[tuple[int, Edit]]) -> Fixed:
    """Make what edits of one document can be made, each proved together with those before it."""
    document = _Document(text)
    done: list[_Change] = []
    left = []
    for offset, edit in edits:
        try:
            change = document.change(offset, edit)
            document.prove([*done, change])
            done.append(change)
        except (UnsafeError, YAMLError) as error:
            left.append((edit, str(error) if isinstance(error, UnsafeError) else RISKY))
    return Fixed(_spliced(text, done), tuple(left))


def _spliced(text: str, changes: Iterable[_Change]) -> str:
    at, parts = 0, []
    for start, end, new in sorted(splice for change in changes for splice in change.splices):
        parts += [text[at:start], new]
        at = end
    return "".join([*parts, text[at:]])


def _events(text: str) -> list[Any]:
    """A text's parse events; YAMLError for one that is broken."""
    return list(YAML(typ="safe", pure=True).parse(text))


def _signature(event: Event) -> object:
    """What an event says, wherever it stands."""
    return (type(event), *(getattr(event, name, None) for name in _ATTRIBUTES))


class _Document:
    """A document's text and events."""

    def __init__(self, text: str) -> None:
        self._text = text
        try:
            self._events = _events(text)
        except YAMLError:
            self._events = []

    def change(self, offset: int, edit: Edit) -> _Change:
        """What an edit of the value at an offset comes to."""
        if edit.kind == DOCUMENT:
            return self._document(str(edit.values[0]))
        if edit.kind == ITEMS:
            return self._items(self._find(offset, SequenceStartEvent), edit)
        index = self._find(offset, ScalarEvent)
        event = self._events[index]
        self._refuse_multiline(event)
        if edit.kind == ENTRY:
            return self._entry(index, edit.values)
        new, signature = self._composed(edit.values[0], event.style)
        return _Change((Splice(event.start_mark.index, event.end_mark.index, new),), index, index + 1, (signature,))

    def prove(self, changes: Sequence[_Change]) -> None:
        """Read the changed text: its events are those of the old one but for what is meant to change."""
        expected = [_signature(event) for event in self._events]
        ordered = sorted(changes, key=lambda change: -change.first)
        if any(later.first < earlier.last for later, earlier in pairwise(ordered)):
            raise UnsafeError(_WAITS)
        for change in ordered:
            expected[change.first : change.last] = change.becomes
        if [_signature(event) for event in _events(_spliced(self._text, changes))] != expected:
            raise UnsafeError(RISKY)

    def _find(self, offset: int, kind: type[Event]) -> int:
        """The event of a kind at an offset; nothing around it may be used elsewhere by an alias."""
        around: list[Any] = []
        for index, event in enumerate(self._events):
            if isinstance(event, kind) and event.start_mark.index == offset:
                if any(each.anchor for each in (*around, event)):
                    raise UnsafeError(_ALIASED)
                return index
            if isinstance(event, (SequenceStartEvent, MappingStartEvent)):
                around.append(event)
            elif isinstance(event, (SequenceEndEvent, MappingEndEvent)):
                around.pop()
        raise UnsafeError(RISKY)

    def _refuse_multiline(self, event: Any) -> None:
        written = self._text[event.start_mark.index : event.end_mark.index]
        if not isinstance(event, ScalarEvent) or event.anchor or event.tag or not written or BREAK.search(written):
            raise UnsafeError(RISKY)

    def _composed(self, value: str | int, style: str | None) -> tuple[str, object]:
        """A scalar in a style, or quoted as others of the document are when a plain one would be read as something else."""
        if style is None and (isinstance(value, int) or plain(value) == value):
            text = _dumped([value], flow=True)[1:-2]
            if text == str(value):
                return text, _signature(ScalarEvent(None, None, (True, False), text))
        style = style or next((event.style for event in self._events if getattr(event, "style", None) in _QUOTED), '"')
        text = _dumped([_QUOTED[style](str(value))], flow=True)[1:-2]
        return text, _signature(ScalarEvent(None, None, (False, True), str(value)))

    def _entry(self, index: int, values: Sequence[str | int]) -> _Change:
        """Put an entry behind the one whose value has this index."""
        key, value = self._events[index - 1 : index + 1]
        names = [self._composed(str(name), key.style)[0] for name in values[:-1]]
        last, _ = self._composed(values[-1], None)
        if self._opening(index).flow_style:
            splice = layout.entry_in_braces(value.end_mark.index, names, last)
            signatures = map(_signature, _events(f"{{x: x{splice.text}}}")[5:-3])
        else:
            splice = layout.entry_below(self._text, value.end_mark.index, key.start_mark.column, names, last)
            signatures = map(_signature, _events(splice.text)[3:-3])
        return _Change((splice,), index + 1, index + 1, tuple(signatures))

    def _opening(self, index: int) -> Any:
        """The event that opens what an event stands in."""
        depth = 0
        for event in reversed(self._events[:index]):
            depth += isinstance(event, (SequenceEndEvent, MappingEndEvent)) - isinstance(event, (SequenceStartEvent, MappingStartEvent))
            if depth < 0:
                return event
        raise UnsafeError(RISKY)

    def _items(self, index: int, edit: Edit) -> _Change:
        """Put items where those that are dropped stand, else at the end."""
        opening = self._events[index]
        count = next(n for n, event in enumerate(self._events[index:]) if isinstance(event, SequenceEndEvent)) - 1
        items = self._events[index + 1 : index + 1 + count]
        for item in items:
            self._refuse_multiline(item)
        kept = [item.value for item in items if item.value not in edit.dropped]
        gone = [number for number, item in enumerate(items) if item.value in edit.dropped]
        place = gone[0] if gone else count - 1
        style = items[place].style if items else self._events[index - 1].style
        new = [self._composed(value, style) for value in edit.values if value not in kept]
        if gone and not new:
            raise UnsafeError(RISKY)
        becomes = [_signature(item) for item in items]
        becomes[place : place + 1] = [*(() if gone else becomes[place : place + 1]), *(signature for _, signature in new)]
        for number in reversed(gone[1:]):
            del becomes[number + len(new) - 1]
        where = Items(opening.start_mark.index, opening.start_mark.column, [(i.start_mark.index, i.end_mark.index) for i in items])
        splices = (layout.flow if opening.flow_style else layout.block)(self._text, where, [text for text, _ in new], place, gone)
        return _Change(tuple(splices), index + 1, index + 1 + count, tuple(becomes))

    def _document(self, text: str) -> _Change:
        """Add a document behind this one."""
        if len(self._events) < 3 or getattr(self._events[2], "flow_style", False):
            raise UnsafeError("a JSON file has room for one object only" if self._events else RISKY)
        body = f"---\n{_dumped(json.loads(text), indented=self._indented())}"
        signatures = tuple(_signature(event) for event in _events(body)[1:-1])
        newline = layout.newline(self._text, len(self._text))
        body = body.replace("\n", newline)
        ends = self._text.endswith(("\n", "\r"))
        splice = Splice(len(self._text), len(self._text), body if ends else newline + body.removesuffix(newline))
        return _Change((splice,), len(self._events) - 1, len(self._events) - 1, signatures)

    def _indented(self) -> bool:
        """Whether the first block sequence stands further right than its key."""
        blocks = ((key, event) for key, event in pairwise(self._events) if getattr(event, "flow_style", None) is False)
        columns = ((key, event.start_mark.column) for key, event in blocks if isinstance(event, SequenceStartEvent))
        return next((column > key.start_mark.column for key, column in columns if isinstance(key, ScalarEvent)), False)


def _dumped(value: object, *, flow: bool = False, indented: bool = False) -> str:
    """A value as ruamel.yaml writes it, on as few lines as it can."""
    yaml = YAML()
    yaml.default_flow_style, yaml.width = flow, 1 << 30
    if indented:
        yaml.indent(mapping=2, sequence=4, offset=2)
    stream = StringIO()
    yaml.dump(value, stream)
    return stream.getvalue()
