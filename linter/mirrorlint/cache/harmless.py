"""Changes that can't change a report: what is left of a changed file after sifting is what it was."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping

from mirrorlint import git
from mirrorlint.cache.trail import State
from mirrorlint.git import Changes
from mirrorlint.sieve import is_read, sift

# More than this many changed files are read by a whole run.
_MOST = 200


def is_harmless(then: State, now: State, tracked: Mapping[str, str]) -> bool:
    """Whether the files of a run that differ hold the same in all that is read of them; `tracked` are the indexes of the run."""
    if then.probes != now.probes or tracked.keys() != then.changes.keys():
        return False
    names = {folder: _names(folder, then, now, tracked[folder]) for folder in tracked}
    if sum(map(len, names.values())) > _MOST:
        return False
    blobs = {folder: {name: _blob(name, then.changes[folder], tracked[folder]) for name in those} for folder, those in names.items()}
    return all(_are_alike(folder, those) for folder, those in blobs.items())


def _names(folder: str, then: State, now: State, tracked: str) -> set[str]:
    """The names below a folder that do not mean what they meant."""
    pairs = zip(then.changes[folder], now.changes[folder], strict=True)
    names = {name for one, other in pairs for name in one | other if _moved(folder, name, then, now)}
    return names if then.indexes[folder] == now.indexes[folder] else names | git.differing(tracked, git.index(folder) or "")


def _blob(name: str, before: Changes, tracked: str) -> str:
    """The blob that a file was then; "" for none, as for one that differed from the index even then."""
    about = git.entry(tracked, name)
    clean = about.startswith("H 100") and name not in before.changed
    return about.split(" ")[2] if clean else ""


def _moved(folder: str, name: str, then: State, now: State) -> bool:
    path = os.path.join(folder, name.rstrip("/"))
    return path not in then.loose or path not in now.loose or then.loose[path] != now.loose[path]


def _are_alike(folder: str, blobs: Mapping[str, str]) -> bool:
    """Whether changed files, given what they were, are regular ones and either are not read, or hold the same."""
    if not all(_is_regular(os.path.join(folder, name)) for name in blobs):
        return False
    read = {name: blob for name, blob in blobs.items() if is_read(name)}
    if not read:
        return True
    old = git.blobs(folder, list(read.values())) if all(read.values()) else None
    return old is not None and all(_is_alike(os.path.join(folder, name), data) for name, data in zip(read, old, strict=True))


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
