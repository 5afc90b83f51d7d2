"""What a report says beyond single rules: levels, blind spots, and what cannot be told."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
from repositories import write

from mirrorlint import check, load, loads
from mirrorlint.delivery.mesh import Mesh
from mirrorlint.engine import lint
from mirrorlint.loading import read_texts
from mirrorlint.rule import Report

SOURCE = """
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: stage}
spec: {hosts: [stage.example.com], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: [shop]
  http:
    - route: [{destination: {host: shop}}]
      mirror: {host: stage.example.com, port: {number: 80}}
"""
TARGET = """
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: ingress}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec: {hosts: ['*'], gateways: [ingress], http: [{route: [{destination: {host: shop}}]}]}
"""
REFUSING = TARGET.replace("{hosts: ['*'], gateways", "{hosts: [shop.example.com], gateways")
FOREIGN = """
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: shop}
spec: {gatewayClassName: nginx, listeners: [{name: web, port: 80, protocol: HTTP}]}
"""
FILTER = """
---
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: hosts, namespace: istio-system}
spec: {configPatches: [{applyTo: HTTP_ROUTE}]}
"""


def judge(source: str = SOURCE, target: str = TARGET) -> Report:
    return check(loads({"prod": source, "stage": target}))


def levels(report: Report) -> list[tuple[str, str]]:
    return [(finding.level, finding.rule) for finding in report.findings]


def test_a_sound_pair_is_silent() -> None:
    report = judge()
    assert (report.findings, report.blind_spots) == ((), ())
    assert [dict(mirror.delivery) for mirror in report.mirrors] == [{"1.27": "all", "1.28": "all"}]


def test_a_gateway_of_another_class_is_a_blind_spot_that_may_hold_what_is_missing() -> None:
    report = judge(target=REFUSING + FOREIGN)
    assert levels(report) == [("warning", "shadow-host-not-accepted")]
    assert report.blind_spots[0].message == "Gateway default/shop: nothing tells that Istio programs Gateways of class `nginx`"


def test_an_envoy_filter_is_a_blind_spot() -> None:
    report = judge(source=SOURCE + FILTER)
    assert report.findings == ()
    assert [spot.message.split(":")[0] for spot in report.blind_spots] == ["EnvoyFilter istio-system/hosts"]


def test_what_istio_does_not_program_or_send_on_is_no_blind_spot() -> None:
    inbound = FILTER.replace("{applyTo: HTTP_ROUTE}", "{applyTo: HTTP_FILTER, match: {context: SIDECAR_INBOUND}}")
    report = judge(target=TARGET + FOREIGN.replace("nginx", "istio-waypoint") + inbound)
    assert (report.findings, report.blind_spots) == ((), ())


def test_an_envoy_filter_without_mirrors_is_nobodys_business() -> None:
    assert check(loads({"prod": FILTER})).blind_spots == ()


def test_an_assumed_link_says_so_at_the_endpoint() -> None:
    (finding,) = judge(target=REFUSING).findings
    assert finding.level == "error"
    assert any("taken to be stage's ingress" in note.message and note.place.line == 10 for note in finding.notes)


def test_a_destination_that_gets_a_share_loses_no_more_than_that() -> None:
    split = "[{destination: {host: shop}, weight: 90}, {destination: {host: shop-v2}, weight: 10}]"
    report = judge(target=TARGET.replace("[{destination: {host: shop}}]", split))
    assert levels(report) == [("warning", "target-route-to-unknown-host")]
    assert report.findings[0].message.endswith("stage's gateway answers its share, 10 % of the shadows, 503")
    assert [dict(mirror.delivery) for mirror in report.mirrors] == [{"1.27": "some", "1.28": "some"}]


def test_whether_a_gateway_of_an_unknown_namespace_sees_an_entry_is_a_blind_spot() -> None:
    source = SOURCE.replace("resolution: DNS", "resolution: DNS, exportTo: [.]").replace(
        "hosts: [shop]", "hosts: [shop.example]\n  gateways: [edge]"
    )
    source += "---\napiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: edge}\n"
    source += "spec: {selector: {istio: edge}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}\n"
    report = judge(source)
    assert report.findings == ()
    told = "ServiceEntry default/stage is not for all namespaces, and nothing tells in which one prod's ingress gateway runs"
    assert [spot.message for spot in report.blind_spots] == [told]
    public = judge(source.replace("exportTo: [.]", "exportTo: ['*']"))
    assert public.blind_spots == ()


def test_past_a_destination_that_may_be_elsewhere_the_shadow_is_followed_on(tmp_path: Path) -> None:
    own = "---\napiVersion: networking.istio.io/v1\n" + SOURCE.partition("---\napiVersion: networking.istio.io/v1\n")[2]
    settings = "clusters: {prod: {paths: [prod], complete: false}, stage: {paths: [stage], complete: false}}\n"
    for target, rules in ((TARGET, []), (REFUSING, ["shadow-host-not-accepted"]), (TARGET.replace("{host: shop}", "{host: gone}"), [])):
        write(tmp_path, {".mirrorlint.yaml": settings, "prod/a.yaml": own, "stage/a.yaml": target})
        assert [finding.rule for finding in check(load(tmp_path)).findings] == ["route-to-unknown-host", *rules]


def test_which_of_two_clusters_is_meant_is_a_blind_spot() -> None:
    report = check(loads({"prod": SOURCE, "stage": TARGET, "test": TARGET}))
    assert report.findings == ()
    said = "which cluster `stage.example.com` leads to is not known; `ingress:` settles it, or `external:` for what is no cluster's here"
    assert report.blind_spots[0].message == f"1 mirror is followed to the endpoint only: {said}"
    other = SOURCE.replace("shop", "other")
    several = check(loads({"prod": f"{SOURCE}---{other}", "stage": TARGET, "test": TARGET})).blind_spots
    assert several[0].message == f"2 mirrors are followed to the endpoint only: {said}"
    assert dict(report.mirrors[0].delivery) == {"1.27": "unknown", "1.28": "unknown"}


def test_a_gateway_that_names_the_entry_settles_which_cluster_is_meant() -> None:
    named = REFUSING.replace("hosts: ['*']}]", "hosts: ['*', stage.example.com]}]")
    report = check(loads({"prod": SOURCE, "stage": named, "test": TARGET}))
    assert levels(report) == [("error", "shadow-host-not-accepted")]


@pytest.mark.parametrize("clue", ["externalIPs: [203.0.113.9]", "loadBalancerIP: 203.0.113.9"])
def test_the_ingress_service_settles_which_cluster_is_meant(clue: str) -> None:
    service = f"""
---
apiVersion: v1
kind: Service
metadata: {{name: ingress, namespace: istio-system}}
spec: {{type: LoadBalancer, {clue}, selector: {{istio: ingressgateway}}, ports: [{{name: http, port: 80, targetPort: 8080}}]}}
"""
    source = SOURCE.replace("resolution: DNS}", "resolution: STATIC, endpoints: [{address: 203.0.113.9}]}")
    clusters = {"prod": source, "stage": REFUSING + service, "test": TARGET}
    assert levels(check(loads(clusters))) == [("error", "shadow-host-not-accepted")]
    assert check(loads({**clusters, "prod": source.replace("203.0.113.9", "198.51.100.1")})).findings == ()


def test_the_ingress_services_ports_are_followed() -> None:
    service = """
