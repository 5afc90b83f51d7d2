"""Suppressions: comments and annotations silence findings where they stand, with a reason, and say when they are of no use."""

from __future__ import annotations

import pytest
from test_engine import SOURCE, TARGET, judge, levels

from mirrorlint import check, loads
from mirrorlint.rule import Report

MIRROR = "      mirror: {host: stage.example.com, port: {number: 80}}"
LOST = SOURCE.replace("hosts: [stage.example.com]", "hosts: [test.example.com]")
DEAF = TARGET.replace("hosts: ['*'], gateways", "hosts: [a.example.com], gateways")
COMMENT = "# mirrorlint: ignore[mirror-to-unknown-host] applied by the platform team"


def messages(report: Report) -> list[str]:
    return [finding.message for finding in report.findings]


@pytest.mark.parametrize(
    "commented",
    [
        f"{MIRROR}  {COMMENT}",
        f"{COMMENT}\n{MIRROR}",
        f"      {COMMENT}\n\n      # and another comment\n{MIRROR}",
        f"{MIRROR} {COMMENT.replace('# ', '#')}",
        f"{MIRROR} {COMMENT.replace(': ', ':')}",
    ],
    ids=["on the line", "on the line above", "above other comments", "without a space", "without the other space"],
)
def test_a_comment_suppresses_a_finding_and_the_report_counts_it(commented: str) -> None:
    report = judge(source=LOST.replace(MIRROR, commented))
    assert (report.findings, report.suppressed) == ((), 1)
    assert set(report.mirrors[0].delivery.values()) == {"none"}


def test_of_several_rules_in_a_comment_those_that_find_nothing_are_said_to_be_useless() -> None:
    report = judge(source=LOST.replace(MIRROR, f"{MIRROR}  {COMMENT.replace('[', '[tls-mismatch, ')}"))
    assert report.suppressed == 1
    assert [message for message in messages(report) if "`tls-mismatch`, which finds nothing" in message] == messages(report)
    assert len(report.findings) == 1


NOTHING_HERE = "is for `tls-mismatch`, which finds nothing here"


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("[tls-mismatch, mirror-left-out] moot", f"{NOTHING_HERE}, and {NOTHING_HERE.replace('tls-mismatch', 'mirror-left-out')}"),
        ("[tls-mismatch, no-such-rule] moot", f"{NOTHING_HERE}, and is for `no-such-rule`, which is no rule"),
        ("[tls-mismatch, mirror-left-out]", "gives no reason, so it does not count"),
    ],
)
def test_a_comment_none_of_whose_rules_is_of_use_is_one_finding_that_names_them_all(named: str, said: str) -> None:
    assert messages(judge(source=SOURCE.replace(MIRROR, f"{MIRROR}  # mirrorlint: ignore{named}"))) == [f"this suppression {said}"]


def test_an_annotation_suppresses_what_is_found_in_its_object() -> None:
    annotated = "kind: VirtualService\nmetadata: {name: shop, annotations: {mirrorlint.dev/ignore: mirror-to-unknown-host by hand}}"
    report = judge(source=LOST.replace("kind: VirtualService\nmetadata: {name: shop}", annotated))
    assert (report.findings, report.suppressed) == ((), 1)


def test_an_annotation_of_several_lines_suppresses_several_rules() -> None:
    said = "\n      mirror-to-unknown-host by hand\n      tls-mismatch in the lab\n"
    annotated = f"kind: VirtualService\nmetadata:\n  name: shop\n  annotations:\n    mirrorlint.dev/ignore: |{said}"
    report = judge(source=LOST.replace("kind: VirtualService\nmetadata: {name: shop}", annotated))
    assert report.suppressed == 1
    assert levels(report) == [("warning", "useless-suppression")]


def test_a_loss_at_the_target_can_be_suppressed_at_the_mirror_as_well() -> None:
    ignored = f"{MIRROR}  # mirrorlint: ignore[shadow-host-not-accepted] stage opens up next week"
    report = judge(source=SOURCE.replace(MIRROR, ignored), target=DEAF)
    assert (report.findings, report.suppressed) == ((), 1)


def test_a_suppression_elsewhere_in_the_file_leaves_the_finding_and_is_said_to_be_useless() -> None:
    report = judge(source=f"{COMMENT}{LOST}")
    assert sorted(levels(report)) == [("error", "mirror-to-unknown-host"), ("warning", "useless-suppression")]
    assert report.suppressed == 0


@pytest.mark.parametrize(
    ("comment", "why"),
    [
        (COMMENT, "finds nothing here"),
        ("# mirrorlint: ignore[mirror-to-unknown-host]", "gives no reason"),
        ("# mirrorlint: ignore[mirror-to-unknwon-host] typo", "did you mean `mirror-to-unknown-host`?"),
        ("# mirrorlint: ignore[no-such-thing-at-all] for once", "is no rule"),
        ("# mirrorlint: ignore everything", "names no rule"),
    ],
    ids=["unused", "without a reason", "misspelt rule", "unknown rule", "no rule"],
)
def test_a_suppression_that_does_nothing_is_a_warning_at_its_own_line(comment: str, why: str) -> None:
    (finding,) = judge(source=SOURCE.replace(MIRROR, f"{MIRROR}  {comment}")).findings
    assert (finding.level, finding.rule) == ("warning", "useless-suppression")
    assert why in finding.message
    assert finding.place.line == SOURCE.splitlines().index(MIRROR) + 1
    assert finding.place.column == len(MIRROR) + 3


def test_a_suppression_without_a_reason_does_not_count() -> None:
    report = judge(source=LOST.replace(MIRROR, f"{MIRROR}  # mirrorlint: ignore[mirror-to-unknown-host]"))
    assert sorted(levels(report)) == [("error", "mirror-to-unknown-host"), ("warning", "useless-suppression")]


@pytest.mark.parametrize(
    "text", ["'# mirrorlint: ignore[tls-mismatch] quoted'", "|\n      # mirrorlint: ignore[tls-mismatch] in a block\n"]
)
def test_the_same_words_in_a_value_are_no_comment(text: str) -> None:
    named = f"kind: VirtualService\nmetadata:\n  name: shop\n  annotations:\n    note: {text}\n"
    assert judge(source=SOURCE.replace("kind: VirtualService\nmetadata: {name: shop}", named)).findings == ()


def test_without_the_other_cluster_a_suppression_is_not_called_useless() -> None:
    ignored = SOURCE.replace(MIRROR, f"{MIRROR}  # mirrorlint: ignore[shadow-host-not-accepted] stage opens up next week")
    assert check(loads({"prod": ignored})).findings == ()


def test_a_suppression_for_a_rule_that_is_switched_off_is_neither_counted_nor_useless() -> None:
    fleet = loads({"prod": LOST.replace(MIRROR, f"{MIRROR}  {COMMENT}"), "stage": TARGET})
    fleet.loaded = fleet.loaded._replace(settings=fleet.loaded.settings._replace(rules={"mirror-to-unknown-host": "off"}))
    report = check(fleet)
    assert (report.findings, report.suppressed) == ((), 0)
