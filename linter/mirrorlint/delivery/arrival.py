"""How far a shadow gets at a gateway: its listener, filter chain and virtual host, the route there and the route's destination."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.delivery import reason
from mirrorlint.delivery.addresses import Balancer
from mirrorlint.delivery.gateway import Chain, GatewayScope, pick_chain
from mirrorlint.delivery.match import Request, Route, first_match
from mirrorlint.delivery.policy import Arriving, Client, verdict
from mirrorlint.delivery.upstream import MUTUAL, PLAINTEXT, TLS, Address, Upstream
from mirrorlint.delivery.virtual_host import VirtualHost
from mirrorlint.delivery.way import AnyScope, End, reached
from mirrorlint.istio.cert_manager import Certificate
from mirrorlint.istio.names import subset_of, without_port
from mirrorlint.istio.references import SECRET, read_reference
from mirrorlint.istio.routing import Destination

_UNTAKEN = frozenset({reason.NO_LISTENER, reason.NO_FILTER_CHAIN, reason.NO_VIRTUAL_HOST})
_WITH_CERTIFICATE = frozenset({"MUTUAL", "OPTIONAL_MUTUAL", "ISTIO_MUTUAL"})


def entered(scope: GatewayScope, address: Address, upstream: Upstream, shadow: Request) -> End:
    """How far a shadow gets at a gateway of its own cluster."""
    end = End(reason.NO_LISTENER, address, shadow.host, scope=scope)
    port = scope.listening(address.host, address.port)
    return _connected(end, scope, port, upstream, shadow) if port else end


def arrivals(scope: GatewayScope, address: Address, upstream: Upstream, shadow: Request) -> Iterator[End]:
    """How far a shadow gets at a cluster's ingress gateway, and behind a Kubernetes Ingress that may be before it."""
    names, ends = scope.mesh.gateway_api.names_of_sets, _arrivals(scope, address, upstream, shadow)
    if not any(subset_of(without_port(shadow.host).lower(), name) for name in names):
        return ends
    return (end._replace(reason=reason.LISTENER_SET) if end.reason in _UNTAKEN else end for end in ends)


def _arrivals(scope: GatewayScope, address: Address, upstream: Upstream, shadow: Request) -> Iterator[End]:
    end = End(reason.NO_LISTENER, address, shadow.host, scope=scope)
    port = scope.listening(address.host, address.port)
    yield _arrival(end, port, upstream, shadow, scope.balancer(address.host, address.port)) if port else end
    ingress = scope.ingress(address.host, address.port)
    behind = scope.behind(ingress) if ingress else 0
    if behind and upstream.tls != MUTUAL:
        yield _connected(end._replace(balancer=ingress), scope, behind, upstream._replace(tls=PLAINTEXT), shadow)


def _arrival(end: End, port: int, upstream: Upstream, shadow: Request, balancer: Balancer | None) -> End:
    """How far a shadow gets at a listener; what a load balancer ends TLS for comes there in plain text."""
    scope = reached(end.scope)
    if balancer is None:
        return _connected(end, scope, port, upstream, shadow)
    end = end._replace(balancer=balancer, reason=reason.TLS_MISMATCH)
    return _connected(end, scope, port, upstream._replace(tls=PLAINTEXT), shadow) if upstream.tls == TLS else end


def _connected(end: End, scope: GatewayScope, port: int, upstream: Upstream, shadow: Request) -> End:
    """How far a shadow gets at a listener: up to its filter chain, or on from there."""
    picked = pick_chain(scope.listeners[port], upstream.sni_for(shadow.host))
    if not picked:
        return end._replace(reason=reason.TLS_MISMATCH if end.balancer else reason.NO_FILTER_CHAIN)
    if len(picked) > 1:
        return end._replace(reason=reason.TLS_MISMATCH, alike=tuple(picked))
    end = end._replace(chain=picked[0])
    if not _agree(upstream.tls, picked[0]):
        return end._replace(reason=reason.TLS_MISMATCH)
    certificate = _mismatch(scope, picked[0], upstream, shadow.host) if scope.mesh.certificates else None
    if certificate:
        return end._replace(reason=reason.CERTIFICATE_MISMATCH, certificate=certificate)
    return _routed(end, scope, picked[0], upstream, shadow)


