"""Names that are untracked: told by the times of folders, they are what Git tells."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
import repositories
import runs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mirrorlint import git
from mirrorlint.cache import untracked
from mirrorlint.cache.untracked import Ground, ground_of, recalled

FOLDERS = (
    "",
    "app",
    "app/base",
    "empty",
    "empty/deep",
    "own",
    "own/deep",
    "out",
    "out/deep",
    "loose",
    "loose/deep",
    "nested",
    "new",
    "new/deep",
)
NAMES = ("file.yaml", "other.yaml", "note.txt")
PATTERNS = ("*.txt\n", "out/\n", "out/*\n", "*\n", "*.yaml\n", "!file.yaml\n", "")


def _repository(root: Path) -> None:
    for folder in FOLDERS[:-2]:
        (root / folder).mkdir(exist_ok=True)
    for name in (
        "app/base/file.yaml",
        "out/note.txt",
        "out/deep/note.txt",
        "own/deep/file.yaml",
        "loose/deep/file.yaml",
        "nested/file.yaml",
    ):
        (root / name).write_text("a: 1\n")
    (root / ".gitignore").write_text("*.txt\n")
    (root / "own/.gitignore").write_text("*\n")
    repositories.git(root, "init", "--quiet")
    repositories.git(root / "nested", "init", "--quiet")
    repositories.git(root, "add", "app", ".gitignore")


def _written(root: Path, folder: str, name: str, text: str) -> None:
    (root / folder).mkdir(parents=True, exist_ok=True)
    (root / folder / name).write_text(text)


def _removed(root: Path, folder: str, name: str) -> None:
    (root / folder / name).unlink(missing_ok=True)


def _gone(root: Path, folder: str) -> None:
    if folder:
        shutil.rmtree(root / folder, ignore_errors=True)


def _moved(root: Path, folder: str, other: str) -> None:
    if folder and (root / folder).exists() and not (root / other).exists() and not other.startswith(folder):
        (root / other).parent.mkdir(parents=True, exist_ok=True)
        (root / folder).rename(root / other)


def _set(root: Path, pattern: str) -> None:
    (root / ".git/patterns").write_text(pattern)
    repositories.git(root, "config", "core.excludesFile", str(root / ".git/patterns"))


folders, patterns = st.sampled_from(FOLDERS), st.sampled_from(PATTERNS)
changes: st.SearchStrategy[Callable[[Path], None]] = st.one_of(
    st.builds(lambda folder, name: lambda root: _written(root, folder, name, "b: 2\n"), folders, st.sampled_from(NAMES)),
    st.builds(lambda folder, text: lambda root: _written(root, folder, ".gitignore", text), folders, patterns),
    st.builds(lambda folder, name: lambda root: _removed(root, folder, name), folders, st.sampled_from((*NAMES, ".gitignore"))),
    st.builds(lambda folder: lambda root: _gone(root, folder), folders),
    st.builds(lambda folder, other: lambda root: _moved(root, folder, other), folders, folders),
    st.builds(lambda text: lambda root: _written(root, ".git/info", "exclude", text), patterns),
    st.builds(lambda pattern: lambda root: _set(root, pattern), patterns),
    st.just(lambda root: _gone(root, "nested/.git")),
    st.just(lambda _: None),
)


@pytest.fixture(autouse=True)
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(untracked, "MANY", 0)


def _ground(folder: Path) -> tuple[frozenset[str], Ground]:
    """The untracked names of a folder, and what is remembered of why they are those."""
    listing = git.listing(str(folder))
    assert listing is not None
    ground = ground_of(str(folder), listing)
    assert ground is not None
    runs.rest()
    return listing.changes.untracked, ground


def _now(folder: Path, names: frozenset[str], ground: Ground) -> frozenset[str]:
    """The untracked names, by what is remembered."""
    changes = git.changes([str(folder)], lambda each: recalled(each, names, ground))
    assert changes is not None
    return changes[str(folder)].untracked


TELLING: dict[str, tuple[str, Callable[[Path], None]]] = {
    "a file": ("", lambda root: _written(root, "app", "other.yaml", "")),
    "a file in a folder that had none": ("", lambda root: _written(root, "empty/deep", "file.yaml", "")),
    "what a file ignores that is ignored itself": ("", lambda root: _written(root, "own", ".gitignore", "")),
    "what the repository ignores": ("", lambda root: _written(root, ".git/info", "exclude", "loose\n")),
    "what is ignored above": ("loose", lambda root: _written(root, "", ".gitignore", "*\n")),
    "a setting": ("", lambda root: _set(root, "*.yaml\n")),
    "a repository that is none any more": ("", lambda root: _gone(root, "nested/.git")),
}


def _told(folder: Path) -> frozenset[str]:
    """The untracked names, by Git alone."""
    listing = git.listing(str(folder))
    assert listing is not None
    return listing.changes.untracked


def test_where_nothing_has_changed_git_is_asked_for_nothing(tmp_path: Path) -> None:
    _repository(tmp_path)
    names, ground = _ground(tmp_path)
    assert recalled(str(tmp_path), names, ground) == (names, [])


def test_git_is_asked_for_the_folder_that_has_changed(tmp_path: Path) -> None:
    _repository(tmp_path)
    names, ground = _ground(tmp_path)
    _written(tmp_path, "loose/deep", "other.yaml", "")
    assert recalled(str(tmp_path), names, ground) == (names - {"loose/deep/file.yaml"}, ["loose/deep"])


@pytest.mark.parametrize(("start", "step"), TELLING.values(), ids=TELLING)
def test_names_that_differ_are_told(tmp_path: Path, start: str, step: Callable[[Path], None]) -> None:
    _repository(tmp_path)
    names, ground = _ground(tmp_path / start)
    step(tmp_path)
    now = _told(tmp_path / start)
    assert now != names
    assert _now(tmp_path / start, names, ground) == now


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(changes, max_size=3), st.sampled_from(("", "app", "loose", "own")))
def test_whatever_has_changed_they_are_the_names_that_git_tells(steps: list[Callable[[Path], None]], start: str) -> None:
    with tempfile.TemporaryDirectory() as place:
        root = Path(place).resolve()
        _repository(root)
        names, ground = _ground(root / start)
        for step in steps:
            step(root)
        if (root / start).exists():
            assert _now(root / start, names, ground) == _told(root / start)
