"""A YAML value that knows where it stands."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from mirrorlint.source.place import Origins, Place
from mirrorlint.source.scalars import Scalar, is_null, typed

# (content, tag, line, column, end line, end column), counted from 0. The content of a scalar is its text, of a sequence
# the list of its items, of a mapping {key as Kubernetes reads it: (key, value)}, of an absent value None. The tag of a
# scalar is True when it is plain, False when it is a string by its style, else the explicit tag. Aliases share the
# content of their anchor.
Raw = tuple[Any, Any, int, int, int, int]
Where = Callable[[int, int], tuple[int, int]]  # what a line and a column become
Change = Callable[[Raw], Raw]

_JSON_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,18})")
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")


class Node:
    """A YAML value that knows where it stands; navigating never fails, it leads to absent nodes.

    `raw` is plain data that `marshal` can store: `Node(raw, path)` gives the node back. An absent node stands at its
    nearest present parent. Nodes are equal when they are of one kind and one place.
    """

    __slots__ = ("path", "raw")

    def __init__(self, raw: Raw, path: str) -> None:
        """Wrap a raw value of the file `path`."""
        self.raw = raw
        self.path = path

    @property
    def place(self) -> Place:
        """Where the value stands: an alias where it is used, what is inside it where it was written; a rendered one, where it is from."""
        if isinstance(self.path, Origins):
            return self.path.place(self.raw)
        _, _, line, column, end_line, end_column = self.raw
        return Place(self.path, line + 1, column + 1, end_line + 1, end_column + 1)

    def __getitem__(self, key: str) -> Node:
        """Return the value of a key, named as Kubernetes reads it (`on:` is "true", `0x10:` is "16")."""
        content = self.raw[0]
        entry = content.get(key) if type(content) is dict else None
        return self._absent() if entry is None else Node(entry[1], self.path)

    def key(self, name: str) -> Node:
        """Return the key itself."""
        entry = self.raw[0].get(name) if self.is_mapping else None
        return self._absent() if entry is None else Node((name, False, *entry[0][2:]), self.path)

    def spelling(self, name: str) -> str:
        """Return a key that is there as it is written: `on:` for "true"."""
        spelling: str = self.raw[0][name][0][0]
        return spelling

    def at(self, index: int) -> Node:
        """Return the item of a sequence; an index outside it, or below 0, leads to an absent node."""
        content = self.raw[0]
        if type(content) is list and 0 <= index < len(content):
            return Node(content[index], self.path)
        return self._absent()

    def _absent(self) -> Node:
        return self if self.raw[0] is None else Node((None, None, *self.raw[2:]), self.path)

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

    def items(self) -> Iterator[tuple[str, Node]]:
        """Walk the names of keys and the values of a mapping, merged ones included."""
        if type(self.raw[0]) is dict:
            for name, (_, value) in self.raw[0].items():
                yield name, Node(value, self.path)

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
        """A scalar's text without its quotes, else as written (`0x10`, `on`); "" for null and what is no scalar."""
        content, tag = self.raw[:2]
        return content if type(content) is str and not is_null(content, tag) else ""

    def text_at(self, *keys: str) -> str:
        """The text of the value that a chain of keys leads to."""
        raw = self.raw
        for key in keys:
            entry = raw[0].get(key) if type(raw[0]) is dict else None
            if entry is None:
                return ""
            raw = entry[1]
        return raw[0] if type(raw[0]) is str and not is_null(raw[0], raw[1]) else ""

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts of a sequence's items."""
        return tuple(item.text for item in self)

    @property
    def named_texts(self) -> dict[str, str]:
        """The texts of a mapping's values by its keys."""
        return {name: value.text for name, value in self.items()}

    @property
    def value(self) -> Scalar:
        """A scalar as Kubernetes reads it; None for all else."""
        content, tag = self.raw[:2]
        return typed(content, tag) if type(content) is str else None

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
        """A number, quoted or not; else 0, as for `.nan` and `.inf`, which are none in JSON."""
        value = self.value
        if isinstance(value, str):
            value = float(value) if _JSON_NUMBER.fullmatch(value) else 0.0
        return float(value) if value and value is not True and math.isfinite(value) else 0.0

    def having(self, name: str, value: Node | str | int | Iterable[str]) -> Node:
        """A mapping like this one, with an entry more or another value for one that it has; what is new stands where it would be sought."""
        place = self[name].raw[2:]
        key, _ = self.raw[0].get(name, ((name, False, *place), None))
        return Node(({**self.raw[0], name: (key, _raw(value, place))}, *self.raw[1:]), self.path)

    def holding(self, part: Node) -> Node:
        """A value like this one that holds a part in the place where one stands now; uses of an alias stay."""
        return Node(_holding(self.raw, part.raw), self.path)

    def plain(self) -> Any:
        """The value as dicts, lists and scalars. What an alias repeats is one object: copy before changing it."""
        return _plain(self.raw, {})


def moved(raw: Raw, where: Where) -> Raw:
    """A tree whose values stand elsewhere."""

    def move(raw: Raw) -> Raw:
        return (*raw[:2], *where(*raw[2:4]), *where(*raw[4:]))

    return changed(raw, move, move)


def changed(raw: Raw, value: Change, key: Change) -> Raw:
    """A tree whose values and keys are put through functions; what an alias repeats stays one object."""
    return _changed(raw, value, key, {})


def _changed(raw: Raw, value: Change, key: Change, seen: dict[int, Any]) -> Raw:
    content = raw[0]
    if type(content) is list and id(content) not in seen:
        seen[id(content)] = [_changed(item, value, key, seen) for item in content]
    elif type(content) is dict and id(content) not in seen:
        seen[id(content)] = {name: (key(own), _changed(inner, value, key, seen)) for name, (own, inner) in content.items()}
    return value((seen.get(id(content), content), *raw[1:]))


def _plain(raw: Raw, seen: dict[int, Any]) -> Any:
    content, tag = raw[:2]
    if type(content) is str:
        return typed(content, tag)
    if content is None:
        return None
    if id(content) not in seen:
        if type(content) is list:
            seen[id(content)] = [_plain(item, seen) for item in content]
        else:
            seen[id(content)] = {name: _plain(value, seen) for name, (_, value) in content.items()}
    return seen[id(content)]


def _raw(value: Node | str | int | Iterable[str], place: tuple[int, int, int, int]) -> Raw:
    if isinstance(value, Node):
        return value.raw
    if isinstance(value, (str, int)):
        return (str(value), isinstance(value, int), *place)
    return ([_raw(item, place) for item in value], None, *place)


def _holding(raw: Raw, part: Raw) -> Raw:
    content, where, place = raw[0], raw[2:], part[2:]
    if where == place and type(content) is type(part[0]):
        return part
    around = where[:2] <= place[:2] and place[2:] <= where[2:]
    if around and type(content) is list:
        content = [_holding(item, part) for item in content]
    elif around and type(content) is dict:
        content = {name: (key, _holding(value, part)) for name, (key, value) in content.items()}
    return (content, *raw[1:])
