"""A shadow's way told hop by hop: what was decided, why, and where that is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from mirrorlint.delivery.conditions import conditions
from mirrorlint.delivery.ending import WORDS, arriving, connection, ending, gateway_destination, named, server_of
from mirrorlint.delivery.follow import authorities
from mirrorlint.delivery.gateway import Chain, GatewayScope
from mirrorlint.delivery.match import Route
from mirrorlint.delivery.reason import ARRIVES, MIXED, UNJUDGED, UNKNOWN, UNKNOWN_PRIMARY
from mirrorlint.delivery.upstream import PLAINTEXT, Address, Upstream
from mirrorlint.delivery.virtual_host import VirtualHost
from mirrorlint.delivery.way import SOME, End, Way, reached
from mirrorlint.delivery.worlds import SUFFIX, SUFFIXED, shadow_host
from mirrorlint.source import Node, Place


class Step(NamedTuple):
    """A hop: the Node where it is written, that Node's cluster, the kind of hop, and what was decided there and why.

    The last hop of each endpoint is its end: `what` is then arrives, lost, stays, elsewhere or unknown.
    """

    node: Node
    cluster: str
    what: str
    text: str

    @property
    def place(self) -> Place:
        """Where the hop is written."""
        return self.node.place


def steps(way: Way, world: str) -> tuple[Step, ...]:
    """All hops of a shadow in the world that its way was followed in, endpoint by endpoint from the registry on."""
    return tuple(_steps(way, world))


def _steps(way: Way, world: str) -> Iterator[Step]:
    start = way.first or way
    written = [(shadow_host(host, world), host, node) for host, node in _hosts(start.route, start.call.host, start.called.node)]
    carried = [host for host, *_ in written]
    yield from _sent(start)
    yield from (_carried(start, *host, world) for index, host in enumerate(written) if host[0] not in carried[:index])
    if way.first:
        yield from _sent_on(way.first)
    if way.upstream is not None and way.reason != UNKNOWN_PRIMARY:
        yield from _looked_up(way, way.upstream)
    several = len({end.authority for end in way.ends}) > 1
    for end in dict.fromkeys(way.ends):
        yield from _at_endpoint(way, end, several=several)
        node, cluster, text = ending(way, end)
        yield Step(node, cluster, UNKNOWN if end.reason in UNJUDGED else end.outcome, text)
    if way.outcome == SOME:
        yield Step(way.mirror.node, way.call.cluster, SOME, WORDS[MIXED])


def _sent(way: Way) -> Iterator[Step]:
    """The call, the route that takes it, and what that mirrors."""
    call, mirror, source = way.call, way.mirror, way.call.cluster
    at = "ingress gateway" if call.gateway else "sidecar"
    taken = f"at the {at}, port {call.port}, `{way.called.domain}` of {way.route.service.manifest} takes `{call.host}`"
    yield Step(way.called.node, source, "called host", taken)
    yield Step(_route_node(way.route), source, "route", _route_text(way.route))
    written, subset = mirror.destination.host_node.text, mirror.destination.subset
    text = f"copies {mirror.percent:g}% to `{named(way.target)}`"
    text += f", subset `{subset}`" if subset else ""
    text += f" (written `{written}`)" if written != way.target[0] else ""
    yield Step(mirror.destination.host_node, source, "mirror", text + _inferred_port(way))


def _sent_on(first: Way) -> Iterator[Step]:
    """The hops up to a gateway of the source itself, and what its route makes of the Host."""
    (end,) = first.ends
    yield from _looked_up(first, reached(first.upstream))
    yield from _at_endpoint(first, end, several=False)
    for host, node in _hosts(reached(end.route), first.host, first.called.node):
        if host != first.host:
            yield Step(node, end.cluster, "shadow", f"carries the Host `{host}` from there on")


def _inferred_port(way: Way) -> str:
    if way.mirror.destination.port:
        return ""
    if not isinstance(way.scope, GatewayScope):
        return "; without `port` a sidecar takes the called one"
    service = way.scope.looked_up(way.mirror.destination.host, way.route.service)
    only = service is not None and len(service.ports) == 1
    return f"; without `port` a gateway takes {'the only one of the host' if only else 'the one of its own server'}"


def _route_node(route: Route) -> Node:
    return route.match.node if route.match else route.rule.node


def _route_text(route: Route) -> str:
    name = route.rule.node["name"].text
    rule = f"rule `{name}`" if name else f"a rule of {route.rule.owner}"
    if route.match is None:
        return f"{rule} without `match` takes every request"
    said = conditions(route.match, gateway_api=route.service.gateway_semantics)
    return f"{rule} matches: {', '.join(said) or 'its block has no conditions'}"


def _carried(way: Way, shadow: str, host: str, node: Node, world: str) -> Step:
    rewritten = f"the route's rewrite `{host}`" if node != way.called.node else "the request's own"
    suffix = f", with `{SUFFIX}` put behind it" if world == SUFFIXED else ""
    return Step(node, way.call.cluster, "shadow", f"carries the Host `{shadow}`: {rewritten}{suffix}")


def _hosts(route: Route, asked: str, node: Node) -> list[tuple[str, Node]]:
    """The Hosts that a request may get, with the values that say so: those that the route writes, or the one asked for, with its node."""
    return [(authority or asked, written or node) for authority, written in authorities(route)]


def _looked_up(way: Way, upstream: Upstream) -> Iterator[Step]:
    """The registry's entry for the mirror's target, and the TLS that a rule asks for."""
    service, port = upstream.service, upstream.port
    protocol = port.protocol or "protocol not declared"
    text = f"{service.manifest}: port {port.number} ({protocol}), resolution {service.resolution}"
    yield Step(service.node, way.call.cluster, "registry", text)
    if upstream.rule is None:
        return
    mode = upstream.client_tls["mode"]
    if mode:
        text = f"the {upstream.rule.manifest.kind} for `{upstream.rule.host}` says {mode.text}: {connection(upstream, way.host)}"
        if upstream.tls == PLAINTEXT and upstream.client_tls["credentialName"]:
            text += ", since a sidecar gets no `credentialName` from it"
        yield Step(mode, way.call.cluster, "TLS", text)


def _at_endpoint(way: Way, end: End, *, several: bool) -> Iterator[Step]:
    """The hops from one endpoint of the target on, as far as the shadow gets."""
    if end.address is None:
        return
    sent = f" with Host `{end.authority}`" if several else ""
    yield Step(end.address.node, way.call.cluster, "endpoint", _endpoint(way.call.cluster, end, end.address) + sent)
    if end.chain is not None and end.scope is not None:
        yield _server(end, end.chain, arriving(way, end))
    if end.host is not None:
        yield _virtual_host(end, end.host)
    if end.route is not None:
        yield Step(_route_node(end.route), end.cluster, "route", _route_text(end.route))
    if end.route is not None and end.reason == ARRIVES:
        for backend in end.route.rule.used:
            target, subset = gateway_destination(end, backend.destination), backend.destination.subset
            text = f"sends it to `{named(target)}`" + (f", subset `{subset}`" if subset else "")
            yield Step(backend.destination.host_node, end.cluster, "destination", text)


def _endpoint(source: str, end: End, address: Address) -> str:
    at = f"`{address.host}:{address.port}`"
    if not end.cluster or end.scope is None:
        return f"{at}, where the connection goes"
    if end.cluster == source:
        return f"{at} is a gateway of {source} itself{_through(end.scope, address)}"
    if end.assumed:
        return f"{at} is assumed to be {end.cluster}'s ingress: no address of an ingress is known"
    return f"{at} is {end.cluster}'s ingress{f': {end.named}' if end.named else _through(end.scope, address)}"


def _through(scope: GatewayScope, address: Address) -> str:
    """Which Service leads to the gateway's pods, and to which of their ports."""
    service = scope.mesh.entrances.service(address.host) or next(iter(scope.front.services), None)
    ports = scope.container_ports(address.host, address.port)
    return f", where {service.manifest} leads to port {' or '.join(map(str, ports))} of its pods" if service and ports else ""


def _server(end: End, chain: Chain, sent: str) -> Step:
    server = server_of(chain, end.domain)
    says = " ".join(part for part in (str(server.number), server.protocol, server.mode) if part)
    text = f"{server.title} {says} takes the connection: {sent}"
    return Step(server.number_node, end.cluster, "server", text)


def _virtual_host(end: End, vhost: VirtualHost) -> Step:
    owners = " and ".join(str(service.manifest) for service in vhost.services) or "the Gateway alone"
    return Step(vhost.node, end.cluster, "virtual host", f"`{vhost.domain}` of {owners} takes the Host `{end.authority}`")
