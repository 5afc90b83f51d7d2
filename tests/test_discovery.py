"""What `discoverySelectors` leave out: what becomes of mirrors whose way leads through it, and what is said of them."""

from __future__ import annotations

from typing import Any

import pytest
from peers import contract_of, published

from mirrorlint import check, engine, loads
from mirrorlint.fleet import ClusterSettings, Documents
from mirrorlint.loading import read_texts
from mirrorlint.rule import Finding, Report

SEEN, AWAY = "namespace: shop", "namespace: away"
SELECTORS: list[dict[str, Any]] = [{"matchLabels": {"mesh": "on"}}]
NAMESPACES = """\
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {mesh: "on"}}
---
apiVersion: v1
kind: Namespace
metadata: {name: away, labels: {mesh: "off"}}
---
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: shop}
spec: {ports: [{name: http, port: 80}]}
---
"""
ENTRY = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: stage, namespace: shop}
spec:
  hosts: [stage-gateway.example.com]
  ports: [{number: 80, name: http, protocol: HTTP}]
  resolution: DNS
---
"""
MIRROR = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: shop}
spec:
  hosts: [shop.shop.svc.cluster.local]
  http:
  - route: [{destination: {host: shop.shop.svc.cluster.local}}]
    mirror: {host: stage-gateway.example.com}
---
"""
GATEWAY = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: ingress, namespace: shop}
spec:
  selector: {istio: ingressgateway}
  servers:
  - port: {number: 80, name: http, protocol: HTTP}
    hosts: ["*"]
---
"""
ROUTE = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: shop}
spec:
  hosts: ["*"]
  gateways: [shop/ingress, away/ingress]
  http:
  - route: [{destination: {host: shop.shop.svc.cluster.local}}]
---
"""
FRONT = """\
apiVersion: v1
kind: Service
metadata: {name: ingress, namespace: shop}
spec: {type: LoadBalancer, selector: {istio: ingressgateway}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
"""
API_GATEWAY = """\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: ingress, namespace: shop}
spec:
  gatewayClassName: istio
  listeners: [{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}]
---
"""
API_ROUTE = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: shop}
spec:
  parentRefs: [{name: ingress}]
  rules:
  - backendRefs: [{name: shop, port: 80}]
