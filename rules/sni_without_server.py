"""A connection whose SNI no server of the target's gateway names: it is closed before any HTTP is read."""

from __future__ import annotations

from itertools import chain

from mirrorlint import nearest
from mirrorlint.delivery import reason
from mirrorlint.delivery.way import reached
from mirrorlint.rule import Flaw, Loss
from mirrorlint.unapplied import of_tls
from mirrorlint.unheard import overlooked, unselected

REASONS = (reason.NO_FILTER_CHAIN,)


def check(loss: Loss) -> Flaw:
    """Point at the first host of the server on the port that was probably meant."""
    upstream, scope, address = reached(loss.way.upstream), reached(loss.end.scope), reached(loss.end.address)
    sni = upstream.sni_for(loss.shadow.host)
    chains = scope.listeners[scope.listening(address.host, address.port)]
    servers = (server for chain in chains for server in chain.servers)
    server = reached(nearest.server(servers, address.port, sni or loss.shadow.host))
    sent = f"the SNI `{sni}`" if sni else "no SNI, since it starts no TLS,"
    message = f"the shadow brings {sent} and no TLS server of {loss.end.cluster}'s gateway takes it: the connection is closed"
    shut = ((node, why, gateway.manifest) for node, why, gateway in unselected(scope, address, sni))
    unseen = next(chain(overlooked(scope, address, sni), shut), None) if sni else None
    if unseen:
        node, why, owner = unseen
        return loss.at_target(node, f"{message}; {why}", owner)
    return loss.at_target(
        server.host_node, message, server.gateway.manifest, *of_tls(loss.way.scope, upstream, "sni" if upstream.sni else "mode")
    )
