"""Which objects of a cluster a contract holds: its gateways, what is bound to them, and what stands behind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mirrorlint.delivery.follow import Delivery
from mirrorlint.delivery.gateway import GatewayScope
from mirrorlint.delivery.mesh import Mesh
from mirrorlint.delivery.policy import is_for
from mirrorlint.fleet import Manifest
from mirrorlint.istio.certificates import holds_pem
from mirrorlint.istio.names import MESH, is_wild, subset_of
from mirrorlint.istio.routing import VirtualService
from mirrorlint.istio.services import Service
from mirrorlint.istio.workloads import is_idle, workloads
from mirrorlint.kinds import GATEWAY_API, NETWORKING, OF_TEMPLATES
from mirrorlint.source import Node

_ROUTE_KINDS = ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute")
_POD_KINDS = (*OF_TEMPLATES, ("", "Pod"))


def accepted(delivery: Delivery, cluster: str) -> list[Manifest]:
    """The objects that decide what becomes of requests at a cluster's ingress, in the order in which they are written."""
    return _Selection(delivery, cluster).manifests()


class _Selection:
    """What is selected of one cluster."""

    def __init__(self, delivery: Delivery, cluster: str) -> None:
        self._mesh: Mesh = delivery.meshes[cluster]
        addresses = ("", *self._mesh.entrances.addresses, *self._mesh.entrances.others)
        self._pods: list[GatewayScope] = [scope for address in addresses for scope in delivery.ingress(cluster, address)]
        self._bound = [service for service in self._mesh.virtual_services if set(service.gateways) - {MESH}]
        self._fronts = list(self._in_front())
        self._behind = list(self._services())

    def manifests(self) -> list[Manifest]:
        found = {
            *self._gateways(),
            *self._routes(),
            *(service.manifest for service in (*self._fronts, *self._behind)),
            *(balancer.manifest for balancer in self._mesh.entrances.ingresses.values()),
            *self._rules(),
            *self._guards(),
            *self._workloads(),
        }
        return sorted(found, key=lambda manifest: manifest.node.place)

    def _of(self, *kinds: str, group: str = GATEWAY_API) -> Iterator[Manifest]:
        found = (manifest for kind in kinds for manifest in self._mesh.cluster.of(kind, group))
        return (manifest for manifest in found if manifest not in self._mesh.refused)

    def _gateways(self) -> Iterator[Manifest]:
        """All Gateways, also those that other pods are for: a shadow that meets none is told which comes nearest."""
        yield from self._mesh.admitted("Gateway")
        gateways = list(self._of("Gateway"))
        yield from gateways
        yield from self._of("GatewayClass", "ReferenceGrant") if gateways else ()
        if any(listener["allowedRoutes"]["namespaces"]["selector"] for g in gateways for listener in g.node["spec"]["listeners"]):
            yield from self._of("Namespace", group="")

    def _routes(self) -> Iterator[Manifest]:
        for service in self._bound:
            yield service.manifest
            yield from (rule.owner for rule in service.rules)
        yield from (route for route in self._of(*_ROUTE_KINDS) if any(map(_is_of_gateway, route.node["spec"]["parentRefs"])))

    def _in_front(self) -> Iterator[Service]:
        yield from filter(None, (*self._mesh.entrances.addresses.values(), *self._mesh.entrances.others.values()))
        yield from (service for scope in self._pods for service in scope.front.services)
        named = ((gateway.manifest.namespace, host) for gateway in self._mesh.gateways for host in gateway.services)
        yield from (service for namespace, host in named if (service := self._mesh.owner(host, namespace)))

    def _services(self) -> Iterator[Service]:
        """What the rules' destinations and mirrors name, letter by letter or by a wildcard, and what an external name ends at."""
        hosts = {host.lower() for service in self._bound for host in _named(service)}
        while hosts:
            found = [s for s in self._mesh.services if _is_one_of(s.host.lower(), hosts)]
            yield from found
            hosts = {service.alias_of.lower() for service in found if service.alias_of} - hosts

    def _rules(self) -> Iterator[Manifest]:
        """The DestinationRules that may be for those, and all that are for certain pods."""
        hosts = {service.host.lower() for service in self._behind}
        for rule in self._mesh.destination_rules:
            if rule.manifest.kind == "DestinationRule" and (rule.selective or any(subset_of(host, rule.host.lower()) for host in hosts)):
                yield rule.manifest

    def _guards(self) -> Iterator[Manifest]:
        """The policies for the gateways' pods, and the certificates that servers show."""
        yield from (policy for policy in self._mesh.authorization_policies if any(is_for(policy, pod) is not False for pod in self._pods))
        shown = {server.node["tls"]["credentialName"].text for server in self._mesh.servers}
        yield from (certificate.manifest for certificate in self._mesh.certificates.values() if certificate.secret in shown)
        yield from self._bad_secrets()

    def _bad_secrets(self) -> Iterator[Manifest]:
        """The Secrets for which Istio takes no listener; of others there is nothing to be said."""
        secrets = {(m.namespace, m.name): m for m in self._of("Secret", group="")}
        for gateway in self._of("Gateway"):
            for reference in _certificates(gateway):
                name = (reference["namespace"].text or gateway.namespace, reference["name"].text)
                if name in secrets and not holds_pem(secrets[name]):
                    yield secrets[name]

    def _workloads(self) -> Iterator[Manifest]:
        """The gateways' pods, what ServiceEntries select, and what makes it plain that no pod is behind a service."""
        selectors = [(gateway.manifest.namespace, gateway.selector) for gateway in self._mesh.gateways if gateway.selector]
        for group, kind in _POD_KINDS:
            for manifest in self._of(kind, group=group):
                labels = workloads(self._mesh.cluster, manifest.namespace)[manifest].items()
                in_front = any(s.namespace == manifest.namespace and s.selector.items() <= labels for s in self._fronts if s.selector)
                if in_front or any(selector.items() <= labels for _, selector in selectors):
                    yield manifest
        for service in self._behind:
            yield from self._selected(service) if service.selects and not service.kubernetes else self._missing(service)

    def _selected(self, entry: Service) -> Iterator[Manifest]:
        for manifest in self._mesh.cluster.within(entry.namespace, "WorkloadEntry", NETWORKING):
            labels = manifest.node["spec"]["labels"].named_texts | manifest.node["metadata"]["labels"].named_texts
            if entry.selector.items() <= labels.items() and manifest not in self._mesh.refused:
                yield manifest

    def _missing(self, service: Service) -> Iterator[Manifest]:
        if not service.kubernetes or not service.selector:
            return
        near = workloads(self._mesh.cluster, service.namespace)
        fitting = {manifest: labels for manifest, labels in near.items() if service.selector.items() <= labels.items()}
        rules = (rule for rule in self._mesh.destination_rules if subset_of(service.host, rule.host))
        asked = [service.selector, *(subset.labels for rule in rules for subset in rule.subsets.values())]
        running = [labels for manifest, labels in fitting.items() if not is_idle(self._mesh.cluster, manifest)]
        if any(not any(wanted.items() <= labels.items() for labels in running) for wanted in asked):
            yield from fitting or (manifest for manifest in near if manifest.name == service.manifest.name)


def _is_of_gateway(parent: Node) -> bool:
    return (parent["kind"].text or "Gateway") == "Gateway"


def _named(service: VirtualService) -> Iterator[str]:
    for rule in service.rules:
        yield from (backend.destination.host for backend in rule.backends)
        yield from (mirror.destination.host for mirror in rule.mirrors)


def _is_one_of(host: str, hosts: Iterable[str]) -> bool:
    return any(subset_of(name, host) for name in hosts) if is_wild(host) else host in hosts


def _certificates(gateway: Manifest) -> Iterator[Node]:
    return (reference for listener in gateway.node["spec"]["listeners"] for reference in listener["tls"]["certificateRefs"])
