"""Which losses on routes of the Gateway API have a fix, and what it writes."""

from __future__ import annotations

import pytest
from pair import judged
from test_gateway_api import PROD, ROUTE, SERVICE, STAGE
from test_remedy import KNOWN, WITHOUT_ENTRY, after_fixing, mended
from test_remedy import STAGE as CLASSIC

from mirrorlint import loads
from mirrorlint.engine import lint
from mirrorlint.fleet import Cluster
from mirrorlint.source import parse

BACKEND = "{group: networking.istio.io, kind: Hostname, name: stage.example.com, port: 80}"
NARROW = ("  rules:", "  hostnames: [shop-shadow]\n  rules:")
LISTED = STAGE.replace(*NARROW)
FORMS = ("shop.default.svc.cluster.local", "shop", "shop.default.svc", "shop.default")
ADDRESS = {"stage": ["203.0.113.10"]}


def unfixed(prod: str, stage: str) -> list[str]:
    """The rules of the findings, none of which has a fix."""
    found = judged(prod, stage).findings
    assert [finding.fix for finding in found] == [()] * len(found)
    return [finding.rule for finding in found]


@pytest.mark.parametrize("kind", ["HTTPRoute", "GRPCRoute"])
def test_each_host_that_a_route_misses_is_listed_short_ones_too(kind: str) -> None:
    stage = LISTED.replace("kind: HTTPRoute", f"kind: {kind}")
    done = after_fixing(PROD, stage)
    assert done["prod"] == PROD
    before, behind = stage.split("[shop-shadow]")
    assert done["stage"].startswith(f"{before}[shop-shadow, ")
    assert done["stage"].endswith(f"]{behind}")
    names = done["stage"].removeprefix(f"{before}[").removesuffix(f"]{behind}").split(", ")
    assert sorted(names) == sorted(form + suffix for form in FORMS for suffix in ("", "-shadow"))


def rewritten(name: str) -> str:
    """What mirrors requests whose Host is another name."""
    rewrite = f"    - {{type: URLRewrite, urlRewrite: {{hostname: {name}}}}}\n"
    return PROD.replace("    filters:\n", f"    filters:\n{rewrite}")


def renamed(name: str) -> str:
    """The same by a header, whose value may be no hostname."""
    header = f"    - {{type: RequestHeaderModifier, requestHeaderModifier: {{set: [{{name: Host, value: {name}}}]}}}}\n"
    return PROD.replace("    filters:\n", f"    filters:\n{header}")


OTHER = """\
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: cart}
spec:
  parentRefs: [{name: ingress, sectionName: more}]
  hostnames: [%s]
  rules: [{backendRefs: [{name: cart, port: 80}]}]
---
apiVersion: v1
kind: Service
metadata: {name: cart}
spec: {ports: [{port: 80, name: http}]}
"""
TWO = LISTED.replace("protocol: HTTP}]", "protocol: HTTP}, {name: more, port: 81, protocol: HTTP}]")


def test_a_host_at_a_further_listener_is_listed_where_no_other_route_takes_it() -> None:
    after_fixing(PROD, TWO)
    after_fixing(PROD, TWO + OTHER % "cart")
    assert unfixed(PROD, TWO + OTHER % '"*.svc"') == ["shadow-host-not-accepted"]
    bound = TWO.replace("{name: ingress}]\n  hostnames", "{name: ingress, sectionName: http}]\n  hostnames")
    after_fixing(PROD, bound + OTHER % '"*.svc"')


