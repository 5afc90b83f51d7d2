"""What NetworkPolicies of the source keep its pods from sending: a request stays in the cluster, and its shadow goes out of it.

Source: kubernetes.io/docs/concepts/services-networking/network-policies, and the comments of k8s.io/api/networking/v1/types.go.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from ipaddress import ip_address, ip_network
from typing import NamedTuple

from mirrorlint.delivery import reason
from mirrorlint.delivery.follow import Delivery
from mirrorlint.delivery.judged import Judged
from mirrorlint.delivery.mesh import Mesh
from mirrorlint.delivery.upstream import Address
from mirrorlint.delivery.way import AnyScope, Way, reached
from mirrorlint.fleet import Manifest
from mirrorlint.istio.label_selector import may_select, selects
from mirrorlint.istio.names import is_ip, is_loopback, known_as
from mirrorlint.kinds import KUBERNETES_NETWORKING, NETWORK_POLICY, OTHER_POLICIES
from mirrorlint.source import Node

_OUT = frozenset({reason.ARRIVES, reason.ELSEWHERE, *reason.UNJUDGED})
_OTHERS = tuple((kind, group) for group, kinds in OTHER_POLICIES.items() for kind in sorted(kinds))


class Blocked(NamedTuple):
    """Namespaces whose pods can't send a mirror's shadows to an address.

    `policy` isolates the pods of the first, `node` is what comes nearest to letting them out; `others` tells whether other callers can.
    """

    judged: Judged
    address: Address
    namespaces: tuple[str, ...]
    policy: Manifest
    node: Node
    others: bool


class _Egress:
    """What the NetworkPolicies of a cluster say of what pods send."""

    def __init__(self, mesh: Mesh) -> None:
        cluster, services = mesh.cluster, mesh.kubernetes_services
        self._domain, self._meets = mesh.domain, mesh.discovery.meets
        self._own = {*mesh.entrances.addresses, *mesh.entrances.others, *(f"{s.manifest.name}.{s.namespace}" for s in services)}
        self._own |= {known_as(address) for service in services for address in service.addresses}
        self._policies: dict[str, list[Manifest]] = {}
        found = cluster.of(NETWORK_POLICY, KUBERNETES_NETWORKING)
        self._waiting = {policy.namespace for policy in found if _waits(f"{policy.namespace} {policy.node['spec'].plain()}")}
        for policy in found:
            if _is_for_egress(policy.node["spec"]):
                self._policies.setdefault(policy.namespace, []).append(policy)

    def leads_out(self, way: Way) -> bool:
        """Whether a shadow is sent out of the cluster, by the caller's own pod."""
        outward = (end.address and end.reason in _OUT and not self._is_inside(end.address.host) for end in way.ends)
        return way.first is None and all(outward)

    def _is_inside(self, host: str) -> bool:
        """Whether an address is the pod's own, or a Service's, behind which there are pods of the cluster."""
        if is_ip(host):
            return is_loopback(host) or host in self._own
        return "." not in host or host in self._own or host.endswith((".svc", f".svc.{self._domain}"))

    def isolating(self, scope: AnyScope) -> Manifest | None:
        """A policy that is for a proxy's pod for certain; of those that call at sidecars no labels are known.

        None where a policy that waits to be filled in may be for the pod, and may let it send anything.
        """
        if any(namespace == scope.namespace or _waits(namespace) for namespace in self._waiting):
            return None
        if scope.is_gateway and any(pod["spec"]["hostNetwork"].truth for _, pod in scope.mesh.selected_pods(scope.namespace, scope.labels)):
            return None
        near = ((policy, policy.node["spec"]["podSelector"]) for policy in self._policies.get(scope.namespace, ()))
        known = scope.labels if scope.is_gateway else {}
        return next((policy for policy, selector in near if selects(selector, known) and not len(selector["matchExpressions"])), None)

    def rules(self, scope: AnyScope) -> list[Node]:
        """What policies that may be for a proxy's pod allow."""
        known = scope.labels if scope.is_gateway else {}
        near = (policy.node["spec"] for policy in self._policies.get(scope.namespace, ()))
        return [rule for spec in near if may_select(spec["podSelector"], known) for rule in spec["egress"]]

    def passes(self, way: Way, rules: Iterable[Node]) -> bool:
        """Whether pods that are allowed no more may send the request itself, to a service of their cluster; those that can't don't call."""
        for destination in (backend.destination for backend in way.route.rule.used):
            upstream = way.scope.upstream(*way.asks(destination), destination.subset)
            if upstream and upstream.service.kubernetes:
                ports = {upstream.port.number, upstream.port.target or upstream.port.number}
                namespace, own = upstream.service.namespace, way.scope.namespace
                if any(_may_be_to(rule["ports"], ports) and self._may_take(rule["to"], namespace, own) for rule in rules):
                    return True
        return False

    def _may_take(self, peers: Node, namespace: str, own: str) -> bool:
        """Whether pods of a namespace may be among peers of pods of their own, or another one."""
        return not len(peers) or any(peer["ipBlock"] or self._may_be_of(peer["namespaceSelector"], namespace, own) for peer in peers)

    def _may_be_of(self, selector: Node, namespace: str, own: str) -> bool:
        return self._meets(selector, namespace) if selector.is_mapping else namespace == own


