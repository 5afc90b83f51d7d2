"""The workloads whose pods a Service may select, with the labels of those pods."""

from __future__ import annotations

from collections.abc import Mapping

from mirrorlint.fleet import Cluster, Manifest
from mirrorlint.kinds import MATTERS, NETWORKING, OF_TEMPLATES

INJECTION, REVISION = "istio-injection", "istio.io/rev"
_POD, _AMBIENT = "sidecar.istio.io/inject", "istio.io/dataplane-mode"
# Annotations of pods by which connections come past their sidecar, and by which they have none.
_PAST = frozenset(f"traffic.sidecar.istio.io/{ports}" for ports in ("includeInboundPorts", "excludeInboundPorts", "excludeInterfaces"))
OF_SIDECARS = (_POD, *sorted(_PAST))
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


def has_sidecar(workload: Manifest, labels: Mapping[str, str], namespace: Mapping[str, str], *, injected: bool) -> bool | None:
    """Whether a workload's pods have a sidecar, if their namespace has sidecars `injected`; None where it has no part in what they get.

    That is in an ambient mesh, or where some ports are kept from it (pkg/kube/inject/inject.go:injectRequired, initializer.go).
    """
    spec = workload.node["spec"]
    pod = spec["template"] or workload.node
    annotations = pod["metadata"]["annotations"].named_texts
    if (
        workload.kind == "WorkloadEntry"
        or "ambient" in (labels.get(_AMBIENT), namespace.get(_AMBIENT))
        or not _PAST.isdisjoint(annotations)
    ):
        return None
    said = labels.get(_POD) or annotations.get(_POD)
    if said == "false" or pod["spec"]["hostNetwork"].truth:
        return False
    return injected or said == "true" or REVISION in labels


def _is_of_mesh(namespace: Manifest, cluster: Cluster) -> bool:
    return any(cluster.within(namespace.name, kind, NETWORKING) for kind in MATTERS[NETWORKING])


def _injected(namespace: Manifest, cluster: Cluster) -> bool:
    """Whether some pods of a namespace get a sidecar, or it is ambient and needs none."""
    labels = namespace.node["metadata"]["labels"].named_texts
    if INJECTION in labels:
        return labels[INJECTION] == "enabled"
    pods = workloads(cluster, namespace.name).values()
    return REVISION in labels or labels.get(_AMBIENT) == "ambient" or any(pod.get(_POD) == "true" or REVISION in pod for pod in pods)


def _labels(workload: Manifest) -> Mapping[str, str]:
    """The labels of its pods; a Pod's and a WorkloadEntry's are its own."""
    spec = workload.node["spec"]
    own = workload.node["metadata"]["labels"].named_texts
    return spec["template"]["metadata"]["labels"].named_texts or own | spec["labels"].named_texts
