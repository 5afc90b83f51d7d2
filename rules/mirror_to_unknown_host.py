"""A mirror whose host, port or subset the source's registry doesn't have: Envoy drops the shadow."""

from __future__ import annotations

from mirrorlint.delivery import reason
from mirrorlint.delivery.absence import absence
from mirrorlint.delivery.scope import Scope
from mirrorlint.nearest import ingress_remarks, remarks
from mirrorlint.remedy.corrections import of_mirror
from mirrorlint.remedy.entries import added, respelt
from mirrorlint.rule import Edit, Flaw, Loss, Remark

REASONS = (reason.UNKNOWN_TARGET,)
DROPPED = "Envoy drops the shadow without a trace"


def check(loss: Loss) -> Flaw:
    """Point at the part of the mirror that nothing stands behind."""
    destination, scope = loss.judged.mirror.destination, loss.way.scope
    missing = absence(scope, loss.way.target, destination)
    cause = f"unknown {loss.source} {missing.asked}"
    near = () if missing.there else ingress_remarks(loss.delivery.meshes, loss.source, missing.asked)
    return loss.at_source(
        missing.node, f"{missing.words}: {DROPPED}", *_alias(scope, destination.host), *(near or remarks(scope, missing)), cause=cause
    )


def _alias(scope: Scope, host: str) -> tuple[Remark, ...]:
    """The external name that a mirror's host stands for."""
    service = scope.service(host)
    if service is None or not service.alias_of:
        return ()
    return (Remark(service.manifest.node["spec"]["externalName"], f"{service.manifest} stands for this name", scope.mesh.cluster.name),)


def fix(loss: Loss) -> tuple[Edit, ...]:
    """Name the one that was meant, in the mirror or in its entry, else add the entry."""
    return of_mirror(loss) or respelt(loss) or added(loss)
