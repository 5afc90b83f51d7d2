"""A port at which nothing listens at the target's ingress gateway: the shadow's connection is refused."""

from __future__ import annotations

from mirrorlint import nearest
from mirrorlint.delivery import reason
from mirrorlint.istio.gateway import Server
from mirrorlint.rule import Flaw, Loss
from mirrorlint.source import Node

REASONS = (reason.NO_LISTENER,)


def check(loss: Loss) -> Flaw:
    """Point at the port of the Gateway server that was probably meant, or at the selector that shuts it out."""
    scope, address = loss.end.scope, loss.end.address
    port = address.port if address else 0
    lost = f"nothing listens on port {port} of {loss.end.cluster}'s ingress gateway: the shadow is refused"
    broken = nearest.unprogrammed(scope.mesh, port) if scope else None
    if broken and broken.fault:
        listener = f"listener `{broken.name}` of {broken.gateway.manifest}"
        why = f"Istio does not program {listener}: {broken.fault[1]}"
        return loss.at_target(broken.fault[0], f"{lost}; {why}", broken.gateway.manifest)
    server = nearest.server(scope.mesh, port, loss.way.host) if scope else None
    if scope is None or server is None:
        return loss.at_source(loss.judged.mirror.destination.host_node, f"{lost}; {loss.end.cluster} has no Gateway that Istio accepts")
    gateway = server.gateway.manifest
    if not any(server.gateway.name == known.name for known in scope.gateways):
        chosen = next((value for _, value in gateway.node["spec"]["selector"].entries()), gateway.node["spec"]["addresses"])
        labels = ", ".join(f"`{name}: {value}`" for name, value in server.gateway.selector.items())
        which = f"pods with {labels}, which the ingress's are not" if labels else "other pods"
        return loss.at_target(chosen, f"{lost}; {gateway} would, but selects {which}", gateway)
    front = next((s for s in scope.front.services if s.ports and s.manifest is not gateway), None)
    if address and front and not scope.container_ports(address.host, port):
        ports = ", ".join(str(p.number) for p in front.ports)
        return loss.at_target(front.ports[0].node, f"{lost}; {front.manifest} in front of it has {ports}", front.manifest)
    if server.number == port:
        node, why = _deaf(server)
        return loss.at_target(node, f"{lost}; {gateway}'s {server.noun} {why}", gateway)
    return loss.at_target(server.number_node, f"{lost}; {gateway} listens on {server.number}", gateway)


def _deaf(server: Server) -> tuple[Node, str]:
    """Why a server on the right port gives no listener."""
    if server.bind:
        return server.node["bind"], f"listens on {server.bind} alone"
    if server.tls and not server.terminates:
        return server.node["tls"], f"passes TLS on (`{server.mode}`), for which no `tls` route is bound to it"
    if not server.plain_http and not server.terminates:
        return server.protocol_node, f"is for {server.protocol}, for which no route is bound to it"
    return server.number_node, "comes after another one that took the port"
