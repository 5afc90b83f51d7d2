"""Which settings a run goes by: the nearest ones, and what those of other repositories say of the clusters in them."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
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


def find(paths: Iterable[str], config: str, index: Index | None) -> tuple[Settings, list[BlindSpot]]:
    """The settings for some paths, those of the working directory first, and files that are none; of an index those that are staged."""
    if config:
        return settings.read(files.shown(os.path.abspath(config))), []
    ordered = sorted(paths, key=lambda path: not within(path, os.getcwd()))
    misnamed = {os.path.join(folder, settings.MISNAMED) for path in ordered for folder in _around(path)}
    ignored = [BlindSpot(_IGNORED, files.shown(file)) for file in sorted(misnamed) if os.path.isfile(file)]
    found = next(filter(None, (_nearest(path, index) for path in ordered)), None)
    return _read(found) if found else Settings(), ignored


def _read(file: _File) -> Settings:
    path = files.shown(file.path)
    return settings.read(path) if file.staged is None else settings.parse_settings(file.staged, path)


def _nearest(path: str, index: Index | None) -> _File | None:
    """The settings file of a path, in its folder or further up to the repository's root; None for none."""
    ours = index if index and index.root == files.repository(path) else None
    for folder in _around(path):
        file = os.path.join(folder, settings.FILE)
        staged = ours.read(file) if ours else None
        if staged is not None or (not ours and os.path.isfile(file)):
            return _File(file, staged)
    return None


def _around(path: str) -> Iterator[str]:
    """The folder of a path, and those further up to the repository's root."""
    top = files.repository(path)
    for folder in upwards(files.folder_of(path)):
        yield folder
        if folder == top:
            return


def of_peers(
    sections: Mapping[str, ClusterSection], used: Settings, look: Callable[..., None]
) -> tuple[dict[str, ClusterSection], list[BlindSpot]]:
    """Sections in which a peer has what its own repository says of it, unless it is said here, and what of that is not used.

    `used` are the settings of the run, `look` is told of each file that may say something.
    """
    found, unused = dict(sections), []
    for name, section in sections.items():
        path = os.path.abspath(section.peer)
        if not section.peer or not os.path.exists(path):
            continue
        look(*(os.path.join(above, settings.FILE) for above in upwards(files.folder_of(path))))
        file = _nearest(path, None)
        if not file or files.shown(file.path) == used.path:
            continue
        try:
            theirs = _read(file)
        except SettingsError as error:
            unused.append(_unusable(error, f"the peer `{name}`", section.peer, name))
            continue
        own = _own(theirs, {name: [path]}, ())
        found[name] = _over(section, own.get(name), [path])
        unused += [BlindSpot(why, section.peer, 0, name) for why in _unused(theirs, taken=bool(own))]
    return found, unused


def elsewhere(clusters: Mapping[str, Sequence[str]], used: Settings, index: Index | None) -> dict[str, Sequence[str]]:
    """The clusters, by the paths of each, that are folders with other settings than those of the run, as repositories in one folder are."""
    nearest = {name: _nearest(paths[0], index) for name, paths in clusters.items() if len(paths) == 1}
    own = {name: file.path for name, file in nearest.items() if file and [os.path.dirname(file.path)] == [*clusters[name]]}
    return {name: clusters[name] for name, path in own.items() if files.shown(path) != used.path}


def of_clusters(
    clusters: Mapping[str, Sequence[str]], used: Settings, config: str, index: Index | None
) -> tuple[dict[str, ClusterSection], list[BlindSpot]]:
    """Sections of clusters, by the paths of each, with those paths of theirs that are to be read, and what of settings is not used.

    A section has what the settings of the run say of the cluster, and below it what those say that are nearest to its files; those of the
    working directory say nothing where `config` was given in their place.
    """
    near: dict[_File, dict[str, Sequence[str]]] = {}
    for name, paths in clusters.items():
        file = _nearest(paths[0], index)
        if file and not (config and file == _nearest(os.getcwd(), index)):
            near.setdefault(file, {})[name] = paths
    own: dict[str, ClusterSection] = {}
    unused: list[BlindSpot] = []
    for file, those in near.items():
        path = files.shown(file.path)
        try:
            theirs = used if path == used.path else _read(file)
        except SettingsError as error:
            unused.append(_unusable(error, " and ".join(f"`{name}`" for name in those), path, ""))
        else:
            known = _own(theirs, those, clusters)
            own |= known
            taken = bool(known) or (theirs is used and not clusters.keys().isdisjoint(used.clusters))
            unused += [BlindSpot(why, path) for why in _unused(theirs, taken)]
            if theirs.rules != used.rules:
                why = f"since those of `{used.path}` are" if used.path else "since the run is over more than their repository"
                unused.append(BlindSpot(f"the `rules` of these settings are not used, {why}", path))
    return {name: _over(_meant(name, paths, used.clusters), own.get(name), paths) for name, paths in clusters.items()}, unused


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


def _unusable(error: SettingsError, whose: str, path: str, cluster: str) -> BlindSpot:
    return BlindSpot(f"these settings of {whose} can't be used, so what they say is not known: {error.messages[0]}", path, 0, cluster)
