"""A sidecar's outbound side: what it imports (model/sidecar.go), and which ports it listens at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import tee

from mirrorlint.delivery.mesh import Mesh
from mirrorlint.delivery.scope import Scope, addressed, exported_first
from mirrorlint.delivery.sidecar_table import SidecarTable
from mirrorlint.delivery.virtual_host import Table
from mirrorlint.fleet import Manifest
from mirrorlint.istio.names import MESH, is_ip, most_specific, overlaps, subset_of, without_port
from mirrorlint.istio.ports import HTTP, SNIFFED, Port, protocol
from mirrorlint.istio.routing import Destination, VirtualService
from mirrorlint.istio.services import ALIAS, NONE, Service
from mirrorlint.istio.sidecar import DEFAULT_EGRESS, Egress, Sidecar

# Where one of these comes first, the listener that a port has for all addresses takes no HTTP (listener.go:isConflictWithWellKnownPort).
_KEEPS_LISTENER = frozenset({"MONGO", "MYSQL"})


class SidecarScope(Scope):
    """The sidecar of a pod in a namespace."""

    def __init__(self, mesh: Mesh, namespace: str, labels: Mapping[str, str]) -> None:
        """Choose the Sidecar resource that counts for the pod."""
        super().__init__(mesh, namespace, labels)
        self.sidecar = self._sidecar()
        egress = self.sidecar.egress if self.sidecar else DEFAULT_EGRESS
        self.listeners = tuple(EgressListener(self, e) for e in egress)
        self._tables: dict[int, Table | None] = {}

    def _sidecar(self) -> Sidecar | None:
        """A selecting one of the namespace, its general one, the root namespace's, none (push_context.go:doGetSidecarScope)."""
        own = (s for s in self.mesh.sidecars if s.manifest.namespace == self.namespace)
        root = (s for s in self.mesh.sidecars if s.manifest.namespace == self.mesh.root_namespace and not s.selective)
        fitting = next((s for s in own if s.selector.items() <= self.labels.items()), None)
        return fitting or next(root, None)

    def listener(self, port: int) -> EgressListener | None:
        """The egress listener for a port: the one that names it, else the one without (GetEgressListenerForRDS)."""
        return next((listener for listener in self.listeners if listener.egress.port in (0, port)), None)

    def imports(self, virtual_service: Manifest) -> bool:
        """Whether some listener imports a VirtualService."""
        return any(each.manifest is virtual_service for listener in self.listeners for each in listener.virtual_services)

    def table(self, port: int) -> Table | None:
        """The virtual hosts for requests to a port; None when nothing listens there for HTTP, so that requests pass through untouched.

        A port is opened by the first listener that captures calls to it, but its virtual hosts are those of the listener that names it.
        A forward proxy's are not followed.
        """
        if port not in self._tables:
            listener = self.listener(port)
            opening = next((each for each in self.listeners if each.egress.port in (0, port) and each.egress.captures), None)
            is_open = opening is not None and opening.takes_http(port)
            self._tables[port] = listener.table(port) if is_open and listener and not listener.is_forward_proxy else None
        return self._tables[port]

    def ports_of(self, host: str) -> list[int]:
        """The ports at which a request's Host has a virtual host, or is the name of a service that has none, as one for TCP."""
        ports = {80, *self.mesh.services_by_port}
        return sorted(port for port in ports if (listener := self.listener(port)) and (self._picks(host, port) or listener.has(host, port)))

    def _picks(self, host: str, port: int) -> bool:
        table = self.table(port)
        return table is not None and table.pick(host) is not None

    def address(self, destination: Destination, port: int, _: VirtualService) -> tuple[str, int]:
        """Host and port of the upstream: a sidecar's look-up knows only services that own the called port, cut down to it."""
        listener = self.listener(port)
        service = listener.owning(port).get(destination.host) if listener else None
        cut = service._replace(ports=tuple(p for p in service.ports if p.number == port)) if service else None
        return addressed(destination, cut, port)

    def services_of(self, host: str) -> Iterator[Service]:
        """What each listener imports, then what its VirtualServices send to (sidecar.go:collectImportedServices)."""
        for listener in self.listeners:
            yield from listener.imported(host)
            yield from listener.pulled_in(host)

    def default_owner(self, host: str) -> Service | None:
        """The service for a destination host: the own namespace's, else a visible one, Kubernetes' first (pickBestVisibleNamespace)."""
        own = self.mesh.owner(host, self.namespace)
        if own is not None:
            return own
        namespaces = dict.fromkeys(s.namespace for s in self.mesh.services_by_host.get(host, ()))
        owners = (self.mesh.owner(host, namespace) for namespace in namespaces)
        return min((s for s in owners if s and self.sees(s)), key=lambda s: not s.kubernetes, default=None)


