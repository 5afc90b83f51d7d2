"""Shapes of objects: the types that the CRDs give to fields, and the checks of Istio's validation beside them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import reduce
from operator import attrgetter, getitem
from typing import NamedTuple

from mirrorlint.likeness import closest
from mirrorlint.source import Node

INT32 = (-(2**31), 2**31 - 1)
UINT32 = (0, 2**32 - 1)
_STILL_ALIKE = 0.7  # how much alike a field is that may be meant where the one most like it is there already
_SNAKE = re.compile(r"_([a-z])")
_MIRRORING = ("mirror", "mirrors", "mirrorPercentage", "mirrorPercent", "mirror_percent")
_OF_RULES: Mapping[str, str] = dict.fromkeys(_MIRRORING, "it belongs into a rule of `http`")


class Refusal(NamedTuple):
    """Why an object never reaches the control plane, and where it says so; `pruned` for a field that alone doesn't.

    `meant` is the field that such a one takes the place of, if its value would do there. `since` is the first version of Istio that refuses
    what was usual before ("": all that are known).
    """

    node: Node
    message: str
    pruned: bool = False
    meant: str = ""
    since: str = ""


class Shape(NamedTuple):
    """What a field holds: its type in words, whether a value is of it, what is refused in one that is, and which fields that may have.

    Null fits nowhere and is asked nowhere but in lists: in a mapping the API server takes it for an absent field.
    """

    what: str
    fits: Callable[[Node], bool]
    refusals: Callable[[Node, str], Iterator[Refusal]]
    fields: Collection[str] = ()


Complaint = Callable[[str], str]  # what is wrong with a text, empty when nothing is
Rule = Callable[[Node], Iterator[Refusal]]


def among(names: Collection[str], complaint: str) -> Complaint:
    """What is wrong with a text that is none of some."""
    return lambda said: "" if said in names else complaint


def or_empty(complaint: Complaint) -> Complaint:
    """What is wrong with a text that is not empty: an empty one is the same as leaving the field out."""
    return lambda said: complaint(said) if said else ""


def text(complaint: Complaint | None = None) -> Shape:
    """A string."""

    def refusals(node: Node, name: str) -> Iterator[Refusal]:
        if complaint and (wrong := complaint(node.text)):
            yield Refusal(node, f"`{name}: {node.text}` {wrong}")

    return Shape("text", _is_text, refusals)


def choice(*names: str) -> Shape:
    """An enum; jsonpb and the CRDs know its names as they are spelt here only."""

    def refusals(node: Node, name: str) -> Iterator[Refusal]:
        if node.text not in names:
            near = next((f" (did you mean `{one}`?)" for one in names if one.lower() == node.text.lower()), "")
            yield Refusal(node, f"`{name}: {node.text}` is none of {', '.join(names)}{near}")

    return Shape("text", _is_text, refusals)


def whole(low: int, high: int) -> Shape:
    """An integer within bounds."""

    def refusals(node: Node, name: str) -> Iterator[Refusal]:
        if not low <= node.number <= high:
            yield Refusal(node, f"`{name}: {node.text}` does not lie between {low} and {high}")

    return Shape("a whole number", _is_whole, refusals)


def number(low: float | None = None, high: float | None = None, least: float = 0) -> Shape:
    """A number within bounds; `least` is the smallest that is not 0."""

    def refusals(node: Node, name: str) -> Iterator[Refusal]:
        value = node.decimal
        if low is not None and value < low:
            yield Refusal(node, f"`{name}: {node.text}` is less than {low:g}")
        elif high is not None and value > high:
            yield Refusal(node, f"`{name}: {node.text}` is more than {high:g}")
        elif 0 < value < least:
            yield Refusal(node, f"`{name}: {node.text}` is less than {least:g} and not 0")

    return Shape("a number", _is_number, refusals)


def each(item: Shape) -> Shape:
    """A list of one shape."""

    def refusals(node: Node, name: str) -> Iterator[Refusal]:
        for value in node:
            if item.fits(value):
                yield from item.refusals(value, name)
            else:
                yield _mistyped(value, f"an item of `{name}`", item)

    return Shape("a list", attrgetter("is_sequence"), refusals)


def table(item: Shape, key: Complaint | None = None) -> Shape:
    """A map from names to one shape."""

    def refusals(node: Node, name: str) -> Iterator[Refusal]:
        for entry, value in node.items():
            if key and (wrong := key(entry)):
                yield Refusal(node.key(entry), f"`{entry}` in `{name}` {wrong}")
            if value and item.fits(value):
                yield from item.refusals(value, entry)
            elif value:
                yield _mistyped(value, f"`{entry}`", item)

    return Shape("a mapping", attrgetter("is_mapping"), refusals)


def message(fields: Mapping[str, Shape], *rules: Rule, homes: Mapping[str, str] = _OF_RULES) -> Shape:
    """A mapping with known fields, and rules on how they go together; the API server drops other fields.

    The rules rest when a field's type is wrong: they would misread it. `homes` says of fields that are none here where they belong.
    """

    def refusals(node: Node, _: str) -> Iterator[Refusal]:
        typed = True
        for key, value in node.items():
            shape = fields.get(key)
            if shape is None:
                yield from _dropped(node.key(key), fields, node, homes)
                continue
            if not value:
                continue
            if shape.fits(value):
                yield from shape.refusals(value, key)
            else:
                typed = False
                yield _mistyped(value, f"`{key}`", shape)
        if typed:
            for rule in rules:
                yield from rule(node)

    return Shape("a mapping", attrgetter("is_mapping"), refusals, fields)


def _dropped(key: Node, fields: Mapping[str, Shape], node: Node, homes: Mapping[str, str]) -> Iterator[Refusal]:
    """A field that the CRD doesn't know, where it is plain what was meant: the API server drops it without a word."""
    name, drops = key.text, f"Kubernetes drops `{key.text}`, which is no field here"
    camel = _SNAKE.sub(lambda letter: letter[1].upper(), name)
    near = next((field for field in fields if field.lower() in (name.lower(), camel.lower())), "") or closest(name, fields)
    if near in node:
        near = closest(name, [field for field in fields if field not in node], _STILL_ALIKE) or near
    empty = next((field for field, value in node.items() if not value and field in fields and name in fields[field].fields), "")
    if empty:
        yield Refusal(key, f"{drops}: it belongs into `{empty}`, which is empty: indent it", pruned=True)
    elif name.startswith("-") and name[1:] in fields:
        yield Refusal(key, f"{drops}: behind the dash of a list item comes a blank", pruned=True)
    elif near:
        meant = near if _would_do(node[name], fields[near]) and near not in node else ""
        yield Refusal(key, f"{drops}: did you mean `{near}`?", pruned=True, meant=meant)
    elif name in homes:
        yield Refusal(key, f"{drops}: {homes[name]}", pruned=True)


