"""A rule of the target that takes the shadow, but whose destination doesn't exist: 503."""

from __future__ import annotations

from mirrorlint.delivery import reason
from mirrorlint.delivery.absence import absence
from mirrorlint.delivery.ending import gateway_destination
from mirrorlint.delivery.follow import Delivery
from mirrorlint.nearest import remarks
from mirrorlint.remedy.corrections import of_destination
from mirrorlint.rule import Edit, Flaw, Loss

REASONS = (reason.UNKNOWN_DESTINATION,)


def check(loss: Loss) -> Flaw:
    """Point at the destination's host, port or subset, whichever is missing."""
    end, destination = loss.end, loss.end.destination
    if end.scope is None or end.route is None or destination is None:
        return loss.at_source(
            loss.judged.mirror.destination.host_node,
            f"{loss.end.cluster}'s rule for `{loss.way.host}` has no destination: it is answered 503",
        )
    missing = absence(end.scope, gateway_destination(end, destination), destination)
    answered = f"{end.cluster}'s gateway answers the shadow {end.route.service.unavailable}"
    flaw = loss.at_target(missing.node, f"{missing.words}: {answered}", end.route.rule.owner, *remarks(end.scope, missing))
    return flaw._replace(cause=f"unknown at target {end.cluster} {missing.asked}")


def fix(loss: Loss, delivery: Delivery) -> tuple[Edit, ...]:
    """Name the one that was meant."""
    return of_destination(loss, delivery)
