"""The Gateway API on either side, where the control plane's verdicts say nothing: ports, Services, certificates, what is not known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mirrorlint import Call, Fleet, check, load, loads
from mirrorlint.delivery.age import by_name
from mirrorlint.delivery.follow import Delivery
from mirrorlint.delivery.steps import steps
from mirrorlint.rule import Report

SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {ports: [{port: 80, name: http}]}
"""
PROD = f"""\
{SERVICE}---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: stage}}
spec:
  hosts: [stage.example.com]
  ports: [{{number: 80, name: http, protocol: HTTP}}]
  resolution: DNS
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: shop}}
spec:
  parentRefs: [{{group: "", kind: Service, name: shop}}]
  rules:
  - backendRefs: [{{name: shop, port: 80}}]
    filters:
    - type: RequestMirror
      requestMirror:
        backendRef: {{group: networking.istio.io, kind: Hostname, name: stage.example.com, port: 80}}
"""
GATEWAY = """\
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: ingress}
spec:
  gatewayClassName: istio
  listeners: [{name: http, port: 80, protocol: HTTP}]
"""
ROUTE = """\
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop}
spec:
  parentRefs: [{name: ingress}]
  rules: [{backendRefs: [{name: shop, port: 80}]}]
"""
STAGE = SERVICE + GATEWAY + ROUTE
CLASSIC = f"""\
{SERVICE}---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: ingress, namespace: istio-system}}
spec:
  selector: {{istio: ingressgateway}}
  servers: [{{port: {{number: 80, name: http, protocol: HTTP}}, hosts: ["*"]}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: shop}}
spec:
  hosts: ["*"]
  gateways: [istio-system/ingress]
  http: [{{route: [{{destination: {{host: shop}}}}]}}]
"""
INGRESS = """\
---
apiVersion: v1
kind: Service
metadata: {name: istio-ingressgateway, namespace: istio-system, annotations: {external-dns.alpha.kubernetes.io/hostname: stage.example.com}}
spec:
  type: LoadBalancer
  selector: {istio: ingressgateway}
  ports: [{name: http2, port: 80, targetPort: %s}]
"""
PODS = """\
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: istio-ingressgateway, namespace: istio-system}
spec:
  template:
    metadata: {labels: {istio: ingressgateway}}
    spec: {containers: [{name: proxy, ports: [{name: web, containerPort: 8081}]}]}
"""


def fleet(prod: str = PROD, stage: str = STAGE, **ingress: Any) -> Fleet:
    return loads({"prod": prod, "stage": stage}, ingress={"stage": ingress} if ingress else {})


def reasons(prod: str = PROD, stage: str = STAGE, path: str = "/", **ingress: Any) -> list[str]:
    call = Call("prod", "default", "shop", 80, path=path)
    return [shadow.reason for shadow in fleet(prod, stage, **ingress).follow(call, "1.28")]


def said(report: Report) -> list[tuple[str, str]]:
    return [(finding.level, finding.rule) for finding in report.findings]


def test_a_sound_pair_is_silent() -> None:
    report = check(fleet())
    assert (report.findings, report.blind_spots) == ((), ())
    assert [dict(mirror.delivery) for mirror in report.mirrors] == [{"1.27": "all", "1.28": "all"}]


@pytest.mark.parametrize(
    ("target", "number", "pods", "reason"),
    [
        ("8080", 80, "", "arrives"),
        ("8080", 8080, "", "arrives"),
        ("8080", 8443, "", "no-listener"),
        ("web", 80, PODS, "arrives"),
        ("web", 8081, PODS, "arrives"),
        ("web", 8080, PODS, "no-listener"),
        ("web", 80, "", "arrives"),
        ("web", 8080, "", "arrives"),
        ("web", 8443, "", "no-listener"),
    ],
)
def test_a_server_states_the_services_port_or_the_container_port(target: str, number: int, pods: str, reason: str) -> None:
    stage = CLASSIC.replace("number: 80", f"number: {number}") + INGRESS % target + pods
    assert reasons(stage=stage) == [reason]


def test_the_service_that_has_the_address_counts() -> None:
    inside = INGRESS.replace("istio-ingressgateway, namespace", "inside, namespace").replace("stage.example.com", "inside.example.com")
    stage = CLASSIC + INGRESS % "8080" + (inside % "8080").replace("port: 80,", "port: 81,")
    assert reasons(stage=stage) == ["arrives"]
    assert reasons(PROD.replace("{number: 80, name", "{number: 80, targetPort: 81, name"), stage) == ["no-listener"]


