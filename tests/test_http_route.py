"""Routes of the Gateway API where the control plane's verdicts say nothing: gRPC, what is left out, certificates, ties, words."""

from __future__ import annotations

import base64

import pytest
from test_gateway_api import GATEWAY, PROD, ROUTE, SERVICE, STAGE, fleet, reasons, said

from mirrorlint import Call, check, loads
from mirrorlint.delivery.age import by_name
from mirrorlint.delivery.follow import Delivery
from mirrorlint.delivery.steps import steps

MIRROR = "{group: networking.istio.io, kind: Hostname, name: stage.example.com, port: 80}"
GRPC = PROD.replace("kind: HTTPRoute", "kind: GRPCRoute")


def grpc(match: str) -> str:
    return GRPC.replace("  - backendRefs", f"  - matches: [{match}]\n    backendRefs")


@pytest.mark.parametrize(
    ("match", "path", "mirrored"),
    [
        ("{method: {service: shop.Cart, method: Add}}", "/shop.Cart/Add", True),
        ("{method: {service: shop.Cart, method: Add}}", "/shop.Cart/Drop", False),
        ("{method: {service: shop.Cart}}", "/shop.Cart/Drop", True),
        ("{method: {service: shop.Cart}}", "/shop.Carts/Drop", False),
        ("{method: {method: Add}}", "/shop.Cart/Add", True),
        ("{method: {type: RegularExpression, service: 'shop[.].*'}}", "/shop.Cart/Add", True),
        ("{headers: [{name: env, value: stage}]}", "/shop.Cart/Add", False),
    ],
)
def test_a_grpc_route_mirrors_methods(match: str, path: str, *, mirrored: bool) -> None:
    assert bool(reasons(grpc(match), path=path)) == mirrored


def test_a_grpc_route_without_matches_mirrors_all() -> None:
    assert reasons(GRPC) == ["arrives"]


@pytest.mark.parametrize(
    ("backend", "why"),
    [
        ("{name: shopp, port: 80}", "there is no Service default/shopp"),
        ("{name: shop.default, port: 80}", "`shop.default` is not the bare name of a Service"),
        ("{name: shop}", "it has no `port`"),
        (MIRROR.replace("stage.", "stagee."), "`stagee.example.com` is a host of no ServiceEntry in the route's namespace default"),
        (MIRROR.replace("port", "namespace: default, port"), "a Hostname has no `namespace`"),
        ("{group: x, kind: Other, name: z, port: 80}", "Istio takes no backend of kind Other"),
    ],
)
def test_a_mirror_that_istio_leaves_out_is_an_error(backend: str, why: str) -> None:
    report = check(fleet(PROD.replace(MIRROR, backend)))
    assert said(report) == [("error", "mirror-left-out")]
    assert report.findings[0].message.endswith(why)
    assert report.findings[0].place.line == 24
    assert [dict(mirror.delivery) for mirror in report.mirrors] == [{"1.27": "none", "1.28": "none"}]


@pytest.mark.parametrize(
    ("old", "new", "start", "why"),
    [
        ("kind: Hostname", "kind: ServiceEntry", "ServiceEntry,", "Istio takes no backend of kind ServiceEntry"),
        ("kind: Hostname", "kind: hostname", "hostname,", "Istio takes no backend of kind hostname (did you mean `Hostname`?)"),
        (
            "group: networking.istio.io, ",
            "",
            "Hostname,",
            "kind `Hostname` needs `group: networking.istio.io`, and this backendRef has none",
        ),
        (
            "group: networking",
            "group: config",
            "config.",
            "kind `Hostname` needs `group: networking.istio.io`, and this backendRef has `config.istio.io`",
        ),
        ("kind: Hostname, ", "", "networking.", "it has a `group` and no `kind`, which then is `Service`: of that group Istio takes none"),
        (
            "kind: Hostname",
            "kind: Service",
            "networking.",
            "kind `Service` needs no `group`, and this backendRef has `networking.istio.io`",
        ),
        ("port: 80", "namespace: shop, port: 80", "shop, port", "a Hostname has no `namespace`"),
    ],
)
def test_the_value_for_which_istio_leaves_a_mirror_out_is_pointed_at(old: str, new: str, start: str, why: str) -> None:
    prod = PROD.replace(MIRROR, MIRROR.replace(old, new))
    (finding,) = check(fleet(prod)).findings
    assert (finding.rule, finding.message) == ("mirror-left-out", f"Istio leaves this mirror out: {why}")
    assert prod.splitlines()[finding.place.line - 1][finding.place.column - 1 :].startswith(start)


