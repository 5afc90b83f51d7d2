"""What keeps a shadow out although its Host and path fit: policies of the gateway, and a certificate for other names."""

from __future__ import annotations

from pathlib import Path

import pytest
from repositories import write
from test_engine import SOURCE, TARGET, judge, levels

from mirrorlint import Call, check, load, loads
from mirrorlint.rule import Report

CALL = Call("prod", "default", "shop", 80)


def policy(spec: str, metadata: str = "{name: edge, namespace: istio-system}") -> str:
    return f"\n---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {metadata}\nspec: {spec}\n"


def hosts(*names: str, action: str = "ALLOW", field: str = "hosts") -> str:
    return f"{{action: {action}, rules: [{{to: [{{operation: {{{field}: [{', '.join(map(repr, names))}]}}}}]}}]}}"


def fates(*policies: str) -> dict[str, str]:
    fleet = loads({"prod": SOURCE, "stage": TARGET + "".join(map(policy, policies))})
    return {world: fleet.follow(CALL, istio=world)[0].reason for world in ("1.27", "1.28")}


LET_THROUGH, DENIED = {"1.27": "arrives", "1.28": "arrives"}, {"1.27": "denied", "1.28": "denied"}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("{}", DENIED),
        (hosts("shop"), {"1.27": "denied", "1.28": "arrives"}),
        (hosts("shop-shadow"), {"1.27": "arrives", "1.28": "denied"}),
        (hosts("SHOP*"), LET_THROUGH),
        (hosts("*shadow"), {"1.27": "arrives", "1.28": "denied"}),
        (hosts("*"), LET_THROUGH),
        (hosts("shop", action="DENY"), {"1.27": "arrives", "1.28": "denied"}),
        (hosts("shop-shadow", action="DENY", field="notHosts"), {"1.27": "arrives", "1.28": "denied"}),
        (hosts("GET", field="methods"), LET_THROUGH),
        (hosts("POST", field="methods"), DENIED),
        (hosts("/api/*", field="paths"), DENIED),
        (hosts("80", field="ports"), LET_THROUGH),
        (hosts("443", field="ports"), DENIED),
        ("{rules: [{}]}", LET_THROUGH),
        ("{action: DENY, rules: [{from: [{source: {principals: ['*']}}]}]}", LET_THROUGH),
        ("{rules: [{from: [{source: {namespaces: [frontend]}}]}]}", DENIED),
        ("{action: DENY, rules: [{from: [{source: {notPrincipals: ['*']}}]}]}", DENIED),
        ("{action: DENY, rules: [{when: [{key: 'request.headers[x-team]', values: [a]}]}]}", LET_THROUGH),
        ("{action: DENY, rules: [{when: [{key: 'request.headers[x-team]', notValues: [a]}]}]}", DENIED),
        ("{action: DENY, rules: [{when: [{key: destination.port, values: ['80']}]}]}", DENIED),
        (
            "{action: DENY, rules: [{when: [{key: 'request.headers[:authority]', values: ['*-shadow']}]}]}",
            {"1.27": "denied", "1.28": "arrives"},
        ),
        ("{rules: [{when: [{key: 'request.headers[:method]', values: [GET]}]}]}", LET_THROUGH),
        ("{rules: [{when: [{key: source.namespace, values: [frontend]}]}]}", DENIED),
        ("{action: AUDIT, rules: [{}]}", LET_THROUGH),
        (f"{{selector: {{matchLabels: {{istio: other}}}}, {hosts('x')[1:]}", LET_THROUGH),
        (f"{{selector: {{matchLabels: {{istio: ingressgateway}}}}, {hosts('x')[1:]}", DENIED),
        (f"{{targetRefs: [{{kind: Gateway, name: other, group: gateway.networking.k8s.io}}], {hosts('x')[1:]}", LET_THROUGH),
    ],
)
def test_a_policy_lets_a_shadow_through_or_denies_it(spec: str, expected: dict[str, str]) -> None:
    assert fates(spec) == expected


def test_one_of_several_allows_suffices_and_one_deny_too() -> None:
    assert fates(hosts("other"), hosts("shop*")) == LET_THROUGH
    assert fates(hosts("shop*"), hosts("shop*", action="DENY")) == DENIED


