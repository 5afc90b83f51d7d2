"""What a run can fix: the edits of its findings, file by file, and the repository that each file is in."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from mirrorlint.fix import fixed
from mirrorlint.loading import files
from mirrorlint.patch import patch
from mirrorlint.rule import Edit, Finding

_ROUNDS = 10


class UnwritableError(Exception):
    """A file that can't be written, and why."""


class Change(NamedTuple):
    """A file's text before and after.

    `done` are the places of edits with their rules, `left` those at which no edit is made, with the reason; `repository` is "" for our own.
    """

    path: str
    before: str
    after: str
    done: tuple[str, ...]
    left: tuple[str, ...]
    repository: str

    @property
    def patch(self) -> str:
        """What changes, as a patch for the file's repository; "" for nothing."""
        return patch(_inside(self.path), self.before, self.after)


def changes(findings: Iterable[Finding]) -> Iterator[Change]:
    """The files that fixes would change, in order; nothing is written."""
    wanted: dict[str, dict[Edit, str]] = {}
    for finding in findings:
        for edit in finding.fix:
            wanted.setdefault(edit.node.path, {}).setdefault(edit, finding.rule)
    for path, edits in sorted(wanted.items()):
        yield _change(path, edits)


def mend(find: Callable[[], list[Change]], tell: Callable[[str], object]) -> list[Change]:
    """Write the changes of our own repository until there are no more: one may bring the next within reach; gives those of others.

    UnwritableError for a file that can't be written.
    """
    for _ in range(_ROUNDS):
        found = find()
        own = [change for change in found if change.patch and not change.repository]
        for change in own:
            _write(change)
            for place in change.done:
                tell(f"fixed: {place}")
        if not own:
            break
    return [change for change in found if change.repository or change.left]


def patches(findings: Iterable[Finding]) -> Mapping[Finding, str]:
    """The patch of each finding that has a fix."""
    found = ((finding, "".join(change.patch for change in changes([finding]))) for finding in findings if finding.fix)
    return {finding: diff for finding, diff in found if diff}


def _write(change: Change) -> None:
    try:
        with open(change.path, "wb") as file:
            file.write(change.after.encode())
    except OSError as error:
        raise UnwritableError(f"{change.path}: {error.strerror}") from error


def _change(path: str, edits: Mapping[Edit, str]) -> Change:
    data = files.read(path)
    home = files.repository(path)
    other = "" if home == files.repository(os.getcwd()) else files.shown(home)
    if isinstance(data, files.Unread):
        return Change(path, "", "", (), (f"{path}: it can't be read ({data.reason})",), other)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return Change(path, "", "", (), (f"{path}: its text is not UTF-8",), other)
    result = fixed(text, edits)
    left = {edit.node: f"{edit.node.place}: {why}" for edit, why in result.left}
    done = dict.fromkeys(f"{edit.node.place}: {rule}" for edit, rule in edits.items() if edit.node not in left)
    return Change(path, text, result.text, tuple(done), tuple(left.values()), other)


def _inside(path: str) -> str:
    """A path from its repository's root."""
    return os.path.relpath(path, files.repository(path)).replace(os.sep, "/")
