"""One cluster as its control plane sees it: what admission lets through, indexed by what proxies ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from mirrorlint.delivery.age import Age
from mirrorlint.delivery.discovery import Discovery
from mirrorlint.delivery.entrances import Entrances
from mirrorlint.delivery.gateway_api import GatewayApi
from mirrorlint.delivery.match import Route, routes_of
from mirrorlint.delivery.pods import Pods
from mirrorlint.delivery.refused import Admission
from mirrorlint.delivery.rules_in_force import RulesInForce
from mirrorlint.delivery.worlds import reads_mirrors, worlds_of
from mirrorlint.fleet import DISCOVERY, Cluster, Manifest
from mirrorlint.istio import gateway_routes
from mirrorlint.istio.backend_tls import read_policies
from mirrorlint.istio.cert_manager import Certificate, read_certificate
from mirrorlint.istio.destination_rule import DestinationRule, read_rule
from mirrorlint.istio.gateway import Gateway, Server, read_gateway
from mirrorlint.istio.names import PUBLIC, known_as
from mirrorlint.istio.routing import VirtualService
from mirrorlint.istio.services import Endpoint, Service, final_host, read_endpoint, read_entry, read_service
from mirrorlint.istio.sidecar import Sidecar, read_sidecar
from mirrorlint.istio.virtual_service import Reader, read_virtual_service
from mirrorlint.istio.workloads import without_sidecars
from mirrorlint.kinds import NETWORKING, OF_TEMPLATES, SECURITY
from mirrorlint.source import Node

_UNSEEN = 3
_Found = TypeVar("_Found")


class Mesh:
    """A cluster's registry, routes, rules and gateways; everything is read when it is first asked for."""

    def __init__(self, cluster: Cluster, age: Age, let_in: frozenset[Manifest], istio: str) -> None:
        """`age` orders objects of one kind, the oldest first; where two of them claim the same the oldest has it.

        Admission lets `let_in` through whatever it finds. As a source the cluster runs the version `istio` ("": what settings say).
        """
        self.cluster, self._age, self._let_in, self._istio = cluster, age, let_in, istio
        self.domain = cluster.settings.domain
        self.config: Mapping[str, Any] = cluster.settings.mesh
        self.root_namespace: str = self.config.get("rootNamespace") or "istio-system"

    @property
    def worlds(self) -> tuple[str, ...]:
        """The worlds that it may run as a source."""
        return worlds_of(self.cluster.settings, self._istio)

    @property
    def sending_version(self) -> str:
        """The version of Istio that it runs as a source, "" where that is not known."""
        return self._istio or self.cluster.settings.istio

    @cached_property
    def gateway_api(self) -> GatewayApi:
        """Its Gateway API, as far as the control plane sees it."""
        return GatewayApi(self.cluster, self._age, self.sees)

    def _exports(self, field: str) -> frozenset[str]:
        return frozenset(self.config.get(field) or ())

    @cached_property
    def _external(self) -> frozenset[str]:
        return frozenset(map(known_as, self.cluster.settings.external))

    def is_external(self, *names: str) -> bool:
        """Whether settings say of a name or address that it is nobody's ingress here."""
        return not self._external.isdisjoint(map(known_as, names))

    @cached_property
    def admission(self) -> Admission:
        """What admission says of its objects."""
        return Admission(self.cluster, self._let_in)

    @cached_property
    def discovery(self) -> Discovery:
        """Which namespaces its control plane looks at."""
        return Discovery(self.cluster, self.config.get(DISCOVERY) or (), self.sending_version)

    @cached_property
    def unlimited(self) -> Mesh:
        """The mesh as it would be if its control plane looked at all namespaces; itself where it does."""
        if not self.discovery.limited:
            return self
        found = Mesh(self.cluster, self._age, self._let_in, self._istio)
        found.discovery, found.admission = Discovery(self.cluster, (), self.sending_version), self.admission
        return found

    def sees(self, manifest: Manifest) -> bool:
        """Whether the control plane sees an object of its configuration."""
        return manifest not in self.admission.refused and self.discovery.takes(manifest)

    def admitted(self, kind: str, group: str = NETWORKING) -> list[Manifest]:
        """The objects of a kind that the control plane sees, the oldest first."""
        seen = filter(self.sees, self.cluster.of(kind, group))
        return sorted(seen, key=lambda manifest: self._age(manifest, manifest.name, manifest.namespace))

    @cached_property
    def kubernetes_services(self) -> tuple[Service, ...]:
        """The Services, whether or not the control plane sees them: what they lead to does not depend on it."""
        found = [read_service(m, self.domain) for m in self.cluster.of("Service", "") if m.name]
        written = {service.host for service in found}
        found += [service for service in self.gateway_api.managed_services if service.host not in written]
        return tuple(map(self._exported, found))

    @cached_property
    def services(self) -> tuple[Service, ...]:
        """All services of the registry, the oldest first."""
        own = (service for service in self.kubernetes_services if self.discovery.takes(service.manifest))
        entries = (self._exported(service) for m in self.admitted("ServiceEntry") for service in read_entry(m))
        return tuple(sorted((*own, *entries), key=self._seniority))

    def _seniority(self, service: Service) -> tuple[object, ...]:
        """Its age, in which an entry has its host for a name (SortServicesByCreationTime); without timestamps Kubernetes' come first."""
        manifest, name = service.manifest, service.manifest.name if service.kubernetes else service.host
        assumed = not (service.kubernetes or manifest.created)
        return (manifest.created, assumed, self._age(manifest, name, service.namespace))

    def _exported(self, service: Service) -> Service:
        return service if service.export_to else service._replace(export_to=self._exports("defaultServiceExportTo") or PUBLIC)

    @cached_property
    def services_by_name(self) -> dict[str, list[Service]]:
        """Services under their host in lower case, in order of age."""
        return _grouped((service.host.lower(), service) for service in self.services)

    @cached_property
    def services_by_host(self) -> dict[str, list[Service]]:
        """Services under their host, letter by letter, in order of age."""
        return _grouped((service.host, service) for service in self.services)

    def overlooked(self, host: str) -> Service | None:
        """The service for a host that is none of the registry's, in a namespace that the control plane does not look at."""
        return None if host in self.services_by_host else next(iter(self.unlimited.services_by_host.get(host, ())), None)

    @cached_property
    def common_hosts(self) -> frozenset[str]:
        """The hosts under which every namespace sees the same services."""
        by_host = self.services_by_host.items()
        return frozenset(host for host, found in by_host if all(s.export_to == PUBLIC and s.namespace == found[0].namespace for s in found))

    @cached_property
    def services_by_port(self) -> dict[int, list[Service]]:
        """Services under each of their port numbers."""
        return _grouped((number, service) for service in self.services for number in dict.fromkeys(p.number for p in service.ports))

    def owner(self, host: str, namespace: str) -> Service | None:
        """The service that holds the host in a namespace: a Kubernetes Service, else the oldest (initServiceRegistry)."""
        own = [service for service in self.services_by_host.get(host, ()) if service.namespace == namespace]
        return min(own, key=lambda service: not service.kubernetes, default=None)

    @cached_property
    def aliases(self) -> dict[str, list[Service]]:
        """For each host the ExternalName services that end at it (push_context.go:resolveServiceAliases)."""
        target_of = {service.host: service.alias_of for service in self.services if service.alias_of}
        return _grouped((final_host(service.host, target_of), service) for service in self.services if service.alias_of)

    @cached_property
    def reader(self) -> Reader:
        """Reads this cluster's VirtualServices."""
        exports, reads = self._exports("defaultVirtualServiceExportTo"), reads_mirrors(self.sending_version)
        return Reader(self.domain, exports, self.admitted("VirtualService"), reads_mirrors=reads)

    @cached_property
    def route_reader(self) -> gateway_routes.Reader:
        """Reads the Gateway API's routes of this cluster."""
        return self.gateway_api.reader(self.services, self.admitted("ServiceEntry"), self.reader.export_to)

    @cached_property
    def virtual_services(self) -> tuple[VirtualService, ...]:
        """The VirtualServices with hosts, delegates merged in, and those made of the Gateway API's routes, the oldest first."""
        found = [read_virtual_service(m, self.reader) for m in self.admitted("VirtualService") if len(m.node["spec"]["hosts"])]
        found += self.route_reader.read(self.gateway_api.routes)
        return tuple(sorted(found, key=lambda service: self._age(service.manifest, service.name, service.namespace)))

    @cached_property
    def routes(self) -> dict[VirtualService, tuple[tuple[Route, ...], ...]]:
        """For each VirtualService its rules as routes."""
        return {service: routes_of(service) for service in self.virtual_services}

    @cached_property
    def _by_gateway(self) -> dict[str, list[VirtualService]]:
        return _grouped((gateway, service) for service in self.virtual_services for gateway in dict.fromkeys(service.gateways))

    def bound_to(self, gateway: str, namespace: str) -> list[VirtualService]:
        """What a proxy of `namespace` applies for a gateway or `mesh`: private, exported, public ones (VirtualServicesForGateway).

        In each group routes of the own namespace come first. An empty namespace, one not known, sees what is exported to anyone.
        """
        ranked = (
            (_export_rank(s, namespace), not (s.gateway_semantics and s.namespace == namespace), s)
            for s in self._by_gateway.get(gateway, ())
        )
        return [service for rank, _, service in sorted(ranked, key=lambda one: one[:2]) if rank < _UNSEEN]

    @cached_property
    def gateways(self) -> tuple[Gateway, ...]:
        """The Istio Gateways, and those made of the Gateway API's listeners, the oldest first."""
        found = [read_gateway(m) for m in self.admitted("Gateway")]
        found += [one.gateway for listeners in self.gateway_api.listeners.values() for one in listeners if not one.fault]
        return tuple(sorted(found, key=lambda g: self._age(g.manifest, g.name.partition("/")[2], g.manifest.namespace)))

    @property
    def meant_gateways(self) -> list[Gateway]:
        """The gateways, also those that the control plane does not look at, and what listeners that Istio does not program would be."""
        faulty = (one.gateway for listeners in self.gateway_api.listeners.values() for one in listeners if one.fault)
        return [*self.unlimited.gateways, *faulty]

    @cached_property
    def servers(self) -> tuple[Server, ...]:
        """The servers of its Gateways."""
        return tuple(server for gateway in self.gateways for server in gateway.servers)

    @cached_property
    def server_hosts(self) -> frozenset[str]:
        """The names that these are for, and those of Gateways that the control plane does not look at."""
        return frozenset(host for server in self.unlimited.servers for host in server.sni_hosts())

    @cached_property
    def entrances(self) -> Entrances:
        """The ways from outside to its gateways."""
        return Entrances(self)

    @cached_property
    def pods(self) -> list[tuple[str, Node]]:
        """The pods that manifests show, with their namespaces: templates of workloads, and pods as such."""
        workloads = (m for group, kind in OF_TEMPLATES for m in self.cluster.of(kind, group))
        return [
            *((m.namespace, m.node["spec"]["template"]) for m in workloads),
            *((m.namespace, m.node) for m in self.cluster.of("Pod", "")),
        ]

    def selected_pods(self, namespace: str, labels: Mapping[str, str]) -> list[tuple[str, Node]]:
        """The pods of a namespace, "" for any, that have some labels, with their namespaces."""
        near = ((own, pod) for own, pod in self.pods if namespace in ("", own))
        return [(own, pod) for own, pod in near if labels.items() <= pod["metadata"]["labels"].named_texts.items()]

    @cached_property
    def workloads(self) -> Pods:
        """What its workloads tell of its Services."""
        return Pods(self.cluster)

    @cached_property
    def sidecarless(self) -> frozenset[str]:
        """The namespaces whose pods get no sidecar for certain."""
        return frozenset(namespace.name for namespace in without_sidecars(self.cluster))

    @cached_property
    def authorization_policies(self) -> tuple[Manifest, ...]:
        """The AuthorizationPolicies that the control plane sees, by name."""
        seen = filter(self.sees, self.cluster.of("AuthorizationPolicy", SECURITY))
        return tuple(sorted(seen, key=lambda m: (m.namespace, m.name)))

    @cached_property
    def _policies(self) -> dict[str, list[Manifest]]:
        return _grouped((policy.namespace, policy) for policy in self.authorization_policies)

    def policies_for(self, namespace: str) -> Iterable[Manifest]:
        """Those that pods of a namespace may have, "" for one that is not known: its own and the root one's (ListAuthorizationPolicies)."""
        near = sorted({namespace, self.root_namespace})
        return [policy for each in near for policy in self._policies.get(each, ())] if namespace else self.authorization_policies

    @cached_property
    def certificates(self) -> dict[tuple[str, str], Certificate]:
        """The Certificates by namespace and Secret, those that name what they are for."""
        found = ((m.namespace, read_certificate(m)) for m in self.cluster.of("Certificate", "cert-manager.io"))
        return {(namespace, certificate.secret): certificate for namespace, certificate in found if certificate.names}

    @cached_property
    def sidecars(self) -> tuple[Sidecar, ...]:
        """The Sidecars, those with a workloadSelector first (push_context.go:initSidecarScopes)."""
        return tuple(sorted((read_sidecar(m) for m in self.admitted("Sidecar")), key=lambda s: not s.selective))

    @cached_property
    def destination_rules(self) -> tuple[DestinationRule, ...]:
        """The DestinationRules, those with a workloadSelector first, then the oldest, and those made of BackendTLSPolicies."""
        rules = [read_rule(m, self.domain) for m in self.admitted("DestinationRule")]
        rules += read_policies(self.gateway_api.tls_policies, self.services)
        return tuple(sorted(rules, key=lambda r: not r.selective))

    @cached_property
    def rules_by_host(self) -> dict[tuple[str, str], list[DestinationRule]]:
        """The DestinationRules by namespace and host."""
        return _grouped(((rule.namespace, rule.host), rule) for rule in self.destination_rules)

    @cached_property
    def rules_in_force(self) -> RulesInForce:
        """Which of the DestinationRules a proxy applies to a service."""
        return RulesInForce(self.destination_rules, self.root_namespace, self._exports("defaultDestinationRuleExportTo"))

    @cached_property
    def _workload_entries(self) -> list[tuple[Manifest, Endpoint]]:
        """The WorkloadEntries, and the endpoints that they are."""
        found = []
        for manifest in filter(self.sees, self.cluster.of("WorkloadEntry")):
            labels = manifest.node["spec"]["labels"].named_texts | manifest.node["metadata"]["labels"].named_texts
            found.append((manifest, read_endpoint(manifest.node["spec"], labels)))
        return found

    def selected_entries(self, service: Service) -> list[tuple[Manifest, Endpoint]]:
        """The WorkloadEntries of its namespace that a service selects."""
        near = (each for each in self._workload_entries if service.selects and each[0].namespace == service.namespace)
        return [(manifest, endpoint) for manifest, endpoint in near if service.selector.items() <= endpoint.labels.items()]

    def has_pods(self, service: Service) -> bool:
        """Whether an entry selects pods of its namespace, which are endpoints like WorkloadEntries (service_entry.proto)."""
        return service.selects and bool(self.selected_pods(service.namespace, service.selector))

    def endpoints(self, service: Service) -> tuple[Endpoint, ...]:
        """A ServiceEntry's endpoints, written in it or selected in its namespace."""
        return tuple(endpoint for _, endpoint in self.selected_entries(service)) if service.selects else service.endpoints


def kept(find: Callable[[Mesh, str], _Found]) -> Callable[[Mesh, str], _Found]:
    """Have what is found for a name of a mesh be found once, and kept as long as the mesh is."""
    known: WeakKeyDictionary[Mesh, dict[str, _Found]] = WeakKeyDictionary()

    def once(mesh: Mesh, name: str) -> _Found:
        found = known.setdefault(mesh, {})
        if name not in found:
            found[name] = find(mesh, name)
        return found[name]

    return once


def _grouped(pairs: Iterable[tuple[Any, Any]]) -> dict[Any, list[Any]]:
    groups: dict[Any, list[Any]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups


def _export_rank(service: VirtualService, namespace: str) -> int:
    """0 private to the namespace, 1 exported to it, 2 public, else _UNSEEN (push_context.go:initVirtualServices)."""
    exports = service.export_to
    if "*" in exports:
        return 2
    if "~" in exports:
        return _UNSEEN
    if namespace == service.namespace:
        return 0 if exports & {".", namespace} else _UNSEEN
    return 1 if namespace in exports or not namespace else _UNSEEN
