"""Callers that see alike are followed once: never with another result than following each."""

from __future__ import annotations

from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pair import PROD, STAGE, judged
from scenarios import fleet_of, scenarios

from mirrorlint import Fleet, check, loads
from mirrorlint.delivery.age import by_name
from mirrorlint.delivery.alike import Followed
from mirrorlint.delivery.follow import Delivery
from mirrorlint.delivery.judged import judge
from mirrorlint.delivery.way import Call, Way
from mirrorlint.delivery.worlds import WORLDS


def ways(fleet: Fleet) -> list[tuple[object, ...]]:
    """What becomes of every caller's shadows."""
    clusters = fleet.loaded.documents.clusters
    found = (mirror for name in clusters for mirror in judge(clusters, Delivery(clusters, by_name), name, WORLDS))
    return [
        (mirror.mirror.node.place, world, way.call, way.scope.namespace, way.host, way.target, way.outcome, way.reason)
        for mirror in found
        for world, ways in mirror.ways.items()
        for way in ways
    ]


def assert_alike(fleet: Fleet) -> None:
    """Nothing differs from what comes out when each caller is followed."""
    together = ways(fleet), check(fleet)
    with mock.patch.object(Followed, "follow", lambda self, call, world: self.delivery.follow(call, world)):
        assert together == (ways(fleet), check(fleet))


@pytest.mark.parametrize("scenario", [*list(scenarios())[::60], *list(scenarios("gateway-api"))[::30]], ids=lambda scenario: scenario["id"])
def test_scenarios(scenario: dict[str, str]) -> None:
    assert_alike(fleet_of(scenario))


def named(kind: str, namespace: str, spec: str, name: str = "x") -> str:
    return f"---\napiVersion: networking.istio.io/v1\nkind: {kind}\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {spec}\n"


MIRRORED = "{route: [{destination: {host: shop}}], mirror: {host: stage-gateway.example.com}}"
ENTRY = "{{hosts: [{}], exportTo: [{}], ports: [{{number: 80, name: http, protocol: HTTP}}], resolution: {}}}"
CONSUMER = """\
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: x, namespace: a}
spec:
  parentRefs: [{kind: Service, group: "", name: shop, namespace: default}]
  rules: [{backendRefs: [{name: shop, namespace: default, port: 80}]}]
"""
OBJECTS = (
    CONSUMER,
    named("Sidecar", "a", "{egress: [{hosts: ['./*']}]}"),
    named("Sidecar", "istio-system", "{egress: [{hosts: ['./*', 'default/*']}]}"),
    named("DestinationRule", "a", "{host: stage-gateway.example.com, trafficPolicy: {tls: {mode: SIMPLE}}}"),
    named("DestinationRule", "default", "{host: stage-gateway.example.com, exportTo: [b], trafficPolicy: {tls: {mode: SIMPLE}}}"),
    named("ServiceEntry", "a", ENTRY.format("stage-gateway.example.com", "'*'", "STATIC")),
    named("ServiceEntry", "b", ENTRY.format("stage-gateway.example.com", ".", "NONE")),
    named("ServiceEntry", "default", ENTRY.format("shop.a.svc.cluster.local", "'*'", "STATIC")),
    named(
        "VirtualService", "a", "{hosts: [shop.default.svc.cluster.local], exportTo: [.], http: [{route: [{destination: {host: shop}}]}]}"
    ),
    named("VirtualService", "default", "{hosts: [shop], exportTo: [b], http: [{route: [{destination: {host: shop}}]}]}", "other"),
    named("VirtualService", "a", "{hosts: [shop.default.svc.cluster.local], http: [{route: [{destination: {host: shop}}]}]}", "public"),
    named("VirtualService", "a", f"{{hosts: [shop], http: [{MIRRORED}]}}", "mirrored"),
    "---\napiVersion: v1\nkind: Service\nmetadata: {name: shop, namespace: a}\nspec: {ports: [{port: 80, name: http}]}\n",
    "---\napiVersion: v1\nkind: Service\nmetadata: {name: shop, namespace: b}\nspec: {ports: [{port: 81, name: tcp}]}\n",
)
NAMESPACES = "".join(f"---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n" for name in "abcde")
MATCHES = ("", "    match: [{sourceNamespace: a}]\n", "    match: [{sourceLabels: {app: x}}]\n", "    match: [{uri: {prefix: /x}}]\n")


@settings(max_examples=150, deadline=None)
@given(
    objects=st.sets(st.sampled_from(OBJECTS), max_size=5),
    match=st.sampled_from(MATCHES),
    hosts=st.sampled_from(["shop", "shop, '*.a'", "'*'"]),
)
def test_whatever_makes_namespaces_differ(objects: set[str], match: str, hosts: str) -> None:
    prod = PROD.replace("hosts: [shop]", f"hosts: [{hosts}]") + match + NAMESPACES + "".join(sorted(objects))
    assert_alike(loads({"prod": prod, "stage": STAGE}))


def test_namespaces_without_objects_of_their_own_are_followed_once() -> None:
    followed: list[Call] = []
    follow = Delivery.follow

    def seen(self: Delivery, call: Call, world: str) -> tuple[Way, ...]:
        followed.append(call)
        return follow(self, call, world)

    with mock.patch.object(Delivery, "follow", seen):
        judged(PROD + NAMESPACES, STAGE, ingress={"stage": ["stage-gateway.example.com"]})
    assert {call.namespace for call in followed} == {"a", "default"}
