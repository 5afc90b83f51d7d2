"""Which clusters there are and which folders belong to each, and why."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from mirrorlint.loading.paths import topmost, upwards
from mirrorlint.loading.units import Unit

if TYPE_CHECKING:
    from mirrorlint.loading.ground import Ground

_OVERLAYS = ("overlays",)
_CONVENTIONS = (("clusters",), ("environments", "envs"), _OVERLAYS)
WORDS = frozenset(word for words in _CONVENTIONS for word in words)  # what folders are called that hold those of clusters
_DEPTH = 2
# Why all is one cluster, whose name nothing tells.
UNDIVIDED = "no folders of several clusters were found: all of it is one"
# Folders whose objects are for readers or for programs that try them out, beside those of clusters.
_TRIED = frozenset({"docs", "doc", "examples", "samples", "tests", "testdata", "fixtures", "e2e"})


class Assignment(NamedTuple):
    """A folder or file, the clusters that it was taken to belong to (none when it was left out), and why."""

    path: str
    clusters: tuple[str, ...]
    why: str


class Group(NamedTuple):
    """A cluster that was found, with its folders and files.

    What GitOps applies to it is in `units`, and `folders` are those of its paths that are taken as a whole.
    """

    name: str
    paths: tuple[str, ...]
    why: str
    units: tuple[Unit, ...] = ()
    folders: tuple[str, ...] | None = None

    @property
    def whole(self) -> tuple[str, ...]:
        """The paths below which all is taken."""
        return self.paths if self.folders is None else self.folders


def find(arguments: Mapping[str, Sequence[str]], sections: Mapping[str, Sequence[str]], ground: Ground) -> tuple[Group, ...]:
    """The clusters by the first way that finds any; `arguments` and `sections` are those that were named, by their paths."""
    return next(groups for groups in _ways(arguments, sections, ground) if groups)


def _ways(arguments: Mapping[str, Sequence[str]], sections: Mapping[str, Sequence[str]], ground: Ground) -> Iterator[tuple[Group, ...]]:
    """What each way of finding clusters gives, the surest first; the last always gives one."""
    yield tuple(Group(name, tuple(paths), "named as an argument") for name, paths in arguments.items())
    yield tuple(Group(name, tuple(paths), "named in the settings") for name, paths in sections.items())
    yield ground.gitops()
    for words in _CONVENTIONS:
        yield _by_convention(ground, words)
    yield _siblings(ground)
    yield _snapshots(ground)
    yield (Group(ground.name, (ground.root,), UNDIVIDED),)


def _by_convention(ground: Ground, words: Sequence[str]) -> tuple[Group, ...]:
    """The folders below `clusters` and the like; folders of one name are one cluster, unless each has the same objects and its own others.

    Overlays may as well be variants of a part of one cluster: where most of Istio's objects are in none of them, they are.
    """
    named = {folder for folder in ground.folders if os.path.basename(folder) in words and _depth(ground.root, folder) <= _DEPTH + 1}
    outer = topmost(named)
    outer |= {folder for folder in ground.folders if os.path.dirname(folder) in outer and os.path.basename(folder) in WORDS}
    found = _without_bases(ground, [folder for folder in ground.folders if os.path.dirname(folder) in outer and folder not in outer])
    if not any(ground.holds(folder) for folder in found) or (words == _OVERLAYS and not _span_most(ground, found)):
        return ()
    alike: dict[str, list[str]] = {}
    for folder in found:
        alike.setdefault(os.path.basename(folder), []).append(folder)
    groups: dict[str, list[str]] = {}
    for name, those in alike.items():
        told_apart = {f"{_parent(os.path.dirname(folder))}-{name}": [folder] for folder in those}
        apart = words != _OVERLAYS and 1 < len(told_apart) == len(those) and ground.clash(those) and not ground.entangled(those)
        groups |= told_apart if apart else {name: those}
    return tuple(Group(name, tuple(those), f"a folder of `{_parent(those[0])}/`") for name, those in sorted(groups.items()))


def _span_most(ground: Ground, folders: Sequence[str]) -> bool:
    spanned = {*folders, *(path for folder in folders for path in ground.leads(folder))}
    inside = [not spanned.isdisjoint(upwards(path)) for path in ground.meshed()]
    return 2 * sum(inside) >= len(inside)


def _parent(folder: str) -> str:
    return os.path.basename(os.path.dirname(folder))


def _siblings(ground: Ground) -> tuple[Group, ...]:
    """The direct child folders that hold Istio objects, when they are several; of `docs` and the like only beside less than two.

    They are parts of one cluster if one needs what only others have, or if GitOps applies them all to the one that it runs in.
    """
    children = [folder for folder in ground.folders if os.path.dirname(folder) == ground.root and ground.holds(folder)]
    applied = [folder for folder in children if os.path.basename(folder) not in _TRIED]
    found = _without_bases(ground, applied if len(applied) > 1 else children)
    if len(found) < 2 or ground.entangled(found) or ground.are_applied_together(found):
        return ()
    return tuple(Group(os.path.basename(folder), (folder,), "one of several folders that hold Istio objects") for folder in found)


def _snapshots(ground: Ground) -> tuple[Group, ...]:
    named = {os.path.splitext(os.path.basename(file))[0]: file for file in ground.snapshots()}
    found = tuple(Group(name, (file,), "a snapshot: what other files have, too, has another `uid` here") for name, file in named.items())
    return found if len(found) > 1 else ()


def _without_bases(ground: Ground, folders: Sequence[str]) -> list[str]:
    """Leave out what others are built on: a folder that another one's kustomization lists, as a whole or in parts."""
    led = {folder: set(ground.leads(folder)) for folder in folders}
    whole: set[str] = set()
    parts: set[str] = set()
    for folder, paths in led.items():
        for path in paths:
            into = {above for above in upwards(path) if above in led and above != folder}
            whole |= into & {path}
            parts |= into - {path}
    bases = whole | {folder for folder in parts if folder not in led[folder]}
    return [folder for folder in folders if folder not in bases] or list(folders)


def _depth(root: str, folder: str) -> int:
    return folder[len(root.rstrip(os.sep)) :].count(os.sep)
