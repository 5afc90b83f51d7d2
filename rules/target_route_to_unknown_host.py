"""A rule of the target that takes the shadow, but whose destination doesn't exist: 503."""

from __future__ import annotations

from mirrorlint.delivery import reason
from mirrorlint.delivery.follow import Delivery
from mirrorlint.nearest import host_remarks
from mirrorlint.remedy.corrections import of_destination
from mirrorlint.rule import Edit, Flaw, Loss, Remark

REASONS = (reason.UNKNOWN_DESTINATION,)


def check(loss: Loss) -> Flaw:
    """Point at the destination's host, port or subset, whichever is missing."""
    end, destination = loss.end, loss.end.destination
    if end.scope is None or end.route is None or end.host is None or destination is None:
        return loss.at_source(
            loss.judged.mirror.destination.host_node,
            f"{loss.end.cluster}'s rule for `{loss.way.host}` has no destination: it is answered 503",
        )
    host, port = end.scope.address(destination, end.host.port, end.route.service)
    service, owner = end.scope.service(host), end.route.rule.owner
    answered = f"{end.cluster}'s gateway answers the shadow {end.route.service.unavailable}"
    if service is None:
        missing = destination.why or f"`{host}` is not in {end.cluster}'s registry"
        return loss.at_target(destination.host_node, f"{missing}: {answered}", owner, *host_remarks(end.scope, host))
    if service.port(port) is None:
        ports = ", ".join(str(p.number) for p in service.ports) or "none"
        note = Remark(service.ports[0].node if service.ports else service.node, f"{service.manifest} has {ports}", end.cluster)
        return loss.at_target(destination.port_node, f"`{host}` has no port {port}: {answered}", owner, note)
    note = Remark(service.node, f"the host is defined by {service.manifest}", end.cluster)
    if destination.subset:
        message = f"no DestinationRule defines subset `{destination.subset}` of `{host}`: {answered}"
        return loss.at_target(destination.node["subset"], message, owner, note)
    return loss.at_target(destination.host_node, f"Istio builds no upstream for `{host}:{port}`: {answered}", owner, note)


def fix(loss: Loss, delivery: Delivery) -> tuple[Edit, ...]:
    """Name the one that was meant."""
    return of_destination(loss, delivery)
