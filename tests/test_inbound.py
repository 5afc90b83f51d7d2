"""What the pods behind the target's gateway let in: AuthorizationPolicies of their own, and mutual TLS."""

from __future__ import annotations

import pytest
from test_engine import SOURCE, TARGET, judge, levels
from test_policy import hosts, policy

from mirrorlint import check, loads
from mirrorlint.rule import Report

DENIED, MISMATCH = [("warning", "shadow-denied-by-workload")], [("warning", "tls-mismatch-at-workload")]
SHOP = """
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec: {template: {metadata: {labels: {app: shop}}, spec: {containers: [{name: shop, image: shop}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: edge, namespace: istio-system}
spec: {template: {metadata: {labels: {istio: ingressgateway}}, spec: {serviceAccountName: edge}}}
"""
STAGE = TARGET.replace("spec: {ports: [{name: http, port: 80}]}", "spec: {selector: {app: shop}, ports: [{name: http, port: 80}]}") + SHOP
OF_SHOP = "{name: shop}"


def at_workload(spec: str, stage: str = STAGE) -> Report:
    return judge(target=stage + policy(spec, OF_SHOP))


def sources(values: str, action: str = "ALLOW") -> str:
    return f"{{action: {action}, rules: [{{from: [{{source: {{{values}}}}}]}}]}}"


@pytest.mark.parametrize(
    "spec",
    [
        "{}",
        sources("namespaces: [web]"),
        sources("notNamespaces: [web, default]", "DENY"),
        sources("namespaces: [istio-system]", "DENY"),
        sources("principals: [cluster.local/ns/web/sa/web]"),
        sources("principals: [cluster.local/ns/istio-system/sa/other]"),
        sources("principals: ['*/sa/web']"),
        sources("notPrincipals: [cluster.local/ns/web/sa/web]", "DENY"),
        sources("serviceAccounts: [edge]"),
        sources("serviceAccounts: [istio-system/other]"),
        "{rules: [{when: [{key: source.namespace, values: [web]}]}]}",
        hosts("shop.example.com"),
        hosts("8080", field="ports"),
        "{selector: {matchLabels: {app: shop}}, rules: [{from: [{source: {namespaces: [web]}}], to: [{operation: {paths: [/api]}}]}]}",
    ],
)
def test_pods_that_let_neither_the_gateway_nor_the_host_in_answer_403(spec: str) -> None:
    assert levels(at_workload(spec)) == DENIED


@pytest.mark.parametrize(
    "spec",
    [
        sources("namespaces: [istio-*]"),
        sources("namespaces: ['*-sys*']"),
        sources("namespaces: ['ist*-system']"),
        hosts("/*", field="paths"),
        hosts("*", field="paths"),
        hosts("*", field="methods"),
        sources("principals: [cluster.local/ns/istio-system/sa/edge]"),
        sources("principals: ['cluster.local/ns/istio-system/*']"),
        sources("principals: ['*']"),
        sources("serviceAccounts: [istio-system/edge]"),
        sources("namespaces: [web]", "DENY"),
        hosts("shop*"),
        hosts("80", field="ports"),
        "{selector: {matchLabels: {app: other}}}",
        "{targetRefs: [{kind: Service, group: '', name: shop}]}",
    ],
)
def test_pods_that_let_them_in_are_silent(spec: str) -> None:
    report = at_workload(spec)
    assert (report.findings, report.blind_spots) == ((), ())


@pytest.mark.parametrize(
    "spec",
    [
        hosts("/api/*", field="paths"),
        hosts("GET", field="methods", action="DENY"),
        "{rules: [{when: [{key: 'request.headers[x-team]', values: [a]}]}]}",
        sources("principals: [other.example/ns/istio-system/sa/edge]"),
        sources("requestPrincipals: ['*']"),
        sources("ipBlocks: [10.0.0.0/8]", "DENY"),
    ],
)
def test_what_callers_send_and_manifests_do_not_tell_is_a_blind_spot(spec: str) -> None:
    report = at_workload(spec)
    assert report.findings == ()
    assert ["AuthorizationPolicy default/shop" in spot.message for spot in report.blind_spots] == [True]


