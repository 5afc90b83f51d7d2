"""Kustomizations: what they list and where it goes, which must be rendered first, and what can't be.

Some are read as they are: those that list resources and set a namespace, and do else only what says nothing of where requests go.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from mirrorlint.loading.paths import joined, topmost, within
from mirrorlint.loading.units import Gap
from mirrorlint.source import Node

if TYPE_CHECKING:
    from mirrorlint.loading.disk import Disk

COMPONENT = "Component"
_LISTS = frozenset({"resources", "bases"})
_HARMLESS = frozenset({"images", "replicas", "configMapGenerator", "secretGenerator", "generatorOptions", "buildMetadata", "sortOptions"})
_HELM = frozenset({"helmCharts", "helmGlobals"})  # what helm makes stands beside all else
_READ = frozenset({"apiVersion", "kind", "metadata", "namespace"}) | _LISTS | _HARMLESS | _HELM
_REMOTE = re.compile(r"://|^git@|[?&]ref=|//|^[\w-]+(\.[\w-]+)+/")


class Kustomization(NamedTuple):
    """A folder's kustomization: its file and document, the field that asks for rendering (its first, or None), and what it lists."""

    folder: str
    file: str
    document: Node
    more: Node | None
    resources: tuple[Node, ...]

    @property
    def namespace(self) -> str:
        """The namespace that all of it goes to; "" when each object keeps its own."""
        return self.document["namespace"].text

    @property
    def is_component(self) -> bool:
        """Whether it is a part of others, and nothing by itself."""
        return self.document["kind"].text == COMPONENT


class Plain(NamedTuple):
    """A file that is read as it is written, and the namespace that all in it goes to ("": each object's own)."""

    path: str
    namespace: str = ""


class Rendered(NamedTuple):
    """A kustomization to render, and the namespace that all in it goes to ("": as it is rendered)."""

    kustomization: Kustomization
    namespace: str = ""


class Reach(NamedTuple):
    """What kustomizations lead to: files as they are written, what to render, files that only that shows, folders passed, and gaps."""

    plain: frozenset[Plain] = frozenset()
    rendered: frozenset[Rendered] = frozenset()
    hidden: frozenset[str] = frozenset()
    folders: frozenset[str] = frozenset()
    gaps: tuple[Gap, ...] = ()

    @property
    def files(self) -> set[str]:
        """All files, whether they are read as they are or not."""
        return {*self.hidden, *(each.path for each in self.plain)}


def kustomization(file: str, document: Node) -> Kustomization:
    """Read a kustomization; a field that is empty does nothing."""
    more = [key for key, value in document.entries() if key.text not in _READ and value and (value.is_scalar or len(value))]
    component = [document["kind"]] if document["kind"].text == COMPONENT and not more else []
    resources = (*document["resources"], *document["bases"])
    return Kustomization(os.path.dirname(file), file, document, next(iter((*more, *component)), None), resources)


def roots(found: Iterable[Kustomization]) -> list[Kustomization]:
    """Those that no other one lists; components are never applied by themselves. Where they list each other, all."""
    every = [each for each in found if not each.is_component]
    led = {path for each in every for path in listed(each) if path != each.folder}
    return [each for each in every if each.folder not in led] or every


def outermost(found: Iterable[Kustomization]) -> list[Kustomization]:
    """Those in no folder of another one: where Flux makes a kustomization of a folder, it lists these (fluxcd/pkg, kustomize)."""
    every = [each for each in found if not each.is_component]
    folders = topmost({each.folder for each in every})
    return [each for each in every if each.folder in folders]


def listed(kustomization: Kustomization) -> Iterator[str]:
    """The paths of what a kustomization lists, components too."""
    for node in (*kustomization.resources, *kustomization.document["components"]):
        if node.text:
            yield joined(kustomization.folder, node.text)


def patches(kustomization: Kustomization) -> Iterator[str]:
    """The paths of the files that a kustomization patches with."""
    document = kustomization.document
    named = (patch["path"] for field in ("patches", "patchesJson6902") for patch in document[field])
    for node in (*named, *document["patchesStrategicMerge"]):
        if node.text:
            yield joined(kustomization.folder, node.text)


def reach(starts: Iterable[Kustomization], disk: Disk, namespace: str = "") -> Reach:
    """Follow kustomizations through what they list; what one that must be rendered leads to is hidden until then.

    `namespace` is what is put over all of them.
    """
    walk = _Walk(disk)
    walk.follow([_Step(each, namespace, inside=False) for each in starts])
    folders = frozenset(folder for folder, _, _ in walk.passed)
    gaps = tuple(sorted(walk.gaps, key=lambda gap: gap.node.place))
    return Reach(frozenset(walk.plain), frozenset(walk.rendered), frozenset(walk.hidden), folders, gaps)


def beside(reached: Reach, disk: Disk) -> set[str]:
    """The files that no kustomization lists although they stand beside what some do: right in its folder, or next to a file that it lists.

    Further folders below a kustomization may well be applied by something else.
    """
    every = (each for each in map(disk.kustomization, reached.folders) if each is not None and each.resources)
    folders = {folder for each in every for folder in _own_folders(each, disk)}
    found = {path for folder in folders for path in disk.governed(folder) if os.path.dirname(path) == folder}
    return found - reached.files


def _own_folders(kustomization: Kustomization, disk: Disk) -> Iterator[str]:
    """A kustomization's folder, and those below it of which it lists files."""
    yield kustomization.folder
    for path in listed(kustomization):
        if within(path, kustomization.folder) and disk.governed(path) == {path}:
            yield os.path.dirname(path)


class _Step(NamedTuple):
    """A kustomization on the way, the namespace that those above set, and whether one above must be rendered."""

    current: Kustomization
    namespace: str
    inside: bool


class _Walk:
    """Follows what kustomizations list."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self.plain: set[Plain] = set()
        self.rendered: set[Rendered] = set()
        self.hidden: set[str] = set()
        self.passed: set[tuple[str, str, bool]] = set()
        self.gaps: set[Gap] = set()

    def follow(self, waiting: list[_Step]) -> None:
        while waiting:
            current, above, over = waiting.pop()
            inside = over or current.more is not None
            namespace = above or current.namespace
            if (current.folder, namespace, inside) in self.passed:
                continue
            self.passed.add((current.folder, namespace, inside))
            if inside:
                self.hidden |= self._disk.governed(current.folder)
            if inside and not over:
                self.rendered.add(Rendered(current, above))
            components = current.document["components"] if inside else ()
            waiting += [step for node in (*current.resources, *components) for step in self._next(node, current, namespace, inside)]

    def _next(self, node: Node, current: Kustomization, namespace: str, inside: bool) -> Iterator[_Step]:
        if not node.text:
            self.gaps.add(Gap(node, "a resource is the path of a file or folder, so this one is not read"))
            return
        path = joined(current.folder, node.text)
        below = self._disk.kustomization(path)
        if below is not None:
            yield _Step(below, namespace, inside)
            return
        found = self._disk.governed(path)
        if inside:
            self.hidden |= found
        else:
            self.plain |= {Plain(file, namespace) for file in found}
        if not found and not inside:
            self.gaps.add(missing(node, self._disk.outside(path)))


def missing(node: Node, outside: bool) -> Gap:
    """Why what a kustomization lists is not read."""
    if _REMOTE.search(node.text):
        return Gap(node, f"`{node.text}` is not in this repository, so it is not read")
    if outside:
        return Gap(node, f"`{node.text}` lies outside of the repository, so it is not read")
    return Gap(node, f"`{node.text}` leads to no file of the repository")
