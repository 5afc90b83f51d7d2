"""The names and IPs at which a cluster's ingress is reached, as its manifests show them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import NamedTuple

from mirrorlint.fleet import Manifest
from mirrorlint.istio.gateway import Gateway
from mirrorlint.istio.ports import Port
from mirrorlint.istio.services import Service
from mirrorlint.source import Node

HOSTNAME = "external-dns.alpha.kubernetes.io/hostname"
TARGET = "external-dns.alpha.kubernetes.io/target"
_AWS = "service.beta.kubernetes.io/aws-load-balancer-"
CERTIFICATE, TLS_PORTS, BEHIND = f"{_AWS}ssl-cert", f"{_AWS}ssl-ports", f"{_AWS}backend-protocol"


def shown(services: Iterable[Service], gateways: Iterable[Gateway]) -> Iterator[tuple[str, Service]]:
    """Each address that the manifests give a Service in front of a gateway."""
    gateways = tuple(gateways)
    for service in services:
        if service.kubernetes and exposed(service.manifest) and any(_in_front(service, gateway) for gateway in gateways):
            yield from ((address, service) for address in _addresses(service.manifest) if address)


def exposed(manifest: Manifest) -> bool:
    """Whether what is outside reaches a Service; one that Istio deploys for a Gateway is a load balancer's."""
    if manifest.kind == "Gateway" or manifest.node.text_at("spec", "type") in ("LoadBalancer", "NodePort"):
        return True
    return bool(manifest.node["spec"]["externalIPs"])


def _in_front(service: Service, gateway: Gateway) -> bool:
    """Whether a Service is in front of a gateway: by its name, or because what both select is alike."""
    if gateway.services:
        return service.host in gateway.services and service.namespace == gateway.manifest.namespace
    return not gateway.selector or _alike(gateway.selector, service.selector)


def _alike(selector: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether two selectors have a label in common, or one that differs by a typo."""
    return any(get_close_matches(value, [other[key]], cutoff=0.8) for key, value in selector.items() if key in other)


class Balancer(NamedTuple):
    """A load balancer that ends TLS and goes on in plain text: the object that it is for, and the annotation that says so."""

    manifest: Manifest
    node: Node


def balancer(service: Service, port: Port) -> Balancer | None:
    """The load balancer that ends TLS before a Service's port; None where nothing says that one does.

    Source: aws-load-balancer-controller, docs/guide/service/annotations.md; each port is meant where `ssl-ports` names none.
    """
    for noted in _annotations(service.manifest):
        named = {name.strip() for name in (noted[TLS_PORTS].text or "*").split(",")}
        if noted[CERTIFICATE] and noted[BEHIND].text not in ("ssl", "https") and named & {"*", port.name, str(port.number)}:
            return Balancer(service.manifest, noted[CERTIFICATE])
    return None


def _annotations(manifest: Manifest) -> tuple[Node, Node]:
    """Those of a Service, or of the one that Istio deploys for a Gateway."""
    return manifest.node["metadata"]["annotations"], manifest.node["spec"]["infrastructure"]["annotations"]


def _addresses(manifest: Manifest) -> Iterator[str]:
    """What a Service says, or the Gateway that Istio deploys one for."""
    spec, status = manifest.node["spec"], manifest.node["status"]
    yield from spec["externalIPs"].texts
    yield spec["loadBalancerIP"].text
    for noted in _annotations(manifest):
        yield from (name.strip() for key in (HOSTNAME, TARGET) for name in noted[key].text.split(","))
    for one in status["loadBalancer"]["ingress"]:
        yield from (one["ip"].text, one["hostname"].text)
    yield from (one["value"].text for one in (*spec["addresses"], *status["addresses"]))
