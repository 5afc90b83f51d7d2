"""Words such as `2001:db8::` in a flow sequence: Kubernetes' parser takes them, libyaml refuses a `:` before `,` and brackets."""

from __future__ import annotations

from typing import Any

from mirrorlint.source.node import Raw
from mirrorlint.source.tree import Composed, Composer

_REFUSED = "found unexpected ':'"
_STAND_IN = "\ue000"


def compose(composer: Composer, text: str) -> Composed:
    """Read a document; a refused `:` is part of the word that it stands in (go-yaml's yaml_parser_scan_plain_scalar)."""
    composed, read = composer.compose(text), text
    while composed.failure and composed.failure.problem == _REFUSED and _STAND_IN not in text:
        lines = read.split("\n")
        line, column = composed.failure.line, composed.failure.column
        lines[line] = lines[line][:column] + lines[line][column:].replace(":", _STAND_IN, 1)
        if "\n".join(lines) == read:
            break
        read = "\n".join(lines)
        composed = composer.compose(read)
    if read is text:
        return composed
    return composed._replace(documents=[_restored(raw, {}) for raw in composed.documents])


def _restored(raw: Raw, seen: dict[int, Any]) -> Raw:
    content = raw[0]
    if type(content) is str:
        return (content.replace(_STAND_IN, ":"), *raw[1:])
    if content is not None and id(content) not in seen:
        if type(content) is list:
            seen[id(content)] = [_restored(item, seen) for item in content]
        else:
            seen[id(content)] = {_plain(name): (_restored(key, seen), _restored(value, seen)) for name, (key, value) in content.items()}
    return (seen.get(id(content)), *raw[1:])


def _plain(name: str) -> str:
    return name.replace(_STAND_IN, ":")
