"""Findings that are accepted: a file for reviews, and what it takes out of a report."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from mirrorlint.causes import narrowed
from mirrorlint.loading.fields import FieldError, Fields, one_of, text
from mirrorlint.report import clean
from mirrorlint.report.checkout import Checkout
from mirrorlint.report.fingerprint import fingerprints
from mirrorlint.rule import Finding, Report
from mirrorlint.source import Node, Place, parse

_VERSION = 1
_LISTED = 3


class Entry(NamedTuple):
    """An accepted finding; the fingerprint decides, the rest is for who reads the file."""

    path: str
    rule: str
    object: str
    message: str
    fingerprint: str


class Accepted(NamedTuple):
    """A report without the findings that are accepted, and the entries that nothing matched."""

    report: Report
    stale: tuple[Entry, ...]


def write(findings: Iterable[Finding], checkout: Checkout) -> str:
    """The file that accepts some findings, by their paths from the repository's root: each mirror's own where they share a cause."""
    findings = [each for finding in findings for each in finding.each]
    entries = sorted(map(_entry, findings, fingerprints(findings, checkout), [checkout] * len(findings)))
    document = {"version": _VERSION, "findings": [entry._asdict() for entry in entries]}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def read(data: bytes, path: str) -> tuple[Entry, ...]:
    """The entries of a file; ValueError with `path:line:column: text` for all that is wrong in it."""
    parsed, reader = parse(data, path), Fields()
    reader.wrong += [(broken.place, broken.message) for broken in parsed.broken]
    entries = _entries(parsed.documents[0], reader) if parsed.documents else ()
    if not parsed.documents and not reader.wrong:
        reader.wrong.append((Place(path, 1, 1, 1, 1), "the baseline is empty: `--write-baseline` writes one"))
    if reader.wrong:
        raise ValueError("\n".join(f"{place}: {message}" for place, message in sorted(reader.wrong)))
    return entries


def accept(report: Report, entries: Iterable[Entry], checkout: Checkout, off: Collection[str]) -> Accepted:
    """Leave out the findings of a report that entries accept; those of rules that are off can match nothing, so they are not stale."""
    known = {entry.fingerprint: entry for entry in entries}
    prints = fingerprints([member for finding in report.findings for member in finding.each], checkout)
    marks, kept = iter(prints), []
    for finding in report.findings:
        fresh = {member for member, mark in zip(finding.each, marks, strict=False) if mark not in known}
        kept.append(narrowed(finding, fresh.__contains__))
    stale = tuple(entry for mark, entry in known.items() if mark not in prints and entry.rule not in off)
    baselined = sum(mark in known for mark in prints)
    return Accepted(report._replace(findings=tuple(filter(None, kept)), baselined=baselined), stale)


def told(stale: Sequence[Entry], file: str) -> str:
    """One line on entries that match nothing any more."""
    listed = ", ".join(f"{entry.rule} in {entry.path}" for entry in stale[:_LISTED]) + (", ..." if len(stale) > _LISTED else "")
    entries = f"{len(stale)} {'entry matches' if len(stale) == 1 else 'entries match'} nothing any more"
    return clean(f"{file}: {entries} ({listed}): `--write-baseline` leaves {'it' if len(stale) == 1 else 'them'} out")


def _entry(finding: Finding, fingerprint: str, checkout: Checkout) -> Entry:
    path = checkout.path(finding.place.path)
    return Entry(*map(clean, (path, finding.rule, finding.object, finding.message, fingerprint)))


def _entries(node: Node, reader: Fields) -> tuple[Entry, ...]:
    fields = reader.known(node, "the baseline", ("version", "findings"))
    reader.wrong += [(node.place, f"the baseline has no `{name}`") for name in ("version", "findings") if name not in fields]
    reader.take(fields, "version", one_of((str(_VERSION),)), "")
    return reader.listed(fields, "findings", lambda item: _read(item, reader))


def _read(node: Node, reader: Fields) -> Entry:
    fields = reader.known(node, "a finding", Entry._fields)
    if "fingerprint" not in fields:
        raise FieldError(node, "this finding has no `fingerprint`")
    path, rule, owner, message = (fields[name].text if name in fields else "" for name in Entry._fields[:-1])
    return Entry(path, rule, owner, message, text(fields["fingerprint"]))
