"""A mirror whose host, port or subset the source's registry doesn't have: Envoy drops the shadow."""

from __future__ import annotations

from mirrorlint.delivery import reason
from mirrorlint.delivery.absence import absence
from mirrorlint.delivery.follow import Delivery
from mirrorlint.nearest import ingress_remarks, remarks
from mirrorlint.remedy.corrections import of_mirror
from mirrorlint.remedy.entries import added, respelt
from mirrorlint.rule import Edit, Flaw, Loss

REASONS = (reason.UNKNOWN_TARGET,)
DROPPED = "Envoy drops the shadow without a trace"


def check(loss: Loss) -> Flaw:
    """Point at the part of the mirror that nothing stands behind."""
    missing = absence(loss.way.scope, loss.way.target, loss.judged.mirror.destination)
    cause = f"unknown {loss.source} {missing.asked}"
    near = () if missing.there else ingress_remarks(loss.meshes, loss.source, missing.asked)
    return loss.at_source(missing.node, f"{missing.words}: {DROPPED}", *(near or remarks(loss.way.scope, missing)), cause=cause)


def fix(loss: Loss, delivery: Delivery) -> tuple[Edit, ...]:
    """Name the one that was meant, in the mirror or in its entry, else add the entry."""
    return of_mirror(loss, delivery) or respelt(loss, delivery) or added(loss, delivery)
