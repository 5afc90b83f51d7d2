"""What NetworkPolicies of the source let its pods send: requests stay in the cluster, and shadows leave it."""

from __future__ import annotations

import pytest
from test_engine import SOURCE, judge, levels

from mirrorlint.rule import Report

BLOCKED = [("warning", "shadow-blocked-by-network-policy")]
STATIC = SOURCE.replace("resolution: DNS", "resolution: STATIC, endpoints: [{address: 203.0.113.10}]").replace(
    "number: 80, name: http, protocol: HTTP", "number: 8000, name: http, protocol: HTTP, targetPort: 80"
)
STATIC = STATIC.replace("port: {number: 80}", "port: {number: 8000}")
INSIDE = "{to: [{namespaceSelector: {}}]}"
DNS = "{to: [{namespaceSelector: {}}], ports: [{protocol: UDP, port: 53}, {port: 53}]}"


def policy(spec: str, namespace: str = "default", kind: str = "networking.k8s.io/v1\nkind: NetworkPolicy", name: str = "out") -> str:
    return f"---\napiVersion: {kind}\nmetadata: {{name: {name}, namespace: {namespace}}}\nspec: {spec}\n"


def egress(*rules: str, selector: str = "{}") -> str:
    return policy(f"{{podSelector: {selector}, policyTypes: [Egress], egress: [{', '.join(rules)}]}}")


def block(cidr: str, more: str = "") -> str:
    return f"{{to: [{{ipBlock: {{cidr: {cidr}{more}}}}}]}}"


@pytest.mark.parametrize(
    "policies",
    [
        pytest.param(egress(INSIDE), id="all namespaces"),
        pytest.param(egress("{to: [{podSelector: {}}]}"), id="the own namespace"),
        pytest.param(egress("{to: [{podSelector: {}}], ports: [{port: 80}]}", DNS), id="the own namespace and DNS"),
        pytest.param(
            egress("{to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: default}}}]}"), id="by the namespace's name"
        ),
        pytest.param(egress(block("10.0.0.0/8")), id="addresses of the cluster"),
        pytest.param(egress(INSIDE, block("203.0.113.11/32")), id="another address"),
        pytest.param(egress(INSIDE, block("203.0.113.0/24", ", except: [203.0.113.8/29]")), id="all addresses but the endpoint's"),
        pytest.param(egress(INSIDE, block("'::/0'")), id="IPv6 alone"),
        pytest.param(egress(INSIDE, "{ports: [{port: 8000}]}"), id="another port"),
        pytest.param(egress(INSIDE, "{ports: [{port: 80, protocol: UDP}]}"), id="another protocol"),
        pytest.param(egress(INSIDE, "{ports: [{port: 8, endPort: 79}]}"), id="another range of ports"),
        pytest.param(policy("{podSelector: {}, egress: [{to: [{podSelector: {}}]}]}"), id="no types"),
        pytest.param(
            policy("{podSelector: {}, policyTypes: [Egress]}") + egress(INSIDE, selector="{matchLabels: {a: b}}"), id="two policies"
        ),
    ],
)
def test_policies_that_let_requests_through_and_no_shadow(policies: str) -> None:
    assert levels(judge(STATIC + policies)) == BLOCKED


