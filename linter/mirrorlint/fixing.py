"""What a run can fix: the edits of its findings, file by file, and the repository that each file is in."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from mirrorlint.fix import fixed
from mirrorlint.loading import files
from mirrorlint.patch import patch
from mirrorlint.rule import Edit, Finding


class Change(NamedTuple):
    """A file's text before and after; `left` are places at which an edit is not made, with the reason; `repository` is "" for our own."""

    path: str
    before: str
    after: str
    left: tuple[str, ...]
    repository: str

    @property
    def patch(self) -> str:
        """What changes, as a patch for the file's repository; "" for nothing."""
        return patch(_inside(self.path), self.before, self.after)


def changes(findings: Iterable[Finding]) -> Iterator[Change]:
    """The files that fixes would change, in order; nothing is written."""
    wanted: dict[str, list[Edit]] = {}
    for edit in (edit for finding in findings for edit in finding.fix):
        wanted.setdefault(edit.node.path, []).append(edit)
    for path, edits in sorted(wanted.items()):
        yield _change(path, edits)


def patches(findings: Iterable[Finding]) -> Mapping[Finding, str]:
    """The patch of each finding that has a fix."""
    found = ((finding, "".join(change.patch for change in changes([finding]))) for finding in findings if finding.fix)
    return {finding: diff for finding, diff in found if diff}


def write(change: Change) -> None:
    """Write a changed file; OSError when that fails."""
    with open(change.path, "wb") as file:
        file.write(change.after.encode())


def _change(path: str, edits: Iterable[Edit]) -> Change:
    data = files.read(path)
    home = files.repository(path)
    other = "" if home == files.repository(os.getcwd()) else files.shown(home)
    try:
        text = data.decode() if isinstance(data, bytes) else ""
    except UnicodeDecodeError:
        return Change(path, "", "", (f"{path}: its text is not UTF-8",), other)
    result = fixed(text, edits)
    left = tuple(f"{edit.node.place}: {why}" for edit, why in result.left)
    return Change(path, text, result.text, left, other)


def _inside(path: str) -> str:
    """A path from its repository's root."""
    return os.path.relpath(path, files.repository(path)).replace(os.sep, "/")
