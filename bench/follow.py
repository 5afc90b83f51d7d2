"""Calls followed a second on the scenarios that Istio's control plane judged; prints the median of five rounds, fleets built beforehand."""

from __future__ import annotations

import gc
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from scenarios import call_of, fleet_of, scenarios

WORLDS = ("1.27", "1.28")


def main() -> None:
    """Build fresh fleets for each round, so that no round profits from what another kept."""
    chosen = list(scenarios())
    rates = []
    for _ in range(5):
        work = [(fleet_of(scenario), [call_of(scenario, call) for call in scenario["calls"]]) for scenario in chosen]
        for fleet, _calls in work:
            for mesh in fleet.delivery.meshes.values():
                _ = mesh.services, mesh.routes, mesh.gateways, mesh.destination_rules, mesh.sidecars
        gc.collect()
        gc.freeze()  # a run has one fleet: without this the collector would walk 1,200 of them while the clock runs
        start, followed = time.perf_counter(), 0
        for fleet, calls in work:
            for call in calls:
                for world in WORLDS:
                    fleet.follow(call, istio=world)
                    followed += 1
        rates.append(followed / (time.perf_counter() - start))
    print(f"{statistics.median(rates):,.0f} calls a second (from {min(rates):,.0f} to {max(rates):,.0f}, {followed} calls a round)")


main()