@pytest.mark.parametrize(
    ("spec", "level"),
    [
        (hosts("/api/*", field="paths"), "warning"),
        (hosts("POST", field="methods"), "warning"),
        (hosts("/", field="paths", action="DENY"), "warning"),
        (hosts("GET", field="methods", action="DENY"), "warning"),
        (hosts("/api*", field="notPaths", action="DENY"), "warning"),
        ("{rules: [{when: [{key: 'request.headers[x-team]', values: [a]}]}]}", "warning"),
        ("{action: DENY, rules: [{when: [{key: 'request.headers[x-team]', notValues: [a]}]}]}", "warning"),
        (hosts("/*", field="paths", action="DENY"), "error"),
        ("{rules: [{from: [{source: {namespaces: [frontend]}}], to: [{operation: {paths: ['/api']}}]}]}", "error"),
    ],
)
def test_only_what_denies_every_request_is_an_error(spec: str, level: str) -> None:
    assert levels(judge(target=TARGET + policy(spec))) == [(level, "shadow-denied")]


@pytest.mark.parametrize(
    ("spec", "start"),
    [
        ("{action: DENY, rules: [{to: [{operation: {hosts: [a]}}, {operation: {methods: [PUT, GET], paths: ['*']}}]}]}", "PUT, GET"),
        ("{action: DENY, rules: [{to: [{operation: {hosts: [a]}}]}, {when: [{key: destination.port, values: ['80']}]}]}", "'80'"),
        ("{action: DENY, rules: [{from: [{source: {notPrincipals: [a]}}]}]}", "a]"),
        ("{action: DENY, rules: [{}]}", "{}]}"),
        ("{rules: [{to: [{operation: {hosts: [a]}}]}]}", "a]}}]}]}"),
        ("{rules: [{to: [{operation: {hosts: ['*'], ports: ['443']}}]}]}", "'443'"),
    ],
)
def test_a_denial_points_at_the_condition_that_decides(spec: str, start: str) -> None:
    target = TARGET + policy(spec)
    (finding,) = judge(target=target).findings
    assert target.splitlines()[finding.place.line - 1][finding.place.column - 1 :].startswith(start)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("{rules: [{to: [{operation: {methods: GET}}]}]}", "`methods` is the text `GET` where a list is meant"),
        ("{action: deny, rules: [{}]}", "`action: deny` is none of ALLOW, DENY, AUDIT, CUSTOM (did you mean `DENY`?)"),
        ("{action: DENY, rules: [{to: [{operation: {}}]}]}", "`operation` asks for nothing"),
    ],
)
def test_a_policy_that_is_refused_denies_nothing(spec: str, said: str) -> None:
    assert fates(spec) == LET_THROUGH
    (finding,) = judge(target=TARGET + policy(spec)).findings
    assert (finding.level, finding.rule) == ("error", "refused-by-istio")
    assert finding.message.endswith(f"AuthorizationPolicy istio-system/edge, so it never takes effect: {said}")


def test_a_dry_run_denies_nothing() -> None:
    dry = "{name: edge, namespace: istio-system, annotations: {istio.io/dry-run: 'true'}}"
    report = judge(target=TARGET + policy("{}", dry))
    assert (report.findings, report.blind_spots) == ((), ())


@pytest.mark.parametrize(("namespace", "spots"), [("default", 0), ("edge", 1)])
def test_a_policy_for_applications_is_not_taken_to_be_for_gateways_of_an_unknown_namespace(namespace: str, spots: int) -> None:
    target = TARGET.replace("metadata: {name: ingress}", "metadata: {name: ingress, namespace: edge}").replace(
        "[ingress]", "[edge/ingress]"
    )
    report = judge(target=target + "\n---\n" + policy("{}", f"{{name: all, namespace: {namespace}}}").lstrip("\n-"))
    assert (report.findings, len(report.blind_spots)) == ((), spots)


def test_a_policy_of_another_namespace_is_nobodys_business_where_the_gateways_is_known() -> None:
    pods = "{metadata: {labels: {istio: ingressgateway}}}"
    deployment = f"\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: gw, namespace: edge}}\nspec: {{template: {pods}}}\n"
    report = judge(target=TARGET + deployment + policy("{}", "{name: all, namespace: apps}"))
    assert (report.findings, report.blind_spots) == ((), ())
    assert levels(judge(target=TARGET + deployment + policy("{}", "{name: all, namespace: edge}"))) == [("error", "shadow-denied")]


