"""Why nothing listens on a port of an ingress gateway: the object that was probably meant to, and what keeps it from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from mirrorlint.delivery.addresses import exposed, in_front
from mirrorlint.delivery.discovery import left_out
from mirrorlint.delivery.gateway import GatewayScope
from mirrorlint.delivery.ingress import is_of_some
from mirrorlint.delivery.mesh import Mesh
from mirrorlint.delivery.upstream import Address
from mirrorlint.delivery.way import reached
from mirrorlint.istio.gateway import ACROSS, Gateway, Server
from mirrorlint.istio.names import overlaps, without_port
from mirrorlint.istio.services import Service
from mirrorlint.nearest import server
from mirrorlint.rule import Loss, Reason, Remark, quoted
from mirrorlint.source import Node
from mirrorlint.unserved import takers

_OF_NODES = range(30000, 32768)  # kube-apiserver's `--service-node-port-range`


def unheard(scope: GatewayScope, address: Address, host: str) -> Reason | None:
    """What keeps an address's port from being listened on for a Host; None where the cluster has no Gateway that Istio accepts."""
    meant = server(scope.mesh.servers, address.port, host)
    found = next(overlooked(scope, address), None) or next(_unprogrammed(scope.mesh, address.port), None)
    return found or (next(_obstacles(scope, address, meant)) if meant else None)


def overlooked(scope: GatewayScope, address: Address, host: str = "*") -> Iterator[Reason]:
    """What would have an address's port listened on for a host if the control plane looked at its namespace."""
    mesh = scope.mesh
    for meant in (s for s in mesh.unlimited.servers if mesh.discovery.limited and any(overlaps(host, name) for name in s.sni_hosts())):
        gateway = meant.gateway.manifest
        whole = GatewayScope(mesh.unlimited, scope.namespace, scope.labels or meant.gateway.selector, mesh.cluster.settings.ingress)
        ports = {*whole.front.listening(meant)} & {*whole.container_ports(address.host, address.port)}
        if not ports or meant.gateway.name not in {known.name for known in whole.gateways}:
            continue
        if not mesh.discovery.takes(gateway):
            yield gateway.node["metadata"]["namespace"], f"{gateway} would, but {left_out(gateway)}", gateway
        unseen = (service.manifest for service in scope.front.services if not mesh.discovery.takes(service.manifest))
        for front in unseen if ports.isdisjoint(scope.front.listening(meant)) else ():
            why = f"{meant.phrase} listens on port {meant.number} of the pods themselves, since {front} {left_out(front)}"
            yield front.node["metadata"]["namespace"], why, front


def unselected(scope: GatewayScope, address: Address, host: str) -> Iterator[tuple[Node, str, Gateway]]:
    """The Gateways that would listen on an address's port for a host, if their selector, which is that of nothing at hand, were another."""
    known = {gateway.name for gateway in scope.gateways}
    for meant in (s for s in scope.mesh.servers if s.gateway.name not in known and any(overlaps(host, name) for name in s.sni_hosts())):
        gateway, ports = meant.gateway, {*scope.front.listening(meant)}
        fits = meant.number == address.port or not ports.isdisjoint(scope.container_ports(address.host, address.port))
        if fits and gateway.selector and not is_of_some(scope.mesh, gateway.selector):
            node, why = _unchosen(scope, gateway)
            yield node, f"{gateway.manifest} would, but {why}", gateway


def selecting_others(loss: Loss) -> Iterator[Remark]:
    """The selectors for which Gateways don't accept a shadow's Host, though a VirtualService that takes it is bound to them."""
    scope, name = reached(loss.end.scope), without_port(loss.shadow.host).lower()
    bound = {gateway for taker in takers(scope.mesh, (), name) for gateway in taker.gateways}
    for node, why, gateway in unselected(scope, reached(loss.end.address), name):
        if gateway.name in bound:
            yield Remark(node, why, loss.end.cluster)


def _unprogrammed(mesh: Mesh, port: int) -> Iterator[Reason]:
    """The listener for a port that Istio doesn't program, or any such listener where it programs none."""
    for one in (one for several in mesh.gateway_api.listeners.values() for one in several):
        if one.fault and (one.server.number == port or not mesh.gateways):
            gateway, (node, why) = one.gateway.manifest, one.fault
            yield node, f"Istio does not program {one.phrase}: {why}", gateway


def _obstacles(scope: GatewayScope, address: Address, meant: Server) -> Iterator[Reason]:
    """What keeps the server that was probably meant from being reached at an address, the farthest from it first."""
    gateway, port = meant.gateway.manifest, address.port
    fits = meant.number == port or not {*scope.front.listening(meant)}.isdisjoint(scope.container_ports(address.host, port))
    numbers = _listed(dict.fromkeys(s.number for s in scope.mesh.servers if s.gateway.manifest is gateway))
    if not any(meant.gateway.name == known.name for known in scope.gateways):
        chosen, why = _unchosen(scope, meant.gateway)
        yield chosen, f"{gateway} {'would, but' if fits else f'listens on {numbers}, and'} {why}", gateway
    front = next((s for s in scope.front.services if s.ports and s.manifest is not gateway), None)
    if front and not scope.front.ports and not scope.container_ports(address.host, port):
        node, ports = _near(front, port)
        yield node, f"{front.manifest} in front of it has {ports}", front.manifest
    unknown = _unknown_front(scope, meant.gateway)
    if fits and unknown:
        yield unknown[0], f"{gateway} would, but {unknown[1]}", gateway
    if fits:
        node, why = _deaf(scope, meant)
        yield node, f"{meant.phrase} {why}", gateway
    yield from () if front or scope.front.ports else _apart(scope.mesh, meant, port)
    hint = "" if front and not scope.front.ports else f"; {_told(scope.front.ports, port)}"
    yield meant.number_node, f"{gateway} listens on {numbers}{hint}", gateway