def test_a_service_may_leave_ports_untranslated() -> None:
    labelled = (INGRESS % "8080").replace(
        "metadata: {", "metadata: {labels: {experimental.istio.io/disable-gateway-port-translation: ''}, "
    )
    assert reasons(stage=CLASSIC + labelled) == ["no-listener"]
    assert reasons(stage=CLASSIC.replace("number: 80", "number: 8080") + labelled) == ["arrives"]


@pytest.mark.parametrize(
    "clue",
    [
        "metadata: {name: ingress, annotations: {external-dns.alpha.kubernetes.io/target: stage.example.com}}",
        "metadata: {name: ingress}\nstatus: {addresses: [{type: Hostname, value: stage.example.com}]}",
    ],
)
def test_a_managed_gateway_shows_its_address(clue: str) -> None:
    stage = STAGE.replace("metadata: {name: ingress}", clue)
    report = check(loads({"prod": PROD, "stage": stage, "test": STAGE}))
    assert (report.findings, report.blind_spots) == ((), ())
    assert reasons(PROD.replace("hosts: [stage", "hosts: [other").replace("name: stage.", "name: other."), stage) == ["elsewhere"]


def test_an_address_of_a_managed_gateway_may_be_an_ip() -> None:
    stage = STAGE.replace("  listeners", "  addresses: [{type: IPAddress, value: 203.0.113.9}]\n  listeners")
    prod = PROD.replace("resolution: DNS", "resolution: STATIC\n  endpoints: [{address: 203.0.113.9}]")
    assert reasons(prod, stage) == ["arrives"]
    assert reasons(prod.replace("203.0.113.9", "203.0.113.8"), stage) == ["elsewhere"]


def manual(address: str, service: str = "") -> str:
    stage = STAGE.replace("  listeners", f"  addresses: [{{type: Hostname, value: {address}}}]\n  listeners")
    return stage + service


@pytest.mark.parametrize(
    ("stage", "reason"),
    [
        (manual("gateway"), "arrives"),
        (manual("gateway.default.svc.cluster.local"), "arrives"),
        (manual("gateway.istio-system.svc.cluster.local"), "no-listener"),
        (manual("istio-ingressgateway", (INGRESS % "8080").replace("istio-system", "default")), "arrives"),
        (manual("istio-ingressgateway.istio-system.svc.cluster.local", INGRESS % "8080"), "no-listener"),
    ],
)
def test_a_gateway_deployed_by_hand_is_for_a_service_of_its_namespace(stage: str, reason: str) -> None:
    assert reasons(stage=stage) == [reason]


def test_a_listener_that_names_no_port_of_its_service_is_nowhere() -> None:
    service = (INGRESS % "8080").replace("istio-system", "default").replace("port: 80,", "port: 81,")
    stage = manual("istio-ingressgateway", service)
    assert reasons(PROD.replace("{number: 80, name", "{number: 80, targetPort: 81, name"), stage) == ["no-listener"]


def test_gateways_of_another_class_are_not_judged_on_either_side() -> None:
    foreign = STAGE.replace("gatewayClassName: istio", "gatewayClassName: nginx")
    edge = PROD.replace('{group: "", kind: Service, name: shop}', "{name: ingress}") + GATEWAY.replace("Name: istio", "Name: nginx")
    report = check(fleet(edge, foreign))
    assert report.findings == ()
    assert [spot.message for spot in report.blind_spots] == [
        "Gateway default/ingress: nothing tells that Istio programs Gateways of class `nginx`"
    ] * 2


def test_a_class_that_is_nearly_istios_is_asked_about() -> None:
    own = "---\napiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: {name: NAME}\n"
    own += "spec: {controllerName: istio.io/gateway-controller}\n"
    for name, meant, more in (("itsio", "istio", ""), ("edge-clas", "edge-class", own.replace("NAME", "edge-class"))):
        report = check(fleet(stage=STAGE.replace("gatewayClassName: istio", f"gatewayClassName: {name}") + more))
        told = f"nothing tells that Istio programs Gateways of class `{name}` (did you mean `{meant}`?)"
        assert f"Gateway default/ingress: {told}" in [spot.message for spot in report.blind_spots]


