"""The units of a repository: what its Argo CD and Flux objects apply, and to which clusters."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import NamedTuple

from mirrorlint import git
from mirrorlint.fleet import Manifest
from mirrorlint.loading import argo, flux, operators
from mirrorlint.loading.applicationset import Expansion
from mirrorlint.loading.clusters import WORDS, Group
from mirrorlint.loading.disk import Disk
from mirrorlint.loading.land import IN_CLUSTER, Found, Land, own_remotes
from mirrorlint.loading.paths import upwards, within
from mirrorlint.loading.units import Gap, Unit
from mirrorlint.source import Node


def land(top: str, asked: Sequence[str], disk: Disk, found: Found) -> Land:
    """The repository at `top`; `asked` are the folders in it that were asked for, `found` its GitOps objects with their files."""
    between = [folder for folder in upwards(asked[0]) if within(folder, top)][::-1] or [asked[0]]
    objects: dict[str, list[tuple[Manifest, str]]] = {}
    for manifest, file in found:
        objects.setdefault(manifest.kind, []).append((manifest, file))
    bare = Land(tuple(between), disk, frozenset(), objects, tuple(asked))
    if not found:
        return bare
    remotes, said = git.remotes(top)
    disk.look(said)
    known = bare._replace(remotes=own_remotes(remotes, _named(bare)), inner=frozenset(_inner(bare)))
    return known._replace(revisions=frozenset(each for manifest in known.of("Application") for each in _revisions(manifest.node, known)))


def _inner(land: Land) -> Iterator[str]:
    """The folders of clusters in one that is a cluster's by convention: no cluster has two objects of one name for itself.

    `clusters/prod/eu/flux-system/gotk-sync.yaml` and its like in `us` are of two, unless a kustomization above may have both.
    """
    alike: dict[tuple[str, ...], list[str]] = {}
    for manifest, file in (*land.objects.get("Application", ()), *land.objects.get("Kustomization", ())):
        spec, namespace, folder = manifest.node["spec"], manifest.node.text_at("metadata", "namespace"), cluster_folder(file, land)
        if folder and namespace and not spec["kubeConfig"] and not argo.cluster_of(spec["destination"], land):
            alike.setdefault((manifest.kind, namespace, manifest.name, folder), []).append(file)
    for files in (list(dict.fromkeys(files)) for files in alike.values()):
        parts = [file.split(os.sep) for file in files]
        same = sum(1 for _ in takewhile(lambda names: len(set(names)) == 1, zip(*(reversed(names) for names in parts), strict=False)))
        above = [each for each in upwards(os.path.commonpath(files)) if within(each, cluster_folder(files[0], land))]
        if len(files) > 1 and same and not any(map(land.disk.kustomization, above)):
            yield from (os.sep.join(names[:-same]) for names in parts)


def _named(land: Land) -> Iterator[tuple[str, bool]]:
    """The addresses that objects take paths from, each with whether there is such a path here."""
    for manifest in land.of("Application", "ApplicationSet"):
        spec = manifest.node["spec"]
        for node in argo.every_source(spec["template"]["spec"] if spec["template"] else spec):
            if node["repoURL"] and not node["chart"]:
                yield node["repoURL"].text, _is_here(node["path"].text, land)
        for generator in _git_generators(spec["generators"]):
            for wanted in (*generator["directories"], *generator["files"]):
                yield generator["repoURL"].text, _is_here(wanted["path"].text.partition("*")[0], land)
    urls = {manifest.name: manifest.node["spec"]["url"].text for manifest in land.of(*flux.SOURCES)}
    for manifest in land.of("Kustomization"):
        name = manifest.node["spec"]["sourceRef"]["name"].text
        if name in urls:
            yield urls[name], _is_here(manifest.node["spec"]["path"].text, land)
    for manifest in land.of("HelmRelease"):
        chart = manifest.node["spec"]["chart"]["spec"]
        if chart["sourceRef"]["kind"].text in flux.SOURCES and chart["sourceRef"]["name"].text in urls:
            yield urls[chart["sourceRef"]["name"].text], _is_here(chart["chart"].text, land)


def _git_generators(generators: Node) -> Iterator[Node]:
    """The generators of folders and files, those inside of others, too."""
    for generator in generators:
        if generator["git"]:
            yield generator["git"]
        for kind in ("matrix", "merge"):
            yield from _git_generators(generator[kind]["generators"])


def _is_here(path: str, land: Land) -> bool:
    """Whether a path is one of this repository; one with placeholders, up to the first."""
    fixed = path.partition("{{")[0].strip("/")
    return fixed not in ("", ".") and bool(land.disk.listed(land.folder(fixed)))


def units(land: Land, found: Found, start: str) -> Iterator[Unit]:
    """What each object applies that is applied from a folder itself, its own one where that is not known ("")."""
    sets = {manifest: Expansion(manifest.node, land) for manifest, _ in found if manifest.kind == "ApplicationSet"}
    made = {manifest: expansion.applications for manifest, expansion in sets.items()}
    made |= {manifest: [manifest.node] for manifest, _ in found if manifest.kind == "Application"}
    revisions = frozenset(revision for those in made.values() for each in those for revision in _revisions(each, land))
    if any(land.disk.listed(file) for _, file in found):
        revisions |= land.revisions
    for manifest, file in found:
        of_set = sets.get(manifest)
        for unit in (_placed(argo.unit(each, file, land, revisions), land) for each in made.get(manifest, ())):
            yield unit._replace(gaps=(*unit.gaps, *of_set.changes)) if of_set else unit
        if of_set and of_set.gaps:
            yield Unit(manifest.node, str(manifest), file, "", (), tuple(of_set.gaps))
        elif manifest.kind == "Kustomization":
            yield flux.kustomization(manifest.node, file, start or os.path.dirname(file), land)
        elif manifest.kind == "HelmRelease":
            yield flux.release(manifest, file, start or os.path.dirname(file), land)
        elif manifest.kind in (operators.RESOURCE_SET, operators.APP):
            gap = operators.gap(manifest)
            yield Unit(manifest.node, str(manifest), file, "", (), (gap,) if gap else ())


def _placed(unit: Unit, land: Land) -> Unit:
    """A unit of a template whose cluster can't be filled in is for the one whose folder it applies, else for none that is known."""
    if unit.node["kind"] or not unit.is_open:
        return unit
    folder = next(filter(None, (cluster_folder(source.path, land) for source in unit.sources)), "")
    if folder:
        return unit._replace(cluster=os.path.basename(folder))
    destination = unit.node["spec"]["destination"]
    node = destination["name"] or destination["server"]
    message = f"`{node.text}` can't be filled in from the manifests, so which cluster this is for is not known, and it is not judged"
    return unit._replace(sources=(), gaps=(Gap(node, message),))


