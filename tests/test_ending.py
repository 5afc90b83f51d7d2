"""What a user reads of each end that a shadow can take, and where it points."""

from __future__ import annotations

from typing import Any

import pytest
from pair import CALL, PROD, SECURE, STAGE, said, told

from mirrorlint.delivery import reason
from mirrorlint.delivery.ending import WORDS
from mirrorlint.fleet import Ingress

UDP = """\
---
apiVersion: v1
kind: Service
metadata: {name: udp}
spec: {ports: [{port: 80, protocol: UDP}]}
"""
HEADLESS = """\
---
apiVersion: v1
kind: Service
metadata: {name: headless}
spec: {clusterIP: None, ports: [{port: 80, name: http}]}
"""
ALIASES = """\
---
apiVersion: v1
kind: Service
metadata: {name: first}
spec: {type: ExternalName, externalName: second.default.svc.cluster.local, ports: [{port: 80, name: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: second}
spec: {type: ExternalName, externalName: third.example.com, ports: [{port: 80, name: http}]}
"""
ANY_ADDRESS = """\
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: status}
spec:
  servers:
  - port: {number: 80, name: http, protocol: HTTP}
    bind: 0.0.0.0
    hosts: [status.example.com]
"""
DROPPED = "Envoy drops the shadow without a trace"
NO_ADDRESS = "Envoy has no address to send the shadow to"
TARGET, SHADOW = "`stage-gateway.example.com:80`", "`shop.default-shadow`"


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
        "since `shopp.default.svc.cluster.local:80` is not a host of prod's registry",
    ),
    "unknown host": (
        (PROD.replace("host: stage-gateway", "host: stage-gatway"), STAGE),
        f"lost <prod>:22 `stage-gatway.example.com:80` is not a host of prod's registry: {DROPPED}",
    ),
    "hidden host": (
        (PROD.replace("DNS", 'DNS\n  exportTo: ["."]').replace("stage}", "stage, namespace: a}"), STAGE),
        f"lost <prod>:23 `stage-gateway.example.com` is not visible in namespace `default`: {DROPPED}",
    ),
    "unknown port": (
        (PROD.replace("number: 80", "number: 8080"), STAGE),
        f"lost <prod>:22 `stage-gateway.example.com` has no port 80 (the port that is called, since none is named), only 8080: {DROPPED}",
    ),
    "unknown subset": (
        (PROD + "      subset: v2\n", STAGE),
        f"lost <prod>:22 no DestinationRule in force defines subset `v2` of `stage-gateway.example.com`: {DROPPED}",
    ),
    "UDP": (
        (PROD.replace("stage-gateway.example.com\n", "udp\n") + UDP, STAGE),
        f"lost <prod>:22 port 80 of `udp.default.svc.cluster.local` is UDP: {DROPPED}",
    ),
    "no endpoint to name": (
        (PROD.replace("  resolution: DNS", "  resolution: DNS\n  workloadSelector: {labels: {app: none}}"), STAGE),
        f"lost <prod>:23 `stage-gateway.example.com` has no endpoint, so Istio builds no upstream for it: {DROPPED}",
    ),
    "original destination": (
        (PROD.replace("DNS", "NONE"), STAGE),
        f"lost <prod>:7 {TARGET} is an entry with resolution NONE: {NO_ADDRESS}",
    ),
    "no endpoint": (
        (PROD.replace("DNS", "STATIC"), STAGE),
        "lost <prod>:5 `stage-gateway.example.com:80` has no endpoint",
    ),
    "headless": (
        (PROD.replace("host: stage-gateway.example.com", "host: headless") + HEADLESS, STAGE),
        f"lost <prod>:27 `headless.default.svc.cluster.local:80` is headless: {NO_ADDRESS}",
    ),
    "another name": (
        (PROD.replace("host: stage-gateway.example.com", "host: first") + ALIASES, STAGE),
        f"lost <prod>:22 `second.default.svc.cluster.local` is only another name "
        f"(ExternalName), so Istio builds no upstream for it: {DROPPED}",
    ),
    "where callers connected": (
        (PROD + SECURE.replace("tls: {mode: SIMPLE}", "loadBalancer: {simple: PASSTHROUGH}"), STAGE),
        f"lost <prod>:30 {TARGET} is left to callers' own connections by DestinationRule default/stage (`PASSTHROUGH`): {NO_ADDRESS}",
    ),
    "no listener": (
        (PROD, STAGE.replace("number: 80", "number: 90")),
        "lost <stage>:6 nothing listens on port 80 of stage's gateway",
    ),
}


