"""TLS to a plain text server, plain text to a TLS server, or mutual TLS on one side only: the handshake fails."""

from __future__ import annotations

from collections.abc import Iterable

from mirrorlint.delivery import reason
from mirrorlint.delivery.addresses import Balancer
from mirrorlint.delivery.ending import both
from mirrorlint.delivery.upstream import PLAINTEXT, TLS, Address, Upstream, without_secret
from mirrorlint.delivery.way import End, reached
from mirrorlint.rule import Flaw, Loss, Remark
from mirrorlint.unapplied import of_tls

REASONS = (reason.TLS_MISMATCH,)
_UNUSED = "sidecars take no `credentialName` from a DestinationRule without `workloadSelector`: they start no TLS at all"


def check(loss: Loss) -> Flaw:
    """Point at the server's protocol or TLS mode."""
    upstream, end, address = reached(loss.way.upstream), loss.end, reached(loss.end.address)
    if end.alike:
        return _refused(loss, end, address)
    rule = upstream.rule
    notes = [*of_tls(loss.way.scope, upstream, "mode")]
    if end.balancer:
        return _balanced(loss, end.balancer, upstream, notes)
    server = reached(end.chain).servers[0]
    taken = PLAINTEXT if server.plain_http else f"TLS ({server.mode})"
    message = f"the shadow is sent as {upstream.tls} to a server of {end.cluster}'s gateway that takes {taken}: the connection fails"
    node = server.node["tls"]["mode"] if server.tls else server.protocol_node
    if rule and upstream.client_tls["credentialName"] and without_secret(upstream.client_tls, rule, loss.way.scope.is_gateway):
        notes.append(Remark(upstream.client_tls["credentialName"], _UNUSED, loss.source))
    return loss.at_target(node, message, server.gateway.manifest, *notes)


def _balanced(loss: Loss, balancer: Balancer, upstream: Upstream, notes: Iterable[Remark]) -> Flaw:
    """Point at the annotation that makes a load balancer end TLS."""
    port, whose = reached(loss.end.address).port, f"{loss.end.cluster}'s load balancer"
    if upstream.tls == TLS:
        message = f"{whose} ends TLS at port {port} and goes on in plain text to a server that takes TLS: the connection fails"
    else:
        message = f"the shadow is sent as {upstream.tls} to {whose}, which ends TLS at port {port}: the connection fails"
    return loss.at_target(balancer.node, message, balancer.manifest, *notes)


def _refused(loss: Loss, end: End, address: Address) -> Flaw:
    """Point at the later of two servers whose filter chains take the same: most often `bind` names the address in other words."""
    first, later = (chain.servers[0] for chain in (end.alike[0], end.alike[-1]))
    said, other = (server.node["bind"] or server.number_node for server in (later, first))
    whose = f"port {address.port} of {end.cluster}'s gateway"
    message = f"{both(end.alike)} serve the same on {whose} and are not merged: Envoy refuses a listener with two such filter chains"
    return loss.at_target(said, message, later.gateway.manifest, Remark(other, "the other one", end.cluster))
