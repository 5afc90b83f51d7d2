"""Git repositories made for tests: the example whose shadows are lost, and what is done to it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from test_cli import EXAMPLES

LOST_AT, MIRROR_AT = "clusters/stage/virtual-service.yaml", "clusters/prod/virtual-service.yaml"
RULE = "shadow-host-not-accepted"
IDENTITY = ("-c", "user.name=t", "-c", "user.email=t@example.com")


def git(root: Path, *words: str, **env: str) -> str:
    """Run Git, whatever repository the tests themselves are run in."""
    around = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(["git", *IDENTITY, *words], cwd=root, env={**around, **env}, check=True, capture_output=True, text=True)
    return done.stdout


def example(root: Path, name: str = "as-first-written") -> Path:
    """An example, committed."""
    shutil.copytree(EXAMPLES / name, root)
    git(root, "init", "--quiet")
    git(root, "add", ".")
    git(root, "commit", "--quiet", "--no-verify", "-m", "first")
    return root


def write(root: Path, files: Mapping[str, str]) -> Path:
    """Write files, named by their paths from the root, which it gives back."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def mend(root: Path) -> None:
    """Let the target accept every Host."""
    edit(root / LOST_AT, "'*.frontend.stage.eu.trv.cloud'", "'*'")
