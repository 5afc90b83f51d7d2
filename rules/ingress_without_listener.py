"""A port at which nothing listens at the target's ingress gateway: the shadow's connection is refused."""

from __future__ import annotations

from mirrorlint import nearest
from mirrorlint.delivery import reason
from mirrorlint.rule import Flaw, Loss

REASONS = (reason.NO_LISTENER,)


def check(loss: Loss) -> Flaw:
    """Point at the port of the Gateway server that was probably meant, or at the selector that shuts it out."""
    scope, address = loss.end.scope, loss.end.address
    port = address.port if address else 0
    lost = f"nothing listens on port {port} of {loss.end.cluster}'s ingress gateway: the shadow is refused"
    server = nearest.server(scope.mesh, port, loss.way.host) if scope else None
    if scope is None or server is None:
        return loss.at_source(loss.judged.mirror.destination.host_node, f"{lost}; {loss.end.cluster} has no Gateway that Istio accepts")
    gateway = server.gateway.manifest
    if not any(server.gateway.name == known.name for known in scope.gateways):
        label = next(iter(gateway.node["spec"]["selector"].entries()))[1]
        return loss.at_target(label, f"{lost}; {gateway} would, but selects other pods", gateway)
    front = next((s for s in scope.services_in_front if s.ports), None)
    if front and not scope.container_ports(port):
        ports = ", ".join(str(p.number) for p in front.ports)
        return loss.at_target(front.ports[0].node, f"{lost}; {front.manifest} in front of it has {ports}", front.manifest)
    if server.number == port:
        return loss.at_target(server.number_node, f"{lost}; {gateway}'s server has no HTTP routes, or another one took the port", gateway)
    return loss.at_target(server.number_node, f"{lost}; {gateway} listens on {server.number}", gateway)