---
"""
NAME = "kubernetes.io/metadata.name"
LEFT_OUT = "is in namespace `away`, which `discoverySelectors` leave out"


def away(text: str) -> str:
    assert SEEN in text
    return text.replace(SEEN, AWAY, 1)


def report(prod: str = ENTRY + MIRROR, stage: str = GATEWAY + ROUTE, selectors: list[dict[str, Any]] = SELECTORS) -> Report:
    texts = {"prod": NAMESPACES + SERVICE + prod, "stage": NAMESPACES + SERVICE + stage}
    return check(loads(texts, mesh={name: {"discoverySelectors": selectors} for name in texts}))


def only(prod: str = ENTRY + MIRROR, stage: str = GATEWAY + ROUTE) -> Finding:
    (finding,) = report(prod, stage).findings
    assert not finding.fix
    return finding


def written(cluster: str, text: str, prod: str = ENTRY + MIRROR, stage: str = GATEWAY + ROUTE) -> tuple[str, int]:
    """The file and the line in which a text is first written behind the namespaces and the Service."""
    whole = (NAMESPACES + SERVICE, prod if cluster == "prod" else stage)
    lines = "".join(whole).splitlines()
    start = whole[0].count("\n")
    return f"<{cluster}>", next(number for number, line in enumerate(lines, 1) if number > start and text in line)


def at(thing: Any) -> tuple[str, int]:
    return thing.place.path, thing.place.line


def test_what_is_looked_at_is_as_ever() -> None:
    assert report().findings == ()
    assert {fate for mirror in report().mirrors for fate in mirror.delivery.values()} == {"all"}


def test_without_selectors_every_namespace_is_looked_at() -> None:
    found = report(away(ENTRY) + away(MIRROR), away(GATEWAY) + away(ROUTE) + FRONT, selectors=[])
    assert found.findings == ()
    assert {fate for mirror in found.mirrors for fate in mirror.delivery.values()} == {"all"}


def test_an_entry_that_is_left_out_gives_the_mirror_no_upstream() -> None:
    prod = away(ENTRY) + MIRROR
    finding = only(prod)
    assert (finding.rule, finding.level, at(finding)) == ("mirror-to-unknown-host", "error", written("prod", "mirror:", prod))
    assert [(at(note), note.message) for note in finding.notes] == [
        (written("prod", "hosts: [stage-gateway", prod), f"ServiceEntry away/stage {LEFT_OUT}")
    ]


def test_the_entry_that_is_left_out_is_told_before_one_of_almost_that_name() -> None:
    finding = only(away(ENTRY) + MIRROR + ENTRY.replace("stage", "stages"))
    assert [note.message for note in finding.notes] == [f"ServiceEntry away/stage {LEFT_OUT}"]


def test_a_gateway_that_is_left_out_opens_no_port() -> None:
    stage = away(GATEWAY) + ROUTE
    finding = only(stage=stage)
    assert (finding.rule, finding.level, at(finding)) == ("ingress-without-listener", "error", written("stage", AWAY, stage=stage))
    assert finding.message.endswith(f"Gateway away/ingress would, but {LEFT_OUT}")
    assert written("prod", "mirror:") in map(at, finding.notes)


def test_a_virtual_service_that_is_left_out_takes_no_host() -> None:
    stage = GATEWAY + away(ROUTE)
    finding = only(stage=stage)
    assert (finding.rule, finding.level, at(finding)) == ("shadow-host-not-accepted", "error", written("stage", AWAY, stage=stage))
    assert f"VirtualService away/shop would take it, but {LEFT_OUT}" in finding.message
    assert written("prod", "mirror:") in map(at, finding.notes)


def test_no_other_virtual_service_is_given_the_hosts_of_one_that_is_left_out() -> None:
    prod = ENTRY + MIRROR.replace("    mirror:", "    rewrite: {authority: shop.example.com}\n    mirror:")
    other = ROUTE.replace("name: shop,", "name: other,").replace('"*"', "warehouse.internal.net").replace(", away/ingress", "")
    (without,), (finding,) = (report(prod, GATEWAY + other + more).findings for more in ("", away(ROUTE)))
    assert (without.rule, bool(without.fix)) == ("shadow-host-not-accepted", True)
    assert f"VirtualService away/shop would take it, but {LEFT_OUT}" in finding.message
    assert not finding.fix


def test_a_virtual_service_is_not_bound_to_a_gateway_that_is_left_out() -> None:
    other = GATEWAY.replace("name: ingress", "name: other").replace('"*"', "other.example.com")
    stage = away(GATEWAY) + other + ROUTE
    finding = only(stage=stage)
    assert (finding.rule, at(finding)) == ("shadow-host-not-accepted", written("stage", AWAY, stage=stage))
    assert f"VirtualService shop/shop would take it, but Gateway away/ingress for it {LEFT_OUT}" in finding.message


def test_rules_that_are_left_out_are_none_of_the_virtual_service_that_delegates_to_them() -> None:
    root = ROUTE.partition("  - route")[0].replace("name: shop,", "name: root,") + "  - delegate: {name: shop, namespace: away}\n---\n"
    delegate = away(MIRROR).partition("    mirror:")[0].replace("  hosts: [shop.shop.svc.cluster.local]\n", "") + "---\n"
    stage = GATEWAY + root + delegate
    finding = only(stage=stage)
    assert (finding.rule, at(finding)) == ("shadow-host-not-accepted", written("stage", "delegate:", stage=stage))
    assert f"its delegate `away/shop` {LEFT_OUT}" in finding.message


def test_a_gateway_of_the_gateway_api_that_is_left_out_is_judged_though_no_address_is_known() -> None:
    stage = away(API_GATEWAY) + API_ROUTE.replace("{name: ingress}", "{name: ingress, namespace: away}")
    finding = only(stage=stage)
    assert (finding.rule, at(finding)) == ("ingress-without-listener", written("stage", AWAY, stage=stage))


def test_a_gateway_that_is_left_out_tells_by_its_hosts_whose_ingress_it_is() -> None:
    named = away(GATEWAY).replace('"*"', "stage-gateway.example.com")
    texts = {"prod": NAMESPACES + SERVICE + ENTRY + MIRROR, "stage": NAMESPACES + named + ROUTE, "test": GATEWAY + ROUTE + SERVICE}
    found = check(loads(texts, mesh={"stage": {"discoverySelectors": SELECTORS}})).findings
    assert [(finding.rule, finding.cluster) for finding in found] == [("ingress-without-listener", "stage")]


def test_a_gateway_for_another_port_is_not_told() -> None:
    other = GATEWAY.replace('"*"', "other.example.com")
    finding = only(stage=other + away(GATEWAY).replace("80", "81") + ROUTE)
    assert (finding.rule, LEFT_OUT in finding.message) == ("shadow-host-not-accepted", False)


def test_addresses_of_a_service_that_is_left_out_lead_to_the_gateway_all_the_same() -> None:
    front = away(FRONT).replace("8080", "80").replace("spec: {", "spec: {externalIPs: [203.0.113.10], ")
    for address, leads in (("203.0.113.10", ""), ("203.0.113.20", "elsewhere")):
        entry = ENTRY.replace("resolution: DNS", f"resolution: STATIC\n  endpoints: [{{address: {address}}}]")
        found = report(entry + MIRROR, GATEWAY + ROUTE + front)
        assert (found.findings, [mirror.leads for mirror in found.mirrors]) == ((), [leads])


def test_a_service_that_is_left_out_tells_where_the_gateways_pods_are() -> None:
    route = ROUTE.replace('hosts: ["*"]', 'hosts: ["*"]\n  exportTo: ["."]')
    finding = only(stage=GATEWAY + route + away(FRONT).replace("8080", "80"))
    assert finding.message.partition("; ")[2].startswith("VirtualService shop/shop would take it, but is not exported")


def test_only_what_would_listen_is_told() -> None:
    other = away(GATEWAY).replace("istio: ingressgateway", "istio: other")
    deaf = GATEWAY.replace("80, name: http, protocol: HTTP}", "80, name: http, protocol: HTTP}\n    bind: 10.0.0.1")
    for stage in (other + deaf + ROUTE, deaf + ROUTE + away(FRONT).replace("8080", "80")):
        texts = {"prod": ENTRY + MIRROR + SERVICE, "stage": NAMESPACES + SERVICE + stage}
        ingress = {"stage": {"labels": {"istio": "ingressgateway"}}}
        (finding,) = check(loads(texts, ingress=ingress, mesh={"stage": {"discoverySelectors": SELECTORS}})).findings
        assert finding.message.endswith("Gateway shop/ingress's server listens on 10.0.0.1 alone")


def test_a_class_is_in_no_namespace() -> None:
    ours = "apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: {name: ours}\n"
    ours += "spec: {controllerName: istio.io/gateway-controller}\n---\n"
    stage = ours + API_GATEWAY.replace("gatewayClassName: istio", "gatewayClassName: ours") + API_ROUTE
    assert report(stage=stage, selectors=[{"matchLabels": {NAME: "shop"}}]).findings == ()


def test_a_policy_that_is_left_out_denies_nothing() -> None:
    policy = """\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: closed, namespace: istio-system}
