"""Any text, as libyaml reads it: at once, and from a failure on document by document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain, islice
from typing import NamedTuple

from mirrorlint.source.colons import compose
from mirrorlint.source.failure import BREAK, LINE_END, STRAY_VALUE
from mirrorlint.source.node import Node, Where, moved
from mirrorlint.source.parsed import Broken, Parsed
from mirrorlint.source.place import Place
from mirrorlint.source.tree import Composed, Composer

MAX_BROKEN = 1000

# `---` in the first column ends whatever stands before it, a scalar too; directives belong to the document behind them.
BOUNDARY = re.compile(r"^(?:%.*\n)*---(?=\s|\Z)", re.MULTILINE)
_OTHER_BREAK = re.compile("[\x85\u2028\u2029]")


def read(text: str, path: str) -> Parsed:
    """The documents of a text; a broken one costs no other."""
    parsed = Parsed([], [])
    for piece in _pieces(text):
        where = _where(piece)
        documents = piece.composed.documents
        if piece.line or _has_other_breaks(piece.text):
            documents = [moved(raw, where) for raw in documents]
        parsed.documents.extend(Node(raw, path) for raw in documents)
        faults = chain(_repeats(piece, where, path), _failures(piece, where, path, text))
        parsed.broken.extend(islice(faults, MAX_BROKEN + 1 - len(parsed.broken)))
        if len(parsed.broken) > MAX_BROKEN:
            message = f"{MAX_BROKEN} faults stand above; what follows is not read"
            parsed.broken[-1] = parsed.broken[-1]._replace(message=message, hint="", dropped=True, template=False)
            break
    return parsed


class _Piece(NamedTuple):
    """A part of a file that was read in one go, and the line at which it begins."""

    text: str
    line: int
    composed: Composed


def _pieces(text: str) -> Iterator[_Piece]:
    """Read a text at once; from a failure on, document by document."""
    composer = Composer()
    whole = composer.compose(text)
    if not whole.failure or composer.exhausted:
        yield _Piece(text, 0, whole)
        return
    yield _Piece(text, 0, whole._replace(failure=None))
    index, before, column = whole.done
    line = len(LINE_END.findall(text, 0, index))
    rest = " " * column + text[index:]
    starts = [match.start() for match in BOUNDARY.finditer(rest)]
    stray = STRAY_VALUE in whole.failure.problem
    for start, end in zip([0, *starts], [*starts, len(rest)], strict=True):
        part = rest[start:end]
        alone = Composed([], [], whole.failure._replace(line=whole.failure.line - before), (0, 0, 0))
        yield _Piece(part, line, alone if stray and not start else compose(composer, part))
        if composer.exhausted:
            return
        line += len(LINE_END.findall(part))


def _where(piece: _Piece) -> Where:
    """What turns a mark of the YAML parser into a line and a column of the file, as editors count them."""
    if not _has_other_breaks(piece.text):
        return lambda line, column: (line + piece.line, column)
    begins = [(piece.line, 0)]
    line = shift = start = 0
    for match in BREAK.finditer(piece.text):
        shift += match.end() - start
        start = match.end()
        if LINE_END.fullmatch(match[0]):
            line, shift = line + 1, 0
        begins.append((piece.line + line, shift))
    return lambda line, column: (begins[line][0], begins[line][1] + column)


def _has_other_breaks(text: str) -> bool:
    return not text.isascii() and _OTHER_BREAK.search(text) is not None


def _repeats(piece: _Piece, where: Where, path: str) -> Iterator[Broken]:
    for repeat in piece.composed.repeats:
        from mirrorlint.source.hints import repeated

        message, hint = repeated(repeat.key[0], where(*repeat.first[2:4])[0] + 1)
        place = _place(path, where(*repeat.key[2:4]), where(*repeat.key[4:]))
        yield Broken(place, message, hint, repeat.text, dropped=False)


def _failures(piece: _Piece, where: Where, path: str, text: str) -> Iterator[Broken]:
    if piece.composed.failure:
        from mirrorlint.source.hints import anchor_before, explain

        lines = BREAK.split(piece.text)
        advice = explain(lines, piece.composed.failure, lambda name: anchor_before(text, name, piece.line))
        end = max(advice.column, len(lines[advice.line].rstrip()))
        place = _place(path, where(advice.line, advice.column), where(advice.line, end))
        index, _, column = piece.composed.done
        lost = " " * column + piece.text[index:]
        yield Broken(place, _shown(advice.message), _shown(advice.hint), _shown(lost), template=advice.template)


def _place(path: str, start: tuple[int, int], end: tuple[int, int]) -> Place:
    return Place(path, start[0] + 1, start[1] + 1, end[0] + 1, end[1] + 1)


def _shown(text: str) -> str:
    """The text with bytes that are no characters replaced, so that it can be printed."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
