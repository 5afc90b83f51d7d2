"""Ingress gateways that an installer of Istio makes: their ports, pods and addresses are as it is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from repositories import write
from test_cli import run
from test_engine import SOURCE, TARGET

OPERATOR = """\
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
metadata: {name: istio, namespace: istio-system}
spec: {components: {ingressGateways: [{name: edge, %s}]}}
"""
APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: edge, namespace: argocd}
spec:
  destination: {server: https://kubernetes.default.svc, namespace: edge}
  source:
    repoURL: https://istio-release.storage.googleapis.com/charts
    chart: gateway
    targetRevision: 1.28.0
    helm: {valuesObject: {%s}}
"""
RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: edge, namespace: edge}
spec:
  chart: {spec: {chart: gateway, version: 1.28.0, sourceRef: {kind: HelmRepository, name: istio}}}
  values: {%s}
"""
ON_9000 = SOURCE.replace("number: 80", "number: 9000")
PORTS = "ports: [{name: mirror, port: 9000, targetPort: 9001}]"
DNS = "external-dns.alpha.kubernetes.io/hostname: stage.example.com"


def judged(folder: Path, installer: str, *, selector: str = "edge", listening: int = 9001) -> str:
    """The summary of a mirror to port 9000 of a gateway."""
    target = TARGET.replace("{istio: ingressgateway}", f"{{istio: {selector}}}").replace("number: 80", f"number: {listening}", 1)
    files = {"clusters/prod/all.yaml": ON_9000, "clusters/stage/all.yaml": target, "clusters/stage/istio.yaml": installer}
    write(folder, files)
    return run(folder).stdout.splitlines()[-1]


@pytest.mark.parametrize(
    "installer",
    [
        OPERATOR % f"label: {{istio: edge}}, k8s: {{serviceAnnotations: {{{DNS}}}, service: {{{PORTS}}}}}",
        APPLICATION % f"service: {{annotations: {{{DNS}}}, {PORTS}}}",
        APPLICATION % f"name: istio-edge, service: {{annotations: {{{DNS}}}, {PORTS}}}",
        RELEASE % f"service: {{annotations: {{{DNS}}}, {PORTS}}}",
    ],
    ids=["IstioOperator", "Application", "Application with a name", "HelmRelease"],
)
def test_an_installed_gateway_has_the_ports_that_it_is_given(tmp_path: Path, installer: str) -> None:
    assert judged(tmp_path, installer).startswith("1 mirror arrives. No findings")
    assert judged(tmp_path, installer, listening=9002).startswith("1 mirror is lost. 1 error")
    assert judged(tmp_path, installer, selector="other").startswith("1 mirror is lost. 1 error")


@pytest.mark.parametrize(
    ("installer", "selector"),
    [
        (OPERATOR % "enabled: true", "ingressgateway"),
        (APPLICATION % "labels: {istio: ingressgateway}", "ingressgateway"),
        (RELEASE % "", "edge"),
    ],
)
def test_an_installed_gateway_without_ports_has_the_usual_ones(tmp_path: Path, installer: str, selector: str) -> None:
    assert judged(tmp_path, installer, selector=selector, listening=9000).startswith("1 mirror is lost. 1 error")
    assert judged(tmp_path, "", selector=selector, listening=9000).startswith("1 mirror arrives. No findings")


@pytest.mark.parametrize(
    ("installer", "host"),
    [(OPERATOR % "enabled: true", "edge.istio-system"), (APPLICATION % "", "edge.edge"), (RELEASE % "", "edge.edge")],
    ids=["IstioOperator", "Application", "HelmRelease"],
)
def test_an_installed_gateway_is_asked_for_its_state_at_its_own_port(tmp_path: Path, installer: str, host: str) -> None:
    asked = f"destination: {{host: {host}.svc.cluster.local, port: {{number: 15021}}}}"
    probe = f"{{match: [{{uri: {{exact: /healthz/ready}}}}], route: [{{{asked}}}]}}"
    selected = TARGET.replace("istio: ingressgateway", f"istio: {'ingressgateway' if 'system' in host else 'edge'}")
    target = selected.replace("http: [", f"http: [{probe}, ")
    write(tmp_path, {"clusters/prod/all.yaml": SOURCE, "clusters/stage/all.yaml": target, "clusters/stage/istio.yaml": installer})
    assert run(tmp_path).stdout.splitlines()[-1].startswith("1 mirror arrives. No findings")


def test_values_that_are_not_read_leave_open_what_is_installed(tmp_path: Path) -> None:
    elsewhere = APPLICATION.replace("helm: {", "helm: {valueFiles: [prod.yaml], ") % "labels: {istio: edge}"
    assert judged(tmp_path, elsewhere, listening=9000).startswith("1 mirror arrives. 1 blind spot")


def test_a_chart_of_that_name_from_elsewhere_is_none_of_istios(tmp_path: Path) -> None:
    foreign = (APPLICATION % f"service: {{annotations: {{{DNS}}}}}").replace("istio-release.storage.googleapis.com", "charts.example.org")
    assert judged(tmp_path, foreign, listening=9000).startswith("1 mirror arrives. 1 blind spot")


def test_a_gateway_that_is_switched_off_is_not_installed(tmp_path: Path) -> None:
    assert judged(tmp_path, OPERATOR % f"enabled: false, k8s: {{service: {{{PORTS}}}}}", listening=9000).startswith("1 mirror arrives")


@pytest.mark.parametrize(
    "more",
    [
        OPERATOR.replace("{components:", "{values: {gateways: {istio-ingressgateway: {ports: [{port: 9000}]}}}, components:")
        % "enabled: true",
        OPERATOR % "k8s: {overlays: [{kind: Service, name: edge, patches: [{path: 'spec.ports[-1]', value: {port: 9000}}]}]}",
    ],
)
def test_a_gateway_that_is_told_of_in_several_places_is_not_made_up(tmp_path: Path, more: str) -> None:
    assert judged(tmp_path, more, selector="ingressgateway", listening=9000).startswith("1 mirror arrives. No findings")


def test_values_are_for_the_chart_that_they_are_written_for(tmp_path: Path) -> None:
    source = "repoURL: https://istio-release.storage.googleapis.com/charts, chart: gateway, targetRevision: 1.28.0"
    own = f"{{{source}, helm: {{valuesObject: {{service: {{{PORTS}}}}}}}}}"
    other = "{repoURL: https://charts.example.org, chart: proxy, helm: {valuesObject: {service: {ports: [{name: a, port: 4180}]}}}}"
    application = APPLICATION[: APPLICATION.index("  source:")] + f"  sources: [{own}, {other}]\n"
    assert judged(tmp_path, application).startswith("1 mirror arrives. 1 blind spot")


CANARY = """---
apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {name: shop}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: shop}
  service: {port: %s, targetPort: 8080}
