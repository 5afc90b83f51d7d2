"""A mirroring VirtualService for sidecars whose host is no service, although one of nearly that name is there."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.level import WARNING
from mirrorlint.nearest import other_namespace, strays
from mirrorlint.rule import Flaw, Remark, Subject

LEVEL = WARNING


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at the host, and note the service that was probably meant."""
    services = {judged.service.manifest: (judged.cluster, judged.service) for judged in subject.for_each()}
    for cluster, service in services.values():
        mesh = subject.delivery.meshes[cluster]
        for host, near, why in strays(mesh, service):
            little = "at most requests to port 80 with that very Host are mirrored"
            message = f"{host.phrase} is no service of {cluster}: of what is sent to {near.manifest} {little}"
            remarks = (Remark(near.node, why, cluster), *other_namespace(mesh, service))
            yield Flaw(host.node.place, message, cluster, str(service.manifest), remarks)