@pytest.mark.parametrize(
    "spec",
    [
        "{rules: [{from: [{source: {requestPrincipals: ['*']}}]}]}",
        "{action: DENY, rules: [{from: [{source: {ipBlocks: [10.0.0.0/8]}}]}]}",
        "{rules: [{to: [{operation: {paths: ['/{*}']}}]}]}",
        "{action: CUSTOM, provider: {name: opa}, rules: [{}]}",
    ],
    ids=["a token", "an address", "a path template", "another program"],
)
def test_what_manifests_do_not_tell_is_a_blind_spot(spec: str) -> None:
    report = judge(target=TARGET + policy(spec))
    assert report.findings == ()
    assert ["AuthorizationPolicy istio-system/edge" in spot.message for spot in report.blind_spots] == [True]


def test_a_policy_that_asks_another_program_for_other_hosts_is_none_of_a_shadows() -> None:
    report = judge(target=TARGET + policy("{action: CUSTOM, provider: {name: opa}, rules: [{to: [{operation: {hosts: [admin]}}]}]}"))
    assert (report.findings, report.blind_spots) == ((), ())


def test_the_finding_points_at_what_the_policy_asks_for() -> None:
    (finding,) = judge(target=TARGET + policy(hosts("shop.example.com"))).findings
    assert (finding.level, finding.rule, finding.cluster) == ("error", "shadow-denied", "stage")
    assert (
        (TARGET + policy(hosts("shop.example.com"))).splitlines()[finding.place.line - 1][finding.place.column :].startswith("shop.example")
    )


SERVER = "servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]"
TLS_SERVER = "servers: [{port: {number: 443, name: https, protocol: HTTPS}, tls: {mode: SIMPLE, credentialName: cert}, hosts: ['*']}]"
PODS = (
    "\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: gw}\nspec: {template: {metadata: {labels: {istio: ingressgateway}}}}\n"
)


def over_tls(names: str, tls: str, entry: str = "") -> Report:
    rule = f"""
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {{name: stage}}
spec: {{host: stage.example.com, trafficPolicy: {{tls: {{mode: SIMPLE, {tls}}}}}}}
"""
    source = SOURCE.replace("number: 80, name: http", "number: 443, name: https").replace("port: {number: 80}", "port: {number: 443}")
    certificate = (
        f"\n---\napiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {{name: c}}\nspec: {{secretName: cert, dnsNames: {names}}}\n"
    )
    source = source.replace("resolution: DNS}", f"resolution: DNS{entry}}}")
    return judge(source=source + rule, target=TARGET.replace(SERVER, TLS_SERVER) + PODS + certificate)


@pytest.mark.parametrize(
    ("names", "tls"),
    [
        ("[stage.example.com]", "sni: stage.example.com"),
        ("[stage.example.com]", "sni: x.example.com, subjectAltNames: [stage.example.com]"),
        ("['*.example.com']", "sni: x.example.com, subjectAltNames: [stage.example.com]"),
        ("[other.example.com]", "insecureSkipVerify: true"),
        ("[other.example.com], uris: ['spiffe://stage/ingress']", "sni: x.example.com, subjectAltNames: ['spiffe://stage/ingress']"),
    ],
    ids=["an SNI alone is not verified", "a name that it has", "a wildcard", "no verification", "a URI"],
)
def test_a_certificate_that_is_good_enough(names: str, tls: str) -> None:
    assert over_tls(names, tls).findings == ()


@pytest.mark.parametrize(
    ("names", "tls", "entry", "wanted"),
    [
        ("[stage.example.com]", "", "", "`shop.default.svc.cluster.local"),
        ("['*.example.com']", "subjectAltNames: [a.b.example.com]", "", "`a.b.example.com`"),
        ("[stage.example.com]", "", ", subjectAltNames: [spiffe.example.com]", "`spiffe.example.com`"),
    ],
    ids=["the shadow's Host", "two labels for one wildcard", "what the entry asks for"],
)
def test_a_certificate_for_other_names_is_an_error(names: str, tls: str, entry: str, wanted: str) -> None:
    (finding,) = over_tls(names, tls, entry).findings
    assert (finding.level, finding.rule) == ("error", "certificate-for-other-host")
    assert wanted in finding.message


