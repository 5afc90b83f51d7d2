"""The workloads whose pods a Service may select, with the labels of those pods."""

from __future__ import annotations

from collections.abc import Mapping

from mirrorlint.fleet import Cluster, Manifest
from mirrorlint.kinds import MATTERS, NETWORKING, OF_TEMPLATES
from mirrorlint.source import Node

INJECTION, REVISION = "istio-injection", "istio.io/rev"
_POD, AMBIENT, _TLS_MODE = "sidecar.istio.io/inject", "istio.io/dataplane-mode", "security.istio.io/tlsMode"
_TEMPLATES, _INTERCEPTION = "inject.istio.io/templates", "sidecar.istio.io/interceptionMode"
_INCLUDED, _EXCLUDED, _INTERFACES = (
    f"traffic.sidecar.istio.io/{what}" for what in ("includeInboundPorts", "excludeInboundPorts", "excludeInterfaces")
)
OF_SIDECARS = (_POD, _TEMPLATES, _INTERCEPTION, _INCLUDED, _EXCLUDED, _INTERFACES)  # annotations of pods
POD_KINDS = (*OF_TEMPLATES, ("", "Pod"))
_KINDS = (*POD_KINDS, (NETWORKING, "WorkloadEntry"))


def workloads(cluster: Cluster, namespace: str) -> Mapping[Manifest, Mapping[str, str]]:
    """The workloads of a namespace; a Rollout with a `workloadRef` has the pods of that Deployment (argoproj.github.io/rollouts)."""
    found = [manifest for group, kind in _KINDS for manifest in cluster.within(namespace, kind, group)]
    deployed = {manifest.name: _labels(manifest) for manifest in found if manifest.kind == "Deployment"}
    return {manifest: deployed.get(manifest.node["spec"]["workloadRef"]["name"].text) or _labels(manifest) for manifest in found}


def is_idle(cluster: Cluster, workload: Manifest) -> bool:
    """Whether a workload has no pods, and nothing gives it some."""
    return workload.node["spec"]["replicas"].text == "0" and not scalers(cluster, workload)


def scalers(cluster: Cluster, workload: Manifest) -> list[Manifest]:
    """KEDA's ScaledObjects that give a workload pods (keda.sh/docs, ScaledObject specification)."""
    near = cluster.within(workload.namespace, "ScaledObject", "keda.sh")
    targets = [(scaled, scaled.node["spec"]["scaleTargetRef"]) for scaled in near]
    named = [(scaled, target) for scaled, target in targets if target["name"].text == workload.name]
    return [scaled for scaled, target in named if (target["kind"].text or "Deployment") == workload.kind]


def without_sidecars(cluster: Cluster, *, certain: bool = True) -> list[Manifest]:
    """The Namespaces whose pods get no sidecar (istio-discovery/templates/mutatingwebhook.yaml).

    It is certain where they say so, or where others ask for sidecars by a label and nothing of Istio's is in them; ambient ones need none,
    and are not among them.
    """
    namespaces = cluster.of("Namespace", "")
    labels = [namespace.node["metadata"]["labels"].named_texts for namespace in namespaces]
    labelled = any(each.get(INJECTION) == "enabled" or REVISION in each for each in labels)
    found = [namespace for namespace in namespaces if not _injected(namespace, cluster)]
    if not certain:
        return found
    return [n for n in found if INJECTION in n.node["metadata"]["labels"] or (labelled and not _is_of_mesh(n, cluster))]


def pod_of(cluster: Cluster, workload: Manifest) -> Node:
    """What a workload's pods are made of: its template, that of the Deployment which a Rollout refers to, or the Pod itself."""
    referred = workload.node["spec"]["workloadRef"]["name"].text
    near = cluster.within(workload.namespace, "Deployment", "apps") if referred else []
    owner = next((each for each in near if each.name == referred), workload)
    return owner.node["spec"]["template"] or owner.node


def has_sidecar(pod: Node, labels: Mapping[str, str], namespace: Mapping[str, str]) -> bool | None:
    """Whether pods get a sidecar, by what they and their namespace's labels say; None where neither tells.

    Pods can't ask for one where their namespace forbids it, nor by an annotation (istio-discovery/templates/mutatingwebhook.yaml,
    pkg/kube/inject/inject.go:injectRequired).
    """
    said = labels.get(_POD) or pod["metadata"]["annotations"][_POD].text
    if said == "false" or pod["spec"]["hostNetwork"].truth or namespace.get(INJECTION, "enabled") != "enabled":
        return False
    return True if INJECTION in namespace or REVISION in namespace or asks_for_sidecar(labels) else None


def asks_for_sidecar(labels: Mapping[str, str]) -> bool:
    """Whether pods ask for a sidecar themselves."""
    return labels.get(_POD) == "true" or REVISION in labels


def is_past_sidecar(pod: Node, labels: Mapping[str, str], namespace: Mapping[str, str], port: int) -> bool:
    """Whether connections to a port of pods, 0 for one that is not known, may come past their sidecar, or meet another proxy in its place.

    That is in an ambient mesh, and by what annotations say of templates, interception and ports (pkg/kube/inject, injection-template.yaml).
    """
    annotations = pod["metadata"]["annotations"].named_texts
    included, excluded = _listed(annotations.get(_INCLUDED, "*")), _listed(annotations.get(_EXCLUDED, ""))
    return (
        "ambient" in (labels.get(AMBIENT), namespace.get(AMBIENT))
        or labels.get(_TLS_MODE, "istio") != "istio"
        or "sidecar" not in _listed(annotations.get(_TEMPLATES, "sidecar"))
        or annotations.get(_INTERCEPTION) == "NONE"
        or _INTERFACES in annotations
        or (bool(excluded) and (not port or str(port) in excluded))
        or included.isdisjoint(("*", str(port)))
    )


def injected(workload: Manifest, labels: Mapping[str, str]) -> Mapping[str, str]:
    """The labels of pods with a sidecar: those that its injection adds, too (injection-template.yaml)."""
    name = labels.get("app.kubernetes.io/name") or labels.get("app") or workload.name
    revision = labels.get("app.kubernetes.io/version") or labels.get("version") or "latest"
    return {_TLS_MODE: "istio", "service.istio.io/canonical-name": name, "service.istio.io/canonical-revision": revision, **labels}


def _listed(text: str) -> set[str]:
    return {each.strip() for each in text.split(",")} - {""}


def _is_of_mesh(namespace: Manifest, cluster: Cluster) -> bool:
    return any(cluster.within(namespace.name, kind, NETWORKING) for kind in MATTERS[NETWORKING])


def _injected(namespace: Manifest, cluster: Cluster) -> bool:
    """Whether some pods of a namespace get a sidecar, or it is ambient and needs none."""
    labels = namespace.node["metadata"]["labels"].named_texts
    if INJECTION in labels:
        return labels[INJECTION] == "enabled"
    pods = workloads(cluster, namespace.name).values()
    return REVISION in labels or labels.get(AMBIENT) == "ambient" or any(map(asks_for_sidecar, pods))


def _labels(workload: Manifest) -> Mapping[str, str]:
    """The labels of its pods; a Pod's and a WorkloadEntry's are its own."""
    spec = workload.node["spec"]
    own = workload.node["metadata"]["labels"].named_texts
    return spec["template"]["metadata"]["labels"].named_texts or own | spec["labels"].named_texts
