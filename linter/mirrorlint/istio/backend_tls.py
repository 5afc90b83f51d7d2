"""BackendTLSPolicies as the DestinationRules that Istio makes of them (pilot/pkg/config/kube/gateway/backend_policies.go)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mirrorlint.fleet import Manifest
from mirrorlint.istio.destination_rule import DestinationRule, Policy
from mirrorlint.istio.references import SERVICE, SERVICE_ENTRY, Kind
from mirrorlint.istio.services import Service
from mirrorlint.likeness import closest
from mirrorlint.source import Node

_IGNORED = "istio.io/ignore-policy-attachment"


def read_policies(policies: Iterable[Manifest], services: Iterable[Service]) -> Iterator[DestinationRule]:
    """For each host that a policy is for a rule with its TLS; `policies` are in order of age, `services` all of the registry."""
    known = [(service, _named(service)) for service in services]
    for policy, target, named in _targets(policies):
        yield from (rule for service, name in known if name == named for rule in _rules(policy, target, service))


def nearly_for(service: Service, policies: Iterable[Manifest], services: Iterable[Service]) -> Iterator[tuple[Node, str]]:
    """What keeps policies from a service that their targets nearly name: the value that is in the way, and why."""
    kind, namespace, name = own = _named(service)
    known = {_named(each) for each in services}
    for policy, target, named in _targets(policies):
        section = target["sectionName"]
        if named == own and section.text and section.text not in {port.name for port in service.ports}:
            ports = ", ".join(f"`{port.name}`" for port in service.ports)
            yield section, f"{policy} is for port `{section.text}` of {kind.name} `{name}`, which has {ports}"
        elif named not in known and policy.namespace == namespace and named[0] == kind and closest(name, [named[2]]):
            yield target["name"], f"{policy} is for {kind.name} `{named[2]}`, which is not here (did you mean `{name}`?)"
        elif named not in known and policy.namespace == namespace and named[2] == name:
            group = kind.group or '""'
            yield target["kind"], f"{policy} would be for {kind.name} `{name}` with `group: {group}` and `kind: {kind.name}`"


def _targets(policies: Iterable[Manifest]) -> Iterator[tuple[Manifest, Node, tuple[Kind, str, str]]]:
    """What policies that Istio heeds are for, and what that names."""
    for policy in (m for m in policies if m.node["metadata"]["annotations"][_IGNORED].text.lower() != "true"):
        for target in policy.node["spec"]["targetRefs"]:
            yield policy, target, (Kind(target["group"].text, target["kind"].text), policy.namespace, target["name"].text)


def _named(service: Service) -> tuple[Kind, str, str]:
    """A service's object as references name it; that of a managed gateway has no manifest."""
    if service.kubernetes:
        return SERVICE, service.namespace, service.host.partition(".")[0]
    return SERVICE_ENTRY, service.namespace, service.manifest.name


def _rules(policy: Manifest, target: Node, service: Service) -> Iterator[DestinationRule]:
    validation, section = policy.node["spec"]["validation"], target["sectionName"].text
    if not validation.is_mapping:
        return
    tls, unsaid = _tls(validation), target["tls"]
    ports = {port.number: tls for port in service.ports if port.name == section}
    if ports or not section:
        yield DestinationRule(
            manifest=policy,
            host=service.host,
            namespace=policy.namespace,
            export_to=frozenset(),
            selector={},
            selective=False,
            policy=Policy(validation, unsaid, ports) if section else Policy(validation, tls, {}),
            subsets={},
            host_node=target["name"],
        )


def _tls(validation: Node) -> Node:
    """A policy's `validation` as a DestinationRule's `tls`."""
    names = [(name["hostname"] or name["uri"]).text for name in validation["subjectAltNames"]]
    return validation.having("mode", "SIMPLE").having("sni", validation["hostname"]).having("subjectAltNames", names)
