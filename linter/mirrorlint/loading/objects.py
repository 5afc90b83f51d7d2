"""What a file holds of Kubernetes: the objects that matter, a count of all, and what could not be read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from mirrorlint.fleet import Manifest, Suppression
from mirrorlint.loading.filling import filled, is_substituted, substitution
from mirrorlint.loading.suppressions import suppressions
from mirrorlint.source import Broken, Node, Parsed, parse

NETWORKING, SECURITY, GATEWAY_API = "networking.istio.io", "security.istio.io", "gateway.networking.k8s.io"
MATTERS = {
    NETWORKING: frozenset({"VirtualService", "ServiceEntry", "Gateway", "DestinationRule", "Sidecar", "WorkloadEntry", "EnvoyFilter"}),
    SECURITY: frozenset({"AuthorizationPolicy", "RequestAuthentication", "PeerAuthentication"}),
    GATEWAY_API: frozenset({"HTTPRoute", "GRPCRoute", "Gateway", "GatewayClass", "ReferenceGrant", "ListenerSet", "BackendTLSPolicy"}),
    "": frozenset({"Service", "Namespace", "Pod"}),
    "cert-manager.io": frozenset({"Certificate"}),
    "apps": frozenset({"Deployment", "StatefulSet", "DaemonSet"}),
    "argoproj.io": frozenset({"Rollout"}),
}
# What tells how objects come to clusters and how Istio is installed there, and is none of what is judged.
TELLS = {
    "helm.toolkit.fluxcd.io": frozenset({"HelmRelease"}),
    "kustomize.toolkit.fluxcd.io": frozenset({"Kustomization"}),
    "source.toolkit.fluxcd.io": frozenset({"GitRepository", "OCIRepository"}),
    "argoproj.io": frozenset({"Application", "ApplicationSet"}),
    "install.istio.io": frozenset({"IstioOperator"}),
    "sailoperator.io": frozenset({"Istio"}),
    "": frozenset({"Secret", "ConfigMap"}),
}
_TYPE = "argocd.argoproj.io/secret-type"  # of a Secret that tells Argo CD of a cluster
# A longer ConfigMap holds no settings of the mesh and nothing to substitute, but dashboards and the like.
_MAX_CONFIG = 400
_FILLED_IN = frozenset({NETWORKING, ""})
_VARIABLE = re.compile(r"\$\{[A-Za-z_]\w*|\{\{")

_KIND = re.compile(r"\bkind[\"']?\s*:\s*[\"']?(\w+)")
_VERSION = re.compile(r"\bapiVersion[\"']?\s*:\s*[\"']?([\w.-]*)(/?)")


class Content(NamedTuple):
    """The manifests of a file that matter, how many objects of any kind it has, and what is broken in it.

    `faults` would have been objects that matter; `unclear` is all else that could not be read. `tells` are the objects of GitOps, `waiting`
    those that matter once their variables are filled in.
    """

    manifests: tuple[Manifest, ...]
    objects: int
    faults: tuple[Broken, ...]
    unclear: tuple[Broken, ...]
    suppressions: tuple[Suppression, ...] = ()
    tells: tuple[Manifest, ...] = ()
    waiting: tuple[Manifest, ...] = ()

    @property
    def meshed(self) -> bool:
        """Whether an object of Istio or of the Gateway API is in it, or was meant to be."""
        return bool(self.faults) or any(m.group in (NETWORKING, SECURITY, GATEWAY_API) for m in (*self.manifests, *self.waiting))


def content(data: bytes, path: str) -> Content:
    """Read a file; never raises."""
    return content_of(parse(data, path), data, path)


def content_of(parsed: Parsed, data: bytes, path: str) -> Content:
    """What is in documents that were parsed."""
    found = list(unfolded(parsed.documents))
    every = tuple(map(Manifest, found))
    manifests = tuple(manifest for manifest in every if _matters(manifest))
    tells = tuple(manifest for manifest in every if _tells(manifest))
    faults = tuple(broken for broken in parsed.broken if not broken.template and _names_what_matters(broken.text))
    unclear = [broken for broken in parsed.broken if broken not in faults]
    waiting = tuple(m for m in manifests if m.group in _FILLED_IN and _variable(m.node)) if b"${" in data or b"{{" in data else ()
    manifests = tuple(manifest for manifest in manifests if manifest not in waiting)
    quiet = tuple(suppressions(data, path, parsed.documents, manifests))
    return Content(manifests, len(found), faults, (*unclear, *map(_waits, waiting)), quiet, tells, waiting)


def adapted(found: Content, namespace: str, fallback: str, variables: Mapping[str, str] | None) -> Content:
    """What a file holds once it is applied: all in `namespace`, if there is one, objects without one in `fallback`.

    `variables` are filled in; None when nothing fills them in.
    """
    waiting, clear = [], list(found.manifests)
    if variables is not None and found.waiting:
        full = [Manifest(filled(m.node, substitution(variables)) if is_substituted(m.node) else m.node) for m in found.waiting]
        waiting = [manifest for manifest in full if _variable(manifest.node)]
        clear += [manifest for manifest in full if manifest not in waiting]
        old = {_waits(manifest).place for manifest in found.waiting}
        unclear = [broken for broken in found.unclear if broken.place not in old]
        found = found._replace(unclear=(*unclear, *map(_waits, waiting)))
    if namespace or fallback:
        clear = [Manifest(manifest.node, namespace, fallback) for manifest in clear]
        found = found._replace(tells=tuple(Manifest(manifest.node, namespace, fallback) for manifest in found.tells))
    return found._replace(manifests=tuple(clear), waiting=tuple(waiting) if variables is not None else found.waiting)


def _waits(manifest: Manifest) -> Broken:
    node = _variable(manifest.node) or manifest.node
    return Broken(node.place, f"{manifest}: `{node.text}` waits to be filled in", "", "", template=True)


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


def _tells(manifest: Manifest) -> bool:
    node = manifest.node
    if manifest.kind == "Secret":
        return node["metadata"]["labels"][_TYPE].text == "cluster"
    if manifest.kind == "ConfigMap" and not manifest.group:
        return node.place.end_line - node.place.line < _MAX_CONFIG
    return manifest.kind in TELLS.get(manifest.group, ())


def unfolded(nodes: Iterable[Node]) -> Iterator[Node]:
    """The objects among nodes, those inside a List, too."""
    for node in nodes:
        kind = node["kind"].text
        if not kind or not node["apiVersion"].text:
            continue
        if kind.endswith("List") and node["items"].is_sequence:
            yield from unfolded(node["items"])
        else:
            yield node


def _names_what_matters(text: str) -> bool:
    """Whether a text that can't be read says a kind that matters, of a group that it is in."""
    kinds = set(_KIND.findall(text))
    groups = {name if slash else "" for name, slash in _VERSION.findall(text)} or set(MATTERS)
    return any(kinds & MATTERS[group] for group in groups & set(MATTERS))
