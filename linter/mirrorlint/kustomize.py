"""Kustomizations: which only list resources and can be read as they are, and what they list."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from mirrorlint.source import Node

_LISTS = frozenset({"apiVersion", "kind", "metadata", "resources"})
_REMOTE = re.compile(r"://|^git@|[?&]ref=|//|^[\w-]+(\.[\w-]+)+/")


class Kustomization(NamedTuple):
    """A folder's kustomization: its file, the field that makes it more than a list (its first, or None), and what it lists."""

    folder: str
    file: str
    more: Node | None
    resources: tuple[Node, ...]


class Gap(NamedTuple):
    """What a kustomization asks for and was not read: where and why."""

    node: Node
    message: str


class Reach(NamedTuple):
    """What kustomizations lead to: the folders and files listed, those that must be rendered first (with all below them), and gaps."""

    listed: frozenset[str]
    rendered: frozenset[str]
    gaps: tuple[Gap, ...]


def kustomization(file: str, document: Node) -> Kustomization:
    """Read a kustomization; a field that is empty does nothing."""
    more = [key for key, value in document.entries() if key.text not in _LISTS and value and (value.is_scalar or len(value))]
    return Kustomization(os.path.dirname(file), file, more[0] if more else None, tuple(document["resources"]))


def reach(start: Mapping[str, Kustomization], find: Callable[[str], Kustomization | None], top: str) -> Reach:
    """Follow kustomizations through what they list; `find` gives a folder's, `top` is the folder that nothing is read outside of."""
    listed: set[str] = set()
    rendered: set[str] = set()
    gaps: dict[Gap, None] = {}
    waiting = [(each, False) for each in start.values()]
    seen: set[tuple[str, bool]] = set()
    while waiting:
        current, hidden = waiting.pop()
        hidden = hidden or current.more is not None
        if (current.folder, hidden) in seen:
            continue
        seen.add((current.folder, hidden))
        if current.more is not None:
            rendered.add(current.folder)
            gaps[_unrendered(current)] = None
        for node in current.resources:
            path = os.path.normpath(os.path.join(current.folder, node.text))
            gap = _gap(node, path, top)
            if gap is not None:
                gaps[gap] = None
                continue
            (rendered if hidden else listed).add(path)
            below = find(path)
            if below is not None:
                waiting.append((below, hidden))
    return Reach(frozenset(listed), frozenset(rendered), tuple(sorted(gaps, key=lambda gap: gap.node.place)))
