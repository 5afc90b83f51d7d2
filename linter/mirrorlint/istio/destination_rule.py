"""DestinationRules: subsets, and what a client does (networking/v1alpha3/destination_rule.proto)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mirrorlint.fleet import Manifest
from mirrorlint.istio.names import expand
from mirrorlint.kinds import BACKEND_TLS_POLICY
from mirrorlint.source import Node

PASSTHROUGH = "PASSTHROUGH"  # of a load balancer


class Policy(NamedTuple):
    """A `trafficPolicy`: its `tls`, and for each port with its own settings that port's `tls`; absent Nodes say nothing.

    `balancers` are the load balancers that are chosen by name, by port, for all others under 0.
    """

    node: Node
    tls: Node
    ports: Mapping[int, Node]
    balancers: Mapping[int, Node] = {}

    def tls_of(self, port: int) -> Node:
        """The `tls` that counts for a port: port settings replace the others whole (util.go:GetPortLevelTrafficPolicy)."""
        return self.ports.get(port, self.tls)

    def passthrough(self, port: int) -> Node | None:
        """What sends requests to where their callers connected, if anything does (cluster_traffic_policy.go:applyLoadBalancer)."""
        chosen = self.balancers.get(port, self.balancers.get(0))
        return chosen if chosen is not None and chosen.text == PASSTHROUGH else None

    def over(self, other: Policy) -> Policy:
        """With the TLS of another one where it says none (destination_rule.go:mergeBackendPolicyTrafficPolicy)."""
        own = {port: tls for port, tls in self.ports.items() if tls}
        balancers = {**other.balancers, **self.balancers}
        return Policy(self.node or other.node, self.tls or other.tls, {**self.ports, **other.ports, **own}, balancers)


class Subset(NamedTuple):
    """An entry of `subsets`."""

    name: str
    labels: Mapping[str, str]
    policy: Policy
    node: Node

    def tls_of(self, port: int, base: Policy) -> Node:
        """The subset's own `tls`, or that of the rule around it (util.go:MergeSubsetTrafficPolicy)."""
        own = self.policy.tls_of(port)
        return own if own.present or port in self.policy.ports else base.tls_of(port)

    def passthrough(self, port: int, base: Policy) -> Node | None:
        """As that of a policy; what the rule around it says is not taken back (cluster_builder.go:buildSubsetCluster)."""
        return self.policy.passthrough(port) or base.passthrough(port)


class DestinationRule(NamedTuple):
    """A DestinationRule, or several for one host that Istio merges into the first."""

    manifest: Manifest
    host: str
    namespace: str
    export_to: frozenset[str]
    selector: Mapping[str, str]
    selective: bool
    policy: Policy
    subsets: Mapping[str, Subset]
    host_node: Node

    @property
    def starts_mutual_tls(self) -> bool:
        """Whether it has Istio's mutual TLS started, be it for a subset or a port alone."""
        policies = (self.policy, *(subset.policy for subset in self.subsets.values()))
        return any(tls["mode"].text == "ISTIO_MUTUAL" for policy in policies for tls in (policy.tls, *policy.ports.values()))

    def merged(self, other: DestinationRule) -> DestinationRule:
        """With the subsets of a later rule, and its policy where this one has none (destination_rule.go:mergeDestinationRule).

        Of what is made of a BackendTLSPolicy it has all that it doesn't say itself.
        """
        filled = other.manifest.kind == BACKEND_TLS_POLICY or not self.policy.node
        policy = self.policy.over(other.policy) if filled else self.policy
        return self._replace(policy=policy, subsets={**other.subsets, **self.subsets})


def read_policy(node: Node) -> Policy:
    """A `trafficPolicy`."""
    settings = {each["port"]["number"].number: each for each in reversed(list(node["portLevelSettings"]))}
    balancers = {port: each["loadBalancer"]["simple"] for port, each in ({0: node, **settings} if node else {}).items()}
    return Policy(node, node["tls"], {port: each["tls"] for port, each in settings.items()}, balancers)


def read_rule(manifest: Manifest, domain: str) -> DestinationRule:
    """A DestinationRule; one with a workloadSelector stays in its namespace (push_context.go:setDestinationRules)."""
    spec = manifest.node["spec"]
    selective = bool(spec["workloadSelector"])
    return DestinationRule(
        manifest=manifest,
        host=expand(spec["host"].text, manifest.namespace, domain),
        namespace=manifest.namespace,
        export_to=frozenset({"."}) if selective else frozenset(spec["exportTo"].texts),
        selector=spec["workloadSelector"]["matchLabels"].named_texts,
        selective=selective,
        policy=read_policy(spec["trafficPolicy"]),
        subsets={
            s["name"].text: Subset(s["name"].text, s["labels"].named_texts, read_policy(s["trafficPolicy"]), s)
            for s in reversed(list(spec["subsets"]))
        },
        host_node=spec["host"],
    )
