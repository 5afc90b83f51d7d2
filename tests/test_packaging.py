"""What is installed has all that the program is made of: the wheel itself is tried by .ci/run."""

from __future__ import annotations

import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml
from test_cli import ROOT, run

SETUP: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
TESTED_ONLY = {"rules/ways.yaml"}


def folder(package: str) -> Path:
    """Where a package is on disk."""
    parts = package.split(".")
    known = next(len(parts) - end for end in range(len(parts)) if ".".join(parts[: len(parts) - end]) in SETUP["package-dir"])
    return ROOT.joinpath(SETUP["package-dir"][".".join(parts[:known])], *parts[known:])


def installed() -> set[Path]:
    """The files that setuptools takes."""
    taken = {file for package in SETUP["packages"] for file in folder(package).glob("*.py")}
    for package, patterns in SETUP["package-data"].items():
        taken |= {file for file in folder(package).iterdir() if any(fnmatch(file.name, pattern) for pattern in patterns)}
    return taken


def test_every_file_of_the_program_is_installed() -> None:
    written = {file for root in ("linter", "rules") for file in (ROOT / root).rglob("*") if file.is_file()}
    ours = {file for file in written if "__pycache__" not in file.parts and not any(part.endswith(".egg-info") for part in file.parts)}
    assert {str(file.relative_to(ROOT)) for file in ours - installed()} == TESTED_ONLY


@pytest.mark.parametrize("file", ["README.md", "docs/pull-requests.md", "docs/argocd.md", "templates/gitlab-ci.yml"])
def test_what_users_copy_names_the_version_that_this_is(file: str) -> None:
    version = run("--version").stdout.split()[-1]
    named = re.findall(r"(?:@|rev: |ref: |newTag: )v([0-9]+[.][0-9]+[.][0-9]+)", (ROOT / file).read_text(encoding="utf-8"))
    assert set(named) == {version}


def test_the_hooks_start_the_program_that_is_installed() -> None:
    (script,) = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert {hook["entry"].split()[0] for hook in hooks} == {script}


def test_no_pattern_repeats_a_group_possessively() -> None:
    """Until Python 3.11.5 that loses characters where the group backtracks inside (python/cpython#106052)."""
    said = {path: path.read_text(encoding="utf-8") for path in installed() if path.suffix == ".py"}
    assert {path.name: found for path, text in said.items() if (found := re.findall(r"""r?b?["'][^"'\n]*\)[*+?]\+[^\n]*""", text))} == {}
