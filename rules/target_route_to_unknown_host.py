"""A rule of the target that takes the shadow, but whose destination doesn't exist: 503."""

from __future__ import annotations

from mirrorlint.delivery import reason
from mirrorlint.delivery.absence import absence
from mirrorlint.delivery.ending import gateway_destination
from mirrorlint.delivery.way import reached
from mirrorlint.istio.routing import Destination, Rule
from mirrorlint.nearest import remarks
from mirrorlint.remedy.corrections import of_destination
from mirrorlint.rule import Edit, Flaw, Loss

REASONS = (reason.UNKNOWN_DESTINATION,)


def check(loss: Loss) -> Flaw:
    """Point at the destination's host, port or subset, whichever is missing."""
    end, scope, route, destination = loss.end, reached(loss.end.scope), reached(loss.end.route), reached(loss.end.destination)
    missing = absence(scope, gateway_destination(end, destination), destination)
    shadows = f"its share, {_share(route.rule, destination):.3g} % of the shadows," if end.partial else "the shadow"
    answered = f"{end.cluster}'s gateway answers {shadows} {route.service.unavailable}"
    flaw = loss.at_target(missing.node, f"{missing.words}: {answered}", route.rule.owner, *remarks(scope, missing))
    return flaw._replace(cause=f"unknown at target {end.cluster} {missing.asked}")


def _share(rule: Rule, destination: Destination) -> float:
    """What weights give a destination, in percent."""
    own = sum(backend.weight for backend in rule.used if backend.destination == destination)
    return 100 * own / sum(backend.weight for backend in rule.used)


def fix(loss: Loss) -> tuple[Edit, ...]:
    """Name the one that was meant."""
    return of_destination(loss)
