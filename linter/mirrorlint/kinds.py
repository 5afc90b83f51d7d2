"""The kinds of objects that are read, by their groups."""

from __future__ import annotations

NETWORKING, SECURITY, GATEWAY_API = "networking.istio.io", "security.istio.io", "gateway.networking.k8s.io"
WORKLOADS = frozenset({"Deployment", "StatefulSet", "DaemonSet"})
MATTERS = {
    NETWORKING: frozenset({"VirtualService", "ServiceEntry", "Gateway", "DestinationRule", "Sidecar", "WorkloadEntry", "EnvoyFilter"}),
    SECURITY: frozenset({"AuthorizationPolicy", "RequestAuthentication", "PeerAuthentication"}),
    GATEWAY_API: frozenset({"HTTPRoute", "GRPCRoute", "Gateway", "GatewayClass", "ReferenceGrant", "ListenerSet", "BackendTLSPolicy"}),
    "": frozenset({"Service", "Namespace", "Pod"}),
    "cert-manager.io": frozenset({"Certificate"}),
    "apps": WORKLOADS,
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
}
# Objects that matter only if they hold a certificate, or tell Argo CD of a cluster.
CREDENTIALS = "Secret"
# Objects that matter only if they are Istio's own, which are called `istio`, or `istio-` and a revision.
CONFIG_MAP = "ConfigMap"
JUDGED = frozenset().union(*MATTERS.values())
RELEVANT = frozenset({CREDENTIALS}).union(JUDGED, *TELLS.values())
