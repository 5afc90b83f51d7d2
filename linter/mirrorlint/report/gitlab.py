"""The report for GitLab: Code Quality, which a merge request shows in its widget and in its diff."""

from __future__ import annotations

from itertools import repeat
from typing import Any

from mirrorlint.fleet import BlindSpot
from mirrorlint.level import ERROR
from mirrorlint.report import to_json
from mirrorlint.report.checkout import Checkout, view, words
from mirrorlint.report.fingerprint import fingerprints, of_blind_spots
from mirrorlint.rule import Finding, Report


def render(report: Report, checkout: Checkout) -> str:
    """A JSON list with an issue for each finding (major or minor) and for each blind spot (info).

    The fields are those of GitLab's "Code Quality report format", which drops an issue whose fingerprint it has seen.
    """
    findings = map(_finding, report.findings, fingerprints(report.findings, checkout), repeat(checkout))
    spots = map(_blind_spot, report.blind_spots, of_blind_spots(report.blind_spots, checkout), repeat(checkout))
    return to_json([*findings, *spots])


def _finding(finding: Finding, fingerprint: str, checkout: Checkout) -> dict[str, Any]:
    message, *ends = words(finding, checkout)
    place = view(finding, checkout).place
    return {
        "description": f"{message} ({'; '.join(ends)})" if ends else message,
        "check_name": finding.rule,
        "fingerprint": fingerprint,
        "severity": "major" if finding.level == ERROR else "minor",
        "location": {"path": checkout.path(place.path), "lines": {"begin": place.line}},
    }


def _blind_spot(spot: BlindSpot, fingerprint: str, checkout: Checkout) -> dict[str, Any]:
    return {
        "description": f"not judged: {spot.message}",
        "check_name": "not-judged",
        "fingerprint": fingerprint,
        "severity": "info",
        "location": {"path": checkout.path(spot.path), "lines": {"begin": spot.line or 1}},
    }