spec: {action: DENY, rules: [{to: [{operation: {methods: [GET]}}]}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: istio-system}
---
"""
    assert report(stage=GATEWAY + ROUTE + policy).findings == ()
    assert [finding.rule for finding in report(stage=GATEWAY + ROUTE + policy, selectors=[]).findings] == ["shadow-denied"]


def test_no_other_entry_is_named_for_a_route_whose_own_is_left_out() -> None:
    route = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: shop}
spec:
  parentRefs: [{group: "", kind: Service, name: shop}]
  rules:
  - backendRefs: [{name: shop, port: 80}]
    filters:
    - type: RequestMirror
      requestMirror: {backendRef: {group: networking.istio.io, kind: Hostname, name: stage-gateway.example.com, port: 80}}
---
"""
    other = ENTRY.replace("stage-gateway", "stage-gateways")
    (without,), (finding,) = (report(route + other + more).findings for more in ("", away(ENTRY)))
    assert (without.rule, bool(without.fix), finding.rule, bool(finding.fix)) == ("mirror-left-out", True, "mirror-left-out", False)
    assert [note.message for note in finding.notes] == [f"ServiceEntry away/stage {LEFT_OUT}"]


def test_a_gateway_that_is_left_out_takes_no_sni() -> None:
    entry = ENTRY.replace("{number: 80, name: http, protocol: HTTP}", "{number: 443, name: https, protocol: HTTPS}")
    rule = """\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: stage, namespace: shop}
spec:
  host: stage-gateway.example.com
  trafficPolicy: {tls: {mode: SIMPLE, sni: shop.example.com}}
---
"""
    mirror = MIRROR.replace("stage-gateway.example.com}", "stage-gateway.example.com, port: {number: 443}}")
    server = "{number: 443, name: https, protocol: HTTPS}\n    tls: {mode: SIMPLE, credentialName: x}"
    gateway = GATEWAY.replace("{number: 80, name: http, protocol: HTTP}", server)
    stage = gateway.replace('"*"', "other.example.com") + away(gateway).replace('"*"', "shop.example.com") + ROUTE
    finding = only(entry + rule + mirror, stage)
    assert (finding.rule, at(finding)) == ("sni-without-server", written("stage", AWAY, stage=stage))
    assert finding.message.endswith(f"Gateway away/ingress would, but {LEFT_OUT}")


def test_a_service_that_is_left_out_is_no_destination() -> None:
    stage = GATEWAY + ROUTE.replace("shop.shop.svc", "shop.away.svc") + away(SERVICE)
    finding = only(stage=stage)
    assert (finding.rule, at(finding)) == ("target-route-to-unknown-host", written("stage", "destination:", stage=stage))
    assert (written("stage", AWAY, stage=stage), f"Service away/shop {LEFT_OUT}") in [(at(note), note.message) for note in finding.notes]


def test_ports_of_a_service_that_is_left_out_lead_where_istio_does_not_listen() -> None:
    stage = GATEWAY + ROUTE + away(FRONT)
    finding = only(stage=stage)
    assert (finding.rule, at(finding)) == ("ingress-without-listener", written("stage", AWAY, stage=stage))
    assert finding.message.endswith(f"listens on port 80 of the pods themselves, since Service away/ingress {LEFT_OUT}")
    assert report(stage=GATEWAY + ROUTE + away(FRONT).replace("8080", "80")).findings == ()


@pytest.mark.parametrize("known", [True, False])
def test_an_ingress_is_known_by_its_service_though_its_gateway_is_left_out(known: bool) -> None:
    front = FRONT.replace("spec: {", "spec: {externalIPs: [203.0.113.10], ").replace("istio: ingressgateway", "app: entrance")
    gateway = GATEWAY.replace("istio: ingressgateway", "app: entrance")
    prod = ENTRY.replace("resolution: DNS", "resolution: STATIC\n  endpoints: [{address: 203.0.113.10}]") + MIRROR
    found = report(prod, (gateway if known else away(gateway)) + ROUTE + front)
    assert [finding.rule for finding in found.findings] == ([] if known else ["ingress-without-listener"])


@pytest.mark.parametrize("kind", ["subset", "tls"])
def test_a_destination_rule_that_is_left_out_is_named(kind: str) -> None:
    policy = "subsets: [{name: west}]" if kind == "subset" else "trafficPolicy: {tls: {mode: SIMPLE}}"
    rule = f"""\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: stage, namespace: away}}
spec:
  host: stage-gateway.example.com
  {policy}
"""
    mirror = MIRROR.replace("example.com}", "example.com, subset: west}") if kind == "subset" else MIRROR
    tls = GATEWAY.replace("protocol: HTTP}", "protocol: HTTPS}\n    tls: {mode: SIMPLE, credentialName: x}")
    prod = ENTRY + mirror + rule
    finding = only(prod, (GATEWAY if kind == "subset" else tls) + ROUTE)
    (note,) = (note for note in finding.notes if LEFT_OUT in note.message)
    assert (at(note), note.message.partition(" ")[0]) == (written("prod", "  host: stage", prod), "DestinationRule")


def test_a_grant_that_is_left_out_lets_no_route_use_a_service() -> None:
    grant = """\
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: shop, namespace: away}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop}]
  to: [{group: "", kind: Service}]
---
"""
    stage = API_GATEWAY + API_ROUTE.replace("{name: shop, port", "{name: shop, namespace: away, port") + grant + away(SERVICE)
    finding = only(stage=stage)
    assert (finding.rule, at(finding)) == ("target-route-to-unknown-host", written("stage", "backendRefs", stage=stage))
    assert "`discoverySelectors` leave out namespace `away`" in [note.message for note in finding.notes]


DELEGATION = MIRROR.replace("name: shop,", "name: root,").partition("  - route")[0] + "  - delegate: {name: shop, namespace: away}\n---\n"
DELEGATE = away(MIRROR).replace("  hosts: [shop.shop.svc.cluster.local]\n", "")


@pytest.mark.parametrize(
    ("prod", "place", "why"),
    [
        (away(MIRROR), AWAY, f"VirtualService away/shop {LEFT_OUT}"),
        (DELEGATION + DELEGATE, "metadata: {name: shop, namespace: away}", f"VirtualService away/shop {LEFT_OUT}"),
        (MIRROR.replace("  http:", "  gateways: [away/ingress]\n  http:") + away(GATEWAY), "gateways:", f"Gateway away/ingress {LEFT_OUT}"),
    ],
    ids=["a VirtualService", "a delegate", "the Gateway"],
)
def test_a_mirror_that_is_left_out_never_runs(prod: str, place: str, why: str) -> None:
    prod = ENTRY + prod
    finding = only(prod)
    assert (finding.rule, finding.level, at(finding)) == ("mirror-never-runs", "warning", written("prod", place, prod))
    assert finding.message == f"no request can make the mirror to `stage-gateway.example.com` run: {why}"
    assert written("prod", "mirror:", prod) in map(at, finding.notes)


def test_where_istio_does_not_look_nobody_calls() -> None:
    hidden = ENTRY.replace("resolution: DNS", 'resolution: DNS\n  exportTo: ["."]') + MIRROR
    assert report(hidden).findings == ()
    assert [finding.rule for finding in report(hidden, selectors=[]).findings] == ["mirror-to-unknown-host"]


def condition(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, **({"values": list(values)} if values else {})}]}


