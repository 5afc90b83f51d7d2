"""Reads folders, files or texts as the clusters of a fleet."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mirrorlint import clusters, files, settings
from mirrorlint.clusters import Assignment, Group
from mirrorlint.disk import Disk
from mirrorlint.fleet import BlindSpot, Cluster, ClusterSettings, Documents, Fault, Ingress
from mirrorlint.kustomize import Reach, reach
from mirrorlint.objects import Content, content
from mirrorlint.settings import ClusterSection, Settings


class Loaded(NamedTuple):
    """What was read, the settings that were found, and which folder was taken to belong to which cluster."""

    documents: Documents
    settings: Settings
    assignments: tuple[Assignment, ...]


def read(paths: Sequence[str], config: str = "") -> Loaded:
    """Read a repository, whose clusters are found inside it, or several paths, a cluster each (`[NAME=]PATH`).

    Raises FileNotFoundError for a path that is not there and SettingsError for settings that can't be used.
    """
    if len(paths) < 2 and not _is_named(paths):
        (root,) = paths or ["."]
        return _Reading(_existing(root), {}, config).loaded()
    return _Reading("", _arguments(paths), config).loaded()


def read_mapping(
    sources: Mapping[str, str | os.PathLike[str] | Sequence[str | os.PathLike[str]]],
    ingress: Mapping[str, Any] | None = None,
    mesh: Mapping[str, Mapping[str, Any]] | None = None,
) -> Loaded:
    """Read clusters by name, each from a path or several; what is said of their ingress and mesh goes before the settings."""
    named = {name: [said] if isinstance(said, str | os.PathLike) else list(said) for name, said in sources.items()}
    arguments = {name: [_existing(os.fspath(path)) for path in said] for name, said in named.items()}
    return _Reading("", arguments, "").loaded(_Said(ingress or {}, mesh or {}))


def read_texts(
    texts: Mapping[str, str],
    ingress: Mapping[str, Any] | None = None,
    mesh: Mapping[str, Mapping[str, Any]] | None = None,
) -> Loaded:
    """Read clusters from YAML texts; a place's path is the cluster's name as `<name>`."""
    said = _Said(ingress or {}, mesh or {})
    read = {name: content(text.encode("utf-8", "replace"), f"<{name}>") for name, text in texts.items()}
    found = {name: Cluster(name, each.manifests, said.over(name, ClusterSettings())) for name, each in read.items()}
    faults = tuple(fault for name, each in read.items() for fault in _faults(each, name))
    blind = [spot for name, each in read.items() for spot in _unclear(each, name)]
    documents = Documents(found, faults, (*blind, *said.unused(found)), len(read), sum(each.objects for each in read.values()))
    return Loaded(documents, Settings(), ())


class _Said(NamedTuple):
    """What a Python program says of clusters."""

    ingress: Mapping[str, Any] = {}
    mesh: Mapping[str, Mapping[str, Any]] = {}

    def over(self, name: str, found: ClusterSettings) -> ClusterSettings:
        """A cluster's settings with what is said put over them."""
        ingress = settings.ingress_of(self.ingress[name], "<ingress>") if self.ingress.get(name) else found.ingress
        return found._replace(ingress=ingress, mesh=self.mesh.get(name) or found.mesh)

    def unused(self, known: Mapping[str, Cluster]) -> list[BlindSpot]:
        """What is said of clusters that there are not."""
        names = sorted({*self.ingress, *self.mesh} - set(known))
        return [BlindSpot(f"there is no cluster `{name}`, so what was said of it is not used") for name in names]


def _faults(found: Content, cluster: str) -> list[Fault]:
    return [Fault(broken.place, broken.message, broken.hint, cluster) for broken in found.faults]


def _unclear(found: Content, cluster: str) -> list[BlindSpot]:
    return [BlindSpot(broken.message, broken.place.path, broken.place.line, cluster) for broken in found.unclear]


def _existing(path: str) -> str:
    if not os.path.exists(path):
        raise FileNotFoundError(f"there is no file or folder `{path}`")
    return os.path.abspath(path)


def _is_named(paths: Sequence[str]) -> bool:
    return any("=" in path and not os.path.exists(path) for path in paths)


def _arguments(paths: Sequence[str]) -> dict[str, list[str]]:
    """The paths of each cluster; one without a name is called like its folder, and a bit more where two folders are called alike."""
    found: dict[str, list[str]] = {}
    unnamed: dict[str, list[str]] = {}
    for argument in paths:
        if _is_named([argument]):
            name, _, path = argument.partition("=")
            found.setdefault(name, []).append(_existing(path))
        else:
            path = _existing(argument)
            unnamed.setdefault(path if os.path.isdir(path) else os.path.dirname(path), []).append(path)
    for folder, those in unnamed.items():
        alike = [other for other in unnamed if os.path.basename(other) == os.path.basename(folder)]
        found.setdefault(os.path.basename(folder) if len(alike) == 1 else files.shown(folder), []).extend(those)
    return found


class _Reading:
    """One run: what was asked for, the settings, and the files read."""

    def __init__(self, root: str, arguments: Mapping[str, Sequence[str]], config: str) -> None:
        """`root` is the repository that clusters are found in, unless there are `arguments`."""
        asked = [path for paths in arguments.values() for path in paths] or [root]
        self.root, self.arguments = root, arguments
        self.settings, self._spots = _settings_of(asked, config)
        self._disk = Disk(files.repository(asked[0]))
        self._reached: dict[tuple[str, ...], Reach] = {}
        for path in asked:
            self._disk.add(path)

    def loaded(self, said: _Said = _Said()) -> Loaded:
        """Find the clusters and read them."""
        groups = self._groups()
        found = {group.name: self._cluster(group, said) for group in groups}
        return Loaded(Documents(found, (), tuple(self._spots)), self.settings, ())

    def _groups(self) -> tuple[Group, ...]:
        sections = {name: [os.path.abspath(path) for path in s.paths] for name, s in self.settings.clusters.items() if s.paths}
        folders = self._disk.folders(self.root) if self.root else []
        return clusters.find(clusters.Ground(self.root, self.arguments, sections, folders, self._holds, self._leads))

    def _holds(self, folder: str) -> bool:
        reached = self._reach([folder])
        return any(self._disk.content(path).meshed for path in {*self._disk.below(folder), *reached.plain, *reached.hidden})

    def _leads(self, folder: str) -> set[str]:
        reached = self._reach([folder])
        return {*reached.folders, *reached.plain, *reached.hidden}

    def _reach(self, paths: Sequence[str]) -> Reach:
        key = tuple(paths)
        if key not in self._reached:
            starts = [each for path in paths for each in self._disk.kustomizations(path)]
            self._reached[key] = reach(starts, self._disk)
        return self._reached[key]

    def _cluster(self, group: Group, said: _Said) -> Cluster:
        reached = self._reach(group.paths)
        own = {path for start in group.paths for path in self._disk.below(start)}
        judged = {self._disk.real(path): self._disk.content(path) for path in sorted((own | reached.plain) - reached.hidden)}
        manifests = [manifest for each in judged.values() for manifest in each.manifests]
        section = self.settings.clusters.get(group.name, ClusterSection())
        return Cluster(group.name, manifests, said.over(group.name, section.settings))


def _settings_of(paths: Sequence[str], config: str) -> tuple[Settings, list[BlindSpot]]:
    return settings.read(config) if config else Settings(), []
