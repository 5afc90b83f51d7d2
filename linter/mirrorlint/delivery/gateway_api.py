"""A cluster's Gateway API as Istio's controller sees it: listeners, the Services of managed Gateways, routes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property

from mirrorlint.delivery.age import Age
from mirrorlint.fleet import Cluster, Manifest
from mirrorlint.istio.backends import Registry
from mirrorlint.istio.gateway_routes import Reader
from mirrorlint.istio.listeners import Listener, Surroundings, is_istios, is_managed, managed_service, read_listeners
from mirrorlint.istio.parents import Attachment, Parents, attach, hostnames, is_of_a_set
from mirrorlint.istio.references import Grants
from mirrorlint.istio.services import Service
from mirrorlint.kinds import BACKEND_TLS_POLICY, GATEWAY_API

Place = tuple[str, str]  # namespace and name
_ROUTES, _PASSING = ("HTTPRoute", "GRPCRoute"), ("TLSRoute", "TCPRoute")


class GatewayApi:
    """The objects of the Gateway API in a cluster; everything is read when it is first asked for."""

    def __init__(self, cluster: Cluster, age: Age, sees: Callable[[Manifest], bool]) -> None:
        """`age` decides between objects that claim the same; `sees` tells which the control plane has."""
        self._cluster, self._age, self._sees = cluster, age, sees
        self._domain = cluster.settings.domain

    def _of(self, *kinds: str) -> list[Manifest]:
        return [manifest for kind in kinds for manifest in self._cluster.of(kind, GATEWAY_API) if self._sees(manifest)]

    @cached_property
    def gateways(self) -> list[Manifest]:
        """The Gateways that Istio's controller programs."""
        return [manifest for manifest in self._of("Gateway") if is_istios(manifest, self._of("GatewayClass"))]

    @cached_property
    def foreign(self) -> list[Manifest]:
        """The Gateways of other controllers, or of classes that nothing tells about."""
        return [manifest for manifest in self._of("Gateway") if manifest not in self.gateways]

    @cached_property
    def managed_services(self) -> list[Service]:
        """The Services that Istio deploys for Gateways."""
        return [managed_service(manifest, self._domain) for manifest in self.gateways if is_managed(manifest)]

    @cached_property
    def _grants(self) -> Grants:
        return Grants(self._of("ReferenceGrant"))

    @cached_property
    def _around(self) -> Surroundings:
        namespaces = {m.name: m.node["metadata"]["labels"].named_texts for m in self._cluster.of("Namespace", "")}
        others = {m.namespace for m in (*self._of(*_ROUTES, *_PASSING), *self._cluster.of("VirtualService"))}
        secrets = {(m.namespace, m.name): m for m in self._cluster.of("Secret", "")}
        return Surroundings(self._domain, namespaces, frozenset(others - namespaces.keys()), self._grants, secrets)

    @cached_property
    def listeners(self) -> dict[Place, list[Listener]]:
        """The listeners of each of Istio's Gateways."""
        return {(manifest.namespace, manifest.name): list(read_listeners(manifest, self._around)) for manifest in self.gateways}

    @property
    def routes(self) -> list[Manifest]:
        """The HTTPRoutes and GRPCRoutes, the oldest first; `~` follows the names by which Istio compares (route_collections.go)."""
        return sorted(self._of(*_ROUTES), key=lambda m: self._age(m, m.namespace, f"{m.name}~"))

    @cached_property
    def names_of_sets(self) -> tuple[str, ...]:
        """The hostnames of routes at listeners outside of Gateways, which are not followed."""
        return tuple(host.name.lower() for route in self._of(*_ROUTES) if is_of_a_set(route) for host in hostnames(route))

    @property
    def tls_policies(self) -> list[Manifest]:
        """The BackendTLSPolicies, the oldest first."""
        return sorted(self._of(BACKEND_TLS_POLICY), key=lambda m: self._age(m, m.namespace, m.name))

    @cached_property
    def passing(self) -> Mapping[str, list[str]]:
        """The SNIs for which TLSRoutes and TCPRoutes pass connections on, by the gateways of the listeners that they attach to."""
        parents = Parents(self._domain, self.listeners, (), (), {})
        attached = (one for route in self._of(*_PASSING) for one in attach(route, parents) if isinstance(one, Attachment))
        found: dict[str, list[str]] = {}
        for one in attached:
            found.setdefault(one.gateway, []).extend(host.name for host in one.hosts)
        return found

    def reader(self, services: Sequence[Service], entries: Iterable[Manifest], export_to: frozenset[str]) -> Reader:
        """What makes VirtualServices of routes; `services` are all of the registry, `entries` the ServiceEntries."""
        kubernetes = {(s.namespace, s.host.partition(".")[0]) for s in services if s.kubernetes}
        by_place = {(m.namespace, m.name): m for m in entries}
        foreign = {(m.namespace, m.name) for m in self.foreign}
        parents = Parents(self._domain, self.listeners, foreign, kubernetes, by_place)
        return Reader(parents, Registry(self._domain, kubernetes, {(s.namespace, s.host) for s in services}, self._grants), export_to)
