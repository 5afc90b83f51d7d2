"""What one proxy sees: services, virtual services and upstreams, for sidecars and gateways alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mirrorlint.delivery import upstream
from mirrorlint.delivery.mesh import Mesh
from mirrorlint.delivery.upstream import Upstream
from mirrorlint.istio.destination_rule import DestinationRule
from mirrorlint.istio.names import exported
from mirrorlint.istio.routing import Destination
from mirrorlint.istio.services import Service


class Scope:
    """A proxy's view of its mesh; `namespace` is empty for a gateway whose namespace is not known."""

    is_gateway = False

    def __init__(self, mesh: Mesh, namespace: str, labels: Mapping[str, str]) -> None:
        """`labels` are those of the proxy's pod."""
        self.mesh, self.namespace, self.labels = mesh, namespace, labels
        self._services: dict[str, Service | None] = {}
        self._upstreams: dict[tuple[str, int, str], Upstream | None] = {}

    def sees(self, service: Service) -> bool:
        """Whether the service is exported to the proxy's namespace."""
        if not self.namespace:
            return "~" not in service.export_to
        return exported(service.export_to, service.namespace, self.namespace)

    def service(self, host: str) -> Service | None:
        """The service that the proxy has for a host, compared letter by letter."""
        if host not in self._services:
            self._services[host] = joined(self.services_of(host))
        return self._services[host]

    def rule_for(self, service: Service) -> DestinationRule | None:
        """The DestinationRule that the proxy applies to a service."""
        return self.mesh.rules_in_force.rule_for(service, self.namespace, self.labels)

    def upstream(self, host: str, port: int, subset: str) -> Upstream | None:
        """The upstream of that name, None where the proxy has none: then Envoy drops the request."""
        key = (host, port, subset)
        if key not in self._upstreams:
            self._upstreams[key] = self._build(*key)
        return self._upstreams[key]

    def services_of(self, host: str) -> Iterable[Service]:
        """The services for a host in the order in which Istio adds them; gateways see what is exported (DefaultSidecarScopeForGateway)."""
        return exported_first(service for service in self.mesh.services_by_host.get(host, ()) if self.sees(service))

    def _build(self, host: str, number: int, subset: str) -> Upstream | None:
        service = self.service(host)
        if service is None:
            return None
        port = service.port(number)
        rule = self.rule_for(service)
        chosen = rule.subsets.get(subset) if rule and subset else None
        if port is None or (subset and chosen is None):
            return None
        return upstream.build(self.mesh, service, port, chosen, rule, self.is_gateway)


def exported_first(services: Iterable[Service]) -> list[Service]:
    """Services exported to single namespaces stand before public ones (push_context.go:servicesExportedToNamespace)."""
    return sorted(services, key=lambda service: "*" in service.export_to)


def joined(services: Iterable[Service]) -> Service | None:
    """One service out of all for a host: the first, or Kubernetes'; entries alike but for ports are merged (appendSidecarServices)."""
    result: Service | None = None
    for service in services:
        if result is None or (service.kubernetes and not result.kubernetes):
            result = service
        elif not differences(result, service):
            known = {port.number for port in result.ports}
            result = result._replace(ports=result.ports + tuple(port for port in service.ports if port.number not in known))
    return result


def differences(one: Service, other: Service) -> list[str]:
    """What keeps Istio from merging two services; to export it to all is not to say nothing (sidecar.go:canMergeServices)."""
    said, of_other = _identity(one), _identity(other)
    return [name for name, value in said.items() if value != of_other[name]]


def _identity(service: Service) -> dict[str, object]:
    return {
        "kind": service.kubernetes,
        "namespace": service.namespace,
        "`resolution`": service.resolution,
        "`workloadSelector`": service.selector,
        "`exportTo`": set(service.manifest.node["spec"]["exportTo"].texts),
        "labels": service.manifest.node["metadata"]["labels"].named_texts,
    }


def addressed(destination: Destination, service: Service | None, port: int) -> tuple[str, int]:
    """Host and port of the upstream that a destination names: its own port, the service's only one, else `port`.

    `service` is what the proxy's look-up finds for the host; an ExternalName Service stands for its external name
    (route.go:GetDestinationCluster).
    """
    host = service.alias_of or destination.host if service else destination.host
    if destination.port:
        return host, destination.port
    return host, service.ports[0].number if service and len(service.ports) == 1 else port
