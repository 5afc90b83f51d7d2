"""Which files there are: what Git knows of or would add, else all of a folder; what can't be read says why."""

from __future__ import annotations

import os
import re
import stat
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from mirrorlint.loading.paths import within
from mirrorlint.source import MAX_BYTES

MAX_NAMES = 1_000_000
SUFFIXES = (".yaml", ".yml", ".json")
KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")

_IRREGULAR = "this is not a regular file, so it is not read"
_LIST = ("git", "-c", "core.fsmonitor=false", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
_CLOSED = re.compile(r"^warning: could not open directory '(.*?)/?': (.*)$", re.MULTILINE)
_IS_IGNORED = ("git", "check-ignore", "--quiet", ".")


class Unread(NamedTuple):
    """A file or folder that is not read, and why."""

    path: str
    message: str
    reason: str = ""


class Tree(NamedTuple):
    """The YAML and JSON files below a folder, sorted, each with the file that is read for it (another one behind a link); all absolute."""

    files: Mapping[str, str]
    unread: tuple[Unread, ...]


def tree(root: str) -> Tree:
    """What is below a folder, or the one file that `root` is, whatever its name."""
    root = os.path.abspath(root)
    if not os.path.isdir(root):
        return Tree({root: root}, ()) if os.path.isfile(root) else Tree({}, (Unread(root, _IRREGULAR),))
    top = repository(root)
    names = list(islice(_names(root), MAX_NAMES + 1))
    if len(names) > MAX_NAMES:
        names[-1] = Unread(root, f"there are more than {MAX_NAMES:,} files here, and the rest is not read")
    found = [entry for name in names for entry in ([name] if isinstance(name, Unread) else _entries(name.path, top))]
    files = {entry.path: entry.file for entry in found if isinstance(entry, _File)}
    unread = {entry for entry in found if isinstance(entry, Unread)}
    return Tree(dict(sorted(files.items())), tuple(sorted(unread)))


def repository(path: str) -> str:
    """The Git work tree that a path is in; else the working directory if it is in that, else its own folder."""
    start = folder = os.path.abspath(path) if os.path.isdir(path) else os.path.dirname(os.path.abspath(path))
    while not os.path.lexists(os.path.join(folder, ".git")):
        if folder == os.path.dirname(folder):
            return os.getcwd() if within(start, os.getcwd()) else start
        folder = os.path.dirname(folder)
    return folder


def shown(path: str) -> str:
    """A path as the user sees it: from the working directory, with `/`, and printable."""
    here = os.getcwd() + os.sep
    relative = path[len(here) :] if path.startswith(here) else os.path.relpath(path)
    return relative.replace(os.sep, "/").encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def read(path: str) -> bytes | Unread:
    """The bytes of a file; of one that is too large to be parsed one byte more than it may have."""
    try:
        with open(path, "rb", opener=_at_once) as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        return Unread(path, f"this file can't be read ({error.strerror}), so nothing in it is judged", error.strerror or "")


def _at_once(path: str, flags: int) -> int:
    """Open without waiting for a writer, should a pipe have taken a file's place."""
    return os.open(path, flags | os.O_NONBLOCK)


class _Name(NamedTuple):
    """A path that was listed."""

    path: str


class _File(NamedTuple):
    """A path at which there is a file to read."""

    path: str
    file: str


def _names(root: str) -> Iterator[_Name | Unread]:
    listed = git(root, _LIST)
    if listed is None or (not listed.stdout and git(root, _IS_IGNORED) is not None):
        yield from _walked(root)
        return
    yield from _with_nested(root, sorted({os.fsdecode(name) for name in listed.stdout.split(b"\0") if name}))
    for folder, reason in _CLOSED.findall(os.fsdecode(listed.stderr)):
        yield _closed(os.path.normpath(os.path.join(root, folder)), reason)


def _closed(folder: str, reason: str | None) -> Unread:
    return Unread(folder, f"this folder can't be read ({reason}), so nothing in it is judged")


def git(folder: str, command: Iterable[str]) -> subprocess.CompletedProcess[bytes] | None:
    """Run Git in a folder, whatever the hook that we may run in says; None when it fails."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | {"LC_ALL": "C"}
    try:
        return subprocess.run(list(command), cwd=folder, env=environment, capture_output=True, check=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return None


def _with_nested(root: str, names: Iterable[str]) -> Iterator[_Name | Unread]:
    """The paths of names; a name that is a folder is a repository of its own (a submodule, or a clone that is not added)."""
    for name in names:
        path = os.path.join(root, name.rstrip("/"))
        if os.path.isdir(path) and not os.path.islink(path):
            if os.path.lexists(os.path.join(path, ".git")):
                yield from _names(path)
            else:
                yield Unread(path, "this submodule is not checked out, so nothing in it is judged")
        else:
            yield _Name(path)


def _walked(root: str) -> Iterator[_Name | Unread]:
    refused: list[OSError] = []
    for folder, below, names in os.walk(root, onerror=refused.append):
        links = [name for name in below if os.path.islink(os.path.join(folder, name))]
        below[:] = [name for name in below if name != ".git"]
        yield from (_Name(os.path.join(folder, name)) for name in (*names, *links))
    for error in refused:
        yield _closed(error.filename, error.strerror)


def _entries(path: str, top: str) -> Iterator[_File | Unread]:
    """What a path stands for: files to read, or why there are none; other kinds of files stand for nothing."""
    try:
        mode = os.lstat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        yield Unread(path, f"this can't be read ({error.strerror}), so nothing in it is judged")
        return
    if stat.S_ISLNK(mode):
        yield from _linked(path, top)
    elif _is_wanted(path) and not _is_printable(path):
        yield Unread(path, "the name of this file is not UTF-8, so it is not read")
    elif _is_wanted(path):
        yield _File(path, path) if stat.S_ISREG(mode) else Unread(path, _IRREGULAR)


def _is_wanted(path: str) -> bool:
    return path.endswith((*SUFFIXES, f"{os.sep}{KUSTOMIZATIONS[-1]}"))


def _is_printable(path: str) -> bool:
    return path.isascii() or not any("\ud800" <= character <= "\udfff" for character in path)


def _linked(path: str, top: str) -> Iterator[_File | Unread]:
    """What a symbolic link stands for: a file, or the files of a folder, of the same repository."""
    real, real_top = os.path.realpath(path), os.path.realpath(top)
    target = top.rstrip(os.sep) + real[len(real_top.rstrip(os.sep)) :]
    if not _is_wanted(path) and not os.path.isdir(real):
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
        yield from _through(path, target, top)


def _through(link: str, folder: str, top: str) -> Iterator[_File | Unread]:
    """The files of a folder as they appear below a link to it; links to further folders are not followed, so that nothing goes round."""
    for name in _names(folder):
        seen = link + name.path[len(folder) :]
        if isinstance(name, Unread):
            yield Unread(seen, name.message)
        elif os.path.islink(name.path) and os.path.isdir(name.path):
            yield Unread(seen, "this is a link behind a link, so it is not followed")
        else:
            for entry in _entries(name.path, top):
                yield entry._replace(path=seen)
