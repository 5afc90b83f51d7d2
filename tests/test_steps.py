"""What a user reads of each hop of a shadow."""

from __future__ import annotations

from typing import Any

import pytest
from pair import CALL, PROD, SECURE, STAGE, said, told
from scenarios import call_of, fleet_of, scenarios

from mirrorlint.delivery.steps import steps
from mirrorlint.delivery.way import Call
from mirrorlint.fleet import Ingress

CALLED, TARGET, SHADOW = "`shop.default.svc.cluster.local`", "`stage-gateway.example.com:80`", "`shop.default-shadow`"


def test_each_hop_is_told_with_the_line_that_decides_it() -> None:
    assert [said(step) for step in told()] == [
        f"called host <prod>:18 at the sidecar, port 80, {CALLED} of VirtualService default/shop takes `shop.default`",
        "route <prod>:20 a rule of VirtualService default/shop without `match` takes every request",
        f"mirror <prod>:22 copies 100% to {TARGET}; without `port` a sidecar takes the called one",
        "shadow <prod>:18 carries the Host `shop.default-shadow`: the request's own, with `-shadow` put behind it",
        "registry <prod>:5 ServiceEntry default/stage: port 80 (HTTP), resolution DNS",
        f"endpoint <prod>:5 {TARGET} is assumed to be stage's ingress: no address of an ingress is known",
        "server <stage>:6 Gateway default/stage, server 80 HTTP takes the connection: plain text",
        f"virtual host <stage>:13 {SHADOW} of VirtualService default/shop takes the Host {SHADOW}",
        "route <stage>:16 a rule of VirtualService default/shop without `match` takes every request",
        "destination <stage>:16 sends it to `shop.default.svc.cluster.local:80`",
        "arrives <stage>:20 Service default/shop of stage takes it",
    ]


def test_hops_say_which_cluster_they_stand_in() -> None:
    assert [step.cluster for step in told()] == ["prod"] * 6 + ["stage"] * 5


def test_the_suffix_is_mentioned_only_where_it_is_put() -> None:
    (shadow,) = (step for step in told(world="1.28") if step.what == "shadow")
    assert shadow.text == "carries the Host `shop.default`: the request's own"


def texts(what: str, prod: str = PROD, stage: str = STAGE, **settings: Any) -> list[str]:
    return [step.text for step in told(prod, stage, **settings) if step.what == what]


def test_an_ingress_that_is_known_is_not_called_assumed() -> None:
    known = Ingress(addresses=("stage-gateway.example.com",))
    assert texts("endpoint", ingress=known) == ["`stage-gateway.example.com:80` is stage's ingress"]
    named = STAGE.replace('["*"]', '["*", stage-gateway.example.com]')
    assert texts("endpoint", stage=named) == [f"{TARGET} is stage's ingress: a Gateway server there names the host"]


INGRESS = """\
---
apiVersion: v1
kind: Service
metadata: {name: edge, namespace: istio-system}
spec: {selector: {istio: ingressgateway}, ports: [{name: http, port: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: alb, namespace: istio-system}
spec: {rules: [{host: stage-gateway.example.com, http: {paths: [{backend: {service: {name: edge, port: {number: 80}}}}]}}]}
"""
PROXY = """\
---
apiVersion: v1
kind: Service
metadata:
  name: edge
  namespace: istio-system
  annotations: {external-dns.alpha.kubernetes.io/hostname: stage-gateway.example.com}
spec: {type: LoadBalancer, selector: {istio: ingressgateway}, ports: [{name: http, port: 80}]}
"""


@pytest.mark.parametrize(
    ("selector", "more", "why"),
    [
        ("istio: ingressgateway", INGRESS, ": Ingress istio-system/alb there is reached at it"),
        ("istio: ingressgateway", PROXY, ", where Service istio-system/edge leads to port 80 of its pods"),
        ("istio: other", PROXY, ", where Service istio-system/edge leads to port 80 of its pods"),
    ],
    ids=["an Ingress", "a Service before the Gateway's pods", "a Service before other proxies"],
)
def test_what_proves_an_ingress_is_told(selector: str, more: str, why: str) -> None:
    stage = STAGE.replace("servers:", f"selector: {{{selector}}}\n  servers:", 1) + more
    assert texts("endpoint", stage=stage) == [f"{TARGET} is stage's ingress{why}"]


