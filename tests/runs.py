"""Whole runs for tests: from the command line, with what earlier ones kept."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import pytest
import repositories

from mirrorlint import cli, start
from mirrorlint.cache import signature


def git(*words: str) -> None:
    repositories.git(Path(), *words)


def rest() -> None:
    """Let files grow older than what their times may lag behind."""
    time.sleep(signature.GRAIN * 2e-9)


def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, bool]:
    """The exit code, what is printed, and whether it was a whole run."""
    ran: list[Any] = []

    def whole(arguments: list[str]) -> None:
        ran.append(arguments)
        original(arguments)

    original = cli.main
    with monkeypatch.context() as patch:
        patch.setattr(sys, "argv", ["mirrorlint", *arguments])
        patch.setattr(cli, "main", whole)
        with pytest.raises(SystemExit) as stopped:
            start.main()
    return int(stopped.value.code or 0), capfd.readouterr().out, bool(ran)


def edit(path: str, old: str, new: str) -> None:
    repositories.edit(Path(path), old, new)