"""


@pytest.mark.parametrize(
    ("port", "host", "code"), [(80, "shop", 0), (80, "shop-primary", 0), (81, "shop-primary", 1), (80, "shop-main", 1)]
)
def test_flagger_makes_the_services_of_a_canary(tmp_path: Path, port: int, host: str, code: int) -> None:
    own = "---\napiVersion: networking.istio.io/v1\n" + SOURCE.partition("---\napiVersion: networking.istio.io/v1\n")[2]
    routing = TARGET.partition("---\n")[2].replace("destination: {host: shop}", f"destination: {{host: {host}, port: {{number: 80}}}}")
    write(tmp_path, {"clusters/prod/a.yaml": own + CANARY % 80, "clusters/stage/a.yaml": routing + CANARY % port})
    ended = run(str(tmp_path))
    assert ended.returncode == code
    assert ("target-route-to-unknown-host" in ended.stdout) == bool(code)


@pytest.mark.parametrize(
    ("service", "fate"),
    [
        ("gateways: [ingress], hosts: ['*']", "arrives"),
        ("gateways: [ingress], hosts: [other.example.com]", "arrives in part"),
        ("gateways: [ingress], hosts: ['*'], match: [{uri: {prefix: /none}}]", "arrives in part"),
        ("gateways: [other/ingress], hosts: ['*']", "is lost"),
        ("hosts: ['*']", "is lost"),
        ("gatewayRefs: [{name: api}]", "arrives"),
        ("gatewayRefs: [{name: none}]", "is lost"),
        ("gatewayRefs: [{name: api}], match: [{uri: {prefix: /none}}]", "arrives"),
        ("gateways: [ingress], hosts: ['*'], delegation: true", "is lost"),
    ],
)
def test_flagger_makes_the_route_of_a_canary(tmp_path: Path, service: str, fate: str) -> None:
    gateway = next(text for text in TARGET.split("---\n") if "kind: Gateway" in text)
    of_api = "apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: api}\n"
    of_api += "spec: {gatewayClassName: istio, listeners: [{name: http, port: 80, protocol: HTTP}]}\n"
    canary = (CANARY % 80).replace("port: 80,", f"port: 80, {service},")
    write(tmp_path, {"clusters/prod/a.yaml": SOURCE, "clusters/stage/a.yaml": (of_api if "Refs" in service else gateway) + canary})
    assert run(str(tmp_path)).stdout.splitlines()[-1].startswith(f"1 mirror {fate}. ")


DELEGATING = """---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: entry}
spec: {hosts: ["*"], gateways: [ingress], http: [{delegate: {name: shop}}]}
"""


def with_canary(folder: Path, canary: str) -> list[str]:
    """The lines of a report on a target that has but a gateway, and what Flagger makes."""
    gateway = next(text for text in TARGET.split("---\n") if "kind: Gateway" in text)
    write(folder, {"clusters/prod/a.yaml": SOURCE, "clusters/stage/a.yaml": gateway + canary})
    return run(str(folder)).stdout.splitlines()


@pytest.mark.parametrize(
    ("service", "fate"),
    [
        ("delegation: true", "arrives"),
        ("delegation: true, gateways: [], hosts: []", "arrives"),
        ("delegation: false", "is lost"),
        ("delegation: true, gateways: [ingress]", "is lost"),
        ("delegation: true, hosts: [shop.example.com]", "is lost"),
    ],
)
def test_flagger_makes_a_delegate_that_has_no_hosts_and_gateways_of_its_own(tmp_path: Path, service: str, fate: str) -> None:
    canary = (CANARY % 80).replace("port: 80,", f"port: 80, {service},")
    assert with_canary(tmp_path, canary + DELEGATING)[-1].startswith(f"1 mirror {fate}. ")


@pytest.mark.parametrize(
    ("provider", "fate"), [("istio", "arrives"), ("nginx", "is lost"), ("gatewayapi:v1", "is lost"), ("kubernetes", "is lost")]
)
def test_flagger_makes_no_route_of_istio_for_other_providers(tmp_path: Path, provider: str, fate: str) -> None:
    canary = (CANARY % 80).replace("port: 80,", "port: 80, gateways: [ingress], hosts: ['*'],")
    assert with_canary(tmp_path, f"{canary}  provider: {provider}\n")[-1].startswith(f"1 mirror {fate}. ")


@pytest.mark.parametrize(
    "service",
    [
        "port: '80', gateways: [ingress], hosts: ['*']",
        "port: http, gateways: [ingress], hosts: ['*']",
        "port: 0, gateways: [ingress], hosts: ['*']",
        "port: [80], gateways: [ingress], hosts: ['*']",
        "port: 80, gateways: ingress, hosts: ['*']",
        "port: 80, gateways: [80], hosts: ['*']",
        "port: 80, gateways: [ingress], hosts: '*'",
        "port: 80, gateways: [ingress], hosts: ['*'], match: /",
        "port: 80, gateways: [ingress], hosts: ['*'], match: [/]",
        "port: 80, gatewayRefs: ingress",
    ],
)
def test_flagger_makes_nothing_of_what_its_crd_refuses(tmp_path: Path, service: str) -> None:
    lines = with_canary(tmp_path, (CANARY % 80).replace("port: 80", service))
    assert lines[-1].startswith("1 mirror is lost. 1 error (2 files")
    assert not any("VirtualService default/shop" in line and "clusters/stage" in line for line in lines)
    assert not any("refuses" in line for line in lines)


@pytest.mark.parametrize(
    ("protocol", "service", "fate"),
    [
        ("TCP", "appProtocol: TCP, gateways: [ingress]", "is unknown"),
        ("TCP", "appProtocol: tcp, portName: tcp-shop, gateways: [ingress], match: [{port: 80}]", "is unknown"),
        ("TCP", "appProtocol: TCP, gateways: [ingress], match: [{uri: {prefix: /}}]", "is unknown"),
        ("TCP", "appProtocol: TCP, gateways: [ingress], match: [{port: 81}]", "is lost"),
        ("TCP", "portName: tcp-shop, gateways: [ingress]", "is lost"),
        ("HTTP", "portName: tcp-shop, hosts: ['*'], gateways: [ingress]", "arrives"),
        ("HTTP", "appProtocol: kubernetes.io/h2c, hosts: ['*'], gateways: [ingress]", "arrives"),
        ("HTTP", "appProtocol: TCP, hosts: ['*'], gateways: [ingress]", "is lost"),
    ],
)
def test_flagger_makes_a_route_of_tcp_of_a_canary_whose_protocol_that_is(tmp_path: Path, protocol: str, service: str, fate: str) -> None:
    """A server of TCP passes on what it gets, so that nobody knows what becomes of it, and one of HTTP has `http` rules only."""
    gateway = next(text for text in TARGET.split("---\n") if "kind: Gateway" in text).replace("HTTP", protocol)
    canary = (CANARY % 80).replace("port: 80,", f"port: 80, {service},")
    write(tmp_path, {"clusters/prod/a.yaml": SOURCE, "clusters/stage/a.yaml": gateway + canary})
    assert f"1 mirror {fate}. " in run(str(tmp_path)).stdout


BY_EGRESS = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: egress, namespace: istio-system}
spec:
  selector: {istio: egressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shadows, namespace: istio-system}
spec:
  hosts: ["*"]
  gateways: [egress]
  http: [{route: [{destination: {host: stage.example.com, port: {number: 80}}}]}]
"""
EGRESS = "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nmetadata: {name: istio}\nspec: {%s}\n"


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("components: {egressGateways: [{name: istio-egressgateway, enabled: true}]}", "1 mirror arrives"),
        ("profile: demo", "1 mirror arrives"),
        ("profile: demo, components: {egressGateways: [{name: istio-egressgateway, enabled: false}]}", "1 mirror is lost"),
        ("components: {egressGateways: [{name: istio-egressgateway}]}", "1 mirror is lost"),
        ("profile: default", "1 mirror is lost"),
    ],
)
def test_an_egress_gateway_of_an_operator_is_a_host_that_mirrors_go_through(tmp_path: Path, spec: str, said: str) -> None:
    source = SOURCE.replace("mirror: {host: stage.example.com", "mirror: {host: istio-egressgateway.istio-system.svc.cluster.local")
    assert source != SOURCE
    files = {"clusters/prod/all.yaml": f"{source}---\n{BY_EGRESS}", "clusters/stage/all.yaml": TARGET}
    write(tmp_path, {**files, "clusters/prod/istio.yaml": EGRESS % spec})
    assert run(tmp_path).stdout.splitlines()[-1].startswith(said)
