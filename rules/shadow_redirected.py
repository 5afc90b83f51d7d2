"""A rule of the target that redirects the shadow: nobody follows it."""

from __future__ import annotations

from mirrorlint.delivery import reason
from mirrorlint.rule import Flaw, Loss

REASON = reason.REDIRECT


def check(loss: Loss) -> Flaw:
    """Point at the rule's `redirect`."""
    route = loss.end.route
    message = f"{loss.end.cluster}'s rule for `{loss.way.host}` redirects the shadow, and nobody follows it"
    if route is None:
        return loss.at_source(loss.judged.mirror.destination.host_node, message)
    return loss.at_target(route.rule.answer, message, route.rule.owner)