@pytest.mark.parametrize(
    ("allowed", "start", "why"),
    [
        ("{namespaces: {from: Same}}", "Same", "takes no routes of namespace default"),
        (
            "{namespaces: {from: Selector, selector: {matchLabels: {a: b}}}}",
            "b}",
            "takes no routes of namespace default, which lacks `a: b`",
        ),
        (
            "{namespaces: {from: Selector, selector: {matchLabels: {a: b, c: d}}}}",
            "b, c",
            "takes no routes of namespace default, which lacks one of `a: b`, `c: d`",
        ),
        (
            "{namespaces: {from: Selector, selector: {matchLabels: {e: f}, matchExpressions: [{key: a, operator: Exists}]}}}",
            "Selector",
            "takes no routes of namespace default",
        ),
        ("{namespaces: {from: All}, kinds: [{kind: GRPCRoute}]}", "GRPCRoute", "takes no HTTPRoute"),
    ],
)
def test_what_a_listener_allows_is_pointed_at(allowed: str, start: str, why: str) -> None:
    labelled = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: default, labels: {e: f}}\n"
    stage = STAGE.replace("protocol: HTTP}", f"protocol: HTTP, allowedRoutes: {allowed}}}") + labelled
    stage = stage.replace("metadata: {name: ingress}", "metadata: {name: ingress, namespace: infra}").replace(
        "[{name: ingress}]", "[{name: ingress, namespace: infra}]"
    )
    (finding,) = check(fleet(stage=stage)).findings
    assert finding.rule == "shadow-host-not-accepted"
    assert f"would take it, but listener `http` of Gateway infra/ingress {why} (" in finding.message
    assert stage.splitlines()[finding.place.line - 1][finding.place.column - 1 :].startswith(start)


def test_a_grpc_route_falls_with_its_mirror() -> None:
    report = check(fleet(GRPC.replace(MIRROR, "{name: shopp, port: 80}")))
    assert "there is no Service default/shopp, for which Istio drops all of GRPCRoute default/shop" in report.findings[0].message


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("{name: shop, port: 80}]\n", "{name: shop}]\n", "its backend `shop` is none that Istio takes: it has no `port`"),
        (
            "    filters:\n",
            "    filters:\n    - {type: ExtensionRef, extensionRef: {}}\n",
            "`type: ExtensionRef` is no filter that Istio takes here",
        ),
        (
            "port: 80}]\n",
            "port: 80, filters: [{type: URLRewrite, urlRewrite: {}}]}]\n",
            "`type: URLRewrite` is no filter that Istio takes here",
        ),
    ],
)
def test_what_drops_the_whole_route_costs_its_mirrors(old: str, new: str, why: str) -> None:
    report = check(fleet(PROD.replace(old, new)))
    assert said(report) == [("error", "mirror-left-out")]
    assert f"{why}, for which Istio drops all of HTTPRoute default/shop" in report.findings[0].message


def test_a_dropped_route_of_the_target_takes_no_shadow() -> None:
    (finding,) = check(fleet(stage=STAGE.replace("port: 80}]}]", "}]}]"))).findings
    assert (finding.rule, finding.object) == ("shadow-host-not-accepted", "HTTPRoute default/shop")
    assert "would take it, but its backend `shop` is none that Istio takes: it has no `port`" in finding.message


APART = STAGE.replace("metadata: {name: shop}\nspec: {ports", "metadata: {name: shop, namespace: apps}\nspec: {ports").replace(
    "[{name: shop, port: 80}]", "[{name: shop, namespace: apps, port: 80}]"
)
GRANT = """\
---
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: shop, namespace: apps}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: default}]
  to: [{group: "", kind: Service, name: shop}]
"""


