"""A rule of the target that answers the shadow itself, by a redirect, a direct response or a fault: no workload gets it."""

from __future__ import annotations

from mirrorlint.delivery import reason
from mirrorlint.rule import Flaw, Loss

REASONS = (reason.REDIRECT, reason.DIRECT_RESPONSE, reason.ABORT)
_SAID = {
    reason.REDIRECT: ("redirect", "redirects the shadow, and nobody follows a redirect for it"),
    reason.DIRECT_RESPONSE: ("directResponse", "answers the shadow itself, and no workload gets it"),
    reason.ABORT: ("fault", "aborts every request, and no workload gets the shadow"),
}


def check(loss: Loss) -> Flaw:
    """Point at the field that answers."""
    route, (field, does) = loss.end.route, _SAID[loss.end.reason]
    message = f"{loss.end.cluster}'s rule for `{loss.way.host}` {does}"
    if route is None:
        return loss.at_source(loss.judged.mirror.node["host"], message)
    return loss.at_target(route.rule.node.key(field), message, route.service.manifest)
