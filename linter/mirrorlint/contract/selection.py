"""Which objects of a cluster a contract holds: its gateways, what is bound to them, and what stands behind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache, partial
from itertools import chain

from mirrorlint.contract.shapes import shape_of
from mirrorlint.delivery.follow import Delivery
from mirrorlint.delivery.gateway import GatewayScope
from mirrorlint.delivery.mesh import Mesh
from mirrorlint.delivery.pods import Pods
from mirrorlint.delivery.policy import may_be_met
from mirrorlint.fleet import Cluster, Manifest
from mirrorlint.istio.certificates import holds_pem
from mirrorlint.istio.destination_rule import DestinationRule
from mirrorlint.istio.gateway import ACROSS
from mirrorlint.istio.names import MESH, is_wild, subset_of
from mirrorlint.istio.routing import VirtualService
from mirrorlint.istio.services import Service
from mirrorlint.istio.workloads import POD_KINDS, asks_for_sidecar, workloads
from mirrorlint.kinds import GATEWAY_API, SECURITY
from mirrorlint.loading.packing import Shape
from mirrorlint.source import Node

_ROUTE_KINDS = ("HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute")


def accepted(delivery: Delivery, cluster: str) -> list[tuple[Manifest, Shape]]:
    """The objects that decide what becomes of requests at a cluster's ingress, in the order in which they are written, and what of them."""
    selection = _Selection(delivery, cluster)
    return [(manifest, shape_of(manifest, proxy=manifest in selection.proxies)) for manifest in selection.manifests()]


