"""Why no virtual host of a gateway takes a Host: the VirtualService, route or server that was probably meant to, and what keeps it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from functools import lru_cache

from mirrorlint.delivery.discovery import left_out
from mirrorlint.delivery.follow import authorities
from mirrorlint.delivery.gateway import GatewayScope
from mirrorlint.delivery.mesh import Mesh
from mirrorlint.delivery.way import Way, reached
from mirrorlint.delivery.worlds import SUFFIX
from mirrorlint.istio.gateway import Server
from mirrorlint.istio.listeners import LISTENER_MARK
from mirrorlint.istio.names import MESH, is_wild, subset_of, without_port
from mirrorlint.istio.routing import Host, VirtualService
from mirrorlint.likeness import TYPO, likeness
from mirrorlint.rule import MOST, Loss, Reason, Remark, few
from mirrorlint.source import Node
from mirrorlint.unruled import unruled


def unserved(scope: GatewayScope, servers: Sequence[Server], host: str) -> Reason:
    """What keeps a shadow's Host from having a virtual host behind some servers."""
    name = without_port(host).lower()
    bound = [(s, scope.mesh.bound_to(s.gateway.name, scope.namespace)) for s in servers]
    services = [v for _, seen in bound for v in seen]
    for route, gateway in dict.fromkeys((v.manifest, s.gateway.manifest) for s, seen in bound for v in seen if v.gateway_semantics):
        kept = scope.mesh.route_reader.unserved(route, gateway, name)
        if kept:
            return kept.node, f"{route} would take it, but {kept.why}", kept.owner
    overlooked = overlooked_taker(scope, servers, name)
    if overlooked:
        return overlooked
    for taker in takers(scope.mesh, services, name):
        found = _refused_taker(scope, taker, bound, name)
        if found:
            return found
    if services:
        nearest = max(services, key=lambda v: max(_likeness_but_for_suffix(name, h.name) for h in v.hosts))
        own = dict.fromkeys(host for service in services if service.manifest is nearest.manifest for host in service.hosts)
        hosts = sorted(own, key=lambda host: -_likeness_but_for_suffix(name, host.name)) if len(own) > MOST else own
        return nearest.hosts[0].node, f"{nearest.manifest} takes {few(host.phrase for host in hosts)}", nearest.manifest
    return _nothing_bound(scope.mesh, servers[0])


def beside(loss: Loss) -> Iterator[Remark]:
    """What lists a shadow's Host, which a broader virtual host took: VirtualServices bound elsewhere, and hosts but for the suffix."""
    scope, name, cluster = reached(loss.end.scope), without_port(loss.shadow.host).lower(), loss.end.cluster
    other = name.removesuffix(SUFFIX) if name.endswith(SUFFIX) else name + SUFFIX
    bound = [(server, scope.mesh.bound_to(server.gateway.name, scope.namespace)) for server in reached(loss.end.chain).servers]
    services = dict.fromkeys(v for _, seen in bound for v in seen)
    unheard = (v for v in scope.mesh.virtual_services if v not in services and {*v.gateways} != {MESH} and _listing(v, name))
    for node, why, _ in filter(None, (_refused_taker(scope, taker, bound, name) for taker in unheard)):
        yield Remark(node, why, cluster)
    for service in services:
        host = _listing(service, other)
        if host:
            yield Remark(host.node, f"{service.manifest} takes {host.phrase}, and the Host is `{name}`", cluster)


def _listing(service: VirtualService, name: str) -> Host | None:
    """The host of a VirtualService that covers a name, but for `*`."""
    return next((host for host in service.hosts if host.name != "*" and subset_of(name, host.name.lower())), None)


def overlooked_taker(scope: GatewayScope, servers: Sequence[Server], host: str) -> Reason | None:
    """What would give a shadow's Host a virtual host on the port of some servers if the control plane looked at its namespace."""
    mesh = scope.mesh
    if not mesh.discovery.limited:
        return None
    name = without_port(host).lower()
    gateways = GatewayScope(mesh.unlimited, scope.namespace, scope.labels, mesh.cluster.settings.ingress).gateways
    near = [server for gateway in gateways for server in gateway.servers if server.number == servers[0].number]
    for taker in takers(mesh.unlimited, (), name):
        serving = (s.gateway.manifest for s in near if s.gateway.name in taker.gateways and _shares(s, taker, name))
        for manifest in (each for gateway in serving for each in (taker.manifest, gateway) if not mesh.discovery.takes(each)):
            whose = "" if manifest is taker.manifest else f"{manifest} for it "
            return manifest.node["metadata"]["namespace"], f"{taker.manifest} would take it, but {whose}{left_out(manifest)}", manifest
    return None


def takers(mesh: Mesh, bound: Sequence[VirtualService], name: str) -> list[VirtualService]:
    """The VirtualServices that would take a Host, those bound to the gateway first; one for sidecars alone if nothing else can be meant."""
    takers = [v for v in mesh.virtual_services if any(subset_of(name, h.name.lower()) for h in v.hosts)]
    meant = [v for v in takers if {*v.gateways} != {MESH}]
    return sorted(meant, key=lambda v: v not in bound) if bound or meant else takers