@pytest.mark.parametrize(
    ("selectors", "namespace", "looked_at"),
    [
        ([{"matchLabels": {"mesh": "on"}}, {"matchLabels": {"mesh": "off"}}], "away", True),
        ([{"matchLabels": {"mesh": "on"}}, {}], "away", True),
        ([condition("mesh", "In", "on", "off")], "away", True),
        ([condition("mesh", "NotIn", "off")], "away", False),
        ([condition("mesh", "Exists")], "away", True),
        ([condition("mesh", "Exists") | {"matchLabels": {"mesh": "on"}}], "away", False),
        ([condition(NAME, "In", "shop")], "away", False),
        (SELECTORS, "unknown", True),
        ([{"matchLabels": {"mesh": "on"}}, condition("mesh", "DoesNotExist")], "unknown", True),
        ([condition(NAME, "In", "shop", "away")], "unknown", False),
        ([condition(NAME, "NotIn", "unknown")], "unknown", False),
        ([{"matchLabels": {NAME: "shop"}}, {"matchLabels": {NAME: "unknown", "mesh": "on"}}], "unknown", True),
    ],
)
def test_one_selector_is_enough_and_unknown_labels_are_taken_to_fit(
    selectors: list[dict[str, Any]], namespace: str, looked_at: bool
) -> None:
    found = report(ENTRY.replace(SEEN, f"namespace: {namespace}") + MIRROR, selectors=selectors)
    assert (found.findings == ()) == looked_at


