"""What comes nearest to what is missing: the service, entry or server that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from mirrorlint.delivery.absence import Absence
from mirrorlint.delivery.discovery import left_out
from mirrorlint.delivery.ingress import landing
from mirrorlint.delivery.mesh import Mesh, kept
from mirrorlint.delivery.scope import Scope
from mirrorlint.delivery.sidecar import SidecarScope
from mirrorlint.fleet import NO_SETTINGS
from mirrorlint.istio.gateway import Server
from mirrorlint.istio.names import MESH, is_wild, known_as, subset_of, without_port
from mirrorlint.istio.routing import Host, VirtualService
from mirrorlint.istio.services import Service
from mirrorlint.likeness import TYPO, likeness
from mirrorlint.rule import Remark
from mirrorlint.unapplied import of_subset


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