WITHOUT_EDGE = STAGE[: STAGE.index("---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: edge")]


@pytest.mark.parametrize(
    ("principal", "told"),
    [("cluster.local/ns/web/sa/web", DENIED), ("cluster.local/ns/istio-system/sa/edge", []), ("*/sa/edge", [])],
)
def test_of_a_gateway_that_no_workload_shows_the_namespace_alone_is_known(principal: str, told: list[tuple[str, str]]) -> None:
    texts = {"prod": SOURCE, "stage": WITHOUT_EDGE + policy(sources(f"principals: ['{principal}']"), OF_SHOP)}
    edge = {"namespace": "istio-system", "labels": {"istio": "ingressgateway"}, "addresses": ["stage.example.com"]}
    assert levels(check(loads(texts, ingress={"stage": edge}))) == told


NOTHING = "\n---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: a}\nspec: {}\n"


def test_what_is_blamed_of_several_policies_is_one_that_could_let_it_in() -> None:
    (finding,) = at_workload(sources("namespaces: [web]"), STAGE + NOTHING).findings
    assert finding.object == "AuthorizationPolicy default/shop"
    (spot,) = at_workload(hosts("/api/*", field="paths"), STAGE + NOTHING).blind_spots
    assert spot.message.startswith("AuthorizationPolicy default/shop: whether it lets shadows in at Service default/shop depends")


def test_the_meshs_own_trust_domain_has_two_names() -> None:
    spec = sources("principals: [corp.example/ns/istio-system/sa/edge]")
    mesh = {"stage": {"trustDomain": "corp.example"}}
    report = check(loads({"prod": SOURCE, "stage": STAGE + policy(spec, OF_SHOP)}, mesh=mesh))
    assert (report.findings, report.blind_spots) == ((), ())


def test_the_host_is_the_one_that_the_targets_route_writes() -> None:
    route = "route: [{destination: {host: shop}}]"
    written = STAGE.replace(route, f"{route}, rewrite: {{authority: inner}}")
    assert levels(at_workload(hosts("inner"), written)) == []
    assert levels(at_workload(hosts("inner"))) == DENIED


OUTSIDE = ", sidecar.istio.io/inject: 'false'"
AMBIENT = ", istio.io/dataplane-mode: ambient"
NAMESPACE = "\n---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: default, labels: {{{}}}}}\n".format


ENABLED = NAMESPACE("istio-injection: enabled")


def annotated(annotation: str) -> str:
    return STAGE.replace("labels: {app: shop}", f"labels: {{app: shop}}, annotations: {{{annotation}}}")


REFERRED = annotated("traffic.sidecar.istio.io/excludeInboundPorts: '80'")
ROLLOUT = """
---
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: shop}
spec: {workloadRef: {kind: Deployment, name: shop}}
"""


@pytest.mark.parametrize(
    "stage",
    [
        STAGE.replace("labels: {app: shop", f"labels: {{app: shop{OUTSIDE}"),
        STAGE.replace("labels: {app: shop", f"labels: {{app: shop{AMBIENT}"),
        STAGE.replace("labels: {app: shop}", "labels: {app: shop, security.istio.io/tlsMode: disabled}"),
        STAGE + NAMESPACE("istio-injection: disabled"),
        STAGE.replace("labels: {app: shop}", "labels: {app: shop, sidecar.istio.io/inject: 'true'}")
        + NAMESPACE("istio-injection: disabled"),
        STAGE + NAMESPACE("istio.io/dataplane-mode: ambient"),
        STAGE.replace("containers: [{name: shop", "hostNetwork: true, containers: [{name: shop") + ENABLED,
        annotated("traffic.sidecar.istio.io/excludeInboundPorts: '15090, 80'"),
        annotated("traffic.sidecar.istio.io/includeInboundPorts: '8080'"),
        annotated("traffic.sidecar.istio.io/excludeInterfaces: eth1"),
        annotated("sidecar.istio.io/interceptionMode: NONE"),
        annotated("inject.istio.io/templates: grpc-agent"),
        REFERRED.replace("spec: {template", "spec: {replicas: 0, template") + ROLLOUT,
        STAGE.replace("labels: {app: shop}", "labels: {app: shop, istio: ingressgateway}"),
        STAGE.replace("labels: {app: shop}", "labels: {app: web}"),
    ],
    ids=[
        "no sidecar",
        "ambient",
        "no mutual TLS",
        "namespace without sidecars",
        "namespace without sidecars, whatever pods ask for",
        "ambient namespace",
        "its nodes' network",
        "a port kept from it",
        "a port not brought to it",
        "an interface kept from it",
        "nothing brought to it",
        "another template",
        "a port kept from it in what a Rollout refers to",
        "another gateway",
        "other pods",
    ],
)
def test_no_policy_counts_where_no_sidecar_is_known_to_enforce_it(stage: str) -> None:
    assert ("warning", "shadow-denied-by-workload") not in levels(at_workload("{}", stage))


