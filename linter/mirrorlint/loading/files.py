"""Which files there are: what Git knows of or would add, else all of a folder; what can't be read says why."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from mirrorlint import git
from mirrorlint.git import Listing
from mirrorlint.loading.index import Index, differences
from mirrorlint.loading.paths import within
from mirrorlint.sieve import is_foreign, is_read
from mirrorlint.source import MAX_BYTES

MAX_NAMES = 1_000_000
_CHUNK = 1 << 16
_IRREGULAR = "this is not a regular file, so it is not read"
_UNSTAGED = "this file is not staged, so nothing in it is judged"
_UNTOLD = "Git can't tell what is staged here, so nothing in it is judged"
_CLOSED = re.compile(r"^warning: could not open directory '(.*?)/?': (.*)$", re.MULTILINE)


class Unread(NamedTuple):
    """A file or folder that is not read, and why."""

    path: str
    message: str
    reason: str = ""


class Tree(NamedTuple):
    """The YAML and JSON files below a folder, each with the file that is read for it (another one behind a link); all absolute.

    `blobs` are the ids of those that Git has just so, `listings` what it says of each folder that it listed, `walked` what was looked at
    without it. What is staged in the repository of `staging` is read from there: `staged` has it where the work tree has something else.
    `untold` are the folders of which Git did not answer where it should.
    """

    staging: Index | None
    files: dict[str, str]
    unread: set[Unread]
    blobs: dict[str, str]
    listings: dict[str, Listing]
    walked: set[str]
    staged: dict[str, bytes]
    untold: set[str]


def tree(root: str, index: Index | None) -> Tree:
    """What is below a folder, sorted, or the one file that `root` is, whatever its name; in the repository of an index what is staged."""
    root, found = os.path.abspath(root), Tree(index, {}, set(), {}, {}, set(), {}, set())
    if not os.path.isdir(root):
        _single(root, found)
        return found
    top = repository(root)
    names = list(islice(_names(root, found), MAX_NAMES + 1))
    known = dict(islice(found.blobs.items(), max(0, MAX_NAMES - len(names))))
    if len(names) > MAX_NAMES or len(known) < len(found.blobs):
        names[MAX_NAMES:] = [Unread(root, f"there are more than {MAX_NAMES:,} files here, and the rest is not read")]
    entries = [entry for name in names for entry in ([name] if isinstance(name, Unread) else _entries(name, top, found))]
    files = {path: path for path in known} | {entry.path: entry.file for entry in entries if isinstance(entry, _File)}
    found.files.update(sorted(files.items()))
    found.unread.update(entry for entry in entries if isinstance(entry, Unread))
    return found


def _single(path: str, found: Tree) -> None:
    index = index_of(path, found.staging)
    staged = index.read(path) if index else None
    why = _UNSTAGED if index and staged is None else "" if index or os.path.isfile(path) else _IRREGULAR
    found.walked.add(path)
    if staged is not None:
        found.staged[path] = staged
    if why:
        found.unread.add(Unread(path, why))
    else:
        found.files[path] = path


def is_there(path: str) -> bool:
    """Whether a path is a file, or a folder that holds anything: that of a submodule is empty until it is fetched."""
    try:
        return bool(os.listdir(path))
    except OSError:
        return os.path.exists(path)


def folder_of(path: str) -> str:
    """The folder that a path is, or is in."""
    return path if os.path.isdir(path) else os.path.dirname(path)


def repository(path: str) -> str:
    """The Git work tree that a path is in; else the working directory if it is in that, else its own folder."""
    start = folder = os.path.abspath(path) if os.path.isdir(path) else os.path.dirname(os.path.abspath(path))
    while not os.path.lexists(os.path.join(folder, ".git")):
        if folder == os.path.dirname(folder):
            return os.getcwd() if within(start, os.getcwd()) else start
        folder = os.path.dirname(folder)
    return folder


def index_of(path: str, index: Index | None) -> Index | None:
    """The index that a path is read from; None for one that is read as it is."""
    return index if index and repository(path) == index.root else None


def shown(path: str) -> str:
    """A path as the user sees it: from the working directory, with `/`, and printable."""
    here = os.getcwd() + os.sep
    relative = path[len(here) :] if path.startswith(here) else os.path.relpath(path)
    relative = relative.replace(os.sep, "/")
    return relative if relative.isascii() else relative.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def read(path: str) -> bytes | Unread:
    """The bytes of a file, in as few calls to the system as it takes: there may be many files.

    Of one that is too large to be parsed it is one byte more than it may have. A pipe in a file's place is not waited for.
    """
    try:
        file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0))
        try:
            return _all_of(file)
        finally:
            os.close(file)
    except OSError as error:
        return Unread(path, f"this file can't be read ({error.strerror}), so nothing in it is judged", error.strerror or "")


def _all_of(file: int) -> bytes:
    parts = [os.read(file, _CHUNK)]
    left = MAX_BYTES + 1 - len(parts[0])
    while parts[-1] and left:
        parts.append(os.read(file, min(left, _CHUNK)))
        left -= len(parts[-1])
    return b"".join(parts)


class _File(NamedTuple):
    """A path at which there is a file to read."""

    path: str
    file: str


def _names(root: str, found: Tree) -> Iterator[str | Unread]:
    """The paths below a folder; those of files to read that Git has just so are put to `found.blobs` instead, with their ids."""
    index = index_of(root, found.staging)
    listed = git.listing(root, index.file if index else "")
    if listed is None and os.path.lexists(os.path.join(repository(root), ".git")):
        found.untold.add(root)
    if listed is None or (not index and not listed.blobs and not listed.others and git.is_ignored(root)):
        yield from [Unread(root, _UNTOLD)] if index else _walked(root, found)
        return
    found.listings[root] = listed
    below = root.rstrip(os.sep) + os.sep
    for name, blob in listed.blobs.items():
        if is_read(name):
            if _is_printable(name):
                found.blobs[below + name] = blob
            else:
                yield below + name
    yield from _staged(root, listed, found) if index else _with_nested(root, sorted(listed.others), found)
    for folder, reason in _CLOSED.findall(listed.errors):
        yield _closed(os.path.normpath(os.path.join(root, folder)), reason)


def _staged(root: str, listed: Listing, found: Tree) -> Iterator[str | Unread]:
    """What else is staged; contents that the work tree has not are put to `found.staged`."""
    differing = differences(root, listed)
    found.staged.update(differing.contents)
    yield from differing.contents
    yield from _with_nested(root, differing.names, found)
    yield from (Unread(path, why) for path, why in differing.unread.items())


def _closed(folder: str, reason: str | None) -> Unread:
    return Unread(folder, f"this folder can't be read ({reason}), so nothing in it is judged")


def _with_nested(root: str, names: Iterable[str], found: Tree) -> Iterator[str | Unread]:
    """The paths of names; a name that is a folder is a repository of its own (a submodule, or a clone that is not added)."""
    for name in names:
        path = os.path.join(root, name.rstrip("/"))
        if os.path.isdir(path) and not os.path.islink(path):
            if os.path.lexists(os.path.join(path, ".git")):
                yield from _names(path, found)
            else:
                yield Unread(path, "this submodule is not checked out, so nothing in it is judged")
        else:
            yield path


def _walked(root: str, found: Tree) -> Iterator[str | Unread]:
    refused: list[OSError] = []
    for folder, below, names in os.walk(root, onerror=refused.append):
        links = [name for name in below if os.path.islink(os.path.join(folder, name))]
        below[:] = [name for name in below if name != ".git"]
        found.walked.update([folder, *(os.path.join(folder, name) for name in names)])
        yield from (os.path.join(folder, name) for name in (*names, *links))
    for error in refused:
        yield _closed(error.filename, error.strerror)


def _entries(path: str, top: str, found: Tree) -> Iterator[_File | Unread]:
    """What a path stands for: files to read, or why there are none; other kinds of files stand for nothing."""
    if path in found.staged:
        yield _File(path, path)
        return
    try:
        mode = os.lstat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        yield Unread(path, f"this can't be read ({error.strerror}), so nothing in it is judged")
        return
    if stat.S_ISLNK(mode):
        yield from _linked(path, top, found)
    elif is_read(path) and not _is_printable(path):
        yield Unread(path, "the name of this file is not UTF-8, so it is not read")
    elif is_read(path):
        yield _File(path, path) if stat.S_ISREG(mode) else Unread(path, _IRREGULAR)


def _is_printable(path: str) -> bool:
    return path.isascii() or not any("\ud800" <= character <= "\udfff" for character in path)


def _linked(path: str, top: str, found: Tree) -> Iterator[_File | Unread]:
    """What a symbolic link stands for: a file, or the files of a folder, of the same repository."""
    real, real_top = os.path.realpath(path), os.path.realpath(top)
    found.walked.update((path, real))
    target = top.rstrip(os.sep) + real[len(real_top.rstrip(os.sep)) :]
    if is_foreign(path) or (not is_read(path) and not os.path.isdir(real)):
        return
    if not os.path.exists(real):
        yield Unread(path, "this link leads to nothing")
    elif not within(real, real_top):
        yield Unread(path, "this link leads out of the repository, so it is not followed")
    elif not os.path.isdir(target):
        yield _File(path, target) if os.path.isfile(target) else Unread(path, _IRREGULAR)
    elif within(path, target):
        yield Unread(path, "this link leads to a folder that it is in, so it is not followed")
    else:
        yield from _through(path, target, top, found)


def _through(link: str, folder: str, top: str, found: Tree) -> Iterator[_File | Unread]:
    """The files of a folder as they appear below a link to it; links to further folders are not followed, so that nothing goes round."""
    behind = found._replace(blobs={})
    for name in (*_names(folder, behind), *behind.blobs):
        if isinstance(name, Unread):
            yield Unread(link + name.path[len(folder) :], name.message)
        elif os.path.islink(name) and os.path.isdir(name):
            yield Unread(link + name[len(folder) :], "this is a link behind a link, so it is not followed")
        else:
            for entry in _entries(name, top, found):
                yield entry._replace(path=link + name[len(folder) :])
