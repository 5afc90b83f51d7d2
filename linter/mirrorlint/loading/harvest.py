"""What each cluster gets: the files of its folders, and what GitOps applies to it, rendered where that is needed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from mirrorlint.loading.clusters import Group
from mirrorlint.loading.disk import Disk
from mirrorlint.loading.flux import filled_in
from mirrorlint.loading.held import Held, held, is_object
from mirrorlint.loading.land import Found
from mirrorlint.loading.means import Means
from mirrorlint.loading.objects import Content, adapted
from mirrorlint.loading.paths import upwards, within
from mirrorlint.loading.units import ARGO, FLUX, FOLDER, Gap, Installed, Source, Unit, literal, nowhere

if TYPE_CHECKING:
    from mirrorlint.loading.builds import Build
    from mirrorlint.loading.renders import Output, Render

MAX_ROUNDS = 16
Units = Callable[[Found, str], Iterable[Unit]]


class Share:
    """A cluster's part: what is judged for it, by what it was read from, the files that it touches, and what could not be read.

    `values` are those of the files that charts are rendered with.
    """

    def __init__(self, cluster: str) -> None:
        """Nothing is read yet."""
        self.cluster = cluster
        self.contents: dict[tuple[str, ...], Content] = {}
        self.touched: set[str] = set()
        self.values: set[str] = set()
        self.read: set[str] = set()
        self.gaps: dict[Gap, None] = {}
        self.charts: dict[object, Sequence[Installed]] = {}


class Harvest:
    """Follows sources from cluster to cluster; `shares` are the clusters, by name, `adrift` is what is for none of them."""

    def __init__(self, groups: Sequence[Group], disk: Disk, units: Units, means: Means) -> None:
        """`units` reads GitOps objects with their files, given the folder that they are applied from."""
        self._disk, self._units, self._means = disk, units, means
        self.adrift: dict[Gap, None] = {}
        self._began = time.monotonic()
        self._done: set[tuple[str, Source]] = set()
        self._seen: set[str] = set()
        self._listed: set[str] = set()
        self._unlisted: set[str] = set()
        self._called = {unit.cluster: group.name for group in groups for unit in group.units if unit.cluster}
        self._folders = {group.name: group.paths for group in groups}
        self._open = any(group.folders is not None for group in groups)
        self.shares = {group.name: Share(group.name) for group in groups}
        self._covered = frozenset(source.path for group in groups for unit in group.units for source in unit.sources)
        self._gather(groups)

    def _gather(self, groups: Sequence[Group]) -> None:
        """Go from what nothing else applies to what that applies; an object counts as it is read or rendered on the way, in each cluster.

        What nothing was found to apply after all comes last.
        """
        waiting = [(group.name, Source(path)) for group in groups for path in group.whole]
        ready, later = _outer([(group.name, unit) for group in groups for unit in group.units])
        for _ in range(MAX_ROUNDS):
            ready = self._round([*waiting, *self._asked(ready)])
            waiting = []
            if not ready:
                ready, later = _outer([pair for pair in later if pair[1].file not in self._seen])
            if not ready:
                return
        for name, unit in [*ready, *later]:
            self.shares[name].gaps[Gap(unit.node, f"{unit.name} comes too deep in what applies what, and is not judged")] = None

    def _asked(self, pairs: Iterable[tuple[str, Unit]]) -> Iterator[tuple[str, Source]]:
        for name, unit in pairs:
            self.shares[name].gaps.update(dict.fromkeys(unit.gaps))
            if unit.charts:
                from mirrorlint.loading.values import given

                self.shares[name].charts[unit.node, unit.name] = [(chart, given(chart.values, self._disk)) for chart in unit.charts]
            yield from ((name, source) for source in unit.sources)

    def _round(self, waiting: Iterable[tuple[str, Source]]) -> list[tuple[str, Unit]]:
        """Read sources; what they render to may apply further ones."""
        parts: list[tuple[str, Source, Held]] = []
        for name, source in waiting:
            key = name, source._replace(owner=None)
            if key not in self._done:
                self._done.add(key)
                parts.append((name, source, held(source, self._covered, self._disk)))
        outputs = self._outputs([build for *_, part in parts for build in part.builds])
        found: list[tuple[str, Unit]] = []
        for name, source, part in parts:
            found += [(name, unit) for unit in self._taken(self.shares[name], source, part, outputs)]
        return [pair for name, unit in found for pair in self._targets(name, unit)]

    def _taken(self, share: Share, source: Source, part: Held, outputs: Mapping[Render, Output]) -> Iterator[Unit]:
        """Give a cluster what a source holds; what that applies."""
        share.touched |= part.touched
        share.values |= set(source.values.files)
        self._listed |= part.listed
        self._unlisted |= part.unlisted
        share.gaps.update(dict.fromkeys(part.gaps))
        share.charts[source] = part.charts
        for plain in sorted(part.plain):
            real = self._disk.real(plain.path)
            made = self._add(share, (real,), self._disk.content(plain.path), source, plain.namespace)
            share.read.add(real)
            told = [(manifest, plain.path) for manifest in made.tells]
            yield from self._followed(told, source) if told else ()
            self._seen.add(plain.path)
        for build in part.builds:
            yield from self._add_build(share, build, outputs[build.render])

    def _outputs(self, wanted: Sequence[Build]) -> Mapping[Render, Output]:
        if not wanted:
            return {}
        from mirrorlint.loading import renders

        outputs = renders.run((build.render for build in wanted), self._began + renders.DEADLINE, cached=self._means.cached)
        self._disk.lasting &= not any(output.error for output in outputs.values())
        return outputs

    def _add(self, share: Share, key: tuple[str, ...], found: Content, source: Source, namespace: str) -> Content:
        variables = None if source.variables is None else dict(source.variables)
        final = adapted(found, namespace, source.namespace, variables)
        share.contents[(*key, namespace, source.namespace, *map(str, source.variables or ()))] = final
        return final

    def _add_build(self, share: Share, build: Build, output: Output) -> Iterable[Unit]:
        from mirrorlint.loading.builds import made

        self._means.spent(f"{build.render.target} (rendered)", output.seconds)
        found = made(build, output, self._disk)
        if isinstance(found, Gap):
            share.gaps[found] = None
            self._add_faults(share, build)
            return ()
        if not build.render.is_chart:
            from mirrorlint.loading.misdirected import misdirected

            share.gaps.update(dict.fromkeys(misdirected(build, found.manifests, self._disk)))
        self._seen |= {*build.render.files, build.render.rendered}
        listed = (file for file in build.render.files if self._disk.below(file))
        comments = [quiet for file in listed for quiet in self._disk.content(file).suppressions]
        found = found._replace(suppressions=tuple(dict.fromkeys((*found.suppressions, *comments))))
        key = (build.render.target, repr(build.render), str(build.node.place))
        content = self._add(share, key, found, build.source, build.namespace)
        share.read |= set(build.render.files)
        return self._followed([(manifest, build.render.rendered) for manifest in content.tells], build.source)

    def _add_faults(self, share: Share, build: Build) -> None:
        """What can't be read of the files that a failed render is made of; templates of charts are no YAML yet."""
        for file in () if build.render.is_chart else build.render.files:
            found = self._disk.content(file) if self._disk.below(file) else None
            if found and found.faults:
                share.contents[self._disk.real(file),] = Content(faults=found.faults, suppressions=found.suppressions)

    def _followed(self, told: Found, source: Source) -> Iterable[Unit]:
        """What the objects of a source apply; in a folder that nothing is known to apply, variables may yet be filled in."""
        units = self._units(told, source.path if source.how in (ARGO, FLUX) else "")
        if source.variables is not None:
            return [filled_in(unit, dict(source.variables)) for unit in units]
        return units if source.how == FOLDER else map(literal, units)

    def _targets(self, holder: str, unit: Unit) -> Iterator[tuple[str, Unit]]:
        """The clusters that a unit is for; one that nothing else speaks of is a new one, where clusters are found by such objects."""
        name = self._called.get(unit.cluster, unit.cluster) or holder
        if self._open and not unit.is_open:
            self.shares.setdefault(name, Share(name))
        if name in self.shares:
            yield name, unit
            return
        starts = [source.path for source in unit.sources]
        meant = [other for other, paths in self._folders.items() if any(within(start, path) for start in starts for path in paths)]
        yield from ((other, unit) for other in meant)
        if starts and not meant:
            self.shares[holder].gaps[nowhere(unit)] = None
        elif not starts:
            self.adrift.update(dict.fromkeys(unit.gaps))

    @property
    def unlisted(self) -> dict[str, Content]:
        """The files with objects that count nowhere, since no kustomization lists them although one stands beside them."""
        every = {path: self._disk.content(path) for path in sorted(self._unlisted - self._listed - self._seen)}
        return {path: found for path, found in every.items() if is_object(found)}


def _outer(pending: Sequence[tuple[str, Unit]]) -> tuple[list[tuple[str, Unit]], list[tuple[str, Unit]]]:
    """The units whose files no other one applies (all where they go round), and the others."""
    paths = Counter(path for _, unit in pending for path in {source.path for source in unit.sources})
    outer: list[tuple[str, Unit]] = []
    inner: list[tuple[str, Unit]] = []
    for pair in pending:
        own = {source.path for source in pair[1].sources}
        applied = any(paths[path] > (path in own) for path in upwards(pair[1].file) if path in paths)
        (inner if applied else outer).append(pair)
    return (outer, inner) if outer else (inner, [])
