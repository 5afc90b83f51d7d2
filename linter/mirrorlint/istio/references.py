"""How objects of the Gateway API name others, and which grants let them (pilot/pkg/config/kube/gatewaycommon/references.go)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from mirrorlint.fleet import Manifest
from mirrorlint.kinds import GATEWAY_API, NETWORKING
from mirrorlint.source import Node


class Kind(NamedTuple):
    """Group and kind of an object that is named."""

    group: str
    name: str


GATEWAY = Kind(GATEWAY_API, "Gateway")
SERVICE = Kind("", "Service")
SERVICE_ENTRY = Kind(NETWORKING, "ServiceEntry")
HOSTNAME = Kind(NETWORKING, "Hostname")
SERVICE_IMPORT = Kind("multicluster.x-k8s.io", "ServiceImport")
SECRET = Kind("", "Secret")
CONFIG_MAP = Kind("", "ConfigMap")
_GRANTED = (SERVICE, SECRET)


class Reference(NamedTuple):
    """What a reference names; `node` is the whole of it."""

    kind: Kind
    namespace: str
    name: str
    node: Node


def read_reference(node: Node, namespace: str, default: Kind) -> Reference:
    """A reference in an object of `namespace`; what it leaves out is that namespace and the default (NormalizeReference)."""
    group, kind = node["group"], node["kind"]
    named = Kind(group.text if group else default.group, kind.text if kind else default.name)
    return Reference(named, node["namespace"].text or namespace, node["name"].text, node)


class Grants:
    """What ReferenceGrants allow."""

    def __init__(self, manifests: Iterable[Manifest]) -> None:
        """Read the manifests; Istio takes grants for Services and Secrets only (ReferenceGrantsCollection)."""
        self._manifests = tuple(manifests)
        self._allowed = {
            (Kind(source["group"].text, source["kind"].text), source["namespace"].text, kind, manifest.namespace, _granted_name(to))
            for manifest in self._manifests
            for source in manifest.node["spec"]["from"]
            for to in manifest.node["spec"]["to"]
            if (kind := Kind(to["group"].text, to["kind"].text)) in _GRANTED
        }

    def allow(self, kind: Kind, namespace: str, reference: Reference) -> bool:
        """Whether an object of a kind and namespace may name what the reference names; in its own namespace it always may."""
        granted = ((kind, namespace, reference.kind, reference.namespace, name) for name in (reference.name, None))
        return reference.namespace == namespace or any(one in self._allowed for one in granted)

    def nearest(self, kind: Kind, namespace: str, reference: Reference) -> tuple[Node, str] | None:
        """The one value that keeps a grant from letting an object name what the reference names, and what it would have to be."""
        for manifest in self._manifests:
            parts = [(source, to) for source in manifest.node["spec"]["from"] for to in manifest.node["spec"]["to"]]
            for source, to in parts:
                wanted = (
                    (manifest.node["metadata"]["namespace"], manifest.namespace, reference.namespace),
                    (source["group"], source["group"].text, kind.group),
                    (source["kind"], source["kind"].text, kind.name),
                    (source["namespace"], source["namespace"].text, namespace),
                    (to["group"], to["group"].text, reference.kind.group),
                    (to["kind"], to["kind"].text, reference.kind.name),
                    (to["name"], reference.name if _granted_name(to) is None else to["name"].text, reference.name),
                )
                wrong = [(node, right) for node, said, right in wanted if said != right]
                if len(wrong) == 1:
                    return wrong[0][0], f"{manifest} would let it if this were `{wrong[0][1]}`"
        return None


def _granted_name(to: Node) -> str | None:
    """The name that a grant is for, None for any; an empty one is nobody's."""
    return to["name"].text if to["name"] else None
