"""The Services before ingress gateways that installers make: of an IstioOperator, and of Istio's chart for gateways.

Sources: Istio's manifests/charts/gateways/istio-ingress and manifests/charts/gateway.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from mirrorlint.fleet import Manifest
from mirrorlint.loading.units import GATEWAY_CHART, Chart, Installed
from mirrorlint.source import Node

_NAMESPACE = "istio-system"
_OPERATORS_LABELS = {"app": "istio-ingressgateway", "istio": "ingressgateway"}
_OPERATORS_PORTS = (("http2", 80, 8080), ("https", 443, 8443))
_CHARTS_PORTS = (("http2", 80, 80), ("https", 443, 443))


class _Installed(NamedTuple):
    """What is said of a gateway's Service: its name, `spec`, annotations and labels, and the ports that it has where none are said."""

    name: Node
    spec: Node
    annotations: Node
    labels: Mapping[str, Node | str]
    ports: Iterable[tuple[str, int, int]]


def services(manifests: Iterable[Manifest], charts: Iterable[Installed]) -> Iterator[Manifest]:
    """A Service for each gateway that is told of in one place; what it says stands there."""
    for manifest in (manifest for manifest in manifests if manifest.kind == "IstioOperator"):
        spec = manifest.node["spec"]
        for component in spec["components"]["ingressGateways"]:
            if component["enabled"].text != "false" and not (spec["values"]["gateways"] or component["k8s"]["overlays"]):
                yield Manifest(_service(_of_operator(component)), component["namespace"].text or spec["namespace"].text or _NAMESPACE)
    for chart, values in charts:
        if chart.called == GATEWAY_CHART and chart.is_told:
            yield _of_chart(chart, next(iter(values), chart.name))


def _of_operator(component: Node) -> _Installed:
    said, labels = component["k8s"], dict[str, Node | str](_OPERATORS_LABELS)
    labels.update(component["label"].items())
    return _Installed(component["name"], said["service"], said["serviceAnnotations"], labels, _OPERATORS_PORTS)


def _of_chart(chart: Chart, values: Node) -> Manifest:
    name = values["name"] or chart.release
    given, service = values["labels"], values["service"]
    labels = {"app": given["app"] or name, "istio": given["istio"] or name.text.removeprefix("istio-")}
    return Manifest(_service(_Installed(name, service, service["annotations"], labels, _CHARTS_PORTS)), chart.namespace)


def _service(said: _Installed) -> Node:
    empty = Node(({}, *said.name.raw[1:]), said.name.path)
    selector = empty
    for key, label in said.labels.items():
        selector = selector.having(key, label)
    spec = said.spec if said.spec.is_mapping else empty
    spec = spec.having("selector", selector).having("type", spec["type"] or "LoadBalancer")
    if not spec["ports"]:
        ports = [empty.having("name", name).having("port", port).having("targetPort", target).raw for name, port, target in said.ports]
        spec = spec.having("ports", Node((ports, *empty.raw[1:]), empty.path))
    metadata = empty.having("name", said.name).having("annotations", said.annotations)
    return empty.having("apiVersion", "v1").having("kind", "Service").having("metadata", metadata).having("spec", spec)
