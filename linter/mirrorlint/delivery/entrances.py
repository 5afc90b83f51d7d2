"""The ways from outside to a cluster's gateways: addresses, the Services that have them, and what stands before."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from mirrorlint.delivery.addresses import Balancer, exposures, proxied, shown, targets, unaddressed
from mirrorlint.istio.names import is_wild, known_as, subset_of
from mirrorlint.istio.services import Service
from mirrorlint.kinds import KUBERNETES_NETWORKING

if TYPE_CHECKING:
    from mirrorlint.delivery.mesh import Mesh

_PROXY = "istio-proxy"  # the container of a gateway's pod (manifests/charts/gateway/templates/deployment.yaml)


class Entrances:
    """Where a cluster's gateways are reached, as settings say or manifests show."""

    def __init__(self, mesh: Mesh) -> None:
        """Nothing is looked for before it is needed."""
        self._mesh = mesh
        self._settings = mesh.cluster.settings.ingress

    @cached_property
    def addresses(self) -> dict[str, Service | None]:
        """The names and IPs of the cluster's ingress, with the Service that has one: settings, else Services in front of gateways."""
        gateways = self._mesh.meant_gateways
        found: dict[str, Service | None] = {known_as(name): None for gateway in gateways for name in targets(gateway.manifest)}
        found |= {known_as(address): service for address, service in shown(self._mesh.kubernetes_services, gateways)}
        said = [known_as(address) for address in self._settings.addresses]
        return {address: found.get(address) for address in said} if said else found

    @cached_property
    def _wild(self) -> list[str]:
        return [name for name in self.addresses if is_wild(name)]

    def known(self, address: str) -> str:
        """What of `addresses` an address is, or a wildcard for it; "" for nothing."""
        if address in self.addresses:
            return address
        return max((name for name in self._wild if subset_of(address, name)), key=len, default="")

    def service(self, address: str) -> Service | None:
        """The Service that is reached at an address, where manifests tell."""
        return self.addresses.get(self.known(address)) or self.others.get(address)

    @cached_property
    def others(self) -> dict[str, Service]:
        """The Services in front of no Gateway that are reached from outside, by their names and IPs."""
        found = ((known_as(address), service) for address, service in exposures(self._mesh.kubernetes_services))
        return {address: service for address, service in found if address not in self.addresses}

    def leads_to_proxy(self, service: Service) -> bool:
        """Whether the pods behind a Service are gateways' proxies: by their containers, else by names and Istio's own label."""
        if not service.kubernetes or not service.selector:
            return False
        pods = self._mesh.selected_pods(service.namespace, service.selector)
        containers = [container for _, pod in pods for container in pod["spec"]["containers"]]
        if containers:
            return any(container["name"].text == _PROXY for container in containers)
        named = "istio" in service.selector or any("gateway" in name for name in (service.manifest.name, *service.selector.values()))
        return not pods and named

    @cached_property
    def hidden(self) -> bool:
        """Whether requests may reach the gateways at an address that manifests don't show."""
        return not self._settings.addresses and unaddressed(self._mesh.kubernetes_services, self._mesh.meant_gateways)

    @cached_property
    def ingresses(self) -> dict[str, Balancer]:
        """The Kubernetes Ingresses before the gateways, under the names and IPs at which they are reached, "" for any."""
        manifests = self._mesh.cluster.of("Ingress", KUBERNETES_NETWORKING)
        return {known_as(address): found for address, found in proxied(manifests, self._mesh.kubernetes_services, self._mesh.gateways)}

    def ingress(self, address: str) -> Balancer | None:
        """The Kubernetes Ingress that an address leads through."""
        return (self.ingresses.get(known_as(address)) or self.ingresses.get("")) if self.ingresses else None
