"""Changes that can't change a report: what is left of a changed file after sifting is what it was."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from mirrorlint import git
from mirrorlint.cache.trail import State
from mirrorlint.sieve import is_read, sift

# More than this many changed files are read by a whole run.
_MOST = 200


class _Change(NamedTuple):
    """A name that does not mean what it meant, and its blob then ("" for none)."""

    name: str
    blob: str


def is_harmless(then: State, now: State, tracked: Mapping[str, str]) -> bool:
    """Whether the files of a run that differ hold the same in all that is read of them; `tracked` are the indexes of the run."""
    if then.probes != now.probes or tracked.keys() != then.changes.keys():
        return False
    changes = {folder: list(_changes(folder, then, now, tracked[folder])) for folder in tracked}
    return sum(map(len, changes.values())) <= _MOST and all(_are_alike(folder, those) for folder, those in changes.items())


def _changes(folder: str, then: State, now: State, tracked: str) -> Iterator[_Change]:
    """What differs below a folder; a file that differed from the index even then has no blob to compare with."""
    before, after = then.changes[folder], now.changes[folder]
    names = {name for one, other in zip(before, after, strict=True) for name in one | other if _moved(folder, name, then, now)}
    if then.indexes[folder] != now.indexes[folder]:
        names |= git.differing(tracked, git.index(folder) or "")
    for name in names:
        about = git.entry(tracked, name)
        clean = about.startswith("H 100") and name not in before.changed
        yield _Change(name, about.split(" ")[2] if clean else "")


def _moved(folder: str, name: str, then: State, now: State) -> bool:
    path = os.path.join(folder, name.rstrip("/"))
    return path not in then.loose or path not in now.loose or then.loose[path] != now.loose[path]


def _are_alike(folder: str, changes: list[_Change]) -> bool:
    """Whether changed files are regular ones and either are not read, or hold the same."""
    if not all(_is_regular(os.path.join(folder, change.name)) for change in changes):
        return False
    read = [change for change in changes if is_read(change.name)]
    blobs = git.blobs(folder, [change.blob for change in read]) if read and all(change.blob for change in read) else None
    return not read or (blobs is not None and all(_is_alike(os.path.join(folder, c.name), old) for c, old in zip(read, blobs, strict=True)))


def _is_regular(path: str) -> bool:
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def _is_alike(path: str, old: bytes) -> bool:
    try:
        with open(path, "rb") as file:
            new = sift(file.read())
    except OSError:
        return False
    return new.certain and new == sift(old)
