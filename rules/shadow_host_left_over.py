"""A `-shadow` host of the target that no shadow carries any more, as after an upgrade of the source to Istio 1.28."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.delivery.mesh import Mesh
from mirrorlint.delivery.worlds import SUFFIX
from mirrorlint.fleet import Manifest
from mirrorlint.istio.names import MESH, subset_of, without_port
from mirrorlint.level import OFF
from mirrorlint.rule import Flaw, Remark, Subject
from mirrorlint.source import Node

LEVEL = OFF


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at the host, in a VirtualService or a Gateway."""
    ends = [(judged, way, end) for judged in subject.judged for way in judged.every_way() for end in way.ends if end.scope]
    for cluster in dict.fromkeys(end.cluster for _, _, end in ends):
        sent: dict[str, Remark] = {}
        for judged, way, end in (each for each in ends if each[2].cluster == cluster):
            name, sni = without_port(end.authority).lower(), way.upstream.sni_for(end.authority) if way.upstream else ""
            sent |= {said: Remark(judged.mirror.destination.host_node, f"these have Host `{name}`", judged.cluster) for said in (name, sni)}
        for host, name, manifest in _hosts(subject.delivery.meshes[cluster]):
            if name.endswith(SUFFIX) and not any(subset_of(said, name) for said in sent):
                near = sent.get(name.removesuffix(SUFFIX)) or next(iter(sent.values()))
                message = f"no shadow has a Host such as `{host.text}`: only Istio up to 1.27 puts the suffix behind it"
                yield Flaw(host.place, message, cluster, str(manifest), (near,))


def _hosts(mesh: Mesh) -> Iterator[tuple[Node, str, Manifest]]:
    """The hosts that gateways serve or may serve, in lower case."""
    for service in mesh.virtual_services:
        yield from ((host.node, host.name.lower(), service.manifest) for host in service.hosts if set(service.gateways) != {MESH})
    for server in mesh.servers:
        yield from ((host, host.text.rpartition("/")[2].lower(), server.gateway.manifest) for host in server.node["hosts"])
