"""Kustomizations: which only list resources and can be read as they are, and what they lead to."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import NamedTuple, Protocol

from mirrorlint.source import Node

_LISTS = frozenset({"apiVersion", "kind", "metadata", "resources"})
_REMOTE = re.compile(r"://|^git@|[?&]ref=|//|^[\w-]+(\.[\w-]+)+/")


class Kustomization(NamedTuple):
    """A folder's kustomization: its file, the field that makes it more than a list (its first, or None), and what it lists."""

    folder: str
    file: str
    more: Node | None
    resources: tuple[Node, ...]


class Ground(Protocol):
    """The files that kustomizations stand in, as absolute paths."""

    def kustomization(self, folder: str) -> Kustomization | None:
        """A folder's kustomization."""

    def governed(self, path: str) -> AbstractSet[str]:
        """The file that `path` is, or the files below the folder that it is, without those of further kustomizations."""

    def outside(self, path: str) -> bool:
        """Whether a path is out of the repository."""


class Gap(NamedTuple):
    """What a kustomization asks for and was not read: where and why."""

    node: Node
    message: str


class Reach(NamedTuple):
    """What kustomizations lead to: files as they are written, files that must be rendered first, the folders passed, and gaps."""

    plain: frozenset[str]
    hidden: frozenset[str]
    folders: frozenset[str]
    gaps: tuple[Gap, ...]


def kustomization(file: str, document: Node) -> Kustomization:
    """Read a kustomization; a field that is empty does nothing."""
    more = [key for key, value in document.entries() if key.text not in _LISTS and value and (value.is_scalar or len(value))]
    return Kustomization(os.path.dirname(file), file, more[0] if more else None, tuple(document["resources"]))


def reach(starts: Iterable[Kustomization], ground: Ground) -> Reach:
    """Follow kustomizations through what they list; what one that must be rendered leads to must be, too."""
    plain: set[str] = set()
    hidden: set[str] = set()
    passed: set[tuple[str, bool]] = set()
    gaps: set[Gap] = set()
    waiting = [(each, False) for each in starts]
    while waiting:
        current, above = waiting.pop()
        inside = above or current.more is not None
        if (current.folder, inside) in passed:
            continue
        passed.add((current.folder, inside))
        if inside:
            hidden |= ground.governed(current.folder)
        if current.more is not None:
            gaps.add(_unrendered(current.more))
        for node in current.resources:
            if not node.text:
                gaps.add(Gap(node, "a resource is the path of a file or folder, so this one is not read"))
                continue
            path = os.path.normpath(os.path.join(current.folder, node.text))
            below = ground.kustomization(path)
            if below is not None:
                waiting.append((below, inside))
                continue
            found = ground.governed(path)
            (hidden if inside else plain).update(found)
            gaps.update([] if found else [_missing(node, ground.outside(path))])
    return Reach(frozenset(plain), frozenset(hidden), frozenset(folder for folder, _ in passed), tuple(sorted(gaps, key=_place)))


def _place(gap: Gap) -> tuple[object, ...]:
    return gap.node.place


def _unrendered(field: Node) -> Gap:
    message = f"this kustomization has `{field.text}` and must be rendered first: neither its folder nor what it lists is judged"
    return Gap(field, message)


def _missing(node: Node, outside: bool) -> Gap:
    if _REMOTE.search(node.text):
        return Gap(node, f"`{node.text}` is not in this repository, so it is not read")
    if outside:
        return Gap(node, f"`{node.text}` lies outside of the repository, so it is not read")
    return Gap(node, f"`{node.text}` leads to no file of the repository")