def _nothing_bound(mesh: Mesh, first: Server) -> Reason:
    """That nothing is bound to a server, or the route that is meant to be."""
    if first.noun == "server":
        return first.host_node, "no VirtualService is bound to this Gateway", first.gateway.manifest
    idle = next((v for v in mesh.virtual_services if v.unbound), None)
    if idle and idle.unbound:
        return idle.unbound.node, f"{idle.manifest} is attached to nothing: {idle.unbound.why}", idle.unbound.owner
    return first.host_node, "no route is attached to this listener", first.gateway.manifest


def _refused_taker(
    scope: GatewayScope, taker: VirtualService, bound: Iterable[tuple[Server, list[VirtualService]]], name: str
) -> Reason | None:
    """Why a VirtualService that would take the Host doesn't get it."""
    ours = [(s, seen) for s, seen in bound if s.gateway.name in taker.gateways]
    would = f"{taker.manifest} would take it, but"
    if taker.unbound:
        return taker.unbound.node, f"{would} {taker.unbound.why}", taker.unbound.owner
    if not ours:
        node = next(iter(taker.bindings.values()), taker.hosts[0].node)
        said, wanted = " and ".join(f"`{_called(g)}`" for g in taker.gateways), next(iter(bound))[0].gateway.name
        return node, f"{would} is bound to {said}, not to `{_called(wanted)}`", taker.manifest
    if not any(taker in seen for _, seen in ours):
        return taker.manifest.node["spec"]["exportTo"].at(0), f"{would} is not exported to the gateway's namespace", taker.manifest
    fitting = [s for s, _ in ours if _shares(s, taker, name)]
    if fitting:
        found = unruled(scope, fitting[0], taker)
        return (found[0], f"{would} has no rule left for it: {found[1]}", found[2]) if found else None
    first = ours[0][0]
    own = first.host_node_for(name)
    meant = dict(respelt_hosts(scope.mesh, first, taker)).get(own)
    said = f"{would} the Gateway's {first.noun} takes {few(f'`{node.text}`' for node in first.host_nodes)}" + (
        f": did you mean `{meant}`?" if meant else ""
    )
    return own, said, first.gateway.manifest


def respelt_hosts(mesh: Mesh, server: Server, service: VirtualService) -> Iterator[tuple[Node, str]]:
    """The hosts of a server for a namespace that there isn't, but that is called nearly like a VirtualService's, with that."""
    named = [(node, *node.text.rpartition("/")) for node in server.host_nodes]
    near = [
        (node, owner, host) for node, owner, _, host in named if owner != service.namespace and likeness(owner, service.namespace) >= TYPO
    ]
    known = {m.namespace for m in mesh.cluster.manifests()} | {m.name for m in mesh.cluster.of("Namespace", "")} if near else set()
    yield from ((node, f"{service.namespace}/{host}") for node, owner, host in near if owner not in known)


def _shares(server: Server, taker: VirtualService, name: str) -> bool:
    """Whether a server and a VirtualService have a host in common that covers a Host."""
    return any(subset_of(name, host.lower()) for host in server.shared(taker))


def _called(gateway: str) -> str:
    """A gateway as users know it: a listener of the Gateway API by its Gateway and its name."""
    return gateway.replace(LISTENER_MARK, "/")


@lru_cache(maxsize=65536)
def _likeness_but_for_suffix(host: str, other: str) -> float:
    """How much two hosts are alike; the suffix counts for little."""
    return SequenceMatcher(None, host.removesuffix(SUFFIX), other.lower().removesuffix(SUFFIX).lstrip("*")).ratio()


def misspelt_rewrite(loss: Loss) -> tuple[Remark, ...]:
    """At the Host that the source writes into a request the one that was probably meant, of those that the target's gateway takes.

    At most one remark; none where the gateway takes that Host with the other world's suffix, or without it.
    """
    written, table = _written_host(loss.way), reached(loss.end.scope).table(reached(loss.end.chain))
    if written is None:
        return ()
    name, node = without_port(written[0]).lower(), written[1]
    known = (host.domain.removesuffix(SUFFIX) for host in table if not is_wild(host.domain))
    found = max((host for host in known if host.count(".") == name.count(".")), key=lambda host: likeness(name, host), default="")
    typo = likeness(name, found) >= TYPO and not (table.pick(name) or table.pick(name + SUFFIX))
    said = f"the route writes this Host: did you mean `{found}`, a host of {loss.end.cluster}'s gateway?"
    return (Remark(node, said, loss.source),) if typo else ()


def _written_host(way: Way) -> tuple[str, Node] | None:
    """The Host that the last route of the source on a way writes, and where; None where none does, or its backends write several."""
    routes = (way.route, *(reached(end.route) for end in (way.first.ends if way.first else ())))
    hosts = [(host, node) for route in routes for host, node in authorities(route) if node]
    return hosts[-1] if hosts and len(authorities(routes[-1])) == 1 else None
