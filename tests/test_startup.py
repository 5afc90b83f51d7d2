"""What a run imports: a hook that starts slowly is switched off."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mirrorlint.start import program

ROOT = Path(__file__).parent.parent
SLOW = {"networkx", "ruamel.yaml", "multiprocessing", "jsonschema", "importlib.metadata", "importlib.resources", "rich", "traceback"}
OTHERS = {
    "mirrorlint.loading.builds",
    "mirrorlint.loading.renders",
    "tempfile",
    "mirrorlint.graph",
    "mirrorlint.report.sarif",
    "mirrorlint.tracing",
    "mirrorlint.report.as_json",
    "mirrorlint.report.trace",
    "mirrorlint.source.hints",
}


def imported(*args: str) -> set[str]:
    code = f"""
import sys
from mirrorlint.cli import main
try:
    main({list(args)!r})
finally:
    sys.stderr.write("|".join(sys.modules))
"""
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout
    return set(result.stderr.split("|"))


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_version_and_help_read_nothing(option: str) -> None:
    assert imported(option).isdisjoint({*SLOW, *OTHERS, "yaml", "mirrorlint.engine", "mirrorlint.loading", "mirrorlint.source"})


@pytest.mark.parametrize(("argument", "code"), [("--version", 0), ("--no-such-option", 2)])
def test_a_program_ends_at_once_with_all_that_it_said(
    argument: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ended: list[int] = []
    monkeypatch.setattr(sys, "argv", ["mirrorlint", argument])
    monkeypatch.setattr(os, "_exit", ended.append)
    with pytest.raises(SystemExit):
        program()
    assert ended == [code]
    told = subprocess.run([sys.executable, "-m", "mirrorlint", argument], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout) == (code, capsys.readouterr().out)


def test_a_check_imports_only_what_it_runs() -> None:
    assert imported("check", "--no-cache", "examples/sound").isdisjoint({*SLOW, *OTHERS, "yaml"})
