"""What the CRDs of the Gateway API refuse and drop, as those of v1.0 to v1.6 have it, where it decides on shadows."""

from __future__ import annotations

import pytest
from test_admission import documents
from test_gateway_api import PROD, STAGE, fleet, said

from mirrorlint import check
from mirrorlint.istio.admission import Refusal, judged

SPECS = {
    "route": ("HTTPRoute", "%s"),
    "rule": ("HTTPRoute", "rules: [{%s}]"),
    "match": ("HTTPRoute", "rules: [{matches: [{%s}]}]"),
    "filter": ("HTTPRoute", "rules: [{filters: [{%s}]}]"),
    "mirror": ("HTTPRoute", "rules: [{filters: [{type: RequestMirror, requestMirror: {%s}}]}]"),
    "backend": ("HTTPRoute", "rules: [{backendRefs: [{%s}]}]"),
    "gRPC filter": ("GRPCRoute", "rules: [{filters: [{%s}]}]"),
    "gRPC match": ("GRPCRoute", "rules: [{matches: [{%s}]}]"),
    "Gateway": ("Gateway", "%s"),
    "listeners": ("Gateway", "gatewayClassName: istio, listeners: [%s]"),
    "listener": ("Gateway", "gatewayClassName: istio, listeners: [{name: web, port: 80, protocol: HTTP, %s}]"),
}
BACKEND = "backendRef: {name: a, port: 80}"
REFUSED = {
    "route": [
        "hostnames: ['*-shadow']",
        "hostnames: ['*']",
        "hostnames: [Shop.example.com]",
        "hostnames: ['shop.example.com:80']",
        "hostnames: [shop.example.com.]",
        "hostnames: shop.example.com",
        "parentRefs: {name: a}",
        "parentRefs: [{namespace: a}]",
        "parentRefs: [{name: a, port: '80'}]",
        "parentRefs: [{name: a, sectionName: Web}]",
        "rules: {}",
    ],
    "rule": [
        "filters: {type: RequestMirror}",
        "matches: {path: {value: /}}",
        "backendRefs: [{name: a}], filters: [{type: RequestRedirect, requestRedirect: {scheme: https}}]",
    ],
    "match": [
        "path: /api",
        "path: {value: api}",
        "path: {type: Prefix, value: /api}",
        "method: get",
        "headers: {x-test: 'yes'}",
        "headers: [{name: x-test}]",
        "headers: [{name: x-test, value: 1}]",
        "queryParams: [{name: q, value: a, type: Prefix}]",
    ],
    "filter": [
        "requestMirror: {" + BACKEND + "}",
        "type: requestMirror, requestMirror: {" + BACKEND + "}",
        "type: RequestMirror",
        "type: RequestMirror, urlRewrite: {hostname: a}",
        "type: RequestMirror, requestMirror: {" + BACKEND + "}, urlRewrite: {hostname: a}",
        "type: RequestMirror, requestMirror: {}",
        "type: URLRewrite, urlRewrite: {hostname: '*.example.com'}",
        "type: URLRewrite, urlRewrite: {path: {replaceFullPath: /}}",
        "type: RequestHeaderModifier, requestHeaderModifier: {set: {Host: a}}",
    ],
    "mirror": [
        BACKEND + ", percent: '20'",
        BACKEND + ", percent: 0.5",
        BACKEND + ", percent: 101",
        BACKEND + ", fraction: {}",
        BACKEND + ", fraction: {numerator: 1, denominator: 0}",
        BACKEND + ", fraction: {numerator: 101}",
        BACKEND + ", fraction: {numerator: 1}, percent: 1",
        "backendRef: {port: 80}",
        "backendRef: {name: a, port: http}",
        "backendRef: a",
    ],
    "backend": ["name: ''", "name: a, port: 0", "name: a, weight: -1", "name: a, namespace: Shop"],
    "gRPC filter": ["type: URLRewrite", "type: RequestMirror"],
    "gRPC match": ["method: GET", "method: {type: Prefix, service: a}"],
    "Gateway": ["listeners: [{name: web, port: 80, protocol: HTTP}]"],
    "listeners": [
        "{port: 80, protocol: HTTP}",
        "{name: web, protocol: HTTP}",
        "{name: web, port: 80}",
        "{name: Web, port: 80, protocol: HTTP}",
        "{name: web, port: 80, protocol: HTTP}, {name: web, port: 81, protocol: HTTP}",
    ],
    "listener": [
        "hostname: '*'",
        "tls: {certificateRefs: [{name: a}]}",
        "allowedRoutes: {namespaces: {from: all}}",
        "allowedRoutes: {namespaces: All}",
        "allowedRoutes: {kinds: [HTTPRoute]}",
    ],
}
ACCEPTED = {
    "route": [
        "",
        "hostnames: ['*.example.com', shop, shop.example.com-shadow]",
        "parentRefs: [{name: a, sectionName: web.a, port: 80}]",
        "parentRefs: [{group: '', kind: Service, name: a, namespace: b}]",
        "useDefaultGateways: All",
        "hostnames: null",
    ],
    "rule": [
        "",
        "name: a, timeouts: {request: 1s}, retry: {attempts: 1}, sessionPersistence: {type: Cookie}",
        "filters: [{type: RequestRedirect, requestRedirect: {scheme: https, statusCode: 308}}]",
        "filters: [{type: CORS, cors: {allowOrigins: ['*']}}, {type: ExternalAuth, externalAuth: {}}]",
    ],
    "match": ["path: {}", "path: {type: RegularExpression, value: .*}", "method: PATCH", "headers: [{name: a, value: b}]"],
    "filter": ["type: RequestMirror, requestMirror: {" + BACKEND + "}, extra: 1"],
    "mirror": [BACKEND + ", percent: 0", BACKEND + ", fraction: {numerator: 5, denominator: 1000}"],
    "backend": ["name: a, weight: 0", "name: a, group: networking.istio.io, kind: Hostname, port: 80"],
    "gRPC match": ["method: {service: a, method: b}"],
    "listener": ["hostname: '*.example.com'", "allowedRoutes: {namespaces: {from: Selector, selector: {matchLabels: {a: b}}}}"],
}
DROPPED = {
    "route": [
        ("parentRef: [{name: a}]", "did you mean `parentRefs`?", "parentRefs"),
        ("hostname: [a]", "did you mean `hostnames`?", "hostnames"),
        ("hostname: a", "did you mean `hostnames`?", ""),
        ("filters: []", "it belongs into an item of `rules`", ""),
    ],
    "rule": [
        ("match: [{path: {value: /}}]", "did you mean `matches`?", "matches"),
        ("backendRef: [{name: a}]", "did you mean `backendRefs`?", "backendRefs"),
        ("requestMirror: {}", "it belongs into an item of `filters`", ""),
        ("path: {value: /}", "it belongs into an item of `matches`", ""),
    ],
    "mirror": [
        ("backendRef: {name: a, percent: 20}", "it belongs beside `backendRef`", ""),
        (BACKEND + ", port: 80", "it belongs below `backendRef`", ""),
    ],
    "listener": [
        ("allowedRoutes: {from: All}", "it belongs below `namespaces`", ""),
        ("namespaces: {from: All}", "it belongs below `allowedRoutes`", ""),
        ("hostName: a", "did you mean `hostname`?", "hostname"),
    ],
    "Gateway": [("gatewayClassName: a, servers: []", "it belongs to Gateways of `apiVersion: networking.istio.io/v1`", "")],
}


