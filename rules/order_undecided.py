"""Two objects for the same: the older one counts, and manifests don't tell which that is."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.delivery.ending import ending
from mirrorlint.delivery.judged import rivals_at_gateways
from mirrorlint.delivery.ties import ties
from mirrorlint.delivery.undecided import Undecided, undecided
from mirrorlint.delivery.way import LOST
from mirrorlint.level import WARNING
from mirrorlint.rule import Flaw, Remark, Subject

LEVEL = WARNING


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at the shared host in the one that mirrors, at gateways at its first one; of other objects at what loses shadows if older."""
    for cluster, mesh in subject.own():
        for pair in ties(mesh):
            mirroring, other = sorted(pair, key=lambda service: not any(rule.mirrors for rule in service.rules))
            names = {host.name.lower(): host.node for host in other.hosts}
            host = next(host for host in mirroring.hosts if host.name.lower() in names)
            remark = Remark(names[host.name.lower()], "the same host", cluster)
            order = "sidecars use only the older of the two, and manifests don't tell which that is"
            message = f"{other.manifest} is for `{host.node.text}`, too: {order}"
            yield Flaw(host.node.place, message, cluster, str(mirroring.manifest), (remark,))
    rivals = {(judged.service, other): judged for judged in subject.for_each() for other in rivals_at_gateways(subject.delivery, judged)}
    for (service, other), judged in rivals.items():
        order = "a gateway asks the rules of the older of the two first, and manifests don't tell which that is"
        message = f"{other.manifest} takes requests for the mirror's rule, too: {order}"
        remark = Remark(other.hosts[0].node, "the other one", judged.cluster)
        yield Flaw(service.hosts[0].node.place, message, judged.cluster, str(service.manifest), (remark,))
    for found in undecided(subject.documents.clusters, subject.delivery, subject.judged):
        yield _losing(found)


def _losing(found: Undecided) -> Flaw:
    """Point at what the object is for; note the other one, where the shadow then ends, and the mirror."""
    oldest, other, way = found.oldest, found.other, found.way
    lost = "shadows are lost" if way else "requests are not mirrored"
    order = f"manifests don't tell which of them is the oldest: if {oldest.manifest} is, {lost}"
    message = f"{other.manifest} is for {oldest.what}, too, and {order}"
    ended = (ending(way, end) for end in way.ends if end.outcome == LOST) if way else ()
    mirror = Remark(found.judged.mirror.destination.host_node, "this mirror is concerned", found.judged.cluster)
    remarks = (
        Remark(other.node, "the other one", found.judged.cluster),
        *(Remark(node, words, where) for node, where, words in ended),
        mirror,
    )
    return Flaw(oldest.node.place, message, found.judged.cluster, str(oldest.manifest), remarks, likewise=mirror)