def blocked(delivery: Delivery, judged: Iterable[Judged]) -> Iterator[Blocked]:
    """The mirrors whose shadows NetworkPolicies keep in the source; of clusters in which other kinds of policies count as well, none."""
    with_policies = {name: mesh for name, mesh in delivery.meshes.items() if mesh.cluster.of(NETWORK_POLICY, KUBERNETES_NETWORKING)}
    known = {name: _Egress(mesh) for name, mesh in with_policies.items() if not any(mesh.cluster.of(*each) for each in _OTHERS)}
    for each in judged:
        if each.cluster in known:
            yield from _of_mirror(each, known[each.cluster])


def _of_mirror(judged: Judged, egress: _Egress) -> Iterator[Blocked]:
    found: dict[str, tuple[Manifest, Node, Address]] = {}
    free = False
    for way in {(id(way.scope), id(way.ends), id(way.route)): way for way in judged.every_way() if egress.leads_out(way)}.values():
        policy, rules = egress.isolating(way.scope), egress.rules(way.scope)
        addresses = [reached(end.address) for end in way.ends]
        if policy is None or any(_may_lead_out(rule, address) for rule in rules for address in addresses):
            free = True
        elif egress.passes(way, rules):
            closed = (rule["ports"] for rule in rules if len(rule["to"]) and any(_may_hold(rule["to"], each) for each in addresses))
            found.setdefault(way.scope.namespace, (policy, next(closed, policy.node["spec"]["egress"]), addresses[0]))
    if found:
        policy, node, address = next(iter(found.values()))
        yield Blocked(judged, address, tuple(sorted(found)), policy, node, free)


def _waits(text: str) -> bool:
    """Whether a variable or a template in a text waits to be filled in."""
    return "${" in text or "{{" in text


def _is_for_egress(spec: Node) -> bool:
    """Whether a policy says what pods may send; without `policyTypes` it does if it has rules for that."""
    types = spec["policyTypes"]
    return "Egress" in types.texts if len(types) else len(spec["egress"]) > 0


def _may_lead_out(rule: Node, address: Address) -> bool:
    return _may_be_to(rule["ports"], (address.port,)) and _may_hold(rule["to"], address)


def _may_hold(peers: Node, address: Address) -> bool:
    """Whether an address outside of the cluster may be among peers, which pods and namespaces are not."""
    return not len(peers) or any(_may_be_in(peer["ipBlock"], address.host) for peer in peers if peer["ipBlock"])


def _may_be_in(block: Node, host: str) -> bool:
    """Whether a host may be in a block of addresses: a name may have any."""
    try:
        address = ip_address(host)
        return address in ip_network(block["cidr"].text, False) and not any(address in ip_network(e.text, False) for e in block["except"])
    except ValueError:
        return True


def _may_be_to(ports: Node, numbers: Collection[int]) -> bool:
    """Whether one of some ports, of TCP, may be among those of a rule; a name may stand for any."""
    return not len(ports) or any(_may_be(port, numbers) for port in ports)


def _may_be(port: Node, numbers: Collection[int]) -> bool:
    first, last = port["port"].number, port["endPort"].number
    if port["protocol"].text not in ("", "TCP"):
        return False
    return not first or any(first <= number <= (last or first) for number in numbers)
