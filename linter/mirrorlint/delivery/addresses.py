"""The names and IPs at which a cluster's ingress is reached, as its manifests show them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from mirrorlint.fleet import Manifest
from mirrorlint.istio.gateway import Gateway
from mirrorlint.istio.ports import Port
from mirrorlint.istio.services import Service
from mirrorlint.likeness import TYPO
from mirrorlint.source import Node

# What external-dns is told, from 0.22 on and before (kubernetes-sigs/external-dns, docs/annotations/annotations.md).
_DNS = ("external-dns.kubernetes.io", "external-dns.alpha.kubernetes.io")
HOSTNAME, TARGET = (tuple(f"{prefix}/{name}" for prefix in _DNS) for name in ("hostname", "target"))
_AWS, _AZURE = (f"service.beta.kubernetes.io/{cloud}-load-balancer-" for cloud in ("aws", "azure"))
# What asks controllers for addresses: metallb (website/content/usage), kube-vip (docs/usage/kubernetes-services), cilium (lb-ipam),
# those of clouds (aws-load-balancer-controller, docs/guide/service/annotations.md; cloud-provider-azure, topics/loadbalancer).
ASKED = (
    *("metallb.io/loadBalancerIPs", "metallb.universe.tf/loadBalancerIPs"),
    *("kube-vip.io/loadbalancerIPs", "lbipam.cilium.io/ips", "io.cilium/lb-ipam-ips"),
    *(f"{_AWS}private-ipv4-addresses", f"{_AWS}ipv6-addresses", f"{_AZURE}ipv4", f"{_AZURE}ipv6"),
)
CERTIFICATE, TLS_PORTS, BEHIND = f"{_AWS}ssl-cert", f"{_AWS}ssl-ports", f"{_AWS}backend-protocol"
ENCRYPTING = tuple(f"{controller}.ingress.kubernetes.io/backend-protocol" for controller in ("alb", "nginx"))


def shown(services: Iterable[Service], gateways: Sequence[Gateway]) -> Iterator[tuple[str, Service]]:
    """Each address that the manifests give a Service in front of a gateway."""
    yield from ((address, s) for address, s in exposures(services) if any(in_front(s, gateway) for gateway in gateways))


def exposures(services: Iterable[Service]) -> Iterator[tuple[str, Service]]:
    """Each address that the manifests give a Service that is reached from outside."""
    for service in services:
        if service.kubernetes and exposed(service.manifest):
            yield from ((address, service) for address in _addresses(service.manifest) if address)


def unaddressed(services: Iterable[Service], gateways: Sequence[Gateway]) -> bool:
    """Whether gateways may be reached at an address that is not shown: of a Service in front of one, or of none that is here."""
    front = [s for s in services if s.kubernetes and exposed(s.manifest) and any(in_front(s, gateway) for gateway in gateways)]
    return bool(gateways) and not (front and all(any(_addresses(service.manifest)) for service in front))


def targets(manifest: Manifest) -> Iterator[str]:
    """The addresses that external-dns gives the names of an Istio Gateway (docs/sources/istio-gateway.md)."""
    return filter(None, _noted(manifest, *TARGET))


def exposed(manifest: Manifest) -> bool:
    """Whether what is outside reaches a Service; one that Istio deploys for a Gateway is a load balancer's."""
    if manifest.kind == "Gateway" or manifest.node.text_at("spec", "type") in ("LoadBalancer", "NodePort"):
        return True
    return bool(manifest.node["spec"]["externalIPs"])


def in_front(service: Service, gateway: Gateway) -> bool:
    """Whether a Service is in front of a gateway: by its name, or because what both select is alike."""
    if gateway.services:
        return service.host in gateway.services and service.namespace == gateway.manifest.namespace
    return not gateway.selector or _alike(gateway.selector, service.selector)


