"""The report for programs: JSON as `report.schema.json` describes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mirrorlint.fleet import BlindSpot
from mirrorlint.level import ERROR, WARNING
from mirrorlint.report import to_json
from mirrorlint.rule import Finding, MirrorFate, Note, Report

_VERSION = 1


def render(report: Report, version: str, fixes: Mapping[Finding, str]) -> str:
    """Write a report; `version` is that of mirrorlint, `fixes` has unified diffs."""
    document = {
        "version": _VERSION,
        "tool": f"mirrorlint {version}",
        "findings": [_finding(finding, fixes.get(finding)) for finding in report.findings],
        "blind_spots": [_blind_spot(spot) for spot in report.blind_spots],
        "mirrors": [_mirror(mirror) for mirror in report.mirrors],
        "summary": _summary(report),
    }
    return to_json(document)


def _finding(finding: Finding, fix: str | None) -> dict[str, Any]:
    place = finding.place
    return {
        "rule": finding.rule,
        "level": finding.level,
        "message": finding.message,
        "cluster": finding.cluster,
        "path": place.path,
        "line": place.line,
        "column": place.column,
        "end_line": place.end_line,
        "end_column": place.end_column,
        "object": finding.object,
        "worlds": list(finding.worlds),
        "notes": [_note(note) for note in finding.notes],
        "fix": fix,
    }


def _note(note: Note) -> dict[str, Any]:
    return {
        "message": note.message,
        "cluster": note.cluster,
        "path": note.place.path,
        "line": note.place.line,
        "column": note.place.column,
    }


def _blind_spot(spot: BlindSpot) -> dict[str, Any]:
    return {"message": spot.message, "path": spot.path, "line": spot.line or None}


def _mirror(mirror: MirrorFate) -> dict[str, Any]:
    return {
        "object": mirror.object,
        "target": mirror.target,
        "path": mirror.place.path,
        "line": mirror.place.line,
        "delivery": dict(sorted(mirror.delivery.items())),
    }


def _summary(report: Report) -> dict[str, int]:
    return {
        "errors": report.count(ERROR),
        "warnings": report.count(WARNING),
        "suppressed": report.suppressed,
        "blind_spots": len(report.blind_spots),
        "files": report.files,
        "documents": report.documents,
        "mirrors": len(report.mirrors),
    }
