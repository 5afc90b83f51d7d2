"""Two VirtualServices for one host: the older one counts, and manifests don't tell which that is."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.delivery.judged import rivals_at_gateways
from mirrorlint.delivery.ties import ties
from mirrorlint.level import WARNING
from mirrorlint.rule import Flaw, Remark, Subject

LEVEL = WARNING


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at the shared host in the one that mirrors, at gateways at its first one."""
    for cluster, mesh in subject.own():
        for pair in ties(mesh):
            mirroring, other = sorted(pair, key=lambda service: not any(rule.mirrors for rule in service.rules))
            names = {host.name.lower(): host.node for host in other.hosts}
            host = next(host for host in mirroring.hosts if host.name.lower() in names)
            remark = Remark(names[host.name.lower()], "the same host", cluster)
            undecided = "sidecars use only the older of the two, and manifests don't tell which that is"
            message = f"{other.manifest} is for `{host.node.text}`, too: {undecided}"
            yield Flaw(host.node.place, message, cluster, str(mirroring.manifest), (remark,))
    rivals = {(judged.service, other): judged for judged in subject.for_each() for other in rivals_at_gateways(subject.delivery, judged)}
    for (service, other), judged in rivals.items():
        undecided = "a gateway asks the rules of the older of the two first, and manifests don't tell which that is"
        message = f"{other.manifest} takes requests for the mirror's rule, too: {undecided}"
        remark = Remark(other.hosts[0].node, "the other one", judged.cluster)
        yield Flaw(service.hosts[0].node.place, message, judged.cluster, str(service.manifest), (remark,))
