"""One run over the disk: the settings that hold, the clusters that are found, and the files of each."""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

from mirrorlint.cache.shelf import Shelf
from mirrorlint.cache.trail import Trail
from mirrorlint.fleet import BlindSpot
from mirrorlint.loading import clusters, files
from mirrorlint.loading.applied import Applied
from mirrorlint.loading.clusters import Assignment, Group
from mirrorlint.loading.disk import Disk
from mirrorlint.loading.files import Unread
from mirrorlint.loading.ground import Ground
from mirrorlint.loading.harvest import Harvest
from mirrorlint.loading.means import Means
from mirrorlint.loading.objects import Content
from mirrorlint.loading.paths import CHART, within
from mirrorlint.loading.peers import Peers, holds_contract, with_contracts
from mirrorlint.loading.settings import ClusterSection
from mirrorlint.loading.told import Told
from mirrorlint.loading.units import Gap

_LEFT_OUT = "in the folder of no cluster"
_UNLISTED = "listed by no kustomization"
_UNRENDERED = "a Helm chart must be rendered before it can be judged, and nothing here says with which values: nothing in it is read"


class Reading:
    """What a run reads.

    `sections` are what the settings say of the clusters, `groups` the clusters, `shares` their files, `blind_spots` what was left out or
    could not be read as a whole.
    """

    def __init__(self, root: str, arguments: Mapping[str, Sequence[str]], config: str, means: Means) -> None:
        """`root` is the repository that clusters are found in, unless there are `arguments`; all paths are absolute."""
        asked = [path for paths in arguments.values() for path in paths] if arguments else [root]
        self._root, self._told = root, Told(asked, config, means.staging)
        self.settings = self._told.settings
        contracts = {name: paths[0] for name, paths in arguments.items() if len(paths) == 1 and holds_contract(paths[0])}
        named = {name: paths for name, paths in arguments.items() if name not in contracts}
        shelf = Shelf(os.path.basename(files.repository(asked[0]))) if means.cached else None
        self._disk = Disk(means, shelf)
        self._applied = Applied(asked, self._disk, cached=means.cached)
        self._ground = Ground(root, self._disk, self._applied)
        self._disk.add(*(path for path in asked if path not in contracts.values()))
        self.sections = self._sections(named, config)
        named = {name: [*map(os.path.abspath, self.sections[name].paths)] or those for name, those in named.items()}
        found = [self._namesake(group) for group in self._as_told(self._find(named))]
        self.groups, adrift = self._applied.assigned(found, root)
        starts = [path for paths in named.values() for path in paths]
        if root:
            contracts = {name: os.path.abspath(section.contract) for name, section in self.sections.items() if section.contract}
        self.peers = Peers(root, starts, contracts, {group.name for group in found}, means.staging)
        self._disk.look(*self._told.probes, *self.peers.probes)
        self._harvest = Harvest(self.groups, self._disk, self._applied.units, means)
        self.shares = list(self._harvest.shares.values())
        unlisted = self._harvest.unlisted
        left_out = self._left_out(unlisted)
        self.blind_spots = tuple(self._blind_spots(adrift, left_out, unlisted))
        self.assignments = tuple(self._assignments({os.path.dirname(path) for path, each in left_out.items() if each.counts}))
        if shelf:
            means.crew.beside(shelf.keep)

    def _sections(self, named: Mapping[str, Sequence[str]], config: str) -> dict[str, ClusterSection]:
        """What settings say of the clusters; of those that are `named` as arguments they may say other paths."""
        if not self._root:
            return {**self.settings.clusters, **self._told.of_clusters(named)}
        said = with_contracts(self.settings.clusters) if config or self._concerned() else {}
        return self._told.of_peers(said)

    def _find(self, named: Mapping[str, Sequence[str]]) -> list[Group]:
        """The clusters."""
        sections = self.sections if self._root else {}
        peers = {name: os.path.abspath(section.peer) for name, section in sections.items() if section.peer}
        paths = {name: [os.path.abspath(path) for path in section.paths] for name, section in sections.items() if section.paths}
        told = {name: those for name, those in paths.items() if name not in peers}
        there = {name: paths.get(name, [path]) for name, path in peers.items() if files.is_there(path)}
        wanted = [path for those in (*told.values(), *there.values()) for path in those]
        self._disk.look(*wanted, *peers.values())
        self._disk.add(*(path for path in wanted if not self._disk.below(path)))
        found = clusters.find(named, told, self._ground) if self._root or named else ()
        groups = [group for group in found if group.name not in peers and not (group.name in sections and sections[group.name].contract)]
        return [*groups, *(Group(name, tuple(those), "a peer named in the settings") for name, those in there.items())]

    def _as_told(self, found: Sequence[Group]) -> list[Group]:
        """The clusters that are folders with settings of their own as those tell."""
        unknown = {group.name: group.paths for group in found if group.name not in self.sections}
        own = self._told.of_folders(unknown)
        self.sections = {**self.sections, **own}
        paths = {name: tuple(map(os.path.abspath, section.paths)) for name, section in own.items() if section.paths}
        return [group._replace(paths=paths.get(group.name, group.paths)) for group in found]

    def _namesake(self, group: Group) -> Group:
        """A cluster that is named with a repository of several, as the GitOps objects there have it that is called so."""
        if group.units or len(group.paths) != 1 or group.paths[0] == self._root:
            return group
        there = Ground(group.paths[0], self._disk, self._applied).gitops()
        return next((each for each in there if each.name == group.name and len(there) > 1), group)

    @property
    def trail(self) -> Trail:
        """What the run depended on."""
        return self._disk.trail

    @property
    def staged(self) -> Mapping[str, bytes]:
        """What files hold that were read as they are staged, by the paths that places have."""
        return {files.shown(path): data for path, data in {**self._disk.staged, **self.peers.staged}.items()}

    def _concerned(self) -> bool:
        """Whether settings, which may stand further up, speak of what was asked for."""
        paths = [os.path.abspath(path) for section in self.settings.clusters.values() for path in section.paths]
        if not paths or os.path.dirname(os.path.abspath(self.settings.path)) == self._root:
            return True
        return any(within(path, self._root) or within(self._root, path) for path in paths)

    def _left_out(self, unlisted: Iterable[str]) -> dict[str, Content]:
        """The files of the repository that no cluster touches, without those of which it is known that nothing applies them."""
        touched = frozenset(unlisted).union(*(share.touched for share in self.shares))
        return {path: self._disk.content(path) for path in (self._disk.below(self._root) if self._root else ()) if path not in touched}

    def _blind_spots(
        self, adrift: Iterable[tuple[str, Gap]], left_out: Mapping[str, Content], unlisted: Mapping[str, Content]
    ) -> Iterator[BlindSpot]:
        """What could not be read, and what is in no cluster."""
        yield from (*self._told.unused, *self.peers.blind_spots)
        yield from _missing(self.sections, {group.name for group in self.groups}) if self._root else ()
        yield from self._gaps(dict.fromkeys((*adrift, *(("", gap) for gap in self._harvest.adrift))))
        yield from self._unread()
        yield from _outside(left_out, _LEFT_OUT)
        yield from _outside(unlisted, _UNLISTED)

    def _gaps(self, adrift: Iterable[tuple[str, Gap]]) -> Iterator[BlindSpot]:
        found = {share.cluster: dict(share.gaps) for share in self.shares}
        for name, gap in adrift:
            found.setdefault(name, {})[gap] = None
        for name, gaps in found.items():
            alike: dict[str, list[Gap]] = {}
            for gap in gaps:
                alike.setdefault(gap.alike or f"{gap.node.place} {gap.message}", []).append(gap)
            for first, *more in alike.values():
                message = f"{first.message} (and {len(more)} more)" if more else first.message
                yield BlindSpot.at(first.node.place, message, name, first.holds)

    def _unread(self) -> Iterator[BlindSpot]:
        """What is unread, for each cluster that has it, or for all when none does."""
        rendered = {path for share in self.shares for path in share.touched}
        unknown = {path for path in self._disk.charts - self._applied.rendered if not _is_library(path, self._disk)}
        charts = [Unread(path, _UNRENDERED) for path in unknown if rendered.isdisjoint(self._disk.listed(path))]
        for path, message, _ in sorted({*self._disk.unread, *charts}):
            concerned = [group.name for group in self.groups if self._spans(group, path)]
            for name in concerned or [""]:
                yield BlindSpot(message, files.shown(path), 0, name)

    def _spans(self, group: Group, path: str) -> bool:
        return any(within(path, start) for start in (*group.paths, *self._ground.reach(group.paths).folders))

    def _assignments(self, left_out: Iterable[str]) -> Iterator[Assignment]:
        rows: dict[str, list[tuple[str, str]]] = {}
        for group in self.groups:
            for path, why in self._reasons(group):
                rows.setdefault(path, []).append((group.name, why))
        for path in left_out:
            rows.setdefault(path, [("", _LEFT_OUT)])
        for path, row in sorted(rows.items()):
            for why in dict.fromkeys(why for _, why in row):
                yield Assignment(files.shown(path), tuple(name for name, each in row if name and each == why), why)
        yield from self.peers.assignments

    def _reasons(self, group: Group) -> Iterator[tuple[str, str]]:
        """The folders and files of a cluster, each with why it is read."""
        share = self._harvest.shares[group.name]
        applied = {source.path: f"applied by {unit.name}" for unit in group.units for source in unit.sources}
        own = {path: group.why for path in group.paths if path in group.whole or path not in applied}
        yield from {**applied, **own}.items()
        others = share.touched - {path for start in group.paths for path in self._disk.below(start)}
        listed = {os.path.dirname(path) for path in others - share.values}
        for folder in {os.path.dirname(path) for path in others}:
            if not any(within(folder, start) for start in applied):
                yield folder, self._why(folder, listed)

    def _why(self, folder: str, listed: Container[str]) -> str:
        """Why files are read of a folder that nothing applies; in those `listed` not all are values of charts."""
        if any(within(folder, chart) for chart in self._disk.charts):
            return "a part of a chart"
        return "listed by a kustomization" if folder in listed else "values of a chart"