def _revisions(application: Node, land: Land) -> Iterator[str]:
    """The revisions of this repository that an Application asks for, "" for the trunk by any of its names."""
    for node in argo.every_source(application["spec"]):
        if land.is_own(node["repoURL"].text) and not node["chart"]:
            revision = node["targetRevision"].text
            yield "" if revision in argo.TRUNK else revision


class Plot(NamedTuple):
    """A cluster in the making: folders that are its own, and what is applied to it."""

    folders: dict[str, None]
    units: list[Unit]


def groups(every: Sequence[Unit], land: Land) -> tuple[Group, ...]:
    """The clusters that units name or are held by; () when none of them says anything of a cluster.

    A unit without a cluster is for the one that holds it: the one that another unit applies its file to, else the one whose folder
    (`clusters/*` and the like) it is in, else the one that Argo CD runs in.
    """
    names = _Names(every, land)
    plots: dict[str, Plot] = {}
    for unit in (unit for unit in every if unit.sources or not unit.is_open):
        name, folder = names.of(unit)
        plot = plots.setdefault(name, Plot({}, []))
        plot.units.append(unit)
        if folder:
            plot.folders[folder] = None
    if set(plots) <= {IN_CLUSTER}:
        return ()
    for folder in _beside({folder for plot in plots.values() for folder in plot.folders}, land):
        plots.setdefault(_called(folder, land), Plot({}, [])).folders[folder] = None
    return tuple(_group(name, plot) for name, plot in sorted(plots.items()) if plot.folders or any(unit.sources for unit in plot.units))


