"""One finding for one cause."""

from __future__ import annotations

import pytest
from test_engine import SOURCE, TARGET, judge, levels
from test_gateway_api import PROD as ROUTED

from mirrorlint import check, loads
from mirrorlint.report.text import render

SECOND = """
---
apiVersion: v1
kind: Service
metadata: {name: cart}
spec: {ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: cart}
spec:
  hosts: [cart]
  http:
    - route: [{destination: {host: cart}}]
      mirror: {host: stage.example.com, port: {number: 80}}
"""
MIRROR = "      mirror: {host: stage.example.com, port: {number: 80}}"
LINE_OF_SECOND = len((SOURCE + SECOND).splitlines())


def test_mirrors_to_one_unknown_host_are_one_finding_with_a_note_for_each_other_one() -> None:
    (finding,) = judge(source=(SOURCE + SECOND).replace("hosts: [stage.example.com]", "hosts: [test.example.com]")).findings
    assert (finding.level, finding.rule) == ("error", "mirror-to-unknown-host")
    assert [note.place.line for note in finding.notes if "this mirror" in note.message] == [LINE_OF_SECOND]


def test_mirrors_to_two_unknown_hosts_are_two_findings() -> None:
    source = (SOURCE + SECOND.replace("stage.example.com", "other.example.com")).replace("hosts: [stage.", "hosts: [test.")
    assert levels(judge(source=source)) == [("error", "mirror-to-unknown-host")] * 2


def test_mirrors_that_one_object_of_the_target_loses_are_one_finding_that_names_each() -> None:
    deaf = TARGET.replace("hosts: ['*'], gateways", "hosts: [a.example.com], gateways")
    (finding,) = judge(source=SOURCE + SECOND, target=deaf).findings
    assert finding.rule == "shadow-host-not-accepted"
    told = {note.place.line for note in finding.notes if "this mirror sends" in note.message}
    assert told == {SOURCE.splitlines().index(MIRROR) + 1, LINE_OF_SECOND}


def test_a_mirror_that_is_lost_behind_a_refused_object_is_a_note_of_the_refusal() -> None:
    report = judge(target=TARGET.replace("protocol: HTTP}, hosts", "protocol: HTTPS}, hosts"))
    (finding,) = report.findings
    assert (finding.level, finding.rule) == ("error", "refused-by-istio")
    assert [(note.cluster, note.message) for note in finding.notes] == [("prod", "so the shadows of this mirror are lost")]
    assert set(report.mirrors[0].delivery.values()) == {"none"}


def test_a_mirror_that_is_left_out_behind_a_refused_entry_is_a_note_of_the_refusal() -> None:
    report = judge(source=ROUTED.replace("resolution: DNS", "resolution: DSN"))
    (finding,) = report.findings
    assert (finding.level, finding.rule) == ("error", "refused-by-istio")
    assert [(note.cluster, note.message) for note in finding.notes] == [("prod", "so the shadows of this mirror are lost")]
    away = ROUTED.replace("resolution: DNS", "resolution: DSN").replace("{name: stage}", "{name: stage, namespace: other}")
    assert sorted(levels(judge(source=away))) == [("error", "mirror-left-out"), ("error", "refused-by-istio")]


def test_a_destination_of_the_target_that_is_refused_speaks_for_the_mirror() -> None:
    entry = SOURCE.split("---")[1].replace("{name: stage}", "{name: away}").replace("stage.example.com", "away.example.com")
    target = TARGET.replace("destination: {host: shop}", "destination: {host: away.example.com}") + "---" + entry
    assert levels(judge(target=target)) == []
    (finding,) = judge(target=target.replace("resolution: DNS", "resolution: DSN")).findings
    assert (finding.level, finding.rule, finding.cluster) == ("error", "refused-by-istio", "stage")
    assert [(note.cluster, note.message) for note in finding.notes] == [("prod", "so the shadows of this mirror are lost")]


def test_the_loss_speaks_for_itself_where_the_refusal_is_switched_off() -> None:
    fleet = loads({"prod": SOURCE, "stage": TARGET.replace("protocol: HTTP}, hosts", "protocol: HTTPS}, hosts")})
    loaded = fleet.loaded._replace(settings=fleet.loaded.settings._replace(rules={"refused-by-istio": "off"}))
    fleet.loaded = loaded
    assert levels(check(fleet)) == [("error", "ingress-without-listener")]


def test_of_many_mirrors_that_suffer_alike_the_report_for_people_shows_some_and_counts_the_rest() -> None:
    many = "".join(SECOND.replace("cart", f"cart{number}") for number in range(20))
    report = judge(source=(SOURCE + many).replace("hosts: [stage.example.com]", "hosts: [test.example.com]"))
    (finding,) = report.findings
    shown = render(report, lambda _: ())
    assert len(finding.notes) == 20
    assert shown.count("the same holds for this mirror") == 8
    assert "12 more places" in shown


def test_mirrors_whose_routes_lack_the_same_service_of_the_target_are_one_finding() -> None:
    gone = "{match: [{authority: {prefix: cart}}], route: [{destination: {host: gone}}]}, {route: [{destination: {host: gone}}]}"
    (finding,) = judge(source=SOURCE + SECOND, target=TARGET.replace("{route: [{destination: {host: shop}}]}", gone)).findings
    assert finding.rule == "target-route-to-unknown-host"
    assert {note.place.line for note in finding.notes if "this mirror sends" in note.message} == {
        SOURCE.splitlines().index(MIRROR) + 1,
        LINE_OF_SECOND,
    }


