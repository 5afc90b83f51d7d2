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
    "helm.toolkit.fluxcd.io": frozenset({"HelmRelease"}),
    "argoproj.io": frozenset({"Application", "Rollout"}),
}
# The kind of objects that matter only if they hold a certificate.
CERTIFICATE = "Secret"
RELEVANT = frozenset({CERTIFICATE}).union(*MATTERS.values())
