"""What a run found, one module for each format; here is what they share."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from mirrorlint.fleet import BlindSpot

# Controls, invisible formatting (it can reorder what a terminal shows), lone surrogates, line and paragraph separators.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Marks that stand on the character before them.
_STACKED = frozenset({"Mn", "Me"})
# Neither XML nor YAML allows them.
_NO_CHARACTERS = "\ufffe\uffff"
_SURROGATE = re.compile("[\ud800-\udfff]")


def clean(text: str) -> str:
    """Put a visible character for each one that would steer a terminal or can't be encoded (`␛` for ESC).

    The length stays the same, and so does every column.
    """
    return text if text.isascii() and text.isprintable() else "".join(map(_visible, text))


def _visible(char: str) -> str:
    if char < " ":
        return chr(0x2400 + ord(char))
    if char == "\x7f":
        return "␡"
    return "\N{REPLACEMENT CHARACTER}" if unicodedata.category(char) in _UNSEEN or char in _NO_CHARACTERS else char


def without_repeats(spots: Iterable[BlindSpot]) -> list[BlindSpot]:
    """Blind spots as people read them: what two clusters share once."""
    return list({(spot.path, spot.line, spot.message): spot for spot in spots}.values())


def told(spot: BlindSpot) -> str:
    """A blind spot with what it concerns: a place, a file or folder, a cluster, or nothing."""
    where = f"{spot.path}:{spot.line}" if spot.path and spot.line else spot.path or spot.cluster
    return f"{where}: {spot.message}" if where else spot.message


def padded(text: str, width: int) -> str:
    """A clean text that takes so many columns of a terminal."""
    return text + " " * (width - cells(text))


def cells(text: str) -> int:
    """How many columns of a terminal a clean text takes: wide characters two, marks on other characters none."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def _cells(char: str) -> int:
    if unicodedata.category(char) in _STACKED:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def ink(style: str, text: str, *, color: bool) -> str:
    """A text in a style of terminals (ECMA-48: SGR), where there is to be colour; "" is no style."""
    return f"\x1b[{style}m{text}\x1b[0m" if color and style else text


def to_json(document: Any) -> str:
    """Write plain data as indented ASCII; U+FFFD stands for lone surrogates, which no encoding has."""
    return json.dumps(_encodable(document), indent=2) + "\n"


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, list):
        return [_encodable(item) for item in value]
    if isinstance(value, dict):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    return value