class EgressListener:
    """One egress listener of a sidecar."""

    def __init__(self, scope: SidecarScope, egress: Egress) -> None:
        """`egress` says what is imported."""
        self.scope, self.egress = scope, egress
        self.is_forward_proxy = egress.protocol == "HTTP_PROXY"
        self._matches_port = egress.port > 0 and not self.is_forward_proxy
        self._imports_all = egress in DEFAULT_EGRESS
        self._hosts: dict[str, list[str]] = {}
        self._excluded: dict[str, list[str]] = {}
        for owner, host in egress.hosts:
            kept = self._excluded if owner.startswith("~") else self._hosts
            name = (owner.removeprefix("~") or "*") if owner.startswith("~") else owner
            kept.setdefault(scope.namespace if name == "." else name, []).append(host)
        self._owning: dict[int, dict[str, Service]] = {}

    def _excludes(self, owner: str, host: str) -> bool:
        return any(subset_of(host, other) for key in (owner, "*") for other in self._excluded.get(key, ()))

    def names(self, service: Service) -> bool:
        """Whether `hosts` name the service (hostClassification.Matches)."""
        named = any(subset_of(service.host, host) for key in (service.namespace, "*") for host in self._hosts.get(key, ()))
        return named and not self._excludes(service.namespace, service.host)

    def _at_port(self, service: Service) -> Service | None:
        """The service cut down to the listener's own port (serviceMatchingListenerPort)."""
        if not self._matches_port:
            return service
        ports = tuple(port for port in service.ports if port.number == self.egress.port)
        return service._replace(ports=ports) if ports else None

    def imported(self, host: str) -> list[Service]:
        """The services for a host that the listener imports, of one namespace only (selectServices)."""
        candidates = self.scope.mesh.services_by_host.get(host, [])
        if self._imports_all and host in self.scope.mesh.common_hosts:
            return candidates
        seen = exported_first(s for s in candidates if self.scope.sees(s) and self.names(s))
        cut = [service for service in map(self._at_port, seen) if service is not None]
        if len({service.namespace for service in cut}) > 1:
            chosen = self._chosen_namespace(cut)
            return [service for service in cut if service.namespace == chosen]
        return cut

    def _imports(self, service: Service) -> bool:
        return any(each.manifest is service.manifest for each in self.imported(service.host))

    def _chosen_namespace(self, services: list[Service]) -> str:
        """The proxy's own namespace, else that of a Kubernetes Service, else the first."""
        chosen, kubernetes = services[0].namespace, services[0].kubernetes
        for service in services[1:]:
            own = service.namespace == self.scope.namespace
            if own or (service.kubernetes and not kubernetes and chosen != self.scope.namespace):
                chosen, kubernetes = service.namespace, service.kubernetes
        return chosen

    @cached_property
    def virtual_services(self) -> tuple[VirtualService, ...]:
        """The VirtualServices that it imports (virtualservice.go:SelectVirtualServices)."""
        return tuple(service for service in self.scope.mesh.bound_to(MESH, self.scope.namespace) if self._selects(service))

    @cached_property
    def by_host(self) -> dict[str, VirtualService]:
        """For each host the first of them that has it (sidecar.go:computeWildcardHostVirtualServiceIndex)."""
        return {host.name: service for service in reversed(self.virtual_services) for host in service.hosts}

    def first_for(self, host: str) -> VirtualService | None:
        """The one for a service whose host is spelled like this, of all that have it or a wildcard that covers it."""
        return most_specific(host, self.by_host) if self.imported(host) else None

    def _selects(self, service: VirtualService) -> bool:
        wanted = [host for key in (service.namespace, "*") for host in self._hosts.get(key, ())]
        fits = subset_of if service.gateway_semantics else overlaps
        return any(any(fits(h.name, w) for w in wanted) and not self._excludes(service.namespace, h.name) for h in service.hosts)

    @cached_property
    def _destinations(self) -> dict[str, list[frozenset[int]]]:
        """For each destination host the port numbers that each VirtualService names, 0 for none (virtualServiceDestinations)."""
        found: dict[str, list[frozenset[int]]] = {}
        for service in self.virtual_services:
            ports: dict[str, set[int]] = {}
            for destination in _destinations_for(service, self.scope.namespace):
                ports.setdefault(destination.host, set()).add(destination.port)
            for host, numbers in ports.items():
                found.setdefault(host, []).append(frozenset(numbers))
        return found

    def pulled_in(self, host: str) -> Iterator[Service]:
        """The service behind a host that imported VirtualServices send to, cut down to the ports that they name."""
        for numbers in self._destinations.get(host, ()):
            owner = self.scope.default_owner(host)
            service = self._at_port(owner) if owner else None
            if service is None:
                continue
            if self._matches_port or 0 in numbers:
                yield service
                continue
            ports = tuple(port for port in service.ports if port.number in numbers)
            if ports:
                yield service._replace(ports=ports)

    def owning(self, port: int) -> dict[str, Service]:
        """The imported services that own a port, under their host in lower case."""
        if port not in self._owning:
            hosts = dict.fromkeys(s.host for s in self.scope.mesh.services_by_port.get(port, ()))
            own = ((s.host.lower(), s) for host in hosts for s in self.imported(host) if s.port(port))
            self._owning[port] = dict(own)
        return self._owning[port]

    def domains_of(self, service: Service) -> Iterator[str]:
        """The domains of a service's virtual host (httproute.go:generateVirtualHostDomains)."""
        mesh = self.scope.mesh
        aliases = (alias.host for alias in mesh.aliases.get(service.host, ()) if self.names(alias))
        hosts = [service.host.lower(), *aliases]
        names = [name for host in hosts for name in host_forms(host, self.scope.namespace, mesh.domain)]
        yield from names
        if service.resolution == NONE and service.kubernetes:
            yield from (f"*.{name}" for name in names)
        yield from (f"[{ip}]" if ":" in ip else ip for ip in service.addresses)

    def has(self, host: str, port: int) -> bool:
        """Whether a request's Host is the name of a service that owns a port."""
        name = without_port(host).lower()
        return any(subset_of(name, domain) for service in self.owning(port).values() for domain in self.domains_of(service))

    def table(self, port: int) -> Table:
        """The virtual hosts for a port (httproute.go:BuildSidecarOutboundVirtualHosts)."""
        return SidecarTable(self, port, self.owning(port))

    def takes_http(self, port: int) -> bool:
        """Whether it listens at a port for HTTP.

        A listener that names its port has the protocol that it says, and a Service that stands for another one has none of its own
        (listener.go:buildSidecarOutboundListeners).
        """
        if self.egress.port and protocol(self.egress.protocol) not in (*HTTP, SNIFFED):
            return False
        ports, again = tee(self._imported_ports(port))
        shared = (p.protocol for s, p in ports if p.protocol in HTTP or _is_for_all_addresses(s))
        if not self.egress.port and next(shared, "") in _KEEPS_LISTENER:
            return False
        return any(p.routes_http for s, p in again if s.resolution != ALIAS)

    def _imported_ports(self, number: int) -> Iterator[tuple[Service, Port]]:
        """The ports of a number that services have which are imported, one by one: mostly the first will do."""
        every = exported_first(self.scope.mesh.services_by_port.get(number, ()))
        return ((s, p) for s in every if self._imports(s) for p in s.ports if p.number == number and p.protocol != "UDP")


def _is_for_all_addresses(service: Service) -> bool:
    """Whether ports that don't declare HTTP have no listener for an address of their own (listener.go:buildSidecarOutboundListener)."""
    own = service.addresses or service.kubernetes or (service.resolution == NONE and (service.endpoints or service.selects))
    return not own


def _destinations_for(service: VirtualService, namespace: str) -> Iterator[Destination]:
    """Where a VirtualService's rules for a namespace send requests and shadows (virtualServiceDestinationsFilteredBySourceNamespace)."""
    for rule in service.rules:
        sources = [match.source_namespace for match in rule.matches if match.source_namespace]
        if not sources or namespace in sources:
            yield from (backend.destination for backend in rule.backends)
            yield from (mirror.destination for mirror in rule.mirrors)


def host_forms(host: str, namespace: str, domain: str) -> list[str]:
    """The names by which a caller in a namespace may call a service: its own, with a final dot, and what Kubernetes' search list allows."""
    names = [host] if is_ip(host) else [host, f"{host}."]
    bare = host.removesuffix(f".svc.{domain}")
    name, _, owner = bare.partition(".")
    if bare != host and owner:
        names += [name] if owner == namespace else []
        names += [f"{bare}.svc", bare]
    return names
