"""Whose pods an ingress gateway is, and at which addresses it is reached, as manifests tell."""

from __future__ import annotations

import pytest
from test_engine import SOURCE, TARGET, levels

from mirrorlint import check, loads
from mirrorlint.rule import Report

EDGE = """
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]
"""
AT_EDGE = SOURCE.replace("hosts: [shop]", "hosts: [shop.example]\n  gateways: [edge]") + EDGE


def judged(source: str = SOURCE, target: str = TARGET) -> Report:
    return check(loads({"prod": source, "stage": target}))


def service(selector: str = "{istio: ingressgateway}", spec: str = "type: LoadBalancer", annotations: str = "{}") -> str:
    ports = "[{name: http, port: 80, targetPort: 8080}, {name: https, port: 443, targetPort: 8443}]"
    metadata = f"{{name: ingress, namespace: istio-system, annotations: {annotations}}}"
    return f"---\napiVersion: v1\nkind: Service\nmetadata: {metadata}\nspec: {{{spec}, selector: {selector}, ports: {ports}}}\n"


def rule(spec: str) -> str:
    metadata = "{name: stage, namespace: istio-system}"
    return (
        f"---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {metadata}\nspec: {{host: stage.example.com, {spec}}}\n"
    )


@pytest.mark.parametrize("selector", ["{istio: ingressgateway}", "{app: edge, istio: ingressgateway}"])
def test_the_service_before_a_gateway_tells_its_namespace(selector: str) -> None:
    private = AT_EDGE.replace("resolution: DNS", "resolution: DNS, exportTo: ['.']")
    assert levels(judged(private)) == []
    assert levels(judged(private + service(selector))) == [("error", "mirror-to-unknown-host")]
    assert levels(judged(AT_EDGE + service(selector))) == []


def test_a_rule_for_the_gateways_pods_tells_their_namespace() -> None:
    secure = AT_EDGE.replace(
        "{number: 80, name: http, protocol: HTTP}], resolution", "{number: 443, name: https, protocol: HTTPS}], resolution"
    )
    secure = secure.replace("port: {number: 80}}", "port: {number: 443}}")
    spec = "workloadSelector: {matchLabels: {istio: ingressgateway}}, trafficPolicy: {tls: {mode: SIMPLE, credentialName: c, sni: s}}"
    target = TARGET.replace("{number: 80, name: http, protocol: HTTP}", "{number: 443, name: https, protocol: HTTPS}")
    target = target.replace("hosts: ['*']}]", "hosts: ['*'], tls: {mode: SIMPLE, credentialName: c}}]", 1)
    assert levels(judged(secure + rule(spec), target)) == []
    assert levels(judged(secure + rule(spec.replace("ingressgateway", "other")), target)) != []
