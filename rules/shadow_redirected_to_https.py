"""A plain text server of the target that redirects everything to HTTPS: nobody follows a shadow's redirect."""

from __future__ import annotations

from mirrorlint.delivery import reason
from mirrorlint.delivery.ending import redirecting
from mirrorlint.delivery.way import reached
from mirrorlint.rule import Flaw, Loss

REASONS = (reason.HTTPS_REDIRECT,)


def check(loss: Loss) -> Flaw:
    """Point at `httpsRedirect`."""
    server = redirecting(reached(loss.end.chain), reached(loss.end.host).domain)
    message = f"{loss.end.cluster}'s gateway redirects plain text to HTTPS: the shadow is answered 301 and nobody follows it"
    return loss.at_target(server.node["tls"]["httpsRedirect"], message, server.gateway.manifest)
