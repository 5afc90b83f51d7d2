"""A port at which nothing listens at the target's ingress gateway: the shadow's connection is refused."""

from __future__ import annotations

from mirrorlint.delivery import reason
from mirrorlint.delivery.upstream import Address
from mirrorlint.delivery.way import reached
from mirrorlint.rule import Flaw, Loss, Remark
from mirrorlint.source import Node
from mirrorlint.unheard import unheard

REASONS = (reason.NO_LISTENER,)


def check(loss: Loss) -> Flaw:
    """Point at the port of the Gateway server that was probably meant, or at what shuts it out; at the mirror where there is none."""
    cluster, address = loss.end.cluster, reached(loss.end.address)
    lost = f"nothing listens on port {address.port} of {cluster}'s gateway: the shadow is refused"
    found = unheard(reached(loss.end.scope), address, loss.shadow.host)
    if found is None:
        return loss.at_source(loss.judged.mirror.destination.host_node, f"{lost}; {cluster} has no Gateway that Istio accepts")
    node, why, owner = found
    dialled = Remark(_dialled(loss, address), f"`{address.host}` is dialled at port {address.port}", loss.source)
    return loss.at_target(node, f"{lost}; {why}", owner, *([dialled] if address[:2] != loss.way.target else []))


def _dialled(loss: Loss, address: Address) -> Node:
    """Where the port of an endpoint is written: its own, else the entry's `targetPort`; the address where neither says it."""
    upstream = reached(loss.way.upstream)
    port, spec = upstream.port, upstream.service.manifest.node["spec"]
    own = (endpoint["ports"][port.name] for endpoint in spec["endpoints"] if endpoint["address"] == address.node)
    behind = (each["targetPort"] for each in spec["ports"] if each["number"] == port.node)
    return next((node for node in (*own, *behind) if node.number == address.port), address.node)
