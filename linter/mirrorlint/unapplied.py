"""What decides TLS and subsets of a destination, or which DestinationRule was probably meant to."""

from __future__ import annotations

from collections.abc import Iterable

from mirrorlint.delivery.discovery import left_out
from mirrorlint.delivery.scope import Scope
from mirrorlint.delivery.upstream import Upstream
from mirrorlint.istio.backend_tls import nearly_for
from mirrorlint.istio.destination_rule import DestinationRule
from mirrorlint.istio.names import overlaps, subset_of
from mirrorlint.istio.services import Service
from mirrorlint.likeness import TYPO, closest, likeness
from mirrorlint.rule import Remark, quoted


def of_tls(scope: Scope, upstream: Upstream, field: str) -> tuple[Remark, ...]:
    """The value that decides TLS to an upstream: `field` of a rule's `tls`, else its `mode`; or what keeps a rule from it."""
    rule, tls = upstream.rule, upstream.client_tls
    if rule is None:
        found = _meant(scope, upstream.service, (r for r in scope.mesh.unlimited.destination_rules if _starts_tls(r)), "")
        return found or _policies(scope, upstream.service)
    other = next((port for port in rule.policy.node["portLevelSettings"] if port["tls"]["mode"]), None)
    if other and not tls["mode"]:
        said = f"{rule.manifest} has TLS for port {other['port']['number'].text}, and the mirror is for port {upstream.port.number}"
        return (Remark(other["port"]["number"], said, scope.mesh.cluster.name),)
    bare = next((port for port in rule.policy.node["portLevelSettings"] if port["port"]["number"].number == upstream.port.number), None)
    if bare and not tls["mode"] and rule.policy.tls["mode"]:
        said = f"{rule.manifest} has settings for this port, without `tls`, which count instead of those for all ports"
        return (Remark(bare["port"]["number"], said, scope.mesh.cluster.name),)
    node = tls[field] or tls["mode"] or rule.host_node
    return (Remark(node, f"{rule.manifest} decides TLS and SNI", scope.mesh.cluster.name),)


def of_subset(scope: Scope, service: Service, subset: str) -> tuple[Remark, ...]:
    """The subset that is called almost like a missing one, else the rule that has it and does not count, else those that there are."""
    cluster, rule = scope.mesh.cluster.name, scope.rule_for(service)
    subsets = rule.subsets if rule else {}
    near = closest(subset, subsets)
    if near:
        return (Remark(subsets[near].node["name"], f"did you mean `{near}`?", cluster),)
    having = (r for r in scope.mesh.unlimited.destination_rules if subset in r.subsets)
    found = _meant(scope, service, having, f", which has subset `{subset}`,")
    if found or rule is None or not subsets:
        return found
    return (Remark(rule.host_node, f"{rule.manifest} has {quoted(sorted(subsets))}", cluster),)


def _starts_tls(rule: DestinationRule) -> bool:
    policies = (rule.policy, *(subset.policy for subset in rule.subsets.values()))
    return any(tls["mode"] for policy in policies for tls in (policy.tls, *policy.ports.values()))


def _policies(scope: Scope, service: Service) -> tuple[Remark, ...]:
    """The BackendTLSPolicies that are nearly for a service."""
    mesh = scope.mesh
    return tuple(Remark(*near, mesh.cluster.name) for near in nearly_for(service, mesh.gateway_api.tls_policies, mesh.services))


def _meant(scope: Scope, service: Service, rules: Iterable[DestinationRule], having: str) -> tuple[Remark, ...]:
    """The rule for a service that does not count for the proxy, or one for a host that is nobody's and called almost alike."""
    mesh, host, rules = scope.mesh, service.host, tuple(rules)
    own = next((rule for rule in rules if subset_of(host, rule.host)), None)
    if own and not mesh.discovery.takes(own.manifest):
        return (Remark(own.host_node, f"{own.manifest}{having} is for it, but {left_out(own.manifest)}", mesh.cluster.name),)
    if own:
        where = f"in namespace `{scope.namespace}`" if scope.namespace else "at the gateway"
        exports, other = own.manifest.node["spec"]["exportTo"], scope.rule_for(service)
        node = exports.at(0) if exports and not other else own.host_node
        counts = f"{other.manifest} counts" if other else "does not count"
        return (Remark(node, f"{own.manifest}{having} is for it, but {counts} {where}", mesh.cluster.name),)
    strange = [rule for rule in rules if not any(overlaps(known, rule.host) for known in mesh.services_by_host)]
    near = max(strange, key=lambda rule: likeness(host, rule.host), default=None)
    if near is None or likeness(host, near.host) < TYPO:
        return ()
    return (Remark(near.host_node, f"{near.manifest}{having} is for `{near.host}`, which is no host here", mesh.cluster.name),)
