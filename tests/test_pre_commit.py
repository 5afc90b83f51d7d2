"""The hooks as the real pre-commit runs them, in real commits."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from repositories import IDENTITY, LOST_AT, MIRROR_AT, RULE, edit, example, git, mend
from test_cli import EXAMPLES, ROOT

BIN = Path(sys.executable).parent
HOOKS: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with our hooks installed; of their definitions only the language is another one, since nothing can be installed here."""
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
        monkeypatch.delenv(name, raising=False)
    root = example(tmp_path / "repo")
    hooks = [{**hook, "language": "system", "entry": f"{BIN}/{hook['entry']}"} for hook in HOOKS]
    (root / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [{"repo": "local", "hooks": hooks}]}))
    git(root, "add", ".")
    git(root, "commit", "--quiet", "-m", "hooks")
    pre_commit(root, "install", check=True)
    return root


def pre_commit(root: Path, *words: str, check: bool = False) -> subprocess.CompletedProcess[str]:
    return subprocess.run([BIN / "pre-commit", *words, "--color=never"], cwd=root, capture_output=True, text=True, check=check)


def commit(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *IDENTITY, "commit", "-m", "next", *words], cwd=root, capture_output=True, text=True, check=False)


def test_the_manifest_is_one_that_pre_commit_takes() -> None:
    assert pre_commit(ROOT, "validate-manifest", ".pre-commit-hooks.yaml").returncode == 0
    assert [hook["id"] for hook in HOOKS] == ["mirrorlint", "mirrorlint-fix"]


def test_a_commit_that_loses_shadows_is_refused_with_both_ends(repo: Path) -> None:
    (repo / "note.txt").write_text("any file\n")
    git(repo, "add", ".")
    result = commit(repo)
    assert result.returncode == 1
    assert f"error[{RULE}]" in result.stderr
    assert f"{LOST_AT}:10:7" in result.stderr
    mend(repo)
    git(repo, "add", ".")
    assert commit(repo).returncode == 0


def test_what_is_not_staged_does_not_save_a_commit(repo: Path) -> None:
    mend(repo)
    (repo / "note.txt").write_text("any file\n")
    git(repo, "add", "note.txt")
    assert commit(repo).returncode == 1
    assert "'*'" in (repo / LOST_AT).read_text()


def test_an_untracked_file_does_not_save_a_commit(repo: Path) -> None:
    text = (repo / LOST_AT).read_text().replace("'*.frontend.stage.eu.trv.cloud'", "'*'").replace("http2-frontend", "catch-all")
    (repo / LOST_AT).with_name("untracked.yaml").write_text(text)
    (repo / "note.txt").write_text("any file\n")
    git(repo, "add", "note.txt")
    assert commit(repo).returncode == 1
    git(repo, "add", ".")
    assert commit(repo).returncode == 0


@pytest.mark.parametrize("words", [("-a",), (LOST_AT,)], ids=["all", "a path"])
def test_a_commit_of_what_was_not_staged_before_is_judged_as_it_will_be(repo: Path, words: tuple[str, ...]) -> None:
    mend(repo)
    assert commit(repo, *words).returncode == 0
    edit(repo / LOST_AT, "'*'", "'*.frontend.stage.eu.trv.cloud'")
    assert commit(repo, *words).returncode == 1


def test_a_linked_work_tree_is_judged_by_its_own_index(repo: Path, tmp_path: Path) -> None:
    git(repo, "worktree", "add", "--quiet", "-b", "other", str(tmp_path / "linked"))
    mend(tmp_path / "linked")
    assert commit(tmp_path / "linked", "-a").returncode == 0
    (repo / "note.txt").write_text("any file\n")
    git(repo, "add", ".")
    assert commit(repo).returncode == 1


def test_fixes_wait_until_they_are_asked_for(repo: Path) -> None:
    for file in (LOST_AT, MIRROR_AT):
        (repo / file).write_text((EXAMPLES / "sound" / file).read_text())
    edit(repo / MIRROR_AT, "httpin.frontend.stage", "httpin.frontend.stag")
    git(repo, "add", ".")
    assert commit(repo).returncode == 1
    result = pre_commit(repo, "run", "--hook-stage", "manual", "mirrorlint-fix")
    assert (result.returncode, "files were modified by this hook" in result.stdout) == (1, True)
    git(repo, "add", ".")
    assert commit(repo).returncode == 0
