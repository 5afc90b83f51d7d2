"""Which clusters the GitOps objects at hand are for, however the clusters were found."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING

from mirrorlint.fleet import Manifest
from mirrorlint.loading import files, flux, gitops
from mirrorlint.loading.clusters import Group
from mirrorlint.loading.disk import Disk
from mirrorlint.loading.kustomize import outermost, patches, reach, roots
from mirrorlint.loading.land import Found, Land
from mirrorlint.loading.paths import upwards, within
from mirrorlint.loading.units import HELM, Gap, Source, Unit, nowhere

if TYPE_CHECKING:
    from mirrorlint.loading.apps import Apps


class Applied:
    """Reads the GitOps objects of what was asked for; each repository is one land."""

    def __init__(self, asked: Sequence[str], disk: Disk, *, cached: bool) -> None:
        """`asked` are the absolute paths that were asked for; `cached` is whether renders are kept."""
        self._asked, self._disk, self._cached = asked, disk, cached
        self._lands: dict[str, Land] = {}
        self._apps: Apps | None = None
        self._read: dict[tuple[object, ...], Sequence[Unit]] = {}

    def groups(self, root: str) -> tuple[Group, ...]:
        """The clusters that the objects below a folder speak of."""
        land = self._land(root)
        folders = {gitops.cluster_folder(each.file, land) for each in self._disk.kustomizations(root)} - {""}
        every = self._whole(self.units(self._telling([root])), folders)
        return gitops.groups([*every, *_named(self._made(every)[0])], land)

    def paths(self, root: str) -> list[str]:
        """The paths of what the objects below a folder apply, of those in bases, too; or the folder that is above a path with variables.

        Of charts whose values are not known yet, too.
        """
        told, land = self._telling([root]), self._land(root)
        more = [flux.above(manifest.node, land) for manifest, _ in told if flux.waits(manifest.node["spec"]["path"])]
        more += [flux.own_chart(manifest.node, land) for manifest, _ in told if manifest.kind == "HelmRelease"]
        every = (*self.units(told), *self._made(self.units(told))[0])
        return list(dict.fromkeys((*(source.path for unit in every for source in unit.sources), *filter(None, more))))

    def together(self, root: str, folders: Sequence[str]) -> bool:
        """Whether objects of one folder, which is in none of `folders`, apply something of each of them, and name no cluster for it."""
        applied: dict[str, set[str]] = {}
        for unit in self.units(self._telling([root])):
            holder = os.path.dirname(unit.file)
            if not (unit.cluster or any(within(holder, folder) for folder in folders)):
                meant = {folder for folder in folders for source in unit.sources if within(source.path, folder)}
                applied[holder] = applied.get(holder, set()) | meant
        return any(meant >= set(folders) for meant in applied.values())

    def assigned(self, found: Sequence[Group], root: str) -> tuple[tuple[Group, ...], list[tuple[str, Gap]]]:
        """Clusters with what is applied to them, where that is not what they were found by; and what is applied to none ("").

        What is not known of charts that apply more, and are for none, may be for each.
        """
        paths = [*([root] if root else ()), *(path for group in found for path in group.paths)]
        every = self._whole(self.units(self._telling(paths)), [path for group in found for path in group.whole])
        every += _named(self._made(every)[0])
        bare = [group for group in found if not group.units]
        meant = [(unit, [group.name for group in _meant(unit, bare)]) for unit in _besides(found, every)] if bare else []
        found = [group if group.units else group._replace(units=tuple(u for u, names in meant if group.name in names)) for group in found]
        adrift = _besides(found, every)
        gaps = [("", gap) for unit in adrift for gap in (unit.gaps or ((nowhere(unit),) if any(map(self._counts, unit.sources)) else ()))]
        return tuple(found), [*gaps, *((group.name, gap) for gap in self._made(adrift)[1] for group in found)]

    def _counts(self, source: Source) -> bool:
        """Whether there may be more to judge in what a source applies than what objects of GitOps in it apply in turn."""
        contents = map(self._disk.content, self._disk.below(source.path))
        made = source.how == HELM or bool(self._disk.kustomizations(source.path))
        return made or any(each.counts or each.unclear or each.waiting for each in contents)

    def units(self, found: Found, start: str = "") -> Sequence[Unit]:
        """What objects apply, each as the repository of its file has it; all of them may be applied from a folder."""
        key = (*found, start)
        if key not in self._read:
            self._read[key] = list(self._units(found, start))
        return self._read[key]

    @property
    def rendered(self) -> set[str]:
        """The charts of Applications that were rendered."""
        return self._apps.rendered if self._apps else set()

    def _made(self, applied: Iterable[Unit]) -> tuple[Sequence[Unit], Sequence[Gap]]:
        """What the charts of Applications that units apply are rendered to apply, and why others are not rendered."""
        charts = [unit for unit in applied if any(source.how == HELM for source in unit.sources)]
        if not charts:
            return (), ()
        if self._apps is None:
            from mirrorlint.loading.apps import Apps  # noqa: PLC0415 - most repositories have no such charts

            self._apps = Apps(self._disk, self.units, cached=self._cached)
        return self._apps.made(charts)

    def _whole(self, every: Sequence[Unit], folders: Collection[str]) -> list[Unit]:
        """Leave out what is but a part of a kustomization that another unit applies, or that is in one of the `folders` of clusters.

        It counts as that makes it, where that is applied; what names its cluster does so wherever it is.
        """
        paths = {source.path for unit in every for source in unit.sources}
        alone = {unit.file for unit in every if paths.isdisjoint(upwards(unit.file))}
        parts = {file for path in paths for file in self._reached(path)} & alone if alone else set()
        stray = {unit.file for unit in every if not unit.cluster and not any(within(unit.file, folder) for folder in folders)} - parts
        if stray:
            own = [each for folder in folders for each in self._disk.kustomizations(folder) if paths.isdisjoint(upwards(each.folder))]
            parts |= reach(roots(own), self._disk).files & stray
        return [unit for unit in every if unit.file not in parts]

    def _reached(self, path: str) -> AbstractSet[str]:
        start = self._disk.kustomization(path)
        return reach([start] if start else outermost(self._disk.kustomizations(path)), self._disk).files

    def _units(self, found: Found, start: str) -> Iterator[Unit]:
        of: dict[str, list[tuple[Manifest, str]]] = {}
        for manifest, file in found:
            of.setdefault(files.repository(file), []).append((manifest, file))
        for those in of.values():
            yield from gitops.units(self._land(those[0][1]), those, start)

    def _telling(self, paths: Iterable[str]) -> Found:
        """The objects below some paths, with their files; a patch of one is none."""
        starts = list(paths)
        every = dict.fromkeys(path for start in starts for path in self._disk.telling(start))
        found = [(manifest, path) for path in every for manifest in self._disk.content(path).tells]
        changes = {path for start in starts for each in self._disk.kustomizations(start) for path in patches(each)} if found else set()
        return [(manifest, path) for manifest, path in found if path not in changes]

    def _land(self, path: str) -> Land:
        """The repository that a path is in, with the objects of what was asked for of it."""
        top = files.repository(path)
        if top not in self._lands:
            asked = [files.folder_of(start) for start in self._asked if within(start, top)] or [top]
            self._lands[top] = gitops.land(top, asked, self._disk, self._telling(asked))
        return self._lands[top]


def _besides(groups: Sequence[Group], every: Sequence[Unit]) -> list[Unit]:
    """The units that clusters have not yet."""
    theirs = {(unit.node, unit.name, unit.cluster) for group in groups for unit in group.units}
    return [unit for unit in every if (unit.node, unit.name, unit.cluster) not in theirs]


def _named(every: Iterable[Unit]) -> list[Unit]:
    """Those that name their cluster."""
    return [unit for unit in every if unit.cluster]


def _meant(unit: Unit, found: Sequence[Group]) -> list[Group]:
    """The clusters that a unit is for: the one that it names, else those that hold it, else those whose folders it applies."""
    named = [group for group in found if group.name == unit.cluster]
    holding = [group for group in found if not unit.cluster and any(within(unit.file, path) for path in group.paths)]
    applied = [group for group in found if any(within(source.path, path) for source in unit.sources for path in group.paths)]
    return named or holding or applied