def test_what_of_the_gateway_api_is_not_judged_is_listed() -> None:
    attached = ROUTE.replace("{name: ingress}", "{kind: ListenerSet, name: more}").replace("name: shop}", "name: more}", 1)
    report = check(fleet(stage=STAGE + attached))
    assert report.findings == ()
    assert [spot.message for spot in report.blind_spots] == ["HTTPRoute default/more: listeners outside of Gateways are not judged"]


SETS = {"ListenerSet": "gateway.networking.k8s.io/v1", "XListenerSet": "gateway.networking.x-k8s.io/v1alpha1"}
LISTENERS = """\
---
apiVersion: VERSION
kind: KIND
metadata: {name: more}
spec: {parentRef: {name: ingress}, listeners: [{name: more, port: PORT, protocol: HTTP}]}
"""


@pytest.mark.parametrize("port", ["80", "8080"])
@pytest.mark.parametrize("kind", SETS)
def test_what_a_route_at_a_listener_outside_of_gateways_takes_is_not_judged(kind: str, port: str) -> None:
    listeners = LISTENERS.replace("VERSION", SETS[kind]).replace("KIND", kind).replace("PORT", port)
    parent = f"{{group: {SETS[kind].partition('/')[0]}, kind: {kind}, name: more}}"
    stage = STAGE.replace("port: 80, protocol: HTTP", f"port: {'80' if port == '80' else '81'}, protocol: HTTP")
    attached = stage.replace("parentRefs: [{name: ingress}]", f"parentRefs: [{parent}]\n  hostnames: [HOSTS]") + listeners
    loaded = fleet(stage=attached.replace("HOSTS", '"*.svc.cluster.local", shop, shop.default, shop.default.svc'))
    report = check(loaded, "1.28")
    assert (report.findings, [dict(mirror.delivery) for mirror in report.mirrors]) == ((), [{"1.28": "unknown"}])
    assert [spot.message for spot in report.blind_spots] == [
        f"{kind} default/more and 1 more: listeners outside of Gateways are not judged"
    ]
    (way,) = Delivery(loaded.loaded.documents.clusters, by_name).follow(Call("prod", "default", "shop", 80), "1.28")
    told = "a route at a ListenerSet of stage is for `shop`, and what those take is not followed"
    assert told in {step.text for step in steps(way, "1.28")}
    assert [finding.rule for finding in check(fleet(stage=attached.replace("HOSTS", "other.example")), "1.28").findings] != []


def test_a_mirror_of_a_route_at_a_listener_outside_of_gateways_is_not_judged() -> None:
    parent = "{group: gateway.networking.x-k8s.io, kind: XListenerSet, name: more}"
    report = check(fleet(PROD.replace('{group: "", kind: Service, name: shop}', parent)))
    assert [spot.message for spot in report.blind_spots] == ["HTTPRoute default/shop: listeners outside of Gateways are not judged"]


SECURE = CLASSIC.replace("{number: 80, name: http, protocol: HTTP}", "{number: 443, name: https, protocol: HTTPS}").replace(
    'hosts: ["*"]}]', 'hosts: ["*"], tls: {mode: SIMPLE, credentialName: shop}}]'
)
POLICY = """\
---
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: tls}
spec:
  targetRefs: [{group: networking.istio.io, kind: ServiceEntry, name: stage}]
  validation: {hostname: shop.example.com, wellKnownCACertificates: System}
"""
RULE = """\
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: stage}
spec: {host: stage.example.com, trafficPolicy: {%s}}
"""
TO_443 = PROD.replace("name: stage.example.com, port: 80", "name: stage.example.com, port: 443").replace(
    "ports: [{number: 80,", "ports: [{number: 443, name: https, protocol: HTTPS}, {number: 80,"
)


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        ("", "tls-mismatch"),
        (POLICY, "arrives"),
        (POLICY.replace("name: stage}", "name: stage, sectionName: https}"), "arrives"),
        (POLICY.replace("name: stage}", "name: stage, sectionName: http}"), "tls-mismatch"),
        (POLICY.replace("name: stage}", "name: stage, sectionName: web}"), "tls-mismatch"),
        (POLICY.replace("ServiceEntry", "Service"), "tls-mismatch"),
        (POLICY.replace("tls}", 'tls, annotations: {istio.io/ignore-policy-attachment: "true"}}'), "tls-mismatch"),
        (POLICY + RULE % "connectionPool: {tcp: {maxConnections: 1}}", "arrives"),
        (POLICY + RULE % "tls: {mode: DISABLE}", "tls-mismatch"),
        (POLICY + RULE % "portLevelSettings: [{port: {number: 443}, tls: {mode: DISABLE}}]", "tls-mismatch"),
    ],
    ids=["none", "entry", "port", "other port", "no port", "kind", "ignored", "filled", "rule decides", "rule's port decides"],
)
def test_a_backend_tls_policy_starts_the_tls_of_what_it_names(policy: str, reason: str) -> None:
    assert reasons(TO_443 + policy, SECURE, addresses=["stage.example.com"]) == [reason]
    report = check(fleet(TO_443 + policy, SECURE, addresses=["stage.example.com"]), istio="1.28")
    assert (report.findings == (), report.blind_spots) == (reason == "arrives", ())


