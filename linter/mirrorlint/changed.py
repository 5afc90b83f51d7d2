"""What is being changed: which findings the last commit does not have, or touch a file that differs from it, at either end."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from mirrorlint import git
from mirrorlint.cache.trail import index_of
from mirrorlint.causes import narrowed
from mirrorlint.loading import files
from mirrorlint.loading.index import Index
from mirrorlint.rule import Finding

# What a run over the files of an index finds.
Judge = Callable[[Index], Sequence[Finding]]


def touching(findings: Sequence[Finding], index: Index | None, told: Iterable[str], judge: Judge) -> tuple[tuple[Finding, ...], str]:
    """The findings that may come of what is being changed, and the change for which all are kept ("" for none).

    They are those at a changed file, or with a note there, and those that are not found once a repository is set back to its last commit,
    whatever the change was. In the repository of an index what is staged is the change, else what the work tree has. Of files that options
    name (`told`) there is nothing to set back. RefusedError where Git tells nothing of the working directory's repository.
    """
    home = files.repository(os.getcwd())
    ends = {end: files.repository(end) for finding in findings for end in _ends(finding)}
    roots = dict.fromkeys((home, *ends.values()))
    edited = {root: _edited(root, index if index and index.root == root else None, home) for root in roots}
    changes = frozenset().union(*edited.values())
    far = next((path for path in map(os.path.abspath, told) if path in changes), "")
    if far:
        return tuple(findings), files.shown(far)
    each = [member for finding in findings for member in finding.each]
    near = {member for member in each if not changes.isdisjoint(_ends(member))}
    old = {_said(member) for member in each if member not in near}
    for root in (root for root, those in edited.items() if those and (index is None or index.root == root)):
        old = old and old & _before(root, index, judge)
    kept = (narrowed(finding, lambda member: member in near or _said(member) not in old) for finding in findings)
    return tuple(filter(None, kept)), ""


def _edited(root: str, index: Index | None, home: str) -> AbstractSet[str]:
    """The paths of a repository that are being changed; none where Git can't tell, unless that is the one that is asked for."""
    try:
        names = git.edited(root, cached=index is not None, index=index.file if index else "")
    except git.RefusedError:
        if root == home:
            raise
        return frozenset()
    return {os.path.join(root, name) for name in names}


def _ends(finding: Finding) -> Iterable[str]:
    """The absolute paths of a finding's place and of its notes."""
    return (os.path.abspath(place.path) for place in (finding.place, *(note.place for note in finding.notes)))


def _said(finding: Finding) -> tuple[Any, ...]:
    """All that a finding tells."""
    return finding._replace(cause="", likewise=None, fix=())


def _before(root: str, index: Index | None, judge: Judge) -> set[tuple[Any, ...]]:
    """What was to be told at the last commit of a repository; nothing where Git can't go back to it.

    An index is set back instead of made anew, since it knows which files need not be read.
    """
    with tempfile.TemporaryDirectory(prefix="mirrorlint-") as folder:
        last = Index(root, os.path.join(folder, "index"))
        own = index.file if index and index.file else index_of(root)
        if os.path.isfile(own):
            shutil.copy2(own, last.file)
        found = judge(last) if git.set_back(root, last.file) else ()
        return {_said(member) for finding in found for member in finding.each}
