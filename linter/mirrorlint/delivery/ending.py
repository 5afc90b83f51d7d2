"""Where a shadow's way ends, in words, and the Node that decides it."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache

from mirrorlint.delivery import reason
from mirrorlint.delivery.follow import AnyScope, End, Way
from mirrorlint.delivery.gateway import Chain, GatewayScope
from mirrorlint.delivery.upstream import PLAINTEXT, Address, Upstream
from mirrorlint.istio.gateway import Server
from mirrorlint.istio.names import subset_of
from mirrorlint.istio.services import ALIAS
from mirrorlint.istio.virtual_service import Destination
from mirrorlint.source import Node

WORDS: Mapping[str, str] = {
    reason.ARRIVES: "reaches `{destination}` in {cluster}",
    reason.STAYS: "`{target}` is a service of {source} itself",
    reason.ELSEWHERE: "`{address}` is the ingress of no cluster that is known here",
    reason.UNKNOWN: "nothing here tells whose ingress `{address}` is",
    reason.MIXED: "the endpoints' fates differ",
    reason.UNKNOWN_PRIMARY: "the request itself finds no destination, since {missing}: Envoy answers 503 and mirrors nothing",
    reason.UNKNOWN_TARGET: "{missing}: Envoy drops the shadow without a trace",
    reason.ORIGINAL_DESTINATION: "`{target}` is {unresolved}: Envoy has no address to send the shadow to",
    reason.NO_ENDPOINT: "`{target}` has no endpoint",
    reason.NO_LISTENER: "nothing listens on port {port} of {cluster}'s ingress gateway",
    reason.NO_FILTER_CHAIN: "no server on port {port} takes {connection}: the connection is closed",
    reason.TLS_MISMATCH: "the shadow comes as {connection}, {taken}",
    reason.NO_VIRTUAL_HOST: "404: no host that a Gateway and a VirtualService share covers `{host}`{closest}",
    reason.NO_ROUTE: "404: {unrouted}",
    reason.HTTPS_REDIRECT: "301: the server sends plain HTTP to HTTPS (`httpsRedirect`), and nobody follows a shadow's answer",
    reason.REDIRECT: "the rule answers with a redirect, and nobody follows a shadow's answer",
    reason.DIRECT_RESPONSE: "the gateway answers by itself (`directResponse`)",
    reason.UNKNOWN_DESTINATION: "503: {missing}",
}


def ending(way: Way, end: End, host: str = "") -> tuple[Node, str, str]:
    """The Node where an end is decided, its cluster, and why; `host` is the shadow's when it is not `way.host`."""
    host = host or way.host
    cluster = end.cluster or way.call.cluster
    return _node(way, end, host), cluster, WORDS[end.reason].format(**_facts(way, end, host))


def connection(upstream: Upstream, host: str) -> str:
    """How a shadow with this Host is sent: plain text, or TLS and its SNI."""
    return "plain text" if upstream.tls == PLAINTEXT else f"{upstream.tls} with SNI `{upstream.sni_for(host)}`"


def named(destination: tuple[str, int]) -> str:
    """`host:port`."""
    return f"{destination[0]}:{destination[1]}"


def server_of(chain: Chain, domain: str) -> Server:
    """The server of a filter chain that covers a domain, else its first."""
    return next((s for s in chain.servers if any(subset_of(domain, h.lower()) for h in s.sni_hosts())), chain.servers[0])


def gateway_destination(end: End, scope: GatewayScope, destination: Destination) -> tuple[str, int]:
    """Host and port to which the target's gateway sends a request for a destination of its route."""
    if end.host is None or end.route is None:
        return destination.host, destination.port
    return scope.address(destination, end.host.port, end.route.service)


def _facts(way: Way, end: End, host: str) -> Mapping[str, str]:
    """What the sentences of WORDS speak of."""
    upstream, address, cluster = way.upstream, end.address, end.cluster
    path, _, _ = way.request.path.partition("?")
    return {
        "source": way.call.cluster,
        "cluster": cluster,
        "target": named(way.target),
        "host": host,
        "address": named((address.host, address.port)) if address else "",
        "port": str(address.port) if address else "",
        "connection": connection(upstream, host) if upstream else "",
        "unresolved": "headless" if upstream and upstream.service.kubernetes else "an entry with resolution NONE",
        "destination": named(gateway_destination(end, end.scope, end.destination)) if end.scope and end.destination else "",
        "missing": _missing(way, end),
        "taken": f"the server takes {end.chain.tls}" if end.chain else "and several servers take that alike",
        "closest": f" (the closest is `{found[0]}`)" if (found := _closest(end, host)) else "",
        "unrouted": _unrouted(end, f"{way.request.method} {path}"),
    }


def _unrouted(end: End, request: str) -> str:
    if end.chain is not None and not end.chain.http:
        return "the server passes bytes on as they come, no `http` route is asked"
    return f"none of the rules for `{end.host.domain}` takes {request}" if end.host else ""


def _missing(way: Way, end: End) -> str:
    """What is missing of a destination that does not exist."""
    if end.reason == reason.UNKNOWN_TARGET:
        return _lack(way.scope, way.target, way.mirror.destination.subset, way.call.cluster)
    if end.reason == reason.UNKNOWN_PRIMARY:
        return _lacking_primary(way)
    if end.reason != reason.UNKNOWN_DESTINATION or end.scope is None:
        return ""
    if end.destination is None:
        return "no backend of the rule has a weight"
    found = gateway_destination(end, end.scope, end.destination)
    return _lack(end.scope, found, end.destination.subset, end.cluster)


def _lacking_primary(way: Way) -> str:
    backends = way.route.rule.backends
    if not any(backend.weight for backend in backends) and len(backends) != 1:
        return "no backend of the rule has a weight"
    destination = backends[0].destination
    found = way.scope.address(destination, way.called.port or way.call.port, way.route.service)
    return _lack(way.scope, found, destination.subset, way.call.cluster)


def _lack(scope: AnyScope, target: tuple[str, int], subset: str, cluster: str) -> str:
    """Why a proxy has no upstream for a host, port and subset."""
    host, number = target
    service = scope.service(host)
    if service is None:
        hidden = host in scope.mesh.services_by_host
        return f"`{host}` is not visible to this proxy" if hidden else f"`{host}` is not a host of {cluster}'s registry"
    port = service.port(number)
    if port is None:
        return f"`{host}` has no port {number}, only {', '.join(str(p.number) for p in service.ports) or 'none'}"
    rule = scope.mesh.rule_for(service, scope.namespace, scope.labels)
    if subset and not (rule and subset in rule.subsets):
        return f"no DestinationRule gives `{host}` a subset `{subset}`"
    if port.protocol == "UDP":
        return f"port {number} of `{host}` is UDP"
    return f"`{host}` is only another name (ExternalName)" if service.resolution == ALIAS else f"`{host}` has no endpoint"
