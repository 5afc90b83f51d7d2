"""The Services in front of a gateway's pods: which Gateways are for them, and what ports lead to which container ports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from mirrorlint.delivery.addresses import Balancer, balancer, exposed
from mirrorlint.delivery.mesh import Mesh
from mirrorlint.fleet import Ingress
from mirrorlint.istio.gateway import Gateway, Server
from mirrorlint.istio.ports import Port
from mirrorlint.istio.services import Service
from mirrorlint.source import Node

USUAL_PORTS = {80: 8080, 443: 8443}  # manifests/charts/gateways: the ingress Service's ports and the container ports behind them
UNTRANSLATED = "experimental.istio.io/disable-gateway-port-translation"


class Front:
    """What is in front of some pods."""

    def __init__(self, mesh: Mesh, namespace: str, labels: Mapping[str, str], ingress: Ingress) -> None:
        """`ingress` holds what settings say of the pods' `ports`; the namespace is "" when it is not known."""
        self._mesh, self._namespace, self.ports = mesh, namespace, ingress.ports
        own = (s for s in mesh.kubernetes_services if s.selector and s.selector.items() <= labels.items())
        near = (service for service in own if namespace in ("", service.namespace))
        self.services = sorted(near, key=lambda service: (service.manifest.created, service.host))
        self._labels = labels

    def selected(self, gateway: Gateway) -> bool:
        """Whether a Gateway is for the pods: by their labels, or by a Service of its namespace (push_context.go:mergeGateways).

        A Service that is not in the manifests is taken to be in front of pods of its namespace.
        """
        if not gateway.services:
            return gateway.selector.items() <= self._labels.items()
        own = [service for service in self.services if service.namespace == gateway.manifest.namespace]
        return any(s.host in gateway.services for s in own) or any(self._unseen(host, gateway) for host in gateway.services)

    def _unseen(self, host: str, gateway: Gateway) -> bool:
        namespace = gateway.manifest.namespace
        fitting = host.endswith(f".{namespace}.svc.{self._mesh.domain}") and self._namespace in ("", namespace)
        return fitting and not gateway.selector and self._mesh.owner(host, namespace) is None

    def listening(self, server: Server) -> list[int]:
        """The container ports that a server listens on: what the Services make of its number (model/gateway.go:resolvePorts).

        A listener of the Gateway API counts for its own Services alone, and only by their ports.
        """
        named = server.gateway.services
        if server.number in self.ports and not named:
            return [self.ports[server.number]]
        seen = [service for service in self.services if self._mesh.discovery.takes(service.manifest)]
        front = [s for s in seen if (s.host in named if named else UNTRANSLATED not in s.manifest.node["metadata"]["labels"])]
        targets = ((port, target) for service in front for port, target in self._distinct(service))
        found = list(dict.fromkeys(target for port, target in targets if port == server.number))
        if named and front:
            return found
        usual = USUAL_PORTS.get(server.number, server.number)
        return found[:1] or [usual if usual in self.ports.values() else server.number]

    def _distinct(self, service: Service) -> Iterator[tuple[int, int]]:
        """A Service's ports with their targets; of those alike in target and protocol the first (GetProxyServiceTargetsByPod)."""
        first: dict[tuple[int, str], int] = {}
        for port in service.ports:
            first.setdefault((self._target(service, port) or port.number, port.protocol), port.number)
        yield from ((number, target) for (target, _), number in first.items())

    def container_ports(self, port: int, service: Service | None = None) -> tuple[int, ...]:
        """The container ports that a port of the ingress may lead to, the most likely first; none when the ingress doesn't have it.

        `service` is the one that is reached, when that is known; else those count that are reached from outside, if there are any.
        """
        if self.ports:
            return (self.ports[port],) if port in self.ports else ()
        reached = self._reached(service)
        fitting = ((s, p) for s in reached for p in s.ports if port and port in (p.number, p.node_port) and p.protocol != "UDP")
        hosted = () if service else tuple(self._hosted(port))
        return (*(number for s, p in fitting for number in self._targets(s, p)), *hosted) if reached or hosted else _usual(port)

    def _hosted(self, port: int) -> Iterator[int]:
        """The container ports behind a port of the nodes that the pods run on (kubernetes/api, core/v1: ContainerPort)."""
        for _, pod in self._pods:
            if pod["spec"]["hostNetwork"].truth:
                yield port
            said = (each for container in pod["spec"]["containers"] for each in container["ports"])
            yield from (each["containerPort"].number for each in said if port and each["hostPort"].number == port)

    @cached_property
    def _pods(self) -> list[tuple[str, Node]]:
        return self._mesh.selected_pods(self._namespace, self._labels) if self._labels else []

    def said_ports(self, listener: int) -> list[int]:
        """The ports that clients put behind the host to reach a listener: none where it can be reached at 80 or 443."""
        known = self.ports or [port.number for service in self._reached(None) for port in service.ports] or [*USUAL_PORTS, listener]
        found = [port for port in known if listener in self.container_ports(port)]
        return [] if {80, 443} & {*found} else found

    def _reached(self, service: Service | None) -> list[Service]:
        return [service] if service else [s for s in self.services if exposed(s.manifest)] or self.services

    def balancer(self, port: int, service: Service | None) -> Balancer | None:
        """The load balancer that ends TLS before a port of the ingress, if each does that `service` (as in `container_ports`) leaves."""
        found = [balancer(s, p) for s in self._reached(service) for p in s.ports if p.number == port]
        return found[0] if found and all(found) else None

    def _targets(self, service: Service, port: Port) -> tuple[int, ...]:
        target = self._target(service, port)
        return (target,) if target else _usual(port.number)

    def _target(self, service: Service, port: Port) -> int:
        """The container port behind a Service's port; 0 when it has a name that no pod in the manifests explains."""
        if not port.target_name:
            return port.target or port.number
        return next(self._named(service, port.target_name), 0)

    def unexplained(self, service: Service, number: int) -> list[Port]:
        """The ports of a number, the nodes' as well, that lead to a name which no container in the manifests has, if they show any."""
        asked = (port for port in service.ports if number in (port.number, port.node_port) and port.protocol != "UDP")
        return [port for port in asked if not self._target(service, port)] if self._containers(service) else []

    def _containers(self, service: Service) -> list[Node]:
        pods = [pod["spec"] for _, pod in self._mesh.selected_pods(service.namespace, service.selector)]
        return [container for spec in pods for container in (*spec["containers"], *spec["initContainers"])]

    def _named(self, service: Service, name: str) -> Iterator[int]:
        containers = self._containers(service)
        ports = (port for container in containers for port in container["ports"])
        yield from (port["containerPort"].number for port in ports if port["name"].text == name)


def _usual(port: int) -> tuple[int, ...]:
    """What Istio's default Service makes of a port, or the port itself."""
    return (port, USUAL_PORTS[port]) if port in USUAL_PORTS else (port,)
