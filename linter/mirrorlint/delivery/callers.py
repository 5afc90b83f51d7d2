"""Who calls: the namespaces, labels and gateways of all callers that a route can have, and the names by which they call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mirrorlint.delivery.follow import Delivery
from mirrorlint.delivery.mesh import Mesh
from mirrorlint.delivery.samples import Sample, hosts
from mirrorlint.delivery.sidecar import host_forms
from mirrorlint.delivery.way import Call
from mirrorlint.delivery.worlds import SUFFIX
from mirrorlint.istio.admission import KINDS
from mirrorlint.istio.names import MESH, is_wild, overlaps, subset_of, without_port
from mirrorlint.istio.routing import VirtualService
from mirrorlint.kinds import OF_TEMPLATES
from mirrorlint.likeness import slip

_WORKLOADS = (*OF_TEMPLATES, ("", "Pod"), ("", "Service"))
_SYSTEMS = ("istio-system", "flux-system", "argocd")  # what runs there calls no application; repositories show it by what installs it


class Caller(NamedTuple):
    """Pods that call, or with `gateway` the gateway at which calls enter, and the Host and port that they call."""

    namespace: str
    labels: tuple[tuple[str, str], ...]
    gateway: bool
    host: str
    port: int

    def call(self, cluster: str, sample: Sample) -> Call:
        """The call that sends a sample."""
        path, method, headers = sample
        return Call(cluster, self.namespace, self.host, self.port, path, method, dict(headers), dict(self.labels), self.gateway)


def callers(delivery: Delivery, mesh: Mesh, service: VirtualService) -> Iterator[Caller]:
    """All callers that a VirtualService's routes can have."""
    if MESH in service.gateways:
        called = list(_called(delivery, mesh, service))
        for namespace in _namespaces(mesh, service):
            for labels in _label_sets(mesh, namespace, service):
                yield from _from_sidecars(called, mesh.domain, namespace, labels)
    yield from gateway_callers(delivery, mesh, service)


def _namespaces(mesh: Mesh, service: VirtualService) -> list[str]:
    """The namespaces that callers may live in: those that show themselves by an object, and those that are named as if they were there.

    Where some have sidecars and others don't, only those that do.
    """
    shown = shown_namespaces(mesh)
    named = {match.source_namespace for rule in service.rules for match in rule.matches if match.source_namespace}
    named |= service.export_to - {"*", ".", "~"}
    shown |= {name for name in named if not slip(name, shown)}
    working = {m.namespace for group, kind in _WORKLOADS for m in mesh.cluster.of(kind, group)}
    found = sorted(name for name in shown - ({mesh.root_namespace} - working) if not is_system(name))
    return [name for name in found if name not in mesh.sidecarless and mesh.discovery.includes(name)] or found


def is_system(namespace: str) -> bool:
    """Whether what runs in a namespace calls no application."""
    return namespace in _SYSTEMS or namespace.startswith("kube-")


def shown_namespaces(mesh: Mesh) -> set[str]:
    """The namespaces of workloads and of objects of the mesh, and those that there are objects for."""
    found = {m.namespace for group, kind in (*_WORKLOADS, *KINDS) for m in mesh.cluster.of(kind, group)}
    return found | {m.name for m in mesh.cluster.of("Namespace", "")}


def _label_sets(mesh: Mesh, namespace: str, service: VirtualService) -> Iterator[tuple[tuple[str, str], ...]]:
    """Labels of calling pods that make a difference: none, what rules ask for, what Sidecars and DestinationRules select."""
    wanted = [match.source_labels for rule in service.rules for match in rule.matches]
    wanted += [sidecar.selector for sidecar in mesh.sidecars if sidecar.selective and sidecar.manifest.namespace == namespace]
    wanted += [rule.selector for rule in mesh.destination_rules if rule.selective and rule.namespace == namespace]
    yield from dict.fromkeys([(), *(tuple(sorted(labels.items())) for labels in wanted)])


