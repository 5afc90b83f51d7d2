"""Which losses have a fix: those with one convincing remedy after which, as the linter says, nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pair import judged
from scenarios import fleet_of, scenarios

from mirrorlint import check, loads
from mirrorlint.engine import lint
from mirrorlint.fix import fixed
from mirrorlint.fleet import Cluster, ClusterSettings
from mirrorlint.rule import Finding
from mirrorlint.source import parse

SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: shop}\nspec: {ports: [{name: http, port: 80}]}\n"
ENTRY = """---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: stage}
spec: {hosts: [stage-gateway.example.com], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}
"""
PARTNER = ENTRY.replace("{name: stage}", "{name: shop}").replace("stage-gateway.example.com", "shop.partner.example")
MIRROR = """---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: [shop]
  http:
    - route: [{destination: {host: shop}}]
      mirror:
        host: stage-gateway.example.com
        port: {number: 80}
"""
GATEWAY = """---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: ingress}
spec:
  servers:
    - port: {number: 80, name: http, protocol: HTTP}
      hosts:
        - "*"
"""
ROUTE = """---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts:
    - "*"
  gateways: [ingress]
  http:
    - route: [{destination: {host: shop, port: {number: 80}}}]
"""
PROD, STAGE = SERVICE + ENTRY + MIRROR, SERVICE + GATEWAY + ROUTE
OUTSIDE = ENTRY + PARTNER + MIRROR.replace("[shop]", "[shop.partner.example]").replace("{host: shop}", "{host: shop.partner.example}")
TAKING_ONE = ROUTE.replace('"*"', "shop.partner.example")
BARE = ROUTE.replace('"*"', '"*-shadow"')
KNOWN = {"stage": ["203.0.113.9"]}


def mended(finding: Finding, **texts: str) -> dict[str, str]:
    """The clusters' texts with a finding's fix in them."""
    done = {name: fixed(text, [edit for edit in finding.fix if edit.node.path == f"<{name}>"]) for name, text in texts.items()}
    assert all(each.left == () for each in done.values())
    return {name: each.text for name, each in done.items()}


def after_fixing(prod: str, stage: str, ingress: dict[str, Any] | None = None) -> dict[str, str]:
    """What the fix of the only finding makes of both texts; nothing is found in them then."""
    (finding,) = judged(prod, stage, ingress=ingress).findings
    assert finding.fix
    done = mended(finding, prod=prod, stage=stage)
    assert judged(**done, ingress=ingress).findings == ()
    return done


def test_hosts_with_a_dot_are_listed_at_both_gates() -> None:
    stage = SERVICE + GATEWAY.replace('"*"', "shop.partner.example") + TAKING_ONE
    done = after_fixing(OUTSIDE, stage)
    assert done["prod"] == OUTSIDE
    assert [line for line in done["stage"].splitlines() if "partner" in line] == [
        "        - shop.partner.example",
        "        - shop.partner.example-shadow",
        "    - shop.partner.example",
        "    - shop.partner.example-shadow",
    ]


def test_an_entry_that_istio_expands_gives_way() -> None:
    done = after_fixing(OUTSIDE, SERVICE + GATEWAY + BARE)
    assert '  hosts:\n    - "shop.partner.example-shadow"\n    - "shop.partner.example"\n' in done["stage"]


def test_a_server_is_not_opened_for_hosts_that_another_would_get_too() -> None:
    stage = SERVICE + GATEWAY.replace('"*"', "shop.partner.example") + TAKING_ONE + OTHER.replace('"*"', '"*.example-shadow"')
    assert [(finding.rule, finding.fix) for finding in judged(OUTSIDE, stage).findings] == [("shadow-host-not-accepted", ())]


@pytest.mark.parametrize(
    ("listed", "written"),
    [
        ('["default/shop.partner.example"]', '["default/shop.partner.example", "default/shop.partner.example-shadow"]'),
        ("[./shop.partner.example]", "[./shop.partner.example, ./shop.partner.example-shadow]"),
        (
            '["defalt/shop.partner.example", "default/*.partner.example-shadow"]',
            '["default/shop.partner.example", "default/*.partner.example-shadow"]',
        ),
    ],
)
def test_a_servers_hosts_stay_one_namespaces(listed: str, written: str) -> None:
    server = GATEWAY.replace('hosts:\n        - "*"', "hosts: %s")
    taking = ROUTE.replace('"*"', "shop.partner.example\n    - shop.partner.example-shadow")
    assert after_fixing(OUTSIDE, SERVICE + server % listed + taking)["stage"] == SERVICE + server % written + taking


@pytest.mark.parametrize("others", ["default/a.partner.example, team/shop.partner.example", "default/a.partner.example, b.partner.example"])
def test_a_server_for_several_namespaces_is_left(others: str) -> None:
    stage = SERVICE + GATEWAY.replace('hosts:\n        - "*"', f"hosts: [{others}]") + TAKING_ONE
    assert [(finding.rule, finding.fix) for finding in judged(OUTSIDE, stage).findings] == [("shadow-host-not-accepted", ())]


@pytest.mark.parametrize(("there", "meant"), [("", ": did you mean `default/shop.partner.example`?"), ("defaults", "")])
def test_a_namespace_that_is_nearly_one_is_named(there: str, meant: str) -> None:
    stage = SERVICE + GATEWAY.replace('"*"', "defaults/shop.partner.example") + TAKING_ONE
    other = f"---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: {there}}}\n" if there else ""
    (finding,) = judged(OUTSIDE, stage + other).findings
    assert f"the Gateway's server takes `defaults/shop.partner.example`{meant}" in finding.message
    assert finding.message.count("did you mean") == bool(meant)


def asking(condition: str, route: str) -> str:
    """A route whose rule has a condition on the Host."""
    return route.replace("- route", f"- match: [{{authority: {condition}}}]\n      route")


LISTING = ROUTE.replace('"*"', "shop.default\n    - shop.example.com")


@pytest.mark.parametrize("condition", ["{prefix: shop}", "{regex: shop.*}"])
def test_hosts_without_a_dot_need_a_star(condition: str) -> None:
    done = after_fixing(PROD, SERVICE + GATEWAY + asking(condition, LISTING))
    assert '  hosts:\n    - "*"\n  gateways' in done["stage"]


@pytest.mark.parametrize(
    "stage",
    [
        pytest.param(LISTING, id="no condition"),
        pytest.param(asking("{regex: .*}", LISTING), id="any Host"),
        pytest.param(asking("{}", LISTING), id="a Host"),
        pytest.param(asking("{prefix: shop}", LISTING).replace("{authority", "{uri: {prefix: /api}}, {authority"), id="of one block only"),
        pytest.param(asking("{prefix: shop}", LISTING) + "    - route: [{destination: {host: shop}}]\n", id="of one rule only"),
        pytest.param(asking("{prefix: sh}", LISTING) + f"---\n{SERVICE.replace('shop', 'shelf')}", id="another service's, too"),
    ],
)
def test_a_star_is_for_rules_alone_that_ask_for_the_mirrored_service(stage: str) -> None:
    found = judged(PROD, SERVICE + GATEWAY + stage).findings
    assert [(finding.rule, finding.fix) for finding in found] == [("shadow-host-not-accepted", ())]


def test_a_wrong_namespace_is_named_and_not_covered_up() -> None:
    away = PROD.replace("kind: VirtualService\nmetadata: {name: shop}", "kind: VirtualService\nmetadata: {name: shop, namespace: defualt}")
    found = judged(away, STAGE).findings
    assert [(finding.rule, finding.fix) for finding in found] == [("host-of-no-service", ()), ("route-to-unknown-host", ())]
    asked = [[note.place.line for note in finding.notes if "`metadata.namespace: default`" in note.message] for finding in found]
    assert asked == [[13], [13]]
    unknown = judged(
        away.replace("host: stage-gateway", "host: stage-gatway").replace("{host: shop}", "{host: shop.default.svc.cluster.local}"), STAGE
    )
    assert [(finding.rule, finding.fix) for finding in unknown.findings] == [("host-of-no-service", ()), ("mirror-to-unknown-host", ())]
    assert "metadata.namespace" not in str(unknown.findings)


def test_a_wrong_domain_is_named_and_not_covered_up() -> None:
    away = PROD.replace("[shop]", "[shop.default.svc.cluster.local]").replace("port: 80}]", "port: 8080}]")
    documents = loads({"prod": away, "stage": STAGE}).loaded.documents
    told = Cluster("prod", documents.clusters["prod"].manifests(), ClusterSettings(domain="corp.example"))
    astray, unknown = lint(documents._replace(clusters={**documents.clusters, "prod": told}), {}).findings
    assert [(each.rule, each.fix) for each in (astray, unknown)] == [("host-of-no-service", ()), ("route-to-unknown-host", ())]
    (note,) = astray.notes
    assert note.message == "the cluster's domain is `corp.example`: did you mean `shop.default.svc.corp.example`?"


def test_a_domain_that_nobody_told_may_be_right() -> None:
    found = judged(PROD.replace("[shop]", "[shop.default.svc.corp.example]"), STAGE).findings
    assert "host-of-no-service" not in {finding.rule for finding in found}


ASKING = asking("{prefix: shop}", BARE)
LOOP = (
    SERVICE
    + GATEWAY.replace('"*"', '"*.example.com"\n        - "*.example.com-shadow"')
    + ENTRY.replace("stage-gateway", "{to}")
    + ROUTE.replace('"*"', "shop.example.com").replace(
        "port: {number: 80}}}]", "port: {number: 80}}}]\n      mirror: {host: {to}.example.com}"
    )
)


def test_a_shadows_shadow_is_not_let_in() -> None:
    prod = LOOP.replace("{to}", "stage").replace("- shop.example.com\n", "- shop.example.com\n    - shop.example.com-shadow\n")
    found = judged(prod, LOOP.replace("{to}", "prod"), ingress={"prod": ["prod.example.com"], "stage": ["stage.example.com"]}).findings
    assert [(finding.rule, finding.fix) for finding in found] == [("shadow-host-not-accepted", ()), ("shadow-mirrored-back", ())]


OTHER = ROUTE.replace("shop", "cart") + "---\n" + SERVICE.replace("shop", "cart")


@pytest.mark.parametrize(
    "routes",
    [
        pytest.param(
            ASKING.replace('"*-shadow"', "a.shop.example") + OTHER.replace('"*"', '"*.shop.example"'), id="another would get its hosts"
        ),
        pytest.param(ASKING.replace("[ingress]", "[ingress, mesh]"), id="it serves the mesh, too"),
        pytest.param(asking("{prefix: shop}", OTHER.replace('"*"', "cart")), id="it leads to another"),
        pytest.param(ASKING.replace("{authority", "{uri: {prefix: /api}, authority"), id="its rules refuse"),
        pytest.param(ASKING + ASKING.replace("name: shop}", "name: shop2}"), id="two lead there"),
    ],
)
def test_hosts_are_left_where_it_is_not_plain_who_is_meant_to_take_them(routes: str) -> None:
    found = judged(PROD, SERVICE + GATEWAY + routes).findings
    assert [(finding.rule, finding.fix) for finding in found] == [("shadow-host-not-accepted", ())]


def test_a_server_that_takes_no_star_gets_none() -> None:
    narrow = SERVICE + GATEWAY.replace('"*"', '"*.svc.cluster.local"') + ASKING
    assert [(finding.rule, finding.fix) for finding in judged(PROD, narrow).findings] == [("shadow-host-not-accepted", ())]


@pytest.mark.parametrize(
    ("prod", "written"),
    [
        pytest.param(PROD.replace("host: stage-gateway", "host: stage-gatway"), "host: stage-gateway.example.com", id="a letter"),
        pytest.param(PROD.replace("host: stage-gateway", "host: stage-gatewya"), "host: stage-gateway.example.com", id="two swapped"),
        pytest.param(PROD.replace("host: stage-gateway", "host: Stage-Gateway"), "host: stage-gateway.example.com", id="case"),
        pytest.param(PROD.replace("port: {number: 80}\n", "port: {number: 8080}\n"), "port: {number: 80}", id="a port"),
    ],
)
def test_a_mirror_is_corrected_where_one_candidate_is_left(prod: str, written: str) -> None:
    assert after_fixing(prod, STAGE)["prod"] == PROD
    assert written in PROD


def test_a_mirror_without_a_port_gets_the_only_one_that_the_entry_has() -> None:
    called = PROD.replace("[{name: http, port: 80}]", "[{name: http, port: 8000}]")
    unnamed = called.replace("        port: {number: 80}\n", "")
    assert after_fixing(unnamed, STAGE)["prod"] == called.replace("port: {number: 80}\n", "port:\n          number: 80\n")
    several = unnamed.replace("protocol: HTTP}]", "protocol: HTTP}, {number: 81, name: http-more, protocol: HTTP}]")
    assert after_fixing(several, STAGE)["prod"].count("\n          number: 80\n") == 1


@pytest.mark.parametrize(
    "prod",
    [
        pytest.param(PROD.replace("[stage-gateway.", "[stage-gatewaz.example.com, stage-gatewai."), id="two"),
        pytest.param(PROD.replace("[stage-gateway.", "[stage1.").replace("host: stage-gateway.", "host: stage2."), id="a digit"),
        pytest.param(PROD.replace("[stage-gateway.", "[intake.").replace("host: stage-gateway.", "host: upload."), id="nothing like it"),
        pytest.param(
            PROD.replace("host: stage-gateway", "host: stage-gatway").replace("number: 80}\n", "number: 81}\n"), id="host and port"
        ),
    ],
)
def test_a_mirror_is_left_where_it_is_not_plain_what_was_meant(prod: str) -> None:
    assert [(finding.rule, finding.fix) for finding in judged(prod, STAGE).findings] == [("mirror-to-unknown-host", ())]


def test_a_mirror_that_may_not_be_the_one_in_use_is_left() -> None:
    typo = MIRROR.replace("host: stage-gateway", "host: stage-gatway")
    twice = SERVICE + ENTRY + typo + typo.replace("{name: shop}", "{name: shop2}")
    assert not any(finding.fix for finding in judged(twice, STAGE).findings)
    assert [finding.rule for finding in judged(twice, STAGE).findings].count("mirror-to-unknown-host") == 1


def test_shadows_with_hosts_of_their_own_for_each_backend_are_left() -> None:
    backend = "{destination: {host: shop}, weight: 50, headers: {request: {set: {Host: %s.example.com}}}}"
    split = PROD.replace("[{destination: {host: shop}}]", f"[{backend % 'a'}, {backend % 'b'}]")
    found = judged(split, SERVICE + GATEWAY + TAKING_ONE).findings
    assert [(finding.rule, finding.fix) for finding in found] == [("shadow-host-not-accepted", ())]


@pytest.mark.parametrize("host", ["trolley.example.org", "shop.default.svc", "shop.default.svc.cluster.local"])
def test_no_host_is_listed_that_takes_a_shadow_which_some_of_a_mirrors_callers_send(host: str) -> None:
    cart = "---\n" + SERVICE.replace("shop", "cart")
    split = (
        "{destination: {host: shop}, weight: 50, headers: {request: {set: {Host: a.example.org}}}}, {destination: {host: shop}, weight: 50}"
    )
    at_81 = (
        MIRROR.replace("shop", "cart").replace("      mirror", f"      rewrite: {{authority: {host}}}\n      mirror").replace("80", "81")
    )
    ports = ENTRY.replace("}], resolution", "}, {number: 81, name: http-81, protocol: HTTP}], resolution")
    prod = SERVICE + cart + ports + MIRROR.replace("{destination: {host: shop}}", split) + at_81
    gateway = GATEWAY + '    - port: {number: 81, name: http-81, protocol: HTTP}\n      hosts: ["*"]\n'
    carts = ROUTE.replace("shop", "cart").replace('"*"', "cart.example.com")
    stage = SERVICE + cart + gateway + ROUTE.replace("- route", "- match: [{port: 80}]\n      route") + carts
    (finding,) = judged(prod, stage, istio="1.28").findings
    assert (finding.rule, bool(finding.fix)) == ("shadow-host-not-accepted", host == "trolley.example.org")


def test_a_file_of_two_clusters_is_left() -> None:
    typo = PROD.replace("host: stage-gateway", "host: stage-gatway")
    documents = loads({"prod": typo, "stage": STAGE}).loaded.documents
    shared = Cluster("test", documents.clusters["prod"].manifests())
    report = lint(documents._replace(clusters={**documents.clusters, "test": shared}), {})
    assert {(finding.rule, finding.fix) for finding in report.findings} == {("mirror-to-unknown-host", ())}


@pytest.mark.parametrize(
    ("wrong", "right", "port", "said"),
    [
        ("prot: 8080}", "port: 8080}", 8080, "has no port 8080, and"),
        ("prot: 8080}, {name: admin, port: 9000}", "port: 8080}, {name: admin, port: 9000}", 8080, "has no port 8080, only 9000, and"),
        ("{nme: shop}", "{name: shop}", 80, "is not a host of prod's registry"),
    ],
)
def test_what_a_service_lacks_is_written_there_and_nothing_else_made_to_fit(wrong: str, right: str, port: int, said: str) -> None:
    service = SERVICE.replace("port: 80}", right) if "port" in right else SERVICE
    rest = ENTRY + MIRROR.replace("{host: shop}", f"{{host: shop, port: {{number: {port}}}}}")
    misspelt, unknown = sorted(judged(service.replace(right, wrong) + rest, STAGE).findings, key=lambda finding: finding.rule)
    assert (unknown.rule, unknown.level, unknown.fix) == ("route-to-unknown-host", "error", ())
    assert said in unknown.message
    assert mended(misspelt, prod=service.replace(right, wrong) + rest) == {"prod": service + rest}
    assert judged(service + rest, STAGE).findings == ()


def test_a_route_gets_no_port_of_a_service_of_which_one_is_misspelt() -> None:
    service = "{name: http, prot: 8080}, {name: admin, port: 9000}"
    route = """---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop}
