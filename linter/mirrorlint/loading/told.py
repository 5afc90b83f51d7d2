"""Which settings a run goes by: the nearest ones, and what those of other repositories say of the clusters in them."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from mirrorlint.fleet import BlindSpot
from mirrorlint.loading import files, settings
from mirrorlint.loading.index import Index
from mirrorlint.loading.paths import upwards, within
from mirrorlint.loading.settings import ClusterSection, Settings, SettingsError

_IGNORED = f"settings are read from `{settings.FILE}`, so nothing of what this file says is used"


class _File(NamedTuple):
    """The path of a settings file, and what is staged of it; None where it is read as it is."""

    path: str
    staged: bytes | None

    @property
    def shown(self) -> str:
        """Its path as the user sees it."""
        return files.shown(self.path)

    def read(self) -> Settings:
        """What it says."""
        return settings.read(self.shown) if self.staged is None else settings.parse_settings(self.staged, self.shown)


class Told:
    """The settings of a run, and what those of other repositories say of the clusters in them; `unused` says what of all that is not used.

    `probes` are the absolute paths that it depends on.
    """

    def __init__(self, paths: Iterable[str], config: str, index: Index | None) -> None:
        """`config` is read in the place of the settings of some paths, those of the working directory first; of an index what is staged."""
        self._index = index
        self.probes: set[str] = set()
        self.unused: list[BlindSpot] = []
        self._replaced = self._nearest(os.getcwd()) if config else None
        if config:
            self.probes.add(os.path.abspath(config))
            self.settings = settings.read(files.shown(os.path.abspath(config)))
            return
        ordered = sorted(paths, key=lambda path: not within(path, os.getcwd()))
        misnamed = {os.path.join(folder, settings.MISNAMED) for path in ordered for folder in _around(path)}
        self.probes |= misnamed
        self.unused += [BlindSpot(_IGNORED, files.shown(file)) for file in sorted(misnamed) if os.path.isfile(file)]
        found = next(filter(None, map(self._nearest, ordered)), None)
        self.settings = found.read() if found else Settings()

    def of_peers(self, sections: Mapping[str, ClusterSection]) -> dict[str, ClusterSection]:
        """Sections in which a peer has what its own repository says of it, unless it is said here."""
        return {name: self._of_peer(name, section) if section.peer else section for name, section in sections.items()}

    def _of_peer(self, name: str, section: ClusterSection) -> ClusterSection:
        path = os.path.abspath(section.peer)
        if not os.path.exists(path):
            return section
        file = self._nearest(path)
        theirs = self._read(file, f"the peer `{name}`", section.peer, name) if file and file.shown != self.settings.path else None
        if theirs is None:
            return section
        own = _own(theirs, {name: [path]}, ())
        self.unused += [BlindSpot(why, section.peer, 0, name) for why in _unused(theirs, taken=bool(own))]
        return _over(section, own.get(name), [path])

    def of_folders(self, clusters: Mapping[str, Sequence[str]]) -> dict[str, ClusterSection]:
        """Sections of the clusters that are folders with other settings than those of the run, as repositories in one folder are."""
        nearest = {name: self._nearest(paths[0]) for name, paths in clusters.items() if len(paths) == 1}
        own = {name: file for name, file in nearest.items() if file and [os.path.dirname(file.path)] == [*clusters[name]]}
        return self.of_clusters({name: clusters[name] for name, file in own.items() if file.shown != self.settings.path})

    def of_clusters(self, clusters: Mapping[str, Sequence[str]]) -> dict[str, ClusterSection]:
        """Sections of clusters, by the paths of each, with those paths of theirs that are to be read.

        A section has what the settings of the run say of the cluster, and below it what those say that are nearest to its files, unless
        others were given in their place.
        """
        near: dict[_File, dict[str, Sequence[str]]] = {}
        for name, paths in clusters.items():
            file = self._nearest(paths[0])
            if file and file != self._replaced:
                near.setdefault(file, {})[name] = paths
        own: dict[str, ClusterSection] = {}
        for file, those in near.items():
            own |= self._of_file(file, those, clusters)
        used = self.settings.clusters
        return {name: _over(_meant(name, paths, used), own.get(name), paths) for name, paths in clusters.items()}

    def _of_file(self, file: _File, paths: Mapping[str, Sequence[str]], named: Mapping[str, object]) -> dict[str, ClusterSection]:
        """What a settings file says of the clusters that it is nearest to, among those that are `named`."""
        used = self.settings
        theirs = used if file.shown == used.path else self._read(file, " and ".join(f"`{name}`" for name in paths), file.shown)
        if theirs is None:
            return {}
        own = _own(theirs, paths, named)
        taken = bool(own) or (theirs is used and not named.keys().isdisjoint(used.clusters))
        self.unused += [BlindSpot(why, file.shown) for why in _unused(theirs, taken)]
        if theirs.rules != used.rules:
            why = f"since those of `{used.path}` are" if used.path else "since the run is over more than their repository"
            self.unused.append(BlindSpot(f"the `rules` of these settings are not used, {why}", file.shown))
        return own

    def _read(self, file: _File, whose: str, path: str, cluster: str = "") -> Settings | None:
        """The settings of another repository; None for those that can't be used."""
        try:
            return file.read()
        except SettingsError as error:
            message = f"these settings of {whose} can't be used, so what they say is not known: {error.messages[0]}"
            self.unused.append(BlindSpot(message, path, 0, cluster))
            return None

    def _nearest(self, path: str) -> _File | None:
        """The settings file of a path, in its folder or further up to the repository's root; None for none."""
        self.probes.update(os.path.join(above, settings.FILE) for above in upwards(files.folder_of(path)))
        index = files.index_of(path, self._index)
        for folder in _around(path):
            file = os.path.join(folder, settings.FILE)
            staged = index.read(file) if index else None
            if staged is not None or (not index and os.path.isfile(file)):
                return _File(file, staged)
        return None