def _mismatch(scope: GatewayScope, chain: Chain, upstream: Upstream, host: str) -> Certificate | None:
    """A certificate of a chain's server, where manifests show all that it has and none is for a name that is asked for.

    They are in Secrets: of `credentialName` in the pods' namespace, of a listener's `certificateRefs` in its own or theirs
    (conversion.go:buildTLS).
    """
    server = chain.servers[0]
    named = [read_reference(node, server.gateway.manifest.namespace, SECRET) for node in server.node["tls"]["certificateRefs"]]
    secrets = [(each.namespace, each.name) for each in named] or [(scope.namespace, server.node["tls"]["credentialName"].text)]
    found = [scope.mesh.certificates.get(secret) for secret in secrets]
    wanted = upstream.verified(host)
    fits = not wanted or any(certificate is None or certificate.is_for(wanted) for certificate in found)
    return None if fits else found[0]


def _agree(tls: str, chain: Chain) -> bool:
    """Whether the connection's TLS is what the filter chain takes."""
    if chain.tls == PLAINTEXT:
        return tls == PLAINTEXT or not chain.http
    return tls != PLAINTEXT and (tls == MUTUAL) == (chain.tls == MUTUAL)


def _routed(end: End, scope: GatewayScope, chain: Chain, upstream: Upstream, shadow: Request) -> End:
    """How far a shadow gets behind the filter chain that took its connection."""
    if not chain.http:
        return end._replace(reason=reason.PASSED_ON)
    host = scope.table(chain).pick(shadow.host)
    if host is None:
        return end._replace(reason=reason.NO_VIRTUAL_HOST)
    return in_virtual_host(end, scope, host, upstream, shadow)


def in_virtual_host(end: End, scope: GatewayScope, host: VirtualHost, upstream: Upstream, shadow: Request) -> End:
    """How far a shadow gets in a virtual host of a cluster's ingress gateway."""
    end = end._replace(host=host)
    if host.requires_tls and upstream.tls == PLAINTEXT:
        return end._replace(reason=reason.HTTPS_REDIRECT)
    route = first_match(host.routes, end.seen(shadow))
    if route is None:
        return end._replace(reason=reason.NO_ROUTE)
    return _permitted(_answered(end._replace(route=route), scope, route, host.port), scope, shadow)


def _permitted(end: End, scope: GatewayScope, shadow: Request) -> End:
    """Whether the gateway's policies let a shadow through that would arrive."""
    if end.reason != reason.ARRIVES or not scope.mesh.authorization_policies:
        return end
    port = scope.listening(end.address.host, end.address.port) if end.address else 0
    client = Client() if end.chain and end.chain.servers[0].mode in _WITH_CERTIFICATE else None
    found = verdict(scope, Arriving(shadow.host, port, client, shadow))
    if found.allowed:
        return end
    return end._replace(policy=found, reason=end.reason if found.allowed is None else reason.DENIED)


def _answered(end: End, scope: GatewayScope, route: Route, port: int) -> End:
    """What the route does with a shadow: an own answer, a destination that is missing, or the arrival."""
    if route.rule.action != "route":
        return end._replace(reason=route.rule.action)
    backends = route.rule.used
    missing = [b.destination for b in backends if not exists(scope, route, port, b.destination)]
    if missing or not backends:
        partial = 0 < len(missing) < len(backends)
        return end._replace(reason=reason.UNKNOWN_DESTINATION, destination=missing[0] if missing else None, partial=partial)
    return end._replace(reason=reason.ARRIVES, destination=backends[0].destination)


def exists(scope: AnyScope, route: Route, port: int, destination: Destination) -> bool:
    """Whether a proxy has an upstream for a destination of a route."""
    return scope.upstream(*scope.address(destination, port, route.service), destination.subset) is not None
