"""`mirrorlint fix` as a user meets it, and which findings it mends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pages
import pytest
from test_cli import run
from test_gateway_api import PROD as ROUTED
from test_gateway_api import STAGE as ROUTES
from test_pages import every_example

from mirrorlint import check, load
from mirrorlint.fixing import changes

PAGE = pages.read("mirror-to-unknown-host")
GOOD, BAD = PAGE.good(""), PAGE.bad("")
VS, SERVICES, STAGE = "prod/virtual-service.yaml", "prod/services.yaml", "stage/shop.yaml"
FLUX = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec:
  path: ./apps
  sourceRef: {kind: GitRepository, name: flux-system}
  postBuild: {substitute: {NAME: stage}}
"""
Files = dict[str, str]


def lay_out(files: Files, folder: Path) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


def git(folder: Path, *command: str, stdin: str = "") -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    subprocess.run(["git", *command], cwd=folder, env=environment, input=stdin, text=True, check=True)


def fixable(files: Files, folder: Path) -> tuple[list[str], Files]:
    """The rules whose findings can be fixed, and what all fixes make of the files."""
    lay_out(files, folder)
    report = check(load(folder))
    assert not any(change.left for change in changes(report.findings))
    assert run("fix", cwd=folder).returncode == 0
    return [finding.rule for finding in report.findings if finding.fix], {path: (folder / path).read_text() for path in files}


def test_fix_writes_and_says_what_it_did(tmp_path: Path) -> None:
    repo = lay_out(BAD, tmp_path)
    result = run("fix", cwd=repo)
    assert (result.returncode, result.stdout, result.stderr) == (0, f"fixed: {VS}:9:15: mirror-to-unknown-host\n", "")
    assert "stage-gateway.example.com  # error" in (repo / VS).read_text()
    assert run("--strict", cwd=repo).returncode == 0
    again = run("fix", cwd=repo)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "there is nothing that can be mended without a doubt\n")


def test_hostnames_are_listed_in_a_namespace_that_only_the_kustomization_gives(tmp_path: Path) -> None:
    listed = {"prod/shop.yaml": ROUTED, STAGE: ROUTES.replace("  rules:", "  hostnames: [shop-shadow]\n  rules:")}
    kustomized = {f"{name}/kustomization.yaml": "namespace: shop\nresources: [shop.yaml]\n" for name in ("prod", "stage")}
    rules, done = fixable({**listed, **kustomized}, tmp_path)
    assert rules == ["shadow-host-not-accepted"]
    assert "shop.shop.svc.cluster.local-shadow" in done[STAGE]
    assert run("--strict", cwd=tmp_path).returncode == 0


def test_what_a_fix_brings_within_reach_is_fixed_as_well(tmp_path: Path) -> None:
    repo = lay_out({**BAD, SERVICES: GOOD[SERVICES].replace("hosts: [stage-g", "hosst: [stage-g")}, tmp_path)
    lines = run("fix", cwd=repo).stdout.splitlines()
    assert [line.rpartition(" ")[2] for line in lines] == ["misspelt-field", "mirror-to-unknown-host"]
    assert run("fix", cwd=repo).stdout == ""
    assert run("--strict", cwd=repo).returncode == 0


def test_the_diff_writes_nothing_and_git_applies_it_from_the_root(tmp_path: Path) -> None:
    git(lay_out({f"mesh/{path}": text for path, text in BAD.items()}, tmp_path), "init", "-q")
    result = run("fix", "--diff", cwd=tmp_path / "mesh")
    assert result.returncode == 1
    assert result.stdout.startswith(f"--- a/mesh/{VS}\n+++ b/mesh/{VS}\n@@ ")
    assert (tmp_path / "mesh" / VS).read_text() == BAD[VS]
    git(tmp_path, "apply", "-", stdin=result.stdout)
    assert run("--strict", cwd=tmp_path / "mesh").returncode == 0
    again = run("fix", "--diff", cwd=tmp_path / "mesh")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "there is nothing that can be mended without a doubt\n")


@pytest.mark.parametrize("diff", [True, False])
def test_another_repository_is_not_written_to_but_gets_its_patch(tmp_path: Path, diff: bool) -> None:
    lay_out(BAD, tmp_path)
    git(tmp_path / "prod", "init", "-q")
    git(tmp_path / "stage", "init", "-q")
    shown = " ".join(run("stage=.", "prod=../prod", cwd=tmp_path / "stage").stdout.split())
    assert "= `mirrorlint fix` prints the patch that mends this, which is for another repository" in shown
    result = run("fix", *(["--diff"] if diff else []), "stage=.", "prod=../prod", cwd=tmp_path / "stage")
    said, (other, silent) = (
        "../prod/virtual-service.yaml is not in this repository; for `git apply` in ../prod:\n",
        ((result.stderr, result.stdout) if diff else (result.stdout, result.stderr)),
    )
    assert other.startswith(said + "--- a/virtual-service.yaml\n")
    assert (result.returncode, silent) == (int(diff), "")
    assert (tmp_path / VS).read_text() == BAD[VS]
    git(tmp_path / "prod", "apply", "-", stdin=other.removeprefix(said))
    assert run("--strict", "stage=.", "prod=../prod", cwd=tmp_path / "stage").returncode == 0


