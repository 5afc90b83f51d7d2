"""The values that a chart is rendered with, what a template sees of them, and what is found in them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from mirrorlint.loading import origins
from mirrorlint.loading.disk import Disk
from mirrorlint.loading.template import ACTION, QUOTES
from mirrorlint.loading.units import Source, Values, one_value
from mirrorlint.source import Node

_TELLING = 4
_ACTIONS = re.compile(r"(\{\{.*?\}\})")
_TELLS = re.compile(r"\{\{-?\s*\$?\.(Release\.Name(?:space)?|Values\.[\w.]+)\s*(?:\|\s*s?quote\s*)?-?\}\}")


def values_of(source: Source, disk: Disk) -> list[Node]:
    """The values that a chart of this repository is rendered with, those that win first."""
    return [*given(source.values, disk), *disk.documents(os.path.join(source.path, "values.yaml"))[:1]]


def given(values: Values, disk: Disk) -> list[Node]:
    """The values that a chart is given, those that win first."""
    parameters = [one_value(name, value) for name, _, value in values.parameters]
    written = [_written(node, disk) for _, node in values.texts]
    return [*reversed(parameters), *reversed(written), *(node for file in reversed(values.files) for node in disk.documents(file)[:1])]


def _written(node: Node, disk: Disk) -> Node:
    """Values as they are written: in the object itself, or as a text in it."""
    return next(iter(origins.inlined(node, disk)), node) if node.is_scalar else node


class Scope(NamedTuple):
    """The values that a template sees, and those of the whole chart, which have `global`; those that win come first.

    `release` and `namespace` are what the release is called, and where it goes.
    """

    own: Sequence[Node]
    whole: Sequence[Node]
    release: str
    namespace: str

    def field(self, dotted: str) -> Node | None:
        """The value of a dotted name; None when nothing sets it."""
        return field(self.whole if dotted.startswith("global.") else self.own, dotted)

    def texts(self, written: str, said: str) -> list[str | None]:
        """What the parts of a scalar in a template are once it is rendered as `said`; None for what can't be told."""
        parts = _ACTIONS.split(written.strip(QUOTES))
        return [self._text(part, said) if part.startswith(ACTION) else part for part in parts if part]

    def _text(self, action: str, said: str) -> str | None:
        """What an action writes; a value that is not in what is said may have been set otherwise."""
        told = _TELLS.fullmatch(action)
        if not told:
            return None
        if told[1].startswith("Release."):
            return self.namespace if told[1].endswith("space") else self.release
        value = self.field(told[1].removeprefix("Values."))
        return value.text if value is not None and value.text and value.text in said else None


def field(values: Iterable[Node], dotted: str) -> Node | None:
    """The value of a dotted name in the first values that set it; None when none do."""
    return next((each for each in (_field(those, dotted) for those in values) if each.present), None)


def _field(values: Node, dotted: str) -> Node:
    for name in dotted.split("."):
        values = values[name]
    return values


def scalars(node: Node, name: str = "") -> Iterator[tuple[str, Node]]:
    """The scalars in a value, each with its name."""
    if node.is_scalar:
        yield name, node
    for key, value in node.items():
        yield from scalars(value, key)
    for item in node:
        yield from scalars(item)


def called(node: Node, name: str) -> Iterator[Node]:
    """The mappings and lists that are called so, anywhere in a value."""
    for key, value in node.items():
        yield from [value] if key == name and not value.is_scalar else []
        yield from called(value, name)
    for item in node:
        yield from called(item, name)


def is_part(value: Node, text: str) -> bool:
    """Whether a value is a text, or in it."""
    return value.is_scalar and bool(value.text) and value.text in text


def is_telling(node: Node) -> bool:
    """Whether a text is hardly anything else; what is short or a number may be."""
    return len(node.text) >= _TELLING and isinstance(node.value, str)