def test_a_grant_lets_a_gateways_route_use_another_namespace() -> None:
    assert reasons(stage=APART) == ["unknown-destination"]
    assert reasons(stage=APART + GRANT.replace("Service, name: shop", "Service, name: other")) == ["unknown-destination"]
    assert reasons(stage=APART + GRANT.replace("Service, name: shop", "Service, name: ''")) == ["unknown-destination"]
    assert reasons(stage=APART + GRANT.replace("Service, name: shop", "Service, name: ")) == ["arrives"]
    assert reasons(stage=APART + GRANT) == ["arrives"]


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("apps", "app"), ("HTTPRoute", "HTTPRoutes"), ("default", "web"), ("Service", "Services"), ("shop", "shopp"), ("shop", "''")],
)
def test_a_grant_that_all_but_lets_a_route_through_is_noted_where_it_is_wrong(right: str, wrong: str) -> None:
    head, _, tail = GRANT.rpartition(right)
    stage = f"{APART}{head}{wrong}{tail}"
    (finding,) = check(fleet(stage=stage)).findings
    (note,) = [note for note in finding.notes if note.message.endswith(f"would let it if this were `{right}`")]
    assert stage.splitlines()[note.place.line - 1][note.place.column - 1 :].startswith(wrong)


def test_a_grant_that_all_but_lets_a_mirror_be_is_noted_where_it_is_wrong() -> None:
    prod = PROD.replace('{group: "", kind: Service, name: shop}', "{name: ingress}")
    prod = prod.replace(MIRROR, "{name: shop, namespace: apps, port: 80}") + GATEWAY + GRANT.replace("HTTPRoute", "HTTPRoutes")
    (finding,) = check(fleet(prod)).findings
    assert finding.rule == "mirror-left-out"
    assert [note.message for note in finding.notes] == ["ReferenceGrant apps/shop would let it if this were `HTTPRoute`"]


def secured(secret: str, reference: str = "{name: cert}") -> str:
    tls = f"{{name: http, port: 80, protocol: HTTPS, tls: {{certificateRefs: [{reference}]}}}}"
    return STAGE.replace("{name: http, port: 80, protocol: HTTP}", tls) + secret


CA = "{group: '', kind: ConfigMap, name: ca}"


def checked(frontend: str) -> str:
    return secured("").replace("  listeners:", f"  tls: {{frontend: {{{frontend}}}}}\n  listeners:")


def secret(crt: str) -> str:
    return (
        f"---\napiVersion: v1\nkind: Secret\ntype: kubernetes.io/tls\nmetadata: {{name: cert}}\ndata: {{tls.crt: '{crt}', tls.key: ''}}\n"
    )


PEM = base64.b64encode(b"-----BEGIN CERTIFICATE-----").decode()


@pytest.mark.parametrize("given", ["", secret(PEM), secret("ENC[AES256_GCM,data:x]"), secret("${CERTIFICATE}"), secret("")])
def test_a_certificate_that_is_not_in_the_manifests_is_taken_to_be_fine(given: str) -> None:
    assert reasons(stage=secured(given)) == ["tls-mismatch"]


@pytest.mark.parametrize(
    ("stage", "why"),
    [
        (secured(secret(base64.b64encode(b"cert").decode())), "Secret default/cert holds no certificate and key in PEM"),
        (secured("", "{name: cert, namespace: certs}"), "no ReferenceGrant in certs allows it"),
        (secured("", "{name: cert, kind: ConfigMap}"), "a certificate is a Secret"),
        (checked("default: {validation: {caCertificateRefs: [{group: '', kind: Pod, name: ca}]}}"), "a CA is a ConfigMap or a Secret"),
        (
            checked(f"perPort: [{{port: 80, tls: {{validation: {{caCertificateRefs: [{CA}, {CA}]}}}}}}]"),
            "it takes one of `caCertificateRefs`",
        ),
        (STAGE.replace("protocol: HTTP}", "protocol: UDP}"), "`protocol: UDP` is none that Istio takes, which are HTTP, HTTPS, TCP, TLS"),
        (STAGE.replace("protocol: HTTP}", "protocol: HTTPS}"), "it is for HTTPS and has no `tls`"),
    ],
)
def test_a_listener_that_istio_does_not_program_says_why(stage: str, why: str) -> None:
    (finding,) = check(fleet(stage=stage)).findings
    assert finding.rule == "ingress-without-listener"
    assert finding.message.endswith(f"Istio does not program listener `http` of Gateway default/ingress: {why}")


OTHER_PORT = PROD.partition("---\napiVersion: gateway")[2]
SECOND = "---\napiVersion: gateway" + OTHER_PORT.replace("metadata: {name: shop}", "metadata: {name: later}")
RIVAL = """\
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: [shop]
  http: [{route: [{destination: {host: shop}}]}]
"""


