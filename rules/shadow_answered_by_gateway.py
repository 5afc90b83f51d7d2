"""A rule of the target that answers the shadow itself, by a redirect, a direct response or a fault: no workload gets it."""

from __future__ import annotations

from mirrorlint.delivery import reason
from mirrorlint.delivery.way import reached
from mirrorlint.rule import Flaw, Loss

REASONS = (reason.REDIRECT, reason.DIRECT_RESPONSE, reason.ABORT)
_SAID = {
    reason.REDIRECT: "redirects the shadow, and nobody follows a redirect for it",
    reason.DIRECT_RESPONSE: "answers the shadow itself, and no workload gets it",
    reason.ABORT: "aborts every request, and no workload gets the shadow",
}


def check(loss: Loss) -> Flaw:
    """Point at the field that answers, or at `backendRefs` when none of them has a weight."""
    route = reached(loss.end.route)
    message = f"{loss.end.cluster}'s rule for `{loss.shadow.host}` {_SAID[loss.end.reason]}"
    weightless = route.service.gateway_semantics and loss.end.reason == reason.DIRECT_RESPONSE
    why = ": none of its backends has a weight" if weightless else ""
    return loss.at_target(route.rule.answer, message + why, route.rule.owner)
