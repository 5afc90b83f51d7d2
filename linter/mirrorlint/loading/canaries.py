"""What Flagger makes of Canaries (docs.flagger.app/usage/how-it-works, pkg/router: kubernetes_default.go, istio.go, gateway_api.go)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mirrorlint.fleet import Manifest
from mirrorlint.loading.making import empty, made, several
from mirrorlint.source import Node

_ROLES = ("", "-primary", "-canary")


def of_canaries(manifests: Iterable[Manifest]) -> Iterator[Manifest]:
    """The Services of each Canary: the one that is called, the primary's and the canary's; and its route at gateways.

    What they say stands in the Canary. Between two releases all goes to the primary.
    """
    for canary in (manifest for manifest in manifests if manifest.kind == "Canary"):
        spec = canary.node["spec"]
        name, said, provider = spec["service"]["name"] or spec["targetRef"]["name"], spec["service"], spec["provider"].text
        if name.text and _is_admitted(said):
            found = [_service(name, f"{name.text}{role}", said) for role in _ROLES]
            if provider in ("", "istio") and _is_routed(said):
                found.append(_virtual_service(name, said))
            if said["gatewayRefs"] and (not provider or provider.startswith("gatewayapi")):
                found.append(_http_route(name, said))
            yield from (Manifest(node, canary.namespace) for node in found)


def _is_admitted(said: Node) -> bool:
    """Whether the fields that are read are of the types that Flagger's CRD wants (artifacts/flagger/crd.yaml)."""
    port, texts = said["port"], [text for field in ("hosts", "gateways") for text in said[field]]
    lists = (said[field] for field in ("hosts", "gateways", "match", "gatewayRefs") if said[field])
    mappings = (item for field in ("match", "gatewayRefs") for item in said[field])
    is_typed = all(isinstance(text.value, str) for text in texts) and all(item.is_mapping for item in mappings)
    is_number = not isinstance(port.value, str) and port.number in range(1, 65536)
    return is_number and is_typed and all(each.is_sequence for each in lists)


def _is_routed(said: Node) -> bool:
    """Whether Flagger makes a VirtualService for gateways; it makes no delegate that is told hosts or gateways (istio.go)."""
    if said["delegation"].truth:
        return not len(said["hosts"]) and not len(said["gateways"])
    return len(said["gateways"]) > 0


def _service(at: Node, name: str, said: Node) -> Node:
    port = (
        empty(at)
        .having("name", said["portName"] or "http")
        .having("port", said["port"])
        .having("targetPort", said["targetPort"] or said["port"])
    )
    port = port.having("appProtocol", said["appProtocol"]) if said["appProtocol"] else port
    return _named(at, "v1", "Service", name, empty(at).having("ports", several(at, port)))


def _virtual_service(at: Node, said: Node) -> Node:
    destination = empty(at).having("host", f"{at.text}-primary").having("port", empty(at).having("number", said["port"]))
    rule = empty(at).having("route", several(at, empty(at).having("destination", destination)))
    if said["appProtocol"].text.lower() == "tcp":
        spec = empty(at).having("tcp", several(at, rule.having("match", _ports(said["match"]))))
    else:
        for field in ("match", "rewrite", "headers"):
            rule = rule.having(field, said[field]) if said[field] else rule
        spec = empty(at).having("http", several(at, rule))
    if not said["delegation"].truth:
        hosts = [*said["hosts"], *([] if {at.text, "*"} & {*said["hosts"].texts} else [at])]
        spec = spec.having("hosts", several(at, *hosts)).having("gateways", said["gateways"])
    return _named(at, "networking.istio.io/v1", "VirtualService", at.text, spec)


def _ports(conditions: Node) -> Node:
    """What a route of `tcp`, which Flagger makes where `appProtocol` is TCP, has of conditions (istio.go:canaryToL4Match)."""
    return several(conditions, *(empty(each).having("port", each["port"]) if each["port"] else empty(each) for each in conditions))


def _http_route(at: Node, said: Node) -> Node:
    """Its `match`, whose conditions are written as Istio's, is not read: the route takes every request."""
    backend = empty(at).having("name", f"{at.text}-primary").having("port", said["port"])
    rule = empty(at).having("backendRefs", several(at, backend))
    spec = empty(at).having("parentRefs", said["gatewayRefs"]).having("rules", several(at, rule))
    spec = spec.having("hostnames", said["hosts"]) if said["hosts"] else spec
    return _named(at, "gateway.networking.k8s.io/v1", "HTTPRoute", at.text, spec)


def _named(at: Node, version: str, kind: str, name: str, spec: Node) -> Node:
    return made(at, version, kind, empty(at).having("name", name), spec)