def test_of_several_manifests_of_a_namespace_one_is_enough() -> None:
    labelled = 'apiVersion: v1\nkind: Namespace\nmetadata: {name: away, labels: {mesh: "on"}}\n---\n'
    for prod in (labelled + away(ENTRY) + MIRROR, away(ENTRY) + MIRROR + labelled):
        assert report(prod).findings == ()


@pytest.mark.parametrize(("version", "looked_at"), [("1.21", True), ("1.22", False)])
def test_before_1_22_only_services_are_left_out(version: str, looked_at: bool) -> None:
    assert (rules(away(ENTRY) + MIRROR, version) == []) == looked_at
    assert rules(ENTRY + MIRROR.replace("shop.shop.svc", "shop.away.svc") + away(SERVICE), version) != []


def rules(prod: str, version: str) -> list[str]:
    texts = {"prod": NAMESPACES + SERVICE + prod, "stage": SERVICE + GATEWAY + ROUTE}
    return [finding.rule for finding in check(loads(texts, mesh={"prod": {"discoverySelectors": SELECTORS}}), istio=version).findings]


def documents(stage: str) -> Documents:
    texts = {"prod": NAMESPACES + SERVICE + ENTRY + MIRROR, "stage": NAMESPACES + SERVICE + stage}
    return read_texts(texts, mesh={"stage": {"discoverySelectors": SELECTORS}}).documents