RIVAL_ROUTE = """\
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: rival}
spec:
  parentRefs: [{group: "", kind: Service, name: shop}]
  rules: [{backendRefs: [{name: shop, port: 80}]}]
"""


def test_a_virtual_service_for_the_same_host_is_a_tie() -> None:
    assert said(check(fleet(PROD + RIVAL))) == [("warning", "order-undecided")]


def test_routes_for_one_service_are_merged_and_no_tie() -> None:
    other = SECOND.replace("  - backendRefs", "  - matches: [{path: {value: /cart}}]\n    backendRefs")
    assert said(check(fleet(PROD + other))) == []


@pytest.mark.parametrize(("name", "mirrored"), [("shop-b", False), ("shoq", True)])
def test_of_routes_of_one_second_names_decide_with_what_istio_puts_behind_them(name: str, *, mirrored: bool) -> None:
    """`shop-b~0~...` sorts before `shop~0~...` (route_collections.go)."""
    plain = RIVAL_ROUTE.replace("rival", name)
    assert reasons(PROD + plain) == (["arrives"] if mirrored else [])


def test_routes_for_different_ports_are_no_tie() -> None:
    both = PROD.replace("[{port: 80, name: http}]", "[{port: 80, name: http}, {port: 81, name: http-alt}]")
    first = both.replace("kind: Service, name: shop}", "kind: Service, name: shop, port: 80}")
    assert said(check(fleet(first + SECOND.replace("kind: Service, name: shop}", "kind: Service, name: shop, port: 81}")))) == []
    assert said(check(fleet(first + SECOND))) == [("warning", "order-undecided")]


def test_a_route_for_a_port_and_for_all_ports_may_lead_another_ones_rules() -> None:
    ports = PROD.replace("[{port: 80, name: http}]", "[{port: 80, name: http}, {port: 81, name: http-alt}]")
    shop = "{group: '', kind: Service, name: shop}"
    twice = SECOND.replace('{group: "", kind: Service, name: shop}', f"{shop[:-1]}, port: 80}}, {shop}")
    twice = twice.replace("name: later", "name: zoo").replace("  - backendRefs", "  - matches: [{path: {value: /cart}}]\n    backendRefs")
    report = check(fleet(ports + twice))
    assert said(report) == [("warning", "order-undecided")]
    assert [set(mirror.delivery.values()) for mirror in report.mirrors] == [{"all"}, {"all"}]


@pytest.mark.parametrize(
    ("path", "replacement", "arrives"),
    [("/shop/cart", "/", "/cart"), ("/shop", "/", "/"), ("/shops", "/", None), ("/shop/cart", "/v2/", "/v2/cart")],
)
def test_a_prefix_is_replaced_by_whole_segments(path: str, replacement: str, arrives: str | None) -> None:
    rewrite = f"{{type: URLRewrite, urlRewrite: {{path: {{type: ReplacePrefixMatch, replacePrefixMatch: {replacement}}}}}}}"
    matched = PROD.replace("  - backendRefs", "  - matches: [{path: {value: /shop}}]\n    backendRefs").replace(
        "    filters:\n", f"    filters:\n    - {rewrite}\n"
    )
    ways = Delivery(fleet(matched).loaded.documents.clusters, by_name).follow(Call("prod", "default", "shop", 80, path=path), "1.28")
    assert [way.request.path for way in ways] == ([arrives] if arrives else [])


@pytest.mark.parametrize("path", ["/", "/shop/cart", "/shop?page=2"])
def test_a_whole_path_is_replaced_and_the_query_stays(path: str) -> None:
    rewrite = "{type: URLRewrite, urlRewrite: {path: {type: ReplaceFullPath, replaceFullPath: /v2}}}"
    replaced = PROD.replace("    filters:\n", f"    filters:\n    - {rewrite}\n")
    ways = Delivery(fleet(replaced).loaded.documents.clusters, by_name).follow(Call("prod", "default", "shop", 80, path=path), "1.28")
    assert [way.request.path for way in ways] == ["/v2" + path.removeprefix("/").removeprefix("shop").removeprefix("/cart")]


@pytest.mark.parametrize(
    ("share", "percent"), [("percent: 10", 10), ("fraction: {numerator: 1, denominator: 3}", 33.3333), ("percent: 0", None)]
)
def test_a_share_of_requests_is_mirrored(share: str, percent: float | None) -> None:
    prod = PROD.replace(f"backendRef: {MIRROR}", f"{share}\n        backendRef: {MIRROR}")
    shadows = fleet(prod).follow(Call("prod", "default", "shop", 80), "1.28")
    assert [shadow.percent for shadow in shadows] == ([percent] if percent else [])


