"""A mirror that leads to a gateway of its own cluster, which sends the shadows on, as an egress gateway does."""

from __future__ import annotations

import networkx as nx
import pytest
from test_engine import REFUSING, SOURCE, TARGET, levels

from mirrorlint import Call, check, loads
from mirrorlint.delivery.age import by_name
from mirrorlint.delivery.follow import Delivery
from mirrorlint.delivery.judged import judge
from mirrorlint.graph import build
from mirrorlint.rule import Report
from mirrorlint.tracing import distinct_ways

MIRRORING = SOURCE.replace("mirror: {host: stage.example.com", "mirror: {host: egress.istio-system.svc.cluster.local")
EGRESS = """
---
apiVersion: v1
kind: Service
metadata: {name: egress, namespace: istio-system}
spec: {selector: {istio: egress}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: egress, namespace: istio-system}
spec:
  selector: {istio: egress}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: onward, namespace: istio-system}
spec:
  hosts: ['*']
  gateways: [egress]
  http:
  - name: onward
    route: [{destination: {host: stage.example.com}}]
"""
OF_GATEWAY_API = """
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: egress, namespace: istio-system, annotations: {networking.istio.io/service-type: ClusterIP}}
spec:
  gatewayClassName: istio
  listeners: [{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: onward}
spec:
  parentRefs: [{name: egress, namespace: istio-system}]
  rules: [{backendRefs: [{kind: Hostname, group: networking.istio.io, name: stage.example.com, port: 80}]}]
"""
STRAYING = EGRESS.replace("istio: egress}\n  servers", "istio: egres}\n  servers")
TO_SHOP = EGRESS.replace("destination: {host: stage.example.com}", "destination: {host: shop.default.svc.cluster.local}")
SPLIT = EGRESS.replace(
    "[{destination: {host: stage.example.com}}]",
    "[{destination: {host: stage.example.com}, weight: 1}, {destination: {host: shop.default.svc.cluster.local}, weight: 1}]",
)
CALL = Call("prod", "default", "shop", 80)


def judged(source: str = MIRRORING + EGRESS, target: str = TARGET) -> Report:
    return check(loads({"prod": source, "stage": target}))


def test_shadows_that_it_sends_on_arrive() -> None:
    report = judged()
    assert (report.findings, report.blind_spots) == ((), ())
    (mirror,) = report.mirrors
    assert (mirror.target, dict(mirror.delivery)) == ("egress.istio-system.svc.cluster.local:80", {"1.27": "all", "1.28": "all"})
    (shadow,) = loads({"prod": MIRRORING + EGRESS, "stage": TARGET}).follow(CALL, "1.27")
    assert (shadow.outcome, shadow.cluster, shadow.host) == ("arrives", "stage", "shop-shadow")


@pytest.mark.parametrize(
    ("old", "new", "rule", "line"),
    [
        pytest.param("number: 80, name: http, protocol: HTTP}, hosts", "number: 81, name: http, protocol: HTTP}, hosts", 0, 32, id="port"),
        pytest.param("  hosts: ['*']\n  gateways", "  hosts: [shop.example.com]\n  gateways", 1, 38, id="host"),
        pytest.param("  - name: onward", "  - match: [{uri: {prefix: /v2}}]", 2, 41, id="path"),
        pytest.param("host: stage.example.com", "host: stage.example.org", 3, 42, id="destination"),
    ],
)
def test_what_it_does_not_send_on_is_lost_there(old: str, new: str, rule: int, line: int) -> None:
    rules = ("ingress-without-listener", "shadow-host-not-accepted", "shadow-matches-no-route", "target-route-to-unknown-host")
    (finding,) = judged(MIRRORING + EGRESS.replace(old, new)).findings
    assert (finding.rule, finding.cluster, finding.place.path, finding.place.line) == (rules[rule], "prod", "<prod>", line)
    assert "prod's gateway" in finding.message


def test_each_caller_is_its_own_on_the_whole_way() -> None:
    others = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: b}\n"
    clusters = loads({"prod": MIRRORING + EGRESS + others, "stage": TARGET}).loaded.documents.clusters
    (mirror,) = judge(clusters, Delivery(clusters, by_name), "prod", ["1.28"])
    ways = list(mirror.every_way())
    assert {way.call.namespace for way in ways} == {"default", "a", "b"}
    assert [way.first.call for way in ways if way.first] == [way.call for way in ways]


def test_a_destination_that_is_the_targets_ingress_is_not_written_like_a_misspelt_entry() -> None:
    source = MIRRORING.replace("hosts: [stage.example.com]", "hosts: [stage.example.con]") + EGRESS
    (finding,) = check(loads({"prod": source, "stage": TARGET}, ingress={"stage": ["stage.example.com"]})).findings
    assert (finding.rule, finding.fix) == ("target-route-to-unknown-host", ())


def test_what_the_target_does_not_take_names_the_gateway_between() -> None:
    strict = TARGET.replace("hosts: ['*'], gateways", "hosts: [shop.example.com], gateways")
    (finding,) = check(loads({"prod": MIRRORING + EGRESS, "stage": strict}, ingress={"stage": ["stage.example.com"]})).findings
    assert (finding.rule, finding.cluster) == ("shadow-host-not-accepted", "stage")
    through = "this mirror sends its shadows there through Service istio-system/egress, with Host `shop.default.svc.cluster.local-shadow`"
    assert [(note.message, note.place.path, note.place.line) for note in finding.notes] == [(through, "<prod>", 19)]


