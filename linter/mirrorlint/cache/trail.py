"""What a run depended on: the files that Git or a walk listed, the places where it looked, and whether they are as they were."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple

from mirrorlint import git
from mirrorlint.cache.signature import Signature, are_older, signatures
from mirrorlint.cache.untracked import Ground, ground_of, is_older, recalled, upwards
from mirrorlint.git import Changes, Listing

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
    return State(dict(changes), {folder: _index_end(folder) for folder in changes}, signatures(loose), signatures(probes))


def grounds(trail: Trail, began: int) -> dict[str, Ground]:
    """Of folders with many others below them what tells whether the same names would be untracked as in a run that began at a time."""
    every = ((folder, ground_of(folder, listing)) for folder, listing in trail.listings.items())
    return {folder: found for folder, found in every if found is not None and is_older(found, began)}


def again(then: State, ground: Callable[[], Mapping[str, Ground]]) -> State | None:
    """How the files of an earlier state are now; None where Git can't tell. What is left of their ground is asked for while Git looks."""
    left = cache(ground)
    changes = git.changes(list(then.changes), lambda folder: recalled(folder, then.changes[folder].untracked, left().get(folder)))
    return None if changes is None else state(changes, then.probes)


def is_settled(state: State, began: int) -> bool:
    """Whether the state is what a run met that began at a time in nanoseconds: whether no file changed since."""
    return all(state.indexes.values()) and are_older(state.loose, began) and are_older(state.probes, began)


def packed(state: State) -> tuple[Any, ...]:
    """A state as plain data."""
    return {folder: tuple(each) for folder, each in state.changes.items()}, *state[1:]


def unpacked(data: tuple[Any, ...]) -> State:
    """The state that was packed."""
    changes, *rest = data
    return State({folder: Changes(*each) for folder, each in changes.items()}, *rest)


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
    *_, root = upwards(folder)
    place = os.path.join(root, ".git")
    if os.path.isfile(place):
        with open(place, encoding="utf-8", errors="surrogateescape") as file:
            place = os.path.join(root, file.read().removeprefix("gitdir:").strip())
    return os.path.join(place, "index")