@pytest.mark.parametrize(
    ("old", "new", "start", "why"),
    [
        ("name: stage}", "name: stage, sectionName: web}", "web", "is for port `web` of ServiceEntry `stage`, which has `https`, `http`"),
        ("name: stage}", "name: stagee}", "stagee", "is for ServiceEntry `stagee`, which is not here (did you mean `stage`?)"),
        (
            "kind: ServiceEntry",
            "kind: Service",
            "Service,",
            "would be for ServiceEntry `stage` with `group: networking.istio.io` and `kind: ServiceEntry`",
        ),
        ("name: stage}", "name: other}", "", ""),
        ("metadata: {name: tls}", "metadata: {name: tls, namespace: other}", "", ""),
    ],
)
def test_a_policy_that_is_nearly_for_a_mirrors_entry_is_pointed_at(old: str, new: str, start: str, why: str) -> None:
    prod = TO_443 + POLICY.replace(old, new)
    (finding,) = check(fleet(prod, SECURE, addresses=["stage.example.com"]), istio="1.28").findings
    near = [(note.message, note.place) for note in finding.notes if note.message.startswith("BackendTLSPolicy")]
    assert [message.removeprefix("BackendTLSPolicy default/tls ") for message, _ in near] == ([why] if why else [])
    assert all(prod.splitlines()[place.line - 1][place.column - 1 :].startswith(start) for _, place in near if place)


CERTIFICATE = """\
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: %s, namespace: %s}
spec: {secretName: %s, dnsNames: [%s]}
"""
GRANT = """\
---
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: certificates, namespace: certs}
spec: {from: [{group: gateway.networking.k8s.io, kind: Gateway, namespace: default}], to: [{group: "", kind: Secret}]}
"""
VERIFYING = RULE % "tls: {mode: SIMPLE, sni: stage.example.com, subjectAltNames: [stage.example.com]}"


@pytest.mark.parametrize(
    ("references", "certificates", "reason"),
    [
        ("[{name: a}]", [("default", "a", "'*.example.com'")], "arrives"),
        ("[{name: a}]", [("default", "a", "other.example.com")], "certificate-mismatch"),
        ("[{name: a}]", [("certs", "a", "other.example.com")], "arrives"),
        ("[{name: a, namespace: certs}]", [("certs", "a", "other.example.com")], "certificate-mismatch"),
        ("[{name: a}, {name: b}]", [("default", "a", "other.example.com")], "arrives"),
        ("[{name: a}, {name: b}]", [("default", "a", "a.example.com"), ("default", "b", "b.example.com")], "certificate-mismatch"),
        ("[{name: a}, {name: b}]", [("default", "a", "a.example.com"), ("default", "b", "stage.example.com")], "arrives"),
    ],
    ids=["its own", "another", "another namespace's", "granted", "one unknown", "neither", "the second"],
)
def test_a_listeners_certificates_have_the_name_that_is_verified(
    references: str, certificates: list[tuple[str, str, str]], reason: str
) -> None:
    listener = f"{{name: https, port: 443, protocol: HTTPS, tls: {{certificateRefs: {references}}}}}"
    stage = STAGE.replace("{name: http, port: 80, protocol: HTTP}", listener) + GRANT
    stage += "".join(CERTIFICATE % (name, namespace, name, names) for namespace, name, names in certificates)
    assert reasons(TO_443 + VERIFYING, stage, addresses=["stage.example.com"]) == [reason]


