"""What Git says of the files below a folder: which there are, which blob each one is, and which differ from the index."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import NamedTuple

_GIT = ("git", "-c", "core.fsmonitor=false")
_TRACKED = ("ls-files", "-z", "-s", "-v")
_FILTERED = ("ls-files", "-z", "--", ":(attr:filter)")
_UNTRACKED = ("ls-files", "-z", "--others", "--exclude-standard")
_LOOSE = (*_UNTRACKED, "--directory")  # folders in which nothing is tracked by their names alone, those with nothing but ignored files too
_SETTINGS = ("config", "-z", "--list")
_CHANGED = ("diff-files", "-z", "--name-only", "--relative")
_LISTED = (_TRACKED, _LOOSE, _CHANGED, _FILTERED)
_EDITED = ("diff", "-z", "--name-only", "--no-renames", "--no-ext-diff", "--ignore-submodules")
_NO_FILES = ("hash-object", "-t", "tree", "--stdin")  # from an empty input: the tree without files, which every repository has
_NOTHING = ("ls-files", "--", ".git")  # which the index is read for, and never has
_FATAL = "fatal: "
_REGULAR = re.compile(r"(?<![^\0])H 100(?:644|755) ([0-9a-f]+) 0\t([^\0]+)")


# What was begun to be asked of folders before it is needed, of a few of them.
_MOST_BEGUN = 4
_BEGUN: dict[str, list[subprocess.Popen[bytes]]] = {}


class Changes(NamedTuple):
    """The names below a folder that differ from the index, and those that are not in it."""

    changed: frozenset[str]
    untracked: frozenset[str]


class Recalled(NamedTuple):
    """Names that are not in the index, as far as they are known without Git, and the folders below which they are not."""

    names: frozenset[str]
    unsure: Sequence[str]


class Listing(NamedTuple):
    """The names below a folder.

    `blobs` are tracked regular files that are in the work tree as they are in the index, with their blobs' ids ("" where a filter stands
    between the two); `others` are all else, tracked or not. `folders` are those in which nothing is tracked, and that are not ignored.
    `tracked` is the index as Git tells it, `errors` what it complained of.
    """

    blobs: Mapping[str, str]
    others: frozenset[str]
    folders: frozenset[str]
    changes: Changes
    tracked: str
    errors: str


class RefusedError(Exception):
    """Git does not answer; says why, in its own words."""


class _Answer(NamedTuple):
    """Standard output and standard error of a command, and whether it ended well."""

    data: bytes
    complaints: bytes
    fine: bool

    @property
    def said(self) -> str:
        return os.fsdecode(self.data)

    @property
    def errors(self) -> str:
        return os.fsdecode(self.complaints)

    def check(self) -> None:
        """Raise RefusedError unless it is one."""
        lines = self.errors.splitlines() or ["`git` can't be run"]
        if not self.fine:
            raise RefusedError(next((line for line in lines if line.startswith(_FATAL)), lines[0]).removeprefix(_FATAL))

    @property
    def names(self) -> frozenset[str]:
        return frozenset(name for name in self.said.split("\0") if name)


@contextmanager
def begun(folders: Iterable[str]) -> Iterator[None]:
    """Have begun to ask for what `listing` will want to know of some folders; what it does not ask for is given up in the end."""
    try:
        _BEGUN.update((folder, _started([(folder, each) for each in _LISTED])) for folder in islice(dict.fromkeys(folders), _MOST_BEGUN))
        yield
    finally:
        for process in (process for running in _BEGUN.values() for process in running):
            process.kill()
            process.communicate()
        _BEGUN.clear()


def listing(folder: str, index: str = "") -> Listing | None:
    """The names below a folder; None where Git can't tell. `index` is a file to take for the repository's index."""
    running = [] if index else _BEGUN.pop(folder, [])
    answers = _ended(running) if running else _ask(((folder, each) for each in _LISTED), index)
    tracked, loose, changed, filtered = answers
    folders = frozenset(name for name in loose.names if name.endswith("/"))
    untracked = _ask([(folder, _UNTRACKED)], index)[0] if folders else loose
    if not (tracked.fine and untracked.fine and changed.fine):
        return None
    said, changes = tracked.said, Changes(changed.names, untracked.names)
    blobs = {name: blob for blob, name in _REGULAR.findall(said) if name not in changes.changed}
    others = {*changes.untracked, *(name for name, _ in entries(said) if name not in blobs)}
    blobs.update(dict.fromkeys(blobs.keys() & filtered.names if filtered.fine else blobs, ""))
    return Listing(blobs, frozenset(others), folders, changes, said, untracked.errors)


def entries(tracked: str) -> Iterator[tuple[str, str]]:
    """The names of an index with what it says of each: `H 100644 BLOB 0`."""
    for entry in tracked.split("\0"):
        about, _, name = entry.partition("\t")
        if name:
            yield name, about


def entry(tracked: str, name: str) -> str:
    """What an index says of one name; "" for nothing."""
    end = -1
    while (end := tracked.find(f"\t{name}\0", end + 1)) >= 0:
        about = tracked[tracked.rfind("\0", 0, end) + 1 : end]
        if "\t" not in about:  # else it is the end of another name
            return about
    return ""


def differing(one: str, other: str) -> set[str]:
    """The names of which two indexes say different things."""
    return {entry.partition("\t")[2] for entry in set(one.split("\0")) ^ set(other.split("\0"))}


def index(folder: str) -> str | None:
    """The index below a folder as Git tells it; None where it can't."""
    (answer,) = _ask([(folder, _TRACKED)])
    return answer.said if answer.fine else None


