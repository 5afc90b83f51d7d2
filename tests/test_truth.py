"""What Istio's control plane said of two-cluster scenarios is what we say."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from typing import Any

import pytest
from scenarios import call_of, fleets

from mirrorlint import check

WORLDS = ("1.27", "1.28")
DEADLY = {
    "unknown-primary",
    "unknown-target",
    "original-destination",
    "no-endpoint",
    "no-listener",
    "no-filter-chain",
    "tls-mismatch",
    "no-virtual-host",
    "https-redirect",
    "unknown-destination",
}
# The listed calls are a sample. Here all of them are lost, but another caller's shadow arrives, so that a warning suffices.
ARRIVES_FOR_OTHERS = {
    ("0314", "1.28"): "httpbin.default.svc with the header that the rule asks for",
    ("1072", "1.27"): "httpbin.default with the header that the rule asks for",
}

_SOUND_BASES = frozenset({"any", "tls", "rewrite", "external", "entry"})
_KNOB = re.compile(r"\b[st]\.\w+=")


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("truth", 16_666),
        ("more", 21_320),
        ("gateway-api", 10_814),
        ("crossed", 6_130),
        ("sidecars", 18),
        ("fields", 612),
        ("pairs", 924),
        ("unions", 2_366),
    ],
)
def test_every_verdict_agrees(name: str, number: int, capsys: pytest.CaptureFixture[str]) -> None:
    judged, wrong = 0, []
    for scenario, fleet in fleets(name):
        for call in scenario["calls"]:
            for world in WORLDS:
                judged += 1
                got = [(s.host, s.percent, s.outcome, s.reason) for s in fleet.follow(call_of(scenario, call), istio=world)]
                if got != [(s["host"], s["percent"], s["outcome"], s["reason"]) for s in call["expect"][world]]:
                    wrong.append((scenario["id"], world, call["host"], got))
    with capsys.disabled():
        print(f"\n{judged - len(wrong)} of {judged} verdicts of Istio's control plane agree")
    assert judged == number
    assert wrong == []


@cache
def _found(name: str, istio: str) -> tuple[tuple[dict[str, Any], int, int], ...]:
    """Each scenario of a file with the number of errors and of warnings that are found in it, judged once."""
    reports = ((scenario, check(fleet, istio=istio or None)) for scenario, fleet in fleets(name))
    return tuple((scenario, report.count("error"), report.count("warning")) for scenario, report in reports)


def _demanded(scenario: dict[str, Any], worlds: tuple[str, ...]) -> str:
    """What the listed calls demand: silent (no error), error, warning (at least) or nothing."""
    if scenario["rejected"]:
        return "error"
    fates = {world: [shadow for call in scenario["calls"] for shadow in call["expect"][world]] for world in worlds}
    if not any(fates.values()):
        return "nothing"
    if all(fates.values()) and all(s["outcome"] == "arrives" for shadows in fates.values() for s in shadows):
        return "silent"
    lost = {world: [s for s in shadows if s["outcome"] in ("lost", "some")] for world, shadows in fates.items()}
    for world, shadows in fates.items():
        dead = shadows and all(s["outcome"] == "lost" and s["reason"] in DEADLY for s in shadows)
        if dead and (scenario["id"], world) not in ARRIVES_FOR_OTHERS:
            return "error"
    return "warning" if any(lost.values()) else "nothing"


@pytest.mark.parametrize("name", ["truth", "gateway-api"])
@pytest.mark.parametrize("istio", ["", *WORLDS], ids=lambda version: version or "unknown version")
def test_levels_hold(name: str, istio: str, capsys: pytest.CaptureFixture[str]) -> None:
    table: Counter[tuple[str, str]] = Counter()
    broken = []
    for scenario, errors, warnings in _found(name, istio):
        demanded = _demanded(scenario, (istio,) if istio else WORLDS)
        got = "error" if errors else "warning" if warnings else "silent"
        table[demanded, got] += 1
        allowed = {"silent": ("silent", "warning"), "error": ("error",), "warning": ("error", "warning")}
        if got not in allowed.get(demanded, (got,)):
            broken.append((scenario["id"], demanded, got))
    with capsys.disabled():
        print(f"\n{name}, --istio {istio or '(unknown)'}: demanded -> said")
        for (demanded, got), number in sorted(table.items()):
            print(f"  {demanded:8} -> {got:8} {number:5}")
    assert broken == []


def test_one_knob_turned_on_a_sound_base_is_at_most_one_error(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing that follows from a cause is reported beside it."""
    table: Counter[tuple[str, int, int]] = Counter()
    for world in WORLDS:
        for scenario, errors, _ in _found("truth", world):
            base, knobs = scenario["title"].split()[0], len(_KNOB.findall(scenario["title"]))
            if base in _SOUND_BASES:
                table[world, min(knobs, 2), errors] += 1
    with capsys.disabled():
        print("\nworld, knobs turned (2: two or more), errors -> scenarios")
        for (world, knobs, errors), number in sorted(table.items()):
            print(f"  {world} {knobs} {errors} -> {number:4}")
    assert sum(number for (_, knobs, _), number in table.items() if knobs == 1) > 200
    assert [key for key in table if key[1] < 2 and key[2] > 1] == []
