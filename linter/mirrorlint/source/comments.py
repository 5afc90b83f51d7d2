"""Comments that carry a word of ours: where they stand, and which line they are about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from mirrorlint.source.node import Node, Raw
from mirrorlint.source.place import Place


class Comment(NamedTuple):
    """What a comment says behind its marker, and the line that it is about: its own, or the next one if it has its own to itself."""

    place: Place
    text: str
    line: int


def comments(data: bytes, path: str, marker: str, documents: Iterable[Node]) -> list[Comment]:
    """The comments of a file of which `documents` were read that begin with a marker's words; the same words in a value are none."""
    words = marker.split()
    if words[0].encode() not in data:
        return []
    spans = [span for document in documents for span in _scalars(document.raw, set())]
    begin = re.compile(r"(?:^|(?<=\s))#\s*" + r"\s*".join(map(re.escape, words)))
    found = []
    lines = lines_of(data)
    for number, line in enumerate(lines):
        comment = next((at for at in begin.finditer(line) if not any(_covers(span, number, at.start()) for span in spans)), None)
        if comment:
            place = Place(path, number + 1, comment.start() + 1, number + 1, len(line) + 1)
            about = number if line[: comment.start()].strip() else _next(lines, number)
            found.append(Comment(place, line[comment.end() :].strip(), about + 1))
    return found


def lines_of(data: bytes) -> list[str]:
    """A file's lines as places count them."""
    return re.split(r"\r\n|[\n\r]", data.decode("utf-8-sig", "replace"))


def _next(lines: Sequence[str], number: int) -> int:
    """The next line that says something."""
    said = (later for later in range(number + 1, len(lines)) if lines[later].strip() and not lines[later].lstrip().startswith("#"))
    return next(said, number)


def _scalars(raw: Raw, seen: set[int]) -> Iterator[tuple[int, int, int, int]]:
    """The spans of the scalars below a value, those that an alias repeats once."""
    content = raw[0]
    if type(content) is str:
        yield raw[2:]
    elif content is not None and id(content) not in seen:
        seen.add(id(content))
        for key, value in content.values() if type(content) is dict else ((None, item) for item in content):
            if key is not None:
                yield key[2:]
            yield from _scalars(value, seen)


def _covers(span: tuple[int, int, int, int], line: int, column: int) -> bool:
    return span[:2] <= (line, column) < span[2:]
