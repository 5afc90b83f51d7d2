"""Documents whose every line is plain, read line by line, which takes half as long as libyaml's events; all else is left to those."""

from __future__ import annotations

import re
from collections.abc import Sequence
from sys import intern

from mirrorlint.source.entries import NAMES, SPECIAL_KEY, Entries
from mirrorlint.source.node import Raw

# Beyond this a text may hold more, or nest deeper, than is read.
_LONGEST, _DEEPEST = 1 << 20, 100

_KEY = r"[A-Za-z_][\w./-]{0,99}+"
_QUOTED = r"\"[ !#-\[\]-~]*+\"|'[ -&(-~]*+'"
# What can be nothing but one scalar: there is no `: ` and no ` #` in it, and no sign of YAML's at its start.
_BARE = r"-?[A-Za-z0-9_./~+](?:[!-9;-~]++|:(?=[!-~])| ++(?=[!-\"$-~]))*+"
# An item, a key or both, a value, a comment; or nothing of these.
_LINE = re.compile(rf"( *+)(- ++)?(?:({_KEY}):(?: ++|\Z))?({_BARE}|{_QUOTED})? *+(?:(?<!\S)#[ -~]*+)?", re.ASCII)

# Column, line, key ("" for the dash of an item), where its colon ends, and the value that follows on the line.
_Token = tuple[int, int, str, int, Raw | None]
_END: _Token = (-1, 0, "", 0, None)
# Keys high up in documents, which stand where those of others do; so many are remembered.
_ALIKE: dict[Raw, Raw] = {}
_HIGH, _MOST = 200, 100_000


class NotPlainError(Exception):
    """Stops the reading of a text that libyaml has to read."""


def documents(text: str) -> list[Raw] | None:
    """The documents of a text, just as libyaml's events give them; None for a text in which something is not plain, or wrong."""
    if len(text) > _LONGEST or not text.isascii():
        return None
    if len(_ALIKE) > _MOST:
        _ALIKE.clear()
    found: list[Raw] = []
    try:
        tokens, at = _tokens(text), 0
        while at < len(tokens):
            if tokens[at] is not _END:
                root, at = _block(tokens, at, 0)
                found.append(root)
            if tokens[at] is not _END:
                return None
            at += 1
    except NotPlainError:
        return None
    return found


def _tokens(text: str) -> list[_Token]:
    """What stands on the lines of a text, with an end behind each document."""
    found: list[_Token] = []
    for number, line in enumerate(text.split("\n")):
        if not line:
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            if line != "---":
                raise NotPlainError
            found.append(_END)
            continue
        _, dash, key, said = match.groups()
        _, _, (item, _), (start, end), (first, last) = match.regs
        value = None
        if said:
            bare = said[0] not in "\"'"
            value = (intern(said if bare else said[1:-1]), bare, number, first, number, last)
        if dash:
            found.append((item, number, "", 0, None if key else value))
        if key:
            found.append((start, number, key, end + 1, value))
        elif bool(dash) != bool(said):
            raise NotPlainError
    found.append(_END)
    return found


def _block(tokens: Sequence[_Token], at: int, depth: int) -> tuple[Raw, int]:
    """The mapping or sequence that begins with a token, and where what follows it begins."""
    column, line, key, _, _ = tokens[at]
    if depth > _DEEPEST:
        raise NotPlainError
    content, last, at = (_mapping if key else _sequence)(tokens, at, depth)
    if tokens[at][0] > column:
        raise NotPlainError
    return (content, None, line, column, last[4], last[5]), at


def _sequence(tokens: Sequence[_Token], at: int, depth: int) -> tuple[list[Raw], Raw, int]:
    items: list[Raw] = []
    start = tokens[at][0]
    while tokens[at][0] == start and not tokens[at][2]:
        item = tokens[at][4]
        at += 1
        if item is None:
            item, at = _block(tokens, at, depth + 1)
        items.append(item)
    return items, items[-1], at


def _mapping(tokens: Sequence[_Token], at: int, depth: int) -> tuple[Entries, Raw, int]:
    content: Entries = {}
    start = tokens[at][0]
    column, line, key, end, value = tokens[at]
    while column == start and key:
        name = NAMES[key]
        if name in content or name == SPECIAL_KEY:
            raise NotPlainError
        at += 1
        if value is None:
            after, _, following, _, _ = tokens[at]
            if after > start or (after == start and not following):
                value, at = _block(tokens, at, depth + 1)
            else:
                value = ("", True, line, end, line, end)
        stands = (intern(key), True, line, start, line, end - 1)
        content[name] = (_ALIKE.setdefault(stands, stands) if line < _HIGH else stands, value)
        last = value
        column, line, key, end, value = tokens[at]
    return content, last, at