@pytest.mark.parametrize(
    ("prod", "stage"),
    [
        pytest.param(rewritten("203.0.113.7"), LISTED, id="an IP address is no hostname"),
        pytest.param(renamed("shop_a.example.com"), LISTED, id="nor is what has an underscore"),
        pytest.param(
            PROD, LISTED.replace("protocol: HTTP}", "protocol: HTTP, hostname: '*.example.com'}"), id="the listener is for others"
        ),
        pytest.param(PROD, LISTED.replace("protocol: HTTP}", "protocol: HTTP, hostname: 'shop-shadow'}"), id="the listener is for one"),
        pytest.param(PROD, LISTED.replace("[{name: shop, port", "[{name: cart, port"), id="it leads to another"),
        pytest.param(PROD, LISTED.replace("[shop-shadow]", f"[{', '.join(f'h{n}.example' for n in range(9))}]"), id="more than 16"),
        pytest.param(
            PROD,
            LISTED + ROUTE.replace("metadata: {name: shop}", "metadata: {name: more}").replace(*NARROW).replace("-shadow", ""),
            id="two lead there",
        ),
        pytest.param(PROD, LISTED.replace("[{backend", "[{matches: [{path: {value: /api}}], backend"), id="its rules refuse"),
    ],
)
def test_hostnames_are_left_where_they_would_not_do_or_it_is_not_plain_whose(prod: str, stage: str) -> None:
    assert unfixed(prod, stage)[0] == "shadow-host-not-accepted"


@pytest.mark.parametrize("kind", ["HTTPRoute", "GRPCRoute"])
@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(BACKEND.replace("stage.", "stag."), id="a letter"),
        pytest.param(BACKEND.replace("stage.", "Stage."), id="case"),
        pytest.param(BACKEND.replace(", port: 80", ""), id="no port"),
        pytest.param(BACKEND.replace("80", "81"), id="another port"),
    ],
)
def test_a_mirror_of_a_route_is_corrected(wrong: str, kind: str) -> None:
    prod = PROD.replace("kind: HTTPRoute", f"kind: {kind}")
    assert after_fixing(prod.replace(BACKEND, wrong), STAGE)["prod"] == prod


def test_the_entry_of_a_route_is_corrected_where_the_mirror_names_the_ingress() -> None:
    wrong, ingress = PROD.replace("hosts: [stage.", "hosts: [stag."), {"stage": ["stage.example.com"]}
    (finding,) = judged(wrong, STAGE, ingress=ingress).findings
    assert (finding.rule, [note.message for note in finding.notes]) == (
        "mirror-left-out",
        ["did you mean `stage.example.com`, which is stage's ingress?"],
    )
    assert after_fixing(wrong, STAGE, ingress)["prod"] == PROD


def test_a_mirror_of_a_route_is_not_led_elsewhere() -> None:
    wrong = PROD.replace(BACKEND, BACKEND.replace("stage.", "stag."))
    assert [(finding.rule, finding.fix) for finding in judged(wrong, STAGE, ingress=ADDRESS).findings] == [("mirror-left-out", ())]


MIRRORED = PROD.replace(BACKEND, "{name: copy, port: 80}") + f"---\n{SERVICE.replace('shop', 'copy')}"


@pytest.mark.parametrize("wrong", ["cop", "copy.default", "copy.default.svc.cluster.local"])
def test_a_service_is_named_as_it_is_called(wrong: str) -> None:
    assert after_fixing(MIRRORED.replace("name: copy, port", f"name: {wrong}, port"), STAGE)["prod"] == MIRRORED


def test_what_drops_a_route_is_corrected_with_all_that_it_names() -> None:
    wrong = PROD.replace("[{name: shop, port: 80}]", "[{name: shop}]").replace("name: stage.e", "name: stag.e")
    assert after_fixing(wrong, STAGE)["prod"] == PROD