spec:
  parentRefs: [{group: "", kind: Service, name: shop}]
  rules:
  - backendRefs: [{name: shop, port: 8080}]
    filters:
    - type: RequestMirror
      requestMirror: {backendRef: {group: networking.istio.io, kind: Hostname, name: stage-gateway.example.com, port: 80}}
"""
    found = judged(SERVICE.replace("{name: http, port: 80}", service) + ENTRY + route, STAGE).findings
    assert {finding.rule for finding in found if finding.fix} == {"misspelt-field"}
    assert "route-to-unknown-host" in {finding.rule for finding in found}


def test_a_subset_is_corrected() -> None:
    rule = """---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: shop}
spec: {host: shop, subsets: [{name: blue}, {name: green}]}
"""
    stage = STAGE.replace("port: {number: 80}}}", "subset: gren}}") + rule
    assert "{host: shop, subset: green}" in after_fixing(PROD, stage)["stage"]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("shop.default", "shop.default.svc.cluster.local"),
        ("sohp", "shop"),
        ("shop.default.svc.cluster.lokal", "shop.default.svc.cluster.local"),
    ],
)
def test_a_destination_is_corrected(wrong: str, right: str) -> None:
    stage = STAGE.replace("{host: shop,", f"{{host: {wrong},")
    assert after_fixing(PROD, stage)["stage"] == STAGE.replace("{host: shop,", f"{{host: {right},")


def test_a_destination_beside_the_gateway_gets_the_only_namesake() -> None:
    beside = STAGE.replace("name: ingress}", "name: ingress, namespace: istio-system}")
    beside = beside.replace(
        "kind: VirtualService\nmetadata: {name: shop}", "kind: VirtualService\nmetadata: {name: shop, namespace: istio-system}"
    )
    assert "{host: shop.default.svc.cluster.local, port" in after_fixing(PROD, beside)["stage"]
    both = beside + "---\n" + SERVICE.replace("{name: shop}", "{name: shop, namespace: test}")
    assert [finding.fix for finding in judged(PROD, both).findings] == [()]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("{host: shop.default}", "{host: shop.default.svc.cluster.local}"),
        ("{host: sohp}", "{host: shop}"),
        ("{host: shop, port: {number: 8080}}", "{host: shop, port: {number: 80}}"),
    ],
)
def test_a_destination_of_the_rule_that_mirrors_is_corrected(wrong: str, right: str) -> None:
    assert after_fixing(PROD.replace("{host: shop}", wrong), STAGE)["prod"] == PROD.replace("{host: shop}", right)


def test_a_destination_is_left_where_another_one_is_missing_as_well() -> None:
    split = "[{destination: {host: sohp}, weight: 50}, {destination: {host: card}, weight: 50}]"
    found = judged(PROD.replace("[{destination: {host: shop}}]", split), STAGE).findings
    assert [(finding.rule, finding.fix) for finding in found] == [("route-to-unknown-host", ())]


RULE = "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: s}\nspec: {host: '*.example.com'}\n"
MUTUAL = "{host: '*.example.com', trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}}"
MISSPELT = PROD.replace("hosts: [stage-gateway", "hosts: [stage-gatway")


@pytest.mark.parametrize("ingress", [{"stage": ["stage-gateway.example.com"]}, {}])
def test_an_entry_is_corrected_where_the_mirror_names_the_ingress(ingress: dict[str, Any]) -> None:
    """As settings say, or since a Gateway server is for that name."""
    stage = STAGE if ingress else STAGE.replace('- "*"', '- "*"\n        - stage-gateway.example.com', 1)
    (finding,) = judged(MISSPELT, stage, ingress=ingress).findings
    assert [note.message for note in finding.notes] == ["did you mean `stage-gateway.example.com`, which is stage's ingress?"]
    assert after_fixing(MISSPELT, stage, ingress) == {"prod": PROD, "stage": stage}


def test_the_case_of_a_mirrors_host_is_corrected_at_the_mirror() -> None:
    prod, known = PROD.replace("host: stage-g", "host: Stage-G"), {"stage": ["stage-gateway.example.com"]}
    assert after_fixing(prod, STAGE, known)["prod"] == PROD


TOWARDS = "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: out}\nspec:\n  hosts: [%s]\n  gateways: [out]\n"
USING = TOWARDS % "out.example.com" + "  http: [{route: [{destination: {host: stage-gatway.example.com}}]}]\n"


@pytest.mark.parametrize(
    "prod",
    [
        pytest.param(MISSPELT + USING, id="a route names the entry"),
        pytest.param(MISSPELT + TOWARDS % "stage-gatway.example.com" + "  http: [{route: [{destination: {host: shop}}]}]\n", id="a host"),
        pytest.param(MISSPELT + ENTRY.replace("name: stage}", "name: b}").replace("[stage-g", "[stge-g"), id="two entries"),
        pytest.param(MISSPELT + RULE.replace("{host: '*.example.com'}", MUTUAL), id="the shadows would be lost all the same"),
    ],
)
def test_a_mirror_that_names_the_ingress_is_never_corrected(prod: str) -> None:
    found = judged(prod, STAGE, ingress={"stage": ["stage-gateway.example.com"]}).findings
    assert [(finding.rule, finding.fix) for finding in found] == [("mirror-to-unknown-host", ())]


def test_a_mirror_is_led_elsewhere_only_where_settings_name_that() -> None:
    prod = PROD.replace("stage-gateway", "collector").replace("host: collector", "host: colector")
    documents = loads({"prod": prod, "stage": STAGE}, ingress=KNOWN).loaded.documents
    assert [finding.fix for finding in lint(documents, {}).findings] == [()]
    told = Cluster("prod", documents.clusters["prod"].manifests(), ClusterSettings(external=("collector.example.com",)))
    (finding,) = lint(documents._replace(clusters={**documents.clusters, "prod": told}), {}).findings
    assert mended(finding, prod=prod) == {"prod": prod.replace("colector", "collector")}


WITHOUT_ENTRY = SERVICE + MIRROR.replace("name: shop}", "name: shop, namespace: default}")


@pytest.mark.parametrize(
    ("address", "spec"),
    [
        ("203.0.113.9", {"resolution": "STATIC", "endpoints": [{"address": "203.0.113.9"}]}),
        ("lb.example.net", {"resolution": "DNS", "endpoints": [{"address": "lb.example.net"}]}),
        ("stage-gateway.example.com", {"resolution": "DNS"}),
        ("*.example.com", {"resolution": "DNS"}),
    ],
)
def test_a_missing_entry_is_added_where_the_ingress_is_known(address: str, spec: dict[str, Any]) -> None:
    done = after_fixing(WITHOUT_ENTRY, STAGE, {"stage": [address]})["prod"]
    assert done.startswith(WITHOUT_ENTRY)
    assert parse(done.encode(), "prod").documents[-1].plain() == {
        "apiVersion": "networking.istio.io/v1",
        "kind": "ServiceEntry",
        "metadata": {"name": "stage-gateway.example.com", "namespace": "default"},
        "spec": {
            "hosts": ["stage-gateway.example.com"],
            "ports": [{"number": 80, "name": "http", "protocol": "HTTP"}],
            "location": "MESH_EXTERNAL",
            **spec,
        },
    }


SECURE = STAGE.replace("protocol: HTTP}", "protocol: HTTPS}\n      tls: {mode: SIMPLE, credentialName: stage}")
TAKEN = ENTRY.replace("name: stage}", "name: stage-gateway.example.com}").replace("[stage-gateway", "[other")


@pytest.mark.parametrize(
    ("prod", "stage", "ingress"),
    [
        pytest.param(WITHOUT_ENTRY, STAGE, {}, id="the ingress is not known"),
        pytest.param(WITHOUT_ENTRY, STAGE, {"stage": ["203.0.113.9", "203.0.113.10"]}, id="two addresses"),
        pytest.param(WITHOUT_ENTRY, STAGE, {"stage": ["*.other.example"]}, id="a wildcard for other names"),
        pytest.param(WITHOUT_ENTRY, SECURE, KNOWN, id="the target wants TLS"),
        pytest.param(WITHOUT_ENTRY + RULE, STAGE, KNOWN, id="a DestinationRule is for the host"),
        pytest.param(WITHOUT_ENTRY + TAKEN, STAGE, KNOWN, id="the name is taken"),
        pytest.param(WITHOUT_ENTRY.replace("stage-gateway.example.com", "stage"), STAGE, KNOWN, id="a short name"),
    ],
)
def test_a_missing_entry_is_not_made_up(prod: str, stage: str, ingress: dict[str, Any]) -> None:
    found = [finding for finding in judged(prod, stage, ingress=ingress).findings if finding.rule == "mirror-to-unknown-host"]
    assert [finding.fix for finding in found] == [()]


def test_an_entry_that_leads_to_the_ingress_is_named_and_none_beside_it_made_up() -> None:
    there = ENTRY.replace("[stage-gateway", "[green").replace("DNS}", "STATIC, endpoints: [{address: 203.0.113.9}]}")
    (finding,) = judged(WITHOUT_ENTRY + there, STAGE, ingress=KNOWN).findings
    assert (finding.rule, finding.fix) == ("mirror-to-unknown-host", ())
    assert [note.message for note in finding.notes] == ["did you mean `green.example.com`, which leads to the ingress at 203.0.113.9?"]


def test_what_may_live_elsewhere_is_not_fixed() -> None:
    prod = PROD.replace("host: stage-gateway", "host: stage-gatway")
    chart = "---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: mesh}\nspec: {}\n"
    (finding,) = judged(prod + chart, STAGE).findings
    assert (finding.level, finding.fix) == ("warning", ())


def fixable() -> Iterator[tuple[dict[str, Any], Finding, tuple[Finding, ...]]]:
    """Scenarios with each finding that has a fix, and all that are found there."""
    for scenario in [*list(scenarios())[::12], *list(scenarios("more"))[::12], *list(scenarios("gateway-api"))[::4]]:
        findings = check(fleet_of(scenario)).findings
        yield from ((scenario, finding, findings) for finding in findings if finding.fix)


def test_a_fix_takes_its_finding_away_and_brings_no_other() -> None:
    tried = 0
    for scenario, finding, before in fixable():
        tried += 1
        done = mended(finding, source=scenario["source"], target=scenario["target"])
        after = check(fleet_of({**scenario, **done})).findings
        kept = {(each.rule, each.object, each.message) for each in before if each.fix != finding.fix}
        assert {(each.rule, each.object, each.message) for each in after} <= kept, scenario["id"]
        assert len(after) < len(before), scenario["id"]
    assert tried > 20
