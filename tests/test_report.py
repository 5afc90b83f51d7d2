"""The report: what people see, to the character, and what programs read."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mirrorlint import report as reports
from mirrorlint.fleet import BlindSpot
from mirrorlint.report import as_json, cells, clean, text
from mirrorlint.rule import Finding, MirrorFate, Note, Report
from mirrorlint.source import Place

SERVICE, ENTRY = "clusters/prod/vs.yaml", "clusters/prod/service-entry.yaml"
SOURCES = {
    SERVICE: [*[""] * 13, "      host: stage-gatway.example.com"],
    ENTRY: [*[""] * 8, "  - stage-gateway.example.com"],
}
BOTH = ("1.27", "1.28")
FINDING = Finding(
    place=Place(SERVICE, 14, 13, 14, 37),
    rule="mirror-to-unknown-host",
    level="error",
    message="`stage-gatway.example.com:80` is not a host of prod's registry: Envoy drops the shadow without a trace",
    cluster="prod",
    object="VirtualService default/httpbin",
    worlds=("1.27",),
    notes=(Note("did you mean this host?", "prod", Place(ENTRY, 9, 5, 9, 30)),),
)
MIRROR = MirrorFate(
    Place(SERVICE, 12, 9, 12, 20), "prod", "VirtualService default/httpbin", "stage-gateway.example.com:80", dict.fromkeys(BOTH, "all")
)
SCHEMA = json.loads((Path(reports.__file__).parent / "report.schema.json").read_text(encoding="utf-8"))
ESCAPES = re.compile("\x1b\\[[0-9;]*m")


def shown(report: Report, sources: dict[str, list[str]] | None = None, **options: Any) -> str:
    known = SOURCES if sources is None else sources
    return text.render(report, lambda path: known.get(path, ()), **options)


def body(finding: Finding, sources: dict[str, list[str]] | None = None, **options: Any) -> list[str]:
    """The lines of one finding, without the summary."""
    page = shown(Report((finding,), (), ()), sources, **options)
    return page.split("\n\n")[0].splitlines()


def marked(line: str, place: Place, width: int = 100) -> tuple[str, str]:
    """The source line as it is shown, and its marker's line."""
    finding = FINDING._replace(place=place, message="m", notes=(), worlds=BOTH)
    lines = body(finding, {place.path: [*[""] * (place.line - 1), line]}, width=width)
    return lines[3], lines[4]


def fates(*deliveries: tuple[str, ...]) -> str:
    """The summary's first words, for mirrors with these deliveries in the two worlds."""
    mirrors = tuple(MIRROR._replace(delivery=dict(zip(BOTH, delivery, strict=False))) for delivery in deliveries)
    return shown(Report((), (), mirrors)).partition(". ")[0]


def test_finding_with_a_note() -> None:
    assert shown(Report((FINDING,), (), (MIRROR,), files=12, documents=30)) == (
        "error[mirror-to-unknown-host]: `stage-gatway.example.com:80` is not a host of prod's registry: Envoy\n"
        "    drops the shadow without a trace\n"
        "  --> clusters/prod/vs.yaml:14:13 (prod, VirtualService default/httpbin)\n"
        "   |\n"
        "14 |       host: stage-gatway.example.com\n"
        "   |             ^^^^^^^^^^^^^^^^^^^^^^^^\n"
        "   = with Istio up to 1.27\n"
        "  --> clusters/prod/service-entry.yaml:9:5 (prod)\n"
        "   |\n"
        " 9 |   - stage-gateway.example.com\n"
        "   |     ------------------------- did you mean this host?\n"
        "\n"
        "1 mirror arrives. 1 error (12 files, 30 documents).\n"
    )


def test_blind_spots_and_several_fates() -> None:
    spots = (BlindSpot("the chart is not rendered", "charts/x"), BlindSpot("no YAML", "a.yaml", 3), BlindSpot("one cluster only"))
    lost = MIRROR._replace(delivery=dict.fromkeys(BOTH, "none"))
    assert shown(Report((), (*spots, BlindSpot("no peer", cluster="stage")), (MIRROR, lost), 1, 1, 1)) == (
        "not judged: charts/x: the chart is not rendered\n"
        "not judged: a.yaml:3: no YAML\n"
        "not judged: one cluster only\n"
        "not judged: stage: no peer\n"
        "\n"
        "2 mirrors: 1 arrives, 1 is lost. 4 blind spots, 1 suppressed (1 file, 1 document).\n"
    )


def test_nothing_found() -> None:
    assert shown(Report((), (), (MIRROR, MIRROR), files=2, documents=1_000)) == "2 mirrors arrive. No findings (2 files, 1,000 documents).\n"
    assert shown(Report((), (), ())) == "no mirrors found. No findings (0 files, 0 documents).\n"


@pytest.mark.parametrize(
    ("deliveries", "words"),
    [
        ([("all", "all")], "1 mirror arrives"),
        ([("none", "none")] * 2, "2 mirrors are lost"),
        ([("some", "some")], "1 mirror arrives in part"),
        ([("unknown", "unknown")], "1 mirror is unknown"),
        ([("all", "none")], "1 mirror arrives only with Istio up to 1.27"),
        ([("none", "all")] * 2, "2 mirrors arrive only with Istio 1.28 and later"),
        ([("all",)], "1 mirror arrives"),
        ([("some", "all")], "1 mirror arrives in part"),
        ([("some", "none")], "1 mirror arrives in part"),
        ([("unknown", "all")], "1 mirror is unknown"),
        ([()], "1 mirror is unknown"),
        ([("none", "none"), ("some", "some"), ("all", "all")], "3 mirrors: 1 arrives, 1 in part, 1 is lost"),
        ([("none", "all"), ("unknown",), ("unknown",)], "3 mirrors: 1 arrives only with Istio 1.28 and later, 2 are unknown"),
    ],
)
def test_fates_are_summed_up(deliveries: list[tuple[str, ...]], words: str) -> None:
    assert fates(*deliveries) == words


def test_verbose_tells_each_mirrors_delivery() -> None:
    one = MIRROR._replace(target="s:80", delivery={"1.28": "none", "1.27": "some"})
    none = one._replace(object="", cluster="", delivery={})
    assert shown(Report((), (), (one._replace(delivery=MIRROR.delivery), one, none)), verbose=True, width=200).splitlines()[:3] == [
        f"mirror: {SERVICE}:12:9 (prod, VirtualService default/httpbin) to s:80 arrives with every Istio",
        f"mirror: {SERVICE}:12:9 (prod, VirtualService default/httpbin) to s:80 "
        "arrives in part with Istio up to 1.27, is lost with Istio 1.28 and later",
        f"mirror: {SERVICE}:12:9 to s:80 is unknown",
    ]
