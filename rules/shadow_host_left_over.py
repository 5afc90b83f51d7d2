"""A `-shadow` host of the target that no shadow carries any more, as after an upgrade of the source to Istio 1.28."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.delivery.worlds import SUFFIX
from mirrorlint.istio.names import MESH, subset_of, without_port
from mirrorlint.rule import OFF, Flaw, Subject

LEVEL = OFF


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at the host."""
    ways = [(way, end) for judged in subject.judged for ways in judged.ways.values() for way in ways for end in way.ends]
    for cluster in dict.fromkeys(end.cluster for _, end in ways if end.scope):
        sent = {without_port(way.host).lower() for way, end in ways if end.cluster == cluster}
        for service in subject.delivery.meshes[cluster].virtual_services:
            for host in service.hosts if set(service.gateways) != {MESH} else ():
                if host.name.endswith(SUFFIX) and not any(subset_of(name, host.name.lower()) for name in sent):
                    message = f"no shadow has a Host such as `{host.node.text}`: the suffix comes from Istio up to 1.27"
                    yield Flaw(host.node.place, message, cluster, str(service.manifest))
