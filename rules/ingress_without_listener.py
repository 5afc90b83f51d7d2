"""A port at which nothing listens at the target's ingress gateway: the shadow's connection is refused."""

from __future__ import annotations

from mirrorlint.delivery import reason
from mirrorlint.delivery.way import reached
from mirrorlint.rule import Flaw, Loss, Remark
from mirrorlint.unheard import unheard

REASONS = (reason.NO_LISTENER,)


def check(loss: Loss) -> Flaw:
    """Point at the port of the Gateway server that was probably meant, or at what shuts it out; at the mirror where there is none."""
    cluster, address = loss.end.cluster, reached(loss.end.address)
    lost = f"nothing listens on port {address.port} of {cluster}'s gateway: the shadow is refused"
    found = unheard(reached(loss.end.scope), address, loss.way.host)
    if found is None:
        return loss.at_source(loss.judged.mirror.destination.host_node, f"{lost}; {cluster} has no Gateway that Istio accepts")
    node, why, owner = found
    dialled = Remark(address.node, f"this endpoint is dialled at port {address.port}", loss.source)
    return loss.at_target(node, f"{lost}; {why}", owner, *([dialled] if address[:2] != loss.way.target else []))
