"""What CI systems get: the command line's reports of a real example, the GitHub action, the GitLab template."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from junitparser import JUnitXml
from test_cli import EXAMPLES, ROOT, run
from test_formats import SARIF, commands

RULE = "shadow-host-not-accepted"
LOST_AT, MIRROR_AT = "clusters/stage/virtual-service.yaml", "clusters/prod/virtual-service.yaml"
BIN = Path(sys.executable).parent


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    copy = Path(shutil.copytree(EXAMPLES / "as-first-written", tmp_path / "repo"))
    (copy / ".git").mkdir()
    return copy


def uris(log: Path) -> list[str]:
    """Where a SARIF log, which must be valid, says that its findings are."""
    document = json.loads(log.read_text(encoding="utf-8"))
    SARIF.validate(document)
    (result,) = document["runs"][0]["results"]
    return [place["physicalLocation"]["artifactLocation"]["uri"] for place in (*result["locations"], *result["relatedLocations"])]


def test_one_run_writes_every_format(repo: Path) -> None:
    kinds = ("json", "sarif", "github", "gitlab", "junit")
    result = run("--format", "text", *(arg for kind in kinds for arg in ("--format", f"{kind}=out.{kind}")), cwd=repo)
    assert result.returncode == 1
    assert f"error[{RULE}]" in result.stdout
    assert uris(repo / "out.sarif")[:2] == [LOST_AT, MIRROR_AT]
    ((name, properties, message),) = commands((repo / "out.github").read_text())
    assert (name, properties["file"], properties["line"], properties["title"]) == ("error", LOST_AT, "10", RULE)
    assert f"\n{MIRROR_AT}:17: this mirror sends its shadows there" in message
    (issue,) = json.loads((repo / "out.gitlab").read_text())
    assert (issue["check_name"], issue["location"]) == (RULE, {"path": LOST_AT, "lines": {"begin": 10}})
    (case,) = next(iter(JUnitXml.fromfile(str(repo / "out.junit"))))
    assert case.name == "VirtualService frontend/httpbin-virtualservice to httpin.frontend.stage.eu.trv.cloud:80"
    assert case.result[0].type == RULE


def test_the_rules_page_is_the_help_of_sarif(repo: Path) -> None:
    (rule,) = json.loads(run("--format", "sarif", cwd=repo).stdout)["runs"][0]["tool"]["driver"]["rules"]
    assert rule["help"]["markdown"] == run("explain", RULE).stdout
    assert rule["shortDescription"]["text"].startswith("No virtual host of the target's gateway covers the Host")


def test_paths_begin_at_the_repository_from_a_subfolder_too(repo: Path) -> None:
    run("--format", "sarif=out.sarif", "..", cwd=repo / "clusters")
    assert uris(repo / "clusters" / "out.sarif")[:2] == [LOST_AT, MIRROR_AT]


def test_a_second_repository_is_told_from_the_end_in_this_one(repo: Path, tmp_path: Path) -> None:
    stage = Path(shutil.move(repo / "clusters" / "stage", tmp_path / "stage"))
    run("prod=clusters/prod", f"stage={stage}", "--format", "sarif=out.sarif", cwd=repo)
    assert uris(repo / "out.sarif")[:2] == [MIRROR_AT, f"{stage.as_uri()}/virtual-service.yaml"]


def test_two_formats_for_one_file_are_wrong_usage(repo: Path) -> None:
    result = run("--format", "json", "--format", "sarif", "--output", "out", cwd=repo)
    assert (result.returncode, result.stdout) == (2, "")
    assert "two formats go to `out`" in result.stderr


def step(action: dict[str, Any], name: str) -> dict[str, Any]:
    """A step of the action."""
    found: dict[str, Any] = next(step for step in action["runs"]["steps"] if step.get("name") == name)
    return found


@pytest.fixture(scope="module")
def action() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    return loaded


def lint_step(action: dict[str, Any], repo: Path, temp: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the action's script as the runner does, with the mirrorlint at hand where its first steps would install it."""
    temp.mkdir()
    (temp / "mirrorlint").mkdir()
    (temp / "mirrorlint" / "bin").symlink_to(BIN)
    defaults = {name.upper(): action["inputs"][name]["default"] for name in ("command", "paths", "args")}
    runner = {"RUNNER_TEMP": str(temp), "GITHUB_OUTPUT": str(temp / "output"), "PATH": os.environ["PATH"]}
    script = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step(action, "Lint")["run"]]
    return subprocess.run(script, cwd=repo, env={**runner, **defaults, **env}, capture_output=True, text=True, check=False)


def test_the_action_annotates_fails_and_hands_sarif_on(action: dict[str, Any], repo: Path, tmp_path: Path) -> None:
    result = lint_step(action, repo, tmp_path / "temp")
    assert result.returncode == 1
    assert f"\n::error file={LOST_AT},line=10," in result.stdout
    assert (tmp_path / "temp" / "output").read_text() == f"sarif={tmp_path / 'temp' / 'mirrorlint.sarif'}\n"
    assert uris(tmp_path / "temp" / "mirrorlint.sarif")[0] == LOST_AT
    assert "steps.lint.outputs.sarif" in step(action, "Upload")["with"]["sarif_file"]


def test_the_action_takes_options_and_paths_a_line_each(action: dict[str, Any], repo: Path, tmp_path: Path) -> None:
    args = f"--skip={RULE}\n\n--istio=1.28\n"
    result = lint_step(action, repo, tmp_path / "temp", ARGS=args, PATHS="prod=clusters/prod\nstage=clusters/stage\n")
    assert (result.returncode, "No findings" in result.stdout) == (0, True)


@pytest.fixture
def stage(repo: Path) -> Path:
    """The repository of the example's stage, which keeps the contract of prod."""
    peers = repo / "clusters/stage/.mirrorlint/peers"
    peers.mkdir(parents=True)
    assert run("contract", "export", "clusters/prod", "--output", peers / "prod.json", cwd=repo).returncode == 0
    return repo / "clusters/stage"


def test_the_action_verifies_contracts(action: dict[str, Any], stage: Path, tmp_path: Path) -> None:
    result = lint_step(action, stage, tmp_path / "temp", COMMAND="contract verify")
    assert (result.returncode, f"error[{RULE}]" in result.stdout) == (1, True)
    assert uris(tmp_path / "temp" / "mirrorlint.sarif")[0] == LOST_AT


def test_the_action_hands_no_sarif_on_when_there_is_none(action: dict[str, Any], repo: Path, tmp_path: Path) -> None:
    assert lint_step(action, repo, tmp_path / "temp", PATHS="nowhere").returncode == 2
    assert not (tmp_path / "temp" / "output").exists()


def test_the_gitlab_template_writes_the_reports_that_it_names(repo: Path) -> None:
    job = yaml.safe_load((ROOT / "templates" / "gitlab-ci.yml").read_text(encoding="utf-8"))["mirrorlint"]
    command = job["script"][-1].replace("/tmp/mirrorlint/bin", str(BIN))  # noqa: S108
    around = {"PATH": os.environ["PATH"], **job["variables"]}
    result = subprocess.run(["sh", "-ec", command], cwd=repo, env=around, capture_output=True, check=False)
    assert result.returncode == 1
    reports = job["artifacts"]["reports"]
    assert json.loads((repo / reports["codequality"]).read_text())[0]["location"]["path"] == LOST_AT
    assert len(list(JUnitXml.fromfile(str(repo / reports["junit"])))) == 1