def _around(path: str) -> Iterator[str]:
    """The folder of a path, and those further up to the repository's root."""
    top = files.repository(path)
    for folder in upwards(files.folder_of(path)):
        yield folder
        if folder == top:
            return


def _unused(theirs: Settings, taken: bool) -> Iterator[str]:
    """That nothing is used of settings that speak of clusters, none of which is `taken` to be one of the run's."""
    names = ", ".join(f"`{name}`" for name in _local(theirs))
    if names and not taken:
        yield f"nothing that these settings say of {names} is used: no cluster of this run has such a name or paths of theirs"


def _own(said: Settings, paths: Mapping[str, Sequence[str]], named: Collection[str]) -> dict[str, ClusterSection]:
    """What the settings of a repository say of the clusters that have paths in it, among those that are `named` in a run.

    It is that of their name or of their paths; if they speak of one cluster only and the run has one of theirs, it is that.
    """
    here = {name: section for name, section in _local(said).items() if name in paths or name not in named}
    if len(here) == len(paths) == 1:
        return dict(zip(paths, here.values(), strict=True))
    meant = {name: _meant(name, those, here) for name, those in paths.items()}
    return {name: section for name, section in meant.items() if section}


def _local(said: Settings) -> dict[str, ClusterSection]:
    """What settings say of clusters of their own repository."""
    return {name: section for name, section in said.clusters.items() if not (section.peer or section.contract)}


def _meant(name: str, paths: Sequence[str], sections: Mapping[str, ClusterSection]) -> ClusterSection | None:
    """The section of a name, or else the only one that shares paths with some."""
    if name in sections:
        return sections[name]
    sharing = [section for section in sections.values() if any(_shares(section, path) for path in paths)]
    return sharing[0] if len(sharing) == 1 else None


def _shares(section: ClusterSection, path: str) -> bool:
    own = [os.path.abspath(each) for each in (*section.paths, section.peer) if each]
    return any(within(path, each) or within(each, path) for each in own)


def _over(section: ClusterSection | None, theirs: ClusterSection | None, among: Sequence[str]) -> ClusterSection:
    """What is said of a cluster, and below it what its own repository says, with those of its paths that lie in some others."""
    section, theirs = section or ClusterSection(), theirs or ClusterSection()
    paths = [path for path in section.paths or theirs.paths if any(within(os.path.abspath(path), each) for each in among)]
    return section._replace(settings=section.settings.over(theirs.settings), paths=tuple(paths))
