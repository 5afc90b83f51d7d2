"""A mirroring rule whose own destinations don't exist: Envoy answers 503 and mirrors nothing."""

from __future__ import annotations

from mirrorlint.delivery import reason
from mirrorlint.nearest import host_remarks
from mirrorlint.rule import Flaw, Loss, Remark

REASONS = (reason.UNKNOWN_PRIMARY,)


def check(loss: Loss) -> Flaw:
    """Point at the first destination."""
    destination = loss.judged.rule.backends[0].destination
    named = f"{destination.host}:{destination.port}" if destination.port else destination.host
    missing = destination.why or f"the rule's own destination `{named}` is not in {loss.source}'s registry"
    message = f"{missing}: callers get {loss.way.route.service.unavailable} and nothing is mirrored"
    mirror = Remark(loss.judged.mirror.destination.host_node, "this mirror never gets a request", loss.source)
    return loss.at_source(destination.host_node, message, mirror, *host_remarks(loss.way.scope, destination.host))
