"""One run over the disk: the settings that hold, the clusters that are found, and the files of each."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from mirrorlint.cache.shelf import Shelf
from mirrorlint.cache.trail import Trail
from mirrorlint.fleet import BlindSpot
from mirrorlint.loading import clusters, files, settings
from mirrorlint.loading.clusters import Assignment, Group
from mirrorlint.loading.disk import Disk
from mirrorlint.loading.index import Index
from mirrorlint.loading.kustomize import Reach, reach
from mirrorlint.loading.objects import Content
from mirrorlint.loading.paths import upwards, within
from mirrorlint.loading.peers import Peers
from mirrorlint.loading.settings import ClusterSection, Settings

_LEFT_OUT = "in the folder of no cluster"


class Share(NamedTuple):
    """A cluster's part of the files: what those hold that are judged for it, by the file, and all that it touches."""

    cluster: str
    contents: Mapping[str, Content]
    touched: frozenset[str]


class Means(NamedTuple):
    """How a run may read: in so many processes, with what earlier runs kept, and what is staged in the repository of an index."""

    jobs: int = 1
    cached: bool = False
    staging: Index | None = None


class Reading:
    """What a run reads.

    `sections` are what the settings say of the clusters, `groups` the clusters, `shares` their files, `blind_spots` what was left out or
    could not be read as a whole.
    """

    def __init__(self, root: str, arguments: Mapping[str, Sequence[str]], config: str, means: Means) -> None:
        """`root` is the repository that clusters are found in, unless there are `arguments`; all paths are absolute."""
        asked = [path for paths in arguments.values() for path in paths] if arguments else [root]
        self.settings, unused = find_settings(asked, config, means.staging)
        self._root, self._arguments = root, arguments
        shelf = Shelf(os.path.basename(files.repository(asked[0]))) if means.cached else None
        self._disk = Disk(means.jobs, shelf, means.staging)
        self._disk.probes |= {os.path.join(above, settings.FILE) for path in asked for above in upwards(_folder(path))}
        self._reached: dict[tuple[str, ...], Reach] = {}
        self._disk.add(*asked)
        self.sections = self.settings.clusters if arguments or config or self._concerned() else {}
        found, missing = self._find()
        self.groups = tuple(found)
        self.peers = Peers(root, {} if arguments else self.sections, {group.name for group in found})
        self._disk.probes |= self.peers.probes
        self.shares = [self._share(group) for group in self.groups]
        left_out = self._left_out()
        self.blind_spots = (*unused, *missing, *self.peers.blind_spots, *self._gaps(), *self._unread(), *_outside(left_out))
        assigned = self._assignments({os.path.dirname(path) for path, each in left_out.items() if _counts(each)})
        self.assignments = (*assigned, *self.peers.assignments)
        if shelf:
            shelf.keep()

    def _find(self) -> tuple[list[Group], list[BlindSpot]]:
        """The clusters, and what settings name that is not there."""
        told = {} if self._arguments else self.sections
        peers = {name: os.path.abspath(section.peer) for name, section in told.items() if section.peer}
        named = {name: [os.path.abspath(path) for path in section.paths] for name, section in told.items() if section.paths}
        there = {name: path for name, path in peers.items() if os.path.exists(path)}
        wanted = [path for paths in (*named.values(), there.values()) for path in paths]
        self._disk.probes |= {*wanted, *peers.values()}
        self._disk.add(*(path for path in wanted if not self._disk.below(path)))
        folders = self._disk.folders(self._root) if self._root else []
        name = os.path.basename(_folder(self._root)) or "cluster"
        found = clusters.find(clusters.Ground(self._root, name, self._arguments, named, folders, self._holds, self._leads))
        groups = [group for group in found if group.name not in peers and not (group.name in told and told[group.name].contract)]
        groups += [Group(name, (path,), "a peer named in the settings") for name, path in there.items()]
        return groups, list(_missing(told, {group.name for group in groups}))

    @property
    def staged(self) -> Mapping[str, bytes]:
        """What files hold that were read as they are staged, by the paths that places have."""
        return {files.shown(path): data for path, data in self._disk.staged.items()}

    @property
    def trail(self) -> Trail:
        """What the run depended on."""
        rendered = self._disk.has_charts or any(self._reach(group.paths).hidden for group in self.groups)
        used = {os.path.abspath(self.settings.path)} if self.settings.path else set()
        return Trail(self._disk.listings, frozenset(self._disk.probes | used), not rendered)

    def _concerned(self) -> bool:
        """Whether settings, which may stand further up, speak of what was asked for."""
        paths = [os.path.abspath(path) for section in self.settings.clusters.values() for path in section.paths]
        if not paths or os.path.dirname(os.path.abspath(self.settings.path)) == self._root:
            return True
        return any(within(path, self._root) or within(self._root, path) for path in paths)

    def _holds(self, folder: str) -> bool:
        reached = self._reach((folder,))
        return any(self._disk.content(path).meshed for path in {*self._disk.below(folder), *reached.plain, *reached.hidden})

    def _leads(self, folder: str) -> set[str]:
        reached = self._reach((folder,))
        return {*reached.folders, *reached.plain, *reached.hidden}

    def _reach(self, paths: tuple[str, ...]) -> Reach:
        if paths not in self._reached:
            self._reached[paths] = reach([each for path in paths for each in self._disk.kustomizations(path)], self._disk)
        return self._reached[paths]

    def _own(self, group: Group) -> set[str]:
        return {path for start in group.paths for path in self._disk.below(start)}

    def _share(self, group: Group) -> Share:
        own, reached = self._own(group), self._reach(group.paths)
        judged = sorted((own | reached.plain) - reached.hidden)
        contents = {self._disk.real(path): self._disk.content(path) for path in judged}
        return Share(group.name, contents, frozenset(own | reached.plain | reached.hidden))

    def _left_out(self) -> dict[str, Content]:
        """The files of the repository that no cluster touches."""
        touched = frozenset().union(*(share.touched for share in self.shares))
        return {path: self._disk.content(path) for path in (self._disk.below(self._root) if self._root else ()) if path not in touched}

    def _gaps(self) -> Iterator[BlindSpot]:
        for group in self.groups:
            for node, message in self._reach(group.paths).gaps:
                yield BlindSpot(message, node.place.path, node.place.line, group.name)

    def _unread(self) -> Iterator[BlindSpot]:
        """What is unread, for each cluster that has it, or for all when none does."""
        for path, message in self._disk.unread:
            concerned = [group.name for group in self.groups if self._spans(group, path)]
            for name in concerned or [""]:
                yield BlindSpot(message, files.shown(path), 0, name)

    def _spans(self, group: Group, path: str) -> bool:
        return any(within(path, start) for start in (*group.paths, *self._reach(group.paths).folders))

    def _assignments(self, left_out: Iterable[str]) -> Iterator[Assignment]:
        rows: dict[str, list[tuple[str, str]]] = {}
        for group, share in zip(self.groups, self.shares, strict=True):
            more = {os.path.dirname(path) for path in share.touched - self._own(group)}
            for path in dict.fromkeys(group.paths):
                rows.setdefault(path, []).append((group.name, group.why))
            for path in more:
                rows.setdefault(path, []).append((group.name, "listed by a kustomization"))
        for path in left_out:
            rows.setdefault(path, [("", _LEFT_OUT)])
        for path, row in sorted(rows.items()):
            yield Assignment(files.shown(path), tuple(name for name, _ in row if name), row[0][1])