def _is_library(chart: str, disk: Disk) -> bool:
    """Whether a chart has nothing of its own to install, but what others include (helm.sh/docs/topics/library_charts)."""
    return any(document["type"].text == "library" for document in disk.documents(os.path.join(chart, CHART))[:1])


def _missing(sections: Mapping[str, ClusterSection], found: set[str]) -> Iterator[BlindSpot]:
    """What settings name that is not there."""
    for name, section in sections.items():
        if section.contract or name in found:
            continue
        if section.peer:
            path = section.peer.replace(os.sep, "/")
            yield BlindSpot(f"the peer `{name}` is not here, so what it accepts is not known", path, 0, name)
        else:
            yield BlindSpot(f"the settings speak of a cluster `{name}`, but no folder of it was found", "", 0, name)


def _outside(left_out: Mapping[str, Content], why: str) -> Iterator[BlindSpot]:
    folders: dict[str, list[str]] = {}
    for path, found in left_out.items():
        if found.counts:
            folders.setdefault(os.path.dirname(path), []).append(path)
    for folder, paths in folders.items():
        if len(paths) == 1:
            yield BlindSpot(f"this file is {why}, so its objects are not judged", files.shown(paths[0]))
        else:
            yield BlindSpot(f"{len(paths)} files here are {why}, so their objects are not judged", files.shown(folder))
    for broken in (broken for found in left_out.values() for broken in found.unclear):
        yield BlindSpot.at(broken.place, broken.message)