TLS_STAGE = STAGE.replace("protocol: HTTP}", "protocol: HTTPS}\n    tls: {mode: SIMPLE, credentialName: cert}")
REFUSALS = {
    "no listener at all": (
        (PROD, STAGE[STAGE.index("---\n") :]),
        "unknown <prod>:5 nothing here tells whose ingress `stage-gateway.example.com:80` is",
    ),
    "plain text to TLS": (
        (PROD, TLS_STAGE),
        "lost <stage>:7 the shadow comes as plain text, the server takes TLS",
    ),
    "TLS to plain text": (
        (PROD + SECURE, STAGE),
        "lost <stage>:6 the shadow comes as TLS with SNI `shop.default-shadow`, the server takes plain text",
    ),
    "two servers alike": (
        (PROD, STAGE + ANY_ADDRESS),
        "lost <stage>:28 the shadow comes as plain text, which Gateway default/stage and Gateway default/status take alike: "
        "Envoy refuses a listener with two such filter chains",
    ),
    "another SNI": (
        (PROD + SECURE, TLS_STAGE.replace('"*"', "shop.example.com")),
        "lost <stage>:7 no server on port 80 takes TLS with SNI `shop.default-shadow`: the connection is closed",
    ),
    "another host": (
        (PROD, STAGE.replace("shop.default-shadow", "shop.default")),
        "lost <stage>:13 404: no host with rules that a Gateway and a VirtualService share covers `shop.default-shadow` "
        "(the closest is `shop.default`)",
    ),
    "no host at all": (
        (PROD, STAGE.replace("gateways: [stage]", "gateways: [other]")),
        "lost <stage>:7 404: no host with rules that a Gateway and a VirtualService share covers `shop.default-shadow`",
    ),
    "no host but to redirect": (
        (PROD + SECURE, TLS_STAGE.replace("{mode", "{httpsRedirect: true, mode").replace("gateways: [stage]", "gateways: [other]")),
        "lost <stage>:8 404: none of the rules for `*` takes GET /; no VirtualService has rules for it",
    ),
    "no rule for the server": (
        (PROD, STAGE.replace("  - route", "  - match: [{port: 8080}]\n    route")),
        "lost <stage>:7 404: no host with rules that a Gateway and a VirtualService share covers `shop.default-shadow`",
    ),
    "redirect to HTTPS": (
        (PROD, STAGE.replace("protocol: HTTP}", "protocol: HTTP}\n    tls: {httpsRedirect: true}")),
        "lost <stage>:7 301: the server redirects to HTTPS (`httpsRedirect`), and nobody follows for a shadow",
    ),
    "no rule": (
        (PROD, STAGE.replace("  - route", "  - match: [{uri: {prefix: /api}}]\n    route")),
        "lost <stage>:16 404: none of the rules for `shop.default-shadow` takes GET /; the nearest rule asks for uri prefix `/api`",
    ),
    "a path without its slash": (
        (PROD.replace("    mirror:", "    rewrite: {uriRegexRewrite: {match: /, rewrite: v2}}\n    mirror:"), STAGE),
        "lost <stage>:13 404: none of the rules for `shop.default-shadow` takes GET v2; its path does not begin with a slash",
    ),
    "redirect": (
        (PROD, STAGE.replace("route: [{destination: {host: shop}}]", "redirect: {uri: /other}")),
        "lost <stage>:16 the rule answers with a redirect, and nobody follows it for a shadow",
    ),
    "direct response": (
        (PROD, STAGE.replace("route: [{destination: {host: shop}}]", "directResponse: {status: 200}")),
        "lost <stage>:16 the gateway answers by itself (`directResponse`)",
    ),
    "unknown destination": (
        (PROD, STAGE.replace("destination: {host: shop}", "destination: {host: shop, port: {number: 81}}")),
        "lost <stage>:16 503: `shop.default.svc.cluster.local` has no port 81, only 80",
    ),
    "bytes": (
        (PROD, STAGE.replace("protocol: HTTP", "protocol: TCP").replace("http:\n  -", "tcp:\n  -")),
        "unknown <stage>:6 Gateway default/stage's server passes the connection on as it comes, and what takes it is not followed",
    ),
}


