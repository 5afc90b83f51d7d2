"""What a `backendRef` of the Gateway API was meant to name."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.delivery.mesh import Mesh
from mirrorlint.fleet import Manifest
from mirrorlint.istio.backends import Resolver
from mirrorlint.istio.references import HOSTNAME, SERVICE, Reference, read_reference
from mirrorlint.istio.routing import Destination
from mirrorlint.likeness import alike
from mirrorlint.remedy import numbers
from mirrorlint.rule import ENTRY, REPLACE, Edit
from mirrorlint.source import Node


def corrections(mesh: Mesh, route: Manifest, node: Node, *, at_gateway: bool) -> Iterator[tuple[Edit, Destination]]:
    """What might be written in a `backendRef` in place of a name or a port that there isn't, and names then something that Istio takes."""
    resolver = Resolver(mesh.route_reader.registry, route.kind, route.namespace, at_gateway)
    reference = read_reference(node, route.namespace, SERVICE)
    for field, value in _candidates(mesh, reference, resolver.resolve(node).destination.host):
        edit = Edit(REPLACE, node[field], (value,)) if node[field] else Edit(ENTRY, node["name"], (field, value))
        found = resolver.resolve(node.having(field, value)).destination
        if edit.node.is_scalar and not found.why:
            yield edit, found


def _candidates(mesh: Mesh, reference: Reference, host: str) -> Iterator[tuple[str, str | int]]:
    """The only name that is like the one that there isn't; for one that there is, the service's ports where it has not the one named."""
    names = _names(mesh, reference)
    if reference.name in names:
        service = mesh.owner(host, reference.namespace)
        found = numbers(service) if service and not service.port(reference.node["port"].number) else ()
        yield from (("port", number) for number in found)
    elif reference.name:
        meant = [name for name in names if alike(name, reference.name) or _qualified(reference, name, mesh.domain)]
        yield from (("name", name) for name in meant if len(meant) == 1)


def _names(mesh: Mesh, reference: Reference) -> list[str]:
    """What a reference of a kind can name in its namespace."""
    registry = mesh.route_reader.registry
    known = registry.hosts if reference.kind == HOSTNAME else registry.services
    return [name for namespace, name in known if namespace == reference.namespace]


def _qualified(reference: Reference, name: str, domain: str) -> bool:
    """Whether a Service is named by a form of its full name, where only the bare one counts."""
    full = f"{name}.{reference.namespace}.svc.{domain}"
    return reference.kind != HOSTNAME and "." in reference.name and f"{full}.".startswith(f"{reference.name}.")
