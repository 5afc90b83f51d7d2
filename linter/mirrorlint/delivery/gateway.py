"""An ingress gateway: its listeners after Istio merged all servers, and their virtual hosts (model/gateway.go, core/gateway.go)."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from mirrorlint.delivery.addresses import Balancer
from mirrorlint.delivery.front import Front
from mirrorlint.delivery.match import Route, bound_routes, foreign, routes_of
from mirrorlint.delivery.mesh import Mesh
from mirrorlint.delivery.scope import Scope, addressed
from mirrorlint.delivery.upstream import MUTUAL, PLAINTEXT, TLS
from mirrorlint.delivery.virtual_host import Table, VirtualHost
from mirrorlint.fleet import UNKNOWN_INGRESS, Ingress
from mirrorlint.istio.gateway import ACROSS, PASSTHROUGH, Gateway, Server
from mirrorlint.istio.matches import Match
from mirrorlint.istio.names import subset_of
from mirrorlint.istio.ports import HTTP
from mirrorlint.istio.routing import Destination, VirtualService
from mirrorlint.istio.services import Service

_ANY_ADDRESS = (("", "0.0.0.0"), ("::",))  # noqa: S104 (a Gateway's `bind`, nothing is bound here)


class Chain:
    """A filter chain of a listener: its servers, its SNI names (none: any), the TLS that it asks for, and whether it reads HTTP."""

    __slots__ = ("http", "names", "servers", "tls")

    def __init__(self, servers: tuple[Server, ...], names: tuple[str, ...], tls: str, http: bool) -> None:
        """`tls` is a constant of the module `upstream`."""
        self.servers, self.names, self.tls, self.http = servers, names, tls, http

    @property
    def scheme(self) -> str:
        """The scheme of requests, which Envoy takes from the connection (conn_manager_utility.cc:mutateRequestHeaders)."""
        return "http" if self.tls == PLAINTEXT else "https"


class GatewayScope(Scope):
    """A gateway's pods: everything that Gateways with a fitting selector configure."""

    is_gateway = True

    def __init__(self, mesh: Mesh, namespace: str, labels: Mapping[str, str], ingress: Ingress = UNKNOWN_INGRESS) -> None:
        """`ingress` holds what is known of the pods' ports."""
        super().__init__(mesh, namespace, labels)
        self.front = Front(mesh, namespace, labels, ingress)
        self.gateways = self._configuring()
        self._tables: dict[Chain, Table] = {}

    def _configuring(self) -> tuple[Gateway, ...]:
        """The Gateways that configure the pods; pods that Istio deploys take none of other namespaces (filterStrictGatewayMerging)."""
        found = [gateway for gateway in self.mesh.gateways if self.front.selected(gateway)]
        managed = {gateway.manifest.namespace for gateway in found if gateway.services and gateway.selector}
        return tuple(g for g in found if g.services or not managed or g.manifest.namespace in managed)

    def container_ports(self, host: str, port: int) -> tuple[int, ...]:
        """The container ports that an address of the ingress may lead to, the most likely first."""
        return self.front.container_ports(port, self.mesh.entrances.service(host))

    def balancer(self, host: str, port: int) -> Balancer | None:
        """The load balancer that ends TLS at a host and port of the ingress; None where nothing says that one does."""
        return self.front.balancer(port, self.mesh.entrances.service(host))

    def ingress(self, host: str, port: int) -> Balancer | None:
        """The Kubernetes Ingress that may lead to the pods; controllers listen on the ports of HTTP and HTTPS, whatever is behind them."""
        return self.mesh.entrances.ingress(host) if port in (80, 443) else None

    def behind(self, ingress: Balancer) -> int:
        """The container port at which a listener takes what an Ingress lets through; 0 for none."""
        service = self.mesh.owner(ingress.service, ingress.manifest.namespace)
        return next((number for number in self.front.container_ports(ingress.port, service) if number in self.listeners), 0)

    def address(self, destination: Destination, port: int, service: VirtualService) -> tuple[str, int]:
        """Host and port of the upstream; the look-up finds whole services, those of the VirtualService's namespace first."""
        return addressed(destination, self.looked_up(destination.host, service), port)

    def looked_up(self, host: str, service: VirtualService) -> Service | None:
        """What the look-up of a VirtualService's destinations finds (gateway.go:buildNameToServiceMapForHTTPRoutes)."""
        own = self.mesh.owner(host, service.namespace)
        return own if own and self.sees(own) else self.service(host)

    def listening(self, host: str, port: int) -> int:
        """The container port at which a listener takes what comes to a host and port of the ingress; 0 for none."""
        return next((number for number in self.container_ports(host, port) if number in self.listeners), 0)

    @cached_property
    def listeners(self) -> Mapping[int, tuple[Chain, ...]]:
        """The filter chains by container port."""
        ports: dict[int, _Port] = {}
        for server in (server for gateway in self.gateways for server in gateway.servers):
            for number in self.front.listening(server):
                ports.setdefault(number, _Port()).add(server)
        chains = ((number, self._on_any_address(port)) for number, port in ports.items())
        return {number: found for number, found in chains if found}

    def _on_any_address(self, port: _Port) -> tuple[Chain, ...]:
        """The filter chains of the listener on any address, which all share whose `bind` means that (gateway.go:buildGatewayListeners)."""
        found = (tuple(c for servers in port.on(any_) for c in self._chains(servers)) for any_ in _ANY_ADDRESS)
        return next(filter(None, found), ())

    def _chains(self, servers: Sequence[Server]) -> Iterator[Chain]:
        """The filter chains of servers that merge; those without HTTP have one where routes are for them."""
        if servers[0].plain_http:
            yield Chain(tuple(servers), (), PLAINTEXT, True)
            return
        for server in servers:
            names = server.sni_hosts() if server.tls else ()
            names = () if "*" in names else names
            tls = PLAINTEXT if not server.tls else MUTUAL if server.mode == "ISTIO_MUTUAL" else TLS
            if server.terminates:
                yield Chain((server,), names, tls, True)
            elif server.mode in PASSTHROUGH:
                yield from (Chain((server,), each, PLAINTEXT, False) for each in self._passed(server))
            elif server.gateway.name in self.mesh.gateway_api.passing or _routed(self._bound(server), server):
                yield Chain((server,), names, tls, False)

    def _passed(self, server: Server) -> list[tuple[str, ...]]:
        """The SNI names of each filter chain that passes TLS on: of all services behind AUTO_PASSTHROUGH, else of a `tls` route's name."""
        if server.mode == ACROSS:
            names = self._across(server)
            return [names] if names else []
        routes = (rule for service in self._bound(server) for rule in service.manifest.node["spec"]["tls"])
        sni = [name for rule in routes for match in rule["match"] for name in match["sniHosts"].texts]
        sni += self.mesh.gateway_api.passing.get(server.gateway.name, ())
        return [() if name == "*" else (name,) for name in dict.fromkeys(sni)]

    @cached_property
    def http_servers(self) -> Mapping[str, Sequence[tuple[int, int, Server]]]:
        """The servers whose listeners read HTTP by their Gateways' names, each with its place among all of them and the listener's port."""
        chains = ((port, chain) for port, chains in self.listeners.items() for chain in chains if chain.http)
        found: dict[str, list[tuple[int, int, Server]]] = {}
        for place, (port, server) in enumerate((port, server) for port, chain in chains for server in chain.servers):
            found.setdefault(server.gateway.name, []).append((place, port, server))
        return found

    def _bound(self, server: Server) -> list[VirtualService]:
        """The VirtualServices bound to a server's Gateway with a host that the server has."""
        return [service for service in self.mesh.bound_to(server.gateway.name, self.namespace) if server.shared(service)]

    def _across(self, server: Server) -> tuple[str, ...]:
        """The SNIs by which other clusters reach services and their subsets through a server (as `reached_across`)."""
        found: list[str] = []
        for service in self.reached_across(server):
            rule = self.rule_for(service)
            ports = [port.number for port in service.ports if port.protocol != "UDP"]
            found += (f"outbound_.{port}_.{subset}_.{service.host}" for port in ports for subset in ("", *(rule.subsets if rule else ())))
        return tuple(sni.lower() for sni in found)

    def reached_across(self, server: Server) -> list[Service]:
        """The services of the mesh that a server of AUTO_PASSTHROUGH is for (core/gateway.go:builtAutoPassthroughFilterChains)."""
        names = server.sni_hosts()
        own = (service for service in self.mesh.services if not service.external and self.sees(service))
        return [service for service in own if any(subset_of(service.host.lower(), name) for name in names)]

    def table(self, chain: Chain) -> Table:
        """The virtual hosts behind a chain; empty when no VirtualService is bound: every request is then answered 404."""
        if chain not in self._tables:
            self._tables[chain] = Table(self._virtual_hosts(chain.servers))
        return self._tables[chain]

    def _virtual_hosts(self, servers: Iterable[Server]) -> Iterator[tuple[str, VirtualHost]]:
        """One virtual host a domain: VirtualServices for the same domain are merged (core/gateway.go:buildGatewayHTTPRouteConfig)."""
        merged: dict[str, VirtualHost] = {}
        routes: dict[tuple[str, VirtualService], tuple[Route, ...]] = {}
        for server in servers:
            for service in self._bound(server):
                key = (server.gateway.name, service)
                if key not in routes:
                    routes[key] = self._routes(server, service)
                for host in server.shared(service) if routes[key] else ():
                    _add(merged, host.lower(), server, service, routes[key])
            if server.redirects:
                for host in server.hosts:
                    found = merged.get(host.lower()) or VirtualHost(host.lower(), (), (), True, server.host_node, server.number)
                    merged[host.lower()] = found._replace(requires_tls=True)
        for domain, vhost in merged.items():
            yield domain, vhost._replace(routes=tuple(sorted(vhost.routes, key=lambda route: route.catch_all)))

    def virtual_host(self, domain: str, server: Server, service: VirtualService) -> VirtualHost:
        """The virtual host that a VirtualService gives a server for a domain, where no other has the same."""
        routes = sorted(self._routes(server, service), key=lambda route: route.catch_all)
        return VirtualHost(domain, tuple(routes), (service,), server.redirects, service.hosts[0].node, server.number)

    def _routes(self, server: Server, service: VirtualService) -> tuple[Route, ...]:
        routes = self.mesh.routes.get(service) or routes_of(service)
        return bound_routes(routes, server.number, frozenset({server.gateway.name}), self.namespace, self.labels)

    def foreign(self, server: Server, match: Match) -> tuple[str, ...]:
        """The fields by which a block is not for a server of these pods."""
        return tuple(foreign(match, server.number, frozenset({server.gateway.name}), self.namespace, self.labels))