def test_each_endpoint_is_followed_and_the_sum_is_drawn() -> None:
    two = PROD.replace("DNS", "STATIC\n  endpoints: [{address: 192.0.2.1}, {address: 192.0.2.9}]")
    steps = told(two, ingress=Ingress(addresses=("192.0.2.1",)))
    assert [step.what for step in steps if step.what in ("endpoint", "arrives", "elsewhere", "some")] == [
        "endpoint",
        "arrives",
        "endpoint",
        "elsewhere",
        "some",
    ]
    assert said(steps[-1]) == "some <prod>:23 the endpoints' fates differ"


REWRITES = {
    "rewrite": "    rewrite: {authority: new.example.com}\n",
    "headers": "    headers: {request: {set: {Host: new.example.com}}}\n",
}


@pytest.mark.parametrize("field", REWRITES.values(), ids=REWRITES)
def test_a_rewritten_host_stands_where_it_is_rewritten(field: str) -> None:
    (shadow,) = (step for step in told(PROD + field) if step.what == "shadow")
    host, why = said(shadow).split(": ")
    assert host == "shadow <prod>:23 carries the Host `new.example.com-shadow`"
    assert why == "the route's rewrite `new.example.com`, with `-shadow` put behind it"


def test_backends_that_write_their_own_host_are_told_apart() -> None:
    plain = "{destination: {host: shop}"
    both = f"{plain}, weight: 50}}, {plain}, weight: 50, headers: {{request: {{set: {{host: v2.example.com}}}}}}}}"
    prod = PROD.replace("{destination: {host: shop}}", both)
    assert [text.partition(":")[0] for text in texts("shadow", prod)] == [
        "carries the Host `shop.default-shadow`",
        "carries the Host `v2.example.com-shadow`",
    ]
    assert [text.rpartition(" with ")[2] for text in texts("endpoint", prod)] == [
        "Host `shop.default-shadow`",
        "Host `v2.example.com-shadow`",
    ]


def test_a_backend_that_writes_what_was_asked_for_sends_the_same_shadow() -> None:
    plain, other = "{destination: {host: shop}, weight: 30", "headers: {request: {set: {host: %s}}}"
    hosts = [", " + other % host for host in ("shop.default", "v2.example.com")]
    prod = PROD.replace("{destination: {host: shop}}", ", ".join(f"{plain}{more}}}" for more in ("", *hosts)))
    two = prod.replace("DNS", "STATIC\n  endpoints: [{address: 192.0.2.1}, {address: 192.0.2.9}]")
    assert [text.partition(":")[0] for text in texts("shadow", two)] == [
        "carries the Host `shop.default-shadow`",
        "carries the Host `v2.example.com-shadow`",
    ]
    assert [text.split("`")[1::2] for text in texts("endpoint", two)] == [
        [f"192.0.2.{number}:80", host] for host in ("shop.default-shadow", "v2.example.com-shadow") for number in (1, 9)
    ]


def test_a_delegating_rule_says_what_its_delegate_leaves_to_it() -> None:
    head, rule = PROD.split("  - route")
    root = head + "  - delegate: {name: part}\n    rewrite: {authority: new.example.com}\n---\n"
    part = PROD.split("---\n")[2].replace("name: shop", "name: part").replace("  hosts: [shop]\n", "")
    prod = root + part.split("  - route")[0] + "  - route" + rule
    (shadow,) = (step for step in told(prod) if step.what == "shadow")
    assert (shadow.node.place.line, "`new.example.com-shadow`" in shadow.text) == (21, True)


