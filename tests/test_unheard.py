"""What is said of a port that nothing listens on, and of one where no HTTP route is asked."""

from __future__ import annotations

import pytest
from pair import PROD, STAGE, judged, only

from mirrorlint.delivery.way import reached

HTTP = "{number: 80, name: http, protocol: HTTP}\n"
TCP = HTTP.replace("HTTP", "TCP")


@pytest.mark.parametrize(
    ("server", "line", "why"),
    [
        (HTTP.replace("80", "81"), 6, " listens on 81"),
        (f"{HTTP}    bind: 10.0.0.1\n", 7, "'s server listens on 10.0.0.1 alone"),
        (TCP, 6, "'s server is for TCP, for which no route is bound to it"),
        (
            HTTP.replace("HTTP", "TLS") + "    tls: {mode: PASSTHROUGH}\n",
            7,
            "'s server passes TLS on (`PASSTHROUGH`), for which no `tls` route is bound to it",
        ),
    ],
)
def test_the_server_that_was_meant_says_what_keeps_it_from_the_port(server: str, line: int, why: str) -> None:
    finding = only(PROD, STAGE.replace(HTTP, server))
    assert (finding.rule, finding.place.path, finding.place.line) == ("ingress-without-listener", "<stage>", line)
    assert finding.message.partition("; where port")[0].endswith(f"Gateway default/stage{why}")


def test_a_server_for_other_clusters_of_the_mesh_says_that_no_service_matches() -> None:
    server = HTTP.replace("HTTP", "TLS") + "    tls: {mode: AUTO_PASSTHROUGH}\n"
    finding = only(PROD, STAGE.replace(f'{HTTP}    hosts: ["*"]', f'{server}    hosts: ["*.example.org"]'))
    assert (finding.rule, finding.place.path, finding.place.line, finding.place.column) == ("ingress-without-listener", "<stage>", 8, 13)
    why = "Gateway default/stage's server passes TLS on to Services of the mesh (`AUTO_PASSTHROUGH`), of which none matches its `hosts`"
    assert finding.message.endswith(why)


def test_a_server_of_another_port_for_other_pods_is_not_said_to_be_for_this_one() -> None:
    settings = {"stage": {"addresses": ["stage-gateway.example.com"], "labels": {"istio": "a"}}}
    other = STAGE.replace("  servers:\n  - port: " + HTTP, "  selector: {istio: b}\n  servers:\n  - port: " + HTTP.replace("80", "81"))
    finding = only(PROD, other, ingress=settings)
    assert finding.message.endswith("Gateway default/stage listens on 81, and selects pods with `istio: b`, which the ingress's are not")


ORIGINATES = """---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: stage}
spec: {host: stage-gateway.example.com, trafficPolicy: {tls: {mode: SIMPLE, sni: stage-gateway.example.com}}}
"""
HTTPS = "{number: 443, name: https, protocol: HTTPS}\n    tls: {mode: SIMPLE, credentialName: stage}\n"


@pytest.mark.parametrize(("secure", "rule"), [(False, "shadow-host-not-accepted"), (True, "sni-without-server")])
@pytest.mark.parametrize("pods", ["", "b"])
def test_a_gateway_that_selects_no_pods_is_said_to_be_the_one_that_was_meant(secure: bool, rule: str, pods: str) -> None:
    port = HTTPS if secure else HTTP
    prod = PROD.replace("protocol: HTTP}", "protocol: HTTP, targetPort: 443}") + ORIGINATES if secure else PROD
    meant = STAGE.replace("  servers:\n  - port: " + HTTP, "  selector: {istio: b}\n  servers:\n  - port: " + port)
    other = meant.partition("---")[0].replace("stage}\n", "other}\n", 1).replace("istio: b", "istio: a").replace('"*"', "www.example.com")
    stage = meant.replace("[shop.default-shadow]", '["*"]') + "---\n" + other
    if pods:
        service = f"kind: Service\nmetadata: {{name: internal}}\nspec: {{selector: {{istio: {pods}}}, ports: [{{port: 80}}]}}\n"
        stage += f"---\napiVersion: v1\n{service}"
    settings = {"stage": {"addresses": ["stage-gateway.example.com"], "labels": {"istio": "a"}}}
    finding = only(prod, stage, ingress=settings)
    said = {str(note.place): note.message for note in finding.notes} | {str(finding.place): finding.message.rpartition("; ")[2]}
    why = "Gateway default/stage would, but selects pods with `istio: b`, which the ingress's are not"
    assert (finding.rule, said.get("<stage>:5:21")) == (rule, None if pods else why)


