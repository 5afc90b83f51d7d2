"""What a source holds: files that are read as they are, what is only seen when it is rendered, and what is not read."""

from __future__ import annotations

import os
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, NamedTuple

from mirrorlint.loading.disk import Disk
from mirrorlint.loading.globs import matches
from mirrorlint.loading.kustomize import Plain, Reach, Rendered, beside, outermost, reach, roots
from mirrorlint.loading.objects import Content
from mirrorlint.loading.paths import within
from mirrorlint.loading.units import ARGO, FOLDER, HELM, Gap, Installed, Source

if TYPE_CHECKING:
    from mirrorlint.loading.builds import Build


class Held(NamedTuple):
    """Files as they are, what is to be rendered, all files that the source touches, and gaps.

    `listed` are files that kustomizations read, `unlisted` those beside them that none of these does, `charts` those of Istio that it is
    made of.
    """

    plain: AbstractSet[Plain]
    builds: tuple[Build, ...]
    touched: AbstractSet[str]
    gaps: tuple[Gap, ...]
    listed: AbstractSet[str] = frozenset()
    unlisted: AbstractSet[str] = frozenset()
    charts: tuple[Installed, ...] = ()


def held(source: Source, covered: AbstractSet[str], disk: Disk) -> Held:
    """What a source holds; of a folder all but what GitOps applies from it by itself, which are the paths that are `covered`."""
    if source.how == HELM:
        return _chart(source, disk)
    if source.how == FOLDER:
        return _folder(source, covered, disk)
    return _applied(source, disk)


def is_object(found: Content) -> bool:
    """Whether a file has objects that must be applied to count; what tells of Istio or of what is applied may be for other programs."""
    return bool(found.counts or found.waiting) and not found.tells


def _chart(source: Source, disk: Disk) -> Held:
    from mirrorlint.loading import builds, wrapped

    covers, charts = frozenset(disk.listed(source.path)), tuple(wrapped.of_chart(source, disk))
    if wrapped.is_nothing_else(source.path, disk):
        return Held(frozenset(), (), covers, (), charts=charts)
    return _rendered(builds.of_chart(source, disk), covers)._replace(charts=charts)


def _folder(source: Source, covered: AbstractSet[str], disk: Disk) -> Held:
    """All that is below a folder, as its kustomizations have it; what leads from those that are `covered` counts there alone."""
    own = {path for path in disk.below(source.path) if not any(within(path, each) for each in covered)}
    found = disk.kustomizations(source.path)
    starts = roots(found)
    reached, aside = (reach([each for each in starts if (each.file in own) is ours], disk) for ours in (True, False))
    parts = {path for each in found if each.is_component and each.file in own for path in disk.governed(each.folder)}
    left = own - reached.files - aside.files - parts
    unlisted = {path for path in (beside(reached, disk) | beside(aside, disk)) & left if is_object(disk.content(path))}
    return _built(reached, source, {Plain(path) for path in left - unlisted} | reached.plain, own, disk)


def _applied(source: Source, disk: Disk) -> Held:
    """What Argo CD or Flux takes of a folder."""
    namespace = source.plain_namespace
    start = disk.kustomization(source.path)
    if start is None:
        return _files(source, namespace, disk)
    if namespace is None:
        touched = {*disk.below(source.path), *reach([start], disk).files}
        return _built(Reach(rendered=frozenset([Rendered(start)])), source, set(), touched, disk)
    reached = reach([start], disk, namespace)
    return _built(reached, source, reached.plain, set(), disk)


def _files(source: Source, namespace: str | None, disk: Disk) -> Held:
    """The files of a folder without a kustomization."""
    below = set(disk.below(source.path))
    if source.how == ARGO:
        taken = {path for path in below if _is_taken(path, source)}
        return Held({Plain(path, namespace or "") for path in taken}, (), taken, ())
    plain, inner = disk.governed(source.path), outermost(disk.kustomizations(source.path))
    if namespace is None and source.owner is not None:
        from mirrorlint.loading.builds import of_folder

        return _rendered(of_folder(source, source.owner, plain, inner, disk), below)
    reached = reach(inner, disk, namespace or "")
    own = {Plain(path, namespace or "") for path in plain}
    return _built(reached, source, own | reached.plain, below, disk)


def _is_taken(path: str, source: Source) -> bool:
    """Whether Argo CD takes a file of a folder (argo-cd, reposerver/repository/repository.go: findManifests)."""
    relative = os.path.relpath(path, source.path).replace(os.sep, "/")
    if "/" in relative and not source.recurse:
        return False
    if source.exclude and matches(source.exclude, relative):
        return False
    return not source.include or matches(source.include, relative)


def _rendered(build: Build | Gap, touched: AbstractSet[str]) -> Held:
    """A source that is only seen when it is rendered, or why it is not."""
    if isinstance(build, Gap):
        return Held(frozenset(), (), touched, (build,))
    return Held(frozenset(), (build,), touched | {*build.render.files}, ())


def _built(reached: Reach, source: Source, plain: AbstractSet[Plain], own: AbstractSet[str], disk: Disk) -> Held:
    """What kustomizations lead to, beside what is read as it is."""
    found = _builds(reached, source, disk)
    gaps = [each for each in found if isinstance(each, Gap)]
    builds = tuple(each for each in found if not isinstance(each, Gap))
    kept = {each for each in plain if each.path not in reached.hidden or each in reached.plain}
    built = {file for build in builds for file in build.render.files}
    read = {each.path for each in kept} | built
    unread = beside(reached, disk) | (frozenset() if gaps else reached.hidden)
    listed, touched = read | (reached.files - unread), own | reached.files | built
    charts, unheard = _inflated(reached, disk)
    return Held(kept, builds, touched, (*reached.gaps, *gaps, *unheard), listed, unread - read, charts)


def _builds(reached: Reach, source: Source, disk: Disk) -> list[Build | Gap]:
    if not reached.rendered:
        return []
    from mirrorlint.loading.builds import of_kustomization

    return [of_kustomization(each, source, disk) for each in sorted(reached.rendered, key=lambda each: each.kustomization.file)]


def _inflated(reached: Reach, disk: Disk) -> tuple[tuple[Installed, ...], list[Gap]]:
    """The charts of Istio that kustomizations on the way let helm render, and those that are not read.

    One that must be rendered itself is refused as a whole where it has charts.
    """
    every = [each for each in map(disk.kustomization, sorted(reached.folders)) if each and each.document["helmCharts"]]
    if not every:
        return (), []
    from mirrorlint.loading.wrapped import of_kustomization, unread

    charts = tuple(one for each in every for one in of_kustomization(each, disk))
    gaps = [chart.unread for chart, _ in charts if chart.unread]
    return charts, gaps + [gap for each in every if each.file not in reached.hidden for gap in unread(each)]