def changes(folders: Sequence[str], recalled: Callable[[str], Recalled]) -> dict[str, Changes] | None:
    """What differs from the index below folders; None where Git can't tell.

    What is recalled of a folder is asked for while Git looks for what has changed.
    """
    running = _started((folder, _CHANGED) for folder in folders)
    known = {folder: recalled(folder) for folder in folders}
    unsure = [folder for folder in folders if known[folder].unsure]
    others = _ask((folder, (*_UNTRACKED, "--", *map(":(literal){}".format, known[folder].unsure))) for folder in unsure)
    answers = _ended(running)
    if len(answers) < len(folders) or not all(answer.fine for answer in (*answers, *others)):
        return None
    told = {folder: answer.names for folder, answer in zip(unsure, others, strict=True)}
    return {
        folder: Changes(answer.names, known[folder].names.union(told.get(folder, ())))
        for folder, answer in zip(folders, answers, strict=True)
    }


def settings(folder: str) -> Callable[[], str]:
    """All settings of Git in a folder, as it tells them; they are asked for at once, and waited for by who calls for them."""
    running = _started([(folder, _SETTINGS)])
    return lambda: "".join(answer.said for answer in _ended(running))


def excludes(folder: str) -> list[str]:
    """The files beside `.gitignore` that say what is ignored in a folder, be they there or not (gitignore)."""
    asked = ("rev-parse", "--git-path", "info/exclude"), ("config", "--type=path", "core.excludesFile")
    own, chosen = (answer.said.rstrip("\n") for answer in _ask((folder, question) for question in asked))
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return [os.path.join(folder, each) for each in (own, chosen or os.path.join(base, "git", "ignore"))]


def blobs(folder: str, ids: Sequence[str]) -> list[bytes] | None:
    """The contents of blobs; None where one is missing."""
    (answer,) = _ask([(folder, ("cat-file", "--batch"))], given="".join(f"{each}\n" for each in ids).encode())
    data, found, start = answer.data, [], 0
    for each in ids:
        head_end = data.find(b"\n", start)
        words = data[start:head_end].decode().split(" ")
        if words[:2] != [each, "blob"]:
            return None
        end = head_end + 1 + int(words[2])
        found.append(data[head_end + 1 : end])
        start = end + 1
    return found