def _alike(selector: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether two selectors have a label in common, or one that differs by a typo."""
    return any(get_close_matches(value, [other[key]], cutoff=TYPO) for key, value in selector.items() if key in other)


class Balancer(NamedTuple):
    """What ends TLS before a gateway and goes on in plain text: the object that it is for, and what in it says so.

    An Ingress also takes plain text, and goes on to a port of the Service with the host `service`.
    """

    manifest: Manifest
    node: Node
    service: str = ""
    port: int = 0


def balancer(service: Service, port: Port) -> Balancer | None:
    """The load balancer that ends TLS before a Service's port; None where nothing says that one does.

    Source: aws-load-balancer-controller, docs/guide/service/annotations.md; each port is meant where `ssl-ports` names none.
    """
    for noted in _annotations(service.manifest):
        named = {name.strip() for name in (noted[TLS_PORTS].text or "*").split(",")}
        if noted[CERTIFICATE] and noted[BEHIND].text not in ("ssl", "https") and named & {"*", port.name, str(port.number)}:
            return Balancer(service.manifest, noted[CERTIFICATE])
    return None


def proxied(manifests: Sequence[Manifest], services: Iterable[Service], gateways: Iterable[Gateway]) -> Iterator[tuple[str, Balancer]]:
    """The Ingresses that go on in plain text to Services in front of gateways, under each of their hosts and addresses.

    They are also under "" where no such Service has an address of its own: there is no other way to the gateways then.
    """
    selectors = {frozenset(gateway.selector.items()) for gateway in gateways if gateway.selector and manifests}
    own = [s for s in services if s.kubernetes and s.selector]
    front = {
        (s.namespace, s.manifest.name): s
        for s in own
        if any(s.selector.items() <= each or each <= s.selector.items() for each in selectors)
    }
    apart = (s.manifest for s in front.values() if s.manifest.node.text_at("spec", "type") == "LoadBalancer" or any(_addresses(s.manifest)))
    only = () if any(apart) else ("",)
    for manifest in manifests:
        spec = manifest.node["spec"]
        paths = (path for rule in spec["rules"] for path in rule["http"]["paths"])
        backends = [backend["service"] for backend in (spec["defaultBackend"], *(path["backend"] for path in paths))]
        leading = next((node for node in backends if (manifest.namespace, node["name"].text) in front), None)
        if leading and not _encrypts(manifest):
            service, said = front[manifest.namespace, leading["name"].text], leading["port"]
            port = said["number"].number or next((port.number for port in service.ports if port.name == said["name"].text), 0)
            hosts = (*(rule["host"].text for rule in spec["rules"]), *_addresses(manifest))
            yield from ((host, Balancer(manifest, leading["name"], service.host, port)) for host in (*filter(None, hosts), *only))


def _encrypts(manifest: Manifest) -> bool:
    """Whether an Ingress starts TLS towards what is behind it (of the controllers of AWS and of nginx)."""
    return any(manifest.node["metadata"]["annotations"][name].text in ("HTTPS", "GRPCS") for name in ENCRYPTING)


def _annotations(manifest: Manifest) -> tuple[Node, Node]:
    """Those of a Service, or of the one that Istio deploys for a Gateway."""
    return manifest.node["metadata"]["annotations"], manifest.node["spec"]["infrastructure"]["annotations"]


def _noted(manifest: Manifest, *names: str) -> Iterator[str]:
    """What annotations list."""
    return (each.strip() for noted in _annotations(manifest) for name in names for each in noted[name].text.split(","))


def _addresses(manifest: Manifest) -> Iterator[str]:
    """What a Service says, or the Gateway that Istio deploys one for."""
    spec, status = manifest.node["spec"], manifest.node["status"]
    yield from spec["externalIPs"].texts
    yield spec["loadBalancerIP"].text
    yield from _noted(manifest, *HOSTNAME, *TARGET, *ASKED)
    for one in status["loadBalancer"]["ingress"]:
        yield from (one["ip"].text, one["hostname"].text)
    yield from (one["value"].text for one in (*spec["addresses"], *status["addresses"]))
