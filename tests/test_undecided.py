"""Shadows that depend on which of two objects is older; of each order the control plane of Istio was asked."""

from __future__ import annotations

import pytest
from pair import PROD, STAGE

from mirrorlint import check, loads
from mirrorlint.rule import Report

HOST = "stage-gateway.example.com"
SOURCE = PROD + "      port: {number: 80}\n"
TARGET = STAGE.replace("shop.default-shadow", '"*"')
ENTRY, _, WITHOUT_ENTRY = SOURCE.partition("---\n")


def named(kind: str, name: str, spec: str, created: str = "") -> str:
    age = f", creationTimestamp: '{created}'" if created else ""
    return f"---\napiVersion: networking.istio.io/v1\nkind: {kind}\nmetadata: {{name: {name}{age}}}\nspec: {{{spec}}}\n"


def rule(policy: str) -> str:
    return f"host: {HOST}, {policy}"


def entry(more: str, number: int = 80) -> str:
    return f"hosts: [{HOST}], ports: [{{number: {number}, name: http, protocol: HTTP}}], {more}"


PLAIN, TLS = "trafficPolicy: {tls: {mode: DISABLE}}", "trafficPolicy: {tls: {mode: SIMPLE}}"
ALL, NONE_BUT_81 = 'egress: [{hosts: ["*/*"]}]', 'egress: [{port: {number: 81, protocol: HTTP, name: p}, hosts: ["*/*"]}]'
KINDS = [
    pytest.param("DestinationRule", rule(PLAIN), rule(TLS), SOURCE, id="TLS of a host"),
    pytest.param("ServiceEntry", entry("resolution: DNS"), entry("resolution: NONE"), WITHOUT_ENTRY, id="resolution of a host"),
    pytest.param("ServiceEntry", entry("resolution: DNS"), entry("resolution: STATIC", 81), WITHOUT_ENTRY, id="ports of a host"),
    pytest.param("Sidecar", ALL, NONE_BUT_81, SOURCE, id="what a namespace's sidecars see"),
]


def judge(source: str, target: str) -> Report:
    return check(loads({"prod": source, "stage": target}, ingress={"stage": {"addresses": [HOST], "ports": {80: 80, 443: 443}}}), "1.28")


@pytest.mark.parametrize(("kind", "good", "bad", "source"), KINDS)
def test_what_loses_shadows_if_it_is_the_older_one_is_told(kind: str, good: str, bad: str, source: str) -> None:
    def report(*objects: str) -> Report:
        return judge(source + "".join(objects), TARGET)

    (finding,) = report(named(kind, "a", good), named(kind, "b", bad)).findings
    assert (finding.rule, finding.level, finding.object) == ("order-undecided", "warning", f"{kind} default/b")
    assert f"{kind} default/a is for" in finding.message
    assert not report(named(kind, "a", good), named(kind, "b", good)).findings
    early, late = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
    assert not report(named(kind, "a", good, early), named(kind, "b", bad, late)).findings
    lost = report(named(kind, "a", good, late), named(kind, "b", bad, early))
    assert [set(mirror.delivery.values()) for mirror in lost.mirrors] == [{"none"}]
