"""A rule of the target that answers the shadow itself: no workload gets it."""

from __future__ import annotations

from mirrorlint.delivery import reason
from mirrorlint.rule import Flaw, Loss

REASON = reason.DIRECT_RESPONSE


def check(loss: Loss) -> Flaw:
    """Point at the rule's `directResponse`."""
    route = loss.end.route
    message = f"{loss.end.cluster}'s rule for `{loss.way.host}` answers the shadow itself, and no workload gets it"
    if route is None:
        return loss.at_source(loss.judged.mirror.destination.host_node, message)
    return loss.at_target(route.rule.answer, message, route.service.manifest)
