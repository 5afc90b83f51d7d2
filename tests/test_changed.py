"""`check --only-changed`: findings that touch what is being changed, at either end."""

from __future__ import annotations

from pathlib import Path

import pytest
from repositories import LOST_AT, MIRROR_AT, RULE, edit, example, git
from test_cli import Result, run

COMMENT = "# a comment\n"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return example(tmp_path / "repo")


def changed(repo: Path, *args: str) -> Result:
    return run("check", "--only-changed", *args, cwd=repo)


def touch(file: Path) -> None:
    file.write_text(file.read_text() + COMMENT)


def test_without_a_change_nothing_is_shown_and_that_is_said(repo: Path) -> None:
    result = changed(repo)
    assert result.returncode == 0
    assert RULE not in result.stdout
    assert result.stderr == "mirrorlint: not shown: 1 at files that have not changed\n"


@pytest.mark.parametrize("end", [LOST_AT, MIRROR_AT])
@pytest.mark.parametrize("add", [False, True], ids=["in the working tree", "staged"])
def test_a_change_at_either_end_shows_the_finding(repo: Path, end: str, add: bool) -> None:
    touch(repo / end)
    if add:
        git(repo, "add", ".")
    result = changed(repo)
    assert (result.returncode, result.stderr) == (1, "")
    assert changed(repo, "--staged").returncode == int(add)


def test_a_change_elsewhere_does_not(repo: Path) -> None:
    touch(repo / "clusters/prod/httpbin.yaml")
    assert changed(repo).returncode == 0


@pytest.mark.parametrize("subfolder", [".", "clusters/prod"])
def test_a_new_file_is_a_change(repo: Path, subfolder: str) -> None:
    edit(repo / LOST_AT, "httpbin", "httpbin")
    git(repo, "rm", "--quiet", "--cached", LOST_AT)
    git(repo, "commit", "--quiet", "-m", "less")
    result = run("check", "--only-changed", repo, cwd=repo / subfolder)
    assert (result.returncode, result.stderr) == (1, "")
    assert run("check", "--only-changed", "--staged", repo, cwd=repo / subfolder).returncode == 0


def test_before_the_first_commit_everything_is_a_change(repo: Path) -> None:
    git(repo, "update-ref", "-d", "HEAD")
    assert changed(repo).returncode == 1
    assert changed(repo, "--staged").returncode == 1


def test_a_change_without_a_place_shows_everything(repo: Path) -> None:
    (repo / "clusters/prod/httpbin.yaml").unlink()
    result = changed(repo)
    assert result.returncode == 1
    assert result.stderr == "mirrorlint: all findings are shown: clusters/prod/httpbin.yaml has changed, which any of them may come from\n"


@pytest.mark.parametrize("file", [".mirrorlint.yaml", "clusters/prod/kustomization.yaml", "charts/Chart.yaml", "charts/values.yaml"])
def test_so_do_settings_kustomizations_and_charts(repo: Path, file: str) -> None:
    (repo / "charts").mkdir()
    (repo / "charts" / "Chart.yaml").write_text("apiVersion: v2\nname: a\nversion: 1.0.0\n")
    git(repo, "add", ".")
    git(repo, "commit", "--quiet", "-m", "a chart")
    with (repo / file).open("a") as text:
        text.write(COMMENT)
    result = changed(repo)
    assert result.returncode == 1
    assert f"{file} has changed" in result.stderr


def test_a_change_in_another_repository_counts_too(repo: Path, tmp_path: Path) -> None:
    peer = example(tmp_path / "peer")
    sides = ("prod=clusters/prod", f"stage={peer / 'clusters' / 'stage'}")
    assert changed(repo, *sides).returncode == 0
    touch(peer / LOST_AT)
    assert changed(repo, *sides).returncode == 1


def test_outside_of_git_it_is_wrong_usage(tmp_path: Path, repo: Path) -> None:
    result = run("check", "--only-changed", repo, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert "`--only-changed`" in result.stderr


def test_a_run_that_was_kept_is_no_answer_once_a_commit_is_made(repo: Path) -> None:
    touch(repo / LOST_AT)
    git(repo, "add", ".")
    assert changed(repo).returncode == 1
    git(repo, "commit", "--quiet", "-m", "second")
    assert changed(repo).returncode == 0
