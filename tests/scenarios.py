"""The scenarios that Istio's own control plane judged, and how a fleet is made of one."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from mirrorlint import Call, Fleet, loads

FOLDER = Path(__file__).parent / "truth"
GATEWAY_LABELS = {"istio": "ingressgateway", "app": "istio-ingressgateway"}
PORTS = {port: port for port in (80, 81, 443, 8000, 8080, 8081, 8443, 9000, 9443, 15021, 15443, 31380)}


def scenarios(name: str = "truth") -> Iterator[dict[str, Any]]:
    """The scenarios of a file, in order: `truth`, or `more`, which turns what that one doesn't."""
    with gzip.open(FOLDER / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


@cache
def fleets(name: str = "truth") -> tuple[tuple[dict[str, Any], Fleet], ...]:
    """The scenarios of a file with their fleets, read once."""
    return tuple((scenario, fleet_of(scenario)) for scenario in scenarios(name))


def pods_of(scenario: dict[str, Any], side: str) -> dict[str, Any]:
    """Namespace and labels of a side's gateway pods, and their ports unless these follow from manifests."""
    pod = scenario.get(f"{side}_gateway") or {"namespace": "istio-system", "labels": GATEWAY_LABELS}
    ports = {} if "target_ports" in scenario else {"ports": PORTS}
    return {"namespace": pod["namespace"], "labels": pod["labels"], **ports}


def fleet_of(scenario: dict[str, Any]) -> Fleet:
    """The scenario's two clusters; what its manifests don't show of the gateways is given as settings."""
    from yaml import safe_load  # noqa: PLC0415

    ingress = {side: pods_of(scenario, side) for side in ("source", "target")}
    ingress["target"]["addresses"] = scenario["target_addresses"]
    mesh = safe_load(scenario["source_mesh"]) if scenario["source_mesh"] else {}
    return loads({side: scenario[side] for side in ("source", "target")}, ingress=ingress, mesh={"source": mesh})


def call_of(scenario: dict[str, Any], call: dict[str, Any]) -> Call:
    """The call as the API takes it."""
    gateway = call["from"] == "gateway"
    pod = pods_of(scenario, "source")
    return Call(
        cluster="source",
        namespace=pod["namespace"] if gateway else call["from"],
        host=call["host"],
        port=call["port"],
        path=call.get("path") or "/",
        method=call.get("method") or "GET",
        headers=call.get("headers") or {},
        labels=pod["labels"] if gateway else {"app": "caller"},
        gateway=gateway,
    )
