"""What the README shows is what happens."""

from __future__ import annotations

import re

from test_cli import ROOT, run

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_finding_is_a_real_one() -> None:
    shown = re.findall(r"```\n(error.*?)```", README, re.DOTALL)[0].splitlines()
    said = run("examples/as-first-written", COLUMNS="100").stdout.splitlines()
    assert said[: len(shown)] == shown


def test_the_python_example_runs() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(code.replace('load("', f'load("{ROOT}/'), "README.md", "exec"), names)  # noqa: S102
    assert getattr(names["shadow"], "outcome", "") == "arrives"


def test_the_call_that_is_traced_is_mirrored() -> None:
    (words,) = re.findall(r"mirrorlint (trace repo/ .*?) +#", README)
    assert "  mirror " in run(*words.replace("repo/", "examples/as-published").split()).stdout


def test_each_rule_can_be_named_in_settings_and_has_a_page() -> None:
    listed = [line.split()[0] for line in run("rules").stdout.splitlines()]
    named = re.findall(r"rules: \{([a-z-]+):", README)
    assert named
    assert set(named) <= set(listed)
