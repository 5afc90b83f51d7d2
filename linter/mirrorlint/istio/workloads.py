"""The workloads whose pods a Service may select, with the labels of those pods."""

from __future__ import annotations

from collections.abc import Mapping

from mirrorlint.fleet import Cluster, Manifest
from mirrorlint.istio.services import texts

_KINDS = (
    ("apps", "Deployment"),
    ("apps", "StatefulSet"),
    ("apps", "DaemonSet"),
    ("argoproj.io", "Rollout"),
    ("", "Pod"),
    ("networking.istio.io", "WorkloadEntry"),
)


def workloads(cluster: Cluster, namespace: str) -> Mapping[Manifest, Mapping[str, str]]:
    """The workloads of a namespace; a Rollout with a `workloadRef` has the pods of that Deployment (argoproj.github.io/rollouts)."""
    found = [manifest for group, kind in _KINDS for manifest in cluster.of(kind, group) if manifest.namespace == namespace]
    deployed = {manifest.name: _labels(manifest) for manifest in found if manifest.kind == "Deployment"}
    return {manifest: deployed.get(manifest.node["spec"]["workloadRef"]["name"].text) or _labels(manifest) for manifest in found}


def _labels(workload: Manifest) -> Mapping[str, str]:
    """The labels of its pods; a Pod's and a WorkloadEntry's are its own."""
    spec = workload.node["spec"]
    return texts(spec["template"]["metadata"]["labels"]) or {**texts(workload.node["metadata"]["labels"]), **texts(spec["labels"])}