def test_of_two_listeners_that_clash_the_first_is_programmed() -> None:
    twice = STAGE.replace(
        "protocol: HTTP}]",
        "protocol: HTTP, hostname: shop.example}, {name: tls, port: 80, protocol: HTTPS, hostname: shop.example, tls: {}}]",
    )
    assert reasons(stage=twice) == ["no-virtual-host"]


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        ("protocol: HTP", "arrives"),
        ("protocol: GRPC", "arrives"),
        ("protocol: HTTP, hostname: a.example", "arrives"),
        ("protocol: HTTPS, tls: {certificateRefs: [{name: cert}]}", "tls-mismatch"),
        ("protocol: TCP", "no-listener"),
        ("protocol: HTTPS", "no-listener"),
        ("protocol: HTTPS, hostname: a.example", "arrives"),
    ],
)
def test_what_listeners_of_one_port_have_in_common_decides_whether_they_clash(first: str, reason: str) -> None:
    twice = STAGE.replace("[{name: http,", f"[{{name: first, port: 80, {first}}}, {{name: http,")
    assert reasons(stage=twice, addresses=["stage.example.com"]) == [reason]


@pytest.mark.parametrize("protocol", ["HTP", "GRPC", "http"])
def test_a_gateway_without_a_listener_that_istio_programs_has_its_address(protocol: str) -> None:
    named = "name: ingress, annotations: {external-dns.alpha.kubernetes.io/hostname: stage.example.com}"
    stage = STAGE.replace("metadata: {name: ingress", f"metadata: {{{named}").replace("protocol: HTTP", f"protocol: {protocol}")
    (finding,) = check(fleet(stage=stage)).findings
    assert finding.message == (
        "nothing listens on port 80 of stage's gateway: the shadow is refused; Istio does not program listener `http` of"
        f" Gateway default/ingress: `protocol: {protocol}` is none that Istio takes, which are HTTP, HTTPS, TCP, TLS"
    )


AT_GATEWAY = PROD.replace('[{group: "", kind: Service, name: shop}]', "[{name: ingress}]\n  hostnames: [shop.example]") + GATEWAY
TWO_NAMES = STAGE.replace("[{name: ingress}]", "[{name: ingress}]\n  hostnames: [shop.example, other.example]").replace(
    "[{name: http,", "[{name: other, port: 80, protocol: HTTP, hostname: other.example}, {name: http,"
)


@pytest.mark.parametrize(
    ("old", "new", "start", "why"),
    [
        ("protocol: HTTP}]", "protocol: HTP}]", "HTP", "Istio does not program listener `http` of Gateway default/ingress"),
        (
            "protocol: HTTP}]",
            "protocol: HTTP, allowedRoutes: {kinds: [{kind: GRPCRoute}]}}]",
            "GRPCRoute",
            "listener `http` of Gateway default/ingress takes no HTTPRoute",
        ),
        (", {name: http, port: 80, protocol: HTTP}", "", "other.example", "Gateway default/ingress has no listener for it"),
    ],
    ids=["protocol", "kind", "none"],
)
def test_a_route_of_which_another_listener_takes_a_part_says_what_keeps_the_rest_out(old: str, new: str, start: str, why: str) -> None:
    assert TWO_NAMES.count(old) == 1
    stage = TWO_NAMES.replace(old, new)
    (finding,) = check(fleet(AT_GATEWAY, stage), "1.28").findings
    assert f"the shadow's Host: it is answered 404; HTTPRoute default/shop would take it, but {why}" in finding.message
    place = finding.place
    assert stage.splitlines()[place.line - 1][place.column - 1 :].startswith(start)