@pytest.mark.parametrize(
    "stage",
    [
        annotated("traffic.sidecar.istio.io/excludeInboundPorts: '9090'"),
        annotated("traffic.sidecar.istio.io/includeInboundPorts: '*'"),
        annotated("inject.istio.io/templates: 'sidecar,own'"),
        STAGE + NAMESPACE("istio.io/rev: stable"),
    ],
)
def test_a_policy_counts_where_nothing_keeps_the_port_from_the_sidecar(stage: str) -> None:
    assert levels(at_workload("{}", stage)) == DENIED


def test_the_pods_of_one_workload_that_let_it_in_suffice() -> None:
    other = SHOP.split("---")[1].replace("name: shop}\n", "name: shop-v2}\n").replace("app: shop}", "app: shop, version: v2}")
    spec = f"{{selector: {{matchLabels: {{version: v2}}}}, {sources('namespaces: [web]')[1:]}"
    assert levels(at_workload(spec, f"{STAGE}---{other}")) == []
    assert levels(at_workload(sources("namespaces: [web]"), f"{STAGE}---{other}")) == DENIED


@pytest.mark.parametrize(
    ("selector", "spots"), [("", 1), ("selector: {matchLabels: {app: shop}}, ", 1), ("selector: {matchLabels: {app: web}}, ", 0)]
)
def test_whether_pods_take_copied_tokens_is_a_blind_spot(selector: str, spots: int) -> None:
    kind = "\n---\napiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {name: jwt}\n"
    tokens = f"{kind}spec: {{{selector}jwtRules: [{{issuer: a}}]}}\n"
    report = judge(target=STAGE + tokens)
    said = "RequestAuthentication default/jwt: whether the pods take the shadows' tokens is not judged"
    assert (report.findings, [spot.message for spot in report.blind_spots]) == ((), [said] * spots)


def authentication(mode: str, metadata: str = "{name: default}", spec: str = "") -> str:
    return (
        f"\n---\napiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {metadata}\nspec: {{mtls: {{mode: {mode}}}{spec}}}\n"
    )


APART = STAGE.replace("namespace: istio-system", "namespace: edge")
OF_MESH = policy("{}", "{name: a, namespace: istio-system}") + policy("{rules: [{}]}", "{name: edge, namespace: edge}")
ASKING = "\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: other, labels: {sidecar.istio.io/inject: 'true'}}\n"


@pytest.mark.parametrize(
    "stage",
    [
        APART + ENABLED,
        APART + NAMESPACE("istio.io/rev: stable"),
        APART + authentication("PERMISSIVE"),
        APART.replace("labels: {app: shop", "labels: {app: shop, sidecar.istio.io/inject: 'true'"),
        APART.replace("labels: {app: shop", "labels: {app: shop, istio.io/rev: stable"),
    ],
    ids=["a namespace with sidecars", "a revision's namespace", "a policy of the namespace", "pods that ask for it", "a revision's pods"],
)
def test_the_meshs_policy_counts_where_something_shows_a_sidecar(stage: str) -> None:
    assert levels(judge(target=stage + OF_MESH)) == DENIED


