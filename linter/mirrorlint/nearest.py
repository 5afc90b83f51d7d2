"""What comes nearest to what is missing: the entry, server or VirtualService that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from functools import lru_cache

from mirrorlint.delivery.absence import Absence
from mirrorlint.delivery.discovery import left_out
from mirrorlint.delivery.follow import authorities
from mirrorlint.delivery.gateway import GatewayScope
from mirrorlint.delivery.ingress import landing
from mirrorlint.delivery.mesh import Mesh, kept
from mirrorlint.delivery.scope import Scope
from mirrorlint.delivery.sidecar import SidecarScope
from mirrorlint.delivery.way import Way, reached
from mirrorlint.delivery.worlds import SUFFIX
from mirrorlint.fleet import NO_SETTINGS
from mirrorlint.istio.gateway import Server
from mirrorlint.istio.listeners import LISTENER_MARK
from mirrorlint.istio.names import MESH, is_wild, known_as, subset_of, without_port
from mirrorlint.istio.routing import Host, VirtualService
from mirrorlint.istio.services import Service
from mirrorlint.likeness import TYPO, likeness
from mirrorlint.rule import MOST, Loss, Reason, Remark, few
from mirrorlint.source import Node
from mirrorlint.unapplied import of_subset
from mirrorlint.unruled import unruled


def remarks(scope: Scope, missing: Absence) -> tuple[Remark, ...]:
    """What is there instead of what a destination asks for: the service that lacks it, what hides it, or a host of almost that name."""
    if missing.there is None:
        hidden = scope.mesh.services_by_host.get(missing.asked)
        return _hiding(scope, hidden) if hidden else near(scope.mesh, missing.asked, missing.node.text)
    found = of_subset(scope, missing.service, missing.subset) if missing.service and missing.subset else ()
    return found or (Remark(missing.there, missing.has, scope.mesh.cluster.name),)


def _hiding(scope: Scope, hidden: Sequence[Service]) -> tuple[Remark, ...]:
    """What hides services from a proxy: their `exportTo`, else its Sidecar."""
    cluster = scope.mesh.cluster.name
    if not any(scope.sees(service) for service in hidden):
        return (Remark(hidden[0].export_node, f"not exported to namespace `{scope.namespace}`", cluster),)
    if not isinstance(scope, SidecarScope) or scope.sidecar is None:
        return ()
    manifest, egress = scope.sidecar.manifest, scope.sidecar.manifest.node["spec"]["egress"]
    naming = (place for place, listener in enumerate(scope.listeners) if any(map(listener.names, hidden)))
    port = egress.at(next(naming, -1))["port"]["number"]
    if port:
        return (Remark(port, f"{manifest} imports it for port {port.text} alone", cluster),)
    return (Remark(egress.at(0)["hosts"].at(0), f"{manifest} does not import it", cluster),)


def ingress_remarks(meshes: Mapping[str, Mesh], source: str, host: str) -> tuple[Remark, ...]:
    """At a host that is none of the registry's the entry that leads to the target's ingress, or was meant to: at most one remark."""
    mesh = meshes[source]
    entry = None if host in mesh.services_by_host else misspelt_entry(meshes, source, host)
    if entry:
        return (Remark(entry.node, f"did you mean `{host}`, which is {ingress_of(meshes, source, host)}'s ingress?", source),)
    address = "" if meant(mesh, host) else ingress_address(meshes, source, host)
    there = at_address(mesh, address)
    return (Remark(there.node, f"did you mean `{there.host}`, which leads to the ingress at {address}?", source),) if there else ()


def misspelt_entry(meshes: Mapping[str, Mesh], source: str, host: str) -> Service | None:
    """The ServiceEntry whose own host is misspelt where a mirror's is right: that one is a known ingress, and nothing names the entry's."""
    mesh = meshes[source]
    entry = (meant(mesh, host) or (None,))[0] if ingress_of(meshes, source, host) else None
    if entry is None or entry.kubernetes or likeness(host, entry.host) < TYPO or ingress_of(meshes, source, entry.host):
        return None
    rules = [rule for service in mesh.virtual_services for rule in service.rules]
    named = {backend.destination.host for rule in rules for backend in rule.backends}
    named |= {mirror.destination.host for rule in rules for mirror in rule.mirrors}
    named |= {host.name for service in mesh.virtual_services for host in service.hosts}
    return None if entry.host in named else entry


def ingress_of(meshes: Mapping[str, Mesh], source: str, host: str) -> str:
    """The other cluster at whose ingress a host is known to be, spelt as it is known there; "" for none."""
    found = landing(meshes, source, host, host)
    return "" if found.assumed or found.cluster == source or host != known_as(host) else found.cluster


def ingress_address(meshes: Mapping[str, Mesh], source: str, host: str) -> str:
    """Where the target's ingress is reached: at a mirror's host, else at the only address of the only other cluster; "" if unknown."""
    others = [mesh.entrances for name, mesh in meshes.items() if name != source]
    if any(entrances.known(host) for entrances in others):
        return host
    addresses = list(others[0].addresses) if len(others) == 1 else []
    return addresses[0] if len(addresses) == 1 and not is_wild(addresses[0]) else ""


def at_address(mesh: Mesh, address: str) -> Service | None:
    """The ServiceEntry that leads to an address."""
    entries = (service for service in mesh.services if address and not service.kubernetes)
    return next((each for each in entries if address in (known_as(e.address) for e in mesh.endpoints(each)) or each.host == address), None)


def near(mesh: Mesh, host: str, written: str) -> tuple[Remark, ...]:
    """What a host was probably meant to be, named as the host is written: at most one remark."""
    found = meant(mesh, host)
    if found is None:
        return ()
    service, why = found
    return (Remark(service.node, why.replace(f"`{service.host}`", _as(service, host, written)), mesh.cluster.name),)


def _as(service: Service, host: str, written: str) -> str:
    """What a service is called where a host is written: by its bare name where that is, which no `backendRef` takes another one for."""
    (own, _, ours), (name, _, theirs) = host.partition("."), service.host.partition(".")
    if not (service.kubernetes and ours and written == own):
        return f"`{service.host}`"
    return f"`{name}`" if ours == theirs else f"`{name}` in namespace `{service.namespace}`"


def strays(mesh: Mesh, service: VirtualService) -> Iterator[tuple[Host, Service, str]]:
    """The hosts of a VirtualService for sidecars that are no service, each with the one of nearly that name, and why it isn't that."""
    for host in service.hosts if MESH in service.gateways else ():
        near = None if is_wild(host.name) or host.name.lower() in mesh.services_by_host else meant(mesh, host.name)
        if near and near[0].kubernetes:
            yield host, *near