@pytest.mark.parametrize(
    "policies",
    [
        pytest.param(egress("{}"), id="everything"),
        pytest.param(egress("{to: [], ports: []}"), id="everything, written out"),
        pytest.param(egress(INSIDE, block("0.0.0.0/0")), id="all addresses"),
        pytest.param(egress(INSIDE, block("203.0.113.0/24")), id="the endpoint's addresses"),
        pytest.param(egress(INSIDE, block("'${CIDR}'")), id="addresses that are not known"),
        pytest.param(egress(INSIDE, "{ports: [{port: 80}]}"), id="the endpoint's port"),
        pytest.param(egress(INSIDE, "{ports: [{port: 70, endPort: 90}]}"), id="a range of ports"),
        pytest.param(egress(INSIDE, "{ports: [{port: https}]}"), id="a port by name"),
        pytest.param(egress(INSIDE) + egress("{}", selector="{matchLabels: {a: b}}"), id="some pods may"),
        pytest.param(egress(INSIDE, selector="{matchLabels: {a: b}}"), id="not all pods are isolated"),
        pytest.param(egress(INSIDE, selector="{matchExpressions: [{key: a, operator: DoesNotExist}]}"), id="pods without a label"),
        pytest.param(policy("{podSelector: {}, policyTypes: [Egress]}"), id="no pod can call at all"),
        pytest.param(egress(DNS), id="no pod can call either"),
        pytest.param(egress("{to: [{podSelector: {}}], ports: [{port: 81}]}"), id="no pod can call that port"),
        pytest.param(
            egress("{to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: web}}}]}"), id="another namespace alone"
        ),
        pytest.param(policy("{podSelector: {}, policyTypes: [Ingress], egress: []}"), id="for what comes in"),
        pytest.param(policy("{podSelector: {}, policyTypes: [Egress], egress: [{}]}", namespace="web"), id="another namespace's"),
        pytest.param(policy("{podSelector: {}, egress: []}"), id="no types and no rules"),
        pytest.param(egress(INSIDE) + policy("{egress: []}", kind="cilium.io/v2\nkind: CiliumNetworkPolicy"), id="Cilium's own"),
        pytest.param(
            egress(INSIDE) + policy("{egress: []}", kind="crd.projectcalico.org/v1\nkind: GlobalNetworkPolicy"), id="Calico's own"
        ),
    ],
)
def test_policies_that_let_shadows_out_or_no_request_through_are_silent(policies: str) -> None:
    report = judge(STATIC + policies)
    assert (report.findings, report.blind_spots) == ((), ())


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy", id="an administrator's"),
        pytest.param("crd.antrea.io/v1beta1\nkind: ClusterNetworkPolicy", id="Antrea's for a cluster"),
        pytest.param("crd.antrea.io/v1beta1\nkind: NetworkPolicy", id="Antrea's for a namespace"),
        pytest.param("networking.k8s.aws/v1alpha1\nkind: ClusterNetworkPolicy", id="AWS's for a cluster"),
        pytest.param("networking.k8s.aws/v1alpha1\nkind: ApplicationNetworkPolicy", id="AWS's for a namespace"),
    ],
)
def test_policies_of_another_kind_may_come_first(kind: str) -> None:
    report = judge(STATIC + egress(INSIDE) + policy("{egress: [{action: Allow}]}", kind=kind, name="first"))
    assert (report.findings, report.blind_spots) == ((), ())


@pytest.mark.parametrize(
    "policies",
    [
        pytest.param(policy("{podSelector: {}, policyTypes: [Egress], egress: '${RULES}'}", name="more"), id="rules"),
        pytest.param(policy("{podSelector: {}, policyTypes: ['${TYPE}'], egress: [{}]}", name="more"), id="types"),
        pytest.param(policy("{podSelector: {}, egress: [{to: ['{{ .Peer }}']}]}", name="more"), id="a peer"),
        pytest.param(policy("{podSelector: {}, egress: [{}]}", namespace="'${NAMESPACE}'", name="more"), id="the namespace"),
    ],
)
def test_a_policy_that_waits_to_be_filled_in_may_let_shadows_out(policies: str) -> None:
    assert levels(judge(STATIC + egress(INSIDE) + policies)) == []


def test_a_policy_that_waits_to_be_filled_in_is_for_its_own_namespace() -> None:
    more = policy("{podSelector: {}, policyTypes: [Egress], egress: '${RULES}'}", namespace="web")
    web = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: web}\n"
    assert levels(judge(STATIC + web + egress(INSIDE) + more)) == BLOCKED