@pytest.mark.parametrize(
    ("stage", "found"),
    [
        (GATEWAY + ROUTE, []),
        (away(GATEWAY) + GATEWAY.replace("80", "81") + ROUTE, ["ingress-without-listener"]),
        (GATEWAY + away(ROUTE), ["shadow-host-not-accepted"]),
        (API_GATEWAY + API_ROUTE, []),
        (API_GATEWAY + away(API_ROUTE).replace("{name: ingress}", "{name: ingress, namespace: shop}"), ["shadow-host-not-accepted"]),
        (GATEWAY + ROUTE.replace("shop.shop.svc", "shop.away.svc") + away(SERVICE), ["target-route-to-unknown-host"]),
    ],
)
def test_a_contract_has_what_is_looked_at_and_no_more(stage: str, found: list[str]) -> None:
    known = documents(stage)
    assert {manifest.namespace for manifest in contract_of(known, "stage").manifests} == {"shop"}
    assert contract_of(known, "stage").settings == ClusterSettings()
    assert [finding.rule for finding in engine.lint(published(known, "stage"), {}).findings] == found


@pytest.mark.parametrize(("target", "found"), [("8080", ["ingress-without-listener"]), ("80", [])])
def test_a_contract_tells_that_the_service_before_a_gateways_pods_is_left_out(target: str, found: list[str]) -> None:
    known = documents(GATEWAY + ROUTE + away(FRONT).replace("8080", target))
    for each in (known, published(known, "stage")):
        assert [finding.rule for finding in engine.lint(each, {}).findings] == found