def test_the_server_behind_a_translated_port_says_what_keeps_it_from_that() -> None:
    service = "---\napiVersion: v1\nkind: Service\nmetadata: {name: ingress}\n"
    service += "spec: {type: LoadBalancer, selector: {istio: a}, ports: [{port: 80, targetPort: 8080}]}\n"
    server = "  selector: {istio: a}\n  servers:\n  - port: " + TCP.replace("80", "8080")
    finding = only(PROD, STAGE.replace("  servers:\n  - port: " + HTTP, server) + service)
    assert finding.rule == "ingress-without-listener"
    assert finding.message.endswith("Gateway default/stage's server is for TCP, for which no route is bound to it")


def test_without_a_service_settings_may_tell_of_other_ports() -> None:
    other = STAGE.replace(HTTP, HTTP.replace("80", "81"))
    hint = "`ingress: {ports: ...}` in .mirrorlint.yaml tells"
    assert hint in only(PROD, other).message
    settings = {"stage": {"addresses": ["stage-gateway.example.com"], "ports": {80: 81}}}
    told = judged(PROD, other, ingress=settings).findings
    assert "ingress-without-listener" not in {finding.rule for finding in told}
    service = "---\napiVersion: v1\nkind: Service\nmetadata: {name: ingress}\n"
    service += "spec: {type: LoadBalancer, selector: {istio: a}, ports: [{port: 80}]}\n"
    assert hint not in only(PROD, other.replace("servers:", "selector: {istio: a}\n  servers:", 1) + service).message


@pytest.mark.parametrize(
    ("ports", "said"),
    [
        ({80: 8080}, "Gateway default/stage listens on 81; `ingress: {ports: ...}` in .mirrorlint.yaml leads port 80 to 8080"),
        ({443: 8443}, "Gateway default/stage listens on 81; `ingress: {ports: ...}` in .mirrorlint.yaml has no port 80"),
    ],
)
@pytest.mark.parametrize(
    "service", ["", "---\napiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {selector: {a: b}, ports: [{port: 80}]}\n"]
)
def test_what_settings_tell_of_a_port_is_said(ports: dict[int, int], said: str, service: str) -> None:
    settings = {"stage": {"addresses": ["stage-gateway.example.com"], "labels": {"a": "b"}, "ports": ports}}
    finding = only(PROD, STAGE.replace("number: 80", "number: 81") + service, ingress=settings)
    assert finding.message.endswith(said)
    assert finding.place.line == 6


@pytest.mark.parametrize(
    ("ports", "endpoints", "start"),
    [
        ("", "", ""),
        ("", "  endpoints: [{address: stage-gateway.example.com, ports: {http: 8081}}]\n", "8081}}]"),
        (", targetPort: 8081", "", "8081}]"),
        (", targetPort: 8080", "  endpoints: [{address: stage-gateway.example.com, ports: {http: 8081}}]\n", "8081}}]"),
    ],
    ids=["the mirror's", "the endpoint's", "the entry's", "the endpoint's before the entry's"],
)
def test_a_port_that_the_mirror_does_not_name_is_shown_where_it_is_written(ports: str, endpoints: str, start: str) -> None:
    prod = PROD.replace("protocol: HTTP}]", f"protocol: HTTP{ports}}}]").replace("  resolution: DNS\n", f"  resolution: DNS\n{endpoints}")
    finding = only(prod, STAGE if start else STAGE.replace("number: 80", "number: 81"))
    assert (finding.rule, finding.place.path) == ("ingress-without-listener", "<stage>")
    shown = [note.place for note in finding.notes if note.message == "`stage-gateway.example.com` is dialled at port 8081"]
    assert [prod.splitlines()[place.line - 1][place.column - 1 :] for place in shown] == ([start] if start else [])


NODES = """\
---
apiVersion: v1
kind: Service
metadata: {name: ingress}
spec:
  type: NodePort
  selector: {istio: a}
  ports:
  - {name: status, port: 15021, nodePort: 30021}
  - {name: http, port: 80, targetPort: 8080, nodePort: 30080}
"""


@pytest.mark.parametrize(("dialled", "meant"), [(30081, "30080}"), (30020, "30021}"), (88, "15021, nodePort: 30021}")])
def test_of_a_service_in_front_the_nodes_port_is_shown_that_was_probably_meant(dialled: int, meant: str) -> None:
    stage = STAGE.replace("servers:", "selector: {istio: a}\n  servers:", 1) + NODES
    finding = only(PROD.replace("protocol: HTTP}]", f"protocol: HTTP, targetPort: {dialled}}}]"), stage)
    assert finding.message.endswith("Service default/ingress in front of it has 15021 (`nodePort: 30021`), 80 (`nodePort: 30080`)")
    assert stage.splitlines()[finding.place.line - 1][finding.place.column - 1 :] == meant


