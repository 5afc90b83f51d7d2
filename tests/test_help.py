"""What the command line says of itself: help that fits a screen, and what shells complete."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from runs import rest
from test_argocd import BIN
from test_cli import EXAMPLES, run

from mirrorlint.cli import cli

ARGUED = {"PATH": f"{BIN}:{os.environ['PATH']}"}


def commands(group: click.Group = cli, *words: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """All commands that are shown, with the words that name them."""
    yield words, group
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, *words, name)
        elif not command.hidden:
            yield (*words, name), command


COMMANDS = {" ".join(words): command for words, command in commands()}


@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_one_screen_and_nothing_is_cut_off(name: str) -> None:
    result = run(*name.split(), "--help", COLUMNS="80")
    lines = result.stdout.splitlines()
    assert result.returncode == 0
    assert len(lines) <= 50
    assert max(map(len, lines)) <= 80
    assert not [line for line in lines if line.endswith(("...", "…")) and "Usage:" not in line]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_is_for(name: str) -> None:
    options = [each for each in COMMANDS[name].params if isinstance(each, click.Option)]
    assert [option.name for option in options if not option.help] == []


def completed(*words: str, cwd: Path | None = None, cache: Path = Path("/nonexistent")) -> list[str]:
    """What bash would complete the last word to, by the script that is installed for it."""
    typed = " ".join(f"'{word}'" for word in ("mirrorlint", *words))
    script = f"""
eval "$(_MIRRORLINT_COMPLETE=bash_source mirrorlint)"
compopt() {{ echo files; }}
COMP_WORDS=({typed}) COMP_CWORD={len(words)}
_mirrorlint_completion mirrorlint
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    around = {**ARGUED, "XDG_CACHE_HOME": str(cache)}
    done = subprocess.run(["bash", "-c", script], cwd=cwd, env=around, capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param(("ex",), ["explain"], id="a command"),
        pytest.param(("contract", "v"), ["verify"], id="a command of a group"),
        pytest.param(("fix", "--d"), ["--diff"], id="an option"),
        pytest.param(("--write",), ["--write-baseline"], id="an option of check"),
        pytest.param(("repo/", "--write"), ["--write-baseline"], id="an option behind a path"),
        pytest.param(("explain", "shadow-r"), ["shadow-redirected-to-https"], id="a rule"),
        pytest.param(("--skip", "shadow-r"), ["shadow-redirected-to-https"], id="a rule to skip"),
        pytest.param(("check", "--rule", "shadow-r"), ["shadow-redirected-to-https"], id="the only rule"),
        pytest.param(("--format", "s"), ["sarif"], id="a format"),
        pytest.param(("graph", "--format", "m"), ["mermaid"], id="a drawing"),
        pytest.param(("repo",), ["files"], id="a path"),
        pytest.param(("trace", ""), ["files"], id="a path of a command"),
        pytest.param(("--baseline", ""), ["files"], id="a file"),
    ],
)
def test_shells_complete(words: tuple[str, ...], expected: list[str]) -> None:
    assert completed(*words) == expected


def test_an_earlier_report_is_no_completion(tmp_path: Path) -> None:
    """A run in the same folder, without arguments too, is kept and would be repeated."""
    repo = Path(shutil.copytree(EXAMPLES / "sound", tmp_path / "repo"))
    rest()
    said = {**ARGUED, "XDG_CACHE_HOME": str(tmp_path)}
    subprocess.run(["mirrorlint"], cwd=repo, env=said, check=True)
    assert list((tmp_path / "mirrorlint").rglob("*"))
    assert completed("", cwd=repo, cache=tmp_path)[:2] == ["check", "trace"]
