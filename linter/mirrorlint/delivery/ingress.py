"""Which cluster an endpoint belongs to, and which pods its ingress gateway is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mirrorlint.delivery.gateway import GatewayScope
from mirrorlint.delivery.mesh import Mesh
from mirrorlint.istio.services import texts


class Landing(NamedTuple):
    """The cluster that an endpoint is the ingress of ("" for none); `assumed` when no address proves it, `known` when some address does."""

    cluster: str
    assumed: bool
    known: bool


def landing(meshes: Mapping[str, Mesh], source: str, address: str, host: str) -> Landing:
    """Where an endpoint's address, of a mirror target `host`, leads.

    An address that settings call external, or that differs from the known ones, leads elsewhere. If none is known, the one other cluster
    that has Gateways is assumed.
    """
    if {address, host} & set(meshes[source].cluster.settings.external):
        return Landing("", assumed=False, known=True)
    for name, mesh in meshes.items():
        if address in mesh.ingress_addresses:
            return Landing(name, assumed=False, known=True)
    others = [name for name in meshes if name != source]
    named = [name for name in others if any(host in server.hosts for gateway in meshes[name].gateways for server in gateway.servers)]
    if len(named) == 1:
        return Landing(named[0], assumed=False, known=True)
    if any(meshes[name].ingress_addresses for name in others):
        return Landing("", assumed=False, known=True)
    with_gateways = [name for name in others if meshes[name].gateways]
    if len(with_gateways) == 1:
        return Landing(with_gateways[0], assumed=True, known=False)
    return Landing("", assumed=False, known=False)


def ingress_scopes(mesh: Mesh) -> tuple[GatewayScope, ...]:
    """The gateway pods that a cluster's ingress may be: as settings say, else Deployments that Gateways select, else what they select."""
    ingress = mesh.cluster.settings.ingress
    if ingress.namespace or ingress.labels:
        return (GatewayScope(mesh, ingress.namespace, ingress.labels, ingress),)
    selectors = {frozenset(gateway.selector.items()) for gateway in mesh.gateways if gateway.selector} or {frozenset()}
    pods = dict.fromkeys(pod for selector in sorted(selectors, key=sorted) for pod in _pods(mesh, selector))
    return tuple(GatewayScope(mesh, namespace, dict(labels), ingress) for namespace, labels in pods)


def _pods(mesh: Mesh, selector: frozenset[tuple[str, str]]) -> list[tuple[str, frozenset[tuple[str, str]]]]:
    """Namespace and labels of the Deployments' pods that a selector picks.

    Without any, pods with just these labels in an unknown namespace, and such as workload-selecting DestinationRules ask for.
    """
    deployed = []
    for manifest in mesh.cluster.of("Deployment", "apps"):
        labels = frozenset(texts(manifest.node["spec"]["template"]["metadata"]["labels"]).items())
        if selector and selector <= labels:
            deployed.append((manifest.namespace, labels))
    asked = [(rule.namespace, frozenset({*selector, *rule.selector.items()})) for rule in mesh.destination_rules if rule.selective]
    return deployed or [("", selector), *((namespace, labels) for namespace, labels in asked if len(dict(labels)) == len(labels))]
