"""What a run depended on: the files that Git or a walk listed, the places where it looked, and whether they are as they were."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from mirrorlint import git
from mirrorlint.git import Changes, Listing

Signature = tuple[int, ...] | None
# How far the times of files may lag behind the clock, in nanoseconds.
_GRAIN = 20_000_000
_CHECKSUM = 20


class Trail(NamedTuple):
    """What a run depended on: what Git said of folders, and further paths.

    `plain` tells that no file was made of others, and that nothing was read of what the sieve takes out; `lasting` that the same files
    would give the same again.
    """

    listings: Mapping[str, Listing]
    probes: frozenset[str]
    plain: bool = False
    lasting: bool = True


class State(NamedTuple):
    """How the files are that a run depended on.

    For folders what differs from their index, and the ends of the indexes; signatures of what differs by its path, and of further paths.
    """

    changes: dict[str, Changes]
    indexes: dict[str, bytes]
    loose: dict[str, Signature]
    probes: dict[str, Signature]


def state(changes: Mapping[str, Changes], probes: Iterable[str]) -> State:
    """How files are now, given what Git says of folders; `probes` are the further paths."""
    loose = (os.path.join(folder, name.rstrip("/")) for folder, each in changes.items() for names in each for name in names)
    return State(dict(changes), {folder: _index_end(folder) for folder in changes}, _signatures(loose), _signatures(probes))


def again(then: State) -> State | None:
    """How the files of an earlier state are now; None where Git can't tell."""
    changes = git.changes(list(then.changes))
    return None if changes is None else state(changes, then.probes)


def is_settled(state: State, began: int) -> bool:
    """Whether the state is what a run met that began at a time in nanoseconds: whether no file changed since."""
    signatures = (about for about in (*state.loose.values(), *state.probes.values()) if about)
    return all(state.indexes.values()) and all(max(about[-2:]) + _GRAIN < began for about in signatures)


def packed(state: State) -> tuple[Any, ...]:
    """A state as plain data."""
    return {folder: tuple(each) for folder, each in state.changes.items()}, *state[1:]


def unpacked(data: tuple[Any, ...]) -> State:
    """The state that was packed."""
    changes, *rest = data
    return State({folder: Changes(*each) for folder, each in changes.items()}, *rest)


def _signatures(paths: Iterable[str]) -> dict[str, Signature]:
    return {path: _signature(path) for path in paths}


def _signature(path: str) -> Signature:
    """What changes with a file: its kind, which one it is, size and times; None where there is none."""
    try:
        about = os.stat(path)
    except (OSError, ValueError):
        return None
    return (stat.S_IFMT(about.st_mode), about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns)


def _index_end(folder: str) -> bytes:
    """The end of a folder's index, which is its checksum; b"" where there is none."""
    try:
        with open(index_of(folder), "rb") as file:
            file.seek(-2 * _CHECKSUM, os.SEEK_END)
            end = file.read()
    except (OSError, ValueError):
        return b""
    return end if any(end[_CHECKSUM:]) else b""


def index_of(folder: str) -> str:
    """The index of the repository that a folder is in; `.git` may be a file that says where its own folder is (gitrepository-layout)."""
    while not os.path.lexists(os.path.join(folder, ".git")):
        if folder == os.path.dirname(folder):
            return ""
        folder = os.path.dirname(folder)
    place = os.path.join(folder, ".git")
    if os.path.isfile(place):
        with open(place, encoding="utf-8", errors="surrogateescape") as file:
            place = os.path.join(folder, file.read().removeprefix("gitdir:").strip())
    return os.path.join(place, "index")