@pytest.mark.parametrize(("manifests", "expected"), (ENDS | REFUSALS).values(), ids=ENDS | REFUSALS)
def test_an_end_names_what_decides_it(manifests: tuple[str, str], expected: str) -> None:
    assert end(*manifests) == expected


POSTED = CALL._replace(method="POST", path="/v1/cart?page=2", headers={"x-team": "web"})


@pytest.mark.parametrize(
    ("blocks", "nearest"),
    [
        (("{uri: {exact: /v1}}", "{uri: {prefix: /V1/cat}}"), "<stage>:18 uri prefix `/V1/cat`"),
        (("{method: {exact: GET}, uri: {prefix: /v1}}", "{uri: {prefix: /v1}, method: {exact: PUT}}"), "<stage>:16 method exact `GET`"),
        (("{authority: {exact: a}}", "{uri: {exact: /a}, method: {exact: GET}}"), "<stage>:18 uri exact `/a` and method exact `GET`"),
        (("{headers: {x-team: {regex: a.*}}}", "{headers: {x-team: {}, x-user: {}}}"), "<stage>:18 header `x-user` present"),
        (("{withoutHeaders: {X-Team: {exact: web}}}", "{scheme: {exact: https}}"), "<stage>:16 no header `X-Team` exact `web`"),
        (("{queryParams: {page: {exact: '1'}}}", "{scheme: {exact: https}}"), "<stage>:16 query `page` exact `1`"),
    ],
)
def test_a_shadow_that_no_rule_takes_ends_at_what_the_nearest_one_asks_for(blocks: tuple[str, ...], nearest: str) -> None:
    rules = "".join(f"  - match: [{block}]\n    route: [{{destination: {{host: shop}}}}]\n" for block in blocks)
    stage = STAGE.replace("  - route: [{destination: {host: shop}}]\n", rules)
    place, _, words = nearest.partition(" ")
    ended = said(told(PROD, stage, call=POSTED)[-1])
    assert ended.startswith(f"lost {place} 404: ")
    assert ended.endswith(f"; the nearest rule asks for {words}")


def test_every_way_to_end_has_words() -> None:
    reasons = {text for name, text in vars(reason).items() if name.isupper() and isinstance(text, str)}
    assert reasons == set(WORDS)


def test_a_target_that_settings_call_external_leads_elsewhere() -> None:
    assert end(external=("stage-gateway.example.com",)) == (
        "elsewhere <prod>:5 `stage-gateway.example.com:80` is the ingress of no other cluster that is known here"
    )


CERTIFICATE = """\
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: cert}
spec: {secretName: cert, dnsNames: [other.example.com]}
"""
BALANCER = """\
---
apiVersion: v1
kind: Service
metadata:
  name: edge
  annotations:
    external-dns.alpha.kubernetes.io/hostname: stage-gateway.example.com
    service.beta.kubernetes.io/aws-load-balancer-ssl-cert: arn
spec: {type: LoadBalancer, selector: {istio: edge}, ports: [{name: https, port: 80}]}
"""


def test_a_certificate_for_another_name_ends_it() -> None:
    assert end(PROD + SECURE, TLS_STAGE + CERTIFICATE, ingress=Ingress(namespace="default", labels={"istio": "edge"})) == (
        "lost <stage>:27 Certificate default/cert is not for the name that is asked for: the handshake fails"
    )


@pytest.mark.parametrize(
    ("prod", "stage", "why"),
    [
        (PROD, STAGE, "the shadow comes as plain text, the load balancer ends TLS and goes on in plain text"),
        (PROD + SECURE, TLS_STAGE, "the shadow comes as plain text, behind a load balancer that ends TLS, the server takes TLS"),
    ],
    ids=["before it", "behind it"],
)
def test_a_load_balancer_that_ends_tls_ends_it(prod: str, stage: str, why: str) -> None:
    text = stage + BALANCER
    line = text.splitlines().index("    service.beta.kubernetes.io/aws-load-balancer-ssl-cert: arn") + 1
    assert end(prod, text) == f"lost <stage>:{line} {why}"
