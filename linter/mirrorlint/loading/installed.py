"""The Services before ingress gateways that installers make: of an IstioOperator, and of Istio's chart for gateways.

Sources: Istio's manifests/charts/gateways/istio-ingress and manifests/charts/gateway.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from mirrorlint.fleet import Manifest
from mirrorlint.loading.units import GATEWAY_CHART, is_told_by_release, is_told_by_source
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


def services(manifests: Iterable[Manifest], applied: Iterable[tuple[Node, Sequence[Node]]]) -> Iterator[Manifest]:
    """A Service for each ingress gateway that is told of in one place; what it says stands there.

    `applied` are Applications and HelmReleases with the values that they give their charts.
    """
    for manifest in (manifest for manifest in manifests if manifest.kind == "IstioOperator"):
        spec = manifest.node["spec"]
        for component in spec["components"]["ingressGateways"]:
            if component["enabled"].text != "false" and not (spec["values"]["gateways"] or component["k8s"]["overlays"]):
                yield Manifest(_service(_of_operator(component)), component["namespace"].text or spec["namespace"].text or _NAMESPACE)
    for node, values in applied:
        yield from _of_charts(node, values)


def _of_operator(component: Node) -> _Installed:
    said, labels = component["k8s"], dict[str, Node | str](_OPERATORS_LABELS)
    labels.update(component["label"].items())
    return _Installed(component["name"], said["service"], said["serviceAnnotations"], labels, _OPERATORS_PORTS)


def _of_charts(node: Node, every: Sequence[Node]) -> Iterator[Manifest]:
    """What the charts of an Application or a HelmRelease make; of values that are given twice the last ones count."""
    spec = node["spec"]
    sources = [(each, each["chart"], each["helm"]["releaseName"]) for each in (*spec["sources"], spec["source"]) if is_told_by_source(each)]
    releases = [(spec, spec["chart"]["spec"]["chart"], spec["releaseName"])] if is_told_by_release(spec) else []
    for whole, chart, release in (*sources, *releases):
        if chart.text == GATEWAY_CHART:
            values = [value for value in every if whole.raw[2:4] <= value.raw[2:4] and value.raw[4:] <= whole.raw[4:]]
            name = _last(values, "name", release or node["metadata"]["name"])
            given, service = _last(values, "labels", chart), _last(values, "service", chart)
            labels = {"app": given["app"] or name, "istio": given["istio"] or name.text.removeprefix("istio-")}
            namespace = spec["destination"]["namespace"] or spec["targetNamespace"] or node["metadata"]["namespace"]
            yield Manifest(_service(_Installed(name, service, service["annotations"], labels, _CHARTS_PORTS)), namespace.text)


def _last(values: Sequence[Node], name: str, default: Node) -> Node:
    return next((value[name] for value in reversed(values) if value[name]), default)


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
