"""TLS to a plain text server, plain text to a TLS server, or mutual TLS on one side only: the handshake fails."""

from __future__ import annotations

from mirrorlint import nearest
from mirrorlint.delivery import reason
from mirrorlint.delivery.upstream import PLAINTEXT, without_secret
from mirrorlint.rule import Flaw, Loss, Remark

REASONS = (reason.TLS_MISMATCH,)
_UNUSED = "sidecars take no `credentialName` from a DestinationRule without `workloadSelector`: they start no TLS at all"


def check(loss: Loss) -> Flaw:
    """Point at the server's protocol or TLS mode."""
    upstream, end = loss.way.upstream, loss.end
    server = end.chain.servers[0] if end.chain else None
    if server is None and end.scope and end.address:
        server = nearest.server(end.scope.mesh, end.address.port, loss.way.host)
    sent = upstream.tls if upstream and upstream.tls != PLAINTEXT else "plain text"
    if server is None:
        return loss.at_source(
            loss.judged.mirror.destination.host_node, f"the shadow is sent as {sent}, which {end.cluster}'s gateway does not take"
        )
    taken = "plain text" if server.plain_http else f"TLS ({server.mode})"
    message = f"the shadow is sent as {sent} to a server of {end.cluster}'s gateway that takes {taken}: the connection fails"
    rule, node = upstream.rule if upstream else None, server.node["tls"]["mode"] if server.tls else server.protocol_node
    notes = [Remark(rule.host_node, f"{rule.manifest} decides the mirror's TLS", loss.source)] if rule else []
    if upstream and rule and upstream.client["credentialName"] and without_secret(upstream.client, rule, loss.way.scope.is_gateway):
        notes.append(Remark(upstream.client["credentialName"], _UNUSED, loss.source))
    return loss.at_target(node, message, server.gateway.manifest, *notes)
