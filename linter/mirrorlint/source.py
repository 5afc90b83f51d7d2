"""Bytes to documents: every YAML value knows where it stands, and what can't be read says why."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from mirrorlint.hints import explain
from mirrorlint.scalars import Scalar, is_null, typed
from mirrorlint.tree import BREAK, Composed, Composer, Failure, Raw, Repeat

MAX_BYTES = 32 << 20
MAX_BROKEN = 1000

_JSON_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,18})")
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
# `---` in the first column ends whatever stands before it, a scalar too; directives belong to the document behind them.
_BOUNDARY = re.compile(r"^(?:%.*\n)*---(?=\s|\Z)", re.MULTILINE)
_LINE_END = re.compile(r"\r\n|[\n\r]")
_YAML_ONLY_BREAKS = re.compile("[\x85\u2028\u2029]")

_Where = Callable[[int, int], tuple[int, int]]


class Place(NamedTuple):
    """A stretch of a file; lines and columns count characters from 1, the end is exclusive. Prints as `path:line:column`."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        """Print the start."""
        return f"{self.path}:{self.line}:{self.column}"


class Broken(NamedTuple):
    """What Kubernetes would refuse: where and why, what helps (or ""), the raw text of the document.

    `dropped` tells that the document could not be read; it is still there when a key is merely repeated. `template` tells that the
    text waits for a template engine.
    """

    place: Place
    message: str
    hint: str
    text: str
    dropped: bool = True
    template: bool = False


class Node:
    """A YAML value that knows where it stands; navigating never fails, it leads to absent nodes.

    `raw` is plain data (tree.Raw) that `marshal` can store: `Node(raw, path)` gives the node back. An absent node stands at its nearest
    present parent. Nodes are equal when they are of one kind and one place.
    """

    __slots__ = ("path", "raw")

    def __init__(self, raw: Raw, path: str) -> None:
        """Wrap a raw value of the file `path`."""
        self.raw = raw
        self.path = path

    @property
    def place(self) -> Place:
        """Where the value stands: an alias where it is used, what is inside it where it was written."""
        _, _, line, column, end_line, end_column = self.raw
        return Place(self.path, line + 1, column + 1, end_line + 1, end_column + 1)

    def __getitem__(self, key: str) -> Node:
        """Return the value of a key, named as Kubernetes reads it (`on:` is "true", `0x10:` is "16")."""
        content = self.raw[0]
        if type(content) is dict:
            entry = content.get(key)
            if entry is not None:
                return Node(entry[1], self.path)
        return self._absent()

    def key(self, name: str) -> Node:
        """Return the key itself."""
        entry = self.raw[0].get(name) if self.is_mapping else None
        return self._absent() if entry is None else Node((name, False, *entry[0][2:]), self.path)

    def at(self, index: int) -> Node:
        """Return the item of a sequence; an index outside it, or below 0, leads to an absent node."""
        content = self.raw[0]
        if type(content) is list and 0 <= index < len(content):
            return Node(content[index], self.path)
        return self._absent()

    def _absent(self) -> Node:
        return Node((None, None, *self.raw[2:]), self.path)

    def __iter__(self) -> Iterator[Node]:
        """Walk the items of a sequence."""
        if type(self.raw[0]) is list:
            for item in self.raw[0]:
                yield Node(item, self.path)

    def entries(self) -> Iterator[tuple[Node, Node]]:
        """Walk the keys and values of a mapping, merged ones included."""
        if type(self.raw[0]) is dict:
            for name, (key, value) in self.raw[0].items():
                yield Node((name, False, *key[2:]), self.path), Node(value, self.path)

    def __len__(self) -> int:
        """Count the items of a sequence or the entries of a mapping."""
        return len(self.raw[0]) if self.is_mapping or self.is_sequence else 0

    def __contains__(self, key: str) -> bool:
        """Tell whether a mapping has the key, be it null."""
        return type(self.raw[0]) is dict and key in self.raw[0]

    def __bool__(self) -> bool:
        """Tell whether the value is there and not null; empty ones, 0 and false are there."""
        content, tag = self.raw[:2]
        return content is not None and not (type(content) is str and is_null(content, tag))

    def __eq__(self, other: object) -> bool:
        """Compare path, place and kind."""
        return isinstance(other, Node) and self._identity() == other._identity()

    def __hash__(self) -> int:
        """Hash what `==` compares."""
        return hash(self._identity())

    def _identity(self) -> tuple[object, ...]:
        return (self.path, type(self.raw[0]), *self.raw[2:])

    def __repr__(self) -> str:
        """Print place and kind, for a debugger."""
        return f"Node({self.place}, {type(self.raw[0]).__name__})"

    @property
    def present(self) -> bool:
        """Whether the value is written, be it null."""
        return self.raw[0] is not None

    @property
    def is_mapping(self) -> bool:
        """Whether the value is a mapping."""
        return type(self.raw[0]) is dict

    @property
    def is_sequence(self) -> bool:
        """Whether the value is a sequence."""
        return type(self.raw[0]) is list

    @property
    def is_scalar(self) -> bool:
        """Whether the value is a scalar, be it null."""
        return type(self.raw[0]) is str

    @property
    def text(self) -> str:
        """A scalar's text without its quotes and as it is written otherwise (`0x10`, `on`); "" for null and all else."""
        return self.raw[0] if self.is_scalar and self else ""

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts of a sequence's items."""
        return tuple(item.text for item in self)

    @property
    def value(self) -> Scalar:
        """A scalar as Kubernetes reads it; None for all else."""
        return typed(self.raw[0], self.raw[1]) if self.is_scalar else None

    @property
    def truth(self) -> bool:
        """Whether the value is true, yes or on; the quoted word is not."""
        return self.value is True

    @property
    def number(self) -> int:
        """An integer, as protobuf's JSON takes it: `80`, `0x50`, `80.0` or "80"; else 0."""
        value = self.value
        if isinstance(value, str):
            return int(value) if _JSON_INTEGER.fullmatch(value) else 0
        if isinstance(value, float):
            return int(value) if value.is_integer() else 0
        return value if value and value is not True else 0

    @property
    def decimal(self) -> float:
        """A number, quoted or not; else 0."""
        value = self.value
        if isinstance(value, str):
            return float(value) if _JSON_NUMBER.fullmatch(value) else 0.0
        return float(value) if value and value is not True else 0.0

    def plain(self) -> Any:
        """The value as dicts, lists and scalars. What an alias repeats is one object: copy before changing it."""
        return _plain(self.raw, {})


