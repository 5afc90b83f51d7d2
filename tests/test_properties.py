"""For all inputs: any bytes give a report, and the order of files and documents changes nothing."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scenarios import fleet_of, scenarios

from mirrorlint import check, load, loads

SCENARIOS = [*list(scenarios())[::40], *list(scenarios("gateway-api"))[::40]]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=st.lists(st.binary(max_size=300), min_size=1, max_size=3))
def test_any_bytes_give_a_report(files: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("files")
    for number, data in enumerate(files):
        (folder / f"{number}.yaml").write_bytes(data)
    assert check(load(folder)).files == len(files)


FRAGMENTS = [line for scenario in (*SCENARIOS[:4], *SCENARIOS[-4:]) for line in (scenario["source"] + scenario["target"]).split("\n")]


@settings(max_examples=150, deadline=None)
@given(lines=st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=12)), max_size=60))
def test_shuffled_manifests_give_a_report(lines: list[str]) -> None:
    report = check(loads({"source": "\n".join(lines), "target": SCENARIOS[0]["target"]}))
    assert all(finding.message for finding in report.findings)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario["id"])
def test_the_order_of_documents_changes_no_finding(scenario: dict[str, str]) -> None:
    def said(seed: int) -> list[tuple[object, ...]]:
        mixed = dict(scenario)
        for side in ("source", "target"):
            documents = scenario[side].split("\n---\n")
            random.Random(seed).shuffle(documents)  # noqa: S311
            mixed[side] = "\n---\n".join(documents)
        report = check(fleet_of(mixed))
        return sorted((f.rule, f.level, f.message, f.cluster, f.object, f.worlds, len(f.notes)) for f in report.findings)

    assert said(1) == said(2) == said(3)
