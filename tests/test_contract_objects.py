"""Objects of every kind that the delivery asks of a target: by its contract a report says what it says by its manifests."""

from __future__ import annotations

from typing import Any

import pytest
from pair import PROD, STAGE
from peers import published

from mirrorlint import engine, loads
from mirrorlint.fleet import Cluster
from mirrorlint.rule import Report

SERVICE = "---\n" + STAGE.rpartition("---\n")[2]
SOUND = STAGE.replace("[shop.default-shadow]", '["*"]')
POLICY = """\
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: closed, namespace: istio-system}
spec: {action: DENY, rules: [{to: [{operation: {methods: [GET]}}]}]}
"""
TOKENS = """\
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: tokens, namespace: istio-system}
spec: {jwtRules: [{issuer: a}]}
---
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: {name: patched}
spec: {configPatches: [{applyTo: HTTP_ROUTE}]}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: chart}
"""
OF_PODS = """\
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: tokens}
spec: {selector: {matchLabels: {app: shop}}, jwtRules: [{issuer: a}]}
"""
INBOUND = """\
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: callers}
spec: {rules: [{from: [{source: {principals: [cluster.local/ns/istio-system/sa/edge]}}]}]}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: istio-system}
spec: {mtls: {mode: STRICT}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: shop}
spec: {host: shop, trafficPolicy: {connectionPool: {http: {maxRetries: 3}}}}
---
apiVersion: v1
kind: Namespace
metadata: {name: default, labels: {istio-injection: enabled}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: edge, namespace: istio-system}
spec: {template: {metadata: {labels: {istio: ingressgateway}}, spec: {serviceAccountName: edge, containers: [{name: proxy}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec: {template: {metadata: {labels: {app: shop}}, spec: {containers: [{name: shop}]}}}
"""
GUARDED = (
    SOUND.replace("servers:", "selector: {istio: ingressgateway}\n  servers:", 1).replace(
        "spec: {ports", "spec: {selector: {app: shop}, ports"
    )
    + INBOUND
)
ROLLOUT = """\
---
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: shop-v2}
spec: {workloadRef: {apiVersion: apps/v1, kind: Deployment, name: base}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: base}
spec: {replicas: 0, template: {metadata: {labels: {app: shop, version: v2}}}}
"""
ASKING = """\
---
apiVersion: v1
kind: Pod
metadata: {name: other, labels: {sidecar.istio.io/inject: "true"}}
"""
OUTSIDE = (
    SOUND.replace("spec: {ports", "spec: {selector: {app: shop}, ports")
    + """\
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: shop}
spec: {host: shop, trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec: {template: {metadata: {labels: {app: shop, sidecar.istio.io/inject: "false"}}}}
"""
)
PLAIN_TEXT = "trafficPolicy: {tls: {mode: DISABLE}}"
SCALED = """\
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec: {replicas: 0, template: {metadata: {labels: {app: shop}}}}
"""
SLEEPING = """\
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: shop}
spec: {scaleTargetRef: {name: shop}}
"""
NAMESAKE = """\
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop-v2}
spec: {template: {metadata: {labels: {app: shop}}}}
---
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: shop}
spec: {workloadRef: {apiVersion: apps/v1, kind: Deployment, name: old}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: old}
spec: {replicas: 0, template: {metadata: {labels: {app: old}}}}
"""
SUBSET = """\
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: shop}
spec: {host: shop, subsets: [{name: v1, labels: {version: v1}}]}
"""
INGRESS = """\
---
apiVersion: v1
kind: Service
metadata: {name: ingress, namespace: istio-system, annotations: {external-dns.alpha.kubernetes.io/hostname: stage-gateway.example.com}}
spec: {type: LoadBalancer, selector: {istio: ingressgateway}, ports: [{name: http, port: 80, targetPort: web}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ingress, namespace: istio-system}
spec:
  template:
    metadata: {labels: {istio: ingressgateway, app: x}}
    spec: {containers: [{name: istio-proxy, ports: [{name: web, containerPort: 8080}]}]}
"""
DELEGATE = """\
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: part, namespace: parts}
spec: {http: [{route: [{destination: {host: part.parts.svc.cluster.local, subset: v2}}]}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: part, namespace: parts}
spec: {host: "*.parts.svc.cluster.local", subsets: [{name: v1}]}
---
apiVersion: v1
kind: Service
metadata: {name: part, namespace: parts}
spec: {ports: [{port: 80, name: http}]}
"""
ENTRY = """\
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: vm}
spec: {hosts: ["*.vm.example"], ports: [{number: 80, name: http, protocol: HTTP}], resolution: NONE}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: vms}
spec: {hosts: [machine.test], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS, workloadSelector: {labels: {app: vm}}}
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: {name: vm, labels: {app: vm}}
spec: {address: vm.example}
"""
APART = """\
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: a, labels: {team: a}}
spec: {hosts: [db.test], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: b, labels: {team: b}}
spec: {hosts: [db.test], ports: [{number: 88, name: http, protocol: HTTP}], resolution: DNS}
"""
PASSING = """\
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: vms}
spec: {host: machine.test, trafficPolicy: {loadBalancer: {simple: PASSTHROUGH}}}
"""
BACK = """\
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: prod}
spec: {hosts: [prod-gateway.example.com], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}
"""
PROD_GATEWAY = STAGE.replace("name: stage}", "name: prod}").replace("[stage]", "[prod]").replace("[shop.default-shadow]", '["*"]')
PROD_SERVES = (
    PROD + "---\n" + PROD_GATEWAY.replace("Service\nmetadata: {name: shop}\nspec: {ports", "Service\nmetadata: {name: s}\nspec: {ports")
)
PROD_SERVES_NAME = PROD_SERVES.replace('["*"]\n  gateways', "[back.test]\n  gateways")
PROD_SERVES_MARKED = PROD_SERVES.replace("[prod]\n  http:\n  - ", "[prod]\n  http:\n  - match: [{headers: {x-mark: {}}}]\n    ")
LOOP = (
    SOUND.replace(
        "  - route: [{destination: {host: shop}}]", "  - route: [{destination: {host: shop}}]\n    mirror: {host: prod-gateway.example.com}"
    )
    + BACK
)
PROD_SERVES_TLS = (
    PROD_SERVES.replace("servers:\n", "selector: {istio: ingressgateway}\n  servers:\n").replace(
        "name: http, protocol: HTTP}\n    hosts", "name: https, protocol: HTTPS}\n    tls: {mode: SIMPLE, credentialName: c}\n    hosts"
    )
    + INGRESS.replace("stage", "prod")
    + """\
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: c, namespace: istio-system}
spec: {secretName: c, dnsNames: [a.test]}
"""
)
LOOP_TLS = (
    LOOP
    + """\
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: prod}
spec: {host: prod-gateway.example.com, trafficPolicy: {tls: {mode: SIMPLE, insecureSkipVerify: true}}}
"""
)
FILTERS = """\
filters:
    - {type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: x-key, value: a}, {name: host, value: back.test}]}}
    - type: RequestMirror
      requestMirror: {backendRef: {group: networking.istio.io, kind: Hostname, name: prod-gateway.example.com, port: 80}}
    """