def find_settings(paths: Iterable[str], config: str, index: Index | None = None) -> tuple[Settings, list[BlindSpot]]:
    """The settings for some paths, those of the working directory first, and which others there are; of an index those that are staged."""
    if config:
        return settings.read(files.shown(os.path.abspath(config))), []
    ordered = sorted(paths, key=lambda path: not within(path, os.getcwd()))
    found = [each for each in dict.fromkeys(_nearest(path, index) for path in ordered) if each]
    if not found:
        return Settings(), []
    (path, staged), *others = [(files.shown(path), data) for path, data in found]
    unused = [BlindSpot(f"these settings are not used, since those of `{path}` are", other) for other, _ in others]
    return settings.read(path) if staged is None else settings.parse_settings(staged, path, os.path.exists), unused


def _nearest(path: str, index: Index | None) -> tuple[str, bytes | None] | None:
    """The settings file of a path, in its folder or further up to the repository's root, with what is staged of it; None for none."""
    top = files.repository(path)
    ours = index if index and index.root == top else None
    for folder in upwards(_folder(path)):
        file = os.path.join(folder, settings.FILE)
        staged = ours.read(file) if ours else None
        if staged is not None or (not ours and os.path.isfile(file)):
            return file, staged
        if folder == top:
            break
    return None


def _folder(path: str) -> str:
    return path if os.path.isdir(path) else os.path.dirname(path)


def _missing(told: Mapping[str, ClusterSection], found: set[str]) -> Iterator[BlindSpot]:
    for name, section in told.items():
        if section.contract:
            continue
        if section.peer and name not in found:
            path = section.peer.replace(os.sep, "/")
            yield BlindSpot(f"the peer `{name}` is not here, so what it accepts is not known", path, 0, name)
        elif name not in found:
            yield BlindSpot(f"the settings speak of a cluster `{name}`, but no folder of it was found", "", 0, name)


def _counts(found: Content) -> bool:
    return bool(found.manifests or found.faults)


def _outside(left_out: Mapping[str, Content]) -> Iterator[BlindSpot]:
    folders: dict[str, list[str]] = {}
    for path, found in left_out.items():
        if _counts(found):
            folders.setdefault(os.path.dirname(path), []).append(path)
    for folder, paths in folders.items():
        if len(paths) == 1:
            yield BlindSpot(f"this file is {_LEFT_OUT}, so its objects are not judged", files.shown(paths[0]))
        else:
            yield BlindSpot(f"{len(paths)} files here are {_LEFT_OUT}, so their objects are not judged", files.shown(folder))
    for broken in (broken for found in left_out.values() for broken in found.unclear):
        yield BlindSpot(broken.message, broken.place.path, broken.place.line)
