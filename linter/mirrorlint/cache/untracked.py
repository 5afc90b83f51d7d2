"""Whether the same names would be untracked, told by the times of folders: of many folders Git needs several times as long to tell.

A new name changes its folder's time; Git itself relies on that where it has an untracked cache (git-update-index).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from mirrorlint import git
from mirrorlint.cache.signature import Signature, signatures
from mirrorlint.git import Listing

# What decides which names below a folder are untracked, beside the index: Git's settings, and signatures of the folders that Git looks into
# and of the files that say what it ignores.
Ground = tuple[str, dict[str, Signature]]
# Of fewer folders Git tells as soon.
MANY = 3_000
_IGNORE = ".gitignore"


def ground_of(folder: str, listing: Listing) -> Ground | None:
    """What decides which names below a folder are untracked; None where there are not many folders in it.

    Git does not look into what it ignores, nor into other repositories.
    """
    folders = {os.path.join(folder, name) for name in with_parents(map(os.path.dirname, (*listing.blobs, *listing.others)))}
    if len(folders) < MANY:
        return None
    for name in listing.folders:
        folders.update(_tree(os.path.join(folder, name)))
    *above, root = upwards(folder)
    ignoring = filter(os.path.lexists, (os.path.join(each, _IGNORE) for each in folders))
    inherited = (os.path.join(each, _IGNORE) for each in (*above, root))
    return git.settings(folder), signatures((*folders, *ignoring, *inherited, *git.excludes(root)))


def stands(folder: str, ground: Ground) -> bool:
    """Whether all is as it was that decides which names below a folder are untracked."""
    settings, then = ground
    return then == signatures(then) and settings == git.settings(folder)


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
