"""The Services before gateways that installers make: of an IstioOperator, and of Istio's chart for gateways.

Sources: Istio's manifests/charts/gateways (istio-ingress, istio-egress), manifests/charts/gateway and manifests/profiles.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from mirrorlint.fleet import Manifest
from mirrorlint.loading.making import empty, made, several
from mirrorlint.loading.units import GATEWAY_CHART, Chart, Installed, one_value
from mirrorlint.source import Node

_NAMESPACE = "istio-system"
_INGRESS, _EGRESS = "istio-ingressgateway", "istio-egressgateway"
_STATUS = ("status-port", 15021, 15021)  # where probes and load balancers ask; egress gateways of an IstioOperator have none
_OPERATORS_PORTS = (("http2", 80, 8080), ("https", 443, 8443))
_CHARTS_PORTS = (_STATUS, ("http2", 80, 80), ("https", 443, 443))


class _Gateway(NamedTuple):
    """What is said of a gateway's Service: its name, `spec`, annotations and labels, and its type and ports where none are said."""

    name: Node
    spec: Node
    annotations: Node
    labels: Mapping[str, Node | str]
    ports: Iterable[tuple[str, int, int]]
    type: str = "LoadBalancer"


def services(manifests: Iterable[Manifest], charts: Iterable[Installed]) -> Iterator[Manifest]:
    """A Service for each gateway that is told of, an ingress gateway only where that is in one place; what it says stands there."""
    for manifest in (manifest for manifest in manifests if manifest.kind == "IstioOperator"):
        spec = manifest.node["spec"]
        gateways = (*_ingresses(spec), *_egresses(spec))
        yield from (Manifest(_service(said), namespace.text or spec["namespace"].text or _NAMESPACE) for said, namespace in gateways)
    for chart, values in charts:
        if chart.called == GATEWAY_CHART and chart.is_told:
            yield _of_chart(chart, next(iter(values), chart.name))


def _ingresses(spec: Node) -> Iterator[tuple[_Gateway, Node]]:
    """The ingress gateways of an IstioOperator, with their namespaces."""
    for component in spec["components"]["ingressGateways"]:
        if component["enabled"].text != "false" and not (spec["values"]["gateways"] or component["k8s"]["overlays"]):
            yield _of_operator(component, _INGRESS)._replace(ports=(_STATUS, *_OPERATORS_PORTS)), component["namespace"]


def _egresses(spec: Node) -> Iterator[tuple[_Gateway, Node]]:
    """The egress gateways; the usual one is switched off but in the profile `demo`, and by default nothing outside reaches one."""
    profile, listed = spec["profile"], [*spec["components"]["egressGateways"]]
    usual = profile.text == "demo"
    if usual and all(component["name"].text != _EGRESS for component in listed):
        listed.append(one_value("name", Node((_EGRESS, False, *profile.raw[2:]), profile.path)))
    for component in listed:
        enabled = component["enabled"].text or str(usual or component["name"].text != _EGRESS).lower()
        if enabled == "true":
            yield _of_operator(component, _EGRESS)._replace(type="ClusterIP"), component["namespace"]


def _of_operator(component: Node, usual: str) -> _Gateway:
    said, labels = component["k8s"], dict[str, Node | str](app=usual, istio=usual.removeprefix("istio-"))
    labels.update(component["label"].items())
    return _Gateway(component["name"], said["service"], said["serviceAnnotations"], labels, _OPERATORS_PORTS)


def _of_chart(chart: Chart, values: Node) -> Manifest:
    name = values["name"] or chart.release
    given, service = values["labels"], values["service"]
    labels = {"app": given["app"] or name, "istio": given["istio"] or name.text.removeprefix("istio-")}
    return Manifest(_service(_Gateway(name, service, service["annotations"], labels, _CHARTS_PORTS)), chart.namespace)


def _service(said: _Gateway) -> Node:
    nothing = selector = empty(said.name)
    for key, label in said.labels.items():
        selector = selector.having(key, label)
    spec = said.spec if said.spec.is_mapping else nothing
    spec = spec.having("selector", selector).having("type", spec["type"] or said.type)
    if not spec["ports"]:
        ports = (nothing.having("name", name).having("port", port).having("targetPort", target) for name, port, target in said.ports)
        spec = spec.having("ports", several(said.name, *ports))
    return made(said.name, "v1", "Service", nothing.having("name", said.name).having("annotations", said.annotations), spec)
