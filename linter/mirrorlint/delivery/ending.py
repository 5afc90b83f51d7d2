"""Where a shadow's way ends, in words, and the Node that decides it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache

from mirrorlint.delivery import reason
from mirrorlint.delivery.absence import absence
from mirrorlint.delivery.conditions import missed
from mirrorlint.delivery.gateway import Chain, GatewayScope
from mirrorlint.delivery.match import Request
from mirrorlint.delivery.upstream import PLAINTEXT, Address, Upstream
from mirrorlint.delivery.virtual_host import VirtualHost
from mirrorlint.delivery.way import End, Way, reached
from mirrorlint.istio.gateway import Server
from mirrorlint.istio.names import subset_of
from mirrorlint.istio.routing import Destination
from mirrorlint.istio.services import Service
from mirrorlint.source import Node

WORDS: Mapping[str, str] = {
    reason.ARRIVES: "{reached} of {cluster} takes it",
    reason.STAYS: "`{target}` is a service of {source} itself",
    reason.ELSEWHERE: "`{address}` is the ingress of no other cluster that is known here",
    reason.UNKNOWN: "nothing here tells whose ingress `{address}` is",
    reason.PASSED_ON: "{server} passes the connection on as it comes, and what takes it is not followed",
    reason.LISTENER_SET: "a route at a ListenerSet of {cluster} is for `{host}`, and what those take is not followed",
    reason.MIXED: "the endpoints' fates differ",
    reason.UNKNOWN_PRIMARY: "Envoy answers the request itself with {status} and mirrors nothing, since {missing}",
    reason.UNKNOWN_TARGET: "{missing}: Envoy drops the shadow without a trace",
    reason.ORIGINAL_DESTINATION: "`{target}` is {unresolved}: Envoy has no address to send the shadow to",
    reason.NO_ENDPOINT: "`{target}` has no endpoint",
    reason.NO_LISTENER: "nothing listens on port {port} of {cluster}'s gateway",
    reason.NO_FILTER_CHAIN: "no server on port {port} takes {connection}: the connection is closed",
    reason.TLS_MISMATCH: "the shadow comes as {connection}, {taken}",
    reason.CERTIFICATE_MISMATCH: "{certificate} is not for the name that is asked for: the handshake fails",
    reason.NO_VIRTUAL_HOST: "404: no {shared} covers `{host}`{closest}",
    reason.NO_ROUTE: "404: {unrouted}",
    reason.HTTPS_REDIRECT: "301: the server redirects to HTTPS (`httpsRedirect`), and nobody follows for a shadow",
    reason.REDIRECT: "the rule answers with a redirect, and nobody follows it for a shadow",
    reason.DIRECT_RESPONSE: "the gateway answers by itself ({answer})",
    reason.ABORT: "the gateway answers by itself (`fault.abort`)",
    reason.DENIED: "403: {policy} does not let it through",
    reason.UNKNOWN_DESTINATION: "{status}: {missing}",
}


def ending(way: Way, end: End) -> tuple[Node, str, str]:
    """The Node where an end is decided, its cluster, and why."""
    return _node(way, end), end.cluster or way.call.cluster, WORDS[end.reason].format(**_facts(way, end))


def connection(upstream: Upstream, host: str) -> str:
    """How a shadow with this Host is sent: plain text, or TLS and its SNI."""
    return PLAINTEXT if upstream.tls == PLAINTEXT else f"{upstream.tls} with SNI `{upstream.sni_for(host)}`"


def arriving(way: Way, end: End) -> str:
    """How a shadow comes to the target's gateway."""
    if end.balancer and end.chain:
        return "plain text, behind a load balancer that ends TLS"
    return connection(way.upstream, end.authority) if way.upstream else ""


def named(destination: tuple[str, int]) -> str:
    """`host:port`."""
    return f"{destination[0]}:{destination[1]}"


def server_of(chain: Chain, domain: str) -> Server:
    """The server of a filter chain that covers a domain, else its first."""
    return _covering(chain.servers, domain)


def redirecting(chain: Chain, domain: str) -> Server:
    """The server that redirects a domain's requests to HTTPS."""
    return _covering([server for server in chain.servers if server.redirects], domain)


def _covering(servers: Sequence[Server], domain: str) -> Server:
    return next((s for s in servers if any(subset_of(domain, host.lower()) for host in s.sni_hosts())), servers[0])


def service_at(end: End, destination: Destination) -> Service | None:
    """The service that a destination of the target's route is for."""
    return reached(end.scope).service(gateway_destination(end, destination)[0])


def services_at(end: End) -> list[Service]:
    """The services that get a shadow which arrives."""
    return [reached(service_at(end, backend.destination)) for backend in reached(end.route).rule.used]


def gateway_destination(end: End, destination: Destination) -> tuple[str, int]:
    """Host and port to which the target's gateway sends a request for a destination of its route."""
    return reached(end.scope).address(destination, reached(end.host).port, reached(end.route).service)


def _facts(way: Way, end: End) -> Mapping[str, str]:
    """What the sentences of WORDS speak of."""
    upstream, address, cluster = way.upstream, end.address, end.cluster
    return {
        "source": way.call.cluster,
        "cluster": cluster,
        "target": named(way.target),
        "host": end.authority,
        "address": named((address.host, address.port)) if address else "",
        "port": str(address.port) if address else "",
        "connection": arriving(way, end),
        "unresolved": _unresolved(upstream) if upstream else "",
        "reached": _reached(end),
        "missing": _missing(way, end),
        "taken": _taken(end),
        "closest": f" (the closest is `{found.domain}`)" if (found := _closest(end)) else "",
        "policy": str(end.policy.policy) if end.policy else "",
        "certificate": str(end.certificate.manifest) if end.certificate else "",
        "status": str((end.route or way.route).service.unavailable),
        "shared": _shared(end),
        "answer": "no backend of the rule has a weight" if end.route and end.route.service.gateway_semantics else "`directResponse`",
        "server": end.chain.servers[0].phrase if end.chain else "",
        "unrouted": _unrouted(end, way.shadow(end)),
    }


