"""Shapes of objects: the types that the CRDs give to fields, and the checks of Istio's validation beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar, NamedTuple

from mirrorlint.source import Node

INT32 = (-(2**31), 2**31 - 1)
UINT32 = (0, 2**32 - 1)


class Refusal(NamedTuple):
    """Why an object never reaches the control plane, and where it says so."""

    node: Node
    message: str


Complaint = Callable[[str], str]  # what is wrong with a text, empty when nothing is
Rule = Callable[[Node], Iterator[Refusal]]


class Shape:
    """What a field holds. Null is what it is for the API server: the field is absent."""

    what: ClassVar[str]

    def fits(self, node: Node) -> bool:
        """Whether the value is of the type; the API server refuses the object otherwise."""
        raise NotImplementedError

    def refusals(self, node: Node, name: str) -> Iterator[Refusal]:
        """What is refused in a value that fits."""
        raise NotImplementedError


class Text(Shape):
    """A string."""

    what = "text"

    def __init__(self, complaint: Complaint | None = None) -> None:
        self.complaint = complaint

    def fits(self, node: Node) -> bool:
        return isinstance(node.value, str)

    def refusals(self, node: Node, name: str) -> Iterator[Refusal]:
        if self.complaint and (wrong := self.complaint(node.text)):
            yield Refusal(node, f"`{name}: {node.text}` {wrong}")


class Choice(Shape):
    """An enum; jsonpb and the CRDs know its names in upper case only."""

    what = "text"

    def __init__(self, *names: str) -> None:
        self.names = names

    def fits(self, node: Node) -> bool:
        return isinstance(node.value, str)

    def refusals(self, node: Node, name: str) -> Iterator[Refusal]:
        if node.text not in self.names:
            yield Refusal(node, f"`{name}: {node.text}` is none of {', '.join(self.names)}")


class Flag(Shape):
    """A boolean."""

    what = "true or false"

    def fits(self, node: Node) -> bool:
        return isinstance(node.value, bool)

    def refusals(self, node: Node, name: str) -> Iterator[Refusal]:
        yield from ()


class Whole(Shape):
    """An integer within bounds."""

    what = "a whole number"

    def __init__(self, low: int, high: int) -> None:
        self.low, self.high = low, high

    def fits(self, node: Node) -> bool:
        value = node.value
        return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, float) and value.is_integer())

    def refusals(self, node: Node, name: str) -> Iterator[Refusal]:
        if not self.low <= node.number <= self.high:
            yield Refusal(node, f"`{name}: {node.text}` does not lie between {self.low} and {self.high}")


class Number(Shape):
    """A number within bounds; `least` is the smallest that is not 0."""

    what = "a number"

    def __init__(self, low: float | None = None, high: float | None = None, least: float = 0.0) -> None:
        self.low, self.high, self.least = low, high, least

    def fits(self, node: Node) -> bool:
        return isinstance(node.value, int | float) and not isinstance(node.value, bool)

    def refusals(self, node: Node, name: str) -> Iterator[Refusal]:
        value = node.decimal
        if self.low is not None and value < self.low:
            yield Refusal(node, f"`{name}: {node.text}` is less than {self.low:g}")
        elif self.high is not None and value > self.high:
            yield Refusal(node, f"`{name}: {node.text}` is more than {self.high:g}")
        elif 0 < value < self.least:
            yield Refusal(node, f"`{name}: {node.text}` is less than {self.least:g} and not 0")


class Each(Shape):
    """A list of one shape."""

    what = "a list"

    def __init__(self, item: Shape) -> None:
        self.item = item

    def fits(self, node: Node) -> bool:
        return node.is_sequence

    def refusals(self, node: Node, name: str) -> Iterator[Refusal]:
        for item in node:
            if self.item.fits(item):
                yield from self.item.refusals(item, name)
            else:
                yield _mistyped(item, f"an item of `{name}`", self.item)


class Table(Shape):
    """A map from names to one shape."""

    what = "a mapping"

    def __init__(self, value: Shape, key: Complaint | None = None) -> None:
        self.value, self.key = value, key

    def fits(self, node: Node) -> bool:
        return node.is_mapping

    def refusals(self, node: Node, name: str) -> Iterator[Refusal]:
        for key, value in node.entries():
            if self.key and (wrong := self.key(key.text)):
                yield Refusal(key, f"`{key.text}` in `{name}` {wrong}")
            if value and self.value.fits(value):
                yield from self.value.refusals(value, key.text)
            elif value:
                yield _mistyped(value, f"`{key.text}`", self.value)


class Message(Shape):
    """A mapping with known fields, and rules on how they go together; the API server drops other fields."""

    what = "a mapping"

    def __init__(self, fields: Mapping[str, Shape], *rules: Rule) -> None:
        self.fields, self.rules = fields, rules

    def fits(self, node: Node) -> bool:
        return node.is_mapping

    def refusals(self, node: Node, name: str) -> Iterator[Refusal]:
        """Those of the fields, and those of the rules unless a field's type is wrong: a rule would then misread it."""
        typed = True
        for key, value in node.entries():
            shape = self.fields.get(key.text)
            if shape is None or not value:
                continue
            if shape.fits(value):
                yield from shape.refusals(value, key.text)
            else:
                typed = False
                yield _mistyped(value, f"`{key.text}`", shape)
        if typed:
            for rule in self.rules:
                yield from rule(node)


def given(node: Node) -> bool:
    """Whether protobuf sees the field: an empty list or map is an absent one."""
    return bool(node) and not (node.is_sequence and len(node) == 0)


def one_of(*names: str) -> Rule:
    """At most one of the fields is set: the CRDs say so for each protobuf `oneof`."""

    def rule(node: Node) -> Iterator[Refusal]:
        present = [name for name in names if node[name]]
        if len(present) > 1:
            why = f"`{present[1]}` stands beside `{present[0]}`: only one of them is allowed"
            yield Refusal(node.key(present[1]), why)

    return rule


def required(why: str, *names: str) -> Rule:
    """One of the fields, at least, is set."""

    def rule(node: Node) -> Iterator[Refusal]:
        if not any(given(node[name]) for name in names):
            yield Refusal(node, why)

    return rule


def _mistyped(node: Node, what: str, shape: Shape) -> Refusal:
    return Refusal(node, f"{what} is {_described(node)} where {shape.what} is meant")


def _described(node: Node) -> str:
    if node.is_mapping:
        return "a mapping"
    if node.is_sequence:
        return "a list"
    if node.value is None:
        return "null"
    if isinstance(node.value, str):
        return f"the text `{node.text}`"
    return f"the boolean `{node.text}`" if isinstance(node.value, bool) else f"the number {node.text}"


ANY_TEXT = Text()
TEXTS = Each(ANY_TEXT)
FLAG = Flag()
INTEGER = Whole(*INT32)
NATURAL = Whole(*UINT32)
COUNT = Whole(0, INT32[1])
PORT = Whole(1, 65535)
PORT_OR_ZERO = Whole(0, 65535)
PERCENT = Whole(0, 100)