API = """\
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: istio}
spec: {controllerName: istio.io/gateway-controller}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: stage, namespace: edge, annotations: {external-dns.alpha.kubernetes.io/hostname: stage-gateway.example.com}}
spec:
  gatewayClassName: istio
  listeners:
  - name: http
    port: 80
    protocol: HTTP
    allowedRoutes: {namespaces: {from: Selector, selector: {matchLabels: {mirrored: "yes"}}}}
  - name: https
    port: 443
    protocol: HTTPS
    tls: {certificateRefs: [{name: bad}]}
---
apiVersion: v1
kind: Secret
metadata: {name: bad, namespace: edge}
type: kubernetes.io/tls
data: {tls.crt: bm9uZQ==, tls.key: bm9uZQ==}
---
apiVersion: v1
kind: Namespace
metadata: {name: default, labels: {mirrored: "%s"}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop}
spec:
  parentRefs: [{name: stage, namespace: edge}]
  rules: [{backendRefs: [{name: shop, port: 80}]}]
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
spec: {host: stage-gateway.example.com, trafficPolicy: {tls: {mode: SIMPLE, sni: stage-gateway.example.com, subjectAltNames: [b.example]}}}
"""
CERTIFICATE = """\
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: c, namespace: istio-system}
spec: {secretName: c, dnsNames: [other.example]}
"""
HTTPS = SOUND.replace(
    "name: http, protocol: HTTP}\n    hosts", "name: https, protocol: HTTPS}\n    tls: {mode: SIMPLE, credentialName: c}\n    hosts"
)
HTTPS = HTTPS.replace("servers:", "selector: {app: x}\n  servers:", 1)
ROUTE = "  - route: [{destination: {host: shop}}]"
FRONTEND = "{frontend: {default: {validation: {caCertificateRefs: [{group: '', kind: Pod, name: ca}]}}}}"
CASES = {
    "sound": (PROD, SOUND, ""),
    "a policy": (PROD, SOUND + POLICY, "shadow-denied"),
    "what is not judged": (PROD, SOUND + TOKENS, ""),
    "pods that look at tokens": (PROD, GUARDED + OF_PODS, ""),
    "a service scaled to nothing": (
        PROD,
        SOUND.replace("spec: {ports", "spec: {selector: {app: shop}, ports") + SCALED,
        "target-without-pods",
    ),
    "a service that selects other pods": (
        PROD,
        SOUND.replace("spec: {ports", "spec: {selector: {app: shops}, ports") + SCALED,
        "target-without-pods",
    ),
    "a service that is scaled from nothing": (
        PROD,
        SOUND.replace("spec: {ports", "spec: {selector: {app: shop}, ports") + SCALED + SLEEPING + SUBSET,
        "",
    ),
    "a service whose pods get a label later": (
        PROD,
        SOUND.replace("spec: {ports", "spec: {selector: {app: shop, istio.io/rev: canary}, ports") + NAMESAKE,
        "",
    ),
    "a service whose namesake has the pods of another workload": (
        PROD,
        SOUND.replace("spec: {ports", "spec: {selector: {app: shops}, ports") + NAMESAKE,
        "target-without-pods",
    ),
    "a service whose namesake is told for another one": (
        PROD,
        SOUND.replace(ROUTE, "  - route: [{destination: {host: shop}, weight: 50}, {destination: {host: old}, weight: 50}]").replace(
            "spec: {ports", "spec: {selector: {app: shop}, ports"
        )
        + SERVICE.replace("name: shop", "name: old").replace("spec: {ports", "spec: {selector: {app: past}, ports")
        + NAMESAKE.replace("app: old", "app: shop"),
        "target-without-pods",
    ),
    "a subset that no pod of the service has": (
        PROD,
        SOUND.replace("spec: {ports", "spec: {selector: {app: shop}, ports").replace("{host: shop}", "{host: shop, subset: v1}")
        + SCALED.replace("replicas: 0, ", "")
        + SUBSET,
        "target-without-pods",
    ),
    "a Service in front with a named port": (PROD, SOUND.replace("servers:", "selector: {app: x}\n  servers:", 1) + INGRESS, ""),
    "a Service in front of other pods": (PROD, SOUND + INGRESS.replace("labels: {istio:", "labels: {gateway:"), "target-without-pods"),
    "a Service in front whose pods are scaled to nothing": (
        PROD,
        SOUND + INGRESS.replace("  template:", "  replicas: 0\n  template:"),
        "target-without-pods",
    ),
    "a Service in front with a port that no container has": (
        PROD,
        SOUND + INGRESS.replace("{name: web, c", "{name: http, c"),
        "target-without-pods",
    ),
    "a Service in front with a port of a sidecar": (
        PROD,
        SOUND + INGRESS.replace("containers: [{name: istio-proxy", "containers: [{name: logs}], initContainers: [{name: istio-proxy"),
        "",
    ),
    "a Service in front without the port": (PROD, SOUND + INGRESS.replace("port: 80,", "port: 88,"), "ingress-without-listener"),
    "a delegate whose subset is missing": (
        PROD,
        SOUND.replace(ROUTE, "  - delegate: {name: part, namespace: parts}") + DELEGATE,
        "target-route-to-unknown-host",
    ),
    "a destination that is only below a wildcard": (
        PROD,
        SOUND.replace("{host: shop}", "{host: a.vm.example}") + ENTRY,
        "target-route-to-unknown-host",
    ),
    "a destination with selected endpoints": (PROD, SOUND.replace("{host: shop}", "{host: machine.test}") + ENTRY, ""),
    "a destination whose endpoints are gone": (
        PROD,
        SOUND.replace("{host: shop}", "{host: machine.test}") + ENTRY.replace("app: vm}}\nspec: {address", "app: w}}\nspec: {address"),
        "target-route-to-unknown-host",
    ),
    "a destination without endpoints that callers' connections lead to": (
        PROD,
        SOUND.replace("{host: shop}", "{host: machine.test}")
        + ENTRY.replace("labels: {app: vm}}\nspec: {a", "labels: {app: w}}\nspec: {a")
        + PASSING,
        "",
    ),
    "a destination that is on a port of an entry whose labels keep it apart": (
        PROD,
        SOUND.replace("{host: shop}", "{host: db.test, port: {number: 88}}") + APART,
        "target-route-to-unknown-host",
    ),
    "pods that let the gateway in": (PROD, GUARDED, ""),
    "pods that let another account in": (PROD, GUARDED.replace("sa/edge", "sa/web"), "shadow-denied-by-workload"),
    "pods that ask for mutual TLS": (
        PROD,
        GUARDED.replace("trafficPolicy: {connectionPool: {http: {maxRetries: 3}}}", PLAIN_TEXT),
        "tls-mismatch-at-workload",
    ),
    "pods without a sidecar that let another account in": (
        PROD,
        GUARDED.replace("sa/edge", "sa/web").replace(
            "labels: {app: shop}", "labels: {app: shop}, annotations: {sidecar.istio.io/inject: 'false'}"
        ),
        "",
    ),
    "pods of a namespace without sidecars": (PROD, GUARDED.replace("sa/edge", "sa/web").replace(": enabled", ": disabled"), ""),
    "pods of a Rollout that let another account in": (
        PROD,
        GUARDED.replace("sa/edge", "sa/web").replace("{labels: {app: shop}}", "{labels: {app: other}}") + ROLLOUT,
        "shadow-denied-by-workload",
    ),
    "pods of which others ask for sidecars": (
        PROD,
        GUARDED.replace("sa/edge", "sa/web").replace(", labels: {istio-injection: enabled}", "") + ASKING,
        "",
    ),
    "pods that let an account in which an older field has": (PROD, GUARDED.replace("serviceAccountName", "serviceAccount"), ""),
    "pods without a sidecar that are sent mutual TLS": (PROD, OUTSIDE, "tls-mismatch-at-workload"),
    "a mirror that leads back": (PROD_SERVES, LOOP, "shadow-mirrored-back"),
    "a mirror that leads back with the Host that a rule sets": (
        PROD_SERVES_NAME,
        LOOP.replace("    mirror:", "    headers: {request: {set: {Host: back.test}}}\n    mirror:"),
        "shadow-mirrored-back",
    ),
    "a mirror that leads back with the Host that a destination sets": (
        PROD_SERVES_NAME,
        LOOP.replace("{host: shop}}", "{host: shop}, headers: {request: {add: {':authority': back.test}}}}"),
        "shadow-mirrored-back",
    ),
    "a mirror that leads back with the Host that a filter sets": (
        PROD_SERVES_NAME,
        (API % "yes").replace("rules: [{backendRefs", f"rules:\n  - {FILTERS}backendRefs").replace("port: 80}]}]", "port: 80}]") + BACK,
        "shadow-mirrored-back",
    ),
    "a mirror that leads back with a header": (
        PROD_SERVES_MARKED,
        LOOP.replace("    mirror:", "    headers: {request: {set: {x-mark: hidden}}}\n    mirror:"),
        "shadow-mirrored-back",
    ),
    "a mirror that leads back to a certificate that nobody looks at": (
        PROD_SERVES_TLS,
        LOOP_TLS,
        "shadow-mirrored-back",
    ),
    "a certificate for another name": (PROD + SECURE, HTTPS + CERTIFICATE + INGRESS, "certificate-for-other-host"),
    "a listener's certificate for another name": (
        PROD.replace("number: 80", "number: 443") + "      port: {number: 443}\n" + SECURE,
        (API % "yes").replace("[{name: bad}]", "[{name: c}]") + CERTIFICATE.replace("istio-system", "edge"),
        "certificate-for-other-host",
    ),
    "a listener that takes a namespace": (PROD, API % "yes", ""),
    "a listener that takes another namespace": (PROD, API % "no", "shadow-host-not-accepted"),
    "a listener for clients with certificates of a CA that Istio does not take": (
        PROD.replace("number: 80", "number: 443") + "      port: {number: 443}\n" + SECURE,
        (API % "yes").replace("[{name: bad}]", "[{name: c}]").replace("  listeners:", f"  tls: {FRONTEND}\n  listeners:"),
        "ingress-without-listener",
    ),
    "a listener that Istio does not program": (
        PROD.replace("number: 80", "number: 443") + "      port: {number: 443}\n",
        API % "yes",
        "ingress-without-listener",
    ),
}


