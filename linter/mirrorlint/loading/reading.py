"""One run over the disk: the settings that hold, the clusters that are found, and the files of each."""

from __future__ import annotations

import os
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

from mirrorlint.cache.shelf import Shelf
from mirrorlint.cache.trail import Trail
from mirrorlint.fleet import BlindSpot
from mirrorlint.loading import clusters, files, settings, told
from mirrorlint.loading.applied import Applied
from mirrorlint.loading.clusters import Assignment, Group
from mirrorlint.loading.disk import Disk
from mirrorlint.loading.files import Unread
from mirrorlint.loading.ground import Ground
from mirrorlint.loading.harvest import Harvest
from mirrorlint.loading.means import Means
from mirrorlint.loading.objects import Content
from mirrorlint.loading.paths import CHART, upwards, within
from mirrorlint.loading.peers import Peers, holds_contract, with_contracts
from mirrorlint.loading.settings import ClusterSection
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
        self._config, self._index = config, means.staging
        self.settings, unused = told.find(asked, config, self._index)
        contracts = {name: paths[0] for name, paths in arguments.items() if len(paths) == 1 and holds_contract(paths[0])}
        self._root, self._arguments = root, {name: paths for name, paths in arguments.items() if name not in contracts}
        shelf = Shelf(os.path.basename(files.repository(asked[0]))) if means.cached else None
        self._disk = Disk(means, shelf)
        names = settings.FILE, settings.MISNAMED
        self._disk.look(*(os.path.join(above, name) for path in asked for above in upwards(files.folder_of(path)) for name in names))
        self._applied = Applied(asked, self._disk, cached=means.cached)
        self._ground = Ground(root, self._disk, self._applied)
        self._disk.add(*(path for path in asked if path not in contracts.values()))
        self.sections, unusable = self._told()
        found, missing = self._find()
        found, more = self._as_told(found)
        found = [self._namesake(group) for group in found]
        self.groups, adrift = self._applied.assigned(found, self._root)
        named = [path for paths in self._arguments.values() for path in paths]
        self.peers = Peers(root, named, contracts, {} if arguments else self.sections, {group.name for group in found}, self._index)
        self._disk.look(*self.peers.probes)
        self._harvest = Harvest(self.groups, self._disk, self._applied.units, means)
        self.shares = list(self._harvest.shares.values())
        unlisted = self._harvest.unlisted
        left_out = self._left_out(unlisted)
        self.blind_spots = (*unused, *unusable, *more, *missing, *self._blind_spots(adrift, left_out, unlisted))
        assigned = self._assignments({os.path.dirname(path) for path, each in left_out.items() if each.counts})
        self.assignments = (*assigned, *self.peers.assignments)
        if shelf:
            means.crew.beside(shelf.keep)

    def _told(self) -> tuple[dict[str, ClusterSection], list[BlindSpot]]:
        """What settings say of the clusters, and what is not used of them; of clusters that are arguments they may say other paths."""
        if not self._root:
            own, unusable = told.of_clusters(self._arguments, self.settings, self._config, self._index)
            self._arguments = {name: [*map(os.path.abspath, own[name].paths)] or those for name, those in self._arguments.items()}
            return {**self.settings.clusters, **own}, unusable
        said = with_contracts(self.settings.clusters) if self._config or self._concerned() else {}
        return told.of_peers(said, self.settings, self._disk.look)

    def _find(self) -> tuple[list[Group], list[BlindSpot]]:
        """The clusters, and what settings name that is not there."""
        sections = self.sections if self._root else {}
        peers = {name: os.path.abspath(section.peer) for name, section in sections.items() if section.peer}
        paths = {name: [os.path.abspath(path) for path in section.paths] for name, section in sections.items() if section.paths}
        named = {name: those for name, those in paths.items() if name not in peers}
        there = {name: paths.get(name, [path]) for name, path in peers.items() if files.is_there(path)}
        wanted = [path for those in (*named.values(), *there.values()) for path in those]
        self._disk.look(*wanted, *peers.values())
        self._disk.add(*(path for path in wanted if not self._disk.below(path)))
        found = clusters.find(self._arguments, named, self._ground) if self._root or self._arguments else ()
        groups = [group for group in found if group.name not in peers and not (group.name in sections and sections[group.name].contract)]
        groups += [Group(name, tuple(those), "a peer named in the settings") for name, those in there.items()]
        return groups, list(_missing(sections, {group.name for group in groups}))

    def _as_told(self, found: Sequence[Group]) -> tuple[list[Group], list[BlindSpot]]:
        """The clusters that are folders with settings of their own as those tell."""
        unknown = {group.name: group.paths for group in found if group.name not in self.sections}
        self._disk.look(*(os.path.join(above, settings.FILE) for paths in unknown.values() for above in upwards(paths[0])))
        elsewhere = told.elsewhere(unknown, self.settings, self._index)
        own, unused = told.of_clusters(elsewhere, self.settings, self._config, self._index)
        self.sections = {**self.sections, **own}
        paths = {name: tuple(map(os.path.abspath, section.paths)) for name, section in own.items() if section.paths}
        return [group._replace(paths=paths.get(group.name, group.paths)) for group in found], unused

    def _namesake(self, group: Group) -> Group:
        """A cluster that is named with a repository of several, as the GitOps objects there have it that is called so."""
        if group.units or len(group.paths) != 1 or group.paths[0] == self._root:
            return group
        there = Ground(group.paths[0], self._disk, self._applied).gitops()
        return next((each for each in there if each.name == group.name and len(there) > 1), group)

    @property
    def staged(self) -> Mapping[str, bytes]:
        """What files hold that were read as they are staged, by the paths that places have."""
        return {files.shown(path): data for path, data in {**self._disk.staged, **self.peers.staged}.items()}

    @property
    def trail(self) -> Trail:
        """What the run depended on."""
        used = {os.path.abspath(self.settings.path)} if self.settings.path else set()
        return Trail(
            self._disk.listings, frozenset(self._disk.probes | used), self._disk.plain, not (self._harvest.failed or self._disk.untold)
        )

    def _concerned(self) -> bool:
        """Whether settings, which may stand further up, speak of what was asked for."""
        paths = [os.path.abspath(path) for section in self.settings.clusters.values() for path in section.paths]
        if not paths or os.path.dirname(os.path.abspath(self.settings.path)) == self._root:
            return True
        return any(within(path, self._root) or within(self._root, path) for path in paths)

    def _own(self, group: Group) -> set[str]:
        return {path for start in group.paths for path in self._disk.below(start)}

    def _left_out(self, unlisted: Iterable[str]) -> dict[str, Content]:
        """The files of the repository that no cluster touches, without those of which it is known that nothing applies them."""
        touched = frozenset(unlisted).union(*(share.touched for share in self.shares))
        return {path: self._disk.content(path) for path in (self._disk.below(self._root) if self._root else ()) if path not in touched}

    def _blind_spots(
        self, adrift: Iterable[tuple[str, Gap]], left_out: Mapping[str, Content], unlisted: Mapping[str, Content]
    ) -> Iterator[BlindSpot]:
        """What could not be read, and what is in no cluster."""
        yield from self.peers.blind_spots
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
        shares = {share.cluster: share for share in self.shares}
        for group in self.groups:
            applied = {source.path: f"applied by {unit.name}" for unit in group.units for source in unit.sources}
            whys = {**applied, **{path: group.why for path in group.paths if path in group.whole or path not in applied}}
            others = shares[group.name].touched - self._own(group)
            listed = {os.path.dirname(path) for path in others - shares[group.name].values}
            for path, why in whys.items():
                rows.setdefault(path, []).append((group.name, why))
            more = {os.path.dirname(path) for path in others}
            for path in (path for path in more if not any(within(path, start) for start in applied)):
                rows.setdefault(path, []).append((group.name, self._why(path, listed)))
        for path in left_out:
            rows.setdefault(path, [("", _LEFT_OUT)])
        for path, row in sorted(rows.items()):
            for why in dict.fromkeys(why for _, why in row):
                yield Assignment(files.shown(path), tuple(name for name, each in row if name and each == why), why)

    def _why(self, folder: str, listed: Container[str]) -> str:
        """Why files are read of a folder that nothing applies; in those `listed` not all are values of charts."""
        if any(within(folder, chart) for chart in self._disk.charts):
            return "a part of a chart"
        return "listed by a kustomization" if folder in listed else "values of a chart"


def _is_library(chart: str, disk: Disk) -> bool:
    """Whether a chart has nothing of its own to install, but what others include (helm.sh/docs/topics/library_charts)."""
    return any(document["type"].text == "library" for document in disk.documents(os.path.join(chart, CHART))[:1])


def _missing(told: Mapping[str, ClusterSection], found: set[str]) -> Iterator[BlindSpot]:
    for name, section in told.items():
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