def sidecar_callers(delivery: Delivery, mesh: Mesh, service: VirtualService, namespace: str) -> Iterator[Caller]:
    """The pods of a namespace, of no labels, that call what a VirtualService is for."""
    yield from _from_sidecars(_called(delivery, mesh, service), mesh.domain, namespace, ())


def _from_sidecars(called: Iterable[tuple[str, int]], domain: str, namespace: str, labels: tuple[tuple[str, str], ...]) -> Iterator[Caller]:
    """The forms of names with ports under which pods of a namespace call; each form with its port, too, unless that is 80."""
    for name, port in called:
        for form in host_forms(name, namespace, domain):
            if not form.endswith("."):
                yield Caller(namespace, labels, False, form, port)
                if port != 80:
                    yield Caller(namespace, labels, False, f"{form}:{port}", port)


def _called(delivery: Delivery, mesh: Mesh, service: VirtualService) -> Iterator[tuple[str, int]]:
    """The names and ports of what a VirtualService is for."""
    for host in service.hosts:
        name = host.name.lower()
        owners = [s for s in mesh.services if overlaps(name, s.host.lower())] if is_wild(name) else mesh.services_by_name.get(name, [])
        targets = [(s.host.lower(), p.number) for s in owners for p in s.ports if p.routes_http]
        for target, port in dict.fromkeys(targets) if owners else [(name, 80)]:
            yield from ((concrete, port) for concrete in _concrete(delivery, mesh, service, target))


def gateway_callers(delivery: Delivery, mesh: Mesh, service: VirtualService) -> Iterator[Caller]:
    """The hosts and ports under which the gateways that the VirtualService is bound to serve it."""
    for scope in delivery.ingress(mesh.cluster.name):
        labels = tuple(sorted(scope.labels.items()))
        for _, port, server in sorted(one for name in set(service.gateways) for one in scope.http_servers.get(name, ())):
            said = scope.front.said_ports(port)
            for host in server.shared(service):
                for concrete in _concrete(delivery, mesh, service, host.lower()):
                    for form in (concrete, *(f"{concrete}:{number}" for number in said)):
                        yield Caller(scope.namespace, labels, True, form, port)


def _concrete(delivery: Delivery, mesh: Mesh, service: VirtualService, host: str) -> list[str]:
    """Names that a host stands for: itself or, for a wildcard, one made up; and those that rules ask for, for a wildcard elsewhere, too."""
    asked = set(_asked_hosts(service, host))
    if is_wild(host):
        theirs = (name for each in delivery.meshes.values() if each is not mesh for name in _served(each, host))
        asked |= {name.removesuffix(SUFFIX) for name in theirs if host[1:] in name}
    name, asked = _made_up(host), {*map(_made_up, asked)}
    return [name, *sorted(each for each in asked - {name} if subset_of(without_port(each).lower(), host))]


def _made_up(host: str) -> str:
    """A name that a wildcard stands for; any other host as it is."""
    return host if not is_wild(host) else f"any{host[1:]}" if len(host) > 1 else "any.example"


def _served(mesh: Mesh, host: str) -> Iterator[str]:
    """The hosts that a cluster's gateways may take: of servers and VirtualServices, and what rules and policies ask for."""
    yield from (name.lower() for name in mesh.server_hosts)
    for service in mesh.virtual_services:
        yield from (each.name.lower() for each in service.hosts)
        yield from _asked_hosts(service, host)
    operations = (to["operation"] for policy in mesh.authorization_policies for rule in policy.node["spec"]["rules"] for to in rule["to"])
    yield from (name.lower() for operation in operations for name in operation["hosts"].texts if not name.endswith("*") or name == "*")


def _asked_hosts(service: VirtualService, host: str) -> Iterator[str]:
    return (name for rule in service.rules for match in rule.matches for name in hosts(match, host))