@pytest.mark.parametrize("objects", ["", ASKING, authentication("PERMISSIVE") + ASKING])
def test_whether_pods_have_a_sidecar_that_denies_is_a_blind_spot_where_nothing_tells(objects: str) -> None:
    report = judge(target=APART + OF_MESH + objects)
    said = "AuthorizationPolicy istio-system/a: whether it lets shadows in at Service default/shop depends on whether the pods there have "
    assert (report.findings, [spot.message for spot in report.blind_spots]) == ((), [f"{said}sidecars, which no manifest tells"])


def test_pods_without_a_known_sidecar_may_be_what_a_rule_starts_no_mutual_tls_for() -> None:
    assert levels(judge(target=STAGE + rule("DISABLE") + authentication("STRICT", OF_ALL))) == []


def rule(mode: str) -> str:
    return (
        "\n---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: shop}\n"
        f"spec: {{host: shop, trafficPolicy: {{tls: {{mode: {mode}}}}}}}\n"
    )


OF_ALL, OF_PODS = "{name: default, namespace: istio-system}", ", selector: {matchLabels: {app: shop}}"
BY_PORT = f"{OF_PODS}, portLevelMtls: {{%s: {{mode: %s}}}}"


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        (rule("DISABLE") + authentication("STRICT"), MISMATCH),
        (rule("SIMPLE") + authentication("STRICT"), MISMATCH),
        (rule("DISABLE") + authentication("STRICT", OF_ALL) + ENABLED, MISMATCH),
        (rule("DISABLE") + authentication("STRICT", OF_ALL) + authentication("UNSET"), MISMATCH),
        (rule("DISABLE") + authentication("PERMISSIVE", spec=BY_PORT % (80, "STRICT")), MISMATCH),
        (rule("ISTIO_MUTUAL") + authentication("DISABLE"), MISMATCH),
        (authentication("DISABLE") + authentication("STRICT", OF_SHOP, OF_PODS), MISMATCH),
        (rule("DISABLE") + authentication("STRICT", OF_ALL) + authentication("PERMISSIVE"), []),
        (rule("DISABLE") + authentication("STRICT") + authentication("PERMISSIVE", OF_SHOP, OF_PODS), []),
        (rule("DISABLE") + authentication("STRICT", spec=BY_PORT % (80, "PERMISSIVE")), []),
        (rule("DISABLE") + authentication("STRICT", "{name: default, namespace: web}"), []),
        (rule("ISTIO_MUTUAL") + authentication("STRICT"), []),
        (rule("MUTUAL, clientCertificate: /c, privateKey: /k") + authentication("STRICT"), []),
        (rule("DISABLE"), []),
        (authentication("STRICT"), []),
        (authentication("DISABLE"), []),
    ],
)
def test_pods_take_the_gateways_connection_or_do_not(objects: str, expected: list[tuple[str, str]]) -> None:
    assert levels(judge(target=STAGE + objects)) == expected


REFUSED = ", portLevelMtls: {80: {mode: STRICT}}"  # without a selector


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        (rule("DISABLE") + authentication("STRICT", spec=REFUSED), [("error", "refused-by-istio")]),
        (authentication("strict"), [("error", "refused-by-istio")]),
        (authentication("strict", OF_ALL), [("error", "refused-by-istio")]),
        (authentication("strict", "{name: default, namespace: web}"), []),
        (authentication("STRICT").replace("mtls:", "mTLS:"), [("warning", "misspelt-field")]),
    ],
)
def test_a_policy_that_istio_refuses_is_none_of_the_pods(objects: str, expected: list[tuple[str, str]]) -> None:
    assert levels(judge(target=STAGE + objects)) == expected


def test_pods_without_a_sidecar_end_no_mutual_tls_and_ask_for_none() -> None:
    outside = STAGE.replace("labels: {app: shop", f"labels: {{app: shop{OUTSIDE}")
    assert levels(judge(target=outside + rule("ISTIO_MUTUAL"))) == MISMATCH
    assert levels(judge(target=outside + rule("DISABLE") + authentication("STRICT"))) == []


