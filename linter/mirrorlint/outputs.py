"""Which formats of a report there are, and where each one goes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

from mirrorlint.report.checkout import Checkout
from mirrorlint.rule import Finding, Report
from mirrorlint.source.comments import lines_of

STANDARD = "-"  # output, as a file's name
FORMATS = ("text", "json", "sarif", "github", "gitlab", "junit")


class Look(NamedTuple):
    """How text is shown: coloured, a line for each finding, a line for each mirror too.

    `strict` is for a run that fails for blind spots as well; `staged` are files that are not as on disk; `expected` tells that contracts of
    peers say what they send.
    """

    color: bool = False
    quiet: bool = False
    verbose: bool = False
    strict: bool = False
    staged: Mapping[str, bytes] = {}
    expected: bool = False


def outputs(formats: Sequence[str], output: str) -> list[tuple[str, str]]:
    """Formats (`NAME` or `NAME=FILE`) with their files, "" for standard output (`-`).

    ValueError for what is no format, for a file of two, and for an output that is for none.
    """
    said = [text.partition("=")[::2] for text in formats or ["text"]]
    if output and all(file for _, file in said):
        raise ValueError(f"`--output {output}` is for a format that names no file of its own, and each one here does")
    pairs = [(kind, "" if file == STANDARD else file) for kind, file in ((kind, file or output) for kind, file in said)]
    for kind, file in pairs:
        if kind not in FORMATS:
            raise ValueError(f"`{kind}` is no format: {', '.join(FORMATS)}")
        if file and [other for _, other in pairs].count(file) > 1:
            raise ValueError(f"two formats go to `{file}`")
    return pairs


def checkout() -> Checkout:
    """The repository that the working directory is in; a report is for its pull requests."""
    from mirrorlint.loading.files import repository

    here = os.getcwd()
    return Checkout(repository(here).replace(os.sep, "/"), here.replace(os.sep, "/"))


def render(kind: str, report: Report, version: str, look: Look, fixes: Mapping[Finding, str]) -> str:
    """Write a report in a format, `fixes` are patches for JSON; each module is imported when it is asked for."""
    if kind == "text":
        import shutil

        from mirrorlint.report import text

        width = min(120, max(60, shutil.get_terminal_size((100, 24)).columns))
        lines, color = partial(_lines, staged=look.staged), look.color
        if look.quiet:
            return text.brief(report, lines, color=color, strict=look.strict)
        return text.render(report, lines, color=color, verbose=look.verbose, width=width, is_own=_is_own, expected=look.expected)
    if kind == "json":
        from mirrorlint.report import as_json

        return as_json.render(report, version, fixes)
    return _for_pull_requests(kind, report, version)


def _for_pull_requests(kind: str, report: Report, version: str) -> str:
    if kind == "sarif":
        from mirrorlint.report import sarif

        return sarif.render(report, version, checkout(), _pages(report))
    if kind == "junit":
        from mirrorlint.report import junit

        return junit.render(report, version, checkout())
    if kind == "gitlab":
        from mirrorlint.report import gitlab

        return gitlab.render(report, checkout())
    from mirrorlint.report import github

    return github.render(report, checkout())


def _pages(report: Report) -> dict[str, tuple[str, str]]:
    from mirrorlint.book import page, summary

    return {name: (summary(name), page(name)) for name in {finding.rule for finding in report.findings}}


def _is_own(path: str) -> bool:
    """Whether a file is in the repository that the working directory is in."""
    from mirrorlint.loading.files import repository

    return repository(path) == repository(os.getcwd())


def _lines(path: str, staged: Mapping[str, bytes]) -> Sequence[str]:
    """A file's lines, as they are staged or on disk; none where it cannot be read."""
    from mirrorlint.loading import files

    data = staged[path] if path in staged else files.read(path)
    return () if isinstance(data, files.Unread) else lines_of(data)
