"""The rules' pages are true: a Bad example gives exactly the findings that its comments announce, a Good one none."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pages
import pytest
from pages import Said

from mirrorlint import check, load
from mirrorlint.book import rule_book
from mirrorlint.rule import Report
from mirrorlint.source import Place

every_page = pytest.mark.parametrize("name", pages.names())
every_example = pytest.mark.parametrize(
    ("name", "example"), [pytest.param(name, each, id=f"{name}{each}") for name in pages.names() for each in pages.read(name).examples]
)


def linted(files: Mapping[str, str], folder: Path) -> Report:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return check(load(folder))


def said(place: Place, level: str, message: str, folder: Path) -> Said:
    return Said(os.path.relpath(place.path, folder), place.line, level, message)


def test_each_rule_has_a_page_and_each_page_a_rule() -> None:
    assert pages.names() == sorted(rule_book())


@every_page
def test_a_page_has_its_parts_in_order(name: str) -> None:
    page = pages.read(name)
    assert page.title == name
    assert page.intro.endswith(".")
    assert "\n\n" not in page.intro
    pairs = [f"{kind}{example}" for example in page.examples for kind in ("Bad", "Good")]
    assert list(page.sections) == ["Why", *pairs, "Fix", "When to ignore it"]
    assert page.examples[0] == ""
    assert all(text.strip() for text in page.sections.values())


@every_example
def test_the_bad_example_gives_the_findings_that_it_announces_and_no_other(name: str, example: str, tmp_path: Path) -> None:
    files = pages.read(name).bad(example)
    announced = [one for one in pages.announced(files) if one.level != "note"]
    findings = linted(files, tmp_path).findings
    found = [said(finding.place, finding.level, finding.message, tmp_path) for finding in findings]
    assert announced
    assert {finding.rule for finding in findings} == {name}
    assert len(found) == len(announced)
    assert [one for one in found if not any(comment.announces(one) for comment in announced)] == []


@every_example
def test_the_bad_example_gives_the_notes_that_it_announces(name: str, example: str, tmp_path: Path) -> None:
    files = pages.read(name).bad(example)
    findings = linted(files, tmp_path).findings
    notes = [said(note.place, "note", note.message, tmp_path) for finding in findings for note in finding.notes]
    announced = [one for one in pages.announced(files) if one.level == "note"]
    assert [one for one in announced if not any(one.announces(note) for note in notes)] == []


@every_example
def test_the_good_example_gives_no_finding_and_each_shadow_arrives(name: str, example: str, tmp_path: Path) -> None:
    page = pages.read(name)
    assert page.good(example) != page.bad(example)
    report = linted(page.good(example), tmp_path)
    assert report.findings == ()
    assert report.blind_spots == ()
    assert report.mirrors
    assert {fate for mirror in report.mirrors for fate in mirror.delivery.values()} == {"all"}