@pytest.mark.parametrize(
    ("section", "start", "why"),
    [
        ("wide", "shop.example", "listener `http` of Gateway default/ingress is for `shop.example` and keeps it from listener `wide`"),
        ("other", "other", "it is for listener `other` alone, and listener `http` of Gateway default/ingress has this Host"),
        ("htpp", "htpp", "Gateway default/ingress has no listener `htpp`, only `other`, `wide`, `http`"),
    ],
)
def test_a_route_for_one_listener_says_which_one_has_the_host(section: str, start: str, why: str) -> None:
    listeners = "{name: wide, port: 80, protocol: HTTP}, {name: http, port: 80, protocol: HTTP, hostname: shop.example}"
    stage = TWO_NAMES.replace("{name: http, port: 80, protocol: HTTP}", listeners)
    stage = stage.replace("hostnames: [shop.example, other.example]", "hostnames: [shop.example, other.example, third.example]")
    stage = stage.replace("[{name: ingress}]", f"[{{name: ingress, sectionName: {section}}}]")
    (finding,) = check(fleet(AT_GATEWAY, stage), "1.28").findings
    assert finding.message.endswith(f"HTTPRoute default/shop would take it, but {why}")
    place = finding.place
    assert stage.splitlines()[place.line - 1][place.column - 1 :].startswith(start)


def test_a_trace_speaks_of_routes_and_listeners() -> None:
    delivery = Delivery(fleet(stage=STAGE, addresses=["stage.example.com"]).loaded.documents.clusters, by_name)
    (way,) = delivery.follow(Call("prod", "default", "shop", 80), "1.28")
    told = {step.what: step.text for step in steps(way, "1.28")}
    assert told["endpoint"].endswith("is stage's ingress, where Gateway default/ingress leads to port 80 of its pods")
    assert told["server"] == "Gateway default/ingress, listener `http` 80 HTTP takes the connection: plain text"
    assert told["virtual host"] == "`*` of HTTPRoute default/shop takes the Host `shop`"
    assert told["route"] == "a rule of HTTPRoute default/shop matches: path PathPrefix `/`"


@pytest.mark.parametrize(
    ("parent", "why"),
    [
        ("name: nowhere", "there is no Gateway default/nowhere with listeners"),
        ("name: ingress, port: 81", "listener `http` of Gateway default/ingress has port 80, not 81"),
        ("name: ingress, namespace: other", "listener `http` of Gateway other/ingress takes no routes of namespace default"),
        ("kind: Service, group: '', name: shopp", "there is no Service default/shopp (did you mean `shop`?)"),
        ("kind: Service, group: '', name: cart", "there is no Service default/cart"),
        ("kind: Service, group: '', name: shop, port: 8080", "`shop` has no port 8080, only 80"),
        ("name: ingress, sectionName: https", "Gateway default/ingress has no listener `https`, only `http`"),
        ("kind: Service, name: shop", 'a parent of kind Service needs `group: ""`, and has no `group`'),
        ("kind: Servce, group: '', name: shop", "routes have no parents of kind `Servce` (did you mean `Service`?)"),
        (
            "group: networking.istio.io, name: ingress",
            "a parent of kind Gateway needs `group: gateway.networking.k8s.io`, and has `group: networking.istio.io`",
        ),
        (
            "group: networking.k8s.io, kind: ServiceEntry, name: stage",
            "a parent of kind ServiceEntry needs `group: networking.istio.io`, and has `group: networking.k8s.io`",
        ),
    ],
)
def test_a_route_that_attaches_to_nothing_says_why(parent: str, why: str) -> None:
    prod = (
        PROD.replace('group: "", kind: Service, name: shop', parent)
        + GATEWAY
        + GATEWAY.replace("name: ingress", "name: ingress, namespace: other")
    )
    report = check(fleet(prod))
    assert said(report) == [("warning", "mirror-never-runs")]
    assert report.findings[0].message == f"no request can make the mirror to `stage.example.com` run: {why}"


def test_a_misspelt_field_is_not_taken_for_one_that_is_there() -> None:
    prod = PROD.replace("requestMirror:\n", "requestMirror:\n        fraction: {numerator: 1, denumerator: 4}\n")
    (finding,) = check(fleet(prod)).findings
    assert finding.message == "Kubernetes drops `denumerator`, which is no field here: did you mean `denominator`?"
    assert [edit.values for edit in finding.fix] == [("denominator",)]


def test_a_port_that_a_parent_lacks_is_pointed_at() -> None:
    prod = PROD.replace("kind: Service, name: shop}", "kind: Service, name: shop, port: 8080}")
    (finding,) = check(fleet(prod)).findings
    assert prod.splitlines()[finding.place.line - 1][finding.place.column - 1 :].startswith("8080")


