"""Suppressions at work: which findings they silence, and which of them are of no use."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from mirrorlint.fleet import Suppression
from mirrorlint.level import OFF
from mirrorlint.likeness import suggestion
from mirrorlint.rule import Finding, Idle
from mirrorlint.source import Place


class Quieted(NamedTuple):
    """The findings that are left, how many were suppressed, and the suppressions that did nothing."""

    findings: tuple[Finding, ...]
    suppressed: int
    idle: tuple[Idle, ...]


def quieted(findings: Iterable[Finding], suppressions: Sequence[Suppression], rules: Collection[str], expected: Collection[str]) -> Quieted:
    """Take out what is suppressed where it is reported or, for a mirror, at the mirror itself.

    `rules` are those that there are, `expected` those of which nothing to suppress means that there is nothing.
    """
    by_file: dict[str, list[Suppression]] = {}
    for one in suppressions:
        if one.rule in rules and one.reason:
            by_file.setdefault(one.place.path, []).append(one)
    left: list[Finding] = []
    used: set[tuple[Place, str]] = set()
    suppressed = 0
    for finding in findings:
        places = [finding.place, *([finding.likewise.place] if finding.likewise else [])]
        silencing = [one for place in places for one in by_file.get(place.path, ()) if _covers(one, finding.rule, place.line)]
        used.update((one.place, one.rule) for one in silencing)
        suppressed += bool(silencing) and finding.level != OFF
        left += [] if silencing else [finding]
    idle = (Idle(one, why) for one in suppressions if (one.place, one.rule) not in used and (why := _flaw(one, rules, expected)))
    return Quieted(tuple(left), suppressed, tuple(idle))


def _covers(suppression: Suppression, rule: str, line: int) -> bool:
    return suppression.rule == rule and suppression.first <= line <= suppression.last


def _flaw(suppression: Suppression, rules: Collection[str], expected: Collection[str]) -> str:
    """Why a suppression does nothing; "" where that can't be told."""
    rule = suppression.rule
    if not rule:
        return "names no rule"
    if rule not in rules:
        return f"is for `{rule}`, which is no rule{suggestion(rule, rules)}"
    if not suppression.reason:
        return "gives no reason, so it does not count"
    return f"is for `{rule}`, which finds nothing here" if rule in expected else ""
