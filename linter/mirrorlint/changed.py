"""What is being changed: which findings touch a file that differs from the last commit, at either end."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

from mirrorlint import git
from mirrorlint.loading import files
from mirrorlint.loading.index import Index
from mirrorlint.loading.paths import CHART, upwards, within
from mirrorlint.loading.settings import FILE
from mirrorlint.rule import Finding
from mirrorlint.sieve import KUSTOMIZATIONS, is_read

_DELETED = "D"


class NoRepositoryError(Exception):
    """The working directory is in no Git repository, so nothing tells what is being changed."""


def touching(findings: Sequence[Finding], index: Index | None) -> tuple[tuple[Finding, ...], str]:
    """The findings at a file that is being changed, or with a note there, and the change for which all are kept ("" for none).

    In the repository of an index what is staged is compared with the last commit, else the work tree is. A change without a place of its
    own may be the cause of any finding: a deleted file, settings, a kustomization, a chart. NoRepositoryError outside of Git.
    """
    home = files.repository(os.getcwd())
    ends = {end: files.repository(end) for finding in findings for end in _ends(finding)}
    edited: dict[str, Mapping[str, str]] = {}
    for root in dict.fromkeys((home, *ends.values())):
        found = git.edited(root, cached=index is not None and index.root == root, index=index.file if index and index.root == root else "")
        if found is None and root == home:
            raise NoRepositoryError
        edited[root] = {os.path.join(root, name): letter for name, letter in (found or {}).items()}
    changes = {path: letter for those in edited.values() for path, letter in those.items()}
    far = next((path for path, letter in changes.items() if _reaches_far(path, letter, home)), "")
    kept = findings if far else [finding for finding in findings if not changes.keys().isdisjoint(_ends(finding))]
    return tuple(kept), files.shown(far) if far else ""


def _ends(finding: Finding) -> Iterable[str]:
    """The absolute paths of a finding's place and of its notes."""
    return (os.path.abspath(place.path) for place in (finding.place, *(note.place for note in finding.notes)))


def _reaches_far(path: str, letter: str, home: str) -> bool:
    if (letter == _DELETED and is_read(path)) or os.path.basename(path) in (FILE, *KUSTOMIZATIONS):
        return True
    folders = (folder for folder in upwards(os.path.dirname(path)) if within(folder, home))
    return any(os.path.isfile(os.path.join(folder, CHART)) for folder in folders)