@pytest.mark.parametrize(
    ("prod", "rule"),
    [
        pytest.param(PROD.replace(BACKEND, "{name: shop.apps, port: 80}"), "mirror-left-out", id="another namespace"),
        pytest.param(PROD.replace(BACKEND, BACKEND.replace("stage.", "other.")), "mirror-left-out", id="nothing like it"),
        pytest.param(PROD.replace(BACKEND, "{port: 80}"), "refused-by-istio", id="no name"),
        pytest.param(PROD.replace(BACKEND, BACKEND.replace("port", "namespace: default, port")), "mirror-left-out", id="a namespace"),
        pytest.param(
            PROD.replace("    filters:", "    filters:\n    - {type: ExtensionRef, extensionRef: {}}"),
            "mirror-left-out",
            id="an unknown filter",
        ),
        pytest.param(PROD.replace("[stage.", "[stagi.example.com, stagu."), "mirror-left-out", id="two that are like it"),
        pytest.param(
            PROD.replace("protocol: HTTP}", "protocol: HTTP}, {number: 81, name: http-more, protocol: HTTP}").replace(
                "com, port: 80", "com"
            ),
            "mirror-left-out",
            id="two ports",
        ),
    ],
)
def test_a_mirror_of_a_route_is_left_where_it_is_not_plain_what_was_meant(prod: str, rule: str) -> None:
    assert unfixed(prod, STAGE) == [rule]


def test_a_mirror_that_would_be_lost_all_the_same_is_left() -> None:
    assert unfixed(PROD.replace(BACKEND, BACKEND.replace("stage.", "stag.")), LISTED) == ["mirror-left-out"]


def test_a_route_is_mended_although_another_one_can_not_be() -> None:
    wrong = PROD.replace(BACKEND, BACKEND.replace("stage.", "stag."))
    route = wrong.partition("---\napiVersion: gateway")[2]
    hopeless = route.replace("shop", "cart").replace("stag.", "nothing.") + f"---\n{SERVICE.replace('shop', 'cart')}"
    lost = route.replace("shop", "lost") + f"---\n{SERVICE.replace('shop', 'lost')}"
    prod = f"{wrong}---\napiVersion: gateway{hopeless}---\napiVersion: gateway{lost}"
    hosts = [f"{form}{suffix}" for form in FORMS for suffix in ("", "-shadow")]
    stage = STAGE.replace("  rules:", f"  hostnames: [{', '.join(hosts)}]\n  rules:")
    fixed = {finding.object: bool(finding.fix) for finding in judged(prod, stage).findings}
    assert fixed == {"HTTPRoute default/shop": True, "HTTPRoute default/cart": False, "HTTPRoute default/lost": False}


BARE = f"{SERVICE}---\napiVersion: gateway{PROD.partition('---' + chr(10) + 'apiVersion: gateway')[2]}"


@pytest.mark.parametrize(("kind", "protocol"), [("HTTPRoute", "HTTP"), ("GRPCRoute", "GRPC")])
def test_a_missing_entry_is_added_in_the_namespace_of_the_route(kind: str, protocol: str) -> None:
    prod = BARE.replace("metadata: {name: shop}", "metadata: {name: shop, namespace: apps}").replace("HTTPRoute", kind)
    done = after_fixing(prod, STAGE, ADDRESS)["prod"]
    assert done.startswith(prod)
    assert parse(done.encode(), "prod").documents[-1].plain() == {
        "apiVersion": "networking.istio.io/v1",
        "kind": "ServiceEntry",
        "metadata": {"name": "stage.example.com", "namespace": "apps"},
        "spec": {
            "hosts": ["stage.example.com"],
            "ports": [{"number": 80, "name": protocol.lower(), "protocol": protocol}],
            "location": "MESH_EXTERNAL",
            "resolution": "STATIC",
            "endpoints": [{"address": "203.0.113.10"}],
        },
    }


def test_no_entry_is_added_beside_one_that_istio_refuses() -> None:
    refused = PROD.replace("resolution: DNS", "resolution: DSN")
    assert [(finding.rule, finding.fix) for finding in judged(refused, STAGE, ingress=ADDRESS).findings] == [("refused-by-istio", ())]