def test_the_host_is_the_one_that_it_writes() -> None:
    rewriting = EGRESS.replace("  - name: onward", "  - rewrite: {authority: shop.example.com}")
    strict = TARGET.replace("hosts: ['*'], gateways", "hosts: [shop.example.com], gateways")
    assert levels(judged(MIRRORING + rewriting, strict)) == []
    (shadow,) = loads({"prod": MIRRORING + rewriting, "stage": strict}).follow(CALL, "1.27")
    told = [step.text for step in shadow.steps if step.what == "shadow"]
    assert (shadow.host, told[1:]) == ("shop.example.com", ["carries the Host `shop.example.com` from there on"])


def test_its_tls_is_the_one_that_counts() -> None:
    secure = TARGET.replace("protocol: HTTP}, hosts: ['*']}", "protocol: HTTPS}, hosts: ['*'], tls: {mode: SIMPLE, credentialName: c}}")
    assert levels(judged(target=secure)) == [("error", "tls-mismatch")]
    origination = "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: stage, namespace: istio-system}\n"
    origination += "spec: {host: stage.example.com, trafficPolicy: {tls: {mode: SIMPLE, sni: stage.example.com}}}\n"
    assert levels(judged(MIRRORING + EGRESS + origination, secure)) == []


@pytest.mark.parametrize(
    ("egress", "blind_spots"),
    [
        pytest.param(TO_SHOP, 0, id="to a service of its own"),
        pytest.param(SPLIT, 1, id="to several"),
        pytest.param(EGRESS.replace("istio: egress}\n  servers", "app: edge}\n  servers"), 0, id="no gateway"),
        pytest.param(STRAYING + "---" + EGRESS.split("---")[1].replace("egress", "egres"), 0, id="a gateway of other pods"),
    ],
)
def test_other_shadows_stay(egress: str, blind_spots: int) -> None:
    report = judged(MIRRORING + egress)
    assert report.findings == ()
    assert [mirror.leads for mirror in report.mirrors] == ["stays"]
    told = "Service istio-system/egress is a gateway of prod itself: where that sends shadows on to is not judged"
    assert [spot.message for spot in report.blind_spots] == [told] * blind_spots


def test_a_gateway_for_pods_that_nobody_has_leaves_its_ports_without_a_listener() -> None:
    (finding,) = judged(MIRRORING + STRAYING).findings
    assert (finding.rule, finding.level, finding.cluster) == ("ingress-without-listener", "error", "prod")
    assert (MIRRORING + STRAYING).splitlines()[finding.place.line - 1] == "  selector: {istio: egres}"
    assert "selects pods with `istio: egres`" in finding.message


def test_a_gateway_of_the_gateway_api_sends_on_as_well() -> None:
    to_gateway = SOURCE.replace("mirror: {host: stage.example.com", "mirror: {host: egress-istio.istio-system.svc.cluster.local")
    assert levels(judged(to_gateway + OF_GATEWAY_API)) == []
    (finding,) = judged(to_gateway + OF_GATEWAY_API.replace("parentRefs", "hostnames: [stage.example.com]\n  parentRefs")).findings
    assert (finding.rule, finding.cluster, finding.place.path, finding.place.line) == ("shadow-host-not-accepted", "prod", "<prod>", 33)


def test_requests_for_its_conditions_are_tried_as_well() -> None:
    guarded = EGRESS.replace("  - name: onward", "  - match: [{method: {exact: GET}}]")
    assert levels(judged(MIRRORING + guarded)) == [("warning", "shadow-matches-no-route")]


def test_the_graph_shows_both_gateways() -> None:
    fleet = loads({"prod": MIRRORING + EGRESS, "stage": TARGET}, ingress={"stage": ["stage.example.com"]})
    graph = build(distinct_ways(fleet.loaded.documents, ""))
    first, last = (next(node for node in graph if not degree(node)) for degree in (graph.in_degree, graph.out_degree))
    (path,) = nx.all_simple_paths(graph, first, last)
    assert [graph.nodes[node]["label"] for node in path] == [
        "shop.default.svc.cluster.local",
        "egress.istio-system.svc.cluster.local:80",
        "egress.istio-system.svc.cluster.local:80",
        "*:80",
        "*",
        "stage.example.com:80",
        "*:80",
        "*",
        "shop.default.svc.cluster.local:80",
    ]
    assert {edge["state"] for *_, edge in graph.edges(data=True)} == {"whole"}


def test_a_misspelt_host_that_the_gateway_between_writes_is_noted_there() -> None:
    source = MIRRORING + EGRESS.replace("    route:", "    rewrite: {authority: shop.example.co}\n    route:")
    (finding,) = judged(source, REFUSING).findings
    assert finding.rule == "shadow-host-not-accepted"
    (line,) = [note.place.line for note in finding.notes if "did you mean `shop.example.com`" in note.message]
    assert source.splitlines()[line - 1].strip() == "rewrite: {authority: shop.example.co}"