def _told(ports: Mapping[int, int], port: int) -> str:
    """What settings say of a port, or would."""
    setting = "`ingress: {ports: ...}` in .mirrorlint.yaml"
    if not ports:
        return f"where port {port} leads otherwise, {setting} tells"
    return f"{setting} leads port {port} to {ports[port]}" if port in ports else f"{setting} has no port {port}"


def _near(front: Service, number: int) -> tuple[Node, str]:
    """The port of a Service that was probably meant by another number, that of the nodes where it is one for those, and all that it has."""
    of_nodes = [port for port in front.ports if port.node_port] if number in _OF_NODES else []
    near = min(of_nodes, key=lambda port: abs(port.node_port - number), default=None)
    written = front.manifest.node["spec"]["ports"] if near else ()
    node = next((each["nodePort"] for each in written if near and each["port"] == near.node), front.ports[0].node)
    return node, ", ".join(f"{port.number} (`nodePort: {port.node_port}`)" if port.node_port else str(port.number) for port in front.ports)


def _apart(mesh: Mesh, meant: Server, number: int) -> Iterator[Reason]:
    """The Service that leads from a port to that of a server, but to other pods than its Gateway is for; else that Gateway."""
    gateway = meant.gateway
    for service in (s for s in mesh.services if not gateway.services and exposed(s.manifest) and in_front(s, gateway)):
        leading = [p for p in service.ports if number in (p.number, p.node_port) and meant.number in (p.number, p.target)]
        differing = [name for name, value in gateway.selector.items() if service.selector.get(name, value) != value]
        if leading and differing:
            lost = not mesh.selected_pods(service.namespace, service.selector) and mesh.selected_pods("", gateway.selector)
            wrong, other = (service, gateway) if lost else (gateway, service)
            node, said = wrong.manifest.node["spec"]["selector"][differing[0]], "has it" if lost else "would"
            labels = f"`{differing[0]}: {node.text}`"
            yield node, f"{wrong.manifest} {said}, but selects pods with {labels}, which those of {other.manifest} are not", wrong.manifest


def _unchosen(scope: GatewayScope, gateway: Gateway) -> tuple[Node, str]:
    """Why a Gateway does not configure the pods; those that Istio deploys take none of other namespaces (filterStrictGatewayMerging)."""
    node = gateway.manifest.node
    if scope.front.selected(gateway):
        why = f"is in namespace `{gateway.manifest.namespace}`, and pods that Istio deploys take no Gateway of another"
        return node["metadata"]["namespace"], why
    if not gateway.selector:
        named = _hostname(gateway)
        return _unknown_front(scope, gateway) or (named, f"its address `{named.text}` leads to other pods than the ingress's")
    chosen = next((value for _, value in node["spec"]["selector"].items()), node["spec"]["addresses"])
    labels = quoted(f"{name}: {value}" for name, value in gateway.selector.items())
    return chosen, f"selects pods with {labels}, which the ingress's are not"


def _unknown_front(scope: GatewayScope, gateway: Gateway) -> tuple[Node, str] | None:
    """The address of a Gateway that names a Service for its pods, where none of those that it names is here."""
    if not gateway.services or any(scope.mesh.owner(host, gateway.manifest.namespace) for host in gateway.services):
        return None
    named = _hostname(gateway)
    return named, f"its address `{named.text}` is no Service of its namespace"


def _hostname(gateway: Gateway) -> Node:
    """The first address of a Gateway that names a Service."""
    return next(each["value"] for each in gateway.manifest.node["spec"]["addresses"] if each["type"].text == "Hostname")


def _deaf(scope: GatewayScope, meant: Server) -> tuple[Node, str]:
    """Why a server on the right port gives no listener."""
    listening = scope.front.listening(meant)
    if not listening:
        return meant.number_node, f"is for port {meant.number}, which the Services of its Gateway do not have"
    if meant.bind:
        return meant.node["bind"], f"listens on {meant.bind} alone"
    if meant.tls and not meant.terminates:
        return _unpassed(meant)
    if not meant.plain_http and not meant.terminates:
        return meant.protocol_node, f"is for {meant.protocol}, for which no route is bound to it"
    if not set(listening) & set(scope.listeners):
        return meant.number_node, "comes after another one that took the port"
    return meant.number_node, f"listens on port {_listed(listening)} of the pods, to which port {meant.number} of the ingress does not lead"


def _unpassed(meant: Server) -> tuple[Node, str]:
    """Why a server that passes TLS on has no one to pass it to."""
    if meant.mode == ACROSS:
        return meant.host_node, f"passes TLS on to Services of the mesh (`{ACROSS}`), of which none matches its `hosts`"
    route = "TLSRoute" if meant.noun == "listener" else "`tls` route"
    return meant.node["tls"], f"passes TLS on (`{meant.mode}`), for which no {route} is bound to it"


def _listed(ports: Iterable[int]) -> str:
    *first, last = map(str, ports)
    return f"{', '.join(first)} and {last}" if first else last
