"""What stands before a gateway and ends TLS: a Kubernetes Ingress, or a load balancer with annotations of AWS."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_cli import run
from test_engine import SOURCE, TARGET, judge

SECURE = SOURCE.replace("{number: 80, name: http, protocol: HTTP}", "{number: 443, name: https, protocol: HTTPS}").replace(
    "port: {number: 80}}", "port: {number: 443}}"
)
RULE = """
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: stage}
spec: {host: stage.example.com, trafficPolicy: {tls: {mode: SIMPLE, sni: stage.example.com}}}
"""
SERVICE = """
---
apiVersion: v1
kind: Service
metadata: {name: istio-ingressgateway, namespace: istio-system}
spec: {type: NodePort, selector: {istio: ingressgateway}, ports: [{name: http2, port: 80, targetPort: 8080}]}
"""
INGRESS = """
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: alb, namespace: istio-system, annotations: {}}
spec:
  rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: istio-ingressgateway, port: {name: http2}}}}]}}]
"""
BALANCED = """
---
apiVersion: v1
kind: Service
metadata:
  name: istio-ingressgateway
  namespace: istio-system
  annotations:
    external-dns.alpha.kubernetes.io/hostname: stage.example.com
    service.beta.kubernetes.io/aws-load-balancer-ssl-cert: arn:aws:acm:eu-west-1:123456789012:certificate/7f
spec:
  type: LoadBalancer
  selector: {istio: ingressgateway}
  ports: [{name: https, port: 443, targetPort: 8080}]
"""
ON_443 = TARGET.replace("{number: 80, name: http, protocol: HTTP}", "{number: 443, name: http, protocol: HTTP}")


@pytest.mark.parametrize("source", [SOURCE, SECURE, SECURE + RULE])
def test_an_ingress_takes_shadows_with_and_without_tls_and_is_named_where_it_is_needed(source: str) -> None:
    report = judge(source, TARGET + SERVICE + INGRESS)
    assert [set(mirror.delivery.values()) for mirror in report.mirrors] == [{"all"}]
    assert not report.findings
    assert ["Ingress istio-system/alb" in spot.message for spot in report.blind_spots] == [True] * (source != SOURCE)


@pytest.mark.parametrize(
    "more",
    [
        INGRESS.replace("annotations: {}", "annotations: {nginx.ingress.kubernetes.io/ssl-passthrough: 'true'}"),
        INGRESS.replace("[{http:", "[{host: www.example.com, http:"),
    ],
)
def test_where_the_gateway_itself_takes_a_shadow_an_ingress_is_no_matter(more: str) -> None:
    target = TARGET.replace("{number: 80, name: http, protocol: HTTP}", "{number: 443, name: https, protocol: HTTPS}")
    target = target.replace("hosts: ['*']}]", "hosts: ['*'], tls: {mode: SIMPLE, credentialName: c}}]", 1)
    service = SERVICE.replace("port: 80, targetPort: 8080", "port: 80, targetPort: 8080}, {name: https, port: 443, targetPort: 8443")
    report = judge(SECURE + RULE, target + service + more)
    assert (report.findings, report.blind_spots) == ((), ())


def test_of_several_load_balancers_all_have_to_end_tls() -> None:
    unknown = BALANCED.replace("    external-dns.alpha.kubernetes.io/hostname: stage.example.com\n", "")
    other = SERVICE.replace("NodePort", "LoadBalancer").replace("name: istio-ingressgateway", "name: internal")
    other = other.replace("port: 80, targetPort: 8080", "port: 443, targetPort: 8443")
    secure = TARGET.replace("{number: 80, name: http, protocol: HTTP}", "{number: 443, name: https, protocol: HTTPS}")
    secure = secure.replace("hosts: ['*']}]", "hosts: ['*'], tls: {mode: SIMPLE, credentialName: c}}]", 1)
    assert [finding.rule for finding in judge(SECURE + RULE, ON_443 + unknown).findings] == []
    assert [finding.rule for finding in judge(SECURE + RULE, secure + unknown + other).findings] == []


def test_behind_an_ingress_the_gateway_still_has_to_take_the_host() -> None:
    report = judge(SECURE + RULE, TARGET.replace("{hosts: ['*'], gateways", "{hosts: [a.example.com], gateways") + SERVICE + INGRESS)
    assert [finding.rule for finding in report.findings] == ["shadow-host-not-accepted"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name: istio-ingressgateway, port", "name: shop, port"),
        ("annotations: {}", "annotations: {alb.ingress.kubernetes.io/backend-protocol: HTTPS}"),
        ("namespace: istio-system, annotations", "namespace: default, annotations"),
    ],
)
def test_an_ingress_that_leads_elsewhere_or_starts_tls_changes_nothing(old: str, new: str) -> None:
    report = judge(SECURE + RULE, TARGET + SERVICE + INGRESS.replace(old, new))
    assert [finding.rule for finding in report.findings] == ["ingress-without-listener"]


def test_beside_a_load_balancer_an_ingress_counts_for_its_own_hosts() -> None:
    service = SERVICE.replace("NodePort", "LoadBalancer")
    named = INGRESS.replace("[{http:", "[{host: stage.example.com, http:")
    assert [finding.rule for finding in judge(SECURE + RULE, TARGET + service + INGRESS).findings] == ["ingress-without-listener"]
    assert not judge(SECURE + RULE, TARGET + service + named).findings


@pytest.mark.parametrize(
    ("service", "port", "rules"),
    [
        (SERVICE, 443, []),
        (SERVICE, 8080, ["ingress-without-listener"]),
        (SERVICE.replace("port: 80,", "port: 80, nodePort: 30080,"), 30080, []),
        (SERVICE.replace("http2,", "web,"), 443, ["ingress-without-listener"]),
    ],
    ids=["HTTPS", "another port", "a node's port", "a port that the Service lacks"],
)
def test_an_ingress_takes_what_comes_to_the_ports_of_controllers(service: str, port: int, rules: list[str]) -> None:
    source = SOURCE.replace("number: 80", f"number: {port}")
    report = judge(source, TARGET + service + INGRESS)
    assert [finding.rule for finding in report.findings] == rules


@pytest.mark.parametrize(
    ("old", "new", "rules"),
    [
        ("", "", []),
        ("annotations:\n", "annotations:\n    service.beta.kubernetes.io/aws-load-balancer-ssl-ports: https, 8443\n", []),
        ("annotations:\n", "annotations:\n    service.beta.kubernetes.io/aws-load-balancer-ssl-ports: '8443'\n", ["tls-mismatch"]),
        ("annotations:\n", "annotations:\n    service.beta.kubernetes.io/aws-load-balancer-backend-protocol: ssl\n", ["tls-mismatch"]),
    ],
)
def test_annotations_say_where_a_load_balancer_ends_tls(old: str, new: str, rules: list[str]) -> None:
    report = judge(SECURE + RULE, ON_443 + BALANCED.replace(old, new, 1))
    assert [finding.rule for finding in report.findings] == rules


@pytest.mark.parametrize("before", [BALANCED, SERVICE.replace("port: 80", "port: 443") + INGRESS])
def test_a_contract_has_what_ends_tls(tmp_path: Path, before: str) -> None:
    for name, text in (("prod", SECURE + RULE), ("stage", ON_443 + before)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "all.yaml").write_text(text)
    assert run("contract", "export", "stage", "--output", "stage.json", cwd=tmp_path).returncode == 0
    found = run("prod=prod", "stage=stage.json", cwd=tmp_path)
    assert found.returncode == 0, found.stdout
    assert "1 mirror arrives" in found.stdout
