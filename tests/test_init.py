"""`mirrorlint init` writes settings that say what was found, and change nothing."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from test_cli import ROOT, run

FILE = ".mirrorlint.yaml"


def report(folder: Path) -> Any:
    said = json.loads(run("check", "--format", "json", ".", cwd=folder).stdout)
    return said["findings"], said["mirrors"], said["blind_spots"]


@pytest.fixture(params=["as-first-written", "as-published", "sound"])
def repository(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "examples" / request.param, tmp_path / "repository")
    (tmp_path / "repository" / FILE).unlink(missing_ok=True)
    return tmp_path / "repository"


def test_what_is_written_is_read_and_changes_no_finding(repository: Path) -> None:
    before = report(repository)
    result = run("init", ".", cwd=repository)
    assert (result.returncode, FILE in result.stdout) == (0, True)
    assert report(repository) == before
    assert "named in the settings" in run("clusters", ".", cwd=repository).stdout


@pytest.mark.parametrize("kind", ["argocd", "flux"])
def test_what_objects_of_gitops_apply_is_left_to_them(kind: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples" / kind / "sound", tmp_path / "repository")
    before = run("clusters", ".", cwd=tmp_path / "repository").stdout
    assert run("init", ".", cwd=tmp_path / "repository").returncode == 0
    assert run("clusters", ".", cwd=tmp_path / "repository").stdout == before
    assert "paths:" not in (tmp_path / "repository" / FILE).read_text(encoding="utf-8")


def test_the_comments_are_settings_too(repository: Path) -> None:
    run("init", ".", cwd=repository)
    file = repository / FILE
    text = file.read_text(encoding="utf-8")
    file.write_text(re.sub(r"^( *)# ?(?=\s*[\w-]+:)", r"\1", text, flags=re.MULTILINE), encoding="utf-8")
    assert file.read_text(encoding="utf-8") != text
    result = run("check", ".", cwd=repository)
    assert result.returncode in (0, 1)
    assert result.stderr == ""


def test_the_ingress_that_mirrors_lead_to_is_suggested(repository: Path) -> None:
    run("init", ".", cwd=repository)
    assert re.search(r"# ingress: \[\S+\] +# where its ingress gateway is reached", (repository / FILE).read_text(encoding="utf-8"))


def test_an_ingress_that_may_be_of_several_is_suggested_for_each(tmp_path: Path) -> None:
    for name, folder in (("prod", "prod"), ("stage", "stage"), ("qa", "stage")):
        shutil.copytree(ROOT / "examples/as-first-written/clusters" / folder, tmp_path / "clusters" / name)
    run("init", ".", cwd=tmp_path)
    text = (tmp_path / FILE).read_text(encoding="utf-8")
    assert re.findall(r"# ingress: (\[\S+\]) .* that of (\w+)$", text, re.MULTILINE) == [
        ("[httpin.frontend.stage.eu.trv.cloud]", "qa"),
        ("[httpin.frontend.stage.eu.trv.cloud]", "stage"),
    ]


def test_a_cluster_of_another_repository_is_shown_how_to_be_named(repository: Path) -> None:
    run("init", ".", cwd=repository)
    text = (repository / FILE).read_text(encoding="utf-8").replace("# other:", "other:").replace("#   path: ../other-", "  path: ../other-")
    (repository / FILE).write_text(text, encoding="utf-8")
    assert "the peer `other` is not here" in run("check", ".", cwd=repository).stdout


def test_settings_that_are_there_are_left_alone(repository: Path) -> None:
    (repository / FILE).write_text("rules: {}\n", encoding="utf-8")
    result = run("init", ".", cwd=repository)
    assert (result.returncode, result.stdout) == (2, "")
    assert "is there already" in result.stderr
    assert (repository / FILE).read_text(encoding="utf-8") == "rules: {}\n"


@pytest.mark.parametrize("name", ["on", "1.27", "a: b", "'", "stage #2", "-"])
def test_odd_names_of_folders_stay_what_they_are(name: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples/sound/clusters/prod", tmp_path / "clusters/prod")
    shutil.copytree(ROOT / "examples/sound/clusters/stage", tmp_path / "clusters" / name)
    before = report(tmp_path)
    run("init", ".", cwd=tmp_path)
    assert report(tmp_path) == before
    lines = run("clusters", ".", cwd=tmp_path).stdout.splitlines()
    assert [name, f"clusters/{name}", "named in the settings"] in [re.split(r" {2,}", line) for line in lines]
