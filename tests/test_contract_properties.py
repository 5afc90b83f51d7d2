"""For all targets: by its contract a cluster is what it is by its manifests."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pair import PROD
from peers import published

from mirrorlint import engine, loads
from mirrorlint.delivery.age import by_name
from mirrorlint.delivery.follow import Delivery
from mirrorlint.fleet import Cluster, Documents
from mirrorlint.rule import Report

Strategy = st.SearchStrategy[Any]

BACK = "prod-gateway.example.com"
# What prod serves of what is mirrored back to it.
SERVING = """\
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: prod}
spec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: back}
spec: {hosts: [back.test], gateways: [prod], http: [{route: [{destination: {host: shop}}]}]}
"""


def one(*values: Any) -> Strategy:
    return st.sampled_from(values)


def some(each: Strategy, most: int = 2, least: int = 1) -> Strategy:
    return st.lists(each, min_size=least, max_size=most)


def fields(needed: dict[str, Strategy], **optional: Strategy) -> Strategy:
    """A mapping that has some fields, and perhaps one more."""
    return st.one_of(st.fixed_dictionaries(needed), *(st.fixed_dictionaries({**needed, name: value}) for name, value in optional.items()))


def objects(kind: str, spec: Strategy, *elsewhere: str, **metadata: Strategy) -> Strategy:
    """Objects of a kind in `default`, or in another namespace."""
    version, _, kind = kind.rpartition("/")
    namespace = one("default", "default", "default", *elsewhere)
    named = fields({"name": NAMES, "namespace": namespace, **metadata}, creationTimestamp=one("2020-01-01T00:00:00Z"))
    return st.fixed_dictionaries({"apiVersion": st.just(version), "kind": st.just(kind), "metadata": named, "spec": spec})


NAMES = one("shop", "shop", "old")
LABELS = one({}, {"app": "shop"}, {"app": "old"}, {"app": "shop", "version": "v1"}, {"app": "shop", "istio.io/rev": "a"}, {"version": "v1"})
HOSTS = one("shop", "shop", "db.test", "db.test", "*.test", "old")
PORT = one({"number": 80, "name": "http", "protocol": "HTTP"}, {"number": 88, "name": "http-b", "protocol": "HTTP"})
EXPORTS = one(["*"], ["."], ["other"])
SETS = one({"set": {"Host": "back.test"}}, {"add": {":authority": "back.test"}}, {"set": {"x-a": "a"}}, {"remove": ["x-a"]})
HEADERS = st.fixed_dictionaries({"request": SETS})
DESTINATION = fields({"host": HOSTS}, subset=one("v1", "v2"), port=one({"number": 80}, {"number": 88}))
TLS = fields({"mode": one("SIMPLE", "DISABLE", "ISTIO_MUTUAL")}, sni=one("back.test"))
BALANCER = one({"simple": "PASSTHROUGH"})
OF_PORT = fields({"port": one({"number": 80})}, tls=TLS, loadBalancer=BALANCER)
POLICY = fields({}, tls=TLS, loadBalancer=BALANCER, portLevelSettings=some(OF_PORT, 1))
SHOP = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "shop", "namespace": "default"}, "spec": {"ports": [{"port": 80}]}}
RULE = fields(
    {"route": some(fields({"destination": DESTINATION}, headers=HEADERS), 1), "mirror": one({"host": BACK}, {"host": "shop"})},
    headers=HEADERS,
    match=one([{"uri": {"prefix": "/a"}}], [{"port": 88}], [{"headers": {"x-a": {"exact": "a"}}}], [{"gateways": ["default/shop"]}]),
    mirrorPercentage=one({"value": 0}, {"value": 50}),
    rewrite=one({"authority": "back.test"}, {"uri": "/b"}),
    fault=one({"abort": {"httpStatus": 500, "percentage": {"value": 100}}}),
)
CONTAINER = fields({"name": one("istio-proxy", "app")}, ports=one([{"containerPort": 80, "name": "http"}], [{"containerPort": 80}]))
POD = fields({"containers": some(CONTAINER, 1)}, initContainers=some(CONTAINER, 1), hostNetwork=one(True))
TEMPLATE = st.fixed_dictionaries({"metadata": st.fixed_dictionaries({"labels": LABELS}), "spec": POD})
REFERENCE = fields({"name": NAMES}, kind=one("Deployment", "Rollout"))
GATEWAY = objects(
    "networking.istio.io/v1/Gateway",
    fields({"servers": some(fields({"port": PORT, "hosts": one(["*"], ["other/*"])}), 1)}, selector=LABELS),
    "istio-system",
)
SERVICE = objects(
    "v1/Service",
    fields(
        {"ports": some(fields({"port": one(80), "name": one("http")}, targetPort=one("http", 8080)), 1), "selector": LABELS},
        type=one("LoadBalancer"),
    ),
    "istio-system",
    annotations=one({}, {"external-dns.alpha.kubernetes.io/hostname": "stage-gateway.example.com"}, {"networking.istio.io/exportTo": "."}),
)
WORKLOAD_ENTRY = objects("networking.istio.io/v1/WorkloadEntry", fields({"address": one("10.0.0.1")}, labels=LABELS), labels=LABELS)
WORKLOAD = st.one_of(
    objects("apps/v1/Deployment", fields({"template": TEMPLATE}, replicas=one(0, 1)), "istio-system"),
    objects("argoproj.io/v1alpha1/Rollout", fields({"workloadRef": REFERENCE}, template=TEMPLATE, replicas=one(0, 1))),
    objects("keda.sh/v1alpha1/ScaledObject", st.fixed_dictionaries({"scaleTargetRef": REFERENCE})),
    WORKLOAD_ENTRY,
)
ENTRY = objects(
    "networking.istio.io/v1/ServiceEntry",
    fields(
        {"hosts": one(["db.test"]), "ports": some(PORT, 1), "resolution": one("DNS", "DNS", "STATIC", "NONE")},
        exportTo=EXPORTS,
        endpoints=some(fields({"address": one("10.0.0.1")}, labels=LABELS), 1),
        workloadSelector=st.fixed_dictionaries({"labels": LABELS}),
    ),
    "other",
    labels=LABELS,
)
SUBSET = fields({"name": one("v1", "v2"), "labels": LABELS}, trafficPolicy=POLICY)
DESTINATION_RULE = objects(
    "networking.istio.io/v1/DestinationRule",
    fields(
        {"host": HOSTS, "subsets": some(SUBSET, 1)},
        trafficPolicy=POLICY,
        exportTo=EXPORTS,
        workloadSelector=st.fixed_dictionaries({"matchLabels": LABELS}),
    ),
    "istio-system",
    "other",
)
GUARD = objects(
    "security.istio.io/v1/AuthorizationPolicy",
    fields({"rules": one([{}], [{"to": [{"operation": {"methods": ["POST"]}}]}])}, selector=st.fixed_dictionaries({"matchLabels": LABELS})),
    "istio-system",
)
FILTER = one(
    {
        "type": "RequestMirror",
        "requestMirror": {"backendRef": {"group": "networking.istio.io", "kind": "Hostname", "name": BACK, "port": 80}},
    },
    {"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "Host", "value": "back.test"}]}},
    {"type": "URLRewrite", "urlRewrite": {"hostname": "back.test"}},
)
BACKEND = st.fixed_dictionaries({"name": one("shop"), "port": one(80)})
ROUTE = objects(
    "gateway.networking.k8s.io/v1/HTTPRoute",
    st.fixed_dictionaries(
        {
            "parentRefs": one([{"name": "edge", "namespace": "default"}]),
            "rules": some(st.fixed_dictionaries({"backendRefs": some(BACKEND, 1), "filters": some(FILTER, 3)}), 1),
        }
    ),
)
ENTRIES = """\
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: prod}
spec: {hosts: [prod-gateway.example.com], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: db, labels: {app: shop}}
spec: {hosts: [db.test], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}
"""
ISTIO = f"""\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: shop}}
spec: {{servers: [{{port: {{number: 80, name: http, protocol: HTTP}}, hosts: ["*"]}}]}}
{ENTRIES}"""
API = f"""\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{name: edge}}
spec: {{gatewayClassName: istio, listeners: [{{name: http, port: 80, protocol: HTTP, allowedRoutes: {{namespaces: {{from: All}}}}}}]}}
{ENTRIES}"""
REGISTRY = st.tuples(some(ENTRY, 3), some(DESTINATION_RULE, 2, 0), some(WORKLOAD_ENTRY, 2, 0))
PODS = st.tuples(some(SERVICE, 3), some(WORKLOAD, 5), some(DESTINATION_RULE, 1, 0))
ALL = st.tuples(
    some(GATEWAY, 1, 0), some(SERVICE), some(WORKLOAD, 3, 0), some(ENTRY, 2, 0), some(DESTINATION_RULE, 2, 0), some(GUARD, 1, 0)
)


BACK_RULE = objects("networking.istio.io/v1/DestinationRule", st.fixed_dictionaries({"host": one(BACK), "trafficPolicy": POLICY}))


def routes(rule: Strategy) -> Strategy:
    """An Istio Gateway and a VirtualService for it."""
    spec = fields({"hosts": one(["*"]), "gateways": one(["default/shop"]), "http": some(rule)}, exportTo=EXPORTS)
    return st.tuples(st.just(ISTIO), some(objects("networking.istio.io/v1/VirtualService", spec), 1))


def to(host: str, *ports: int) -> Strategy:
    """A rule that leads to a host."""
    port = st.fixed_dictionaries({"number": one(*ports)})
    return st.fixed_dictionaries(
        {"route": st.tuples(st.fixed_dictionaries({"destination": fields({"host": one(host), "port": port}, subset=one("v1"))}))}
    )


TARGETS = {
    "entries": st.tuples(routes(to("db.test", 80, 88)), REGISTRY),
    "pods": st.tuples(routes(to("shop", 80)), PODS),
    "mirrors": st.tuples(routes(RULE), st.tuples(st.just([SHOP]), some(BACK_RULE, 1, 0))),
    "routes of the Gateway API": st.tuples(st.tuples(st.just(API), some(ROUTE)), st.tuples(st.just([SHOP]))),
    "all": st.tuples(routes(RULE), ALL),
}


def fleet(front: tuple[Any, ...], behind: tuple[Any, ...]) -> Documents:
    """Prod, and stage with what is in front and behind."""
    written, *bound = front
    every = {(each["kind"], each["metadata"]["namespace"], each["metadata"]["name"]): each for kind in (*bound, *behind) for each in kind}
    stage = "---\n".join((written, *(f"{json.dumps(each)}\n" for each in every.values())))
    return admitted(loads({"prod": PROD + SERVING, "stage": stage}, ingress={"prod": {"addresses": [BACK]}}).loaded.documents)


def admitted(documents: Documents) -> Documents:
    """The documents with what Istio admits of stage, as a peer whose contract keeps all of it."""
    refused = Delivery(documents.clusters, by_name).meshes["stage"].admission.refused
    stage = documents.clusters["stage"]
    whole = Cluster("stage", [m for m in stage.manifests() if m not in refused], stage.settings, published=True)
    return documents._replace(clusters={**documents.clusters, "stage": whole})


def told(report: Report) -> tuple[list[Any], list[Any]]:
    """What a report says of mirrors, without what near misses add."""
    found = [(f.rule, f.level, str(f.place).removeprefix("stage://"), f.worlds) for f in report.findings]
    return sorted(found), [mirror.delivery for mirror in report.mirrors]


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_contract_has_all_that_decides(target: Strategy, data: st.DataObject) -> None:
    documents = fleet(*data.draw(target))
    assert told(engine.lint(published(documents, "stage"), {})) == told(engine.lint(documents, {}))
