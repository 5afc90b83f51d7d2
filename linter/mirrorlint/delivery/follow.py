"""The delivery: one call is followed through the source's proxy and the target's gateway to the end of each of its shadows.

The call finds a route, the route's mirrors name upstreams, an upstream has endpoints, an endpoint is a cluster's ingress, a listener's
filter chain takes the connection, a virtual host takes the Host, a route takes the request, a destination exists. A gateway of the source
itself that a mirror leads to sends the shadow on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mirrorlint.delivery import reason
from mirrorlint.delivery.age import Age, as_written
from mirrorlint.delivery.arrival import arrivals, entered, exists
from mirrorlint.delivery.gateway import GatewayScope, pick_chain
from mirrorlint.delivery.ingress import Landing, ingress_scopes, inner_scopes, landing
from mirrorlint.delivery.match import Request, Route, first_match
from mirrorlint.delivery.mesh import Mesh
from mirrorlint.delivery.sidecar import SidecarScope
from mirrorlint.delivery.upstream import Address, Upstream
from mirrorlint.delivery.virtual_host import VirtualHost
from mirrorlint.delivery.way import LOST, AnyScope, Call, End, Taken, Way, reached
from mirrorlint.delivery.worlds import UNSUFFIXED, shadow_host
from mirrorlint.fleet import Cluster, Manifest
from mirrorlint.istio.names import without_port
from mirrorlint.istio.routing import NO_HEADERS, Mirror
from mirrorlint.istio.services import Service
from mirrorlint.source import Node


class Delivery:
    """All clusters of a fleet, ready to follow calls; what depends on a proxy alone is built once and kept."""

    def __init__(
        self, clusters: Mapping[str, Cluster], age: Age = as_written, let_in: frozenset[Manifest] = frozenset(), istio: str = ""
    ) -> None:
        """Nothing is read before it is needed; `age`, `let_in` and `istio` are the meshes'."""
        self.meshes = {name: Mesh(cluster, age, let_in, istio) for name, cluster in clusters.items()}
        self._age, self._istio = age, istio
        self._scopes: dict[tuple[str, bool, str, frozenset[tuple[str, str]]], AnyScope] = {}
        self._ingresses: dict[tuple[str, str], tuple[GatewayScope, ...]] = {}
        self._inner: dict[tuple[str, str], tuple[GatewayScope, ...]] = {}
        self._landings: dict[tuple[str, str, str], Landing] = {}

    def of(self, clusters: Mapping[str, Cluster], age: Age | None = None, let_in: frozenset[Manifest] = frozenset()) -> Delivery:
        """A delivery of changed clusters, of another order of age, or with objects let in that Istio refuses; the version stays."""
        return Delivery(clusters, age or self._age, let_in, self._istio)

    def beside(self, sender: Cluster) -> Delivery:
        """A delivery with one more cluster, which has no ingress; what is known of the others is shared."""
        found = Delivery({sender.name: sender})
        found.meshes |= self.meshes
        found._ingresses = self._ingresses
        return found

    def scope(self, call: Call) -> AnyScope:
        """The view of the proxy that handles a call; KeyError for an unknown cluster."""
        key = (call.cluster, call.gateway, call.namespace, frozenset(call.labels.items()))
        found = self._scopes.get(key)
        if found is None:
            mesh = self.meshes[call.cluster]
            if call.gateway:
                found = GatewayScope(mesh, call.namespace, call.labels, mesh.cluster.settings.ingress)
            else:
                found = SidecarScope(mesh, call.namespace, call.labels)
            self._scopes[key] = found
        return found

    def _landing(self, source: str, address: str, host: str) -> Landing:
        key = (source, address, host)
        if key not in self._landings:
            self._landings[key] = landing(self.meshes, *key)
        return self._landings[key]

    def ingress(self, cluster: str, address: str = "") -> tuple[GatewayScope, ...]:
        """The gateway pods that a cluster's ingress may be, those behind an address when that is known; at least one."""
        key = (cluster, address if self.meshes[cluster].entrances.service(address) else "")
        if key not in self._ingresses:
            self._ingresses[key] = ingress_scopes(self.meshes[cluster], address)
        return self._ingresses[key]

    def _inner_scopes(self, cluster: str, service: Service) -> tuple[GatewayScope, ...]:
        key = (cluster, service.host)
        if key not in self._inner:
            self._inner[key] = inner_scopes(self.meshes[cluster], service)
        return self._inner[key]

    def follow(self, call: Call, world: str) -> tuple[Way, ...]:
        """The ways of a call's shadows, one for each mirror policy of the route that takes the call."""
        taken = self.taken(call)
        if taken is None or taken.route.rule.action != "route":
            return ()
        return tuple(self._way(call, taken, mirror, world) for mirror in taken.route.rule.mirrors)

    def taken(self, call: Call) -> Taken | None:
        """What takes a call at its own proxy; None when nothing does, or when it is redirected to HTTPS before."""
        scope = self.scope(call)
        called, scheme = _called(scope, call)
        if called is None or not called.routes or called.requires_tls:
            return None
        request = Request(call.host, call.path, call.method, {name.lower(): value for name, value in call.headers.items()}, scheme)
        route = first_match(called.routes, request)
        return Taken(scope, called, route, request) if route else None

    def _way(self, call: Call, taken: Taken, mirror: Mirror, world: str) -> Way:
        scope, called, route, request = taken
        port = called.port or call.port
        host, number = scope.address(mirror.destination, port, route.service)
        upstream = scope.upstream(host, number, mirror.destination.subset)
        sent = [_sent(route, request, authority, world) for authority, _ in authorities(route)]
        ends = tuple(end for shadow in sent for end in self._ends(call, scope, route, port, upstream, shadow))
        return self._sent_on(Way(call, scope, called, route, mirror, (host, number), sent[0].host, sent[0], upstream, ends))

    def _sent_on(self, way: Way) -> Way:
        """The way of a shadow that comes to a gateway of its own cluster, on from there if that has one destination for it."""
        upstream, shadow = way.upstream, way.request
        if upstream is None or way.reason != reason.STAYS or len(way.ends) > 1:
            return way
        cluster, service = way.call.cluster, upstream.service
        address = Address(service.host, upstream.port.number, service.node)
        found = (entered(scope, address, upstream, shadow) for scope in self._inner_scopes(cluster, service))
        end = max(found, key=_hops, default=way.ends[0])._replace(cluster=cluster)
        if end.outcome == LOST:
            return way._replace(ends=(end,))
        if end.reason != reason.ARRIVES or len(reached(end.route).rule.used) > 1:
            return way
        scope, route, port = reached(end.scope), reached(end.route), reached(end.host).port
        (destination,) = (backend.destination for backend in route.rule.used)
        target = scope.address(destination, port, route.service)
        upstream = scope.upstream(*target, destination.subset)
        shadow = _sent(route, end.seen(shadow), authorities(route)[0][0], UNSUFFIXED)
        ends = tuple(self._ends(way.call, scope, route, port, upstream, shadow))
        first = way._replace(ends=(end,))
        return way._replace(scope=scope, target=target, host=shadow.host, request=shadow, upstream=upstream, ends=ends, first=first)

    def ends(self, way: Way, upstream: Upstream | None) -> tuple[End, ...]:
        """What would become of a way's shadow, the one with the Host `way.host`, if the mirror led to another upstream."""
        port = way.called.port or way.call.port
        return tuple(self._ends(way.call, way.scope, way.route, port, upstream, way.request))

    def past(self, way: Way) -> Way:
        """A way, and what would become of the shadow with the Host `way.host` if what its request itself is for were there."""
        if way.reason != reason.UNKNOWN_PRIMARY:
            return way
        return self._sent_on(way._replace(ends=tuple(self._at_endpoints(way.call, way.scope, way.upstream, way.request))))

    def _ends(self, call: Call, scope: AnyScope, route: Route, port: int, upstream: Upstream | None, shadow: Request) -> Iterator[End]:
        """What becomes of a shadow if the request itself is sent on."""
        exists = _primary_exists(scope, route, port)
        yield from self._at_endpoints(call, scope, upstream, shadow) if exists else [End(reason.UNKNOWN_PRIMARY)]

    def _at_endpoints(self, call: Call, scope: AnyScope, upstream: Upstream | None, shadow: Request) -> Iterator[End]:
        """What becomes of a shadow at each of its upstream's endpoints."""
        if upstream is None:
            yield End(reason.UNKNOWN_TARGET)
        elif upstream.original_destination is not None:
            yield End(reason.ORIGINAL_DESTINATION)
        elif not upstream.addresses:
            service = upstream.service
            own = service.kubernetes or service.host.endswith(f".svc.{scope.mesh.domain}") or scope.mesh.has_pods(service)
            yield End(reason.STAYS, cluster=call.cluster) if own else End(reason.NO_ENDPOINT)
        else:
            yield from (self._landed(call, upstream, address, shadow) for address in upstream.addresses)

    def _landed(self, call: Call, upstream: Upstream, address: Address, shadow: Request) -> End:
        """What becomes of a shadow at an endpoint: whose ingress it is, and how far it gets there."""
        found = self._landing(call.cluster, address.host, upstream.service.host)
        if not found.cluster:
            return End(reason.ELSEWHERE if found.known else reason.UNKNOWN, address, shadow.host)
        ends = (end for scope in self.ingress(found.cluster, address.host) for end in arrivals(scope, address, upstream, shadow))
        return max(ends, key=_hops)._replace(cluster=found.cluster, assumed=found.assumed, named=found.why)

    def takers(self, way: Way, end: End) -> Iterator[GatewayScope]:
        """The gateways' pods of which each may be where a way's shadow arrives at an endpoint, as far as it can be told."""
        address, upstream = reached(end.address), reached(way.upstream)
        for scope in self.ingress(end.cluster, address.host):
            if any(found.reason == reason.ARRIVES for found in arrivals(scope, address, upstream, way.shadow(end))):
                yield scope


