"""Whose pods an ingress gateway is, and at which addresses it is reached, as manifests tell."""

from __future__ import annotations

from pathlib import Path

import pytest
from repositories import write
from test_cli import run
from test_engine import SOURCE, TARGET, judge, levels

from mirrorlint import check, loads
from mirrorlint.tracing import ingresses

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
    assert levels(judge(private)) == []
    assert levels(judge(private + service(selector))) == [("error", "mirror-to-unknown-host")]
    assert levels(judge(AT_EDGE + service(selector))) == []


@pytest.mark.parametrize(("scheme", "found"), [("https", []), ("http", [("error", "shadow-matches-no-route")])])
@pytest.mark.parametrize("condition", ["scheme: {exact: %s}", "headers: {':scheme': {exact: %s}}"])
def test_the_scheme_of_a_shadow_is_that_of_its_connection(condition: str, scheme: str, found: list[tuple[str, str]]) -> None:
    secure = SOURCE.replace("number: 80, name: http, protocol: HTTP", "number: 443, name: https, protocol: HTTPS")
    secure = secure.replace("port: {number: 80}}", "port: {number: 443}}") + rule("trafficPolicy: {tls: {mode: SIMPLE, sni: s}}")
    target = TARGET.replace("{number: 80, name: http, protocol: HTTP}", "{number: 443, name: https, protocol: HTTPS}")
    target = target.replace("hosts: ['*']}]", "hosts: ['*'], tls: {mode: SIMPLE, credentialName: c}}]", 1)
    asking = target.replace("http: [{route", f"http: [{{match: [{{{condition % scheme}}}], route")
    assert levels(judge(secure, asking)) == found


def test_a_rule_for_the_gateways_pods_tells_their_namespace() -> None:
    secure = AT_EDGE.replace(
        "{number: 80, name: http, protocol: HTTP}], resolution", "{number: 443, name: https, protocol: HTTPS}], resolution"
    )
    secure = secure.replace("port: {number: 80}}", "port: {number: 443}}")
    spec = "workloadSelector: {matchLabels: {istio: ingressgateway}}, trafficPolicy: {tls: {mode: SIMPLE, credentialName: c, sni: s}}"
    target = TARGET.replace("{number: 80, name: http, protocol: HTTP}", "{number: 443, name: https, protocol: HTTPS}")
    target = target.replace("hosts: ['*']}]", "hosts: ['*'], tls: {mode: SIMPLE, credentialName: c}}]", 1)
    assert levels(judge(secure + rule(spec), target)) == []
    assert levels(judge(secure + rule(spec.replace("ingressgateway", "other")), target)) != []


DNS = "{{external-dns.alpha.kubernetes.io/hostname: {}}}"
REFUSING = TARGET.replace("{hosts: ['*'], gateways", "{hosts: [shop.example.com], gateways")
PODS = """
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ingress, namespace: istio-system}
spec: {template: {metadata: {labels: {app: edge}}, spec: {containers: [{name: %s}]}}}
"""


@pytest.mark.parametrize("name", ["stage.example.com", "'*.example.com'", "'other.example.org, *.example.com'"])
def test_a_wildcard_is_the_address_of_every_name_below_it(name: str) -> None:
    assert levels(judge(target=REFUSING + service(annotations=DNS.format(name)))) == [("error", "shadow-host-not-accepted")]


def test_external_dns_may_have_the_address_of_a_gateway() -> None:
    target = "{name: ingress, annotations: {external-dns.alpha.kubernetes.io/target: stage.example.com}}"
    known = REFUSING.replace("kind: Gateway\nmetadata: {name: ingress}", f"kind: Gateway\nmetadata: {target}")
    assert levels(judge(target=known)) == [("error", "shadow-host-not-accepted")]
    assert not any("taken to be" in note.message for finding in judge(target=known).findings for note in finding.notes)


@pytest.mark.parametrize(
    "annotation",
    [
        "metallb.universe.tf/loadBalancerIPs",
        "metallb.io/loadBalancerIPs",
        "lbipam.cilium.io/ips",
        "service.beta.kubernetes.io/aws-load-balancer-private-ipv4-addresses",
        "service.beta.kubernetes.io/azure-load-balancer-ipv4",
    ],
)
def test_an_address_that_a_load_balancer_is_asked_for_is_the_services(annotation: str) -> None:
    source = SOURCE.replace("resolution: DNS", "resolution: STATIC, endpoints: [{address: 10.3.3.4}]")
    assert source != SOURCE
    asking = service(annotations=f"{{{annotation}: '10.3.3.3, 10.3.3.4'}}")
    assert levels(judge(source, REFUSING + asking)) == [("error", "shadow-host-not-accepted")]
    assert levels(judge(source, REFUSING + asking.replace("10.3.3.4", "10.3.3.5"))) == []


