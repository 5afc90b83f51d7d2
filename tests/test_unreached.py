"""A mirror that no request reaches: the message names what keeps them away, and points at it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from test_engine import SOURCE, judge

from mirrorlint import check, loads

RULE = "    - route: [{destination: {host: shop}}]\n      mirror:"
Change = Callable[[str], str]


def rule(text: str) -> Change:
    return lambda source: source.replace(RULE, text)


def spec(text: str, more: str = "") -> Change:
    return lambda source: source.replace("  hosts: [shop]", text) + more


GATEWAY = """
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: infra}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [www.example.com]}]
"""
OLDER = """
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: zebra, creationTimestamp: "2020-01-01T00:00:00Z"}
spec: {hosts: [shop.default.svc.cluster.local], http: [{route: [{destination: {host: shop}}]}]}
"""
SIDECAR = """
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: narrow}
spec: {egress: [{hosts: [istio-system/*]}]}
"""
FIRST = "    - route: [{destination: {host: shop}}]\n"
ROUTE = "      route: [{destination: {host: shop}}]\n"
SHOP = "kind: VirtualService\nmetadata: {name: shop}"
MIRROR = "      route: [{destination: {host: shop}}]\n      mirror:"
CASES = {
    "an earlier rule takes everything": (rule(FIRST + RULE), "this earlier rule takes every request first", FIRST[6:].strip()),
    "an earlier rule takes the same": (
        rule(f"    - match: [{{uri: {{prefix: /a}}}}]\n{ROUTE}    - match: [{{uri: {{prefix: /a}}}}]\n{MIRROR}"),
        "this earlier rule takes `GET /a` first",
        "{uri: {prefix: /a}}",
    ),
    "a port that is not there": (rule(f"    - match: [{{port: 8001}}]\n{MIRROR}"), "is for port 8001, and prod has 80", "8001"),
    "a gateway that it is not bound to": (rule(f"    - match: [{{gateways: [edge]}}]\n{MIRROR}"), "is not bound to", "edge"),
    "a redirect": (rule("    - redirect: {uri: /new}\n      mirror:"), "answers requests itself (`redirect`)", "redirect"),
    "a fault": (
        rule("    - fault: {abort: {httpStatus: 500, percentage: {value: 100}}}\n" + MIRROR),
        "answers requests itself (`fault`)",
        "fault",
    ),
    "a gateway that is not there": (spec("  hosts: [shop]\n  gateways: [edge]"), "no Gateway `default/edge` is in prod", "edge"),
    "a gateway of another namespace": (spec("  hosts: [shop]\n  gateways: [edge]", GATEWAY), "did you mean `infra/edge`?", "edge"),
    "a gateway of nearly that name": (
        spec("  hosts: [shop]\n  gateways: [infra/egde]", GATEWAY),
        "did you mean `infra/edge`?",
        "infra/egde",
    ),
    "a gateway that does not serve the host": (
        spec("  hosts: [shop.example.com]\n  gateways: [infra/edge]", GATEWAY),
        "does not serve `shop.example.com`",
        "shop.example.com",
    ),
    "a gateway that reads no HTTP": (
        spec("  hosts: [www.example.com]\n  gateways: [infra/edge]", GATEWAY.replace("protocol: HTTP}", "protocol: TCP}")),
        "the Gateway that its VirtualService is bound to reads no HTTP for its hosts",
        "infra/edge",
    ),
    "a gateway that redirects": (
        spec("  hosts: [www.example.com]\n  gateways: [infra/edge]", GATEWAY.replace("HTTP}", "HTTP}, tls: {httpsRedirect: true}")),
        "the Gateway that its VirtualService is bound to redirects all requests to HTTPS",
        "true",
    ),
    "a host that is no service": (
        lambda source: source.replace("hosts: [shop]", "hosts: [gone]").replace("80", "8000"),
        "`gone` is no service of prod",
        "gone",
    ),
    "a port of another protocol": (
        lambda source: source.replace("name: http, port: 80", "name: tcp, port: 80"),
        "no port of `shop` speaks HTTP",
        "shop",
    ),
    "one port of another protocol": (
        lambda source: rule(f"    - match: [{{port: 81}}]\n{MIRROR}")(source).replace(
            "[{name: http, port: 80}]", "[{name: http, port: 80}, {name: tcp, port: 81}]"
        ),
        "port 81 does not speak HTTP, so `http` rules see none of it",
        "81",
    ),
    "a Sidecar": (
        lambda source: rule(f"    - match: [{{headers: {{x-shadow: {{exact: 'on'}}}}}}]\n{MIRROR}")(source) + SIDECAR,
        "Sidecar default/narrow lets callers' proxies see `istio-system/*`, which leaves VirtualService default/shop out",
        "istio-system/*",
    ),
    "a Sidecar that captures nothing": (
        lambda source: source + SIDECAR.replace("hosts: [istio-system/*]", "captureMode: NONE, hosts: ['*/*']"),
        "Sidecar default/narrow has callers' proxies capture no call (`captureMode: NONE`)",
        "NONE",
    ),
    "a Sidecar that listens at the pod's own address": (
        lambda source: source + SIDECAR.replace("hosts: [istio-system/*]", "bind: 127.0.0.1, hosts: ['*/*']"),
        "Sidecar default/narrow has callers' proxies capture no call (`bind: 127.0.0.1`)",
        "127.0.0.1",
    ),
    "a Sidecar that listens at a Unix socket": (
        lambda source: source + SIDECAR.replace("hosts: [istio-system/*]", "port: {protocol: HTTP}, bind: 'unix:///a', hosts: ['*/*']"),
        "Sidecar default/narrow has callers' proxies capture no call (`bind: unix:///a`)",
        "'unix:///a'",
    ),
    "an export to a misspelt namespace": (
        spec("  hosts: [shop]\n  exportTo: [defualt]"),
        "is exported to `defualt`, where no caller's proxy is (did you mean `default`?)",
        "defualt",
    ),
    "callers in a misspelt namespace": (
        rule(f"    - match: [{{sourceNamespace: defaut}}]\n{MIRROR}"),
        "its rule asks for callers that there are not, or that don't come through its gateways (did you mean `default`?)",
        "defaut",
    ),
    "an older VirtualService": (
        lambda source: source.replace(SHOP, f'{SHOP[:-1]}, creationTimestamp: "2021-01-01T00:00:00Z"}}') + OLDER,
        "VirtualService default/zebra takes what is sent to",
        "shop",
    ),
}


@pytest.mark.parametrize(("change", "why", "pointed_at"), CASES.values(), ids=CASES)
def test_what_keeps_requests_away_is_named_and_pointed_at(change: Change, why: str, pointed_at: str) -> None:
    source = change(SOURCE)
    assert source != SOURCE
    found = [finding for finding in judge(source=source).findings if finding.rule == "mirror-never-runs"]
    assert [why in finding.message for finding in found] == [True]
    place = found[0].place
    assert source.splitlines()[place.line - 1][place.column - 1 :].startswith(pointed_at)
    assert found[0].level == "warning"
    kinds = [line.removeprefix("kind: ") for line in source.splitlines()[: place.line] if line.startswith("kind: ")]
    assert found[0].object.partition(" ")[0] == kinds[-1]


@pytest.mark.parametrize(
    "idle",
    [
        "    - fault: {abort: {percentage: {value: 100}}}\n",
        "    - match: [{authority: {exact: null}}]\n",
        "    - match: [{authority: {exact: }, uri: {regex: ~}}]\n",
    ],
)
def test_a_fault_without_a_status_and_a_condition_that_is_null_keep_no_requests_away(idle: str) -> None:
    source = rule(idle + MIRROR)(SOURCE)
    assert source != SOURCE
    assert judge(source=source).findings == ()


@pytest.mark.parametrize(
    "egress",
    [
        "{port: {protocol: HTTP}, bind: 'unix:///a', hosts: [other/*]}, {hosts: ['*/*']}",
        "{bind: 0.0.0.0, captureMode: NONE, hosts: ['*/*']}",
        "{bind: 10.96.0.1, hosts: ['*/*']}",
    ],
)
def test_a_sidecar_whose_listeners_take_calls_to_any_address_keeps_none_away(egress: str) -> None:
    source = SOURCE + SIDECAR.replace("{hosts: [istio-system/*]}", egress)
    assert judge(source=source).findings == ()


def test_a_mesh_that_exports_to_nobody_is_named() -> None:
    fleet = loads({"prod": SOURCE}, mesh={"prod": {"defaultVirtualServiceExportTo": ["~"]}})
    assert ["an `exportTo` or a Sidecar keeps one of them away" in finding.message for finding in check(fleet).findings] == [True]


def test_a_refused_gateway_speaks_for_the_mirror_bound_to_it() -> None:
    refused = GATEWAY.replace("hosts: [www.example.com]", "hosts: []")
    (finding,) = judge(source=spec("  hosts: [www.example.com]\n  gateways: [infra/edge]", refused)(SOURCE)).findings
    assert (finding.level, finding.rule) == ("error", "refused-by-istio")
    assert [note.message for note in finding.notes] == ["so this mirror never runs"]


ELSEWHERE = """
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: more}
"""


@pytest.mark.parametrize(
    ("case", "doubted"), [("a redirect", False), ("an earlier rule takes everything", False), ("a gateway that is not there", True)]
)
def test_what_is_not_here_is_blamed_only_where_it_could_help(case: str, doubted: bool) -> None:
    change, _, _ = CASES[case]
    (finding,) = [each for each in judge(change(SOURCE) + ELSEWHERE).findings if each.rule == "mirror-never-runs"]
    assert ("(unless" in finding.message) == doubted


TWIN = """
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: SHOP}
spec: {hosts: [shop], http: [{route: [{destination: {host: shop}}]}]}
"""


def test_an_object_does_not_take_requests_from_its_own_other_version() -> None:
    found = [finding.rule for finding in judge(TWIN.replace("SHOP", "other") + "---" + SOURCE).findings]
    assert "order-undecided" in found
    report = judge(TWIN.replace("SHOP", "shop") + "---" + SOURCE)
    assert report.findings == ()
    assert set(report.mirrors[0].delivery.values()) == {"unknown"}


ROOTS = """---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: outside}
spec: {hosts: [www.example.com], gateways: [gone], http: [{delegate: {name: shop}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: roots}
spec:
  hosts: [shop]
  http:
    - route: [{destination: {host: shop}}]
    - match: [{uri: {prefix: /cart}}]
      delegate: {name: shop}
"""
DELEGATED = SOURCE.replace("  hosts: [shop]\n", "")


@pytest.mark.parametrize(("name", "first", "other"), [("a-root", "no Gateway", "this earlier"), ("z-root", "this earlier", "no Gateway")])
def test_what_keeps_requests_away_is_told_for_each_object_that_delegates_to_the_mirrors(name: str, first: str, other: str) -> None:
    source = DELEGATED + ROOTS.replace("outside", name)
    (finding,) = judge(source=source).findings
    assert f"run: {first}" in finding.message
    (note,) = [note for note in finding.notes if "has it, too" in note.message]
    assert other in note.message
    told = {source.splitlines()[place.line - 1].strip() for place in (finding.place, note.place)}
    assert told == {
        "- route: [{destination: {host: shop}}]",
        "spec: {hosts: [www.example.com], gateways: [gone], http: [{delegate: {name: shop}}]}",
    }


def test_a_mirror_is_not_said_never_to_run_where_one_of_those_that_delegate_to_it_may_make_it_run() -> None:
    report = judge(source=DELEGATED + ROOTS.replace("uri: {prefix: /cart}", "scheme: {exact: https}"))
    assert report.findings == ()
    assert set(report.mirrors[0].delivery.values()) == {"unknown"}


@pytest.mark.parametrize("namespace", ["defaults", "defaul", "frontend"])
def test_a_namespace_that_may_be_another_one_counts(namespace: str) -> None:
    assert not judge(spec(f"  hosts: [shop]\n  exportTo: [{namespace}]")(SOURCE)).findings


def test_what_callers_send_to_an_address_of_their_own_proxy_is_not_known() -> None:
    bound = SIDECAR.replace("hosts: [istio-system/*]", "bind: 127.0.0.1, captureMode: NONE, hosts: ['*/*']")
    report = judge(source=SOURCE + bound)
    assert ([finding.rule for finding in report.findings], set(report.mirrors[0].delivery.values())) == ([], {"unknown"})