---
apiVersion: v1
kind: Service
metadata: {name: ingress, namespace: istio-system}
spec: {selector: {istio: ingressgateway}, ports: [{name: http, port: 8000, targetPort: 80}]}
"""
    assert levels(judge(target=TARGET + service)) == [("error", "ingress-without-listener")]
    assert judge(SOURCE.replace("number: 80, name: http", "number: 80, targetPort: 8000, name: http"), TARGET + service).findings == ()


@pytest.mark.parametrize(("port", "level"), [(80, None), (8080, None), (8081, "error")])
def test_without_an_ingress_service_the_default_ports_are_accepted(port: int, level: str | None) -> None:
    report = judge(target=TARGET.replace("{number: 80,", f"{{number: {port},"))
    assert [finding.level for finding in report.findings] == ([level] if level else [])


def test_a_selector_is_no_error_while_the_gateways_pods_are_not_known() -> None:
    assert judge(target=TARGET.replace("istio: ingressgateway", "app: my-own-gateway")).findings == ()


def test_the_gateways_pods_are_those_of_its_deployment() -> None:
    deployment = """
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ingress, namespace: gateways}
spec: {template: {metadata: {labels: {istio: ingressgateway, app: gateway}}}}
"""
    assert judge(target=TARGET + deployment).findings == ()
    hidden = TARGET.replace("{hosts: ['*'], gateways", "{exportTo: [default], hosts: ['*'], gateways")
    assert levels(judge(target=hidden + deployment)) == [("error", "shadow-host-not-accepted")]
    assert judge(target=hidden).findings == ()


def test_two_gateways_of_equal_age_for_one_name_are_not_decided_by_the_order_of_files() -> None:
    twin = """
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: %s}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: %s, protocol: %s}, hosts: ['*']%s}]
"""
    plain, secure = twin % ("ingress", "http", "HTTP", ""), twin % ("other", "https", "HTTPS", ", tls: {mode: SIMPLE, credentialName: c}")
    rest = TARGET.split("---")[2]
    for first, second in ((plain, secure), (secure, plain)):
        report = judge(target="---".join((first, second, TARGET.split("---", maxsplit=1)[0], rest)))
        assert "error" not in {finding.level for finding in report.findings}
        assert [set(dict(mirror.delivery).values()) for mirror in report.mirrors] == [{"all"}]


def test_external_targets_are_nobodys_ingress() -> None:
    report = check(loads({"prod": SOURCE, "stage": REFUSING}, ingress={"stage": ["203.0.113.9"]}))
    assert report.findings == ()
    assert dict(report.mirrors[0].delivery) == {"1.27": "unknown", "1.28": "unknown"}


PUBLIC = """
---
apiVersion: v1
kind: Service
metadata: {name: public, namespace: istio-system}
spec: {type: LoadBalancer, loadBalancerIP: 203.0.113.9, selector: {istio: public}, ports: [{name: http, port: 80}]}
"""
STATIC = SOURCE.replace("resolution: DNS}", "resolution: STATIC, endpoints: [{address: 203.0.113.9}]}")


def test_a_shadow_goes_to_the_gateway_whose_address_it_is_sent_to() -> None:
    two = TARGET.replace("istio: ingressgateway", "istio: internal") + TARGET.split("---")[1].replace("ingress}", "public}").replace(
        "istio: ingressgateway", "istio: public"
    ).join(("---", PUBLIC))
    (finding,) = judge(STATIC, two).findings
    assert (finding.level, finding.rule) == ("error", "shadow-host-not-accepted")
    assert "is bound to `default/ingress`, not to `default/public`" in finding.message
    assert judge(STATIC, two.replace("gateways: [ingress]", "gateways: [public]")).findings == ()


def test_a_misspelt_selector_is_seen_where_the_ingress_service_is_at_hand() -> None:
    (finding,) = judge(STATIC, TARGET.replace("istio: ingressgateway", "istio: pubilc") + PUBLIC).findings
    assert finding.rule == "ingress-without-listener"
    assert "but selects pods with" in finding.message
    assert judge(STATIC, TARGET.replace("istio: ingressgateway", "istio: public") + PUBLIC).findings == ()


def test_the_load_balancer_of_something_else_is_no_ingress() -> None:
    other = PUBLIC.replace("istio: public", "app: db")
    assert levels(judge(target=REFUSING + other)) == [("error", "shadow-host-not-accepted")]


def test_a_snapshots_status_tells_the_address() -> None:
    snapshot = PUBLIC.replace("loadBalancerIP: 203.0.113.9, ", "") + "status: {loadBalancer: {ingress: [{ip: 203.0.113.9}]}}\n"
    clusters = {"prod": STATIC, "stage": REFUSING.replace("istio: ingressgateway", "istio: public") + snapshot, "test": TARGET}
    assert levels(check(loads(clusters))) == [("error", "shadow-host-not-accepted")]


@pytest.mark.parametrize(
    "chart",
    [
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: shop}\n",
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: shop}\nspec: {source: {chart: shop}}\n",
    ],
    ids=["HelmRelease", "Application"],
)
def test_what_a_chart_may_hold_is_not_called_missing(chart: str) -> None:
    without = "---".join(TARGET.split("---")[1:])
    assert levels(judge(target=without)) == [("error", "target-route-to-unknown-host")]
    report = judge(target=f"{without}---\n{chart}")
    assert levels(report) == [("warning", "target-route-to-unknown-host")]
    assert "default/shop: what it installs is not rendered" in report.blind_spots[0].message


def test_what_flux_fills_in_is_not_judged() -> None:
    report = judge(SOURCE.replace("stage.example.com", "'stage.${domain}'"))
    assert report.findings == ()
    assert {spot.message.split(":")[0] for spot in report.blind_spots} == {"ServiceEntry default/stage", "VirtualService default/shop"}


POLICY = """
---
apiVersion: security.istio.io/v1
kind: %s
metadata: {name: edge, namespace: gateways}
spec: {selector: {matchLabels: {%s}}}
"""


def test_a_policy_that_selects_the_gateways_pods_is_taken_to_be_for_them() -> None:
    assert levels(judge(target=TARGET + POLICY % ("AuthorizationPolicy", "istio: ingressgateway"))) == [("error", "shadow-denied")]
    report = judge(target=TARGET + POLICY % ("AuthorizationPolicy", "app: shop"))
    assert (report.findings, report.blind_spots) == ((), ())


def test_whether_the_gateway_takes_a_copied_token_is_a_blind_spot() -> None:
    report = judge(target=TARGET + POLICY % ("RequestAuthentication", "istio: ingressgateway"))
    assert report.findings == ()
    assert "RequestAuthentication gateways/edge" in report.blind_spots[0].message
    assert judge(target=TARGET + POLICY % ("RequestAuthentication", "app: shop")).blind_spots == ()


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("security.istio.io/v1, kind: RequestAuthentication", "{selector: {matchLabels: {app: payments}}}"),
        ("security.istio.io/v1, kind: RequestAuthentication", "{targetRefs: [{kind: Service, name: web}]}"),
        (
            "networking.istio.io/v1alpha3, kind: EnvoyFilter",
            "{workloadSelector: {labels: {app: payments}}, configPatches: [{applyTo: CLUSTER}]}",
        ),
    ],
)
def test_what_is_for_other_pods_than_the_gateways_is_no_blind_spot(kind: str, spec: str) -> None:
    written = f"---\n{{apiVersion: {kind}, metadata: {{name: a, namespace: istio-system}}, spec: {spec}}}\n"
    assert judge(target=TARGET + written).blind_spots == ()
    ours = written.replace("app: payments", "istio: ingressgateway").replace("targetRefs: [{kind: Service, name: web}]", "")
    assert len(judge(target=TARGET + ours).blind_spots) == 1


def test_an_envoy_filter_for_some_callers_of_a_mirror_is_a_blind_spot() -> None:
    some = FILTER.replace("spec: {", "spec: {workloadSelector: {labels: {app: payments}}, ")
    assert len(judge(source=SOURCE + some).blind_spots) == 1


def test_percentages_of_a_rule_that_mirrors_nothing_say_nothing() -> None:
    without = "    - route: [{destination: {host: shop}}]\n      mirrorPercent: 5\n      mirrorPercentage: {value: 0}\n"
    assert judge(source=SOURCE + without).findings == ()


def test_what_waits_for_a_template_is_not_judged() -> None:
    report = judge(SOURCE.replace("stage.example.com", "'stage.{{ domain }}'"))
    assert report.findings == ()
    assert all("waits to be filled in" in spot.message for spot in report.blind_spots)
    assert len(report.blind_spots) == 2


@pytest.mark.parametrize("host", ["<stage-host>", "$(STAGE)", "$STAGE", "%STAGE%.example.com", "@STAGE@", "STAGE_PLACEHOLDER", "CHANGE_ME"])
def test_what_only_stands_for_a_value_is_not_refused(host: str) -> None:
    report = judge(SOURCE.replace("stage.example.com", f"'{host}'"))
    assert report.findings == ()
    assert any(spot.message.endswith(f": `{host}` waits to be filled in") for spot in report.blind_spots)
    refused = judge(SOURCE.replace("stage.example.com", "'stage_host'"))
    assert {finding.rule for finding in refused.findings} == {"refused-by-istio"}


def test_what_looks_like_a_variable_in_a_program_waits_for_nothing() -> None:
    pod = "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, command: [sh, -c, 'echo ${CODE}']}]}}"
    kinds = '{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: i, annotations: {snippet: "a\\nset $b ${c};"}}, spec: {}}'
    assert judge(SOURCE + f"\n---\n{pod}\n---\n{kinds}\n", TARGET).blind_spots == ()


@pytest.mark.parametrize(
    ("kind", "level"), [("cert-manager.io/v1, kind: Certificate", "error"), ("networking.istio.io/v1, kind: Sidecar", "warning")]
)
def test_no_host_is_missing_for_want_of_a_certificate(kind: str, level: str) -> None:
    waiting = f"\n---\n{{apiVersion: {kind}, metadata: {{name: a}}, spec: {{secretName: '${{NAME}}'}}}}\n"
    report = judge(SOURCE.replace("hosts: [stage.example.com]", "hosts: [other.example.com]") + waiting)
    assert levels(report) == [(level, "mirror-to-unknown-host")]
    assert [spot.line for spot in report.blind_spots] == [(SOURCE + waiting).splitlines().index(waiting.splitlines()[2]) + 1]


def test_a_long_value_that_waits_is_told_in_short() -> None:
    told = [spot.message for spot in judge(SOURCE.replace("stage.example.com", "'${" + "A" * 500 + "}'")).blind_spots]
    assert any("waits to be filled in" in message for message in told)
    assert max(map(len, told)) < 200


def test_a_gateway_of_another_class_may_take_a_shadow_but_holds_no_service() -> None:
    foreign = "\n---\napiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: {name: nginx}\nspec: {gatewayClassName: nginx}\n"
    assert levels(judge(target=REFUSING + foreign)) == [("warning", "shadow-host-not-accepted")]
    source = SOURCE.replace("hosts: [stage.example.com]", "hosts: [test.example.com]") + foreign
    assert levels(judge(source=source)) == [("error", "mirror-to-unknown-host")]


def test_what_the_other_versions_lose_in_part_is_a_note() -> None:
    report = judge(target=TARGET.replace("hosts: ['*'], gateways", "hosts: [shop.default.svc.cluster.local-shadow], gateways"))
    (finding,) = report.findings
    assert (finding.level, finding.worlds) == ("error", ("1.28",))
    assert [note.message.endswith("; with Istio up to 1.27") for note in finding.notes if "lost for" in note.message] == [True]


BOTH_SOURCES = TARGET.replace(
    "port: {number: 80, name: http, protocol: HTTP}, hosts", "port: {number: 443, name: tls, protocol: HTTPS}, hosts"
).replace("hosts: ['*']}]", "hosts: ['*'], tls: {mode: SIMPLE, credentialName: stage, serverCertificate: sds, privateKey: sds}}]")
OVER_TLS = (
    SOURCE.replace("number: 80, name: http, protocol: HTTP}]", "number: 443, name: http, protocol: HTTP}]").replace(
        "port: {number: 80}}", "port: {number: 443}}"
    )
    + """
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: stage}
spec: {host: stage.example.com, trafficPolicy: {tls: {mode: SIMPLE, insecureSkipVerify: true}}}
"""
)


@pytest.mark.parametrize(("istio", "found", "spots"), [("1.26", [], 0), ("1.27", ["refused-by-istio"], 0), ("", [], 1)])
def test_what_istio_refuses_since_a_version_counts_from_that_on(istio: str, found: list[str], spots: int, tmp_path: Path) -> None:
    for name, text in (("prod", OVER_TLS), ("stage", BOTH_SOURCES)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "all.yaml").write_text(text)
    version = f", istio: '{istio}'" if istio else ""
    (tmp_path / ".mirrorlint.yaml").write_text(f"clusters: {{prod: {{paths: [prod]}}, stage: {{paths: [stage]{version}}}}}\n")
    report = check(load(tmp_path))
    assert [finding.rule for finding in report.findings] == found
    since = [spot for spot in report.blind_spots if "Istio refuses Gateway default/ingress from 1.27 on" in spot.message]
    assert len(since) == spots


@pytest.mark.parametrize(
    ("namespace", "lost"), [("other", ["mirror-to-unknown-host"]), ("flux-system", []), ("argocd", []), ("kube-system", [])]
)
def test_what_installs_applications_does_not_call_them(namespace: str, lost: list[str]) -> None:
    private = SOURCE.replace("spec: {hosts: [stage.example.com]", "spec: {exportTo: ['.'], hosts: [stage.example.com]")
    other = f"---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: {namespace}}}\n"
    report = check(loads({"source": private + other, "target": TARGET}), istio="1.28")
    assert [finding.rule for finding in report.findings] == lost


@pytest.mark.parametrize(
    ("hosts", "gateways", "why"),
    [
        ("shop.default.svc.cluster.local-shadow", "ingress", "VirtualService default/in takes `shop.default.svc.cluster.local-shadow`"),
        ("'*'", "other", "VirtualService default/in would take it, but is bound to `default/other`, not to `default/ingress`"),
        ("shop.example.com", "other", "VirtualService default/shop would take it, but is bound to `mesh`, not to `default/ingress`"),
    ],
)
def test_a_virtual_service_for_sidecars_is_meant_only_where_no_other_is(hosts: str, gateways: str, why: str) -> None:
    own = SOURCE.partition("---\n")[2].partition("---\n")[2].replace("\n      mirror: {host: stage.example.com, port: {number: 80}}", "")
    target = TARGET.replace(
        "metadata: {name: shop}\nspec: {hosts: ['*'], gateways: [ingress]",
        f"metadata: {{name: in}}\nspec: {{hosts: [{hosts}], gateways: [{gateways}]",
    )
    report = check(loads({"source": SOURCE, "target": f"{target}---\n{own}"}), istio="1.28")
    (finding,) = report.findings
    said = [finding.message, *(note.message for note in finding.notes)]
    assert any(why in text for text in said)
    assert any("bound to `mesh`" in text for text in said) == ("`mesh`" in why)


def test_what_one_file_gives_two_namespaces_is_two_mirrors(repo: Path) -> None:
    base = SOURCE.replace("spec: {hosts: [stage.example.com]", "spec: {exportTo: [.], hosts: [stage.example.com]")
    above = "resources: [../../../base]\nnamespace: NAME\n"
    write(repo, {"base/shop.yaml": base, "base/kustomization.yaml": "resources: [shop.yaml]\n", "clusters/stage/shop.yaml": ""})
    write(repo, {f"clusters/prod/{name}/kustomization.yaml": above.replace("NAME", name) for name in ("eu", "us")})
    write(repo, {".mirrorlint.yaml": "clusters: {prod: {istio: '1.28'}}\n"})
    deaf = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: eu}\n"
    deaf += "spec: {hosts: [shop.eu.svc, shop.eu], gateways: [ingress], http: [{route: [{destination: {host: shop}}]}]}\n"
    write(repo, {"clusters/stage/shop.yaml": f"{TARGET.rpartition('---')[0]}---\n{deaf}"})
    found = [(mirror.object, mirror.delivery["1.28"]) for mirror in check(load(".")).mirrors]
    assert found == [("VirtualService eu/shop", "some"), ("VirtualService us/shop", "none")]


FILLED = """apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: "${NAME}"}
spec:
  hosts: [www.example.com]
  gateways: [edge]
  http:
    - match: [{method: {exact: "${METHOD}"}}]
      route: [{destination: {host: shop}}]
      mirror: {host: stage.example.com, port: {number: 80}}
