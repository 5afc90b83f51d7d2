"""AuthorizationPolicies of the pods that the target's gateway sends the shadow to, which do not let it through: 403."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.delivery.inbound import receptions
from mirrorlint.delivery.policy import Arriving
from mirrorlint.delivery.way import reached
from mirrorlint.level import WARNING
from mirrorlint.rule import Flaw, Remark, Subject
from mirrorlint.source import Node

LEVEL = WARNING


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at what denies, or at what those that allow ask for first."""
    said: set[Node] = set()
    for judged, end, found in receptions(subject.delivery, subject.judged):
        if found.verdict.allowed is False and (node := reached(found.verdict.node)) not in said:
            said.add(node)
            policy = reached(found.verdict.policy)
            why = f"allowed by no rule of {policy}" if found.verdict.lacks_allow else f"denied by {policy}"
            fate = f"{end.cluster}'s gateway takes the shadow, and the sidecars behind {found.service.manifest} answer it 403"
            message = f"{fate}: {_shown(found.shadow)} is {why}"
            remarks = [Remark(judged.mirror.destination.host_node, "the shadows of this mirror go there", judged.cluster)]
            if found.plain:
                remarks.append(Remark(found.plain.node, "so the gateway sends plain text, which shows no certificate", end.cluster))
            yield Flaw(node.place, message, end.cluster, str(policy), tuple(remarks), doubtful=found.verdict.lacks_allow)


def _shown(shadow: Arriving) -> str:
    """What policies are asked about, in words."""
    host, client = f"Host `{shadow.host}`", shadow.client
    if client is None or not client.namespace:
        return host if client else f"{host}, without a certificate,"
    account = f", service account `{client.account}`" if client.account else ""
    return f"{host} from the gateway (namespace `{client.namespace}`{account})"
