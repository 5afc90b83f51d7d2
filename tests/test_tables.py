"""What the rule book says of itself is up to date, and no known way to break a mirror is passed over."""

from __future__ import annotations

import tables
from test_cli import ROOT

from mirrorlint.engine import rule_book


def test_the_indexes_are_those_that_the_script_writes() -> None:
    written = (ROOT / "README.md").read_text(encoding="utf-8")
    assert tables.readme(written) == written
    assert (ROOT / "rules/README.md").read_text(encoding="utf-8") == tables.rules_readme()


def test_each_way_to_break_a_mirror_has_a_rule_or_a_reason_why_not() -> None:
    for name, way in tables.ways().items():
        assert set(way) in ({"what", "rules"}, {"what", "why"}), name
        assert set(way.get("rules", ())) <= set(rule_book()), name


def test_each_rule_reports_some_way_to_break_a_mirror_or_is_about_the_files_themselves() -> None:
    named = {rule for way in tables.ways().values() for rule in way.get("rules", ())}
    assert set(rule_book()) - named == {"broken-document", "endpoints-lead-apart", "route-to-unknown-host", "useless-suppression"}
