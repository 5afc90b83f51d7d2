"""The report as SARIF 2.1.0: for code scanning, editors and archives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from mirrorlint.fleet import BlindSpot, is_peers
from mirrorlint.level import ERROR
from mirrorlint.report import to_json
from mirrorlint.report.checkout import Checkout, view
from mirrorlint.report.fingerprint import fingerprints
from mirrorlint.rule import Finding, Note, Report
from mirrorlint.source import Place

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "%SRCROOT%"  # as GitHub's and Microsoft's tools name it
# What a message must escape anywhere, else it begins a placeholder (SARIF 3.11.5), and in the text of a link (3.11.6).
_BRACES = str.maketrans({"{": "{{", "}": "}}"})
_BRACKETS = str.maketrans({"\\": "\\\\", "[": "\\[", "]": "\\]"})


def render(report: Report, version: str, checkout: Checkout, pages: Mapping[str, tuple[str, str]]) -> str:
    """One run of mirrorlint in a version; `pages` has, by rule, what it finds in one sentence, and its page in Markdown.

    Paths in the repository are relative to its root, others are `file` URIs: SARIF 3.10.2 has no `..` in them. Columns count code points,
    and ends are exclusive, as in SARIF 3.30.
    """
    rules = sorted({finding.rule for finding in report.findings})
    prints = fingerprints(report.findings, checkout)
    run = {
        "tool": {"driver": {"name": "mirrorlint", "version": version, "rules": [_rule(name, pages) for name in rules]}},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the repository."}}},
        "invocations": [
            {"executionSuccessful": True, "toolExecutionNotifications": [_notification(spot, checkout) for spot in report.blind_spots]}
        ],
        "results": [
            {**_result(finding, checkout), "ruleIndex": rules.index(finding.rule), "partialFingerprints": {"mirrorlint/v1": fingerprint}}
            for finding, fingerprint in zip(report.findings, prints, strict=True)
        ],
    }
    return to_json({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(name: str, pages: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    if name not in pages:
        return {"id": name}
    summary, page = pages[name]
    return {"id": name, "shortDescription": {"text": summary}, "help": {"text": page, "markdown": page}}


def _result(finding: Finding, checkout: Checkout) -> dict[str, Any]:
    place, ends = view(finding, checkout)
    owner = {"name": finding.object, "fullyQualifiedName": f"{finding.cluster}/{finding.object}"}
    location = {"physicalLocation": _physical(place, checkout), **({"logicalLocations": [owner]} if finding.object else {})}
    return {
        "ruleId": finding.rule,
        "level": "error" if finding.level == ERROR else "warning",
        "message": {"text": _message(finding.message, ends)},
        "locations": [location],
        "relatedLocations": [_related(number, end, checkout) for number, end in enumerate(ends, start=1)],
        "properties": {"cluster": finding.cluster, "worlds": list(finding.worlds)},
    }


def _message(text: str, ends: tuple[Note, ...]) -> str:
    """A message with a link to each other end: code scanning shows related locations only where the message links them."""
    links = (f"[{end.message.translate(_BRACKETS)}]({number})" for number, end in enumerate(ends, start=1))
    return "\n".join([text, *links]).translate(_BRACES)


def _related(number: int, end: Note, checkout: Checkout) -> dict[str, Any]:
    return {"id": number, "physicalLocation": _physical(end.place, checkout), "message": {"text": end.message.translate(_BRACES)}}


def _physical(place: Place, checkout: Checkout) -> dict[str, Any]:
    region = {"startLine": place.line, "startColumn": place.column, "endLine": place.end_line, "endColumn": place.end_column}
    return {"artifactLocation": _artifact(place.path, checkout), "region": region}


def _artifact(path: str, checkout: Checkout) -> dict[str, str]:
    if checkout.holds(path):
        return {"uri": quote(checkout.path(path), errors="replace"), "uriBaseId": _ROOT}
    if is_peers(path):
        return {"uri": quote(path, errors="replace")}
    return {"uri": "file://" + quote(checkout.absolute(path), errors="replace")}


def _notification(spot: BlindSpot, checkout: Checkout) -> dict[str, Any]:
    """A blind spot; one without a path says what it is about itself."""
    notification = {"level": "warning", "message": {"text": f"not judged: {spot.message}".translate(_BRACES)}}
    if not spot.path:
        return notification
    region = {"region": {"startLine": spot.line}} if spot.line else {}
    return {**notification, "locations": [{"physicalLocation": {"artifactLocation": _artifact(spot.path, checkout), **region}}]}
