"""What a long run tells while it reads."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_cli import EXAMPLES, run

from mirrorlint.loading import read, watch
from mirrorlint.loading.means import Means
from mirrorlint.loading.watch import Watch


def test_a_short_run_tells_nothing_and_a_long_one_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    read([str(EXAMPLES / "sound")], means=Means(spent=Watch(told.append).spent))
    assert told == []
    monkeypatch.setattr(watch, "_PATIENCE", -1.0)
    monkeypatch.setattr(watch, "_PAUSE", -1.0)
    read([str(EXAMPLES / "sound")], means=Means(spent=Watch(told.append).spent))
    assert told[-1].startswith("6 files read, now ")


def test_verbose_says_what_is_known_and_what_files_cost(tmp_path: Path) -> None:
    (tmp_path / "istio.yaml").write_text(
        "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nmetadata: {name: a}\nspec: {tag: 1.28.0}\n"
    )
    lines = run("-v", "prod=.", cwd=tmp_path).stderr.splitlines()
    assert lines[0] == "mirrorlint: prod: Istio 1.28.0, as istio.yaml:4:13 says"
    assert lines[1].endswith(" s  istio.yaml")
    assert run("prod=.", cwd=tmp_path).stderr == ""
