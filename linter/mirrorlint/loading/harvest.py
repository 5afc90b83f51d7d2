"""What each cluster gets: the files of its folders, and what GitOps applies to it, rendered where that is needed."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, NamedTuple

from mirrorlint.fleet import Manifest
from mirrorlint.loading.clusters import Group
from mirrorlint.loading.disk import Disk
from mirrorlint.loading.flux import filled_in
from mirrorlint.loading.globs import matches
from mirrorlint.loading.kustomize import Kustomization, Plain, Reach, Rendered, beside, outermost, reach, roots
from mirrorlint.loading.objects import Content, adapted
from mirrorlint.loading.paths import upwards, within
from mirrorlint.loading.units import ARGO, FLUX, FOLDER, HELM, Gap, Installed, Source, Unit, literal, nowhere
from mirrorlint.loading.watch import Spent

if TYPE_CHECKING:
    from mirrorlint.loading.builds import Build
    from mirrorlint.loading.renders import Output, Render

MAX_ROUNDS = 16
Units = Callable[[Sequence[tuple[Manifest, str]], str], Iterable[Unit]]


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


class _Part(NamedTuple):
    """What a source holds: files as they are, what is only seen when it is rendered, and gaps.

    `listed` are files that kustomizations read, `unlisted` those beside them that none of these does, `charts` those of Istio that it is
    made of.
    """

    plain: AbstractSet[Plain]
    builds: tuple[Build, ...]
    touched: AbstractSet[str]
    gaps: tuple[Gap, ...]
    listed: AbstractSet[str] = frozenset()
    unlisted: AbstractSet[str] = frozenset()
    charts: Sequence[Installed] = ()


class Harvest:
    """Follows sources from cluster to cluster; `shares` are the clusters, by name, `adrift` is what is for none of them.

    `failed` tells that something could not be rendered.
    """

    def __init__(self, groups: Sequence[Group], disk: Disk, units: Units, spent: Spent, *, cached: bool) -> None:
        """`units` reads GitOps objects with their files, given the folder that they are applied from.

        `spent` is told what renders cost, `cached` tells that they are kept.
        """
        self._disk, self._units, self._spent, self._cached = disk, units, spent, cached
        self.failed = False
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
                from mirrorlint.loading.builds import given

                self.shares[name].charts[unit.node, unit.name] = [(chart, given(chart.values, self._disk)) for chart in unit.charts]
            yield from ((name, source) for source in unit.sources)

    def _round(self, waiting: Iterable[tuple[str, Source]]) -> list[tuple[str, Unit]]:
        """Read sources; what they render to may apply further ones."""
        parts: list[tuple[str, Source, _Part]] = []
        for name, source in waiting:
            key = name, source._replace(owner=None)
            if key not in self._done:
                self._done.add(key)
                parts.append((name, source, self._part(source)))
        outputs = self._outputs([build for *_, part in parts for build in part.builds])
        found: list[tuple[str, Unit]] = []
        for name, source, part in parts:
            share = self.shares[name]
            share.touched |= part.touched
            share.values |= set(source.values.files)
            self._listed |= part.listed
            self._unlisted |= part.unlisted
            share.gaps.update(dict.fromkeys(part.gaps))
            share.charts[source] = part.charts
            for plain in sorted(part.plain):
                made = self._add(share, (self._disk.real(plain.path),), self._disk.content(plain.path), source, plain.namespace)
                told = [(manifest, plain.path) for manifest in made.tells]
                found += [(name, unit) for unit in self._followed(told, source)] if told else []
                self._seen.add(plain.path)
            for build in part.builds:
                found += [(name, unit) for unit in self._add_build(share, build, outputs[build.render])]
        return [pair for name, unit in found for pair in self._targets(name, unit)]

    def _outputs(self, wanted: Sequence[Build]) -> Mapping[Render, Output]:
        if not wanted:
            return {}
        from mirrorlint.loading import renders

        outputs = renders.run((build.render for build in wanted), self._began + renders.DEADLINE, cached=self._cached)
        self.failed |= any(output.error for output in outputs.values())
        return outputs

    def _add(self, share: Share, key: tuple[str, ...], found: Content, source: Source, namespace: str) -> Content:
        variables = dict(source.variables) if source.substituted else None
        final = adapted(found, namespace, source.namespace, variables)
        share.contents[(*key, namespace, source.namespace, *map(str, source.variables))] = final
        share.read.add(key[0])
        return final

    def _add_build(self, share: Share, build: Build, output: Output) -> Iterable[Unit]:
        from mirrorlint.loading.builds import made

        self._spent(f"{build.render.target} (rendered)", output.seconds)
        found = made(build, output, self._disk)
        if isinstance(found, Gap):
            share.gaps[found] = None
            return ()
        if not build.render.is_chart:
            from mirrorlint.loading.misdirected import misdirected

            share.gaps.update(dict.fromkeys(misdirected(build, found.manifests, self._disk)))
        self._seen |= set(build.render.files)
        listed = (file for file in build.render.files if self._disk.below(file))
        comments = [quiet for file in listed for quiet in self._disk.content(file).suppressions]
        found = found._replace(suppressions=tuple(dict.fromkeys((*found.suppressions, *comments))))
        key = (build.render.target, repr(build.render), str(build.node.place))
        content = self._add(share, key, found, build.source, build.namespace)
        share.read |= set(build.render.files)
        return self._followed([(manifest, os.path.join(build.render.target, "-")) for manifest in content.tells], build.source)

    def _followed(self, told: Sequence[tuple[Manifest, str]], source: Source) -> Iterable[Unit]:
        """What the objects of a source apply; in a folder that nothing is known to apply, variables may yet be filled in."""
        units = self._units(told, source.path if source.how in (ARGO, FLUX) else "")
        if source.substituted:
            units = [filled_in(unit, dict(source.variables)) for unit in units]
        return units if source.substituted or source.how == FOLDER else map(literal, units)

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

    def _part(self, source: Source) -> _Part:
        if source.how == HELM:
            return self._chart(source)
        if source.how == FOLDER:
            return self._folder(source)
        return self._applied(source)

    def _chart(self, source: Source) -> _Part:
        from mirrorlint.loading import builds, wrapped

        covers, charts = frozenset(self._disk.listed(source.path)), list(wrapped.of_chart(source, self._disk))
        if wrapped.is_nothing_else(source.path, self._disk):
            return _Part(frozenset(), (), covers, (), charts=charts)
        build = builds.of_chart(source, self._disk)
        read = frozenset() if isinstance(build, Gap) else {*build.render.files}
        return _rendered(build, covers | read)._replace(charts=charts)

    def _folder(self, source: Source) -> _Part:
        """All that is below a folder, as its kustomizations have it; what GitOps applies from it by itself is left to that."""
        own = {path for path in self._disk.below(source.path) if not any(within(path, covered) for covered in self._covered)}
        found = [each for each in self._disk.kustomizations(source.path) if each.file in own]
        reached = reach(roots(found), self._disk)
        parts = {path for each in found if each.is_component for path in self._disk.governed(each.folder)}
        left = own - reached.files - parts
        unlisted = {path for path in beside(reached, self._disk) & left if self._is_object(path)}
        return self._built_part(reached, source, {Plain(path) for path in left - unlisted} | reached.plain, own)

    def _is_object(self, path: str) -> bool:
        """Whether a file has objects that must be applied to count; what tells of Istio or of what is applied may be for other programs."""
        found = self._disk.content(path)
        return bool(found.counts or found.waiting) and not found.tells

    @property
    def unlisted(self) -> dict[str, Content]:
        """The files with objects that count nowhere, since no kustomization lists them although one stands beside them."""
        every = self._unlisted - self._listed - self._seen
        return {path: self._disk.content(path) for path in sorted(every) if self._is_object(path)}

    def _applied(self, source: Source) -> _Part:
        """What Argo CD or Flux takes of a folder."""
        from mirrorlint.loading.builds import plain_options

        namespace = plain_options(source.options)
        start = self._disk.kustomization(source.path)
        if start is None:
            return self._files(source, namespace)
        if namespace is None:
            touched = {*self._disk.below(source.path), *reach([start], self._disk).files}
            return self._built_part(_alone(start), source, set(), touched)
        reached = reach([start], self._disk, namespace)
        return self._built_part(reached, source, reached.plain, set())

    def _files(self, source: Source, namespace: str | None) -> _Part:
        """The files of a folder without a kustomization."""
        below = set(self._disk.below(source.path))
        if source.how == ARGO:
            taken = {path for path in below if _is_taken(path, source)}
            return _Part({Plain(path, namespace or "") for path in taken}, (), taken, ())
        plain, inner = self._disk.governed(source.path), outermost(self._disk.kustomizations(source.path))
        if namespace is None and source.owner is not None:
            from mirrorlint.loading.builds import of_folder

            return _rendered(of_folder(source, source.owner, plain, inner, self._disk), below)
        reached = reach(inner, self._disk, namespace or "")
        own = {Plain(path, namespace or "") for path in plain}
        return self._built_part(reached, source, own | reached.plain, below)

    def _built_part(self, reached: Reach, source: Source, plain: AbstractSet[Plain], own: AbstractSet[str]) -> _Part:
        found = self._kustomized(sorted(reached.rendered, key=lambda each: each.kustomization.file), source) if reached.rendered else []
        gaps = [each for each in found if isinstance(each, Gap)]
        builds = tuple(each for each in found if not isinstance(each, Gap))
        kept = {each for each in plain if each.path not in reached.hidden or each in reached.plain}
        built = {file for build in builds for file in build.render.files}
        read = {each.path for each in kept} | built
        unread = beside(reached, self._disk) | (frozenset() if gaps else reached.hidden)
        listed, touched = read | (reached.files - unread), own | reached.files | built
        charts = list(self._installed(reached))
        unheard = [*(chart.unread for chart, _ in charts if chart.unread), *self._without_helm(reached)]
        return _Part(kept, builds, touched, (*reached.gaps, *gaps, *unheard), listed, unread - read, charts)

    def _installed(self, reached: Reach) -> Iterator[Installed]:
        """The charts of Istio that kustomizations on the way let helm render."""
        for found in self._with_charts(reached):
            from mirrorlint.loading.wrapped import of_kustomization

            yield from of_kustomization(found, self._disk)

    def _without_helm(self, reached: Reach) -> Iterator[Gap]:
        """The charts that are not read of kustomizations which are; of others nothing is rendered then."""
        for found in self._with_charts(reached):
            from mirrorlint.loading.wrapped import unread

            yield from unread(found) if found.file not in reached.hidden else ()

    def _with_charts(self, reached: Reach) -> Iterator[Kustomization]:
        """The kustomizations on the way that let helm render charts."""
        every = map(self._disk.kustomization, sorted(reached.folders))
        yield from (each for each in every if each and each.document["helmCharts"])

    def _kustomized(self, rendered: Iterable[Rendered], source: Source) -> list[Build | Gap]:
        from mirrorlint.loading.builds import of_kustomization

        return [of_kustomization(each, source, self._disk) for each in rendered]


def _rendered(build: Build | Gap, touched: AbstractSet[str]) -> _Part:
    """A source that is only seen when it is rendered, or why it is not."""
    if isinstance(build, Gap):
        return _Part(frozenset(), (), touched, (build,))
    return _Part(frozenset(), (build,), touched | {*build.render.files}, ())


def _alone(start: Kustomization) -> Reach:
    """A kustomization that is rendered, whatever it leads to."""
    return Reach(frozenset(), frozenset([Rendered(start)]), frozenset(), frozenset(), ())


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


def _is_taken(path: str, source: Source) -> bool:
    """Whether Argo CD takes a file of a folder (argo-cd, reposerver/repository/repository.go: findManifests)."""
    relative = os.path.relpath(path, source.path).replace(os.sep, "/")
    if "/" in relative and not source.recurse:
        return False
    if source.exclude and matches(source.exclude, relative):
        return False
    return not source.include or matches(source.include, relative)
