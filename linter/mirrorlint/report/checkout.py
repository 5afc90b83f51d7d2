"""Where a pull request shows a finding: paths from the root of its repository, and of both ends the one that is in it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import NamedTuple

from mirrorlint.fleet import is_peers
from mirrorlint.rule import Finding, Note
from mirrorlint.source import Place


class Checkout(NamedTuple):
    """The repository that a report is for: its root, and the folder that the report's paths start from; both absolute, with `/`."""

    root: str
    here: str

    def absolute(self, path: str) -> str:
        """A path of the report, from the root of the file system."""
        return posixpath.normpath(posixpath.join(self.here, path))

    def path(self, path: str) -> str:
        """A path of the report, from the root of the repository; it begins with `..` when it is in another one, or names a peer."""
        return path if is_peers(path) else posixpath.relpath(self.absolute(path), self.root)

    def holds(self, path: str) -> bool:
        """Whether a path of the report is in the repository."""
        return not is_peers(path) and self.path(path).partition("/")[0] != ".."


class View(NamedTuple):
    """The place at which a finding is shown, and the other ends."""

    place: Place
    ends: tuple[Note, ...]


def view(finding: Finding, checkout: Checkout) -> View:
    """Show a finding where it is; one in another repository at its first other end that is in this one, if there is one."""
    if checkout.holds(finding.place.path):
        return View(finding.place, finding.notes)
    inside = (note.place for note in finding.notes if checkout.holds(note.place.path))
    return View(next(inside, finding.place), (Note("found here", finding.cluster, finding.place), *finding.notes))


def words(finding: Finding, checkout: Checkout) -> Iterator[str]:
    """What a finding says, and then each other end with its place."""
    yield finding.message
    for end in view(finding, checkout).ends:
        yield f"{checkout.path(end.place.path)}:{end.place.line}: {end.message}"