"""
FILLING = """apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: NAME, namespace: flux-system}
spec:
  path: ./base
  sourceRef: {kind: GitRepository, name: flux-system}
  postBuild: {substitute: {NAME: NAME, METHOD: VERB}}
"""


def test_what_one_file_mirrors_for_one_object_is_not_said_of_another(repo: Path) -> None:
    write(repo, {"base/shop.yaml": FILLED, "clusters/stage/shop.yaml": TARGET, ".mirrorlint.yaml": "rules: {writes-mirrored: warning}\n"})
    edge = TARGET.split("---")[1].replace("name: ingress", "name: edge").replace("'*'", "www.example.com")
    write(repo, {"clusters/prod/shop.yaml": f"{SOURCE.rpartition('---')[0]}---{edge}"})
    for name, method in (("reads", "GET"), ("writes", "POST")):
        write(
            repo,
            {
                f"clusters/prod/{name}.yaml": FILLING.replace("NAME: NAME", f"NAME: {name}")
                .replace("NAME,", f"{name},")
                .replace("VERB", method)
            },
        )
    found = [finding.object for finding in check(load(".")).findings if finding.rule == "writes-mirrored"]
    assert found == ["VirtualService default/writes"]


def test_each_destination_that_shadows_arrive_at_is_looked_at() -> None:
    rules = "[{match: [{uri: {prefix: /old}}], route: [{destination: {host: old}}]}, {route: [{destination: {host: shop}}]}]"
    target = TARGET.replace("[{route: [{destination: {host: shop}}]}]", rules)
    for name in ("old", "more", "shop"):
        target += f"""
