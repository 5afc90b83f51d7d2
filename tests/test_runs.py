"""Runs that are told from what earlier ones kept: never anything else than a whole run would say."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from runs import edit, git, rest, run

from mirrorlint.cache import untracked
from mirrorlint.git import entry
from mirrorlint.loading import batch, objects

EXAMPLE = Path(__file__).parent.parent / "examples" / "as-first-written"
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {key: one}\n"
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: a}
spec:
  template:
    metadata:
      labels:
        app: a
    spec:
      containers:
      - image: a:1
"""


@pytest.fixture(params=["git", "many folders", "folder"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> Iterator[Path]:
    root = tmp_path / "repo"
    for file in EXAMPLE.rglob("*.yaml"):
        (root / file.relative_to(EXAMPLE)).parent.mkdir(parents=True, exist_ok=True)
        (root / file.relative_to(EXAMPLE)).write_bytes(file.read_bytes())
    (root / "clusters/prod/config.yaml").write_text(CONFIG)
    (root / "clusters/prod/deployment.yaml").write_text(DEPLOYMENT)
    (root / "clusters/prod/unread.md").write_text("one\n")
    monkeypatch.chdir(root)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_COLOR", "1")
    if kind == "many folders":
        monkeypatch.setattr(untracked, "MANY", 0)
    if kind != "folder":
        git("init", "--quiet")
        git("add", ".")
    rest()
    yield root
    gc.enable()


@pytest.fixture
def said(repo: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Any:
    assert repo.exists()
    return lambda *arguments: run(monkeypatch, capfd, *arguments)


def test_nothing_has_changed(said: Any) -> None:
    code, text, ran = said()
    assert (code, ran) == (1, True)
    assert "error[shadow-host-not-accepted]" in text
    assert said() == (1, text, False)
    assert said("--no-cache") == (1, text, True)


def test_what_another_tool_makes_manifests_of_has_changed(repo: Path, said: Any) -> None:
    template = repo / "clusters/prod/more.yaml.j2"
    template.write_text("kind: ConfigMap\n")
    assert "more.yaml.j2" not in said()[1]
    template.write_text("apiVersion: networking.istio.io/v1\nkind: ServiceEntry\n")
    assert "not judged: clusters/prod/more.yaml.j2: this file is for Jinja" in said()[1]


def test_what_files_cost_is_told_by_a_whole_run(said: Any) -> None:
    said("-v")
    assert said("-v")[2]


def test_other_arguments_look_and_folder_are_another_run(repo: Path, said: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    said()
    assert said("-q")[2]
    assert said(".")[2]
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR")
    assert said()[2]
    monkeypatch.chdir(repo / "clusters")
    assert said()[2]


def stage(path: str, old: str, new: str) -> None:
    edit(path, old, new)
    if Path(".git").exists():
        git("add", ".")


CHANGES = {
    "an object": lambda: edit("clusters/prod/virtual-service.yaml", "http", "hptt"),
    "an object, staged": lambda: stage("clusters/prod/virtual-service.yaml", "http", "hptt"),
    "its line": lambda: edit("clusters/stage/gateway.yaml", "apiVersion", "# a comment\napiVersion"),
    "labels": lambda: edit("clusters/prod/deployment.yaml", "app: a", "app: b"),
    "a new file": lambda: Path("clusters/prod/new.yaml").write_text(CONFIG),
    "a file less": lambda: Path("clusters/prod/httpbin.yaml").unlink(),
    "a renamed file": lambda: Path("clusters/prod/httpbin.yaml").rename("clusters/prod/other.yaml"),
    "settings": lambda: Path(".mirrorlint.yaml").write_text("rules: {shadow-host-not-accepted: warning}\n"),
    "settings above": lambda: Path("../.mirrorlint.yaml").write_text("rules: {shadow-host-not-accepted: warning}\n"),
    "a kustomization": lambda: Path("clusters/prod/kustomization.yaml").write_text("kind: Kustomization\nresources: [gone.yaml]\n"),
    "one object more": lambda: edit("clusters/prod/config.yaml", "data", f"x: y\n---\n{CONFIG}data"),
    "a fault": lambda: edit("clusters/prod/config.yaml", "{key: one}", "["),
    "a link": lambda: Path("clusters/prod/link.yaml").symlink_to("config.yaml"),
    "a suppression": lambda: edit("clusters/stage/gateway.yaml", "kind", "# mirrorlint: ignore[tls-mismatch] none\nkind"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_matters_has_changed(said: Any, change: Any) -> None:
    said()
    assert not said()[2]
    change()
    code, text, ran = said()
    assert ran
    assert (code, text, True) == said("--no-cache")


HARMLESS = {
    "another document": lambda: edit("clusters/prod/config.yaml", "one", "two"),
    "another document, staged": lambda: stage("clusters/prod/config.yaml", "one", "two"),
    "an image": lambda: edit("clusters/prod/deployment.yaml", "a:1", "a:2"),
    "a file that is not read": lambda: edit("clusters/prod/unread.md", "one", "two"),
    "a time": lambda: os.utime("clusters/prod/httpbin.yaml", (1, 1)),
}


@pytest.mark.parametrize("kind", ["git"], indirect=True)
@pytest.mark.parametrize("change", HARMLESS.values(), ids=HARMLESS)
def test_what_does_not_matter_has_changed(said: Any, change: Any) -> None:
    code, text, _ = said()
    change()
    assert said() == (code, text, False)
    assert said("--no-cache") == (code, text, True)


@pytest.mark.parametrize("kind", ["git"], indirect=True)
def test_what_was_not_staged_even_then(said: Any) -> None:
    edit("clusters/prod/virtual-service.yaml", "http", "hptt")
    Path("clusters/prod/untracked.yaml").write_text(CONFIG)
    rest()
    said()
    assert not said()[2]
    edit("clusters/prod/untracked.yaml", CONFIG, DEPLOYMENT)
    assert said()[2]
    rest()
    said()
    edit("clusters/prod/virtual-service.yaml", "hptt", "http")
    assert said()[2]


def stage_another() -> None:
    stage("clusters/prod/config.yaml", CONFIG, f"{CONFIG}---\n{DEPLOYMENT}")
    edit("clusters/prod/config.yaml", DEPLOYMENT, "")


# What is done to the repository, and whether the run after it is a whole one.
STAGED = {
    "nothing": (lambda: None, False),
    "a file that is not staged": (lambda: Path("clusters/prod/new.yaml").write_text(CONFIG), True),
    "an edit that is not staged": (lambda: edit("clusters/prod/virtual-service.yaml", "http", "hptt"), True),
    "an object": (lambda: stage("clusters/prod/virtual-service.yaml", "http", "hptt"), True),
    "another document": (lambda: stage("clusters/prod/config.yaml", "one", "two"), False),
    "a document that is staged otherwise": (stage_another, True),
}


@pytest.mark.parametrize("kind", ["git"], indirect=True)
@pytest.mark.parametrize(("change", "ran"), STAGED.values(), ids=STAGED)
def test_what_is_staged_is_known_again(said: Any, change: Any, ran: bool) -> None:
    before = said("--staged")
    assert before[2]
    change()
    rest()
    assert said("--staged") == (*said("--staged", "--no-cache")[:2], ran)


@pytest.mark.parametrize("kind", ["git"], indirect=True)
def test_a_hook_meets_the_index_that_is_its_own(repo: Path, said: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")
    said("--staged")
    assert not said("--staged")[2]
    (repo / ".git/next").write_bytes((repo / ".git/index").read_bytes())
    monkeypatch.setenv("GIT_INDEX_FILE", str(repo / ".git/next"))
    assert said("--staged")[2]
    assert said("--staged")[2]


@pytest.mark.parametrize("kind", ["git"], indirect=True)
def test_a_run_over_another_index_than_the_work_tree_is_not_kept(said: Any) -> None:
    edit("clusters/prod/virtual-service.yaml", "http", "hptt")
    rest()
    said("--staged")
    assert said("--staged")[2]


@pytest.mark.parametrize("kind", ["git"], indirect=True)
def test_where_files_are_made_of_others_every_change_counts(said: Any) -> None:
    Path("clusters/prod/kustomization.yaml").write_text("namePrefix: a-\nresources: [config.yaml]\n")
    git("add", ".")
    rest()
    said()
    assert not said()[2]
    edit("clusters/prod/config.yaml", "one", "two")
    assert said()[2]


@pytest.mark.parametrize("kind", ["git"], indirect=True)
def test_a_run_in_which_git_did_not_answer_is_not_kept(said: Any) -> None:
    Path(".git/HEAD").rename("HEAD")
    rest()
    said()
    assert said()[2]
    Path("HEAD").rename(".git/HEAD")
    rest()
    said()
    assert not said()[2]


def test_a_run_that_meets_a_fresh_file_is_not_kept(said: Any) -> None:
    Path("clusters/prod/new.yaml").write_text(CONFIG)
    os.utime("clusters/prod/new.yaml", (time.time() + 60, time.time() + 60))
    said()
    assert said()[2]


def test_reports_are_written_to_their_files_again(said: Any) -> None:
    said("--format", "json=../report.json", "--format", "text")
    report = Path("../report.json").read_text()
    Path("../report.json").unlink()
    _, text, ran = said("--format", "json=../report.json", "--format", "text")
    assert not ran
    assert "error[shadow-host-not-accepted]" in text
    assert Path("../report.json").read_text() == report


def test_a_file_that_cannot_be_written_again_is_said(said: Any) -> None:
    Path("../out").mkdir()
    assert said("--output", "../out/report")[0] == 1
    Path("../out/report").unlink()
    Path("../out").rmdir()
    code, _, ran = said("--output", "../out/report")
    assert (code, ran) == (2, True)


def test_contents_are_found_whatever_they_are_called(said: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _, text, _ = said()
    read: list[bytes] = []
    content = objects.content

    def seen(data: bytes, path: str) -> objects.Content:
        read.append(data)
        return content(data, path)

    monkeypatch.setattr(batch, "content", seen)
    Path("clusters/prod/config.yaml").rename("clusters/prod/renamed.yaml")
    new = DEPLOYMENT.replace("name: a", "name: b")
    Path("clusters/prod/new.yaml").write_text(new)
    code, again, ran = said()
    assert ran
    assert code == 1
    assert read == [new.encode()]
    assert again.splitlines()[:-1] == text.splitlines()[:-1]


def test_a_name_is_found_in_an_index_whatever_other_names_end_with() -> None:
    tracked = "H 100644 a 0\tx\tb.yaml\0H 100644 c 0\tb.yaml\0H 100644 d 0\tsub/b.yaml\0"
    names = ("x\tb.yaml", "b.yaml", "sub/b.yaml", "yaml", "gone")
    assert [entry(tracked, name) for name in names] == ["H 100644 a 0", "H 100644 c 0", "H 100644 d 0", "", ""]
