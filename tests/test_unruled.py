"""What is said of a VirtualService that takes a shadow's Host but has no rule left for it."""

from __future__ import annotations

import pytest
from pair import PROD, STAGE, judged, only

ROUTE = "  - route: [{destination: {host: shop}}]\n"
DELEGATE = """\
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: rules}
spec:
  http:
  - match: [{uri: {prefix: /}}]
    route: [{destination: {host: shop}}]
"""


def ruled(http: str, delegate: str = "") -> str:
    return STAGE.replace(ROUTE, http).replace("shop.default-shadow]", '"*"]') + delegate


def matching(*blocks: str) -> str:
    return "".join(f"  - match: [{block}]\n    route: [{{destination: {{host: shop}}}}]\n" for block in blocks)


def delegating(name: str, match: str = "") -> str:
    return f"  - delegate: {name}\n" + (f"    match: [{match}]\n" if match else "")


UNRULED = {
    "port": (
        ruled(matching("{port: 8080, uri: {prefix: /}}")),
        "16:20",
        "VirtualService default/shop",
        "its rule is for port 8080, and the server's is 80",
    ),
    "the rule with the fewest": (
        ruled(matching("{port: 8080, gateways: [mesh]}", "{gateways: [mesh, other]}")),
        "18:25",
        "VirtualService default/shop",
        "its rule is for `mesh`, `default/other`, and the server is of `default/stage`",
    ),
    "the rule that is for none of its servers": (
        ruled(matching("{port: 8080}", "{port: 81}")).replace(
            "  servers:\n", "  servers:\n  - {port: {number: 8080, name: b, protocol: HTTP}, hosts: ['*']}\n"
        ),
        "19:20",
        "VirtualService default/shop",
        "its rule is for port 81, and the server's is 80",
    ),
    "namespace": (
        ruled(matching("{sourceNamespace: web}")),
        "16:31",
        "VirtualService default/shop",
        "its rule is for callers in namespace `web`, where the gateway's pods are not",
    ),
    "labels": (
        ruled(matching("{sourceLabels: {app: web}}")),
        "16:28",
        "VirtualService default/shop",
        "its rule is for callers with `app: web`, which the gateway's pods don't have",
    ),
    "no rules": (
        ruled("  - name: none\n").replace("  http:\n  - name: none\n", "  tcp: [{route: [{destination: {host: shop}}]}]\n"),
        "13:3",
        "VirtualService default/shop",
        "it has no `http` rules",
    ),
    "no such delegate": (
        ruled(delegating("{name: rule}"), DELEGATE),
        "16:22",
        "VirtualService default/shop",
        "its delegate `default/rule` does not exist (did you mean `default/rules`?)",
    ),
    "no delegate like that": (
        ruled(delegating("{name: checkout}"), DELEGATE),
        "16:22",
        "VirtualService default/shop",
        "its delegate `default/checkout` does not exist",
    ),
    "delegate elsewhere": (
        ruled(delegating("{name: rules}"), DELEGATE.replace("rules}", "rules, namespace: a}")),
        "16:22",
        "VirtualService default/shop",
        "its delegate `default/rules` does not exist (did you mean `a/rules`?)",
    ),
    "hosts": (
        ruled(delegating("{name: rules}"), DELEGATE.replace("  http", "  hosts: [a.example.com]\n  http")),
        "27:11",
        "VirtualService default/rules",
        "`default/rules`, to which it delegates, has `hosts`, so it is no delegate",
    ),
    "private": (
        ruled(
            delegating("{name: rules, namespace: a}"),
            DELEGATE.replace("rules}", "rules, namespace: a}").replace("  http", "  exportTo: [.]\n  http"),
        ),
        "27:14",
        "VirtualService a/rules",
        "its delegate `a/rules` is not exported to namespace `default`",
    ),
    "contradiction": (
        ruled(delegating("{name: rules}", "{uri: {prefix: /api}}"), DELEGATE),
        "17:12",
        "VirtualService default/shop",
        "all rules of its delegate VirtualService default/rules contradict what it asks for",
    ),
    "the root's condition": (
        ruled(delegating("{name: rules}", "{port: 8080}"), DELEGATE),
        "17:20",
        "VirtualService default/shop",
        "its rule is for port 8080, and the server's is 80",
    ),
    "the delegate's condition": (
        ruled(delegating("{name: rules}"), DELEGATE.replace("{uri:", "{port: 8080, uri:")),
        "28:20",
        "VirtualService default/rules",
        "its rule is for port 8080, and the server's is 80",
    ),
}


@pytest.mark.parametrize(("stage", "place", "owner", "why"), UNRULED.values(), ids=UNRULED)
def test_a_virtual_service_without_a_rule_for_the_server_says_what_leaves_it_none(stage: str, place: str, owner: str, why: str) -> None:
    finding = only(PROD, stage)
    assert (finding.rule, finding.object) == ("shadow-host-not-accepted", owner)
    assert (finding.place.path, f"{finding.place.line}:{finding.place.column}") == ("<stage>", place)
    assert f"; VirtualService default/shop would take it, but has no rule left for it: {why}" in finding.message
    assert why.count("did you mean") == finding.message.count("did you mean")


def test_a_delegate_that_is_not_there_is_noted_where_other_rules_are() -> None:
    finding = only(PROD, ruled(matching("{uri: {prefix: /api}}") + delegating("{name: rule}"), DELEGATE))
    assert (finding.rule, finding.place.line) == ("shadow-matches-no-route", 16)
    why = "VirtualService default/shop lacks rules: its delegate `default/rule` does not exist (did you mean `default/rules`?)"
    assert [(note.place.line, note.message) for note in finding.notes if "lacks" in note.message] == [(18, why)]


def test_a_delegate_that_istio_refuses_is_said_to_be() -> None:
    stage = ruled(delegating("{name: rules}"), DELEGATE.partition("  http")[0] + "  tcp: [{route: [{destination: {host: shop}}]}]\n")
    refused, lost = sorted(judged(PROD, stage).findings, key=lambda finding: finding.rule)
    assert (refused.rule, lost.place.line) == ("refused-by-istio", 16)
    assert "has no rule left for it: Istio refuses its delegate `default/rules`" in lost.message
