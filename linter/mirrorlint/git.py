"""What Git says of the files below a folder: which there are, which blob each one is, and which differ from the index."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from typing import NamedTuple

_GIT = ("git", "-c", "core.fsmonitor=false")
_TRACKED = ("ls-files", "-z", "-s", "-v")
_FILTERED = ("ls-files", "-z", "--", ":(attr:filter)")
_OTHERS = ("ls-files", "-z", "--others", "--exclude-standard")
_CHANGED = ("diff-files", "-z", "--name-only", "--relative")
_REGULAR = ("H 100644", "H 100755")


class Answer(NamedTuple):
    """What a command printed, and whether it succeeded."""

    said: str
    errors: str
    fine: bool

    @property
    def names(self) -> set[str]:
        """The names that it listed."""
        return {name for name in self.said.split("\0") if name}


class Listing(NamedTuple):
    """The names below a folder.

    `blobs` are tracked regular files that are in the work tree as they are in the index, with their blobs' ids ("" where a filter stands
    between the two); `others` are all else, tracked or not, and `errors` what Git complained of.
    """

    blobs: Mapping[str, str]
    others: frozenset[str]
    errors: str


def ask(folder: str, *commands: Sequence[str], said: bytes = b"") -> list[Answer]:
    """Run Git's commands in a folder side by side, whatever the hook that we may run in says; `said` is what they read."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | {"LC_ALL": "C"}
    pipe = subprocess.PIPE
    try:
        running = [
            subprocess.Popen([*_GIT, *command], cwd=folder, env=environment, stdin=pipe, stdout=pipe, stderr=pipe)  # noqa: S603
            for command in commands
        ]
    except OSError:
        return [Answer("", "", fine=False) for _ in commands]
    answers = []
    for process in running:
        out, errors = process.communicate(said)
        answers.append(Answer(os.fsdecode(out), os.fsdecode(errors), process.returncode == 0))
    return answers


def listing(folder: str) -> Listing | None:
    """The names below a folder; None where Git can't tell."""
    tracked, filtered, others, changed = ask(folder, _TRACKED, _FILTERED, _OTHERS, _CHANGED)
    if not (tracked.fine and others.fine and changed.fine):
        return None
    unsure = changed.names | filtered.names if filtered.fine else changed.names
    blobs: dict[str, str] = {}
    rest = others.names
    for entry in tracked.said.split("\0"):
        about, _, name = entry.partition("\t")
        if about.startswith(_REGULAR) and about.endswith(" 0") and name not in changed.names:
            blobs[name] = "" if name in unsure else about.split(" ")[2]
        elif name:
            rest.add(name)
    return Listing(blobs, frozenset(rest), others.errors)


def is_ignored(folder: str) -> bool:
    """Whether a folder is one that Git leaves out."""
    return ask(folder, ("check-ignore", "--quiet", "."))[0].fine
