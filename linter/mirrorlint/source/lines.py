"""Documents whose every line is plain, read line by line, several times faster than by libyaml's events; all else is left to those."""

from __future__ import annotations

import re
from collections.abc import Sequence
from sys import intern

from mirrorlint.source.entries import NAMES, SPECIAL_KEY, Entries
from mirrorlint.source.node import Raw

# Beyond this a text may hold more, or nest deeper, than is read.
_LONGEST, _DEEPEST = 1 << 20, 100

# Repetitions of groups are not possessive: until Python 3.11.5 such lost what they had given back inside (python/cpython#106052).
_KEY = r"[A-Za-z_][\w./-]{0,99}+"
_QUOTED = r"\"[ !#-\[\]-~]*+\"|'[ -&(-~]*+'"
# What can be nothing but one scalar: there is no `: ` and no ` #` in it, and no sign of YAML's at its start.
_BARE = r"-?[A-Za-z0-9_./~+](?:[!-9;-~]++|:(?=[!-~])| ++(?=[!-\"$-~]))*"
# Within brackets more signs mean something; what nests there is not plain.
_ATOM = rf"(?:-?[A-Za-z0-9_./~+][\w./~+=@%$;()-]*+|{_QUOTED})"
_PAIR = rf"{_KEY}: ++{_ATOM}"
_FLOW = rf"\[(?: *+{_ATOM} *+(?:, *+{_ATOM} *+)*)? *+\]|\{{(?: *+{_PAIR} *+(?:, *+{_PAIR} *+)*)? *+\}}"
# An item, a key or both, a value, a comment; or nothing of these.
_LINE = re.compile(rf"( *+)(- ++)?(?:({_KEY}):(?: ++|\Z))?({_BARE}|{_QUOTED}|{_FLOW})? *+(?:(?<!\S)#[ -~]*+)?", re.ASCII)
_INNER = re.compile(rf"(?:({_KEY}): ++)?({_ATOM})", re.ASCII)
_BOUNDARY = re.compile(r"^---$", re.MULTILINE)

# What a line says: its column, whether it is an item, the column of its key, the key, its name and where it ends; the text of a value, its
# tag (None for what is in brackets), where it begins, and where it ends (0 for no value); and its entries by their lines' numbers.
_Row = tuple[int, bool, int, str, str, int, str, bool | None, int, int, dict[int, tuple[Raw, Raw]]]
_Rows = Sequence[tuple[int, _Row]]
_BLANK: _Row = (0, False, 0, "", "", 0, "", None, 0, 0, {})
_END: _Row = (-1, *_BLANK[1:])

# So many lines are remembered, up to a length, and entries of each: objects that are written alike share them.
_MOST_LINES, _LONGEST_LINE, _MOST_ENTRIES = 20_000, 200, 16


class NotPlainError(Exception):
    """Stops the reading of a text that libyaml has to read."""


class _Known(dict[str, _Row]):
    """What lines say: most lines of manifests stand in many of them."""

    def __missing__(self, line: str) -> _Row:
        """Read a line that is met for the first time."""
        row = _row(line)
        if len(self) >= _MOST_LINES:
            self.clear()
        if len(line) <= _LONGEST_LINE:
            self[line] = row
        return row


_KNOWN = _Known()


def documents(text: str) -> list[Raw] | None:
    """The documents of a text, just as libyaml's events give them; None for a text in which something is not plain, or wrong."""
    if len(text) > _LONGEST or not text.isascii():
        return None
    found: list[Raw] = []
    line = 0
    try:
        for part in _BOUNDARY.split(text):
            said = map(_KNOWN.__getitem__, part.rstrip("\n").split("\n"))
            rows = [(number, row) for number, row in enumerate(said, line) if row is not _BLANK]
            if rows:
                root, at = _block([*rows, (0, _END)], 0, 0)
                if at < len(rows):
                    return None
                found.append(root)
            line += part.count("\n")
    except NotPlainError:
        return None
    return found


def _row(line: str) -> _Row:
    match = _LINE.fullmatch(line)
    if match is None:
        raise NotPlainError
    _, dash, key, said = match.groups("")
    if not (dash or key or said):
        return _BLANK
    _, _, (item, _), (start, stop), (first, last) = match.regs
    name = NAMES[key] if key else ""
    if name == SPECIAL_KEY or not (key or (dash and said)):
        raise NotPlainError
    text, tag = (said, None) if said[:1] in "[{" else _scalar(said)
    return item if dash else start, bool(dash), start, intern(key), name, stop, text, tag, first, last if said else 0, {}


def _scalar(said: str) -> tuple[str, bool]:
    """The text and the tag of a scalar."""
    bare = said[0] not in "\"'"
    return intern(said if bare else said[1:-1]), bare


def _block(rows: _Rows, at: int, depth: int) -> tuple[Raw, int]:
    """The mapping or sequence that begins on a line, and where what follows it begins."""
    line, (column, dash, *_) = rows[at]
    content, last, at = (_sequence if dash else _mapping)(rows, at, column, depth)
    return (content, None, line, column, last[4], last[5]), at


def _sequence(rows: _Rows, at: int, column: int, depth: int) -> tuple[list[Raw], Raw, int]:
    items: list[Raw] = []
    line, row = rows[at]
    while row[0] == column and row[1]:
        _, _, start, key, *_ = row
        if key:
            content, last, at = _mapping(rows, at, start, depth + 1)
            items.append((content, None, line, start, last[4], last[5]))
        else:
            items.append(_value(line, row))
            at += 1
        line, row = rows[at]
    if row[0] > column:
        raise NotPlainError
    return items, items[-1], at


def _mapping(rows: _Rows, at: int, column: int, depth: int) -> tuple[Entries, Raw, int]:
    """The mapping whose keys stand in a column; the first one may stand behind a dash."""
    if depth > _DEEPEST:
        raise NotPlainError
    content: Entries = {}
    line, row = rows[at]
    while True:
        name, final, entries = row[4], row[9], row[10]
        if name in content:
            raise NotPlainError
        entry = entries.get(line) or _entry(line, row)
        at += 1
        line, following = rows[at]
        if not final and (following[0] > column or (following[0] == column and following[1])):
            value, at = _block(rows, at, depth + 1)
            entry = entry[0], value
            line, following = rows[at]
        content[name] = entry
        row = following
        if row[0] != column or row[1]:
            break
    if row[0] > column:
        raise NotPlainError
    return content, entry[1], at


def _entry(line: int, row: _Row) -> tuple[Raw, Raw]:
    """The key and the value on a line; where there is no value, what stands for none."""
    _, _, start, key, _, stop, _, _, _, final, entries = row
    value = _value(line, row) if final else ("", True, line, stop + 1, line, stop + 1)
    entry = (key, True, line, start, line, stop), value
    if len(entries) < _MOST_ENTRIES:
        entries[line] = entry
    return entry


def _value(line: int, row: _Row) -> Raw:
    """The value on a line: a scalar, or scalars in brackets."""
    _, _, _, _, _, _, text, tag, first, last, _ = row
    if tag is not None:
        return (text, tag, line, first, line, last)
    items: list[Raw] = []
    content: Entries = {}
    for match in _INNER.finditer(text):
        key, said = match.groups("")
        start, stop = first + match.start(2), first + match.end(2)
        items.append((*_scalar(said), line, start, line, stop))
        if key:
            at, name = first + match.start(1), NAMES[key]
            if name in content or name == SPECIAL_KEY:
                raise NotPlainError
            content[name] = (intern(key), True, line, at, line, at + len(key)), items[-1]
    return (items if text[0] == "[" else content, None, line, first, line, last)