def _beside(folders: set[str], land: Land) -> list[str]:
    """The folders beside those of clusters: where `clusters/prod` is one, `clusters/stage` is, too."""
    parents = {os.path.dirname(_outermost(folder, land)) for folder in folders}
    found = {os.path.join(parent, path[len(parent) + 1 :].partition(os.sep)[0]) for parent in parents for path in land.disk.listed(parent)}
    return sorted(path for path in found if land.disk.listed(path) != [path] and not any(within(each, path) for each in land.inner))


def _group(name: str, plot: Plot) -> Group:
    applied = [source.path for unit in plot.units for source in unit.sources]
    parents = [os.path.basename(os.path.dirname(folder)) for folder in plot.folders]
    why = f"a folder of `{parents[0]}/`" if parents else f"applied by {next(unit.name for unit in plot.units if unit.sources)}"
    return Group(name, tuple(dict.fromkeys((*plot.folders, *applied))), why, tuple(plot.units), tuple(plot.folders))


def cluster_folder(path: str, land: Land) -> str:
    """The folder of a cluster that a path is in, "" for none: the outermost by convention, or an inner one if it has such."""
    folder = _outermost(path, land)
    if any(within(each, folder) for each in land.inner if folder):
        return next((each for each in upwards(path) if each in land.inner), "")
    return folder


def _outermost(path: str, land: Land) -> str:
    named = [each for each in upwards(path) if os.path.basename(os.path.dirname(each)) in WORDS and within(each, land.roots[0])]
    found = [each for each in named if os.path.basename(each) not in WORDS and each not in land.roots and not _is_base(each, land)]
    return next((each for each in reversed(found) if not os.path.isfile(each)), "")


def _is_base(folder: str, land: Land) -> bool:
    """Whether a folder is what the overlays beside it share."""
    return os.path.basename(folder) == "base" and bool(land.disk.listed(os.path.join(os.path.dirname(folder), "overlays")))


def _called(folder: str, land: Land) -> str:
    """The name of the cluster that a folder is of: `prod-eu` for `clusters/prod/eu`, where those are inner ones."""
    above = os.path.dirname(_outermost(folder, land) or folder)
    return os.path.relpath(folder, above).replace(os.sep, "-")


class _Names:
    """Tells which cluster a unit is for."""

    def __init__(self, every: Sequence[Unit], land: Land) -> None:
        self._every, self._land = every, land
        self._applying: dict[str, list[Unit]] = {}
        for unit in every:
            for path in {source.path for source in unit.sources}:
                self._applying.setdefault(path, []).append(unit)
        self._servers = dict(self._nicknames())

    def of(self, unit: Unit, passed: frozenset[str] = frozenset()) -> tuple[str, str]:
        """A cluster's name, and the folder that gives it ("" for none)."""
        if unit.cluster and not unit.is_open:
            return self._servers.get(unit.cluster, unit.cluster), ""
        if unit.cluster:
            folders = [cluster_folder(source.path, self._land) for source in unit.sources]
            return next(((_called(folder, self._land), "") for folder in folders if folder), (IN_CLUSTER, ""))
        holders = [other for path in upwards(unit.file) for other in self._applying.get(path, ()) if other is not unit]
        named = next((other for other in holders if other.cluster and not other.is_open), None)
        if named is not None:
            return self.of(named)
        folder = cluster_folder(unit.file, self._land)
        if folder:
            return _called(folder, self._land), folder
        inner = next((other for other in holders if other.file not in passed), None)
        return self.of(inner, passed | {unit.file}) if inner is not None else (IN_CLUSTER, "")

    def _nicknames(self) -> Iterator[tuple[str, str]]:
        """Addresses of clusters with what to call them: the one folder of a cluster that all they get is in, else the host."""
        servers = dict.fromkeys(unit.cluster for unit in self._every if "://" in unit.cluster)
        named = {server: self._common(server) for server in servers}
        for server, name in named.items():
            alone = name and list(named.values()).count(name) == 1
            yield server, name if alone else server.partition("://")[2].partition("/")[0].removesuffix(":443").removesuffix(":6443")

    def _common(self, server: str) -> str:
        paths = [source.path for unit in self._every if unit.cluster == server for source in unit.sources]
        found = {_called(folder, self._land) if folder else "" for folder in (cluster_folder(path, self._land) for path in paths)}
        return next(iter(found)) if len(found) == 1 else ""
