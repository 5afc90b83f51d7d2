"""`check --staged`: what the next commit will hold is linted, nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from repositories import LOST_AT, MIRROR_AT, RULE, edit, example, git, mend
from test_cli import Result, run


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return example(tmp_path / "repo")


def staged(repo: Path, *args: str, **env: str) -> Result:
    return run("check", "--staged", *args, cwd=repo, **env)


def report(repo: Path, *args: str, **env: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(staged(repo, "--format", "json", *args, **env).stdout)
    return found


def spots(repo: Path) -> list[tuple[str, str]]:
    return [(spot["path"], spot["message"]) for spot in report(repo)["blind_spots"]]


def test_what_is_staged_counts_and_not_the_working_tree(repo: Path) -> None:
    mend(repo)
    assert (run(cwd=repo).returncode, staged(repo).returncode) == (0, 1)
    git(repo, "add", ".")
    assert (run(cwd=repo).returncode, staged(repo).returncode) == (0, 0)
    edit(repo / LOST_AT, "'*'", "'*.frontend.stage.eu.trv.cloud'")
    assert (run(cwd=repo).returncode, staged(repo).returncode) == (1, 0)


def test_lines_and_their_text_are_those_that_are_staged(repo: Path) -> None:
    edit(repo / LOST_AT, "apiVersion", "\n\napiVersion")
    result = staged(repo)
    assert f"{LOST_AT}:10:7" in result.stdout
    assert "10 |     - '*.frontend.stage.eu.trv.cloud'" in result.stdout
    git(repo, "add", ".")
    assert f"{LOST_AT}:12:7" in staged(repo).stdout
    assert "12 |     - '*.frontend.stage.eu.trv.cloud'" in staged(repo).stdout


def test_an_untracked_file_does_not_count(repo: Path) -> None:
    git(repo, "rm", "--quiet", "--cached", "clusters/stage/gateway.yaml")
    assert run(cwd=repo).returncode == 1
    assert f"error[{RULE}]" not in staged(repo).stdout
    assert report(repo)["summary"]["files"] == 5


def test_what_is_only_gone_from_the_working_tree_counts(repo: Path) -> None:
    before = staged(repo).stdout
    (repo / LOST_AT).unlink()
    assert staged(repo).stdout == before


def test_settings_count_as_they_are_staged(repo: Path) -> None:
    settings = repo / ".mirrorlint.yaml"
    settings.write_text(f"rules: {{{RULE}: warning}}\n")
    assert (run(cwd=repo).returncode, staged(repo).returncode) == (0, 1)
    git(repo, "add", ".")
    settings.write_text("wrong: {}\n")
    assert (run(cwd=repo).returncode, staged(repo).returncode) == (2, 0)


def test_a_peers_settings_in_our_own_repository_count_as_they_are_staged(repo: Path) -> None:
    (repo / ".mirrorlint.yaml").write_text("clusters: {prod: {paths: [clusters/prod]}, stage: {path: clusters/stage}}\n")
    own = repo / "clusters/stage/.mirrorlint.yaml"
    own.write_text("clusters: {stage: {ingress: [elsewhere.example.com]}}\n")
    git(repo, "add", ".")
    own.unlink()
    assert (run(cwd=repo).returncode, staged(repo).returncode) == (1, 0)


def test_a_kustomization_counts_as_it_is_staged(repo: Path) -> None:
    kustomization = repo / "clusters" / "stage" / "kustomization.yaml"
    kustomization.write_text("resources: [gateway.yaml, virtual-service.yaml, httpbin.yaml, gone.yaml]\n")
    git(repo, "add", ".")
    kustomization.write_text("resources: [gateway.yaml, virtual-service.yaml, httpbin.yaml]\n")
    assert spots(repo)[0][0] == "clusters/stage/kustomization.yaml"
    assert run(cwd=repo).stdout.count("not judged") == 0


def test_what_is_rendered_counts_if_it_is_staged_as_it_is(repo: Path) -> None:
    kustomization = repo / "clusters/stage/kustomization.yaml"
    kustomization.write_text("resources: [gateway.yaml, virtual-service.yaml, httpbin.yaml]\nlabels: [{pairs: {app: x}}]\n")
    git(repo, "add", ".")
    assert not [message for _, message in spots(repo) if "work tree" in message]
    edit(kustomization, "app: x", "app: y")
    told = "this is rendered from the work tree, where `clusters/stage/kustomization.yaml` is not as it is staged"
    assert told in [message for _, message in spots(repo)]


def test_a_conflict_is_said_and_the_rest_is_judged(repo: Path) -> None:
    git(repo, "checkout", "--quiet", "-b", "other")
    edit(repo / "clusters/stage/httpbin.yaml", "httpbin", "other")
    git(repo, "commit", "--quiet", "-am", "other")
    git(repo, "checkout", "--quiet", "-")
    edit(repo / "clusters/stage/httpbin.yaml", "httpbin", "another")
    git(repo, "commit", "--quiet", "-am", "another")
    with pytest.raises(Exception, match="merge"):
        git(repo, "merge", "--quiet", "other")
    assert [(path, "conflicts" in message) for path, message in spots(repo)] == [("clusters/stage/httpbin.yaml", True)]
    assert f"warning[{RULE}]" in staged(repo).stdout


def test_a_link_that_is_staged_otherwise_is_said(repo: Path) -> None:
    link = repo / "clusters" / "stage" / "link.yaml"
    link.symlink_to("gateway.yaml")
    git(repo, "add", ".")
    assert spots(repo) == []
    link.unlink()
    link.write_text("")
    assert [path for path, _ in spots(repo)] == ["clusters/stage/link.yaml"]


def test_what_is_behind_a_link_counts_as_it_is_staged(repo: Path) -> None:
    git(repo, "mv", "clusters/stage", "shared")
    (repo / "clusters" / "stage").symlink_to("../shared")
    git(repo, "add", ".")
    linked = staged(repo).stdout
    assert "shared/virtual-service.yaml:10:7" in linked
    (repo / "shared" / "virtual-service.yaml").write_text("")
    (repo / "shared" / "gateway.yaml").unlink()
    assert staged(repo).stdout == linked


def test_a_single_file_counts_as_it_is_staged(repo: Path) -> None:
    edit(repo / MIRROR_AT, "mirror:", "mirrored:")
    (repo / "clusters" / "prod" / "new.yaml").write_text("")
    assert report(repo, "prod=clusters/prod/virtual-service.yaml", "stage=clusters/stage")["summary"]["mirrors"] == 1
    assert "clusters/prod/new.yaml: this file is not staged" in staged(repo, "clusters/prod/new.yaml").stdout


def test_the_index_of_a_partial_commit_is_the_one_that_git_names(repo: Path) -> None:
    git(repo, "read-tree", "HEAD", GIT_INDEX_FILE=str(repo / ".git" / "next"))
    mend(repo)
    git(repo, "add", ".")
    assert staged(repo).returncode == 0
    assert staged(repo, GIT_INDEX_FILE=str(repo / ".git" / "next")).returncode == 1
    assert run("check", "--staged", "..", cwd=repo / "clusters", GIT_INDEX_FILE=".git/next").returncode == 1


def test_a_peer_is_read_from_its_working_tree_whatever_git_says_of_ours(repo: Path, tmp_path: Path) -> None:
    peer = example(tmp_path / "peer")
    git(repo, "rm", "--quiet", "-r", "clusters/stage")
    (repo / ".mirrorlint.yaml").write_text("clusters: {prod: {paths: [clusters/prod]}, stage: {path: ../peer/clusters/stage}}\n")
    git(repo, "add", ".")
    hook = {"GIT_DIR": str(repo / ".git"), "GIT_INDEX_FILE": str(repo / ".git" / "index"), "GIT_WORK_TREE": str(repo)}
    assert [finding["path"] for finding in report(repo, **hook)["findings"]] == [f"../peer/{LOST_AT}"]
    mend(peer)
    assert staged(repo, **hook).returncode == 0


def test_a_patch_is_not_made_for_a_file_that_is_staged_otherwise(tmp_path: Path) -> None:
    repo = example(tmp_path / "sound", "sound")
    edit(repo / MIRROR_AT, "httpin.frontend.stage", "httpin.frontend.stag")
    git(repo, "add", ".")
    assert "+        host: httpin.frontend.stage.eu.trv.cloud" in report(repo)["findings"][0]["fix"]
    (repo / MIRROR_AT).write_text("# another\n" + (repo / MIRROR_AT).read_text())
    assert report(repo)["findings"][0]["fix"] is None


def test_what_a_run_said_is_not_said_again_of_another_index(repo: Path) -> None:
    assert staged(repo).returncode == 1
    mend(repo)
    git(repo, "add", ".")
    git(repo, "checkout-index", "-f", "-a")
    assert staged(repo).returncode == 0


@pytest.mark.parametrize("option", ["--staged", "--only-changed"])
@pytest.mark.parametrize(
    ("broken", "path", "reason"),
    [
        ("HEAD", None, "not a git repository (or any of the parent directories): .git"),
        ("index", None, ".git/index: index file smaller than expected"),
        ("description", "", "`git` can't be run"),
    ],
    ids=["no HEAD", "no index", "no program"],
)
def test_where_git_does_not_answer_its_reason_is_told(repo: Path, option: str, broken: str, path: str | None, reason: str) -> None:
    (repo / ".git" / broken).write_text("?")
    result = run("check", option, cwd=repo, **({} if path is None else {"PATH": path}))
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.splitlines()[-1].startswith(f"Error: `{option}` asks Git what ")
    assert result.stderr.endswith(f": {reason}\n")


def test_what_is_not_in_the_working_directorys_repository_is_wrong_usage(tmp_path: Path, repo: Path) -> None:
    example(tmp_path / "other")
    for folder, why in ((tmp_path, "it is in none"), (tmp_path / "other", "no path is in that one")):
        result = run("check", "--staged", repo, cwd=folder)
        assert (result.returncode, result.stdout) == (2, "")
        assert result.stderr.endswith(f"the index of the Git repository that the working directory is in, and {why}\n")


@pytest.mark.parametrize(("there", "why"), [(False, "there is no `../nowhere`"), (True, "`../nowhere` is empty")])
def test_an_absent_peer_is_one_line_unless_it_is_required(repo: Path, there: bool, why: str) -> None:
    if there:
        (repo.parent / "nowhere").mkdir()
    (repo / ".mirrorlint.yaml").write_text("clusters: {prod: {paths: [clusters/prod]}, stage: {path: ../nowhere}}\n")
    git(repo, "rm", "--quiet", "-r", "clusters/stage")
    git(repo, "add", ".")
    result = staged(repo)
    assert result.returncode == 0
    assert [line for line in result.stdout.splitlines() if "not judged" in line] == [
        "not judged: ../nowhere: the peer `stage` is not here, so what it accepts is not known"
    ]
    required = staged(repo, "--require-peer")
    assert required.returncode == 2
    assert f"the peer `stage` is not here: {why}" in required.stderr
