"""The ServiceEntry that a mirror lacks, where the target's ingress is known."""

from __future__ import annotations

import json

from mirrorlint.delivery.follow import Delivery
from mirrorlint.delivery.upstream import PLAINTEXT, Address, Upstream
from mirrorlint.fleet import Manifest
from mirrorlint.istio.names import is_ip
from mirrorlint.istio.routing import Mirror
from mirrorlint.istio.services import DNS, STATIC, read_entry
from mirrorlint.kinds import NETWORKING
from mirrorlint.nearest import meant
from mirrorlint.remedy import NO_EDITS, saves
from mirrorlint.remedy.corrections import likely_hosts
from mirrorlint.rule import DOCUMENT, Edit, Loss
from mirrorlint.source import Node, parse


def added(loss: Loss, delivery: Delivery) -> tuple[Edit, ...]:
    """The entry with which all shadows of a mirror to an unknown host arrive; none if the registry has a host like it."""
    mirror, (host, port) = loss.judged.mirror, loss.way.target
    text = "" if mirror.destination.subset else missing(delivery, loss.source, mirror, host, port)
    works = bool(text) and _suits(loss, delivery, manifest_of(text, mirror.destination.node))
    return (Edit(DOCUMENT, mirror.destination.node, (text,)),) if works else NO_EDITS


def missing(delivery: Delivery, source: str, mirror: Mirror, host: str, port: int) -> str:
    """The ServiceEntry for a mirror's host, as JSON; "" if the registry has a host like it, or nothing tells where it leads."""
    mesh, address = delivery.meshes[source], _address(delivery, source, host)
    own = host.endswith(f".svc.{mesh.domain}")
    known = own or host in mesh.services_by_host or meant(mesh, host) or likely_hosts(mesh, mirror.destination)
    if known or not address or mesh.config.get("defaultServiceExportTo"):
        return ""
    text = json.dumps(_entry(mirror.owner, host, port, address))
    made = str(manifest_of(text, mirror.destination.node))
    return "" if any(str(other) == made for other in mesh.cluster.of("ServiceEntry")) else text


def manifest_of(text: str, node: Node) -> Manifest:
    """The object that an edit adds to a node's file."""
    return Manifest(parse(text.encode(), node.path).documents[0])


def _address(delivery: Delivery, source: str, host: str) -> str:
    """Where the target's ingress is reached: at the mirror's host, else at the only address of the only other cluster; "" if unknown."""
    others = [mesh.entrances.addresses for name, mesh in delivery.meshes.items() if name != source]
    if any(host in addresses for addresses in others):
        return host
    return next(iter(others[0])) if len(others) == 1 and len(others[0]) == 1 else ""


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


def _suits(loss: Loss, delivery: Delivery, manifest: Manifest) -> bool:
    """Whether with the entry all shadows arrive, as plain text, which no DestinationRule changes."""
    (service,) = read_entry(manifest)
    host = service.endpoints[0].address if service.endpoints else service.host
    address = Address(host, service.ports[0].number, loss.judged.mirror.destination.node)
    upstream = Upstream(service, service.ports[0], False, (address,), PLAINTEXT, "", None, service.node["tls"])
    ruled = any(way.scope.rule_for(service) for way in loss.judged.every_way())
    alike = all(way.target == loss.way.target for way in loss.judged.every_way())
    return alike and not ruled and saves(loss, delivery, lambda way: delivery.ends(way, upstream))
