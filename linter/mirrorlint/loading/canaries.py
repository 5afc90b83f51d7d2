"""What Flagger makes of Canaries (docs.flagger.app/usage/how-it-works, pkg/router: kubernetes_default.go, istio.go, gateway_api.go)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mirrorlint.fleet import Manifest
from mirrorlint.source import Node

_ROLES = ("", "-primary", "-canary")


def made(manifests: Iterable[Manifest]) -> Iterator[Manifest]:
    """The Services of each Canary: the one that is called, the primary's and the canary's; and its route at gateways.

    What they say stands in the Canary. Between two releases all goes to the primary.
    """
    for canary in (manifest for manifest in manifests if manifest.kind == "Canary"):
        spec = canary.node["spec"]
        name, said, provider = spec["service"]["name"] or spec["targetRef"]["name"], spec["service"], spec["provider"].text
        if name and said["port"]:
            found = [_service(name, f"{name.text}{role}", said) for role in _ROLES]
            if said["gateways"] and provider in ("", "istio"):
                found.append(_virtual_service(name, said))
            if said["gatewayRefs"] and not said["match"] and (not provider or provider.startswith("gatewayapi")):
                found.append(_http_route(name, said))
            yield from (Manifest(node, canary.namespace) for node in found)


def _service(at: Node, name: str, said: Node) -> Node:
    port = (
        _empty(at)
        .having("name", said["portName"] or "http")
        .having("port", said["port"])
        .having("targetPort", said["targetPort"] or said["port"])
    )
    port = port.having("appProtocol", said["appProtocol"]) if said["appProtocol"] else port
    return _object(at, "v1", "Service", name, _empty(at).having("ports", _list(at, port)))


def _virtual_service(at: Node, said: Node) -> Node:
    destination = _empty(at).having("host", f"{at.text}-primary").having("port", _empty(at).having("number", said["port"]))
    rule = _empty(at).having("route", _list(at, _empty(at).having("destination", destination)))
    for field in ("match", "rewrite", "headers"):
        rule = rule.having(field, said[field]) if said[field] else rule
    hosts = [*said["hosts"], *([] if {at.text, "*"} & {*said["hosts"].texts} else [at])]
    spec = _empty(at).having("hosts", _list(at, *hosts)).having("gateways", said["gateways"]).having("http", _list(at, rule))
    return _object(at, "networking.istio.io/v1", "VirtualService", at.text, spec)


def _http_route(at: Node, said: Node) -> Node:
    backend = _empty(at).having("name", f"{at.text}-primary").having("port", said["port"])
    spec = (
        _empty(at)
        .having("parentRefs", said["gatewayRefs"])
        .having("rules", _list(at, _empty(at).having("backendRefs", _list(at, backend))))
    )
    spec = spec.having("hostnames", said["hosts"]) if said["hosts"] else spec
    return _object(at, "gateway.networking.k8s.io/v1", "HTTPRoute", at.text, spec)


def _object(at: Node, version: str, kind: str, name: str, spec: Node) -> Node:
    metadata = _empty(at).having("name", name)
    return _empty(at).having("apiVersion", version).having("kind", kind).having("metadata", metadata).having("spec", spec)


def _empty(at: Node) -> Node:
    return Node(({}, *at.raw[1:]), at.path)


def _list(at: Node, *items: Node) -> Node:
    return Node(([item.raw for item in items], *at.raw[1:]), at.path)