def _would_do(value: Node, shape: Shape) -> bool:
    return bool(value) and shape.fits(value) and not any(shape.refusals(value, ""))


def given(node: Node, name: str) -> bool:
    """Whether protobuf sees the field: an empty list is an absent one."""
    if name not in node:
        return False
    value = node[name]
    return bool(value) and not (value.is_sequence and len(value) == 0)


def one_of(*names: str) -> Rule:
    """At most one of the fields is set, as the CRDs say for each protobuf `oneof`."""

    def rule(node: Node) -> Iterator[Refusal]:
        present = [name for name in names if given(node, name)]
        if len(present) > 1:
            why = f"`{present[1]}` stands beside `{present[0]}`: only one of them is allowed"
            yield Refusal(node.key(present[1]), why)

    return rule


def required(why: str, *names: str) -> Rule:
    """One of the fields, at least, is set."""

    def rule(node: Node) -> Iterator[Refusal]:
        if not any(given(node, name) for name in names):
            yield Refusal(node, why)

    return rule


def distinct(items: str, *path: str, what: str) -> Rule:
    """No two items of a list have the same value at a path of fields."""

    def rule(node: Node) -> Iterator[Refusal]:
        seen: set[str] = set()
        for value in (reduce(getitem, path, item) for item in node[items]):
            said = str(value.value)
            if value and said in seen:
                yield Refusal(value, f"`{path[-1]}: {value.text}` is taken by another {what}")
            seen.add(said)

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
    if isinstance(node.value, bool):
        return f"the boolean `{node.text}`"
    return f"the number {node.text}" if math.isfinite(node.value) else f"`{node.text}`, which JSON does not have,"


def _is_text(node: Node) -> bool:
    return isinstance(node.value, str)


def _is_flag(node: Node) -> bool:
    return isinstance(node.value, bool)


def _is_number(node: Node) -> bool:
    """Whether the value is a number; objects come as JSON, whose encoder refuses infinite ones and NaN (Go's encoding/json)."""
    return isinstance(node.value, int | float) and not isinstance(node.value, bool) and math.isfinite(node.value)


def _is_whole(node: Node) -> bool:
    value = node.value
    return value.is_integer() if isinstance(value, float) else isinstance(value, int) and not isinstance(value, bool)


def _sound(_: Node, __: str) -> Iterator[Refusal]:
    yield from ()


ANYTHING = Shape("anything", lambda _: True, _sound)
ANY_TEXT = text()
TEXTS = each(ANY_TEXT)
FLAG = Shape("true or false", _is_flag, _sound)
INTEGER = whole(*INT32)
NATURAL = whole(*UINT32)
COUNT = whole(0, INT32[1])
PORT = whole(1, 65535)
PORT_OR_ZERO = whole(0, 65535)
PERCENT = whole(0, 100)
