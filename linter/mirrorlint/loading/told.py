"""Which settings a run goes by: the nearest ones, and those that a peer has of its own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping

from mirrorlint.fleet import BlindSpot
from mirrorlint.loading import files, settings
from mirrorlint.loading.index import Index
from mirrorlint.loading.paths import upwards, within
from mirrorlint.loading.settings import ClusterSection, Settings, SettingsError

_IGNORED = f"settings are read from `{settings.FILE}`, so nothing of what this file says is used"


def find(paths: Iterable[str], config: str, index: Index | None) -> tuple[Settings, list[BlindSpot]]:
    """The settings for some paths, those of the working directory first, and which others there are; of an index those that are staged."""
    if config:
        return settings.read(files.shown(os.path.abspath(config))), []
    ordered = sorted(paths, key=lambda path: not within(path, os.getcwd()))
    found = [each for each in dict.fromkeys(_nearest(path, index) for path in ordered) if each]
    misnamed = {os.path.join(folder, settings.MISNAMED) for path in ordered for folder in _around(path)}
    ignored = [BlindSpot(_IGNORED, files.shown(file)) for file in sorted(misnamed) if os.path.isfile(file)]
    if not found:
        return Settings(), ignored
    (path, staged), *others = [(files.shown(path), data) for path, data in found]
    ignored += [BlindSpot(f"these settings are not used, since those of `{path}` are", other) for other, _ in others]
    return settings.read(path) if staged is None else settings.parse_settings(staged, path, os.path.exists), ignored


def _nearest(path: str, index: Index | None) -> tuple[str, bytes | None] | None:
    """The settings file of a path, in its folder or further up to the repository's root, with what is staged of it; None for none."""
    ours = index if index and index.root == files.repository(path) else None
    for folder in _around(path):
        file = os.path.join(folder, settings.FILE)
        staged = ours.read(file) if ours else None
        if staged is not None or (not ours and os.path.isfile(file)):
            return file, staged
    return None


def _around(path: str) -> Iterator[str]:
    """The folder of a path, and those further up to the repository's root."""
    top = files.repository(path)
    for folder in upwards(files.folder_of(path)):
        yield folder
        if folder == top:
            return


def with_own(
    sections: Mapping[str, ClusterSection], used: str, look: Callable[..., None]
) -> tuple[dict[str, ClusterSection], list[BlindSpot]]:
    """Sections in which a peer has what its own repository says of it, unless it is said here, and which of that can't be used.

    `used` are the settings of the run, `look` is told of each file that may say something. A peer is the cluster of its name there, or the
    only one.
    """
    found, unusable = dict(sections), []
    for name, section in sections.items():
        path = os.path.abspath(section.peer)
        if section.peer and os.path.exists(path):
            look(*(os.path.join(above, settings.FILE) for above in upwards(files.folder_of(path))))
            try:
                found[name] = _joined(name, section, _own(path, used))
            except SettingsError as error:
                why = f"these settings of the peer `{name}` can't be used, so what they say is not known: {error.messages[0]}"
                unusable.append(BlindSpot(why, section.peer, 0, name))
    return found, unusable


def _own(peer: str, used: str) -> Mapping[str, ClusterSection]:
    nearest = _nearest(peer, None)
    if nearest is None or files.shown(nearest[0]) == used:
        return {}
    read = settings.read(files.shown(nearest[0])).clusters
    return {name: section for name, section in read.items() if not (section.peer or section.contract)}


def _joined(name: str, section: ClusterSection, own: Mapping[str, ClusterSection]) -> ClusterSection:
    alone = next(iter(own.values())) if len(own) == 1 else ClusterSection()
    theirs = own.get(name, alone)
    paths = tuple(path for path in theirs.paths if within(os.path.abspath(path), os.path.abspath(section.peer)))
    return section._replace(settings=section.settings.over(theirs.settings), paths=paths)