@pytest.mark.parametrize(
    "parent", ["group: gateway.kgateway.dev, kind: Gateway", "kind: XListenerSet", "group: serving.knative.dev, kind: Service"]
)
def test_a_route_of_another_project_is_none_of_istios(parent: str) -> None:
    prod = PROD.replace('group: "", kind: Service, name: shop', f"{parent}, name: shop")
    assert check(fleet(prod)).findings == ()


def test_a_route_of_the_target_that_names_another_kind_of_parent_is_pointed_at() -> None:
    stage = STAGE.replace("parentRefs: [{name: ingress}]", "parentRefs: [{kind: Gatway, name: ingress}]")
    (finding,) = check(fleet(stage=stage)).findings
    assert "HTTPRoute default/shop would take it, but routes have no parents of kind `Gatway`" in finding.message
    assert stage.splitlines()[finding.place.line - 1][finding.place.column - 1 :].startswith("Gatway")


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("port: 80}]\n", "port: 80, weight: 0}]\n", "no backend of its rule has a weight, so requests are answered 500"),
        (
            "backendRefs: [{name: shop, port: 80}]\n    filters:\n",
            "filters:\n    - {type: RequestRedirect, requestRedirect: {hostname: a}}\n",
            "its rule answers requests itself (`requestRedirect`)",
        ),
    ],
)
def test_a_rule_that_answers_itself_mirrors_nothing(old: str, new: str, why: str) -> None:
    report = check(fleet(PROD.replace(old, new)))
    assert said(report) == [("warning", "mirror-never-runs")]
    assert report.findings[0].message.endswith(f" run: {why}")


def test_a_listener_that_istio_makes_nothing_of_keeps_no_hosts() -> None:
    tls = "\n---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: stage}\n"
    tls += "spec: {host: stage.example.com, trafficPolicy: {tls: {mode: SIMPLE}}}\n"
    both = "{name: narrow, port: 80, protocol: HTTPS, hostname: shop}"
    both += ", {name: http, port: 80, protocol: HTTPS, tls: {certificateRefs: [{name: a}]}}"
    stage = STAGE.replace("{name: http, port: 80, protocol: HTTP}", both)
    stage = stage.replace("[{name: ingress}]", "[{name: ingress}]\n  hostnames: [shop]")
    assert reasons(PROD + tls, stage) == ["arrives"]


def test_a_narrower_listener_keeps_its_hosts() -> None:
    narrow = "protocol: HTTP}, {name: narrow, port: 80, protocol: HTTP, hostname: shop.default}]"
    stage = STAGE.replace("protocol: HTTP}]", narrow).replace(
        "{name: ingress}]", "{name: ingress, sectionName: http}]\n  hostnames: [shop.default]"
    )
    (finding,) = check(fleet(stage=stage), "1.28").findings
    assert "HTTPRoute default/shop is attached to nothing: narrower listeners keep all of its hostnames to themselves" in finding.message


def test_where_each_ingress_is_reached_is_listed() -> None:
    from mirrorlint.tracing import ingresses  # noqa: PLC0415

    stage = STAGE.replace(
        "{name: ingress}\nspec", "{name: ingress, annotations: {external-dns.alpha.kubernetes.io/hostname: a.example}}\nspec"
    )
    known = loads({"prod": PROD, "stage": stage, "test": STAGE, "last": SERVICE + GATEWAY + ROUTE}, ingress={"last": ["1.2.3.4"]})
    assert list(ingresses(known.loaded.documents)) == [
        "stage: its ingress is a.example (Gateway default/ingress, <stage>:8)",
        "test: no address of its ingress is known",
        "last: its ingress is 1.2.3.4 (settings)",
    ]


def test_a_mirror_to_nothing_in_a_route_that_attaches_to_nothing_never_runs() -> None:
    prod = PROD.replace('group: "", kind: Service, name: shop', "name: nowhere").replace(MIRROR, "{name: shopp, port: 80}")
    assert said(check(fleet(prod))) == [("warning", "mirror-never-runs")]


def test_a_mirror_of_a_backend_costs_the_route() -> None:
    head, filters = PROD.split("  - backendRefs: [{name: shop, port: 80}]\n    filters:\n")
    moved = (
        head
        + "  - backendRefs:\n    - name: shop\n      port: 80\n      filters:\n"
        + filters.replace("\n    ", "\n      ").replace("    -", "      -", 1)
    )
    report = check(fleet(moved))
    assert said(report) == [("error", "mirror-left-out")]
    assert "it belongs into the `filters` of the rule" in report.findings[0].message
