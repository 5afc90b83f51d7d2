"""A sidecar's virtual hosts for a port (core/httproute.go)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from mirrorlint.delivery.match import bound_routes
from mirrorlint.delivery.virtual_host import Table, VirtualHost
from mirrorlint.istio.names import MESH, is_wild, overlaps, subset_of, without_port
from mirrorlint.istio.ports import HTTP
from mirrorlint.istio.routing import VirtualService
from mirrorlint.istio.services import ALIAS, Service

if TYPE_CHECKING:
    from mirrorlint.delivery.sidecar import EgressListener

_MESH_ONLY = frozenset({MESH})


class SidecarTable(Table):
    """A sidecar's virtual hosts: those of VirtualServices are laid out, plain services' are only looked up, since they mirror nothing."""

    def __init__(self, listener: EgressListener, port: int, owning: Mapping[str, Service]) -> None:
        """`owning` are the services that the listener has for the port, by their hosts."""
        self._scope, self._owning = listener.scope, owning
        self._port = port
        self._shared = any(p.protocol in HTTP for service in owning.values() for p in service.ports if p.number == port)
        self._full_hosts = {name for name, s in owning.items() if not s.kubernetes and s.resolution != ALIAS and self._serves(s)}
        super().__init__(self._domains(listener))

    def _domains(self, listener: EgressListener) -> Iterator[tuple[str, VirtualHost]]:
        named: set[str] = set()
        for service in listener.virtual_services:
            if self._port != 80 and not any(self._matching(host.name) for host in service.hosts):
                continue
            routes = bound_routes(self._scope.mesh.routes[service], self._port, _MESH_ONLY, self._scope.namespace, self._scope.labels)
            if not routes:
                continue
            for host, owner in self._hosts(service, listener):
                if host.domain not in named:
                    named.add(host.domain)
                    vhost = host._replace(routes=routes)
                    yield from ((domain, vhost) for domain in (self._free_domains(listener, owner) if owner else (host.domain,)))

    def _free_domains(self, listener: EgressListener, service: Service) -> Iterator[str]:
        """The domains of a service's virtual host but for short forms that are another service's host (httproute.go:dedupeDomains)."""
        taken = self._full_hosts - {service.host.lower()}
        return (domain for domain in listener.domains_of(service) if domain not in taken)

    def _matching(self, host: str) -> list[Service]:
        """The services that own the port and that a VirtualService's host covers."""
        name = host.lower()
        if not is_wild(name):
            exact = self._owning.get(name)
            return [exact] if exact else []
        return [service for key, service in self._owning.items() if overlaps(name, key)]

    def _hosts(self, service: VirtualService, listener: EgressListener) -> Iterator[tuple[VirtualHost, Service | None]]:
        """A VirtualService's hosts without a service, then the services that are its own (route.go:separateVSHostsAndServices).

        A route of the Gateway API counts for services of its own namespace, or of any for callers there, and for no wildcard.
        """
        plain, owned = [], []
        for host in service.hosts:
            found = self._matching(host.name)
            if service.gateway_semantics:
                here = self._scope.namespace == service.namespace
                found = [s for s in found if not is_wild(host.name) and (here or s.namespace == service.namespace)]
                if not found:
                    continue
            vhost = VirtualHost(host.name.lower(), (), (service,), False, host.node)
            if not found:
                plain.append((vhost, None))
            mine = [s for s in found if not is_wild(host.name) or listener.first_for(s.host.lower()) is service]
            owned += [(vhost._replace(domain=s.host.lower()), s) for s in mine if self._serves(s)]
        if owned or self._port == 80:
            yield from plain if self._shared else ()  # a port that is sniffed has routes for each service alone
            yield from owned

    def _serves(self, service: Service) -> bool:
        return any(port.routes_http for port in service.ports if port.number == self._port)

    def pick(self, host: str) -> VirtualHost | None:
        """The virtual host for a request's Host; a plain service's name stands before wildcards."""
        found = super().pick(host)
        if found is not None and is_wild(found.domain) and self._plain(without_port(host).lower(), found.domain):
            return None
        return found

    def _plain(self, name: str, wildcard: str) -> bool:
        if any(key[0] == "*" and len(key) > len(wildcard) and subset_of(name, key) for key in self._owning):
            return True
        mesh, name = self._scope.mesh, name.removesuffix(".")
        forms = (name, f"{name}.{mesh.domain}", f"{name}.svc.{mesh.domain}", f"{name}.{self._scope.namespace}.svc.{mesh.domain}")
        return any(form in self._owning and self._serves(self._owning[form]) for form in forms)
