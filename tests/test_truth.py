"""What Istio's control plane said of two-cluster scenarios is what we say."""

from __future__ import annotations

from collections import Counter
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


@pytest.mark.parametrize(("name", "number"), [("truth", 16_666), ("more", 21_320), ("gateway-api", 10_814)])
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
    for scenario, fleet in fleets(name):
        report = check(fleet, istio=istio or None)
        demanded = _demanded(scenario, (istio,) if istio else WORLDS)
        got = "error" if report.count("error") else "warning" if report.count("warning") else "silent"
        table[demanded, got] += 1
        allowed = {"silent": ("silent", "warning"), "error": ("error",), "warning": ("error", "warning")}
        if got not in allowed.get(demanded, (got,)):
            broken.append((scenario["id"], demanded, got))
    with capsys.disabled():
        print(f"\n{name}, --istio {istio or '(unknown)'}: demanded -> said")
        for (demanded, got), number in sorted(table.items()):
            print(f"  {demanded:8} -> {got:8} {number:5}")
    assert broken == []
