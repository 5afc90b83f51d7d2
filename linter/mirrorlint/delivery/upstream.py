"""What a proxy would send to: port, endpoints, TLS and SNI of one destination (Envoy's cluster; pilot/pkg/networking/core/cluster*.go)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mirrorlint.delivery.mesh import Mesh
from mirrorlint.istio.destination_rule import PASSTHROUGH, DestinationRule, Subset
from mirrorlint.istio.names import is_ip, known_as, without_port
from mirrorlint.istio.ports import Port
from mirrorlint.istio.services import ALIAS, DNS, NONE, ROUND_ROBIN, Endpoint, Service
from mirrorlint.source import Node

PLAINTEXT, TLS, MUTUAL = "plain text", "TLS", "Istio mutual TLS"  # as messages call them


class Address(NamedTuple):
    """One endpoint as the proxy dials it."""

    host: str
    port: int
    node: Node


class Upstream(NamedTuple):
    """A destination that exists for a proxy; `tls` is one of this module's constants, `sni` is empty when it follows the Host.

    `original_destination` is what sends requests to where their callers connected, `client_tls` what the DestinationRule says of TLS
    (ClientTLSSettings).
    """

    service: Service
    port: Port
    original_destination: Node | None
    addresses: tuple[Address, ...]
    tls: str
    sni: str
    rule: DestinationRule | None
    client_tls: Node

    @property
    def passing_through(self) -> DestinationRule | None:
        """The rule whose load balancer sends requests to where their callers connected."""
        return self.rule if self.original_destination is not None and self.original_destination.text == PASSTHROUGH else None

    def sni_for(self, host: str) -> str:
        """The SNI that is sent with a Host, in lower case; "" without TLS (cluster_tls.go:setAutoSniAndAutoSanValidation)."""
        if self.tls == PLAINTEXT:
            return ""
        return (self.sni or without_port(host)).lower()

    def verified(self, host: str) -> tuple[str, ...]:
        """The names of which the server's certificate needs one, for a shadow's Host; none: any (setAutoSniAndAutoSanValidation)."""
        if self.tls != TLS or self.client_tls["insecureSkipVerify"].truth:
            return ()
        said = self.client_tls["subjectAltNames"].texts or self.service.manifest.node["spec"]["subjectAltNames"].texts
        return said or (() if self.sni else (self.sni_for(host),))


def build(mesh: Mesh, service: Service, port: Port, subset: Subset | None, rule: DestinationRule | None, gateway: bool) -> Upstream | None:
    """The upstream, or None where Istio builds none: UDP, an alias, DNS without an endpoint (cluster.go:buildOutboundClusters)."""
    if port.protocol == "UDP" or service.resolution == ALIAS:
        return None
    addresses = _addresses(mesh, service, port, subset)
    original = _original_destination(service, port, subset, rule, gateway)
    if service.resolution in (DNS, ROUND_ROBIN) and not addresses and original is None:
        return None
    client_tls = _client_tls(service, port, subset, rule)
    tls, sni = _tls_and_sni(client_tls, service, port, subset, rule, gateway)
    return Upstream(service, port, original, addresses, tls, sni, rule, client_tls)


def _original_destination(service: Service, port: Port, subset: Subset | None, rule: DestinationRule | None, gateway: bool) -> Node | None:
    """The load balancer that makes it so, else what leaves a service unresolved for sidecars (cluster.go:convertResolution)."""
    balancer = (subset.passthrough(port.number, rule.policy) if subset else rule.policy.passthrough(port.number)) if rule else None
    if balancer is not None or gateway or service.resolution != NONE:
        return balancer
    return service.manifest.node["spec"]["clusterIP" if service.kubernetes else "resolution"]


def _addresses(mesh: Mesh, service: Service, port: Port, subset: Subset | None) -> tuple[Address, ...]:
    """Where the service's endpoints are dialled; all that one namespace has for a host share them (model/endpointshards.go).

    With DNS they are those of the port's number, else the IPs of the port's name (endpoint_builder.go:BuildClusterLoadAssignment).
    """
    wanted = subset.labels.items() if subset else {}.items()
    every = ((p, endpoint) for p, endpoint in _shared(mesh, service) if wanted <= endpoint.labels.items())
    if service.resolution in (DNS, ROUND_ROBIN):
        found = [(p, endpoint) for p, endpoint in every if p.number == port.number]
    else:
        found = [(p, endpoint) for p, endpoint in every if p.name == port.name and is_ip(endpoint.address)]
    return tuple(dict.fromkeys(Address(known_as(e.address), e.ports.get(p.name) or p.target or p.number, e.node) for p, e in found))


def _shared(mesh: Mesh, service: Service) -> Iterator[tuple[Port, Endpoint]]:
    """The endpoints of all that a service's namespace has for its host, the oldest first, for each of their ports.

    One with DNS_ROUND_ROBIN adds nothing where a port has an endpoint already (conversion.go:mergeServicesInstancesByNamespaceHost).
    """
    taken: set[int] = set()
    for twin in (twin for twin in mesh.services_by_host[service.host] if twin.namespace == service.namespace):
        for port in twin.ports:
            for endpoint in _endpoints(mesh, twin):
                if twin.resolution != ROUND_ROBIN or port.number not in taken:
                    taken.add(port.number)
                    yield port, endpoint


def _endpoints(mesh: Mesh, service: Service) -> tuple[Endpoint, ...]:
    """A service's own; an entry with DNS and none is its own endpoint (conversion.go:convertServiceEntryToInstances)."""
    if service.resolution in (DNS, ROUND_ROBIN) and not service.endpoints and not service.selects:
        return (Endpoint(service.host, {}, {}, service.node),)
    return mesh.endpoints(service)


def _client_tls(service: Service, port: Port, subset: Subset | None, rule: DestinationRule | None) -> Node:
    """The `tls` that a DestinationRule has for a port; absent without one."""
    if rule is None:
        return service.node["tls"]
    return subset.tls_of(port.number, rule.policy) if subset else rule.policy.tls_of(port.number)


def _tls_and_sni(
    client_tls: Node, service: Service, port: Port, subset: Subset | None, rule: DestinationRule | None, gateway: bool
) -> tuple[str, str]:
    """The TLS and the fixed SNI that the DestinationRule asks for (cluster_tls.go:buildUpstreamClusterTLSContext)."""
    mode, sni = client_tls["mode"].text, client_tls["sni"].text
    if mode == "ISTIO_MUTUAL":
        name = subset.name if subset else ""
        return MUTUAL, sni or f"outbound_.{port.number}_.{name}_.{service.host}"
    if mode not in ("SIMPLE", "MUTUAL") or rule is None or without_secret(client_tls, rule, gateway):
        return PLAINTEXT, ""
    return TLS, sni


def without_secret(client_tls: Node, rule: DestinationRule, gateway: bool) -> bool:
    """A sidecar gets no `credentialName` from a rule without workloadSelector: it then starts no TLS at all."""
    name = client_tls["credentialName"].text
    return bool(name) and not name.startswith("configmap://") and not gateway and not rule.selective
