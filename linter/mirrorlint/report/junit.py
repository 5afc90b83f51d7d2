"""The report as JUnit XML: a test case for each mirror, for servers that show test results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from mirrorlint.fleet import BlindSpot
from mirrorlint.level import ERROR
from mirrorlint.report import clean
from mirrorlint.report.checkout import Checkout, view, words
from mirrorlint.rule import UNKNOWN_FATE, Finding, MirrorFate, Report

_NONE = -1


class _Case(NamedTuple):
    """A test case: where it stands (line 0: a whole file or folder), what was found, and why it was not run ("" when it was)."""

    classname: str
    name: str
    path: str
    line: int
    findings: Sequence[Finding] = ()
    skipped: str = ""

    @property
    def failures(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.level == ERROR]


def render(report: Report, version: str, checkout: Checkout) -> str:
    """A suite with a case for each mirror, for each finding about no mirror, and for each blind spot (skipped).

    Errors are a failure of their case, warnings are its output.
    """
    cases = _cases(report, checkout)
    counts = {
        "tests": str(len(cases)),
        "failures": str(sum(bool(case.failures) for case in cases)),
        "errors": "0",
        "skipped": str(sum(bool(case.skipped) for case in cases)),
    }
    root = Element("testsuites", {"name": f"mirrorlint {version}", **counts})
    suite = SubElement(root, "testsuite", {"name": "mirrorlint", **counts})
    names = Counter[tuple[str, str]]()
    for case in cases:
        names[case.classname, case.name] += 1
        _write(suite, case, names[case.classname, case.name], checkout)
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _cases(report: Report, checkout: Checkout) -> list[_Case]:
    about: dict[int, list[Finding]] = {}
    for finding in report.findings:
        for number in _mirrors(finding, report.mirrors):
            about.setdefault(number, []).append(finding)
    return [
        *(_of_mirror(mirror, about.get(number, ())) for number, mirror in enumerate(report.mirrors)),
        *(_of_finding(finding, checkout) for finding in about.get(_NONE, ())),
        *(_of_blind_spot(spot, checkout) for spot in report.blind_spots),
    ]


def _mirrors(finding: Finding, mirrors: Sequence[MirrorFate]) -> list[int]:
    """The numbers of the mirrors that a finding and its notes point at, else that of the nearest in the object that it is about."""
    places = {(finding.cluster, finding.place), *((note.cluster, note.place) for note in finding.notes)}
    pointed = [number for number, mirror in enumerate(mirrors) if (mirror.cluster, mirror.place) in places]
    owner = (finding.cluster, finding.object, finding.place.path)
    owned = [number for number, mirror in enumerate(mirrors) if (mirror.cluster, mirror.object, mirror.place.path) == owner]
    return pointed or [min(owned, key=lambda number: abs(mirrors[number].place.line - finding.place.line), default=_NONE)]


def _of_mirror(mirror: MirrorFate, findings: Sequence[Finding]) -> _Case:
    unknown = UNKNOWN_FATE in mirror.delivery.values() and not any(finding.level == ERROR for finding in findings)
    skipped = "whether its shadows arrive could not be judged" if unknown else ""
    return _Case(mirror.cluster, f"{mirror.object} to {mirror.target}", mirror.place.path, mirror.place.line, findings, skipped)


def _of_finding(finding: Finding, checkout: Checkout) -> _Case:
    place = view(finding, checkout).place
    owner = finding.object or checkout.path(place.path)
    return _Case(finding.cluster, f"{owner}: {finding.rule}", place.path, place.line, (finding,))


def _of_blind_spot(spot: BlindSpot, checkout: Checkout) -> _Case:
    name = f"not judged: {checkout.path(spot.path)}" if spot.path else "not judged"
    return _Case(spot.cluster, name, spot.path, spot.line, skipped=spot.message)


def _write(suite: Element, case: _Case, number: int, checkout: Checkout) -> None:
    """Add a case to the suite; `number` tells those of one name apart, of which servers show the first only."""
    name = clean(case.name) + (f" ({number})" if number > 1 else "")
    where = {"file": clean(checkout.path(case.path)), "line": str(case.line)} if case.path and case.line else {}
    node = SubElement(suite, "testcase", {"classname": clean(case.classname) or "mirrorlint", "name": name, **where})
    if case.failures:
        failure = SubElement(node, "failure", {"message": clean(case.failures[0].message), "type": clean(case.failures[0].rule)})
        failure.text = _told(case.failures, checkout)
    if case.skipped:
        SubElement(node, "skipped", {"message": clean(case.skipped)})
    warnings = [finding for finding in case.findings if finding not in case.failures]
    if warnings:
        SubElement(node, "system-out").text = _told(warnings, checkout)


def _told(findings: Iterable[Finding], checkout: Checkout) -> str:
    """Findings with their places and their other ends, a line each."""
    return "\n".join(clean(line) for finding in findings for line in _lines(finding, checkout))


def _lines(finding: Finding, checkout: Checkout) -> Iterator[str]:
    place = finding.place
    yield f"{checkout.path(place.path)}:{place.line}:{place.column}: {finding.level}[{finding.rule}]: {finding.message}"
    yield from list(words(finding, checkout))[1:]
