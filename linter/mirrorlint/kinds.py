"""The kinds of objects that are read, by their groups."""

from __future__ import annotations

NETWORKING, SECURITY, GATEWAY_API = "networking.istio.io", "security.istio.io", "gateway.networking.k8s.io"
KUBERNETES_NETWORKING, EXPERIMENTAL = "networking.k8s.io", "gateway.networking.x-k8s.io"
BACKEND_TLS_POLICY = "BackendTLSPolicy"
WORKLOADS = frozenset({"Deployment", "StatefulSet", "DaemonSet"})
# What makes pods of a template, Kubernetes' own and others': argoproj.github.io/rollouts, docs.openshift.com, openkruise.io.
_OF_TEMPLATES = {
    "apps": WORKLOADS,
    "argoproj.io": frozenset({"Rollout"}),
    "apps.openshift.io": frozenset({"DeploymentConfig"}),
    "apps.kruise.io": frozenset({"CloneSet", "StatefulSet", "DaemonSet"}),
}
OF_TEMPLATES = tuple((group, kind) for group, kinds in _OF_TEMPLATES.items() for kind in sorted(kinds))
MATTERS = {
    NETWORKING: frozenset({"VirtualService", "ServiceEntry", "Gateway", "DestinationRule", "Sidecar", "WorkloadEntry", "EnvoyFilter"}),
    SECURITY: frozenset({"AuthorizationPolicy", "RequestAuthentication", "PeerAuthentication"}),
    GATEWAY_API: frozenset(
        {
            "HTTPRoute",
            "GRPCRoute",
            "TLSRoute",
            "TCPRoute",
            "Gateway",
            "GatewayClass",
            "ReferenceGrant",
            "ListenerSet",
            BACKEND_TLS_POLICY,
        }
    ),
    EXPERIMENTAL: frozenset({"XListenerSet"}),  # as Istio reads it before the ListenerSet
    "": frozenset({"Service", "Namespace", "Pod"}),
    KUBERNETES_NETWORKING: frozenset({"Ingress", "IngressClass"}),
    "cert-manager.io": frozenset({"Certificate"}),
    "keda.sh": frozenset({"ScaledObject"}),
    **_OF_TEMPLATES,
}
# What a cluster with Istio, cert-manager and the Gateway API serves of these, as `.Capabilities.APIVersions` of charts has it; Istio's are
# those of its manifests/charts/base/files/crd-all.gen.yaml.
_FILTER = frozenset({"EnvoyFilter"})
SERVED = {
    "v1": MATTERS[""],
    "apps/v1": WORKLOADS,
    f"{KUBERNETES_NETWORKING}/v1": MATTERS[KUBERNETES_NETWORKING],
    "cert-manager.io/v1": MATTERS["cert-manager.io"],
    f"{NETWORKING}/v1alpha3": MATTERS[NETWORKING],
    f"{NETWORKING}/v1beta1": MATTERS[NETWORKING] - _FILTER,
    f"{NETWORKING}/v1": MATTERS[NETWORKING] - _FILTER,
    f"{SECURITY}/v1beta1": MATTERS[SECURITY],
    f"{SECURITY}/v1": MATTERS[SECURITY],
    f"{GATEWAY_API}/v1alpha2": frozenset({"GRPCRoute", "ReferenceGrant", "TCPRoute", "TLSRoute"}),
    f"{GATEWAY_API}/v1alpha3": frozenset({"TLSRoute"}),
    f"{GATEWAY_API}/v1beta1": frozenset({"HTTPRoute", "Gateway", "GatewayClass", "ReferenceGrant"}),
    f"{GATEWAY_API}/v1": MATTERS[GATEWAY_API],
    f"{EXPERIMENTAL}/v1alpha1": MATTERS[EXPERIMENTAL],
}
# What releases of the Gateway API served besides (config/crd of kubernetes-sigs/gateway-api).
EARLIER = {
    f"{GATEWAY_API}/v1alpha2": frozenset({"HTTPRoute", "Gateway", "GatewayClass", BACKEND_TLS_POLICY}),
    f"{GATEWAY_API}/v1alpha3": frozenset({BACKEND_TLS_POLICY}),
}
# Objects with listeners for a Gateway, which are not followed.
LISTENER_SETS = ((GATEWAY_API, "ListenerSet"), (EXPERIMENTAL, "XListenerSet"))
# Kinds that are not read, of groups with kinds that are.
NOT_READ = {
    NETWORKING: frozenset({"WorkloadGroup", "ProxyConfig"}),
    SECURITY: frozenset[str](),
    GATEWAY_API: frozenset({"UDPRoute", "ReferencePolicy", "BackendLBPolicy"}),
}
# What tells how objects come to clusters, which others are made of it, and how Istio is installed there, and is none of what is judged.
TELLS = {
    "helm.toolkit.fluxcd.io": frozenset({"HelmRelease"}),
    "kustomize.toolkit.fluxcd.io": frozenset({"Kustomization"}),
    "source.toolkit.fluxcd.io": frozenset({"GitRepository", "OCIRepository"}),
    "argoproj.io": frozenset({"Application", "ApplicationSet"}),
    "fluxcd.controlplane.io": frozenset({"ResourceSet"}),
    "kappctrl.k14s.io": frozenset({"App"}),
    "install.istio.io": frozenset({"IstioOperator"}),
    "sailoperator.io": frozenset({"Istio"}),
    "flagger.app": frozenset({"Canary"}),
    "maistra.io": frozenset({"ServiceMeshControlPlane"}),
}
# What keeps pods from sending, if it has one of two words; of the kinds that only some CNIs read it counts that there are such.
NETWORK_POLICY, OF_EGRESS = "NetworkPolicy", ("egress", "Egress")
OTHER_POLICIES = {
    "cilium.io": frozenset({"CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"}),
    "crd.projectcalico.org": frozenset({NETWORK_POLICY, "GlobalNetworkPolicy"}),
    "projectcalico.org": frozenset({NETWORK_POLICY, "GlobalNetworkPolicy"}),
    "policy.networking.k8s.io": frozenset({"AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy"}),
    "crd.antrea.io": frozenset({NETWORK_POLICY, "ClusterNetworkPolicy"}),
    "networking.k8s.aws": frozenset({"ApplicationNetworkPolicy", "ClusterNetworkPolicy"}),
}
POLICIES = {KUBERNETES_NETWORKING: frozenset({NETWORK_POLICY}), **OTHER_POLICIES}
# Objects that matter only if they hold a certificate, or tell Argo CD of a cluster.
CREDENTIALS = "Secret"
# Objects that matter only if they are Istio's own, which are called `istio`, or `istio-` and a revision.
CONFIG_MAP = "ConfigMap"
JUDGED = frozenset().union(*MATTERS.values())
OF_POLICIES = frozenset().union(*POLICIES.values())
RELEVANT = frozenset({CREDENTIALS}).union(JUDGED, *TELLS.values())
