"""Whether the same names would be untracked, told by the times of folders: of many folders Git needs several times as long to tell.

A new name changes its folder's time; Git itself relies on that where it has an untracked cache (git-update-index).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping

from mirrorlint import git
from mirrorlint.cache.signature import GRAIN, Signature, are_older, moments, signatures
from mirrorlint.git import Listing, Recalled

# What decides which names below a folder are untracked, beside the index: Git's settings, signatures of what says for all of it and in some
# folder what is ignored, and when the folders changed that Git looks into.
Ground = tuple[str, dict[str, Signature], dict[str, Signature], dict[str, int]]
# Of fewer folders Git tells as soon, and of more that have changed.
MANY, _MOST = 3_000, 100
_IGNORE = ".gitignore"
_NOTHING = Recalled(frozenset(), (".",))


def ground_of(folder: str, listing: Listing) -> Ground | None:
    """What decides which names below a folder are untracked; None where there are not many folders in it, or where times are not POSIX's.

    Git does not look into what it ignores, nor into other repositories.
    """
    folders = {os.path.join(folder, name) for name in with_parents(map(os.path.dirname, (*listing.blobs, *listing.others))) if name}
    if len(folders) < MANY or os.name != "posix":
        return None
    for name in listing.folders:
        folders.update(_tree(os.path.join(folder, name.rstrip("/"))))
    *_, root = above = list(upwards(folder))
    over = (*git.excludes(root), *(os.path.join(each, _IGNORE) for each in above[1:]))
    every = sorted({folder, *folders})  # of neighbours the system tells sooner
    ignoring = filter(os.path.lexists, (os.path.join(each, _IGNORE) for each in every))
    return git.settings(folder)(), signatures(over), signatures(ignoring), moments(every)


def is_older(ground: Ground, began: int) -> bool:
    """Whether the ground is what a run met that began at a time in nanoseconds."""
    _, over, ignoring, folders = ground
    return are_older(over, began) and are_older(ignoring, began) and max(folders.values()) + GRAIN < began


def recalled(folder: str, names: frozenset[str], ground: Ground | None) -> Recalled:
    """What the ground tells of the names below a folder that were untracked: of a folder that has changed nothing, nor of all below it."""
    if ground is None:
        return _NOTHING
    settings, over, ignoring, folders = ground
    told, now = git.settings(folder), moments(folders)
    stirred = {path for path, moment in folders.items() if now[path] != moment} | set(map(os.path.dirname, _changed(ignoring)))
    if told() != settings or _changed(over) or len(stirred) > _MOST:
        return _NOTHING
    sure = (name for name in names if stirred.isdisjoint(with_parents([os.path.dirname(os.path.join(folder, name))])))
    return Recalled(frozenset(sure), [os.path.relpath(path, folder) for path in stirred])


def _changed(then: Mapping[str, Signature]) -> set[str]:
    return {path for path, about in signatures(then).items() if about != then[path]}


def with_parents(folders: Iterable[str]) -> set[str]:
    """Folders, and those that they are in, up to the last."""
    found: set[str] = set()
    for start in folders:
        folder = start
        while folder not in found:
            found.add(folder)
            folder = os.path.dirname(folder)
    return found


def upwards(folder: str) -> Iterator[str]:
    """A folder and those above it, up to the root of its repository, or of all."""
    yield folder
    while not os.path.lexists(os.path.join(folder, ".git")) and folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
        yield folder


def _tree(folder: str) -> Iterator[str]:
    for place, below, _ in os.walk(folder):
        below[:] = (each for each in below if each != ".git")
        yield place
