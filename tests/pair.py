"""Two clusters in YAML, prod that mirrors to stage, and their ways: what tests vary."""

from __future__ import annotations

from typing import Any

from mirrorlint import check, loads
from mirrorlint.delivery.follow import Delivery
from mirrorlint.delivery.steps import Step, steps
from mirrorlint.delivery.way import Call, Way
from mirrorlint.fleet import Cluster, ClusterSettings, Manifest
from mirrorlint.rule import Finding, Report
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
CALL = Call("prod", "default", "shop.default", 80)


def cluster(name: str, text: str, settings: ClusterSettings) -> Cluster:
    return Cluster(name, [Manifest(document) for document in parse(text.encode(), f"<{name}>").documents], settings)


def judged(prod: str, stage: str, istio: str | None = None, **said: Any) -> Report:
    """What there is to say of both; `said` is what `loads` may be told of them."""
    return check(loads({"prod": prod, "stage": stage}, **said), istio)


def only(prod: str, stage: str, **said: Any) -> Finding:
    """The one finding that there is."""
    (finding,) = judged(prod, stage, **said).findings
    return finding


def ways(prod: str, stage: str, world: str = "1.27", call: Call = CALL, **settings: Any) -> tuple[Way, ...]:
    fleet = {
        "prod": cluster("prod", prod, ClusterSettings(external=settings.pop("external", ()))),
        "stage": cluster("stage", stage, ClusterSettings(**settings)),
    }
    return Delivery(fleet).follow(call, world)


def told(prod: str = PROD, stage: str = STAGE, world: str = "1.27", **others: Any) -> tuple[Step, ...]:
    (way,) = ways(prod, stage, world, **others)
    return steps(way, world)


def said(step: Step) -> str:
    return f"{step.what} {step.node.path}:{step.node.place.line} {step.text}"
