"""Fills in what a tree waits for: the texts change, the places stay."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from mirrorlint.source import Node
from mirrorlint.source.node import Change, Raw, changed
from mirrorlint.source.place import Derived

_VARIABLE = re.compile(r"(?<!\$)\$\{([A-Za-z_]\w*)(?::?[=-]((?:[^{}$])*))?\}")
MAX_TEXT = 1 << 20
_SWITCH = "kustomize.toolkit.fluxcd.io/substitute"
# What would be more than a scalar where it stands without quotes.
_STRUCTURE = re.compile(r"[\n\r]|: |:$| #|^[\[\]{}&*!|>'\"%@`#,?-](?:\s|\w|$)")


def filled(node: Node, fill: Callable[[str], str]) -> Node:
    """The tree with each text put through `fill`."""
    return _derived(node, lambda raw: (fill(raw[0]), *raw[1:]))


def substituted(node: Node, known: Mapping[str, str]) -> Node:
    """The tree with `${NAME}` and `${NAME:=default}` filled in as Flux does after a build; what is not known stays as it is.

    Flux fills in what kustomize writes, which has quotes only where YAML asks for them: `"${NAME}"` becomes `true` or `80`, no text.
    A value that is structure where it stands is left, too.
    Source: fluxcd/pkg, envsubst (kustomize/kustomize_varsub.go).
    """

    def fill(raw: Raw) -> Raw:
        text, tag = raw[:2]
        if "${" not in text:
            return raw
        full = bounded(_VARIABLE, lambda found: known.get(found[1], found[0] if found[2] is None else found[2]), text)
        if _STRUCTURE.search(full):
            return raw if tag is True else (full, *raw[1:])
        return (full, tag if full == text or _STRUCTURE.search(text) else True, *raw[2:])

    return _derived(node, fill)


def first(node: Node, pattern: re.Pattern[str]) -> Node | None:
    """The first text in a tree that a pattern is found in."""
    if node.is_scalar:
        return node if pattern.search(node.text) else None
    values = (value for _, value in node.items()) if node.is_mapping else iter(node)
    return next((found for found in (first(value, pattern) for value in values) if found is not None), None)


def _derived(node: Node, fill: Change) -> Node:
    """The tree with each scalar put through `fill`, keys as they are."""
    raw = changed(node.raw, lambda raw: fill(raw) if type(raw[0]) is str else raw, lambda key: key)
    return Node(raw, node.path if isinstance(node.path, Derived) else Derived(node.path))


def bounded(pattern: re.Pattern[str], fill: Callable[[re.Match[str]], str], text: str) -> str:
    """A text with what a pattern finds filled in; one that would grow without measure stays as it is."""
    found = list(pattern.finditer(text))
    values = [fill(each) for each in found]
    if sum(map(len, values)) > MAX_TEXT:
        return text
    ends = [0, *(each.end() for each in found)]
    between = [text[end : each.start()] for end, each in zip(ends, found, strict=False)]
    return "".join(part for pair in zip(between, values, strict=True) for part in pair) + text[ends[-1] :]


def is_substituted(node: Node) -> bool:
    """Whether Flux fills in an object's variables: a label or an annotation may switch that off."""
    metadata = node["metadata"]
    return "disabled" not in (metadata["labels"][_SWITCH].text, metadata["annotations"][_SWITCH].text)