@pytest.mark.parametrize("prefix", ["external-dns.alpha.kubernetes.io", "external-dns.kubernetes.io"])
@pytest.mark.parametrize("name", ["hostname", "target"])
def test_external_dns_tells_the_name_of_a_service_by_either_prefix(prefix: str, name: str) -> None:
    named = service(annotations=f"{{{prefix}/{name}: stage.example.com}}")
    (finding,) = judge(target=REFUSING + named).findings
    assert not any("taken to be" in note.message for note in finding.notes)
    assert judge(target=REFUSING + named.replace("stage.example.com", "other.example.com")).findings == ()


def test_a_name_inside_the_cluster_does_not_make_all_addresses_known() -> None:
    inside = service(annotations="{external-dns.alpha.kubernetes.io/internal-hostname: other.example.com}")
    assert levels(judge(target=REFUSING + inside)) == [("error", "shadow-host-not-accepted")]


def test_another_address_leads_elsewhere_only_where_all_are_known() -> None:
    shown = service(annotations=DNS.format("public.example.com"))
    hidden = service().replace("name: ingress,", "name: internal,")
    assert judge(target=REFUSING + shown).blind_spots == ()
    (spot,) = judge(target=REFUSING + shown + hidden).blind_spots
    assert "which cluster `stage.example.com` leads to is not known" in spot.message


ON_NODES = """
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: ingress, namespace: istio-system}
spec: {template: {metadata: {labels: {istio: ingressgateway}}, spec: {%s}}}
"""
AT_NODE = SOURCE.replace("resolution: DNS", "resolution: STATIC, endpoints: [{address: 10.8.0.1, ports: {http: 8888}}]")


@pytest.mark.parametrize(
    ("spec", "listener", "found"),
    [
        ("containers: [{name: istio-proxy, ports: [{containerPort: 8080, hostPort: 8888}]}]", 8080, []),
        (
            "containers: [{name: istio-proxy, ports: [{containerPort: 8081, hostPort: 8888}]}]",
            8080,
            [("error", "ingress-without-listener")],
        ),
        ("hostNetwork: true, containers: [{name: istio-proxy}]", 8888, []),
        ("containers: [{name: istio-proxy}]", 8888, [("error", "ingress-without-listener")]),
    ],
)
@pytest.mark.parametrize("more", ["", service(spec="type: ClusterIP")])
def test_a_gateway_may_be_reached_at_a_port_of_its_nodes(spec: str, listener: int, found: list[tuple[str, str]], more: str) -> None:
    target = TARGET.replace("number: 80, name: http", f"number: {listener}, name: http")
    expected = found if more or listener == 8080 else []
    assert levels(judge(AT_NODE, target + more + ON_NODES % spec)) == expected


@pytest.mark.parametrize("container", ["istio-proxy", "shop"])
def test_a_proxy_that_no_gateway_is_for_listens_to_nothing_and_an_application_is_its_own_matter(container: str) -> None:
    report = judge(target=TARGET + service("{app: edge}", annotations=DNS.format("stage.example.com")) + PODS % container)
    assert levels(report) == ([("error", "ingress-without-listener")] if container == "istio-proxy" else [])


def test_without_any_gateway_nothing_listens_at_the_ingress() -> None:
    target = service(annotations=DNS.format("stage.example.com")) + PODS.replace("app: edge", "istio: ingressgateway") % "istio-proxy"
    assert levels(judge(target=target)) == [("error", "ingress-without-listener")]


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("stage.example.com", "1 mirror arrives."),
        ("cart.default.svc.cluster.local", "1 mirror stays in its own cluster."),
        ("other.example.com", "1 mirror leads elsewhere."),
    ],
)
def test_the_summary_tells_shadows_that_go_to_no_other_cluster(tmp_path: Path, host: str, said: str) -> None:
    own = SOURCE[: SOURCE.index("---")].replace("{name: shop}", "{name: cart, namespace: default}")
    other = "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: other}\n"
    other += "spec: {hosts: [other.example.com], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}\n"
    source = SOURCE.replace("mirror: {host: stage.example.com", f"mirror: {{host: {host}") + other + "---" + own
    write(tmp_path, {"prod/a.yaml": source, "stage/a.yaml": TARGET + service(annotations=DNS.format("stage.example.com"))})
    assert run(f"prod={tmp_path / 'prod'}", f"stage={tmp_path / 'stage'}").stdout.splitlines()[-1].startswith(said)


def test_of_a_wildcard_and_a_name_the_closer_one_tells_whose_ingress_it_is() -> None:
    wide, near = (service(annotations=DNS.format(name)) for name in ("'*.example.com'", "stage.example.com"))
    assert levels(judge(AT_EDGE.replace("shop.example", "shop.default") + wide, TARGET + near)) == []


def test_a_wildcard_of_the_sources_own_ingress_does_not_bring_shadows_back() -> None:
    report = judge(AT_EDGE.replace("shop.example]", "shop.example.com]") + service(annotations=DNS.format("'*.example.com'")))
    assert levels(report) == []
    assert [dict(mirror.delivery) for mirror in report.mirrors] == [{"1.27": "all", "1.28": "all"}]