def other_namespace(mesh: Mesh, service: VirtualService) -> tuple[Remark, ...]:
    """At a stray VirtualService's own namespace the one that was probably meant: all its short names are Services there, and none here.

    A name without a dot is expanded with the VirtualService's namespace (pilot/pkg/model/config.go:ResolveShortnameToFQDN).
    """
    used = {backend.destination.node["host"].text for rule in service.rules for backend in rule.backends}
    short = {name for name in used if name and "." not in name}
    for host, near, _ in strays(mesh, service) if short else ():
        names = {*short, host.node.text}
        there, here = ({f"{name}.{where}.svc.{mesh.domain}" for name in names} for where in (near.namespace, service.namespace))
        if there <= mesh.services_by_host.keys() and here.isdisjoint(mesh.services_by_host):
            node = service.manifest.node["metadata"]["namespace"]
            return (Remark(node, f"did you mean `metadata.namespace: {near.namespace}`?", mesh.cluster.name),)
    return ()


@kept
def meant(mesh: Mesh, host: str) -> tuple[Service, str] | None:
    """The service that a host was probably meant to be, and why it isn't; asked for the same one by many a mirror."""
    return next(iter(_variants(mesh, host)), None)


def _variants(mesh: Mesh, host: str) -> Iterable[tuple[Service, str]]:
    known, overlooked = mesh.services_by_host, mesh.overlooked(host)
    if overlooked:
        yield overlooked, f"{overlooked.manifest} {left_out(overlooked.manifest)}"
    for full in full_names(mesh, host):
        yield known[full][0], f"its full name is `{full}`: a name with a dot is not expanded"
    own, of_service, _ = host.partition(".svc.")
    full = f"{own}{of_service}{mesh.domain}"
    if of_service and full in known and mesh.domain != NO_SETTINGS.domain:  # else the cluster may have the other domain, and nobody says so
        yield known[full][0], f"the cluster's domain is `{mesh.domain}`: did you mean `{full}`?"
    for name, services in known.items():
        if name.lower() == host.lower():
            yield services[0], f"`{name}` differs in case, which counts here"
        if "." not in name and host.partition(".")[0] == name:
            yield services[0], f"a mirror's short name becomes `{host}`, an entry's stays `{name}`"
    yield from _elsewhere(mesh, host)
    nearest = max(known, key=lambda name: likeness(host, name), default="")
    if known and likeness(host, nearest) >= TYPO:
        yield known[nearest][0], f"did you mean `{nearest}`?"
    for name, services in known.items():
        if is_wild(name) and subset_of(host, name):
            yield services[0], f"the wildcard entry `{name}` gives a mirror no upstream"