def test_a_refused_object_that_is_not_in_the_way_leaves_the_loss_alone() -> None:
    refused = "\n---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: odd}\nspec: {hosts: []}\n"
    source = SOURCE.replace("hosts: [stage.example.com]", "hosts: [test.example.com]") + refused
    assert sorted(levels(judge(source=source))) == [("error", "mirror-to-unknown-host"), ("error", "refused-by-istio")]


DEAF = TARGET.replace("number: 80", "number: 8090")
REFUSING = TARGET.replace("hosts: ['*'], gateways", "hosts: [a.example.com], gateways")
ASTRAY = SOURCE.replace("hosts: [stage.example.com]", "hosts: [stge.example.com]")
INTERNAL = """
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: internal, namespace: other}
spec: {selector: {app: internal-gateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: []}]}
"""
FOR_SIDECARS = """
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: outbound}
spec: {hosts: ['*'], http: [{route: [{destination: {host: shop}}]}]}
"""
PRIVATE = """
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: private, namespace: other}
spec: {hosts: ['*.com'], exportTo: ['.'], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DSN}
"""


@pytest.mark.parametrize(
    ("source", "target", "rule"),
    [
        pytest.param(SOURCE, DEAF + INTERNAL, "ingress-without-listener", id="a Gateway for other pods"),
        pytest.param(SOURCE, REFUSING + FOR_SIDECARS, "shadow-host-not-accepted", id="a VirtualService for sidecars"),
        pytest.param(ASTRAY + PRIVATE, TARGET, "mirror-to-unknown-host", id="a wildcard entry"),
        pytest.param(
            ASTRAY + PRIVATE.replace("*.com", "stage.example.com"), TARGET, "mirror-to-unknown-host", id="an entry of another namespace"
        ),
    ],
)
def test_an_object_that_is_refused_and_not_for_the_shadow_leaves_the_loss_its_finding(source: str, target: str, rule: str) -> None:
    report = judge(source=source, target=target)
    assert sorted({*levels(report)}) == sorted([("error", "refused-by-istio"), ("error", rule)])
    assert [note for finding in report.findings for note in finding.notes if note.message.startswith("so the shadows")] == []


@pytest.mark.parametrize(
    ("source", "target"),
    [
        pytest.param(SOURCE, DEAF + INTERNAL.replace("app: internal-gateway", "istio: ingressgateway"), id="a Gateway for these pods"),
        pytest.param(
            SOURCE,
            REFUSING + FOR_SIDECARS.replace("http: [{route: [{destination: {host: shop}}]}]", "gateways: [ingress], http: []"),
            id="a VirtualService of theirs",
        ),
        pytest.param(SOURCE, TARGET.replace(", gateways: [ingress]", ""), id="the only VirtualService, for want of gateways"),
        pytest.param(ASTRAY + PRIVATE.replace("*.com", "stage.example.com").replace("['.']", "['*']"), TARGET, id="an entry for all"),
    ],
)
def test_an_object_that_is_refused_and_for_the_shadow_speaks_for_the_loss(source: str, target: str) -> None:
    (finding,) = judge(source=source, target=target).findings
    assert finding.rule == "refused-by-istio"
    assert [note.message for note in finding.notes] == ["so the shadows of this mirror are lost"]


def test_a_refused_object_does_not_speak_for_one_of_two_endpoints_since_the_other_is_sound() -> None:
    endpoints = "resolution: STATIC, endpoints: [{address: 192.0.2.1}, {address: 192.0.2.2, ports: {http: 81}}]"
    fleet = loads(
        {"prod": SOURCE.replace("resolution: DNS", endpoints), "stage": TARGET + INTERNAL.replace("number: 80", "number: 8080")},
        ingress={"stage": ["192.0.2.1", "192.0.2.2"]},
    )
    found = {finding.rule: [note.message for note in finding.notes] for finding in check(fleet).findings}
    assert [*found] == ["ingress-without-listener", "refused-by-istio"]
    assert found["refused-by-istio"] == []


BROKEN = """
---
apiVersion: networking.istio.io/v1
kind: KIND
metadata: {name: other
spec: SPEC
"""


def broken(kind: str, spec: str) -> str:
    return BROKEN.replace("KIND", kind).replace("SPEC", spec)


@pytest.mark.parametrize(
    ("source", "target", "alone"),
    [
        pytest.param(ASTRAY + broken("ServiceEntry", "{hosts: [backstage.example.com]}"), TARGET, False, id="an entry of another name"),
        pytest.param(ASTRAY + broken("ServiceEntry", "{hosts: [stage.example.com]}"), TARGET, True, id="an entry of that name"),
        pytest.param(
            SOURCE, REFUSING + broken("VirtualService", "{hosts: [cart.example.com]}"), False, id="a VirtualService of another host"
        ),
        pytest.param(SOURCE, REFUSING + broken("VirtualService", "{hosts: ['*.local-shadow']}"), True, id="a VirtualService of that host"),
        pytest.param(SOURCE, DEAF + broken("Gateway", "{servers: [{port: {number: 8443}}]}"), False, id="a Gateway for another port"),
        pytest.param(SOURCE, DEAF + broken("Gateway", "{servers: [{port: {number: 80}}]}"), True, id="a Gateway for that port"),
    ],
)
def test_a_broken_document_speaks_for_a_loss_if_it_names_what_is_missing(source: str, target: str, alone: bool) -> None:
    rules = [finding.rule for finding in judge(source=source, target=target).findings]
    assert "broken-document" in rules
    assert len(rules) == (1 if alone else 2)


def test_a_mirror_whose_entry_cannot_be_read_is_a_note_of_the_broken_document() -> None:
    (finding,) = judge(source=SOURCE.replace("resolution: DNS}", "resolution: DNS")).findings
    assert finding.rule == "broken-document"
    assert [note.message for note in finding.notes] == ["so the shadows of this mirror are lost"]