def test_what_can_not_be_written_safely_is_said_with_its_place(tmp_path: Path) -> None:
    anchored = BAD[VS].replace("stage-gatway", "&host stage-gatway")
    result = run("fix", cwd=lay_out({**BAD, VS: anchored}, tmp_path))
    assert (result.returncode, result.stdout) == (0, "")
    assert result.stderr == f"not fixed: {VS}:9:21: its layout is one that can't be edited without a risk\n"
    (tmp_path / VS).write_bytes(BAD[VS].encode("utf-16"))
    assert run("fix", cwd=tmp_path).stderr == f"not fixed: {VS}: its text is not UTF-8\n"


def test_a_file_that_is_read_only_is_wrong_usage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str, mode: str) -> None:
        raise PermissionError(13, "Permission denied", name, mode)

    lay_out(BAD, tmp_path)
    monkeypatch.setattr("mirrorlint.fixing.open", refuse, raising=False)
    result = run("fix", cwd=tmp_path)
    assert result.returncode == 2
    assert f"{VS}: Permission denied" in result.stderr


def test_the_reports_say_what_can_be_fixed(tmp_path: Path) -> None:
    repo = lay_out(BAD, tmp_path)
    assert "= `mirrorlint fix` mends this\n" in run(cwd=repo).stdout
    (finding,) = json.loads(run("--format", "json", cwd=repo).stdout)["findings"]
    assert finding["fix"] == run("fix", "--diff", cwd=repo).stdout
    (repo / VS).write_text(GOOD[VS].replace("stage-gateway", "elsewhere"))
    assert "mirrorlint fix" not in run(cwd=repo).stdout
    assert json.loads(run("--format", "json", cwd=repo).stdout)["findings"][0]["fix"] is None


def test_a_text_that_was_rendered_is_not_edited(tmp_path: Path) -> None:
    misspelt = GOOD[SERVICES].replace("hosts: [stage-g", "hosst: [stage-g").replace("name: stage}", "name: '${NAME}'}")
    lay_out({"apps/services.yaml": misspelt, "clusters/prod/apps.yaml": FLUX, "clusters/stage/shop.yaml": BAD[STAGE]}, tmp_path)
    git(tmp_path, "init", "-q")
    found = json.loads(run("--format", "json", cwd=tmp_path).stdout)["findings"]
    assert "misspelt-field" in [finding["rule"] for finding in found if finding["path"] == "apps/services.yaml" and not finding["fix"]]
    assert "mirrorlint fix" not in run(cwd=tmp_path).stdout
    assert run("fix", cwd=tmp_path) == (0, "", "there is nothing that can be mended without a doubt\n")


def test_a_file_that_is_gone_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(lay_out(BAD, tmp_path))
    findings = check(load(".")).findings
    (tmp_path / VS).unlink()
    assert [change.left for change in changes(findings)] == [(f"{VS}: it can't be read (No such file or directory)",)]


def test_a_version_that_is_none_is_wrong_usage(tmp_path: Path) -> None:
    assert run("fix", "--istio", "latest", cwd=lay_out(BAD, tmp_path)).returncode == 2


def test_a_plain_check_does_not_load_what_edits() -> None:
    code = "import sys; from mirrorlint.cli import cli; cli(['check', sys.argv[1]], standalone_mode=False)"
    code = f"try:\n  exec({code!r})\nexcept SystemExit:\n  print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}", "examples/as-first-written"], capture_output=True, text=True, check=True
    )
    loaded = result.stdout.splitlines()[-1].split()
    assert "mirrorlint.engine" in loaded
    assert [name for name in loaded if name.startswith(("ruamel", "mirrorlint.fix"))] == []


@every_example
def test_a_page_whose_bad_example_can_be_fixed_shows_just_that_as_the_good_one(name: str, example: str, tmp_path: Path) -> None:
    page = pages.read(name)
    bad = {path: pages.bare(text) for path, text in page.bad(example).items()}
    rules, after = fixable(bad, tmp_path)
    assert (after == {path: pages.bare(text) for path, text in page.good(example).items()}) == bool(rules)
    assert set(rules) <= {name}


def test_some_pages_can_be_fixed(tmp_path: Path) -> None:
    mended = {name for name in pages.names() if fixable(pages.read(name).bad(""), tmp_path / name)[0]}
    assert mended == {
        "mirror-to-unknown-host",
        "misspelt-field",
        "route-to-unknown-host",
        "target-route-to-unknown-host",
    }