def of(name: str, text: str) -> list[Refusal]:
    kind, spec = SPECS[name]
    (document,) = documents(f"apiVersion: gateway.networking.k8s.io/v1\nkind: {kind}\nmetadata: {{name: x}}\nspec: {{{spec % text}}}\n")
    return list(judged(document, "default"))


def cases(table: dict[str, list[str]]) -> list[object]:
    return [pytest.param(name, text, id=f"{name}: {text}") for name, texts in table.items() for text in texts]


@pytest.mark.parametrize(("name", "text"), cases(REFUSED))
def test_refused(name: str, text: str) -> None:
    assert [refusal for refusal in of(name, text) if not refusal.pruned]


@pytest.mark.parametrize(("name", "text"), cases(ACCEPTED))
def test_accepted(name: str, text: str) -> None:
    assert of(name, text) == []


@pytest.mark.parametrize(("name", "text", "hint", "meant"), [(name, *each) for name, all_ in DROPPED.items() for each in all_])
def test_dropped(name: str, text: str, hint: str, meant: str) -> None:
    (refusal,) = of(name, text)
    assert refusal.pruned
    assert refusal.message.endswith(f", which is no field here: {hint}")
    assert refusal.meant == meant


def test_a_route_that_is_refused_mirrors_nothing_and_takes_nothing() -> None:
    report = check(fleet(PROD + '        percent: "20"\n'))
    assert said(report) == [("error", "refused-by-istio")]
    assert report.mirrors == ()
    target = check(fleet(stage=STAGE.replace("rules: [", 'hostnames: ["*-shadow"]\n  rules: [')))
    assert said(target) == [("error", "refused-by-istio")]
    assert [dict(mirror.delivery) for mirror in target.mirrors] == [{"1.27": "none", "1.28": "none"}]
    assert target.findings[0].message.startswith("Kubernetes refuses HTTPRoute default/shop, so it never takes effect")