OWN = """
---
apiVersion: v1
kind: Service
metadata: {name: collector, namespace: monitoring}
spec: {type: LoadBalancer, clusterIP: 10.96.0.20, loadBalancerIP: 198.51.100.7, ports: [{name: http, port: 80}]}
"""


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("127.0.0.1", id="the pod's own address"),
        pytest.param("'::1'", id="the pod's own address, IPv6"),
        pytest.param("10.96.0.20", id="a Service's address"),
        pytest.param("198.51.100.7", id="a Service's load balancer"),
    ],
)
def test_addresses_of_the_cluster_itself_are_not_out_of_it(address: str) -> None:
    assert levels(judge(STATIC.replace("203.0.113.10", address) + OWN + egress(INSIDE))) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("localhost", []),
        ("collector.monitoring", []),
        ("other.monitoring.svc", []),
        ("pod-0.other.monitoring.svc.cluster.local", []),
        ("example.com", BLOCKED),
        ("svc.example.com", BLOCKED),
    ],
)
def test_names_of_the_cluster_itself_are_not_out_of_it(name: str, expected: list[tuple[str, str]]) -> None:
    source = STATIC.replace("STATIC", "DNS").replace("203.0.113.10", name)
    assert levels(judge(source + OWN + egress(INSIDE))) == expected


def test_a_name_may_have_any_address_and_no_other_port() -> None:
    assert levels(judge(SOURCE + egress(INSIDE, "{to: [{ipBlock: {cidr: 10.0.0.0/8}}], ports: [{port: 80}]}"))) == []
    assert levels(judge(SOURCE + egress(INSIDE))) == BLOCKED
    (finding,) = judge(SOURCE + egress(INSIDE, "{to: [{ipBlock: {cidr: 10.0.0.0/8}}], ports: [{port: 8080}]}")).findings
    assert "send to `stage.example.com:80`" in finding.message
    assert (
        "8080"
        in (SOURCE + egress(INSIDE, "{to: [{ipBlock: {cidr: 10.0.0.0/8}}], ports: [{port: 8080}]}")).splitlines()[finding.place.line - 1]
    )


def test_callers_of_other_namespaces_may_be_free() -> None:
    web = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: web}\n"
    (finding,) = judge(STATIC + web + egress(INSIDE)).findings
    assert "namespace `default`" in finding.message
    assert finding.message.endswith("the shadows of requests from there are dropped")
    (finding,) = judge(STATIC + egress(INSIDE)).findings
    assert finding.message.endswith("its shadows are dropped")


GATEWAY = """
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge}
spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [shop.example.com]}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: edge, namespace: istio-ingress}
spec: {template: {metadata: {labels: {istio: ingressgateway}}, spec: {containers: [{name: istio-proxy}]}}}
"""
AT_GATEWAY = STATIC.replace("hosts: [shop]", "hosts: [shop.example.com], gateways: [edge]".replace(", ", "\n  ")) + GATEWAY


def of_gateway(selector: str, rule: str = INSIDE) -> Report:
    spec = f"{{podSelector: {selector}, policyTypes: [Egress], egress: [{rule}]}}"
    return judge(AT_GATEWAY + policy(spec, namespace="istio-ingress"))


def test_what_a_gateway_mirrors_leaves_its_own_pods() -> None:
    assert levels(of_gateway("{matchLabels: {istio: ingressgateway}}")) == BLOCKED
    assert levels(of_gateway("{}")) == BLOCKED
    assert levels(of_gateway("{matchLabels: {app: other}}")) == []
    assert levels(of_gateway("{}", "{}")) == []


def test_mirrors_that_one_policy_blocks_are_one_finding() -> None:
    other = "---\n" + STATIC.split("---\n")[-1].replace("name: shop}", "name: more}").replace("hosts: [shop]", "hosts: [more]")
    service = "---\napiVersion: v1\nkind: Service\nmetadata: {name: more}\nspec: {ports: [{name: http, port: 80}]}\n"
    (finding,) = judge(STATIC + other + service + egress(INSIDE)).findings
    assert [note.message for note in finding.notes] == ["the shadows of this mirror go there", "the same holds for this mirror"]
    assert len({note.place for note in finding.notes}) == 2