def full_names(mesh: Mesh, host: str) -> list[str]:
    """The hosts of the registry that an abbreviated one stands for."""
    return [name for name in (f"{host}.svc.{mesh.domain}", f"{host}.{mesh.domain}") if name in mesh.services_by_host]


def _elsewhere(mesh: Mesh, host: str) -> Iterable[tuple[Service, str]]:
    """The Kubernetes Services of that name in other namespaces than the host says, if it says one."""
    short, dot, rest = host.partition(".")
    for service in mesh.services if (dot + rest).endswith(f".svc.{mesh.domain}") else ():
        if service.kubernetes and service.manifest.name == short:
            yield service, f"`{short}` is in namespace `{service.namespace}`"


def server(servers: Iterable[Server], port: int, host: str) -> Server | None:
    """The Gateway server that was probably meant for a port and a Host: one that takes the Host, then the closest number."""
    name = without_port(host).lower()
    return min(servers, key=lambda s: (not any(subset_of(name, h) for h in s.sni_hosts()), abs(s.number - port)), default=None)


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


def refusal(scope: GatewayScope, servers: Sequence[Server], host: str) -> Reason:
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
    for taker in _takers(scope.mesh, services, name):
        found = _refused_taker(scope, taker, bound, name)
        if found:
            return found
    if services:
        nearest = max(services, key=lambda v: max(_likeness_but_for_suffix(name, h.name) for h in v.hosts))
        own = dict.fromkeys(host for service in services if service.manifest is nearest.manifest for host in service.hosts)
        hosts = sorted(own, key=lambda host: -_likeness_but_for_suffix(name, host.name)) if len(own) > MOST else own
        return nearest.hosts[0].node, f"{nearest.manifest} takes {few(map(named, hosts))}", nearest.manifest
    return _nothing_bound(scope.mesh, servers[0])


def overlooked_taker(scope: GatewayScope, servers: Sequence[Server], host: str) -> Reason | None:
    """What would give a shadow's Host a virtual host on the port of some servers if the control plane looked at its namespace."""
    mesh = scope.mesh
    if not mesh.discovery.limited:
        return None
    name = without_port(host).lower()
    gateways = GatewayScope(mesh.unlimited, scope.namespace, scope.labels, mesh.cluster.settings.ingress).gateways
    near = [server for gateway in gateways for server in gateway.servers if server.number == servers[0].number]
    for taker in _takers(mesh.unlimited, (), name):
        serving = (s.gateway.manifest for s in near if s.gateway.name in taker.gateways and _shares(s, taker, name))
        for manifest in (each for gateway in serving for each in (taker.manifest, gateway) if not mesh.discovery.takes(each)):
            whose = "" if manifest is taker.manifest else f"{manifest} for it "
            return manifest.node["metadata"]["namespace"], f"{taker.manifest} would take it, but {whose}{left_out(manifest)}", manifest
    return None


def _takers(mesh: Mesh, bound: Sequence[VirtualService], name: str) -> list[VirtualService]:
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


def named(host: Host) -> str:
    """A host as it is written, and what that stands for."""
    written = host.node.text or host.name
    return f"`{written}`" + (f" (that is `{host.name}`)" if host.name != written else "")


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
