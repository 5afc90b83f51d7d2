"""The ServiceEntry that a mirror lacks, where the target's ingress is known."""

from __future__ import annotations

import json

from mirrorlint.delivery.follow import Delivery
from mirrorlint.delivery.upstream import PLAINTEXT, Address, Upstream
from mirrorlint.fleet import Manifest
from mirrorlint.istio.names import is_ip
from mirrorlint.istio.services import DNS, STATIC, read_entry
from mirrorlint.nearest import host_remarks
from mirrorlint.remedy import NO_EDITS, saves, ways
from mirrorlint.remedy.corrections import likely_hosts
from mirrorlint.rule import DOCUMENT, Edit, Loss
from mirrorlint.source import parse


def added(loss: Loss, delivery: Delivery) -> tuple[Edit, ...]:
    """The entry with which all shadows of a mirror to an unknown host arrive; none if the registry has a host like it."""
    (host, port), scope, destination = loss.way.target, loss.way.scope, loss.judged.mirror.destination
    address = _address(delivery, loss.source, host)
    own = host.endswith(f".svc.{scope.mesh.domain}")
    known = own or scope.service(host) or host_remarks(scope, host) or likely_hosts(scope.mesh, destination)
    if known or not address or destination.subset or scope.mesh.config.get("defaultServiceExportTo"):
        return NO_EDITS
    text = json.dumps(_entry(loss.judged.mirror.owner, host, port, address))
    manifest = Manifest(parse(text.encode(), destination.node.path).documents[0])
    taken = any(str(other) == str(manifest) for other in scope.mesh.cluster.of("ServiceEntry"))
    works = not taken and _suits(loss, delivery, manifest, Address(address, port, destination.node))
    return (Edit(DOCUMENT, destination.node, (text,)),) if works else NO_EDITS


def _address(delivery: Delivery, source: str, host: str) -> str:
    """Where the target's ingress is reached: at the mirror's host, else at the only address of the only other cluster; "" if unknown."""
    others = [mesh.ingress_addresses for name, mesh in delivery.meshes.items() if name != source]
    if any(host in addresses for addresses in others):
        return host
    return next(iter(others[0])) if len(others) == 1 and len(others[0]) == 1 else ""


def _entry(owner: Manifest, host: str, port: int, address: str) -> dict[str, object]:
    """A ServiceEntry beside a mirror's VirtualService."""
    namespace = owner.node["metadata"]["namespace"].text
    spec = {
        "hosts": [host],
        "ports": [{"number": port, "name": "http", "protocol": "HTTP"}],
        "location": "MESH_EXTERNAL",
        "resolution": STATIC if is_ip(address) else DNS,
        **({"endpoints": [{"address": address}]} if address != host else {}),
    }
    metadata = {"name": host, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": owner.node["apiVersion"].text, "kind": "ServiceEntry", "metadata": metadata, "spec": spec}


def _suits(loss: Loss, delivery: Delivery, manifest: Manifest, address: Address) -> bool:
    """Whether with the entry all shadows arrive, as plain text, which no DestinationRule changes."""
    (service,) = read_entry(manifest)
    upstream = Upstream(service, service.ports[0], False, (address,), PLAINTEXT, "", None, service.node["tls"])
    ruled = any(way.scope.mesh.rule_for(service, way.scope.namespace, way.scope.labels) for way in ways(loss))
    alike = all(way.target == loss.way.target for way in ways(loss))
    return alike and not ruled and saves(loss, delivery, lambda way: delivery.ends(way, upstream))
