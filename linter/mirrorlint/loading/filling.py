"""Fills in what a tree waits for: the texts change, the places stay."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from mirrorlint.source import Node
from mirrorlint.source.node import Raw
from mirrorlint.source.place import Derived

_VARIABLE = re.compile(r"\$\{([A-Za-z_]\w*)(?::?[=-]((?:[^{}$])*))?\}")
MAX_TEXT = 1 << 20
_SWITCH = "kustomize.toolkit.fluxcd.io/substitute"
# What would be more than a scalar where it stands without quotes.
_STRUCTURE = re.compile(r"[\n\r]|: |:$| #|^[\[\]{}&*!|>'\"%@`#,?-](?:\s|\w|$)")


def filled(node: Node, fill: Callable[[str, bool], str]) -> Node:
    """The tree with each text put through `fill`, which is told whether the text is plain (without quotes)."""
    return Node(_filled(node.raw, fill, {}), node.path if isinstance(node.path, Derived) else Derived(node.path))


def _filled(raw: Raw, fill: Callable[[str, bool], str], seen: dict[int, Any]) -> Raw:
    content = raw[0]
    if content is None:
        return raw
    if type(content) is str:
        return (fill(content, raw[1] is True), *raw[1:])
    if id(content) not in seen:
        if type(content) is list:
            seen[id(content)] = [_filled(item, fill, seen) for item in content]
        else:
            seen[id(content)] = {name: (key, _filled(value, fill, seen)) for name, (key, value) in content.items()}
    return (seen[id(content)], *raw[1:])


def substitution(known: Mapping[str, str]) -> Callable[[str, bool], str]:
    """What fills in `${NAME}` and `${NAME:=default}` as Flux does after a build; what is not known stays as it is.

    Source: fluxcd/pkg, envsubst (kustomize/kustomize_varsub.go). A value that is structure where it stands is left, too.
    """

    def fill(text: str, plain: bool) -> str:
        if "${" not in text:
            return text
        full = bounded(_VARIABLE, lambda found: known.get(found[1], found[0] if found[2] is None else found[2]), text)
        return text if plain and _STRUCTURE.search(full) else full

    return fill


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
