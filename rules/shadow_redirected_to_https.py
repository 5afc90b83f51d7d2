"""A plain text server of the target that redirects everything to HTTPS: nobody follows a shadow's redirect."""

from __future__ import annotations

from mirrorlint.delivery import reason
from mirrorlint.rule import Flaw, Loss

REASONS = (reason.HTTPS_REDIRECT,)


def check(loss: Loss) -> Flaw:
    """Point at `httpsRedirect`."""
    servers = loss.end.chain.servers if loss.end.chain else ()
    server = next((s for s in servers if s.redirects), None)
    message = f"{loss.end.cluster}'s gateway redirects plain text to HTTPS: the shadow is answered 301 and nobody follows it"
    if server is None:
        return loss.at_source(loss.judged.mirror.destination.host_node, message)
    return loss.at_target(server.node["tls"]["httpsRedirect"], message, server.gateway.manifest)
