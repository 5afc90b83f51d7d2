"""The report for GitHub Actions: workflow commands, which become annotations of a pull request's files."""

from __future__ import annotations

from mirrorlint.fleet import BlindSpot
from mirrorlint.level import ERROR
from mirrorlint.report import clean
from mirrorlint.report.checkout import Checkout, view, words
from mirrorlint.rule import Finding, Report
from mirrorlint.source import Place


def render(report: Report, checkout: Checkout) -> str:
    """A line for each finding and for each blind spot; the other ends are further lines of the message, as `%0A`.

    The runner reads them as `ActionCommand.TryParseV2` in actions/runner has it, and takes paths from the repository's root.
    """
    commands = [*(_finding(f, checkout) for f in report.findings), *(_blind_spot(s, checkout) for s in report.blind_spots)]
    return "".join(f"{command}\n" for command in commands)


def _finding(finding: Finding, checkout: Checkout) -> str:
    place = view(finding, checkout).place
    where = {"file": checkout.path(place.path), "line": str(place.line), "endLine": str(_last_line(place))}
    return _command(
        "error" if finding.level == ERROR else "warning",
        {**(where if checkout.holds(place.path) else {}), "title": finding.rule},
        "\n".join(map(clean, words(finding, checkout))),
    )


def _blind_spot(spot: BlindSpot, checkout: Checkout) -> str:
    where = {"file": checkout.path(spot.path)} if spot.path and checkout.holds(spot.path) else {}
    line = {"line": str(spot.line)} if where and spot.line else {}
    told = f"{checkout.path(spot.path)}: {spot.message}" if spot.path else spot.message
    return _command("notice", {**where, **line, "title": "not judged"}, clean(told))


def _last_line(place: Place) -> int:
    """The last line that something of a place stands in; ends are exclusive."""
    return place.end_line - 1 if place.end_column == 1 and place.end_line > place.line else place.end_line


def _command(name: str, properties: dict[str, str], message: str) -> str:
    told = ",".join(f"{key}={_escaped(clean(value)).replace(':', '%3A').replace(',', '%2C')}" for key, value in properties.items())
    return f"::{name} {told}::{_escaped(message)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
