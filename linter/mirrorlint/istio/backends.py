"""What a `backendRef` of the Gateway API stands for (pilot/pkg/config/kube/gateway/conversion.go:buildDestination)."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from mirrorlint.istio.references import HOSTNAME, SERVICE, SERVICE_IMPORT, Grants, Kind, Reference, read_reference
from mirrorlint.istio.routing import Destination
from mirrorlint.kinds import GATEWAY_API
from mirrorlint.source import Node

_PLACED = "a Hostname has no `namespace`"


class Registry(NamedTuple):
    """What backends are looked up in: Kubernetes Services by namespace and name, all hosts by namespace, grants."""

    domain: str
    services: Collection[tuple[str, str]]
    hosts: Collection[tuple[str, str]]
    grants: Grants


class Resolved(NamedTuple):
    """A backend's destination; `fatal` says why it costs the whole route ("" when it doesn't)."""

    destination: Destination
    fatal: str = ""


class Resolver(NamedTuple):
    """Resolves the backends of one route; grants count for routes at gateways only, not for those of the mesh."""

    registry: Registry
    route: str
    namespace: str
    at_gateway: bool

    def resolve(self, node: Node) -> Resolved:
        """The destination of a `backendRef`; one that Istio doesn't take has no host, or one that nothing stands behind."""
        reference, route = read_reference(node, self.namespace, SERVICE), Kind(GATEWAY_API, self.route)
        if self.at_gateway and not self.registry.grants.allow(route, self.namespace, reference):
            why = f"no ReferenceGrant in {reference.namespace} lets {self.route}s of {self.namespace} use it"
            near = self.registry.grants.nearest(route, self.namespace, reference)
            return Resolved(_destination(node, "", why)._replace(near=near))
        if reference.kind not in (SERVICE, SERVICE_IMPORT, HOSTNAME):
            fault, why = _unknown(reference)
            return Resolved(_destination(node, "", why)._replace(fault=fault))
        host = self._host(reference)
        fatal = _malformed(reference)
        found = _destination(node, host, fatal or self._missing(reference, host))
        return Resolved(found._replace(fault=node["namespace"]) if fatal == _PLACED else found, fatal)

    def _host(self, reference: Reference) -> str:
        if reference.kind == HOSTNAME:
            return reference.name
        return f"{reference.name}.{reference.namespace}.svc.{self.registry.domain}"

    def _missing(self, reference: Reference, host: str) -> str:
        if reference.kind != HOSTNAME:
            found = (reference.namespace, reference.name) in self.registry.services
            return "" if found else f"there is no Service {reference.namespace}/{reference.name}"
        if (self.namespace, host) in self.registry.hosts:
            return ""
        elsewhere = sorted(namespace for namespace, name in self.registry.hosts if name == host)
        known = f", only in {' and '.join(elsewhere)}" if elsewhere else ""
        return f"`{host}` is a host of no ServiceEntry in the route's namespace {self.namespace}{known}"


def _unknown(reference: Reference) -> tuple[Node, str]:
    """Where and why a backend is of no kind that Istio takes."""
    (group, name), node = reference.kind, reference.node
    right = next((kind.group for kind in (SERVICE, SERVICE_IMPORT, HOSTNAME) if kind.name == name), None)
    if right is None:
        kind = next((kind.name for kind in (SERVICE, SERVICE_IMPORT, HOSTNAME) if kind.name.lower() == name.lower()), "")
        return node["kind"], f"Istio takes no backend of kind {name}" + (f" (did you mean `{kind}`?)" if kind else "")
    if not node["kind"]:
        return node["group"], f"it has a `group` and no `kind`, which then is `{name}`: of that group Istio takes none"
    wanted = f"`group: {right}`" if right else "no `group`"
    said = f"`{group}`" if group else "none"
    return (node["group"] if group else node["kind"]), f"kind `{name}` needs {wanted}, and this backendRef has {said}"


def _malformed(reference: Reference) -> str:
    """What makes Istio drop the whole route."""
    if reference.kind == SERVICE and "." in reference.name:
        return f"`{reference.name}` is not the bare name of a Service"
    if reference.kind == HOSTNAME and reference.node["namespace"]:
        return _PLACED
    return "" if reference.node["port"] else "it has no `port`"


def _destination(node: Node, host: str, why: str) -> Destination:
    return Destination(host, "", node["port"].number if host else 0, node, node["name"], node["port"], why)