def test_a_route_is_named_with_the_conditions_that_were_met() -> None:
    block = "[{uri: {prefix: /}, headers: {who: {}, not: {exact: me}}, withoutHeaders: {nope: {}}}]"
    prod = PROD.replace("  - route", f"  - name: first\n    match: {block}\n    route")
    call = CALL._replace(headers={"who": "x", "not": "me"})
    (route, _) = (step for step in told(prod, call=call) if step.what == "route")
    name, conditions = said(route).split(" matches: ")
    assert name == "route <prod>:21 rule `first`"
    assert conditions == "uri prefix `/`, header `who` present, header `not` exact `me`, without header `nope` present"


def test_tls_is_told_with_its_sni() -> None:
    (text,) = texts("TLS", PROD + SECURE)
    assert text == "the DestinationRule for `stage-gateway.example.com` says SIMPLE: TLS with SNI `shop.default-shadow`"
    (text,) = texts("TLS", PROD + SECURE.replace("SIMPLE", "SIMPLE, credentialName: cert"))
    assert text.endswith("says SIMPLE: plain text, since a sidecar gets no `credentialName` from it")


def test_subsets_short_names_and_percentages_are_told() -> None:
    short = PROD.replace("host: stage-gateway.example.com", "{host: shop, subset: v1}")
    (text,) = texts("mirror", short + "    mirrorPercentage: {value: 0.5}\n")
    copied, inferred = text.split("; ")
    assert copied == "copies 0.5% to `shop.default.svc.cluster.local:80`, subset `v1` (written `shop`)"
    assert inferred == "without `port` a sidecar takes the called one"
    weighted = STAGE.replace(
        "{destination: {host: shop}}",
        "{weight: 90, destination: {host: shop}}, {weight: 10, destination: {host: shop, subset: v2}}",
    )
    rule = SECURE.replace("stage-gateway.example.com", "shop").replace(
        "  trafficPolicy:\n    tls: {mode: SIMPLE}", "  subsets: [{name: v2}]"
    )
    assert texts("destination", stage=weighted + rule) == [
        "sends it to `shop.default.svc.cluster.local:80`",
        "sends it to `shop.default.svc.cluster.local:80`, subset `v2`",
    ]


@pytest.mark.parametrize(
    ("ports", "expected"),
    [
        ("[{number: 80, name: http, protocol: HTTP}]", "without `port` a gateway takes the only one of the host"),
        (
            "[{number: 80, name: http, protocol: HTTP}, {number: 81, name: other, protocol: HTTP}]",
            "without `port` a gateway takes the one of its own server",
        ),
        (
            "[{number: 80, name: http, protocol: HTTP}]\n  resolution: DNS\n---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\n"
            "metadata: {name: more}\nspec:\n  hosts: [stage-gateway.example.com]\n  ports: [{number: 81, name: other, protocol: HTTP}]",
            "without `port` a gateway takes the only one of the host",
        ),
    ],
    ids=["one port", "two ports", "two entries"],
)
def test_a_call_through_a_gateway_infers_its_port_differently(ports: str, expected: str) -> None:
    gateway = STAGE[: STAGE.index("---\n")].replace("  servers", "  selector: {istio: ingressgateway}\n  servers")
    prod = PROD.replace("[{number: 80, name: http, protocol: HTTP}]", ports)
    prod = prod.replace("hosts: [shop]", "hosts: [shop.example.com]\n  gateways: [stage]") + "---\n" + gateway
    call = Call("prod", "istio-system", "shop.example.com", 80, labels={"istio": "ingressgateway"}, gateway=True)
    called, _, mirror, *_ = told(prod, call=call)
    assert called.text.startswith("at the ingress gateway, port 80, `shop.example.com` of VirtualService default/shop")
    assert mirror.text.endswith(expected)


def test_each_scenario_of_the_control_plane_can_be_told() -> None:
    ends: set[str] = set()
    for scenario in list(scenarios())[::10]:
        delivery = fleet_of(scenario).delivery
        for call in scenario["calls"]:
            for world in ("1.27", "1.28"):
                for way in delivery.follow(call_of(scenario, call), world):
                    *hops, last = steps(way, world)
                    assert last.what == way.outcome
                    assert all(hop.text and hop.node.place.line and hop.cluster in ("source", "target") for hop in hops)
                    ends.add(last.what)
    assert ends >= {"arrives", "lost", "stays", "elsewhere"}