def test_a_backend_tls_policy_tells_of_itself_what_it_decides() -> None:
    wrong = POLICY.replace("hostname: shop", "hostname: other")
    strict = SECURE.replace('hosts: ["*"], tls', "hosts: [shop.example.com], tls")
    finding = check(fleet(TO_443 + wrong, strict, addresses=["stage.example.com"]), istio="1.28").findings[0]
    line = (TO_443 + wrong).splitlines().index("  validation: {hostname: other.example.com, wellKnownCACertificates: System}") + 1
    assert finding.rule == "sni-without-server"
    assert ("BackendTLSPolicy default/tls decides TLS and SNI", line) in [(note.message, note.place.line) for note in finding.notes]


def test_istio_that_heeds_backend_tls_policies_only_when_told_is_a_blind_spot(tmp_path: Path) -> None:
    (tmp_path / "prod.yaml").write_text(TO_443 + POLICY)
    (tmp_path / "stage.yaml").write_text(SECURE)
    (tmp_path / ".mirrorlint.yaml").write_text('clusters: {prod: {paths: [prod.yaml], istio: "1.27"}, stage: {paths: [stage.yaml]}}')
    assert [spot.message for spot in check(load(tmp_path)).blind_spots] == [
        "BackendTLSPolicy default/tls: Istio 1.27 starts the TLS only if PILOT_ENABLE_ALPHA_GATEWAY_API is set, which it is taken to be"
    ]


@pytest.mark.parametrize(("controller", "reason"), [("istio.io/gateway-controller", "arrives"), ("nginx.org/gateway", "unknown")])
def test_the_class_tells_whose_gateway_it_is(controller: str, reason: str) -> None:
    kind = "---\napiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: {name: edge}\nspec: {controllerName: %s}\n"
    assert reasons(stage=STAGE.replace("Name: istio", "Name: edge") + kind % controller) == [reason]


ALLOWED = "protocol: HTTP, allowedRoutes: {namespaces: {from: Selector, selector: %s}}}"
LABELLED = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: default, labels: {team: shop}}\n"


@pytest.mark.parametrize(
    ("selector", "namespaces", "reason"),
    [
        ("{matchLabels: {team: shop}}", "", "arrives"),
        ("{matchLabels: {team: other}}", LABELLED, "no-virtual-host"),
        ("{matchLabels: {team: shop}}", LABELLED, "arrives"),
        ("{matchLabels: {kubernetes.io/metadata.name: other}}", "", "no-virtual-host"),
        ("{matchExpressions: [{key: team, operator: NotIn, values: [shop]}]}", LABELLED, "no-virtual-host"),
        ("{matchExpressions: [{key: team, operator: Exists}]}", LABELLED, "arrives"),
    ],
)
def test_labels_of_namespaces_without_a_manifest_are_taken_to_fit(selector: str, namespaces: str, reason: str) -> None:
    stage = STAGE.replace("protocol: HTTP}", ALLOWED % selector) + namespaces
    assert reasons(stage=stage) == [reason]


def test_a_namespace_whose_labels_no_manifest_shows_is_not_judged() -> None:
    stage = STAGE.replace("protocol: HTTP}", ALLOWED % "{matchLabels: {team: shop}}")
    report = check(fleet(stage=stage))
    why = "whether it takes routes of `default` depends on labels that no manifest shows"
    assert (report.findings, [spot.message for spot in report.blind_spots]) == ((), [f"Gateway default/ingress, listener `http`: {why}"])
    for decided in (stage + LABELLED, STAGE.replace("protocol: HTTP}", ALLOWED % "{matchLabels: {kubernetes.io/metadata.name: default}}")):
        assert check(fleet(stage=decided)).blind_spots == ()
    other = ROUTE.replace("{name: shop}", "{name: shop, namespace: other}")
    assert check(fleet(stage=stage.replace(ROUTE, other))).findings != ()


def test_a_route_without_rules_says_so() -> None:
    bare = STAGE[: STAGE.rindex("  rules:")] + "  rules: []\n"
    (finding,) = check(loads({"prod": PROD, "stage": bare})).findings
    assert "it has no `rules`" in finding.message