WORKLOAD = """\
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ingress}
spec: {template: {metadata: {labels: {app: ingress, istio: %s}}}}
"""
APART = "Gateway default/stage would, but selects pods with `istio: ingres`, which those of Service default/ingress are not"


@pytest.mark.parametrize(
    ("workload", "start", "said"),
    [
        ("", "ingres}", APART),
        (WORKLOAD % "ingress", "ingres}", APART),
        (
            WORKLOAD % "ingres",
            "ingress}",
            "Service default/ingress has it, but selects pods with `istio: ingress`, which those of Gateway default/stage are not",
        ),
    ],
    ids=["no workload", "the Service's", "the Gateway's"],
)
def test_the_selector_is_shown_by_which_a_service_in_front_leads_to_other_pods(workload: str, start: str, said: str) -> None:
    service = NODES.replace("{istio: a}", "{app: ingress, istio: ingress}").replace("targetPort: 8080, ", "")
    stage = STAGE.replace("servers:", "selector: {istio: ingres}\n  servers:", 1) + service + workload
    prod = PROD.replace("protocol: HTTP}]", "protocol: HTTP, targetPort: 30080}]")
    finding = only(prod, stage)
    assert finding.message.endswith(f"the shadow is refused; {said}")
    assert stage.splitlines()[finding.place.line - 1][finding.place.column - 1 :] == start


def test_a_server_that_another_one_shuts_out_says_so() -> None:
    first = f"{TCP.replace('name: http', 'name: tcp')}    hosts: [shop.example.com]\n  - port: {HTTP}"
    finding = only(PROD, STAGE.replace(HTTP, first))
    assert (finding.rule, finding.place.line) == ("ingress-without-listener", 8)
    assert finding.message.endswith("Gateway default/stage's server comes after another one that took the port")


def test_a_gateway_of_another_namespace_than_the_pods_that_istio_deploys_is_not_said_to_select_others() -> None:
    listener = "{gatewayClassName: istio, listeners: [{name: web, port: 81, protocol: HTTP}]}"
    deployed = f"apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {{name: edge}}\nspec: {listener}\n---\n"
    stage = STAGE.replace("{name: stage}", "{name: stage, namespace: other}", 1)
    stage = deployed + stage.replace("  servers:", "  selector: {gateway.networking.k8s.io/gateway-name: edge}\n  servers:")
    finding = only(PROD, stage)
    assert finding.message.endswith(
        "Gateway other/stage would, but is in namespace `other`, and pods that Istio deploys take no Gateway of another"
    )
    assert stage.splitlines()[finding.place.line - 1][finding.place.column - 1 :] == "other}"


def edge(service: str) -> str:
    """A Gateway whose pods are those of a Service."""
    return f"""
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: edge}}
spec:
  gatewayClassName: istio
  addresses: [{{type: Hostname, value: {service}}}]
  listeners: [{{name: web, port: 80, protocol: HTTP}}]
---
"""


def test_a_listener_whose_services_lack_its_port_is_not_said_to_come_after_another() -> None:
    stage = (
        edge("front")
        + """\
apiVersion: v1
kind: Service
metadata: {name: front}
spec: {selector: {app: edge}, ports: [{port: 8081}]}
"""
    )
    settings = {"addresses": ["stage-gateway.example.com"], "namespace": "default", "labels": {"app": "edge"}, "ports": {80: 8080}}
    finding = only(PROD, stage, ingress={"stage": settings})
    assert finding.message.endswith("Gateway default/edge's listener is for port 80, which the Services of its Gateway do not have")
    assert finding.place.line == 8


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("stage-gateway.example.com", "is no Service of its namespace"),
        ("front.default.svc.cluster.local", "leads to other pods than the ingress's"),
    ],
)
def test_the_address_of_a_gateway_is_shown_that_leads_to_no_pods_of_the_ingress(value: str, said: str) -> None:
    stage = (
        edge(value)
        + """\
apiVersion: v1
kind: Service
metadata: {name: front}
spec: {selector: {app: edge}, ports: [{port: 80}]}
"""
    )
    settings = {"addresses": ["stage-gateway.example.com"], "namespace": "default", "labels": {"app": "other"}}
    finding = only(PROD, stage, ingress={"stage": settings})
    assert finding.message.endswith(f"Gateway default/edge would, but its address `{value}` {said}")
    assert stage.splitlines()[finding.place.line - 1][finding.place.column - 1 :] == f"{value}}}]"


