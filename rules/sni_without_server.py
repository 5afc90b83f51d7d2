"""A connection whose SNI no server of the target's gateway names: it is closed before any HTTP is read."""

from __future__ import annotations

from mirrorlint import nearest
from mirrorlint.delivery import reason
from mirrorlint.rule import Flaw, Loss, Remark

REASONS = (reason.NO_FILTER_CHAIN,)


def check(loss: Loss) -> Flaw:
    """Point at the first host of the server that was probably meant."""
    upstream, scope, address = loss.way.upstream, loss.end.scope, loss.end.address
    sni = upstream.sni_for(loss.way.host) if upstream else ""
    server = nearest.server(scope.mesh, address.port, sni or loss.way.host) if scope and address else None
    sent = f"the SNI `{sni}`" if sni else "no SNI, since it starts no TLS,"
    message = f"the shadow brings {sent} and no TLS server of {loss.end.cluster}'s gateway takes it: the connection is closed"
    if server is None:
        return loss.at_source(loss.judged.mirror.destination.host_node, message)
    rule = upstream.rule if upstream else None
    notes = (Remark(rule.host_node, f"{rule.manifest} decides TLS and SNI", loss.source),) if rule else ()
    return loss.at_target(server.host_node, message, server.gateway.manifest, *notes)
