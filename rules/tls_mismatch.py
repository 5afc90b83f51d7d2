"""TLS to a plain text server, plain text to a TLS server, or mutual TLS on one side only: the handshake fails."""

from __future__ import annotations

from mirrorlint import nearest
from mirrorlint.delivery import reason
from mirrorlint.delivery.upstream import PLAINTEXT, without_secret
from mirrorlint.delivery.way import reached
from mirrorlint.rule import Flaw, Loss, Remark

REASONS = (reason.TLS_MISMATCH,)
_UNUSED = "sidecars take no `credentialName` from a DestinationRule without `workloadSelector`: they start no TLS at all"


def check(loss: Loss) -> Flaw:
    """Point at the server's protocol or TLS mode."""
    upstream, end, address = reached(loss.way.upstream), loss.end, reached(loss.end.address)
    near = None if end.chain else nearest.server(reached(end.scope).mesh, address.port, loss.way.host)
    server = end.chain.servers[0] if end.chain else reached(near)
    sent = upstream.tls if upstream.tls != PLAINTEXT else "plain text"
    taken = "plain text" if server.plain_http else f"TLS ({server.mode})"
    message = f"the shadow is sent as {sent} to a server of {end.cluster}'s gateway that takes {taken}: the connection fails"
    rule, node = upstream.rule, server.node["tls"]["mode"] if server.tls else server.protocol_node
    notes = [Remark(rule.host_node, f"{rule.manifest} decides the mirror's TLS", loss.source)] if rule else []
    if rule and upstream.client["credentialName"] and without_secret(upstream.client, rule, loss.way.scope.is_gateway):
        notes.append(Remark(upstream.client["credentialName"], _UNUSED, loss.source))
    return loss.at_target(node, message, server.gateway.manifest, *notes)