def staged(folder: str, name: str, index: str = "") -> bytes | None:
    """What the index has for a file of a folder; None where it has none. `index` is a file to take for the repository's index."""
    (answer,) = _ask([(folder, ("cat-file", "blob", f":./{name}"))], index)
    return answer.data if answer.fine else None


def check(root: str, index: str = "") -> None:
    """Raise RefusedError where Git does not read a repository's index; `index` is a file to take for it."""
    _ask([(root, _NOTHING)], index)[0].check()


def edited(root: str, *, cached: bool, index: str = "") -> frozenset[str]:
    """The names, from a work tree's root, of the files that differ from the last commit. RefusedError where Git can't tell.

    Before the first commit everything does. `cached` asks for the index instead of the work tree and what is not tracked; `index` is a file
    to take for it.
    """
    commands = [_NOTHING, (*_EDITED, *(["--cached"] if cached else []), _last_commit(root)), *([] if cached else [_UNTRACKED])]
    answers = _ask(((root, command) for command in commands), index)
    for answer in answers:
        answer.check()
    return frozenset().union(*(answer.names for answer in answers))


def set_back(root: str, index: str) -> bool:
    """Make of a file that is taken for a repository's index one that has the last commit; whether Git could."""
    return _ask([(root, ("read-tree", "--reset", _last_commit(root)))], index)[0].fine


def _last_commit(root: str) -> str:
    """The last commit; before the first one the tree without files."""
    return _ask([(root, ("rev-parse", "--verify", "--quiet", "HEAD"))])[0].said.strip() or _ask([(root, _NO_FILES)])[0].said.strip()


def remotes(folder: str) -> tuple[list[str], str]:
    """The addresses of a repository's remotes, and the file that says them, be it there or not."""
    asked = ("config", "--get-regexp", r"^remote\..*\.url$"), ("rev-parse", "--git-path", "config")
    urls, place = _ask((folder, question) for question in asked)
    found = [line.partition(" ")[2] for line in urls.said.splitlines()]
    return found, os.path.join(folder, place.said.rstrip("\n") if place.fine else ".git")


def is_ignored(folder: str) -> bool:
    """Whether a folder is one that Git leaves out."""
    return _ask([(folder, ("check-ignore", "--quiet", "."))])[0].fine


def head(folder: str) -> tuple[str, str] | None:
    """The commit that is checked out, and its own time in UTC; None where there is none."""
    (answer,) = _ask([(folder, ("log", "-1", "--no-show-signature", "--format=%H %cd", "--date=format-local:%Y-%m-%dT%H:%M:%SZ"))])
    commit, _, time = answer.said.strip().partition(" ")
    return (commit, time) if answer.fine and commit else None


def _ask(questions: Iterable[tuple[str, Sequence[str]]], index: str = "", given: bytes = b"") -> list[_Answer]:
    """The answers to commands in folders, which run side by side; `given` is the standard input of each."""
    asked = list(questions)
    running = _started(asked, index)
    return _ended(running, given) if running else [_Answer(b"", b"", False)] * len(asked)


def _started(questions: Iterable[tuple[str, Sequence[str]]], index: str = "") -> list[subprocess.Popen[bytes]]:
    """Start commands in folders side by side, all or none.

    What a hook that we may run in says of its repository holds for no other one (githooks).
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | {"LC_ALL": "C", "TZ": "UTC"}
    environment |= {"GIT_INDEX_FILE": index} if index else {}
    pipe, running = subprocess.PIPE, []
    try:
        for folder, command in questions:
            process = subprocess.Popen([*_GIT, *command], cwd=folder, env=environment, stdin=pipe, stdout=pipe, stderr=pipe)  # noqa: S603
            running.append(process)
    except OSError:
        _ended(running)
        return []
    return running


def _ended(running: Iterable[subprocess.Popen[bytes]], given: bytes = b"") -> list[_Answer]:
    return [_Answer(*process.communicate(given), process.returncode == 0) for process in running]
