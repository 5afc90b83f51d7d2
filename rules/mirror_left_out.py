"""A mirror of the Gateway API whose backend Istio does not take: it leaves the mirror out, and the requests themselves don't show it."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.delivery.mesh import Mesh
from mirrorlint.istio.routing import Mirror
from mirrorlint.nearest import near
from mirrorlint.remedy.left_out import is_left_out, restoring
from mirrorlint.rule import Flaw, Remark, Subject


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at what Istio does not take of the backend, else at its name."""
    fixes = restoring(subject)
    for judged in filter(is_left_out, subject.judged):
        mirror = judged.mirror
        message, remarks = f"Istio leaves this mirror out: {mirror.why}", _remarks(mirror, subject.delivery.meshes[judged.cluster])
        place = (mirror.destination.fault or mirror.destination.host_node).place
        flaw = Flaw(place, message, judged.cluster, str(mirror.owner), remarks)
        yield flaw._replace(fix=fixes.get(mirror.owner, ()))


def _remarks(mirror: Mirror, mesh: Mesh) -> tuple[Remark, ...]:
    """A grant that nearly lets it, the host in another namespace, or one that is called almost alike."""
    host, close = mirror.destination.host, mirror.destination.near
    if close:
        return (Remark(*close, mesh.cluster.name),)
    known = mesh.services_by_host.get(host, [])
    if not known:
        return near(mesh, host, mirror.destination.host_node.text) if host else ()
    if any(service.namespace == mirror.owner.namespace for service in known):
        return ()
    return (Remark(known[0].node, f"{known[0].manifest} has it, but a route finds hosts of its own namespace only", mesh.cluster.name),)
