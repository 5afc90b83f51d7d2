"""A mirror of the Gateway API whose backend Istio does not take: it leaves the mirror out, and the requests themselves don't show it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mirrorlint.delivery.mesh import Mesh
from mirrorlint.istio.routing import Mirror
from mirrorlint.nearest import ingress_remarks, near
from mirrorlint.remedy.entries import refused_entries
from mirrorlint.remedy.left_out import is_left_out, restoring
from mirrorlint.rule import REFUSED, Flaw, Remark, Subject, cause_of
from mirrorlint.source import Node


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at what Istio does not take of the backend, else at its name."""
    fixes = restoring(subject)
    for judged in filter(is_left_out, subject.judged):
        mirror = judged.mirror
        message, remarks = f"Istio leaves this mirror out: {mirror.why}", _remarks(mirror, subject.delivery.meshes, judged.cluster)
        place = (mirror.destination.fault or mirror.destination.host_node).place
        flaw = Flaw(place, message, judged.cluster, str(mirror.owner), remarks, doubtful=True)
        lost = Remark(mirror.destination.host_node, "so the shadows of this mirror are lost", judged.cluster)
        refused = _refused(mirror, subject.delivery.meshes[judged.cluster])
        if refused:
            yield flaw._replace(cause=cause_of(REFUSED, refused.place), likewise=lost)
        else:
            yield flaw._replace(fix=fixes.get(mirror.owner, ()))


def _refused(mirror: Mirror, mesh: Mesh) -> Node | None:
    """What Istio refuses of the entry that a mirror lacks for that."""
    near = (entry for entry in refused_entries(mesh, mirror.destination.host) if entry.namespace == mirror.owner.namespace)
    return next((mesh.admission.refused[entry][0].node for entry in near), None)


def _remarks(mirror: Mirror, meshes: Mapping[str, Mesh], cluster: str) -> tuple[Remark, ...]:
    """A grant that nearly lets it, the host in another namespace, or one that is called almost alike."""
    mesh, host, close = meshes[cluster], mirror.destination.host, mirror.destination.near
    if close:
        return (Remark(*close, cluster),)
    known = mesh.services_by_host.get(host, [])
    if not known:
        there = ingress_remarks(meshes, cluster, host) if host else ()
        return there or (near(mesh, host, mirror.destination.host_node.text) if host else ())
    if any(service.namespace == mirror.owner.namespace for service in known):
        return ()
    return (Remark(known[0].node, f"{known[0].manifest} has it, but a route finds hosts of its own namespace only", cluster),)