@pytest.mark.parametrize("kind", ["HTTPRoute", "Gateway"])
def test_a_variable_in_a_host_waits_to_be_filled_in(kind: str) -> None:
    hosts = "\n  hostnames: ['shop.${DOMAIN}']" if kind == "HTTPRoute" else ""
    listener = ", hostname: '*.${DOMAIN}'" if kind == "Gateway" else ""
    stage = STAGE.replace("parentRefs: [{name: ingress}]", f"parentRefs: [{{name: ingress}}]{hosts}").replace(
        "protocol: HTTP}]", f"protocol: HTTP{listener}}}]"
    )
    report = check(loads({"prod": PROD, "stage": stage}))
    assert "refused-by-istio" not in {finding.rule for finding in report.findings}
    assert any("waits to be filled in" in spot.message for spot in report.blind_spots)


def test_a_part_of_a_gateway_without_listeners_is_not_refused() -> None:
    part = (
        "---\napiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: other}\nspec: {addresses: [{value: a.example}]}\n"
    )
    assert check(loads({"prod": PROD, "stage": STAGE + part})).findings == check(loads({"prod": PROD, "stage": STAGE})).findings


AMBIENT = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: default, labels: {istio.io/dataplane-mode: ambient%s}}\n"
WAYPOINT = """\
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: waypoint%s}
spec: {gatewayClassName: istio-waypoint, listeners: [{name: mesh, port: 15008, protocol: HBONE}]}
"""
USED = AMBIENT % ", istio.io/use-waypoint: waypoint"
FOR_WORKLOADS = ", labels: {istio.io/waypoint-for: workload}"


@pytest.mark.parametrize(
    ("more", "start", "why"),
    [
        pytest.param(USED + WAYPOINT % "", "", "", id="has one"),
        pytest.param(USED.replace("ambient", "none"), "", "", id="not ambient"),
        pytest.param(AMBIENT % "", "ambient", "no `istio.io/use-waypoint` names its waypoint", id="no label"),
        pytest.param(USED, "waypoint}}", "its waypoint, Gateway default/waypoint, is not here", id="no Gateway"),
        pytest.param(
            USED + WAYPOINT % FOR_WORKLOADS, "workload", "its waypoint, Gateway default/waypoint, is for `workload`", id="for workloads"
        ),
        pytest.param(
            AMBIENT % ", istio.io/use-waypoint: waypoint, istio.io/use-waypoint-namespace: mesh" + WAYPOINT % ", namespace: mesh",
            "",
            "",
            id="in another namespace",
        ),
    ],
)
def test_what_ambient_pods_send_is_mirrored_by_waypoints_alone(more: str, start: str, why: str) -> None:
    prod = PROD + more
    report = check(fleet(prod, addresses=["stage.example.com"]), istio="1.28")
    assert report.findings == ()
    said = f"Service default/shop: {why}, so whether what ambient pods send there is mirrored is not judged"
    assert [spot.message for spot in report.blind_spots] == ([said] if why else [])
    assert all(start in prod.splitlines()[spot.line - 1] for spot in report.blind_spots)


def test_the_label_of_a_service_counts_before_that_of_its_namespace() -> None:
    opted_out = PROD.replace(
        "metadata: {name: shop}\nspec: {ports", "metadata: {name: shop, labels: {istio.io/use-waypoint: none}}\nspec: {ports"
    )
    assert opted_out != PROD
    (spot,) = check(fleet(opted_out + USED + WAYPOINT % "", addresses=["stage.example.com"]), istio="1.28").blind_spots
    assert opted_out.splitlines()[spot.line - 1].startswith("metadata: {name: shop, labels:")


@pytest.mark.parametrize(
    ("labels", "unjudged"),
    [
        (", istio.io/use-waypoint: waypoint, istio.io/ingress-use-waypoint: 'true'", True),
        (", istio.io/use-waypoint: waypoint, istio.io/ingress-use-waypoint: 'false'", False),
        (", istio.io/use-waypoint: waypoint", False),
        (", istio.io/ingress-use-waypoint: 'true'", False),
    ],
)
def test_what_a_waypoint_of_the_target_makes_of_shadows_is_not_judged(labels: str, *, unjudged: bool) -> None:
    stage = STAGE + AMBIENT % labels + WAYPOINT % ""
    report = check(fleet(stage=stage, addresses=["stage.example.com"]), istio="1.28")
    assert report.findings == ()
    told = "Service default/shop: what its waypoint, which the gateway sends shadows through, makes of them is not judged"
    assert [spot.message for spot in report.blind_spots] == [told] * unjudged