class Parsed(NamedTuple):
    """What a file holds: its documents in order (empty ones are none), and what is broken in it."""

    documents: list[Node]
    broken: list[Broken]


def parse(data: bytes, path: str) -> Parsed:
    """Read a file of YAML or JSON documents; never raises. A broken document costs no other."""
    if len(data) > MAX_BYTES:
        text = data[:MAX_BYTES].decode("utf-8", "replace")
        message = f"the file is larger than {MAX_BYTES >> 20} MiB and is not read"
        return Parsed([], [Broken(Place(path, 1, 1, 1, 1), message, "", text)])
    documents: list[Node] = []
    broken: list[Broken] = []
    for piece in _pieces(_decode(data)):
        documents += piece.nodes(path)
        broken += piece.broken(path)
        if len(broken) >= MAX_BROKEN:
            broken[MAX_BROKEN:] = [broken[-1]._replace(message=f"{MAX_BROKEN} faults, and the rest of the file is not read", hint="")]
            break
    return Parsed(documents, broken)


def _decode(data: bytes) -> str:
    """Decode as the byte order mark says; a byte that is none of the encoding becomes a character that no YAML may hold."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return data.decode("utf-16")
        except UnicodeDecodeError as error:
            return data[: error.start].decode("utf-16", "replace") + "\0"
    return data.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogateescape")


class _Piece(NamedTuple):
    """A part of a file that was read in one go; `line` is where it begins."""

    text: str
    line: int
    composed: Composed

    def nodes(self, path: str) -> list[Node]:
        documents = self.composed.documents
        if self.line or _YAML_ONLY_BREAKS.search(self.text):
            where = self.where()
            documents = [_relocated(raw, where, {}) for raw in documents]
        return [Node(raw, path) for raw in documents]

    def broken(self, path: str) -> list[Broken]:
        raise NotImplementedError

    def where(self) -> _Where:
        raise NotImplementedError


def _pieces(text: str) -> Iterator[_Piece]:
    raise NotImplementedError


def _relocated(raw: Raw, where: _Where, seen: dict[int, Any]) -> Raw:
    raise NotImplementedError


def _plain(raw: Raw, seen: dict[int, Any]) -> Any:
    raise NotImplementedError