---
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec: {{selector: {{app: {name}}}, ports: [{{name: http, port: 80}}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec: {{replicas: 0, template: {{metadata: {{labels: {{app: {name}}}}}}}}}
"""
    target = target.replace("metadata: {name: shop}\nspec: {ports: [{name: http, port: 80}]}\n---\n", "metadata: {name: other}\n---\n", 1)
    report = check(loads({"source": SOURCE, "target": target}))
    assert [(f.rule, f.object) for f in report.findings] == [
        ("target-without-pods", "Service default/old"),
        ("target-without-pods", "Service default/shop"),
    ]


@pytest.mark.parametrize(
    ("match", "rewrite", "asked"),
    [
        ("{uri: {prefix: /api/}}", "{uri: /}", "/orders"),
        ("{uri: {prefix: /api}}", "{uri: /v2}", "/v2/orders"),
        ("{uri: {prefix: /API}, ignoreUriCase: true}", "{uriRegexRewrite: {match: '^/api/([a-z]+)', rewrite: '/v2/\\1'}}", "/v2/orders"),
        ("{uri: {prefix: /api}}", "{uriRegexRewrite: {match: '^/api/v1/(.*)$', rewrite: '/v2/\\1'}}", "/v2/orders"),
    ],
)
def test_paths_that_a_rewrite_makes_what_the_target_takes_are_tried(match: str, rewrite: str, asked: str) -> None:
    """Whatever else is lost there, a path that the target takes arrives."""
    source = SOURCE.replace("    - route", f"    - match: [{match}]\n      rewrite: {rewrite}\n      route")
    target = TARGET.replace("http: [{route", f"http: [{{match: [{{uri: {{prefix: {asked}}}}}], route")
    report = judge(source, target)
    assert levels(report) == [("warning", "shadow-matches-no-route")]
    assert [dict(mirror.delivery) for mirror in report.mirrors] == [{"1.27": "some", "1.28": "some"}]


def test_a_path_in_either_case_is_tried_where_case_does_not_count() -> None:
    source = SOURCE.replace("    - route", "    - match: [{uri: {exact: /Orders}, ignoreUriCase: true}]\n      route")
    report = judge(source, TARGET.replace("http: [{route", "http: [{match: [{uri: {prefix: /order}}], route"))
    assert [dict(mirror.delivery) for mirror in report.mirrors] == [{"1.27": "some", "1.28": "some"}]


EDGE = """
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 443, name: https, protocol: HTTPS}, tls: {mode: SIMPLE, credentialName: c}, hosts: ['*']}]
"""


def at_edge(hosts: str, match: str) -> str:
    """The source at a gateway, for some hosts and requests only."""
    return (
        SOURCE.replace("hosts: [shop]", f"hosts: [{hosts}]\n  gateways: [edge]").replace("- route", f"- match: [{match}]\n      route")
        + EDGE
    )


@pytest.mark.parametrize(
    ("hosts", "match", "fate"),
    [
        ("'*.example.com'", "{authority: {exact: api.example.com}}", "all"),
        ("'*.example.com'", "{authority: {prefix: api.}}", "all"),
        ("'*'", "{authority: {regex: '(api|shop)[.]example[.]com'}}", "all"),
        ("'*.example.com'", "{headers: {':authority': {exact: api.example.com}}}", "all"),
        ("api.example.com", "{authority: {exact: 'api.example.com:8443'}}", "all"),
        ("'*.example.com'", "{headers: {':method': {exact: POST}, ':path': {prefix: /x}}}", "all"),
        ("'*.example.com'", "{scheme: {exact: https}}", "all"),
        ("'*.example.com'", "{headers: {':scheme': {exact: https}}}", "all"),
        ("'*.example.com'", "{scheme: {exact: http}}", "none"),
        ("'*.example.com'", "{headers: {x: {}}, withoutHeaders: {x: {exact: '1'}}}", "all"),
        ("'*.example.com'", "{headers: {x: {exact: '1'}}, withoutHeaders: {x: {}}}", "none"),
        ("'*.example.com'", "{authority: {exact: api.example.org}}", "none"),
    ],
)
def test_a_rule_is_tried_with_what_it_asks_for(hosts: str, match: str, fate: str) -> None:
    """No mirror is called one that never runs while a request for it may be."""
    report = judge(source=at_edge(hosts, match))
    assert {fates for mirror in report.mirrors for fates in mirror.delivery.values()} == {fate}
    assert levels(report) == ([("warning", "mirror-never-runs")] if fate == "none" else [])


def test_hosts_that_the_targets_rules_ask_for_are_called() -> None:
    match = "{authority: {prefix: api.example.com}}"
    report = judge(at_edge("'*.example.com'", "{uri: {prefix: /}}"), TARGET.replace("http: [{route", f"http: [{{match: [{match}], route"))
    assert levels(report) == [("warning", "shadow-matches-no-route")]
    assert "(lost for 2 of 4 Hosts: `any.example.com-shadow`, `any.example.com`)" in report.findings[0].message


@pytest.mark.parametrize(
    ("listening", "ports", "said"),
    [
        ("443", "", ""),
        ("8443", "", ""),
        ("9443", "", ":9443"),
        ("443", "{name: https, port: 443, targetPort: 8443}", ""),
        ("9443", "{name: https, port: 9443, targetPort: 8443}", ":9443"),
        ("8443", "{name: https, port: 9443, targetPort: 8443}, {name: other, port: 443, targetPort: 8443}", ""),
    ],
)
def test_callers_of_a_gateway_say_the_port_at_which_they_reach_it(listening: str, ports: str, said: str) -> None:
    """A target that takes one way to write the host warns where callers write it in another."""
    service = "---\napiVersion: v1\nkind: Service\nmetadata: {name: edge, namespace: istio-system}\n"
    service += f"spec: {{type: LoadBalancer, selector: {{istio: ingressgateway}}, ports: [{ports}]}}\n"
    source = at_edge("api.example.com", "{uri: {prefix: /}}").replace("number: 443", f"number: {listening}") + (service if ports else "")
    bare = TARGET.replace("http: [{route", "http: [{match: [{authority: {exact: api.example.com}}], route")
    report = check(loads({"prod": source, "stage": bare}), istio="1.28")
    assert levels(report) == ([("warning", "shadow-matches-no-route")] if said else [])
    assert not said or f"1 of 2 Hosts: `api.example.com{said}`" in report.findings[0].message


@pytest.mark.parametrize("source", [SOURCE, at_edge("api.example.com", "{uri: {prefix: /}}")], ids=["sidecars", "gateway"])
def test_of_two_losses_the_requests_tell_which_is_whose_where_the_callers_do_not(source: str) -> None:
    admin = "{match: [{uri: {prefix: /admin}}], directResponse: {status: 403}}"
    (finding,) = judge(
        source, TARGET.replace("http: [{route: [{destination: {host: shop}", f"http: [{admin}, {{route: [{{destination: {{host: x}}")
    ).findings
    assert finding.rule == "target-route-to-unknown-host"
    shares = [note.message.partition(" (lost for ")[2] for note in finding.notes if "answers the shadow itself" in note.message]
    assert shares == ["some requests, such as `GET /admin`)"]


@pytest.mark.parametrize(
    ("endpoints", "said"),
    [
        ("[{address: 10.0.0.1}, {address: 10.0.0.2, ports: {http: 81}}]", "1 of 2 endpoints: `10.0.0.2:81`"),
        (
            "[{address: 10.0.0.1}, {address: 10.0.0.1, ports: {http: 81}}, {address: 10.0.0.2, ports: {http: 81}}]",
            "2 of 3 endpoints: `10.0.0.1:81`, `10.0.0.2:81`",
        ),
    ],
)
def test_of_several_endpoints_those_are_named_at_which_shadows_are_lost(endpoints: str, said: str) -> None:
    (finding,) = judge(SOURCE.replace("resolution: DNS", f"resolution: STATIC, endpoints: {endpoints}")).findings
    assert (finding.level, finding.rule) == ("warning", "ingress-without-listener")
    assert f" (lost at {said})" in finding.message


def behind(first: str, second: str) -> str:
    """The source with a rule for some requests before that with the mirror."""
    own = f"- match: [{second}]\n      route" if second else "- route"
    return SOURCE.replace("    - route", f"    - match: [{first}]\n      route: [{{destination: {{host: shop}}}}]\n    {own}")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("{uri: {exact: /}}", ""),
        ("{method: {exact: GET}}", ""),
        ("{uri: {regex: '/[a-z]*'}}", ""),
        ("{withoutHeaders: {cookie: {}}}", ""),
        ("{uri: {exact: /}}, {method: {exact: PATCH}}, {uri: {prefix: /unasked}}, {withoutHeaders: {x: {}}}", ""),
        ("{uri: {exact: /api}}", "{uri: {prefix: /api}}"),
        ("{uri: {exact: /api/v1}}", "{uri: {regex: '/api/v[0-9]+'}}"),
        ("{headers: {x: {exact: '1'}}}", "{headers: {x: {}}}"),
        ("{headers: {x: {exact: a}}}", "{headers: {x: {prefix: a}}}"),
        ("{queryParams: {a: {exact: '1'}}}", "{queryParams: {a: {regex: '.*'}}}"),
        ("{method: {regex: 'GET|HEAD'}}", "{uri: {prefix: /api}}"),
        ("{authority: {exact: shop}}, {uri: {exact: /}}", ""),
    ],
)
def test_what_an_earlier_rule_leaves_is_tried(first: str, second: str) -> None:
    """A mirror behind a rule for some of its requests runs, and where its shadows are lost that is told."""
    source = behind(first, second)
    assert levels(judge(source)) == []
    assert [dict(mirror.delivery) for mirror in judge(source).mirrors] == [{"1.27": "all", "1.28": "all"}]
    assert levels(judge(source, REFUSING)) == [("error", "shadow-host-not-accepted")]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("{uri: {prefix: /}}", ""),
        ("{uri: {prefix: /api}}", "{uri: {prefix: /api/v1}}"),
        ("{uri: {regex: '/api.*'}}", "{uri: {prefix: /api/v1}}"),
        ("{headers: {x: {}}}", "{headers: {x: {exact: '1'}}}"),
    ],
)
def test_what_an_earlier_rule_takes_as_a_whole_never_runs(first: str, second: str) -> None:
    assert levels(judge(behind(first, second))) == [("warning", "mirror-never-runs")]


def test_what_an_earlier_rule_of_the_target_leaves_is_tried() -> None:
    """The first rule answers what a call without header gets; the second takes what it leaves."""
    first = "{match: [{uri: {prefix: /api}, withoutHeaders: {x: {}}}], directResponse: {status: 200}}"
    target = TARGET.replace("http: [{route", f"http: [{first}, {{match: [{{uri: {{prefix: /api}}}}], route")
    report = judge(SOURCE.replace("- route", "- match: [{uri: {prefix: /api}}]\n      route"), target)
    assert [dict(mirror.delivery) for mirror in report.mirrors] == [{"1.27": "some", "1.28": "some"}]


def test_what_rules_ask_for_is_tried_in_each_world() -> None:
    """Without the suffix the first name that is called leads to another virtual host than with it."""
    answer = "{match: [{uri: {exact: /}}], directResponse: {status: 200}}"
    own = TARGET[TARGET.rindex("\n---") :].replace("name: shop}", "name: own}").replace("'*'", "shop.default.svc.cluster.local")
    target = TARGET.replace("http: [{route", f"http: [{answer}, {{route") + own.replace(
        "route: [{destination: {host: shop}}]", "directResponse: {status: 200}"
    )
    assert [dict(mirror.delivery) for mirror in judge(target=target).mirrors] == [{"1.27": "some", "1.28": "some"}]


def test_a_root_namespace_with_workloads_has_callers() -> None:
    report = check(loads({"prod": SOURCE, "stage": TARGET}, mesh={"prod": {"rootNamespace": "default"}}))
    assert (report.findings, [dict(mirror.delivery) for mirror in report.mirrors]) == ((), [{"1.27": "all", "1.28": "all"}])


SUBSET = """
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: shop}
spec: {host: shop, exportTo: [istio-system], subsets: [{name: v1, labels: {version: v1}}]}
"""


def test_a_rule_for_a_gateway_whose_namespace_is_not_known_may_be_for_it() -> None:
    target = TARGET.replace("destination: {host: shop}", "destination: {host: shop, subset: v1}") + SUBSET
    assert levels(judge(target=target)) == []
    assert levels(judge(target=target.replace("exportTo: [istio-system], ", "exportTo: [.], "))) == []


def test_a_namespace_in_settings_says_nothing_of_labels() -> None:
    ingress = {"stage": {"addresses": ["stage.example.com"], "namespace": "istio-system"}}
    assert levels(check(loads({"prod": SOURCE, "stage": TARGET}, ingress=ingress))) == []


BEHIND = """
---
apiVersion: v1
kind: Service
metadata: {name: internal, namespace: istio-system, annotations: {external-dns.alpha.kubernetes.io/hostname: stage.example.com}}
spec: {type: LoadBalancer, selector: {istio: internal}, ports: [{port: 80, name: http}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: internal}
spec: {selector: {istio: internal}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [www.example.com]}]}
"""


@pytest.mark.parametrize("settings", [{}, {"stage": {"addresses": ["stage.example.com"]}}], ids=["shown", "said as well"])
def test_an_address_leads_to_the_service_that_has_it(settings: dict[str, dict[str, list[str]]]) -> None:
    assert levels(check(loads({"prod": SOURCE, "stage": TARGET + BEHIND}, ingress=settings))) == [("error", "shadow-host-not-accepted")]


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        ("Stage.Example.com", "stage.example.com"),
        ("stage.example.com", "STAGE.example.com."),
        ("'2001:0db8:0:0:0:0:0:1'", "2001:db8::1"),
        ("stage.example.com", "stage.example.com:80"),
    ],
)
def test_addresses_are_compared_by_what_they_mean(endpoint: str, said: str) -> None:
    source = SOURCE.replace("resolution: DNS", f"resolution: DNS, endpoints: [{{address: {endpoint}}}]")
    report = check(loads({"prod": source, "stage": TARGET}, ingress={"stage": {"addresses": [said]}}))
    assert [dict(mirror.delivery) for mirror in report.mirrors] == [{"1.27": "all", "1.28": "all"}]


@pytest.mark.parametrize(
    ("match", "why"),
    [
        ("{port: 8080}", "its rule is for port 8080, and prod has 80 there"),
        ("{gateways: [other]}", "its rule is for `default/other`, which its VirtualService is not bound to"),
        ("{uri: {regex: api}}", "no path is like that, since each begins with a slash"),
        ("{authority: {exact: other.example.com}}", "no request of any caller meets these conditions"),
    ],
)
def test_a_rule_behind_the_mirrors_is_not_what_keeps_requests_away(match: str, why: str) -> None:
    behind_it = SOURCE.replace("    - route", f"    - match: [{match}]\n      route") + "    - route: [{destination: {host: shop}}]\n"
    (finding,) = judge(behind_it).findings
    assert finding.message.endswith(f": {why}")
    assert finding.place.line == 18


def test_a_namespace_that_a_mirror_is_exported_to_has_callers() -> None:
    assert judge(SOURCE.replace("hosts: [shop]\n", "hosts: [shop]\n  exportTo: [frontend]\n")).findings == ()


NODE_PORT = """
---
apiVersion: v1
kind: Service
metadata: {name: ingress, namespace: istio-system}
spec: {type: NodePort, selector: {istio: ingressgateway}, ports: [{name: http, port: 80, targetPort: 8080, nodePort: 30080}]}
"""


@pytest.mark.parametrize("service", ["", NODE_PORT], ids=["elsewhere", "at hand"])
def test_a_port_in_settings_is_the_one_at_which_the_ingress_is_reached(service: str) -> None:
    source = SOURCE.replace("number: 80", "number: 30080")
    ingress = {"stage": {"addresses": ["stage.example.com"], "ports": {30080: 8080}}}
    assert levels(check(loads({"prod": source, "stage": TARGET + service}, ingress=ingress))) == []


def test_a_workload_entry_that_istio_refuses_is_no_endpoint() -> None:
    chosen = SOURCE.replace("resolution: DNS", "resolution: STATIC, workloadSelector: {labels: {app: gate}}")
    entry = "---\napiVersion: networking.istio.io/v1\nkind: WorkloadEntry\nmetadata: {name: gate}\n"
    entry += "spec: {address: 10.0.0.5, labels: {app: gate}, ports: {http: %d}}\n"
    assert levels(judge(chosen + entry % 80)) == []
    assert levels(judge(chosen + entry % 80000)) == [("error", "refused-by-istio")]


def test_an_entry_may_select_pods() -> None:
    source = SOURCE.replace("resolution: DNS", "resolution: STATIC, workloadSelector: {labels: {app: proxy}}")
    pods = "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: p}\nspec: {template: {metadata: {labels: {app: proxy}}}}\n"
    assert levels(judge(source)) == [("error", "mirror-without-endpoint")]
    assert levels(judge(source + pods)) == []


GUARD = "{match: [%s], directResponse: {status: 401}}"


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("{uri: {prefix: /tenant-a/}}", "{uri: {regex: '/[a-z-]+/orders(/.*)?'}}"),
        ("{uri: {prefix: /api/v2}}", "{uri: {regex: '/api/v[0-9]+/orders.*'}}"),
        ("{uri: {prefix: /api}}", "{uri: {regex: '.*[.]json'}}"),
        ("{uri: {regex: '/[a-z]+/v1/.*'}}", "{uri: {prefix: /orders/}}"),
        ("{uri: {regex: '.*/graphql'}}", "{uri: {prefix: /shop}}"),
        ("{headers: {user-agent: {regex: '.*Mobile.*'}}}", "{headers: {user-agent: {regex: '.*(iPhone|iPad).*'}}}"),
        ("{headers: {cookie: {regex: '.*beta=1.*'}}}", "{headers: {cookie: {regex: '.*session=.*'}}}"),
        ("{headers: {x: {prefix: v}}}", "{headers: {x: {regex: '.*2'}}}"),
        ("{headers: {x: {exact: 'true'}}}", "{uri: {prefix: /api}, headers: {x: {}}}"),
        ("{queryParams: {debug: {regex: '.+'}}}", "{queryParams: {debug: {exact: 'true'}}}"),
    ],
)
def test_a_request_that_both_ends_ask_for_is_tried(source: str, target: str) -> None:
    report = judge(
        SOURCE.replace("- route", f"- match: [{source}]\n      route"), TARGET.replace("http: [{", f"http: [{{match: [{target}], ")
    )
    assert levels(report) == [("warning", "shadow-matches-no-route")]
    assert [dict(mirror.delivery) for mirror in report.mirrors] == [{"1.27": "some", "1.28": "some"}]


API = TARGET.replace("http: [{", "http: [{match: [{uri: {prefix: /api}}], ")


def test_reads_and_writes_that_two_rules_mirror_are_both_tried_with_what_the_target_asks_for() -> None:
    first = SOURCE[SOURCE.index("    - route") :].replace("- route", "- match: [{method: {exact: GET}}]\n      route")
    report = judge(SOURCE.replace("    - route", f"{first}    - route"), API)
    assert {fate for mirror in report.mirrors for fate in mirror.delivery.values()} == {"some"}


def test_what_the_target_asks_for_is_tried_past_a_guard_of_the_source() -> None:
    guard = f"    - {GUARD % '{uri: {prefix: /api}, withoutHeaders: {authorization: {}}}'}\n"
    report = judge(SOURCE.replace("    - route", f"{guard}    - route"), API)
    assert {fate for mirror in report.mirrors for fate in mirror.delivery.values()} == {"some"}


def test_guards_that_each_want_another_header_are_passed_with_both() -> None:
    guards = [GUARD % f"{{withoutHeaders: {{{name}: {{}}}}}}" for name in ("authorization", "x-tenant")]
    source = SOURCE.replace("    - route", "".join(f"    - {guard}\n" for guard in guards) + "    - route")
    assert judge(source).findings == ()
    target = TARGET.replace("http: [{", f"http: [{', '.join(guards)}, {{")
    assert {fate for mirror in judge(target=target).mirrors for fate in mirror.delivery.values()} == {"some"}


def test_a_rewritten_path_is_tried_with_what_else_the_target_asks_for() -> None:
    rewrite = "match: [{uri: {prefix: /v1/orders}}]\n      rewrite: {uri: /orders}\n      route"
    target = TARGET.replace("http: [{", "http: [{match: [{uri: {prefix: /orders}, headers: {x-tenant: {exact: acme}}}], ")
    report = judge(SOURCE.replace("- route", f"- {rewrite}"), target)
    assert {fate for mirror in report.mirrors for fate in mirror.delivery.values()} == {"some"}


@pytest.mark.parametrize(("taken", "fate"), [("{exact: /}", "all"), ("{prefix: /api}", "none")])
def test_a_rewrite_replaces_the_whole_path_that_an_expression_takes(taken: str, fate: str) -> None:
    rewrite = "match: [{uri: {regex: '/api/v[0-9]+/.*'}}]\n      rewrite: {uri: /}\n      route"
    target = TARGET.replace("http: [{", f"http: [{{match: [{{uri: {taken}}}], ")
    report = judge(SOURCE.replace("- route", f"- {rewrite}"), target)
    assert [set(mirror.delivery.values()) for mirror in report.mirrors] == [{fate}]


def test_no_host_is_tried_that_has_the_end_of_a_wildcard_twice() -> None:
    target = TARGET.replace("http: [{", "http: [{match: [{authority: {regex: '[^.]+[.]example[.]com(-shadow)?'}}], ")
    report = judge(at_edge("'*.example.com'", "{uri: {prefix: /}}"), target)
    assert report.findings == ()
    assert [set(mirror.delivery.values()) for mirror in report.mirrors] == [{"all"}]


AHEAD = """
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a, creationTimestamp: '2024-01-02T00:00:00Z'}
spec: {hosts: [shop.example.com], gateways: [edge], http: [{match: [{uri: {prefix: /api}}], route: [{destination: {host: shop}}]}]}
"""


@pytest.mark.parametrize(
    ("created", "fate"), [("2024-01-01T00:00:00Z", "all"), ("2024-01-02T00:00:00Z", "unknown"), ("2024-01-03T00:00:00Z", "none")]
)
def test_which_of_two_virtual_services_at_a_gateway_is_older_decides(created: str, fate: str) -> None:
    own = at_edge("shop.example.com", "{uri: {prefix: /api/v2}}")
    mirror = own.rindex("metadata: {name: shop}", 0, own.index("hosts: [shop.example.com]"))
    stamped = own[:mirror] + own[mirror:].replace("name: shop}", f"name: shop, creationTimestamp: '{created}'}}", 1)
    report = judge(stamped + AHEAD)
    assert {each for found in report.mirrors for each in found.delivery.values()} == {fate}
    told = {"none": [("warning", "mirror-never-runs")], "unknown": [("warning", "order-undecided")]}
    assert levels(report) == told.get(fate, [])


def test_a_gateway_that_serves_nothing_of_a_mirrors_virtual_service_is_what_is_blamed() -> None:
    source = at_edge("shop.example.com", "{uri: {prefix: /}}").replace("hosts: ['*']}", "bind: 127.0.0.1, hosts: ['*']}")
    (finding,) = judge(source).findings
    assert (finding.rule, finding.place.line) == ("mirror-never-runs", source[: source.index("gateways: [edge]")].count("\n") + 1)
    assert "the Gateway that its VirtualService is bound to has no listener at the gateway's pods" in finding.message


def test_a_subset_without_endpoints_is_what_is_blamed() -> None:
    rule = "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: s}\n"
    rule += "spec: {host: stage.example.com, subsets: [{name: v1, labels: {version: v1}}]}\n"
    (finding,) = judge(SOURCE.replace("{host: stage.example.com, port", "{host: stage.example.com, subset: v1, port") + rule).findings
    assert finding.message.startswith("no endpoint of `stage.example.com` has the labels of subset `v1`")


def test_a_port_of_the_pods_to_which_nothing_leads_is_named() -> None:
    ingress = {"stage": {"addresses": ["stage.example.com"], "ports": {8000: 80}}}
    (finding,) = check(loads({"prod": SOURCE, "stage": TARGET}, ingress=ingress)).findings
    assert finding.message.endswith("server listens on port 80 of the pods, to which port 80 of the ingress does not lead")


def delegated(root: str, child: str) -> str:
    """The source with its rule in a delegate."""
    own = SOURCE[SOURCE.index("    - route") :].replace("- route", f"- match: [{child}]\n      route")
    taken = SOURCE[: SOURCE.index("    - route")] + f"    - match: [{root}]\n      delegate: {{name: part}}\n"
    return f"{taken}---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: part}}\nspec:\n  http:\n{own}"


def test_a_delegates_rule_that_contradicts_its_root_is_told() -> None:
    assert judge(delegated("{uri: {prefix: /api}}", "{uri: {prefix: /api/v1}}")).findings == ()
    (finding,) = judge(delegated("{uri: {prefix: /api}}", "{uri: {prefix: /v1}}")).findings
    assert (finding.level, finding.rule, finding.object) == ("warning", "mirror-never-runs", "VirtualService default/part")
    assert "contradicts the one of VirtualService default/shop that delegates to it" in finding.message


def test_a_redirect_is_shown_at_the_server_that_takes_the_host() -> None:
    server = "{{port: {{number: 80, name: {0}, protocol: HTTP}}, hosts: [{0}.example, {0}.example-shadow], tls: {{httpsRedirect: true}}}}"
    servers = f"[{server.format('cart')},\n    {server.format('shop')}]"
    target = TARGET.replace("[{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]", servers)
    source = SOURCE.replace("      mirror:", "      rewrite: {authority: shop.example}\n      mirror:")
    (finding,) = check(loads({"prod": source, "stage": target})).findings
    assert finding.rule == "shadow-redirected-to-https"
    assert "name: shop" in target.splitlines()[finding.place.line - 1]


def test_a_mirror_of_which_a_part_leads_elsewhere_does_not_arrive_as_a_whole() -> None:
    source = SOURCE.replace("resolution: DNS", "resolution: DNS, endpoints: [{address: stage.example.com}, {address: other.example.com}]")
    fleet = loads({"prod": source, "stage": TARGET}, ingress={"stage": ["stage.example.com"]})
    report = check(fleet)
    assert [finding.rule for finding in report.findings] == ["endpoints-lead-apart"]
    assert [set(mirror.delivery.values()) for mirror in report.mirrors] == [{"some"}]


def test_what_no_rule_takes_is_shown_in_the_delegate_that_comes_nearest() -> None:
    target = TARGET.replace("http: [{route: [{destination: {host: shop}}]}]", "http: [{delegate: {name: leaf}}]")
    leaf = "http: [{match: [{uri: {exact: /never}}], route: [{destination: {host: shop}}]}]"
    target += f"---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: leaf}}\nspec: {{{leaf}}}\n"
    (finding,) = check(loads({"prod": SOURCE, "stage": target})).findings
    assert (finding.rule, finding.object) == ("shadow-matches-no-route", "VirtualService default/leaf")


def test_a_fleet_that_was_judged_can_be_forgotten() -> None:
    def meshes() -> set[int]:
        gc.collect()
        return {id(each) for each in gc.get_objects() if isinstance(each, Mesh)}

    before = meshes()
    fleet = loads({"prod": SOURCE.replace("host: stage.example.com", "host: stage.example.org"), "stage": TARGET})
    assert check(fleet).findings
    del fleet
    assert meshes() <= before


ROOT_OF_DELEGATES = """
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: root, namespace: edge}
spec: {hosts: [shop.default.svc.cluster.local], http: [{delegate: %s}]}
"""


@pytest.mark.parametrize(
    ("delegate", "spec", "why"),
    [
        ("{name: shop, namespace: default}", "", ""),
        ("{name: shop}", "", "does not exist (did you mean `default/shop`?)"),
        ("{name: shop, namespace: defaults}", "", "does not exist (did you mean `default/shop`?)"),
        ("{name: shop, namespace: default}", "exportTo: ['.']", "is not exported to namespace `edge`"),
        ("{name: cart, namespace: cart}", "", "its VirtualService has no `hosts`, and none delegates to it"),
    ],
)
def test_a_mirror_in_a_delegate_runs_only_where_one_delegates_to_it(delegate: str, spec: str, why: str) -> None:
    source = SOURCE.replace("hosts: [shop]", spec)
    report = check(loads({"prod": source + ROOT_OF_DELEGATES % delegate, "stage": TARGET}))
    assert levels(report) == ([("warning", "mirror-never-runs")] if why else [])
    assert not why or why in report.findings[0].message


def test_a_rule_that_delegates_to_nothing_mirrors_nothing() -> None:
    root = ROOT_OF_DELEGATES % "{name: gone}, mirror: {host: stage.example.com}"
    report = check(loads({"prod": SOURCE.replace("hosts: [shop]", "hosts: [other.default.svc.cluster.local]") + root, "stage": TARGET}))
    assert any("its delegate `edge/gone` does not exist" in finding.message for finding in report.findings)


@pytest.mark.parametrize(
    ("labels", "pod", "lost"),
    [
        ("{}", "{}", True),
        ("{istio-injection: disabled}", "{}", False),
        ("{istio-injection: enabled}", "{}", True),
        ("{}", "{sidecar.istio.io/inject: 'true'}", True),
    ],
)
@pytest.mark.parametrize("own", ["{}", "{istio-injection: enabled}"])
def test_pods_without_a_sidecar_mirror_nothing_and_lose_nothing(own: str, labels: str, pod: str, lost: bool) -> None:
    namespaces = "".join(
        f"---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}, labels: {each}}}\n"
        for name, each in (("default", own), ("jobs", labels))
    )
    jobs = (
        f"---\napiVersion: v1\nkind: Pod\nmetadata: {{name: job, namespace: jobs, labels: {pod}}}\nspec: {{containers: [{{name: job}}]}}\n"
    )
    private = SOURCE.replace("resolution: DNS", "resolution: DNS, exportTo: ['.']")
    report = check(loads({"prod": private + namespaces + jobs, "stage": TARGET}))
    unknown = own != "{}" and labels == pod == "{}"
    assert levels(report) == ([("warning", "mirror-to-unknown-host")] if lost and not unknown else [])


def test_a_refused_object_without_weights_is_told_beside_a_loss() -> None:
    refused = SOURCE[SOURCE.rindex("---") :].replace("{name: shop}", "{name: a}")
    refused = refused.replace("[{destination: {host: shop}}]", "[{destination: {host: shop}}, {destination: {host: shop}}]")
    lost = SOURCE.replace("mirror: {host: stage.example.com", "mirror: {host: gone.example.com")
    assert levels(judge(lost + refused)) == [("error", "mirror-to-unknown-host"), ("error", "refused-by-istio")]


def test_an_orphan_of_a_refused_root_is_that_ones_matter() -> None:
    source = SOURCE.replace("hosts: [shop]", "")
    refused = (ROOT_OF_DELEGATES % "{name: shop, namespace: default}").replace("http: [", "http: [{route: []}, ")
    report = check(loads({"prod": source + refused, "stage": TARGET}))
    assert [finding.rule for finding in report.findings] == ["refused-by-istio"]


def test_a_rule_for_callers_without_sidecars_says_that_they_have_none() -> None:
    source = SOURCE.replace("    - route", "    - match: [{sourceNamespace: batch}]\n      route")
    spaces = "".join(
        f"---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}, labels: {{istio-injection: {said}}}}}\n"
        for name, said in (("default", "enabled"), ("batch", "disabled"))
    )
    (finding,) = check(loads({"prod": source + spaces, "stage": TARGET})).findings
    assert finding.rule == "mirror-never-runs"
    assert "the pods of `batch` get no sidecar" in finding.message


TWO_HOSTS = SOURCE.replace(
    "[{destination: {host: shop}}]",
    "["
    "{destination: {host: shop}, weight: 50, headers: {request: {set: {Host: a.example.com}}}}, "
    "{destination: {host: shop}, weight: 50, headers: {request: {set: {Host: b.example.com}}}}]",
)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (
            TARGET.replace("http: [{", "http: [{match: [{authority: {prefix: a.example.com}}], "),
            "no rule for `*` takes `GET /` with Host `b.example.com`: stage's gateway answers the shadow 404; "
            "the nearest rule asks for authority prefix `a.example.com` (lost for 1 of 2 Hosts: `b.example.com`)",
        ),
        (
            TARGET.replace("{hosts: ['*'], gateways", "{hosts: [a.example.com], gateways"),
            "no virtual host of stage's gateway accepts `b.example.com`, the shadow's Host: it is answered 404; "
            "VirtualService default/shop takes `a.example.com` (lost for 1 of 2 Hosts: `b.example.com`)",
        ),
    ],
    ids=["by a rule", "by a host"],
)
def test_of_several_hosts_that_backends_write_the_one_that_is_lost_is_named(target: str, said: str) -> None:
    (finding,) = check(loads({"prod": TWO_HOSTS, "stage": target}), istio="1.28").findings
    assert (finding.level, finding.message) == ("warning", said)


def test_a_server_that_only_redirects_has_no_rule_for_what_comes_encrypted() -> None:
    secure = SOURCE + "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: stage}\n"
    secure += "spec: {host: stage.example.com, trafficPolicy: {tls: {mode: SIMPLE, sni: stage.example.com}}}\n"
    server = "protocol: HTTPS}, tls: {mode: SIMPLE, credentialName: cert, httpsRedirect: true}"
    (finding,) = judge(secure, TARGET.replace("protocol: HTTP}", server).replace("gateways: [ingress]", "gateways: [other]")).findings
    assert (finding.level, finding.rule, finding.object) == ("error", "shadow-matches-no-route", "Gateway default/ingress")
    assert finding.message.endswith("stage's gateway answers the shadow 404; no VirtualService has rules for it")


def test_a_host_of_several_that_backends_write_is_not_left_over() -> None:
    hosts = "{hosts: [a.example.com-shadow, b.example.com-shadow], gateways"
    documents = read_texts({"prod": TWO_HOSTS, "stage": TARGET.replace("{hosts: ['*'], gateways", hosts)}).documents
    assert lint(documents, {"shadow-host-left-over": "warning"}, "1.27").findings == ()
