"""A mirror whose host, port or subset the source's registry doesn't have: Envoy drops the shadow."""

from __future__ import annotations

from mirrorlint.delivery import reason
from mirrorlint.delivery.follow import Delivery
from mirrorlint.istio.services import Service
from mirrorlint.nearest import absence, host_remarks
from mirrorlint.remedy.corrections import of_mirror
from mirrorlint.remedy.entries import added
from mirrorlint.rule import Edit, Flaw, Loss, Remark

REASONS = (reason.UNKNOWN_TARGET,)
DROPPED = "Envoy drops the shadow without a trace"


def check(loss: Loss) -> Flaw:
    """Point at the part of the mirror that nothing stands behind."""
    mirror, (host, port) = loss.judged.mirror, loss.way.target
    subset = mirror.destination.subset
    service = loss.way.scope.service(host)
    if service is None:
        why, near = absence(loss.way.scope, host), host_remarks(loss.way.scope, host)
        message = f"`{loss.target}` {why}: {DROPPED}"
        return loss.at_source(mirror.destination.host_node, message, *near, cause=f"unknown {loss.source} {host} {why}")
    if service.port(port) is None:
        return _wrong_port(loss, service)
    if subset:
        message = f"no DestinationRule defines subset `{subset}` of `{host}`: {DROPPED}"
        remark = Remark(service.node, f"the host is defined by {service.manifest}", loss.source)
        return loss.at_source(mirror.node["subset"], message, remark, cause=f"unknown {loss.source} {host} {subset}")
    message = f"Istio builds no upstream for `{loss.target}` ({service.manifest}): {DROPPED}"
    remark = Remark(service.node, "a port for UDP, or a name without an endpoint", loss.source)
    return loss.at_source(mirror.destination.host_node, message, remark, cause=f"unknown {loss.source} {loss.target}")


def _wrong_port(loss: Loss, service: Service) -> Flaw:
    mirror, (host, port) = loss.judged.mirror, loss.way.target
    ports = ", ".join(str(p.number) for p in service.ports) or "none"
    node = mirror.destination.port_node
    said = "" if node.present else ", the port that is called, since the mirror names none"
    remark = Remark(service.ports[0].node if service.ports else service.node, f"{service.manifest} has {ports}", loss.source)
    return loss.at_source(node, f"`{host}` has no port {port}{said}: {DROPPED}", remark, cause=f"unknown {loss.source} {loss.target}")


def fix(loss: Loss, delivery: Delivery) -> tuple[Edit, ...]:
    """Name the one that was meant, else add the entry."""
    return of_mirror(loss, delivery) or added(loss, delivery)
