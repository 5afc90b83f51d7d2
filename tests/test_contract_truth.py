"""What Istio's control plane said of two-cluster scenarios is what we say when the target is known by its contract alone."""

from __future__ import annotations

import statistics

import pytest
from peers import contract_of, fleet, loaded, published, without
from scenarios import call_of, fleets

from mirrorlint import check, engine
from mirrorlint.contract.export import export
from mirrorlint.contract.verify import verify

WORLDS = ("1.27", "1.28")


@pytest.mark.parametrize("name", ["truth", "gateway-api"])
def test_a_contract_gives_the_verdicts_of_istios_control_plane(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    sizes, judged, wrong = [], 0, []
    for scenario, known in fleets(name):
        sizes.append(len(export(known.loaded.documents, "target", "mirrorlint 0.1.0").encode()))
        by_contract = fleet(published(known.loaded.documents, "target"))
        for call in scenario["calls"]:
            for world in WORLDS:
                judged += 1
                got = [(s.host, s.percent, s.outcome, s.reason) for s in by_contract.follow(call_of(scenario, call), istio=world)]
                if got != [(s["host"], s["percent"], s["outcome"], s["reason"]) for s in call["expect"][world]]:
                    wrong.append((scenario["id"], world, call["host"], got))
    with capsys.disabled():
        print(f"\n{name}: {judged - len(wrong)} of {judged} verdicts agree; bytes: median {statistics.median(sizes)}, most {max(sizes)}")
    assert judged > 10_000
    assert wrong == []
    assert statistics.median(sizes) < 4096


@pytest.mark.parametrize("name", ["truth", "gateway-api"])
def test_what_arrives_is_expected_and_verified(name: str) -> None:
    """By contract each mirror has the fate that it has by manifests; what arrives at the target is no broken expectation."""
    expected, wrong = 0, []
    for scenario, known in fleets(name)[::3]:
        found = known.loaded.documents
        fates = [(m.place, m.delivery) for m in check(known).mirrors if m.cluster == "source"]
        if fates != [(m.place, m.delivery) for m in engine.lint(published(found, "target"), {}).mirrors]:
            wrong.append((scenario["id"], "fate"))
        contract = contract_of(found, "source")
        report = verify(loaded(without(found, "source"), contract))
        expected += len(report.mirrors)
        if report.findings or any(set(mirror.delivery.values()) != {"all"} for mirror in report.mirrors):
            wrong.append((scenario["id"], "verify"))
    assert expected > 50
    assert wrong == []
