"""A mirroring rule whose own destinations don't exist: Envoy answers 503 and mirrors nothing."""

from __future__ import annotations

from mirrorlint.delivery import reason
from mirrorlint.delivery.absence import absence
from mirrorlint.nearest import remarks
from mirrorlint.rule import Flaw, Loss, Remark

REASONS = (reason.UNKNOWN_PRIMARY,)


def check(loss: Loss) -> Flaw:
    """Point at what is missing of the first destination."""
    way = loss.way
    used = way.route.rule.used
    mirror = Remark(loss.judged.mirror.destination.host_node, "this mirror never gets a request", loss.source)
    answered = f"callers get {way.route.service.unavailable} and nothing is mirrored"
    if not used:
        return loss.at_source(way.route.rule.answer, f"no destination of the rule has a weight: {answered}", mirror)
    destination = used[0].destination
    missing = absence(way.scope, way.scope.address(destination, way.called.port or way.call.port, way.route.service), destination)
    message = f"{missing.words}, and the rule itself sends there: {answered}"
    return loss.at_source(missing.node, message, mirror, *remarks(way.scope, missing))