def test_an_entry_that_several_mirrors_lack_is_added_once() -> None:
    twice = BARE + f"    - {{type: RequestMirror, requestMirror: {{backendRef: {BACKEND}}}}}\n"
    route = BARE.partition("---\n")[2].replace("shop", "cart")
    both = f"{twice}---\n{route}---\n{SERVICE.replace('shop', 'cart')}"
    first, *others = judged(both, STAGE, ingress=ADDRESS).findings
    assert {finding.rule for finding in (first, *others)} == {"mirror-left-out"}
    assert len({edit for finding in (first, *others) for edit in finding.fix}) == 1
    assert judged(**mended(first, prod=both, stage=STAGE), ingress=ADDRESS).findings == ()


def test_an_entry_for_several_virtual_services_is_added_once() -> None:
    prod = WITHOUT_ENTRY + f"---\n{WITHOUT_ENTRY.replace('shop', 'cart')}"
    done = after_fixing(prod, CLASSIC, KNOWN)["prod"]
    assert done.count("kind: ServiceEntry") == 1


def test_an_entry_is_not_made_up_where_another_namespace_has_one() -> None:
    elsewhere = PROD.replace("metadata: {name: stage}", "metadata: {name: stage, namespace: other}")
    assert [(finding.rule, finding.fix) for finding in judged(elsewhere, STAGE, ingress=ADDRESS).findings] == [("mirror-left-out", ())]


def test_a_backend_that_may_live_elsewhere_is_not_corrected() -> None:
    chart = "---\napiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: mesh}\nspec: {}\n"
    (finding,) = judged(PROD.replace(BACKEND, BACKEND.replace("stage.", "stag.")) + chart, STAGE).findings
    assert (finding.level, finding.fix) == ("warning", ())


def test_a_route_in_a_file_of_two_clusters_is_left() -> None:
    documents = loads({"prod": PROD.replace(BACKEND, BACKEND.replace("stage.", "stag.")), "stage": STAGE}).loaded.documents
    shared = Cluster("test", documents.clusters["prod"].manifests())
    report = lint(documents._replace(clusters={**documents.clusters, "test": shared}), {})
    assert {(finding.rule, finding.fix) for finding in report.findings} == {("mirror-left-out", ())}


TWO_PORTS = SERVICE.replace("[{port: 80, name: http}]", "[{port: 80, name: http}, {port: 90, name: http-more}]")


@pytest.mark.parametrize("wrong", ["{name: shopp, port: 80}", "{name: shop, port: 8080}"])
def test_a_backend_of_the_target_is_corrected(wrong: str) -> None:
    stage = STAGE.replace("{name: shop, port: 80}", wrong)
    assert after_fixing(PROD, stage)["stage"] == STAGE


def test_a_backend_of_the_target_is_left_where_no_grant_lets_the_route_use_it() -> None:
    apart = STAGE.replace("metadata: {name: shop}\nspec: {ports", "metadata: {name: shop, namespace: apps}\nspec: {ports")
    assert unfixed(PROD, apart.replace("[{name: shop, port: 80}]", "[{name: shopp, namespace: apps, port: 80}]")) == [
        "target-route-to-unknown-host"
    ]


@pytest.mark.parametrize("wrong", ["{name: shopp, port: 80}", "{name: shop, port: 8080}"])
def test_a_backend_of_the_rule_that_mirrors_is_corrected(wrong: str) -> None:
    assert after_fixing(PROD.replace("[{name: shop, port: 80}]", f"[{wrong}]"), STAGE)["prod"] == PROD


def test_a_backend_is_left_where_two_ports_would_do_or_another_one_is_wrong_as_well() -> None:
    two = PROD.replace(SERVICE, TWO_PORTS)
    assert unfixed(two.replace("[{name: shop, port: 80}]", "[{name: shop, port: 8080}]"), STAGE) == ["route-to-unknown-host"]
    split = PROD.replace("[{name: shop, port: 80}]", "[{name: shopp, port: 80}, {name: card, port: 80}]")
    assert unfixed(split, STAGE) == ["route-to-unknown-host"]
