"""Shadows that depend on which of two objects is older; of each order the control plane of Istio was asked."""

from __future__ import annotations

import pytest
from pair import PROD, STAGE

from mirrorlint import check, loads
from mirrorlint.rule import Report

HOST = "stage-gateway.example.com"
SOURCE = PROD + "      port: {number: 80}\n"
TARGET = STAGE.replace("shop.default-shadow", '"*"')
SECURE = SOURCE.replace("number: 80", "number: 443").replace("protocol: HTTP}", "protocol: HTTPS}") + (
    "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: stage}\n"
    f"spec: {{host: {HOST}, trafficPolicy: {{tls: {{mode: SIMPLE, sni: shop.example.com}}}}}}\n"
)
ENTRY, _, WITHOUT_ENTRY = SOURCE.partition("---\n")
GATEWAY, VIRTUAL_SERVICE, SERVICE = TARGET.split("---\n")
WITHOUT_GATEWAY = f"{VIRTUAL_SERVICE.replace('[stage]', '[a, b]')}---\n{SERVICE}"
API_GATEWAY = (
    f"{SERVICE}---\napiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {{name: stage}}\n"
    "spec: {gatewayClassName: istio, listeners: [{name: http, port: 80, protocol: HTTP}]}\n"
)


def named(kind: str, name: str, spec: str, created: str = "") -> str:
    group = "gateway.networking.k8s.io/v1" if kind == "HTTPRoute" else "networking.istio.io/v1"
    age = f", creationTimestamp: '{created}'" if created else ""
    return f"---\napiVersion: {group}\nkind: {kind}\nmetadata: {{name: {name}{age}}}\nspec: {{{spec}}}\n"


def rule(policy: str) -> str:
    return f"host: {HOST}, {policy}"


def entry(more: str, number: int = 80) -> str:
    return f"hosts: [{HOST}], ports: [{{number: {number}, name: http, protocol: HTTP}}], {more}"


def server(number: int, protocol: str, tls: str = "") -> str:
    return f"servers: [{{port: {{number: {number}, name: p, protocol: {protocol}}}, hosts: ['*']{tls}}}]"


def taking(to: str) -> str:
    return f"hosts: ['*'], gateways: [stage], http: [{{route: [{{destination: {{host: {to}}}}}]}}]"


def routed(to: str) -> str:
    return f"parentRefs: [{{name: stage}}], rules: [{{backendRefs: [{{name: {to}, port: 80}}]}}]"


PLAIN, TLS = "trafficPolicy: {tls: {mode: DISABLE}}", "trafficPolicy: {tls: {mode: SIMPLE}}"
ENDS_TLS, ENDS_MUTUAL = ", tls: {mode: SIMPLE, credentialName: c}", ", tls: {mode: ISTIO_MUTUAL}"
ALL, NONE_BUT_81 = 'egress: [{hosts: ["*/*"]}]', 'egress: [{port: {number: 81, protocol: HTTP, name: p}, hosts: ["*/*"]}]'
KINDS = [
    pytest.param("DestinationRule", rule(PLAIN), rule(TLS), SOURCE, TARGET, id="TLS of a host"),
    pytest.param("ServiceEntry", entry("resolution: DNS"), entry("resolution: NONE"), WITHOUT_ENTRY, TARGET, id="resolution of a host"),
    pytest.param("ServiceEntry", entry("resolution: DNS"), entry("resolution: STATIC", 81), WITHOUT_ENTRY, TARGET, id="ports of a host"),
    pytest.param("Sidecar", ALL, NONE_BUT_81, SOURCE, TARGET, id="what a namespace's sidecars see"),
    pytest.param("Gateway", server(80, "HTTP"), server(80, "HTTPS", ENDS_TLS), SOURCE, WITHOUT_GATEWAY, id="protocol of a port"),
    pytest.param(
        "Gateway", server(443, "HTTPS", ENDS_TLS), server(443, "HTTPS", ENDS_MUTUAL), SECURE, WITHOUT_GATEWAY, id="TLS of a server"
    ),
    pytest.param("VirtualService", taking("shop"), taking("nobody"), SOURCE, f"{GATEWAY}---\n{SERVICE}", id="rules at the target"),
    pytest.param("HTTPRoute", routed("shop"), routed("nobody"), SOURCE, API_GATEWAY, id="routes at the target"),
]


def judge(source: str, target: str) -> Report:
    return check(loads({"prod": source, "stage": target}, ingress={"stage": {"addresses": [HOST], "ports": {80: 80, 443: 443}}}), "1.28")


@pytest.mark.parametrize(("kind", "good", "bad", "source", "target"), KINDS)
def test_what_loses_shadows_if_it_is_the_older_one_is_told(kind: str, good: str, bad: str, source: str, target: str) -> None:
    def report(*objects: str) -> Report:
        more = "".join(objects)
        return judge(source + more, target) if kind in ("DestinationRule", "ServiceEntry", "Sidecar") else judge(source, target + more)

    (finding,) = report(named(kind, "a", good), named(kind, "b", bad)).findings
    assert (finding.rule, finding.level, finding.object) == ("order-undecided", "warning", f"{kind} default/b")
    assert f"{kind} default/a is for" in finding.message
    assert not report(named(kind, "a", good), named(kind, "b", good)).findings
    early, late = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
    assert not report(named(kind, "a", good, early), named(kind, "b", bad, late)).findings
    lost = report(named(kind, "a", good, late), named(kind, "b", bad, early))
    assert [set(mirror.delivery.values()) for mirror in lost.mirrors] == [{"none"}]