def onward(way: Way, end: End) -> Call:
    """The call that a shadow is for the gateway at which it landed, so that mirrors there can be followed, too."""
    scope = end.scope
    namespace, labels = (scope.namespace, scope.labels) if scope else ("", {})
    number = scope.listening(end.address.host, end.address.port) if scope and end.address else 0
    host, path, method, headers, _ = way.shadow(end)
    return Call(end.cluster, namespace, host, number, path, method, headers, labels, gateway=True)


def _hops(end: End) -> int:
    """How far an end got."""
    return (end.reason == reason.ARRIVES) + sum(hop is not None for hop in (end.chain, end.host, end.route, end.destination))


def _called(scope: AnyScope, call: Call) -> tuple[VirtualHost | None, str]:
    """The virtual host that takes the call at the source's proxy, and the scheme; at an HTTPS listener the Host is the SNI as well."""
    if isinstance(scope, SidecarScope):
        table = scope.table(call.port)
        return table.pick(call.host) if table else None, "http"
    chains = pick_chain(scope.listeners.get(call.port, ()), without_port(call.host).lower())
    found = len(chains) == 1 and chains[0].http
    return (scope.table(chains[0]).pick(call.host), chains[0].scheme) if found else (None, "")


def authorities(route: Route) -> list[tuple[str, Node | None]]:
    """The Hosts that the route writes, with the values that say so; "" and None where it writes none.

    Each weighted backend may write its own (route.go:processWeightedDestination).
    """
    rule = route.rule
    if rule.rewrite.authority:
        return [(rule.rewrite.authority, rule.rewrite.node)]
    if rule.headers.authority:
        return [(rule.headers.authority, rule.headers.node)]
    own: dict[str, Node | None] = {}
    for headers in (backend.headers for backend in rule.used):
        own.setdefault(headers.authority, headers.node)
    return list(own.items()) or [("", None)]


def _sent(route: Route, request: Request, authority: str, world: str) -> Request:
    """The shadow as it leaves the source: Host, path and headers are those of the primary after the route's rewrites."""
    rule = route.rule
    operations = (rule.headers, *(b.headers for b in rule.backends[:1] if len(rule.backends) == 1))
    headers = request.headers
    if any(o is not NO_HEADERS for o in operations):
        removed = {name for o in operations for name in o.remove}
        headers = {name: value for name, value in headers.items() if name not in removed}
        for operation in operations:
            headers.update(operation.set)
    return Request(shadow_host(authority or request.host, world), route.sent_path(request.path), request.method, headers)


def _primary_exists(scope: AnyScope, route: Route, port: int) -> bool:
    """Whether some backend of the called route exists: with none Envoy answers 503 and mirrors nothing (measured)."""
    return any(exists(scope, route, port, b.destination) for b in route.rule.used)
