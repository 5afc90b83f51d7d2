"""Callers that see alike: namespaces in which nothing makes a sidecar's view differ from that of others."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.delivery.follow import Delivery
from mirrorlint.delivery.mesh import Mesh
from mirrorlint.delivery.way import Call, Way
from mirrorlint.istio.names import without_port

_ANY = "*"


class Followed:
    """The ways of calls in one cluster: what callers that see alike send is followed once."""

    def __init__(self, delivery: Delivery, cluster: str) -> None:
        """Nothing is followed yet."""
        self.delivery, self.mesh = delivery, delivery.meshes[cluster]
        self._particular = frozenset(_particular(self.mesh))
        self._known: dict[tuple[object, ...], tuple[Way, ...]] = {}

    def follow(self, call: Call, world: str) -> tuple[Way, ...]:
        """The ways of a call's shadows."""
        if call.gateway or call.namespace in self._particular or self._is_short(call):
            return self.delivery.follow(call, world)
        headers, labels = frozenset(call.headers.items()), frozenset(call.labels.items())
        key = (call.host, call.port, call.path, call.method, headers, labels, world)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self.delivery.follow(call, world)
            return known
        scope = self.delivery.scope(call)
        return tuple(way.sent_by(call, scope) for way in known)

    def _is_short(self, call: Call) -> bool:
        """Whether a host may mean a service of the caller's own namespace."""
        name = without_port(call.host).lower().removesuffix(".")
        return f"{name}.{call.namespace}.svc.{self.mesh.domain}" in self.mesh.services_by_name


def _particular(mesh: Mesh) -> Iterator[str]:
    """The namespaces whose sidecars may see what others don't.

    They have Sidecars, DestinationRules or routes for their own callers, objects that are not for all, or a host that others have as well;
    or an object names them. A Sidecar of the root namespace may make each namespace see more of its own.
    """
    if any(sidecar.manifest.namespace == mesh.root_namespace for sidecar in mesh.sidecars):
        yield from {service.namespace for service in mesh.services}
        yield from {virtual.namespace for virtual in mesh.virtual_services}
    yield from (sidecar.manifest.namespace for sidecar in mesh.sidecars)
    for rule in mesh.destination_rules:
        yield from (rule.namespace, *rule.export_to)
    for service in mesh.services:
        twins = {twin.namespace for twin in mesh.services_by_name[service.host.lower()]}
        yield from (*service.export_to, *(() if _ANY in service.export_to and len(twins) == 1 else (service.namespace,)))
    for virtual in mesh.virtual_services:
        yield from virtual.export_to
        yield from (match.source_namespace for rule in virtual.rules for match in rule.matches)
        if _ANY not in virtual.export_to or virtual.gateway_semantics:
            yield virtual.namespace
