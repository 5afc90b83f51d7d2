"""A mirroring VirtualService for sidecars whose host is no service, although one of nearly that name is there."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.istio.names import MESH, is_wild
from mirrorlint.level import WARNING
from mirrorlint.nearest import meant
from mirrorlint.rule import Flaw, Remark, Subject

LEVEL = WARNING


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at the host, and note the service that was probably meant."""
    services = {judged.service.manifest: (judged.cluster, judged.service) for judged in subject.judged}
    for cluster, service in services.values():
        mesh = subject.delivery.meshes[cluster]
        for host in service.hosts if MESH in service.gateways else ():
            near = None if is_wild(host.name) or host.name.lower() in mesh.services_by_host else meant(mesh, host.name)
            if near and near[0].kubernetes:
                said = f"`{host.node.text}`" + (f" (that is `{host.name}`)" if host.name != host.node.text else "")
                little = "at most requests to port 80 with that very Host are mirrored"
                message = f"{said} is no service of {cluster}: of what is sent to {near[0].manifest} {little}"
                remark = Remark(near[0].node, near[1], cluster)
                yield Flaw(host.node.place, message, cluster, str(service.manifest), (remark,))
