"""Accepted findings: what the file holds, what it leaves out, and what is said when it is wrong or out of date."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from reports import CHECKOUTS, LOST, REPORT, REPORTS, ROOT, STRAY
from test_cli import EXAMPLES, run

from mirrorlint import baseline
from mirrorlint.report import text
from mirrorlint.report.checkout import Checkout
from mirrorlint.rule import Report

RULE = "shadow-host-not-accepted"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLES / "as-first-written", tmp_path / "repo"))


def test_the_file_has_an_entry_for_each_finding_sorted_by_path() -> None:
    document = json.loads(baseline.write(REPORT.findings[::-1], ROOT))
    assert document["version"] == 1
    assert [list(entry) for entry in document["findings"]] == [["path", "rule", "object", "message", "fingerprint"]] * 2
    assert [entry["path"] for entry in document["findings"]] == ["clusters/prod/dr.yaml", "clusters/stage/vs.yaml"]
    assert document["findings"][1]["message"] == LOST.message


def test_accepted_findings_are_left_out_and_counted() -> None:
    entries = baseline.read(baseline.write([LOST], ROOT).encode(), "b.json")
    report, stale = baseline.accept(REPORT, entries, ROOT, ())
    assert report.findings == (STRAY,)
    assert stale == ()
    assert "1 warning, 1 blind spot, 1 in the baseline (" in text.render(report, lambda _: ())


def test_one_more_of_the_same_is_not_accepted() -> None:
    entries = baseline.read(baseline.write([LOST], ROOT).encode(), "b.json")
    report, _ = baseline.accept(Report((LOST, LOST), (), ()), entries, ROOT, ())
    assert report.findings == (LOST,)


def test_entries_that_match_nothing_are_stale_unless_their_rule_is_off() -> None:
    entries = baseline.read(baseline.write(REPORT.findings, ROOT).encode(), "b.json")
    stale = baseline.accept(Report((), (), ()), entries, ROOT, ["misspelt-field"]).stale
    assert [entry.rule for entry in stale] == [RULE]
    said = baseline.told(stale, "b.json")
    assert said == f"b.json: 1 entry matches nothing any more ({RULE} in clusters/stage/vs.yaml): `--write-baseline` leaves it out"
    assert ", ...)" in baseline.told(stale * 4, "b.json")


@given(REPORTS, CHECKOUTS)
def test_any_report_is_accepted_by_the_file_that_is_written_of_it(report: Report, checkout: Checkout) -> None:
    entries = baseline.read(baseline.write(report.findings, checkout).encode(), "b.json")
    accepted = baseline.accept(report, entries, checkout, ())
    assert (accepted.report.findings, accepted.stale) == ((), ())
    assert accepted.report.baselined == len(report.findings)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        pytest.param("", "b.json:1:1: the baseline is empty", id="nothing"),
        pytest.param('{\n  "version": 1,\n', "b.json:1:1: `{` is never closed", id="cut off"),
        pytest.param("[]", "b.json:1:1: the baseline must be a mapping", id="a list"),
        pytest.param('{"findings": []}', "b.json:1:1: the baseline has no `version`", id="no version"),
        pytest.param('{"version": 1}', "b.json:1:1: the baseline has no `findings`", id="no findings"),
        pytest.param('{"version": 2, "findings": []}', "b.json:1:13: `2` is not one of 1", id="another version"),
        pytest.param('{"version": 1, "finding": []}', "b.json:1:16: the baseline has no `finding` (did you mean `findings`?)", id="a typo"),
        pytest.param('{"version": 1, "findings": {}}', "b.json:1:28: this must be a list", id="a mapping for a list"),
        pytest.param(
            '{"version": 1,\n "findings": [{"rule": "r"}]}', "b.json:2:15: this finding has no `fingerprint`", id="a bare finding"
        ),
        pytest.param('{"version": 1, "findings": [{"fingerprint": 7}]}', "b.json:1:45: `7` is no text until it is quoted", id="a number"),
    ],
)
def test_a_broken_file_says_where(said: str, words: str) -> None:
    with pytest.raises(ValueError, match=r"b\.json") as raised:
        baseline.read(said.encode(), "b.json")
    assert any(line.startswith(words) for line in str(raised.value).splitlines())


def test_a_baseline_is_written_and_then_quiets_what_it_holds(repo: Path) -> None:
    written = run("--baseline", "b.json", "--write-baseline", cwd=repo)
    assert (written.returncode, written.stderr) == (0, "")
    manifest = repo / "clusters" / "stage" / "virtual-service.yaml"
    manifest.write_text("# moved\n" + manifest.read_text())
    again = run("--baseline", "b.json", "--strict", cwd=repo)
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout.startswith("1 mirror is lost. 1 in the baseline (")
    assert run(cwd=repo).returncode == 1


def test_a_stale_baseline_is_said_on_stderr(repo: Path) -> None:
    run("--baseline", "b.json", "--write-baseline", cwd=repo)
    manifest = repo / "clusters" / "stage" / "virtual-service.yaml"
    manifest.write_text(manifest.read_text().replace("'*.frontend.stage.eu.trv.cloud'", "'*'"))
    result = run("--baseline", "b.json", cwd=repo)
    assert result.stderr.count("\n") == 1
    assert f"b.json: 1 entry matches nothing any more ({RULE} in clusters/stage/virtual-service.yaml)" in result.stderr
    assert run("--baseline", "b.json", "--skip", RULE, cwd=repo).stderr == ""


def test_json_keeps_its_shape_with_a_baseline(repo: Path) -> None:
    plain = json.loads(run("--format", "json", cwd=repo).stdout)
    accepted = json.loads(run("--format", "json", "--baseline", "b.json", "--write-baseline", cwd=repo).stdout)
    assert accepted["findings"] == []
    assert accepted["summary"] == {**plain["summary"], "errors": 0}


@pytest.mark.parametrize(
    ("args", "words"),
    [
        pytest.param(("--write-baseline",), "--baseline FILE", id="no file named"),
        pytest.param(("--baseline", "none.json"), "none.json: No such file or directory", id="a missing file"),
        pytest.param(("--baseline", "b.json"), "b.json:1:1: the baseline must be a mapping", id="a broken file"),
        pytest.param(("--baseline", "no/folder/b.json", "--write-baseline"), "no/folder/b.json", id="a file that cannot be written"),
    ],
)
def test_wrong_use_exits_2(repo: Path, args: tuple[str, ...], words: str) -> None:
    (repo / "b.json").write_text("7")
    result = run(*args, cwd=repo)
    assert (result.returncode, result.stdout) == (2, "")
    assert words in result.stderr