@pytest.mark.parametrize(
    ("cluster", "target", "what"),
    [
        ("stage", TARGET + policy(hosts("other")), "a policy that allows it"),
        ("prod", TARGET.replace("protocol: HTTP}", "protocol: HTTPS}, tls: {mode: SIMPLE, credentialName: c}"), "a DestinationRule for it"),
    ],
)
def test_what_may_live_elsewhere_makes_a_loss_doubtful(cluster: str, target: str, what: str, tmp_path: Path) -> None:
    complete = {name: str(name != cluster).lower() for name in ("prod", "stage")}
    clusters = "".join(f"  {name}: {{paths: [{name}], complete: {value}}}\n" for name, value in complete.items())
    write(tmp_path, {".mirrorlint.yaml": f"clusters:\n{clusters}", "prod/a.yaml": SOURCE, "stage/a.yaml": target})
    (finding,) = check(load(tmp_path)).findings
    assert finding.level == "warning"
    assert finding.message.endswith(f" (unless {what} is among the objects of {cluster} that live elsewhere)")


REFERRED = """
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: ingress}
spec: {gatewayClassName: istio, listeners: [{name: http, port: 80, protocol: HTTP}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop}
spec: {parentRefs: [{name: ingress}], rules: [{backendRefs: [{name: shop, port: 80}]}]}
"""


@pytest.mark.parametrize(
    ("spec", "namespace", "expected"),
    [
        ("{targetRefs: [{kind: Gateway, group: gateway.networking.k8s.io, name: ingress}], action: DENY, rules: [{}]}", "default", DENIED),
        ("{targetRef: {kind: Gateway, group: gateway.networking.k8s.io, name: ingress}, action: DENY, rules: [{}]}", "default", DENIED),
        (
            "{targetRefs: [{kind: Gateway, group: gateway.networking.k8s.io, name: other}], action: DENY, rules: [{}]}",
            "default",
            LET_THROUGH,
        ),
        ("{targetRefs: [{kind: Gateway, group: gateway.networking.k8s.io, name: ingress}], action: DENY, rules: [{}]}", "x", LET_THROUGH),
        ("{targetRefs: [{kind: Service, group: '', name: ingress}], action: DENY, rules: [{}]}", "default", LET_THROUGH),
    ],
)
def test_a_policy_may_refer_to_a_gateway(spec: str, namespace: str, expected: dict[str, str]) -> None:
    stage = TARGET.partition("---")[0] + REFERRED + policy(spec, f"{{name: edge, namespace: {namespace}}}")
    fleet = loads({"prod": SOURCE, "stage": stage})
    assert {world: fleet.follow(CALL, istio=world)[0].reason for world in ("1.27", "1.28")} == expected


@pytest.mark.parametrize("kind", ["Deployment", "DaemonSet", "StatefulSet"])
def test_a_policy_selects_the_gateways_pods_whatever_deploys_them(kind: str) -> None:
    template = "{metadata: {labels: {app: edge, istio: ingressgateway}}, spec: {containers: [{name: istio-proxy}]}}"
    pods = f"\n---\napiVersion: apps/v1\nkind: {kind}\nmetadata: {{name: edge, namespace: istio-system}}\nspec: {{template: {template}}}\n"
    closed = policy("{selector: {matchLabels: {app: edge}}, action: DENY, rules: [{}]}")
    report = check(loads({"prod": SOURCE, "stage": TARGET + pods + closed}))
    assert [finding.rule for finding in report.findings] == ["shadow-denied"]


def test_a_policy_that_may_be_for_the_gateway_allows_nothing_for_certain() -> None:
    maybe = policy("{action: ALLOW, rules: [{}]}", "{name: maybe, namespace: somewhere}")
    report = check(loads({"prod": SOURCE, "stage": TARGET + policy(hosts("other.example.com")) + maybe}))
    assert not report.findings
    assert [spot.message.partition(":")[0] for spot in report.blind_spots] == ["AuthorizationPolicy somewhere/maybe"]


@pytest.mark.parametrize(
    ("side", "namespace", "rules"),
    [("stage", "istio-system", ["refused-by-istio"]), ("stage", "payments", []), ("prod", "istio-system", [])],
)
def test_a_refused_policy_is_told_where_it_is_for_the_gateway_that_shadows_come_to(side: str, namespace: str, rules: list[str]) -> None:
    refused = policy("{action: DENY}", f"{{name: edge, namespace: {namespace}}}")
    pods = "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: ingress, namespace: istio-system}\n"
    pods += "spec: {template: {metadata: {labels: {istio: ingressgateway}}}}\n"
    texts = {"prod": SOURCE, "stage": TARGET + pods}
    texts[side] += refused
    assert [finding.rule for finding in check(loads(texts)).findings] == rules