def test_strict_pods_get_plain_text_where_the_mesh_starts_no_mutual_tls_by_itself() -> None:
    fleet = loads({"prod": SOURCE, "stage": STAGE + authentication("STRICT")}, mesh={"stage": {"enableAutoMtls": False}})
    (finding,) = check(fleet).findings
    assert (finding.rule, finding.object) == ("tls-mismatch-at-workload", "PeerAuthentication default/default")


def test_a_connection_that_fails_is_not_denied_as_well() -> None:
    assert (
        levels(judge(target=STAGE + rule("DISABLE") + authentication("STRICT") + policy(sources("namespaces: [web]"), OF_SHOP))) == MISMATCH
    )


OTHERS = OF_PODS.replace("app: shop", "tier: shop")
TIER = STAGE.replace("labels: {app: shop}", "labels: {app: shop, tier: shop}")
CREATED = "creationTimestamp: '20{}-01-01T00:00:00Z'"


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (authentication("STRICT", "{name: a}", OF_PODS), authentication("PERMISSIVE", "{name: b}", OTHERS), []),
        (authentication("STRICT", "{name: a}", OF_PODS), authentication("STRICT", "{name: b}", OTHERS), MISMATCH),
        (authentication("STRICT", "{name: a}"), authentication("PERMISSIVE", "{name: b}"), []),
        (
            authentication("STRICT", f"{{name: b, {CREATED.format(24)}}}", OF_PODS),
            authentication("PERMISSIVE", f"{{name: a, {CREATED.format(25)}}}", OTHERS),
            MISMATCH,
        ),
    ],
)
def test_of_two_policies_for_the_pods_the_older_counts_if_it_is_known(first: str, second: str, expected: list[tuple[str, str]]) -> None:
    assert levels(judge(target=TIER + rule("DISABLE") + first + second)) == expected


PLAIN = "so the gateway sends plain text, which shows no certificate"


def test_what_has_the_gateway_show_no_certificate_is_told() -> None:
    (finding,) = at_workload(sources("namespaces: [istio-system]"), STAGE + rule("DISABLE")).findings
    assert ", without a certificate, is allowed by no rule of AuthorizationPolicy default/shop" in finding.message
    assert [note.message for note in finding.notes] == ["the shadows of this mirror go there", PLAIN]


@pytest.mark.parametrize("spec", [OF_PODS, BY_PORT % (80, "DISABLE")])
def test_pods_that_take_plain_text_alone_see_no_client(spec: str) -> None:
    taken = authentication("STRICT" if spec != OF_PODS else "DISABLE", OF_SHOP, spec)
    report = at_workload(sources("namespaces: [istio-system]"), STAGE + taken)
    assert levels(report) == DENIED
    assert PLAIN in [note.message for note in report.findings[0].notes]
    assert levels(at_workload(sources("namespaces: [istio-system]", "DENY"), STAGE + taken)) == []


def test_a_policy_may_select_labels_that_injection_adds() -> None:
    selector = "{selector: {matchLabels: {service.istio.io/canonical-name: shop}}, "
    let_in = selector + sources("namespaces: [istio-system]")[1:]
    assert levels(at_workload(let_in, STAGE + NOTHING)) == []
    assert levels(at_workload(selector + sources("namespaces: [web]")[1:])) == DENIED


SECOND = f"---{TARGET.split('---')[1]}---{SHOP.split('---')[2]}".replace("ingress", "inner").replace("istio-system", "inner")
TWO = STAGE.replace("gateways: [ingress]", "gateways: [ingress, inner]") + SECOND


@pytest.mark.parametrize(("namespace", "expected"), [("inner", []), ("istio-system", []), ("web", DENIED)])
def test_a_shadow_is_let_in_if_it_is_from_one_of_the_gateways_that_it_may_come_to(namespace: str, expected: list[tuple[str, str]]) -> None:
    assert levels(at_workload(sources(f"namespaces: [{namespace}]"), TWO)) == expected


def test_the_gateways_account_may_be_in_the_older_field() -> None:
    stage = STAGE.replace("serviceAccountName: edge", "serviceAccount: edge")
    assert levels(at_workload(sources("serviceAccounts: [istio-system/edge]"), stage)) == []
