"""The rules' pages tell the truth: each Bad example gives exactly the findings that its comments announce, each Good one none."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import pages
import pytest
from pages import Expected

from mirrorlint.api import check, load
from mirrorlint.engine import rule_book
from mirrorlint.rule import Finding, Note, Report

SECTIONS = ["Why", "Bad", "Good", "Fix", "When to ignore it"]
every_page = pytest.mark.parametrize("name", pages.names())


def linted(files: Mapping[str, str], folder: Path) -> Report:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return check(load(folder))


def shown(said: Iterable[Finding | Note], folder: Path) -> list[tuple[str, int, str, str]]:
    found = ((os.path.relpath(one.place.path, folder), one.place.line, getattr(one, "level", "note"), one.message) for one in said)
    return sorted(found)


def says(message: str, expected: Expected) -> bool:
    return expected.part in message


def test_each_rule_has_a_page_and_each_page_a_rule() -> None:
    assert pages.names() == sorted(rule_book())


@every_page
def test_a_page_has_its_parts_in_order(name: str) -> None:
    page = pages.read(name)
    assert page.title == name
    assert page.intro.endswith(".")
    assert list(page.sections) == SECTIONS
    assert all(text.strip() for text in page.sections.values())


@every_page
def test_bad_gives_what_its_comments_announce(name: str, tmp_path: Path) -> None:
    files = pages.read(name).files("Bad")
    expected = sorted(pages.expectations(files))
    report = linted(files, tmp_path)
    findings = [one for one in expected if one.level != "note"]
    assert findings
    assert {finding.rule for finding in report.findings} == {name}
    found = shown(report.findings, tmp_path)
    assert [one[:3] for one in found] == [one[:3] for one in findings]
    assert all(says(message, one) for (*_, message), one in zip(found, findings, strict=True))
    notes = shown((note for finding in report.findings for note in finding.notes), tmp_path)
    for one in (one for one in expected if one.level == "note"):
        assert any(place == one[:3] and says(message, one) for *place_, message in notes for place in [tuple(place_)]), one


@every_page
def test_good_gives_no_finding_and_loses_no_shadow(name: str, tmp_path: Path) -> None:
    report = linted(pages.read(name).files("Good"), tmp_path)
    assert not report.findings
    assert not report.blind_spots
    assert report.mirrors
    assert all(set(mirror.delivery.values()) == {"all"} for mirror in report.mirrors)