def _shared(end: End) -> str:
    """What a shadow's Host has to meet, in the words of the gateway's API."""
    if end.chain and end.chain.servers[0].noun == "listener":
        return "hostname that a listener and a route share"
    return "host with rules that a Gateway and a VirtualService share"


def _taken(end: End) -> str:
    if end.balancer and not end.chain:
        return "the load balancer ends TLS and goes on in plain text"
    if end.chain is None:
        return f"which {both(end.alike)} take alike: Envoy refuses a listener with two such filter chains"
    return f"the server takes {end.chain.tls}"


def both(alike: Sequence[Chain]) -> str:
    """What messages call the Gateways of filter chains that take the same."""
    return " and ".join(dict.fromkeys(str(chain.servers[0].gateway.manifest) for chain in alike))


def _reached(end: End) -> str:
    """The services that the target's route sends to."""
    return " or ".join(dict.fromkeys(str(service.manifest) for service in services_at(end))) if end.reason == reason.ARRIVES else ""


def _unrouted(end: End, request: Request) -> str:
    if end.reason != reason.NO_ROUTE or end.host is None:
        return ""
    path, _, _ = request.path.partition("?")
    _, lacks, _ = missed(end, request)
    return f"none of the rules for `{end.host.domain}` takes {request.method} {path}; {lacks}"


def _missing(way: Way, end: End) -> str:
    """What is missing of a destination that does not exist."""
    if end.reason == reason.UNKNOWN_TARGET:
        return absence(way.scope, way.target, way.mirror.destination).words
    if end.reason == reason.UNKNOWN_PRIMARY:
        destination = way.route.rule.used[0].destination
        return absence(way.scope, way.asks(destination), destination).words
    if end.reason != reason.UNKNOWN_DESTINATION:
        return ""
    destination = reached(end.destination)
    return absence(reached(end.scope), gateway_destination(end, destination), destination).words


def _closest(end: End) -> VirtualHost | None:
    """The virtual host whose domain looks most like a Host that none takes."""
    if end.reason != reason.NO_VIRTUAL_HOST or end.scope is None or end.chain is None:
        return None
    hosts = {vhost.domain: vhost for vhost in end.scope.table(end.chain)}
    domain = _most_like(end.domain, tuple(hosts))
    return hosts.get(domain)


@lru_cache(maxsize=1024)
def _most_like(name: str, domains: tuple[str, ...]) -> str:
    return next(iter(get_close_matches(name, domains, n=1, cutoff=0)), "")


def _node(way: Way, end: End) -> Node:
    """What decides the end: at the source a value of the mirror, at the target what refuses or comes nearest."""
    refusing = _refusing(end)
    if refusing:
        return refusing
    if end.scope is None or end.address is None:
        return _node_at_source(way, end)
    if end.chain is None:
        return end.alike[-1].servers[0].number_node if end.alike else _listening(end.scope, end.address)
    if end.reason == reason.HTTPS_REDIRECT:
        return redirecting(end.chain, reached(end.host).domain).node["tls"]["httpsRedirect"]
    server = server_of(end.chain, end.domain)
    return _node_of_route(end, way.shadow(end)) if end.host else _node_of_server(end, server)


def _refusing(end: End) -> Node | None:
    """What refuses besides the gateway's own objects: a policy, a certificate or a load balancer's annotation."""
    if end.certificate:
        return end.certificate.manifest.node["spec"]["dnsNames"].at(0)
    if end.balancer and end.reason == reason.TLS_MISMATCH:
        return end.balancer.node
    return end.policy.node if end.policy else None


def _node_of_server(end: End, server: Server) -> Node:
    if end.reason == reason.NO_VIRTUAL_HOST:
        closest = _closest(end)
        return closest.node if closest else server.host_node
    return server.node["tls"] if server.tls else server.protocol_node


def _node_of_route(end: End, request: Request) -> Node:
    if end.route is None:
        return missed(end, request)[0]
    if end.destination is None:
        return end.route.rule.answer
    return services_at(end)[0].node if end.reason == reason.ARRIVES else end.destination.host_node


def _node_at_source(way: Way, end: End) -> Node:
    if end.address:
        return end.address.node
    if end.reason == reason.UNKNOWN_PRIMARY:
        return way.route.rule.used[0].destination.host_node
    if way.upstream is None:
        return way.mirror.destination.host_node
    return way.upstream.service.node if way.upstream.original_destination is None else way.upstream.original_destination


def _unresolved(upstream: Upstream) -> str:
    if upstream.passing_through:
        return f"left to callers' own connections by {upstream.passing_through.manifest} (`PASSTHROUGH`)"
    return "headless" if upstream.service.kubernetes else "an entry with resolution NONE"


def _listening(scope: GatewayScope, address: Address) -> Node:
    """The server on an address's port, else the one whose number is nearest, else the address itself."""
    chains = (chain for port in scope.container_ports(address.host, address.port) for chain in scope.listeners.get(port, ()))
    found = next((server for chain in chains for server in chain.servers), None)
    if found:
        return found.node["tls"] if found.tls else found.number_node
    servers = [server for gateway in scope.gateways for server in gateway.servers]
    nearest = min(servers, key=lambda server: abs(server.number - address.port), default=None)
    return nearest.number_node if nearest else address.node
