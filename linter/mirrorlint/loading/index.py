"""What is staged: where the work tree has something else, files are read as the index of their repository has them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from mirrorlint import git
from mirrorlint.git import Listing
from mirrorlint.sieve import is_read

_FILE, _SUBMODULE = "100", "160000"
_UNMERGED = "this file has conflicts that are not resolved, so nothing in it is judged"
_UNLIKE = "what is staged here is not what the work tree has, and no regular file, so it is not read"
_BROKEN = "what is staged of this file can't be read, so nothing in it is judged"


class Index(NamedTuple):
    """A repository whose files are read as they are staged: its root, and the file that is taken for its index ("" for its own)."""

    root: str
    file: str

    def read(self, path: str) -> bytes | None:
        """What is staged of a file of the repository; None for nothing."""
        return git.staged(os.path.dirname(path), os.path.basename(path), self.file)


class Differences(NamedTuple):
    """What the index has below a folder and the work tree has not just so.

    `names` are those that are as they are in the work tree all the same (links, submodules), `contents` what files hold, and `unread` why
    others are not read, by their paths.
    """

    names: tuple[str, ...]
    contents: Mapping[str, bytes]
    unread: Mapping[str, str]


def of_commit(root: str) -> Index:
    """The index of a repository that is to be committed: Git may make a commit of another file, and tells its hooks (`GIT_INDEX_FILE`)."""
    file = os.environ.get("GIT_INDEX_FILE", "")
    return Index(root, os.path.join(root, file) if file else "")


def differences(folder: str, listed: Listing) -> Differences:
    """What of a listing is not in the work tree as it is in the index; a file that is not staged is no part of it."""
    entries = [(name, *about.split(" ")[1:]) for name, about in git.entries(listed.tracked) if name not in listed.blobs]
    unread: dict[str, str] = {}
    names: list[str] = []
    wanted: dict[str, str] = {}
    for name, mode, blob, stage in entries:
        path = os.path.join(folder, name)
        if mode == _SUBMODULE or (mode[:3] != _FILE and name not in listed.changes.changed):
            names.append(name)
        elif is_read(name) and stage == "0" and mode.startswith(_FILE):
            wanted[path] = blob
        elif is_read(name):
            unread[path] = _UNLIKE if stage == "0" else _UNMERGED
    contents = dict(_contents(folder, wanted))
    return Differences(tuple(names), contents, unread | dict.fromkeys(wanted.keys() - contents.keys(), _BROKEN))


def _contents(folder: str, blobs: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    found = git.blobs(folder, list(blobs.values())) if blobs else []
    return zip(blobs, found or [], strict=False)