class _Selection:
    """What is selected of one cluster."""

    def __init__(self, delivery: Delivery, cluster: str) -> None:
        self._mesh: Mesh = delivery.meshes[cluster]
        addresses = ("", *self._mesh.entrances.addresses, *self._mesh.entrances.others)
        self._scopes: list[GatewayScope] = [scope for address in addresses for scope in delivery.ingress(cluster, address)]
        self._rules_by_host: dict[str, list[DestinationRule]] = {}
        for rule in self._mesh.destination_rules:
            self._rules_by_host.setdefault(rule.host.lower(), []).append(rule)
        self._wildcards = [host for host in self._rules_by_host if is_wild(host)]
        self._bound = [service for service in self._mesh.virtual_services if set(service.gateways) - {MESH}]
        self._fronts = list(self._in_front())
        self._behind = list(self._services())
        self._across = list(self._passed_to())
        self._pods = self._mesh.workloads
        self.proxies = frozenset(self._proxies())

    def manifests(self) -> list[Manifest]:
        found = {
            *self._gateways(),
            *self._routes(),
            *(service.manifest for service in (*self._fronts, *self._behind, *self._across)),
            *(balancer.manifest for balancer in self._mesh.entrances.ingresses.values()),
            *self._rules(),
            *self._guards(),
            *self._inbound(),
            *self._workloads(),
        }
        return sorted(found, key=lambda manifest: manifest.node.place)

    def _of(self, *kinds: str, group: str = GATEWAY_API) -> Iterator[Manifest]:
        found = (manifest for kind in kinds for manifest in self._mesh.cluster.of(kind, group))
        return filter(self._mesh.sees, found) if group == GATEWAY_API else found

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
        yield from (service for scope in self._scopes for service in scope.front.services)
        named = ((gateway.manifest.namespace, host) for gateway in self._mesh.gateways for host in gateway.services)
        yield from (service for namespace, host in named if (service := self._mesh.owner(host, namespace)))

    def _services(self) -> Iterator[Service]:
        """What the rules' destinations and mirrors name, letter by letter or by a wildcard, and what an external name ends at."""
        hosts = {host.lower() for service in self._bound for host in _named(service)}
        while hosts:
            found = [s for s in self._mesh.services if _is_one_of(s.host.lower(), hosts)]
            yield from found
            hosts = {service.alias_of.lower() for service in found if service.alias_of} - hosts

    def _passed_to(self) -> Iterator[Service]:
        """What other clusters reach through servers of AUTO_PASSTHROUGH."""
        servers = ((scope, server) for scope in self._scopes for gateway in scope.gateways for server in gateway.servers)
        yield from (service for scope, server in servers if server.mode == ACROSS for service in scope.reached_across(server))

    def _rules(self) -> Iterator[Manifest]:
        """The DestinationRules that may be for those, and all that are for certain pods."""
        rules = [rule for service in (*self._behind, *self._across) for rule in self._rules_for(service)]
        rules += (rule for rule in self._mesh.destination_rules if rule.selective)
        yield from (rule.manifest for rule in rules if rule.manifest.kind == "DestinationRule")

    def _rules_for(self, service: Service) -> Iterator[DestinationRule]:
        host = service.host.lower()
        names = {host, *(name for name in self._wildcards if subset_of(host, name))}
        return (rule for name in names for rule in self._rules_by_host.get(name, ()))

    def _guards(self) -> Iterator[Manifest]:
        """The policies for the gateways' pods, and the certificates that servers show."""
        yield from (policy for policy in self._mesh.authorization_policies if may_be_met(policy, self._scopes))
        shown = {server.node["tls"]["credentialName"].text for server in self._mesh.servers}
        shown |= {reference["name"].text for gateway in self._of("Gateway") for reference in _certificates(gateway)}
        yield from (certificate.manifest for certificate in self._mesh.certificates.values() if certificate.secret in shown)
        yield from self._bad_secrets()

    def _inbound(self) -> Iterator[Manifest]:
        """What the sidecars of the pods behind let in: the policies of their namespaces and of the mesh, and which pods have one."""
        behind = [service for service in self._behind if service.kubernetes]
        near = {service.namespace for service in behind} | {self._mesh.root_namespace}
        authentications = (self._mesh.admitted(kind, SECURITY) for kind in ("PeerAuthentication", "RequestAuthentication"))
        every = (*self._mesh.authorization_policies, *chain.from_iterable(authentications))
        policies = [policy for policy in every if policy.namespace in near]
        yield from policies
        if policies or any(rule.starts_mutual_tls for rule in self._mesh.destination_rules):
            yield from (namespace for namespace in self._of("Namespace", group="") if namespace.name in near)
            yield from (workload for service in behind if self._pods.behind(service) for workload in self._pods.telling(service))
            spaces = (workloads(self._mesh.cluster, namespace) for namespace in near)
            asking = (next((each for each, labels in space.items() if asks_for_sidecar(labels)), None) for space in spaces)
            yield from filter(None, asking)

    def _bad_secrets(self) -> Iterator[Manifest]:
        """The Secrets for which Istio takes no listener; of others there is nothing to be said."""
        secrets = {(m.namespace, m.name): m for m in self._of("Secret", group="")}
        for gateway in self._of("Gateway"):
            for reference in _certificates(gateway):
                name = (reference["namespace"].text or gateway.namespace, reference["name"].text)
                if name in secrets and not holds_pem(secrets[name]):
                    yield secrets[name]

    def _proxies(self) -> Iterator[Manifest]:
        """The gateways' pods, and those behind the Services in front of them."""
        selectors = {frozenset(gateway.selector.items()) for gateway in self._mesh.gateways if gateway.selector}
        near = cache(partial(workloads, self._mesh.cluster))
        for manifest in (each for group, kind in POD_KINDS for each in self._of(kind, group=group)):
            labels = near(manifest.namespace)[manifest].items()
            in_front = any(s.namespace == manifest.namespace and s.selector.items() <= labels for s in self._fronts if s.selector)
            if in_front or any(selector <= labels for selector in selectors):
                yield manifest

    def _workloads(self) -> set[Manifest]:
        """Those, what ServiceEntries select, and of others as many as it takes for Services to have pods, or none, as by all of them."""
        cluster = self._mesh.cluster
        entries = [service for service in self._behind if not service.kubernetes]
        found = {*self.proxies, *(manifest for entry in entries for manifest, _ in self._mesh.selected_entries(entry))}
        said = [(asked, list(self._pods.lacking(*asked))) for asked in self._asked()]
        while True:
            some = Pods(Cluster(cluster.name, found))
            differing = [asked for asked, lacks in said if list(some.lacking(*asked)) != lacks]
            more = {manifest for service, *_ in differing for manifest in self._pods.telling(service)} - found
            if not more:
                return found
            found |= more

    def _asked(self) -> Iterator[tuple[Service, str, DestinationRule | None]]:
        """The Services and their subsets to which shadows may come."""
        for service in (*self._fronts, *self._behind):
            yield service, "", None
            yield from ((service, subset, rule) for rule in self._rules_for(service) for subset in rule.subsets)


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
