"""The formats for pull requests: what GitHub, GitLab, and readers of SARIF and JUnit XML get."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from junitparser import Error, Failure, JUnitXml, Skipped
from reports import CHECKOUTS, HOSTS_PLACE, LOST, MIRROR, MIRROR_PLACE, REPORT, REPORTS, ROOT, SPOT, STRAY
from test_engine import SOURCE, TARGET

from mirrorlint import check, loads
from mirrorlint.fleet import BlindSpot
from mirrorlint.report import clean, github, gitlab, junit, sarif
from mirrorlint.report.checkout import Checkout, words
from mirrorlint.report.fingerprint import fingerprints
from mirrorlint.rule import Finding, Note, Report
from mirrorlint.source import Place

SARIF_SCHEMA = json.loads((Path(__file__).parent / "schemas" / "sarif-2.1.0.json").read_text(encoding="utf-8"))
SARIF = jsonschema.Draft7Validator(SARIF_SCHEMA)
PAGES = {"shadow-host-not-accepted": ("No virtual host covers the Host.", "# shadow-host-not-accepted\n")}
OUTSIDE = LOST._replace(place=HOSTS_PLACE._replace(path="../stage/vs.yaml"))


def one(*findings: Finding) -> Report:
    return Report(findings, (), ())


def run_of(report: Report, checkout: Checkout = ROOT) -> Any:
    """The run in a SARIF log that the schema accepts."""
    log = json.loads(sarif.render(report, "0.1.0", checkout, PAGES))
    SARIF.validate(log)
    assert log["version"] == "2.1.0"
    return log["runs"][0]


def commands(page: str) -> list[tuple[str, dict[str, str], str]]:
    """Workflow commands as the runner reads them (ActionCommand.TryParseV2): name, properties, message."""
    found = []
    for line in re.split("\r\n|[\r\n]", page)[:-1]:
        assert line.startswith("::")
        head, _, message = line[2:].partition("::")
        name, _, properties = head.partition(" ")
        pairs = (pair.partition("=") for pair in properties.split(","))
        found.append((name, {key: unescaped(value) for key, _, value in pairs}, unescaped(message)))
    return found


def unescaped(text: str) -> str:
    for code, char in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, char)
    return text


def test_sarif_has_the_finding_at_one_end_and_links_the_other() -> None:
    result = run_of(one(LOST))["results"][0]
    assert (result["ruleId"], result["level"]) == ("shadow-host-not-accepted", "error")
    assert result["message"]["text"] == f"{LOST.message}\n[this mirror sends its shadows there](1)"
    assert result["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "clusters/stage/vs.yaml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 10, "startColumn": 7, "endLine": 10, "endColumn": 22},
    }
    assert result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "stage/VirtualService default/shop"
    (related,) = result["relatedLocations"]
    assert (related["id"], related["message"]["text"]) == (1, "this mirror sends its shadows there")
    assert related["physicalLocation"]["artifactLocation"]["uri"] == "clusters/prod/vs.yaml"
    assert related["physicalLocation"]["region"]["startLine"] == 17


def test_sarif_describes_the_rules_that_found_something() -> None:
    run = run_of(REPORT)
    rules = run["tool"]["driver"]["rules"]
    assert [rules[result["ruleIndex"]]["id"] for result in run["results"]] == [result["ruleId"] for result in run["results"]]
    assert rules[0] == {"id": "misspelt-field"}
    assert rules[1]["shortDescription"]["text"] == "No virtual host covers the Host."
    assert rules[1]["help"]["markdown"] == "# shadow-host-not-accepted\n"


def test_sarif_tells_blind_spots_as_notifications() -> None:
    spots = (SPOT, BlindSpot("no YAML", "a b.yaml", 3), BlindSpot("only one cluster"))
    chart, broken, general = run_of(Report((), spots, ()))["invocations"][0]["toolExecutionNotifications"]
    assert chart["message"]["text"] == "not judged: the chart is not rendered"
    assert chart["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "charts/shop"
    assert broken["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a%20b.yaml"
    assert broken["locations"][0]["physicalLocation"]["region"] == {"startLine": 3}
    assert "locations" not in general


def test_sarif_escapes_what_messages_give_a_meaning() -> None:
    finding = LOST._replace(message="`/a/{id}` [x](y)", notes=(Note("path [0] of {0}", "prod", MIRROR_PLACE),))
    assert run_of(one(finding))["results"][0]["message"]["text"] == "`/a/{{id}}` [x](y)\n[path \\[0\\] of {{0}}](1)"


def test_github_annotates_the_line_and_tells_the_other_end() -> None:
    warning, error, notice = commands(github.render(REPORT, ROOT))
    assert error == (
        "error",
        {"file": "clusters/stage/vs.yaml", "line": "10", "endLine": "10", "title": "shadow-host-not-accepted"},
        f"{LOST.message}\nclusters/prod/vs.yaml:17: this mirror sends its shadows there",
    )
    assert warning[:2] == ("warning", {"file": "clusters/prod/dr.yaml", "line": "4", "endLine": "5", "title": "misspelt-field"})
    assert notice == ("notice", {"file": "charts/shop", "title": "not judged"}, "charts/shop: the chart is not rendered")
    assert github.render(Report((), (), ()), ROOT) == ""


def test_github_escapes_what_commands_give_a_meaning() -> None:
    finding = STRAY._replace(message="100 % :: of a, b", place=STRAY.place._replace(path="a,b:c%.yaml"))
    page = github.render(one(finding), ROOT)
    assert page == "::warning file=a%2Cb%3Ac%25.yaml,line=4,endLine=5,title=misspelt-field::100 %25 :: of a, b\n"


def test_github_shows_a_line_break_of_the_user_as_a_symbol() -> None:
    page = github.render(one(STRAY._replace(message="a\n::error::b")), ROOT)
    assert page.count("\n") == 1
    assert "::a␊::error::b" in page


def test_gitlab_has_the_documented_fields() -> None:
    warning, error, spot = json.loads(gitlab.render(REPORT, ROOT))
    assert error["description"] == f"{LOST.message} (clusters/prod/vs.yaml:17: this mirror sends its shadows there)"
    assert (error["check_name"], error["severity"]) == ("shadow-host-not-accepted", "major")
    assert error["location"] == {"path": "clusters/stage/vs.yaml", "lines": {"begin": 10}}
    assert (warning["description"], warning["severity"]) == (STRAY.message, "minor")
    assert (spot["description"], spot["severity"]) == ("not judged: the chart is not rendered", "info")
    assert spot["location"] == {"path": "charts/shop", "lines": {"begin": 1}}


def read_back(report: Report, checkout: Checkout = ROOT) -> list[Any]:
    """The test cases that junitparser reads."""
    suites = list(JUnitXml.fromstring(junit.render(report, "0.1.0", checkout).encode()))
    assert [suite.tests for suite in suites] == [len(list(suites[0]))]
    return list(suites[0])


def test_junit_has_a_case_for_each_mirror_stray_finding_and_blind_spot() -> None:
    mirror, stray, spot = read_back(REPORT)
    assert (mirror.classname, mirror.name) == ("prod", "VirtualService default/shop to stage-gateway.example.com:80")
    (failure,) = mirror.result
    assert isinstance(failure, Failure)
    assert (failure.message, failure.type) == (LOST.message, "shadow-host-not-accepted")
    assert failure.text.splitlines() == [
        f"clusters/stage/vs.yaml:10:7: error[shadow-host-not-accepted]: {LOST.message}",
        "clusters/prod/vs.yaml:17: this mirror sends its shadows there",
    ]
    assert stray.name == "DestinationRule default/shop: misspelt-field"
    assert (stray.is_passed, stray.system_out) == (True, f"clusters/prod/dr.yaml:4:3: warning[misspelt-field]: {STRAY.message}")
    assert spot.is_skipped
    assert [(type(result), result.message) for result in spot.result] == [(Skipped, "the chart is not rendered")]


def test_junit_puts_a_finding_with_the_mirror_that_it_is_about() -> None:
    second = MIRROR._replace(place=MIRROR_PLACE._replace(line=40), target="other.example.com:80")
    at_its_port = LOST._replace(place=MIRROR_PLACE._replace(line=42), cluster="prod", object=MIRROR.object, notes=())
    in_another_cluster = at_its_port._replace(cluster="stage")
    report = Report((at_its_port, in_another_cluster), (), (MIRROR, second))
    assert [case.is_passed for case in read_back(report)] == [True, False, False]
    assert read_back(report)[2].classname == "stage"


def test_junit_skips_a_mirror_whose_fate_is_unknown_unless_it_fails() -> None:
    unknown = MIRROR._replace(delivery={"1.27": "all", "1.28": "unknown"})
    assert [case.is_skipped for case in read_back(Report((), (), (unknown, MIRROR)))] == [True, False]
    (failing,) = read_back(Report((LOST,), (), (unknown,)))
    assert [type(result) for result in failing.result] == [Failure]


def test_junit_tells_cases_of_one_name_apart_and_counts() -> None:
    report = Report((LOST, LOST), (SPOT,), (MIRROR, MIRROR))
    first, second, _ = read_back(report)
    assert second.name == f"{first.name} (2)"
    suite = next(iter(JUnitXml.fromstring(junit.render(report, "0.1.0", ROOT).encode())))
    assert (suite.tests, suite.failures, suite.skipped, suite.errors) == (3, 2, 1, 0)


@pytest.mark.parametrize(
    ("checkout", "path"),
    [
        pytest.param(ROOT, "clusters/stage/vs.yaml", id="at the root"),
        pytest.param(Checkout("/repo", "/repo/clusters"), "clusters/clusters/stage/vs.yaml", id="in a subfolder"),
        pytest.param(Checkout("/", "/repo"), "repo/clusters/stage/vs.yaml", id="the file system's root"),
    ],
)
def test_paths_begin_at_the_root_of_the_repository(checkout: Checkout, path: str) -> None:
    (result,) = run_of(one(LOST), checkout)["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == path
    assert commands(github.render(one(LOST), checkout))[0][1]["file"] == path
    assert json.loads(gitlab.render(one(LOST), checkout))[0]["location"]["path"] == path


def test_a_finding_in_a_second_repository_is_shown_at_the_end_in_this_one() -> None:
    (result,) = run_of(one(OUTSIDE))["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "clusters/prod/vs.yaml"
    assert result["relatedLocations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "file:///stage/vs.yaml"}
    ((_, properties, message),) = commands(github.render(one(OUTSIDE), ROOT))
    assert (properties["file"], properties["line"]) == ("clusters/prod/vs.yaml", "17")
    assert "\n../stage/vs.yaml:10: found here\n" in message
    assert json.loads(gitlab.render(one(OUTSIDE), ROOT))[0]["location"] == {"path": "clusters/prod/vs.yaml", "lines": {"begin": 17}}


def test_a_finding_that_has_no_end_in_this_repository_says_where_it_is() -> None:
    alone = OUTSIDE._replace(notes=())
    ((_, properties, message),) = commands(github.render(one(alone), ROOT))
    assert properties == {"title": "shadow-host-not-accepted"}
    assert message.splitlines()[1:] == ["../stage/vs.yaml:10: found here"]
    assert run_of(one(alone))["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "file:///stage/vs.yaml"}


def test_fingerprints_survive_moved_lines_and_renamed_files() -> None:
    moved = LOST._replace(place=Place("other.yaml", 99, 1, 99, 5), notes=())
    assert fingerprints([moved], ROOT) == fingerprints([LOST], ROOT)
    repeated = STRAY._replace(message="`a` is already a key of this mapping (line 3)")
    assert fingerprints([repeated], ROOT) == fingerprints([repeated._replace(message=repeated.message.replace("3", "14"))], ROOT)


@pytest.mark.parametrize(
    "other",
    [LOST._replace(rule="r"), LOST._replace(cluster="c"), LOST._replace(object="o"), LOST._replace(message="m")],
    ids=["rule", "cluster", "object", "message"],
)
def test_fingerprints_differ_where_findings_do(other: Finding) -> None:
    assert len(set(fingerprints([LOST, other, LOST], ROOT))) == 3


def test_a_broken_document_is_known_by_its_file_from_the_root() -> None:
    broken = STRAY._replace(object="", place=Place("clusters/a.yaml", 1, 1, 1, 1))
    below = broken._replace(place=Place("a.yaml", 1, 1, 1, 1))
    assert fingerprints([broken], ROOT) == fingerprints([below], Checkout("/repo", "/repo/clusters"))
    assert fingerprints([broken], ROOT) != fingerprints([below], ROOT)


def test_fingerprints_are_the_same_in_each_format() -> None:
    expected = fingerprints(REPORT.findings, ROOT)
    assert [result["partialFingerprints"]["mirrorlint/v1"] for result in run_of(REPORT)["results"]] == expected
    assert [issue["fingerprint"] for issue in json.loads(gitlab.render(REPORT, ROOT))][:2] == expected


@given(REPORTS, CHECKOUTS)
def test_any_report_is_valid_sarif(report: Report, checkout: Checkout) -> None:
    results = run_of(report, checkout)["results"]
    assert len(results) == len(report.findings)
    for result in results:
        uris = [place["physicalLocation"]["artifactLocation"]["uri"] for place in (*result["locations"], *result["relatedLocations"])]
        assert all(re.fullmatch(r"[A-Za-z0-9%._~/:-]+", uri) and ".." not in unquote(uri).split("/") for uri in uris)


@given(REPORTS, CHECKOUTS)
def test_any_report_is_one_command_for_each_finding_and_blind_spot(report: Report, checkout: Checkout) -> None:
    read = commands(github.render(report, checkout))
    assert len(read) == len(report.findings) + len(report.blind_spots)
    told = ["\n".join(map(clean, words(finding, checkout))) for finding in report.findings]
    assert [message for _, _, message in read][: len(told)] == told


@given(REPORTS, CHECKOUTS)
def test_any_report_is_a_code_quality_report_without_a_repeated_fingerprint(report: Report, checkout: Checkout) -> None:
    issues = json.loads(gitlab.render(report, checkout))
    assert len({issue["fingerprint"] for issue in issues}) == len(issues) == len(report.findings) + len(report.blind_spots)
    for issue in issues:
        assert issue["severity"] in {"info", "minor", "major"}
        assert issue["location"]["lines"]["begin"] >= 1
        assert issue["location"]["path"]


@given(REPORTS, CHECKOUTS)
def test_any_report_is_junit_that_loses_no_error(report: Report, checkout: Checkout) -> None:
    cases = read_back(report, checkout)
    told = "\n".join(str(result.text) for case in cases for result in case.result if isinstance(result, Failure))
    assert not any(isinstance(result, Error) for case in cases for result in case.result)
    for finding in report.findings:
        if finding.level == "error":
            assert clean(finding.message) in told


def test_junit_fails_each_mirror_that_a_finding_speaks_of() -> None:
    second = SOURCE.partition("---\napiVersion: networking.istio.io/v1\nkind: VirtualService")
    other = "".join(second[1:]).replace("{name: shop}", "{name: cart}").replace("hosts: [shop]", "hosts: [cart.default]")
    cases = read_back(
        check(loads({"prod": (SOURCE + other).replace("host: stage.example.com", "host: gone.example.com"), "stage": TARGET}))
    )
    assert [bool(case.result) for case in cases] == [True, True]
