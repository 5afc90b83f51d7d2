"""A mirroring rule whose own destinations don't exist: Envoy answers 503 and mirrors nothing."""

from __future__ import annotations

from mirrorlint.delivery import reason
from mirrorlint.delivery.absence import absence
from mirrorlint.nearest import other_namespace, remarks
from mirrorlint.remedy.corrections import of_route
from mirrorlint.rule import Edit, Flaw, Loss, Remark

REASONS = (reason.UNKNOWN_PRIMARY,)


def check(loss: Loss) -> Flaw:
    """Point at what is missing of the first destination."""
    way, destination = loss.way, loss.way.route.rule.used[0].destination
    missing = absence(way.scope, way.asks(destination), destination)
    mirror = Remark(loss.judged.mirror.destination.host_node, "this mirror never gets a request", loss.source)
    answered = f"callers get {way.route.service.unavailable} and nothing is mirrored"
    message = f"{missing.words}, and the rule itself sends there: {answered}"
    near = (*remarks(way.scope, missing), *other_namespace(way.scope.mesh, loss.judged.service))
    return loss.at_source(missing.node, message, mirror, *near)


def fix(loss: Loss) -> tuple[Edit, ...]:
    """Name the one that was meant."""
    return of_route(loss)
