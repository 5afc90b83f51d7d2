"""The Services that Flagger makes of Canaries (docs.flagger.app/usage/how-it-works, pkg/router/kubernetes_default.go)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mirrorlint.fleet import Manifest
from mirrorlint.source import Node

_ROLES = ("", "-primary", "-canary")


def services(manifests: Iterable[Manifest]) -> Iterator[Manifest]:
    """The Services of each Canary: the one that is called, the primary's and the canary's; what they say stands in the Canary."""
    for canary in (manifest for manifest in manifests if manifest.kind == "Canary"):
        spec = canary.node["spec"]
        name = spec["service"]["name"] or spec["targetRef"]["name"]
        for role in _ROLES if name and spec["service"]["port"] else ():
            yield Manifest(_service(name, f"{name.text}{role}", spec["service"]), canary.namespace)


def _service(at: Node, name: str, said: Node) -> Node:
    empty = Node(({}, *at.raw[1:]), at.path)
    port = (
        empty.having("name", said["portName"] or "http")
        .having("port", said["port"])
        .having("targetPort", said["targetPort"] or said["port"])
    )
    port = port.having("appProtocol", said["appProtocol"]) if said["appProtocol"] else port
    spec = empty.having("ports", Node(([port.raw], *at.raw[1:]), at.path))
    return empty.having("apiVersion", "v1").having("kind", "Service").having("metadata", empty.having("name", name)).having("spec", spec)
