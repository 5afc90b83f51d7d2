"""NetworkPolicies of the source that keep its pods from sending shadows out of the cluster, in which their requests stay."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.delivery.ending import named
from mirrorlint.delivery.network_policy import blocked
from mirrorlint.level import WARNING
from mirrorlint.rule import Flaw, Remark, Subject, few

LEVEL = WARNING


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at what comes nearest to letting the shadows out: the ports of a rule, else the rules of a policy that isolates the pods."""
    for found in blocked(subject.delivery, subject.judged):
        host, cluster = found.judged.mirror.destination.host_node, found.judged.cluster
        where = few(f"`{namespace}`" for namespace in found.namespaces)
        address = named((found.address.host, found.address.port))
        fate = "the shadows of requests from there are dropped" if found.others else "its shadows are dropped"
        message = f"no NetworkPolicy lets the pods of namespace {where} send to `{address}`, where this mirror leads: {fate}"
        sent = Remark(host, "the shadows of this mirror go there", cluster)
        same = Remark(host, "the same holds for this mirror", cluster)
        yield Flaw(found.node.place, message, cluster, str(found.policy), (sent,), likewise=same, doubtful=True)
