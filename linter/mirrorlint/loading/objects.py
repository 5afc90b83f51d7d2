"""What a file holds of Kubernetes: the objects that matter, a count of all, and what could not be read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mirrorlint.fleet import Manifest, Suppression
from mirrorlint.loading.suppressions import suppressions
from mirrorlint.source import Broken, Node, parse

NETWORKING, SECURITY, GATEWAY_API = "networking.istio.io", "security.istio.io", "gateway.networking.k8s.io"
MATTERS = {
    NETWORKING: frozenset({"VirtualService", "ServiceEntry", "Gateway", "DestinationRule", "Sidecar", "WorkloadEntry", "EnvoyFilter"}),
    SECURITY: frozenset({"AuthorizationPolicy", "RequestAuthentication", "PeerAuthentication"}),
    GATEWAY_API: frozenset({"HTTPRoute", "GRPCRoute", "Gateway", "GatewayClass", "ReferenceGrant", "ListenerSet", "BackendTLSPolicy"}),
    "": frozenset({"Service", "Namespace", "Pod"}),
    "cert-manager.io": frozenset({"Certificate"}),
    "apps": frozenset({"Deployment", "StatefulSet", "DaemonSet"}),
    "helm.toolkit.fluxcd.io": frozenset({"HelmRelease"}),
    "argoproj.io": frozenset({"Application", "Rollout"}),
}
_FILLED_IN = frozenset({NETWORKING, ""})
_VARIABLE = re.compile(r"\$\{[A-Za-z_]\w*|\{\{")

_KIND = re.compile(r"\bkind[\"']?\s*:\s*[\"']?(\w+)")
_VERSION = re.compile(r"\bapiVersion[\"']?\s*:\s*[\"']?([\w.-]*)(/?)")


class Content(NamedTuple):
    """The manifests of a file that matter, how many objects of any kind it has, and what is broken in it.

    `faults` would have been objects that matter; `unclear` is all else that could not be read.
    """

    manifests: tuple[Manifest, ...]
    objects: int
    faults: tuple[Broken, ...]
    unclear: tuple[Broken, ...]
    suppressions: tuple[Suppression, ...] = ()

    @property
    def meshed(self) -> bool:
        """Whether an object of Istio or of the Gateway API is in it, or was meant to be."""
        return bool(self.faults) or any(m.group in (NETWORKING, SECURITY, GATEWAY_API) for m in self.manifests)


def content(data: bytes, path: str) -> Content:
    """Read a file; never raises."""
    parsed = parse(data, path)
    found = list(_unfolded(parsed.documents))
    manifests = tuple(manifest for manifest in map(Manifest, found) if _matters(manifest))
    faults = tuple(broken for broken in parsed.broken if not broken.template and _names_what_matters(broken.text))
    unclear = [broken for broken in parsed.broken if broken not in faults]
    if b"${" in data or b"{{" in data:
        waiting = [(manifest, _variable(manifest.node)) for manifest in manifests if manifest.group in _FILLED_IN]
        unclear += [Broken(node.place, f"{m}: `{node.text}` waits to be filled in", "", "", template=True) for m, node in waiting if node]
        manifests = tuple(manifest for manifest in manifests if manifest not in [m for m, node in waiting if node])
    return Content(manifests, len(found), faults, tuple(unclear), tuple(suppressions(data, path, parsed.documents, manifests)))


def _matters(manifest: Manifest) -> bool:
    """Whether an object is of a kind that matters, or a certificate; one that waits to be filled in tells nothing."""
    if manifest.kind in MATTERS.get(manifest.group, ()):
        return True
    is_certificate = (manifest.group, manifest.kind, manifest.node["type"].text) == ("", "Secret", "kubernetes.io/tls")
    return is_certificate and not _variable(manifest.node)


def _variable(node: Node) -> Node | None:
    """The first text with a variable that Flux fills in after the build (`postBuild.substitute`), or with a template in it."""
    if node.is_scalar:
        return node if _VARIABLE.search(node.text) else None
    values = (value for _, value in node.entries()) if node.is_mapping else iter(node)
    return next((found for found in map(_variable, values) if found is not None), None)


def _unfolded(nodes: Iterable[Node]) -> Iterator[Node]:
    """The objects among nodes, those inside a List, too."""
    for node in nodes:
        kind = node["kind"].text
        if not kind or not node["apiVersion"].text:
            continue
        if kind.endswith("List") and node["items"].is_sequence:
            yield from _unfolded(node["items"])
        else:
            yield node


def _names_what_matters(text: str) -> bool:
    """Whether a text that can't be read says a kind that matters, of a group that it is in."""
    kinds = set(_KIND.findall(text))
    groups = {name if slash else "" for name, slash in _VERSION.findall(text)} or set(MATTERS)
    return any(kinds & MATTERS[group] for group in groups & set(MATTERS))
