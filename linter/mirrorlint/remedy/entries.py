"""The ServiceEntry that a mirror lacks, where the target's ingress is known."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from mirrorlint.delivery.follow import Delivery
from mirrorlint.delivery.judged import judge
from mirrorlint.delivery.mesh import Mesh
from mirrorlint.delivery.upstream import PLAINTEXT, Address, Upstream
from mirrorlint.fleet import Manifest
from mirrorlint.istio.names import is_ip
from mirrorlint.istio.routing import Destination, Mirror
from mirrorlint.istio.services import DNS, STATIC, read_entry
from mirrorlint.kinds import NETWORKING
from mirrorlint.nearest import at_address, ingress_address, meant, misspelt_entry, strays
from mirrorlint.remedy import NO_EDITS, arrives, saves
from mirrorlint.remedy.corrections import likely_hosts
from mirrorlint.remedy.edited import edited
from mirrorlint.rule import DOCUMENT, REPLACE, Edit, Loss
from mirrorlint.source import Node, parse


def added(loss: Loss) -> tuple[Edit, ...]:
    """The entry with which all shadows of a mirror to an unknown host arrive; none if the registry has a host like it."""
    mirror, (host, port) = loss.judged.mirror, loss.way.target
    text = "" if mirror.destination.subset else missing(loss.delivery, loss.source, mirror, host, port)
    works = bool(text) and _suits(loss, manifest_of(text, mirror.destination.node))
    return (Edit(DOCUMENT, mirror.destination.node, (text,)),) if works else NO_EDITS


def missing(delivery: Delivery, source: str, mirror: Mirror, host: str, port: int) -> str:
    """The ServiceEntry for a mirror's host, as JSON; "" if another one is there for it, or nothing tells where it leads.

    That is one for a host like it, one that has the address, or one that Istio refuses.
    """
    mesh, address = delivery.meshes[source], ingress_address(delivery.meshes, source, host)
    own = host.endswith(f".svc.{mesh.domain}")
    known = own or host in mesh.services_by_host or meant(mesh, host) or likely_hosts(mesh, mirror.destination)
    there = at_address(mesh, address) or next(refused_entries(mesh, host), None)
    if known or there or not address or mesh.config.get("defaultServiceExportTo"):
        return ""
    text = json.dumps(_entry(mirror.owner, host, port, address))
    made = str(manifest_of(text, mirror.destination.node))
    return "" if any(str(other) == made for other in mesh.cluster.of("ServiceEntry")) else text


def manifest_of(text: str, node: Node) -> Manifest:
    """The object that an edit adds to a node's file."""
    return Manifest(parse(text.encode(), node.path).documents[0])


def respelt(loss: Loss) -> tuple[Edit, ...]:
    """The correction of an entry's host with which all shadows of a mirror arrive."""
    delivery, mirror = loss.delivery, loss.judged.mirror
    edit = correction(delivery.meshes, loss.source, mirror.destination)
    if edit is None or any(strays(loss.way.scope.mesh, loss.judged.service)):
        return NO_EDITS
    changed, _ = edited({name: mesh.cluster for name, mesh in delivery.meshes.items()}, [edit])
    again = judge(changed, delivery.of(changed), loss.source, loss.judged.ways, {mirror.key})
    return (edit,) if any(arrives(judged) for judged in again if judged.mirror.key == mirror.key) else NO_EDITS


def correction(meshes: Mapping[str, Mesh], source: str, destination: Destination) -> Edit | None:
    """The host that a mirror names, written at the only entry that is like it."""
    entry = misspelt_entry(meshes, source, destination.host)
    alone = entry is not None and likely_hosts(meshes[source], destination) == [entry.host]
    return Edit(REPLACE, entry.node, (destination.host,)) if entry and alone else None


def refused_entries(mesh: Mesh, host: str) -> Iterator[Manifest]:
    """The ServiceEntries for a host that Istio refuses."""
    entries = (manifest for manifest in mesh.admission.refused if manifest.kind == "ServiceEntry")
    return (entry for entry in entries if host in entry.node["spec"]["hosts"].texts)


def _entry(owner: Manifest, host: str, port: int, address: str) -> dict[str, object]:
    """A ServiceEntry beside a mirror's VirtualService or route."""
    namespace, version = owner.node["metadata"]["namespace"].text, owner.node["apiVersion"].text
    protocol = "GRPC" if owner.kind == "GRPCRoute" else "HTTP"
    spec = {
        "hosts": [host],
        "ports": [{"number": port, "name": protocol.lower(), "protocol": protocol}],
        "location": "MESH_EXTERNAL",
        "resolution": STATIC if is_ip(address) else DNS,
        **({"endpoints": [{"address": address}]} if address != host else {}),
    }
    metadata = {"name": host, **({"namespace": namespace} if namespace else {})}
    return {
        "apiVersion": version if owner.group == NETWORKING else f"{NETWORKING}/v1",
        "kind": "ServiceEntry",
        "metadata": metadata,
        "spec": spec,
    }


def _suits(loss: Loss, manifest: Manifest) -> bool:
    """Whether with the entry all shadows arrive, as plain text, which no DestinationRule changes."""
    (service,) = read_entry(manifest)
    host = service.endpoints[0].address if service.endpoints else service.host
    address = Address(host, service.ports[0].number, loss.judged.mirror.destination.node)
    upstream = Upstream(service, service.ports[0], None, (address,), PLAINTEXT, "", None, service.node["tls"])
    ruled = any(way.scope.rule_for(service) for way in loss.judged.every_way())
    alike = all(way.target == loss.way.target for way in loss.judged.every_way())
    return alike and not ruled and saves(loss, lambda way: loss.delivery.ends(way, upstream))
