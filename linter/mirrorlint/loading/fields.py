"""Reads Nodes as typed fields, and notes all that is wrong with them on the way."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import TypeVar

from mirrorlint.likeness import suggestion
from mirrorlint.source import Node, Place

T = TypeVar("T")
D = TypeVar("D")

_VERSION = re.compile(r"v?[0-9]+\.[0-9]+(\.[0-9]+)?([-+][0-9A-Za-z.+-]+)?")
_HIGHEST_PORT = 65535
_TYPO = 0.7  # what is at least so much alike is meant


class FieldError(Exception):
    """A value that can't be used: where it is, and why."""

    def __init__(self, node: Node, text: str) -> None:
        """`text` is one sentence."""
        super().__init__(text)
        self.place, self.text = node.place, text


class Fields:
    """Reads the fields of mappings; what is wrong is noted in `wrong`, and reads as if it had not been said."""

    def __init__(self) -> None:
        """Nothing is wrong yet."""
        self.wrong: list[tuple[Place, str]] = []

    def known(self, node: Node, what: str, names: Collection[str]) -> dict[str, Node]:
        """The values of a mapping whose keys are given; nothing at all is an empty one."""
        if node and not node.is_mapping:
            self.wrong.append((node.place, f"{what} must be a mapping (of {', '.join(f'`{name}`' for name in names)})"))
        fields = dict(node.items())
        for name in [name for name in fields if name not in names]:
            self.wrong.append((node.key(name).place, f"{what} has no `{name}`{suggestion(name, names)}"))
            del fields[name]
        return fields

    def near(self, node: Node, what: str, names: Collection[str], others: Collection[str] = ()) -> None:
        """Note keys of a mapping that are nearly one of some names; `others` are real ones that are so, too."""
        for name in (name for name, _ in node.items() if name not in (*names, *others)):
            if get_close_matches(name, names, 1, _TYPO):
                self.wrong.append((node.key(name).place, f"{what} has no `{name}`{suggestion(name, names)}"))

    def take(self, fields: Mapping[str, Node], name: str, read: Callable[[Node], T], default: D) -> T | D:
        """The value of a field."""
        if name not in fields:
            return default
        return next(self._read([fields[name]], read), default)

    def named(self, fields: Mapping[str, Node], name: str, read: Callable[[Node], T]) -> dict[str, T]:
        """The values of a field that is a mapping whose keys are free; nothing at all is an empty one."""
        node = fields.get(name)
        if not node:
            return {}
        if not node.is_mapping:
            self.wrong.append((node.place, f"`{name}` must be a mapping"))
        return {key: said for key, value in node.items() for said in self._read([value], read)}

    def listed(self, fields: Mapping[str, Node], name: str, read: Callable[[Node], T]) -> tuple[T, ...]:
        """The values of a field that is a list."""
        return self.take(fields, name, lambda node: self.items(node, read), ())

    def items(self, node: Node, read: Callable[[Node], T]) -> tuple[T, ...]:
        """The values of a list."""
        if not node.is_sequence:
            raise FieldError(node, "this must be a list")
        return tuple(self._read(node, read))

    def _read(self, nodes: Iterable[Node], read: Callable[[Node], T]) -> Iterator[T]:
        for node in nodes:
            try:
                yield read(node)
            except FieldError as error:
                self.wrong.append((error.place, error.text))


def _named(node: Node) -> str:
    """The beginning of a sentence that says what a value is not."""
    return f"`{node.text}` is not" if node.text else "this must be"


def text(node: Node) -> str:
    """A text that is not empty."""
    value = node.value
    if not isinstance(value, str) or not value:
        raise FieldError(node, f"`{node.text}` is no text until it is quoted" if node.text else "this must be a text")
    return value


def label(node: Node) -> str:
    """The value of a label, which may be empty."""
    return node.value if node.value == "" else text(node)


def host(node: Node) -> str:
    """A host name or an IP address."""
    said = text(node)
    if "/" in said:
        raise FieldError(node, f"`{said}` is more than a host: the host name or the IP address stands here alone")
    return said


def boolean(node: Node) -> bool:
    """True or false."""
    if not isinstance(node.value, bool):
        raise FieldError(node, "this must be true or false, without quotes")
    return node.value


def version(node: Node) -> str:
    """An Istio version, quoted or not."""
    if isinstance(node.value, bool) or not _VERSION.fullmatch(node.text):
        raise FieldError(node, f"{_named(node)} an Istio version such as 1.27")
    return node.text


def port(node: Node) -> int:
    """A port's number."""
    if type(node.value) is not int or not 0 < node.value <= _HIGHEST_PORT:
        raise FieldError(node, f"this must be the number of a port, up to {_HIGHEST_PORT} and without quotes")
    return node.value


def one_of(words: Collection[str]) -> Callable[[Node], str]:
    """What reads one of some words."""

    def read(node: Node) -> str:
        if node.text not in words:
            raise FieldError(node, f"{_named(node)} one of {', '.join(words)}{suggestion(node.text, words)}")
        return node.text

    return read