def _add(merged: dict[str, VirtualHost], domain: str, server: Server, service: VirtualService, routes: tuple[Route, ...]) -> None:
    known = merged.get(domain)
    if known is None:
        node = next((host.node for host in service.hosts if subset_of(domain, host.name.lower())), service.hosts[0].node)
        known = VirtualHost(domain, (), (), False, node, server.number)
    merged[domain] = known._replace(
        routes=known.routes + routes, services=(*known.services, service), requires_tls=known.requires_tls or server.redirects
    )


def pick_chain(chains: Iterable[Chain], sni: str) -> list[Chain]:
    """The filter chains that take an SNI: those with the closest name, else those without names; more than one is a conflict."""
    ranked = [(max((_closeness(sni, name) for name in chain.names), default=0), chain) for chain in chains]
    best = max((rank for rank, _ in ranked), default=0)
    if best:
        return [chain for rank, chain in ranked if rank == best]
    return [chain for _, chain in ranked if not chain.names]


def _closeness(sni: str, name: str) -> float:
    if sni == name:
        return float("inf")
    return len(name) if subset_of(sni, name) else 0


class _Port:
    """The servers that share a container port by their protocol and `bind`; those that Istio skips are left out.

    model/gateway.go:mergeGateways.
    """

    def __init__(self) -> None:
        self._merged: dict[tuple[str, str], list[Server]] = {}
        self._plain: tuple[str, str] | None = None
        self._names: dict[str, str] = {}

    def add(self, server: Server) -> None:
        """HTTP servers of one bind merge, and plain text shuts out what comes later; a bind's name is given to one server with `tls`."""
        key = (server.protocol, server.bind)
        if server.tls:
            if any(self._names.get(host) == server.bind for host in server.hosts):
                return
            self._names.update(dict.fromkeys(server.hosts, server.bind))
        if self._plain and self._plain[1] == server.bind:
            if not (server.plain_http and self._plain[0] in HTTP):
                return
            key = self._plain
        elif server.plain_http or not server.tls:
            self._plain = key
        self._merged.setdefault(key, []).append(server)

    def on(self, addresses: Container[str]) -> list[list[Server]]:
        """The servers that merge, group by group, of those groups whose `bind` is one of some addresses."""
        return [servers for (_, bind), servers in self._merged.items() if bind in addresses]


def _routed(services: Iterable[VirtualService], server: Server) -> bool:
    """Whether some `tcp` route is for the server."""
    rules = (rule for service in services for rule in service.manifest.node["spec"]["tcp"] if rule["route"])
    return any(not len(rule["match"]) or any(m["port"].number in (0, server.number) for m in rule["match"]) for rule in rules)
