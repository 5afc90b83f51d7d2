"""What a user reads of each hop of a shadow, and of each end that it can take."""

from __future__ import annotations

from typing import Any

import pytest
from scenarios import call_of, fleet_of, scenarios

from mirrorlint.delivery import reason
from mirrorlint.delivery.ending import WORDS
from mirrorlint.delivery.follow import Call, Delivery, Way
from mirrorlint.delivery.steps import Step, steps
from mirrorlint.fleet import Cluster, ClusterSettings, Manifest
from mirrorlint.source import parse

PROD = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: stage}
spec:
  hosts: [stage-gateway.example.com]
  ports: [{number: 80, name: http, protocol: HTTP}]
  resolution: DNS
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {ports: [{port: 80, name: http}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: [shop]
  http:
  - route: [{destination: {host: shop}}]
    mirror:
      host: stage-gateway.example.com
"""
STAGE = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: stage}
spec:
  servers:
  - port: {number: 80, name: http, protocol: HTTP}
    hosts: ["*"]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: [shop.default-shadow]
  gateways: [stage]
  http:
  - route: [{destination: {host: shop}}]
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {ports: [{port: 80, name: http}]}
"""
SECURE = """\
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: stage}
spec:
  host: stage-gateway.example.com
  trafficPolicy:
    tls: {mode: SIMPLE}
"""
UDP = """\
---
apiVersion: v1
kind: Service
metadata: {name: udp}
spec: {ports: [{port: 80, protocol: UDP}]}
"""
CALL = Call("prod", "default", "shop.default", 80)


def cluster(name: str, text: str, settings: ClusterSettings) -> Cluster:
    return Cluster(name, [Manifest(document) for document in parse(text.encode(), f"<{name}>").documents], settings)


def ways(prod: str, stage: str, world: str = "1.27", call: Call = CALL, **settings: Any) -> tuple[Way, ...]:
    fleet = {
        "prod": cluster("prod", prod, ClusterSettings(external=settings.pop("external", ()))),
        "stage": cluster("stage", stage, ClusterSettings(**settings)),
    }
    return Delivery(fleet).follow(call, world)


def told(prod: str = PROD, stage: str = STAGE, world: str = "1.27", call: Call = CALL, **settings: Any) -> tuple[Step, ...]:
    (way,) = ways(prod, stage, world, call, **settings)
    return steps(way, world)


def said(step: Step) -> str:
    return f"{step.what} {step.node.path}:{step.node.place.line} {step.text}"


def test_each_hop_is_told_with_the_line_that_decides_it() -> None:
    assert [said(step) for step in told()] == [
        "called host <prod>:18 at the sidecar, port 80, `shop.default.svc.cluster.local` of VirtualService default/shop "
        "takes `shop.default`",
        "route <prod>:20 a rule of VirtualService default/shop without `match` takes every request",
        "mirror <prod>:22 copies 100% to `stage-gateway.example.com:80`; without `port` a sidecar takes the called one",
        "shadow <prod>:18 carries the Host `shop.default-shadow`: the request's own, with `-shadow` put behind it",
        "registry <prod>:5 ServiceEntry default/stage: port 80 (HTTP), resolution DNS",
        "endpoint <prod>:5 `stage-gateway.example.com:80` is assumed to be stage's ingress: "
        "no address of an ingress is known",
        "server <stage>:6 Gateway default/stage, server 80 HTTP takes the connection: plain text",
        "virtual host <stage>:13 `shop.default-shadow` of VirtualService default/shop takes the Host `shop.default-shadow`",
        "route <stage>:16 a rule of VirtualService default/shop without `match` takes every request",
        "destination <stage>:16 sends it to `shop.default.svc.cluster.local:80`",
        "arrives <stage>:20 Service default/shop of stage takes it",
    ]


def test_hops_say_which_cluster_they_stand_in() -> None:
    assert [step.cluster for step in told()] == ["prod"] * 6 + ["stage"] * 5


def test_the_suffix_is_mentioned_only_where_it_is_put() -> None:
    (shadow,) = (step for step in told(world="1.28") if step.what == "shadow")
    assert shadow.text == "carries the Host `shop.default`: the request's own"


def end(prod: str = PROD, stage: str = STAGE, world: str = "1.27", **settings: Any) -> str:
    return said(told(prod, stage, world, **settings)[-1])


ENDS = {
    "stays": (
        (PROD.replace("host: stage-gateway.example.com", "host: shop"), STAGE),
        "stays <prod>:11 `shop.default.svc.cluster.local:80` is a service of prod itself",
    ),
    "unknown primary": (
        (PROD.replace("{host: shop}", "{host: shopp}"), STAGE),
        "lost <prod>:20 Envoy answers the request itself with 503 and mirrors nothing, "
        "since `shopp.default.svc.cluster.local` is not a host of prod's registry",
    ),
    "unweighted primary": (
        (PROD.replace("{destination: {host: shop}}", "{weight: 0, destination: {host: shop}}, {destination: {host: shop}}"), STAGE),
        "lost <prod>:20 Envoy answers the request itself with 503 and mirrors nothing, "
        "since no backend of the rule has a weight",
    ),
    "unknown host": (
        (PROD.replace("host: stage-gateway", "host: stage-gatway"), STAGE),
        "lost <prod>:22 `stage-gatway.example.com` is not a host of prod's registry: "
        "Envoy drops the shadow without a trace",
    ),
    "hidden host": (
        (PROD.replace("  resolution: DNS", "  resolution: DNS\n  exportTo: [other]").replace("stage}", "stage, namespace: a}"), STAGE),
        "lost <prod>:23 `stage-gateway.example.com` is not visible to this proxy: Envoy drops the shadow without a trace",
    ),
    "unknown port": (
        (PROD.replace("number: 80", "number: 8080"), STAGE),
        "lost <prod>:22 `stage-gateway.example.com` has no port 80, only 8080: Envoy drops the shadow without a trace",
    ),
    "unknown subset": (
        (PROD + "      subset: v2\n", STAGE),
        "lost <prod>:22 no DestinationRule gives `stage-gateway.example.com` a subset `v2`: "
        "Envoy drops the shadow without a trace",
    ),
    "UDP": (
        (PROD.replace("stage-gateway.example.com\n", "udp\n") + UDP, STAGE),
        "lost <prod>:22 port 80 of `udp.default.svc.cluster.local` is UDP: Envoy drops the shadow without a trace",
    ),
    "no endpoint to name": (
        (PROD.replace("  resolution: DNS", "  resolution: DNS\n  workloadSelector: {labels: {app: none}}"), STAGE),
        "lost <prod>:23 `stage-gateway.example.com` has no endpoint: Envoy drops the shadow without a trace",
    ),
    "original destination": (
        (PROD.replace("DNS", "NONE"), STAGE),
        "lost <prod>:7 `stage-gateway.example.com:80` is an entry with resolution NONE: "
        "Envoy has no address to send the shadow to",
    ),
    "no endpoint": (
        (PROD.replace("DNS", "STATIC"), STAGE),
        "lost <prod>:5 `stage-gateway.example.com:80` has no endpoint",
    ),
    "no listener": (
        (PROD, STAGE.replace("number: 80, name: http, protocol: HTTP", "number: 90, name: http, protocol: HTTP")),
        "lost <stage>:6 nothing listens on port 80 of stage's ingress gateway",
    ),
}


@pytest.mark.parametrize(("manifests", "expected"), ENDS.values(), ids=ENDS)
def test_an_end_names_what_decides_it(manifests: tuple[str, str], expected: str) -> None:
    assert end(*manifests) == expected