def test_an_address_that_names_no_service_is_shown_where_it_may_be_in_front_of_the_ingress() -> None:
    stage = (
        edge("frnt.default.svc.cluster.local")
        + """\
apiVersion: v1
kind: Service
metadata: {name: front, annotations: {external-dns.alpha.kubernetes.io/hostname: stage-gateway.example.com}}
spec: {type: LoadBalancer, selector: {istio: ingressgateway}, ports: [{port: 80, targetPort: 8080}]}
"""
    )
    classic = "apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: other}\nspec:\n  selector: {istio: ingressgateway}\n"
    classic += "  servers: [{port: {number: 81, name: http, protocol: HTTP}, hosts: ['*']}]\n"
    finding = only(PROD, f"{stage}---\n{classic}")
    assert finding.message.endswith(
        "Gateway default/edge would, but its address `frnt.default.svc.cluster.local` is no Service of its namespace"
    )
    assert finding.place.line == 7


def test_the_ports_of_a_gateway_are_listed() -> None:
    servers = "".join(f"  - {{port: {{number: {port}, name: http-{port}, protocol: HTTP}}, hosts: ['*']}}\n" for port in (81, 82, 83))
    finding = only(PROD, STAGE.replace("  servers:\n", f"  servers:\n{servers}").replace("number: 80", "number: 84"))
    assert "Gateway default/stage listens on 81, 82, 83 and 84" in finding.message


def test_without_a_gateway_the_finding_is_at_the_mirror() -> None:
    stage = STAGE.partition("---\n")[2]
    finding = only(PROD, stage, ingress={"stage": ["stage-gateway.example.com"]})
    assert (finding.rule, finding.place.path) == ("ingress-without-listener", "<prod>")
    assert finding.message.endswith("; stage has no Gateway that Istio accepts")


PASSING = "{number: 80, name: tls, protocol: TLS}\n    tls: {mode: %s}\n"
BY_SNI = "  tls:\n  - match: [{sniHosts: [shop.example.com]}]\n   "
OVER_TLS = """---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: stage}
spec: {host: stage-gateway.example.com, trafficPolicy: {tls: {mode: SIMPLE, sni: shop.example.com}}}
"""


@pytest.mark.parametrize(
    ("rule", "stage"),
    [
        pytest.param("", STAGE.replace(HTTP, TCP).replace("  http:", "  tcp:"), id="tcp"),
        pytest.param(
            OVER_TLS,
            STAGE.replace(HTTP, PASSING % "PASSTHROUGH").replace("  http:\n  -", BY_SNI).replace("shop.default-shadow", "shop.example.com"),
            id="passthrough",
        ),
    ],
)
def test_what_a_listener_passes_on_as_it_comes_is_not_judged(rule: str, stage: str) -> None:
    report = judged(PROD + rule, stage)
    assert report.findings == ()
    (spot,) = report.blind_spots
    assert (spot.path, spot.line) == ("<stage>", 6)
    assert spot.message.startswith("Gateway default/stage's server passes connections on as they come: whether what takes them")
    assert set(report.mirrors[0].delivery.values()) == {"unknown"}


LISTENER = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge}
spec:
  gatewayClassName: istio
  listeners: [{name: tls, port: 80, protocol: TLS, hostname: shop.example.com, tls: {mode: Passthrough}}]
"""
ROUTE = """---
apiVersion: gateway.networking.k8s.io/v1alpha2
kind: TLSRoute
metadata: {name: shop}
spec: {parentRefs: [{name: edge}], hostnames: [shop.example.com], rules: [{backendRefs: [{name: shop, port: 80}]}]}
"""


@pytest.mark.parametrize(
    ("listener", "route", "rule"),
    [
        (LISTENER, ROUTE, OVER_TLS),
        (LISTENER.replace("TLS, hostname: shop.example.com, tls: {mode: Passthrough}", "TCP"), ROUTE.replace("TLSR", "TCPR"), ""),
    ],
    ids=["TLSRoute", "TCPRoute"],
)
def test_routes_of_the_gateway_api_pass_on_as_well(listener: str, route: str, rule: str) -> None:
    route = route.replace("hostnames: [shop.example.com], ", "") if "TCPRoute" in route else route
    report = judged(PROD + rule, listener + route)
    assert [spot.message.partition(":")[0] for spot in report.blind_spots] == [
        "Gateway default/edge's listener passes connections on as they come"
    ]
    assert report.findings == ()
    elsewhere = route.replace("{name: edge}", "{name: other}")
    finding = only(PROD + rule, listener + elsewhere)
    assert finding.rule == "ingress-without-listener"


def test_a_hop_that_must_be_there_and_is_not_is_a_bug() -> None:
    assert reached("hop") == "hop"
    with pytest.raises(AssertionError, match="lacks a hop"):
        reached(None)