def told(report: Report, peer: str = "") -> tuple[list[Any], list[tuple[str, ...]]]:
    """What a report says of prod and of its mirrors."""
    found = [
        (f.rule, f.level, f.message, str(f.place).replace(peer, ""), [(n.message, str(n.place).replace(peer, "")) for n in f.notes])
        for f in report.findings
        if f.rule != "order-undecided"
    ]
    return found, [(spot.message, spot.path.replace(peer, ""), str(spot.line)) for spot in report.blind_spots]


@pytest.mark.parametrize(("prod", "stage", "rule"), CASES.values(), ids=CASES)
def test_a_contract_says_what_the_manifests_say(prod: str, stage: str, rule: str) -> None:
    ingress = {"prod": {"addresses": ["prod-gateway.example.com"]}}
    found = loads({"prod": prod, "stage": stage}, ingress=ingress).loaded.documents
    by_manifests = engine.lint(found, {}, "1.28")
    assert [finding.rule for finding in by_manifests.findings] == ([rule] if rule else [])
    assert told(engine.lint(published(found, "stage"), {}, "1.28"), "stage://") == told(by_manifests)


@pytest.mark.parametrize(("suffix", "rules"), [(True, set()), (False, {"shadow-mirrored-back"})])
def test_a_peer_sends_shadows_back_as_its_settings_say(suffix: bool, rules: set[str]) -> None:
    prod, stage, _ = CASES["a mirror that leads back"]
    prod = prod.replace('hosts: ["*"]\n  gateways', "hosts: [shop.default]\n  gateways")
    found = published(
        loads({"prod": prod, "stage": stage}, ingress={"prod": {"addresses": ["prod-gateway.example.com"]}}).loaded.documents, "stage"
    )
    own, peer = found.clusters.values()
    clusters = {
        "prod": Cluster("prod", list(own.manifests()), own.settings._replace(shadow_suffix=False)),
        "stage": Cluster("stage", list(peer.manifests()), peer.settings._replace(shadow_suffix=suffix), published=True),
    }
    assert {finding.rule for finding in engine.lint(found._replace(clusters=clusters), {}).findings} == rules