def test_a_name_of_a_service_counts_before_another_clusters_wildcard() -> None:
    third = "---\n".join((EDGE.partition("---\n")[2], service(annotations=DNS.format("'*.example.com'"))))
    bare = service("{app: edge}", annotations=DNS.format("stage.example.com")) + PODS % "istio-proxy"
    report = check(loads({"prod": SOURCE, "stage": bare, "other": third}))
    assert [(finding.rule, "stage has no Gateway" in finding.message) for finding in report.findings] == [
        ("ingress-without-listener", True)
    ]


TAKING = {
    "a wildcard": ("hosts: ['*'], gateways", "hosts: ['*.example.com'], gateways"),
    "a server": ("hosts: ['*']}]", "hosts: [shop.example.com]}]"),
    "a policy": ("spec: {hosts: ['*'], gateways", "spec: {hosts: ['*'], gateways"),
}
POLICY = """---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: shop, namespace: istio-system}
spec: {rules: [{to: [{operation: {hosts: [shop.example.com]}}]}]}
"""


@pytest.mark.parametrize("kind", TAKING)
def test_of_the_hosts_that_a_wildcard_stands_for_those_are_tried_that_the_target_takes(kind: str) -> None:
    source = AT_EDGE.replace("hosts: [shop.example]", "hosts: ['*']")
    target = TARGET.replace(*TAKING[kind]) + service() + (POLICY if kind == "a policy" else "")
    report = check(loads({"prod": source, "stage": target}), istio="1.28")
    assert [level for level, _ in levels(report)] == ["warning"]
    assert [dict(mirror.delivery) for mirror in report.mirrors] == [{"1.28": "some"}]


def test_hosts_that_an_expression_takes_are_made_up_as_names() -> None:
    source = AT_EDGE.replace("hosts: [shop.example]", "hosts: ['*']").replace(
        "    - route: [{destination: {host: shop}}]",
        "    - match: [{authority: {regex: '.*[.]example[.]com'}}]\n      route: [{destination: {host: shop}}]",
    )
    report = check(
        loads({"prod": source, "stage": TARGET.replace("hosts: ['*'], gateways", "hosts: ['*.example.com'], gateways")}), istio="1.28"
    )
    assert (report.findings, [dict(mirror.delivery) for mirror in report.mirrors]) == ((), [{"1.28": "all"}])


def test_settings_of_a_port_without_tls_are_shown_as_what_shuts_out_the_others() -> None:
    secure = SOURCE.replace("number: 80, name: http, protocol: HTTP", "number: 443, name: https, protocol: HTTPS")
    policy = "trafficPolicy: {tls: {mode: SIMPLE}, portLevelSettings: [{port: {number: 443}, loadBalancer: {simple: RANDOM}}]}"
    target = TARGET.replace("{number: 80, name: http, protocol: HTTP}", "{number: 443, name: https, protocol: HTTPS}")
    target = target.replace("hosts: ['*']}]", "hosts: ['*'], tls: {mode: SIMPLE, credentialName: c}}]", 1)
    (finding,) = judge(secure.replace("port: {number: 80}}", "port: {number: 443}}") + rule(policy), target).findings
    assert finding.rule in ("sni-without-server", "tls-mismatch")
    assert any("has settings for this port, without `tls`" in note.message for note in finding.notes)


@pytest.mark.parametrize(
    ("ingress", "doubted"),
    [
        ("metadata: {name: i}\nspec: {ingressClassName: istio}\n", True),
        ("metadata: {name: i, annotations: {kubernetes.io/ingress.class: istio}}\nspec: {}\n", True),
        ("metadata: {name: i}\nspec: {ingressClassName: mesh}\n", True),
        ("metadata: {name: i}\nspec: {ingressClassName: nginx}\n", False),
        ("metadata: {name: i}\nspec: {}\n", False),
    ],
)
def test_what_istio_takes_for_an_ingress_is_not_judged(ingress: str, doubted: bool) -> None:
    classes = (
        "apiVersion: networking.k8s.io/v1\nkind: IngressClass\nmetadata: {name: mesh}\nspec: {controller: istio.io/ingress-controller}\n"
    )
    target = f"{classes}---\napiVersion: networking.k8s.io/v1\nkind: Ingress\n{ingress}"
    report = check(loads({"prod": SOURCE, "stage": target}, ingress={"stage": ["stage.example.com"]}))
    assert [finding.level for finding in report.findings] == ["warning" if doubted else "error"]
    said = "Ingress default/i: what Istio's ingress gateway takes for it is not judged"
    assert [spot.message for spot in report.blind_spots] == [said] * doubted


def test_a_note_for_external_dns_is_what_says_where_the_ingress_is() -> None:
    noted = "{name: ingress, annotations: {external-dns.alpha.kubernetes.io/target: gateway.example.com}}\nspec"
    fleet = loads({"stage": TARGET.replace("{name: ingress}\nspec", noted)})
    assert list(ingresses(fleet.loaded.documents)) == ["stage: its ingress is gateway.example.com (Gateway default/ingress, <stage>:9)"]
