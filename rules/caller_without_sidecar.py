"""A namespace whose pods get no sidecar although a mirror is meant for its calls: nothing is mirrored for them."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.fleet import Cluster, Manifest
from mirrorlint.istio.services import texts
from mirrorlint.istio.workloads import workloads
from mirrorlint.level import OFF
from mirrorlint.rule import Flaw, Remark, Subject

LEVEL = OFF
_INJECTION, _REVISION, _POD, _AMBIENT = "istio-injection", "istio.io/rev", "sidecar.istio.io/inject", "istio.io/dataplane-mode"


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at the Namespace's labels."""
    said: set[Manifest] = set()
    for judged in subject.judged:
        cluster = subject.documents.clusters[judged.cluster]
        callers = {way.call.namespace for ways in judged.ways.values() for way in ways if not way.call.gateway}
        for namespace in cluster.of("Namespace", ""):
            if namespace.name in callers and namespace not in said and not _injected(namespace, cluster):
                said.add(namespace)
                remark = Remark(judged.mirror.destination.host_node, "calls from there are not mirrored by this", judged.cluster)
                label = namespace.node["metadata"]["labels"][_INJECTION]
                has = f"`{_INJECTION}: {label.text}`" if label else f"no label `{_INJECTION}: enabled` or `{_REVISION}`"
                message = f"`{namespace.name}` has {has}, so its pods get no sidecar, and nothing that they send is mirrored"
                yield Flaw(label.place, message, judged.cluster, str(namespace), (remark,))


def _injected(namespace: Manifest, cluster: Cluster) -> bool:
    """Whether some pods get a sidecar (istio-discovery/templates/mutatingwebhook.yaml), or the namespace is ambient and needs none."""
    labels = texts(namespace.node["metadata"]["labels"])
    if _INJECTION in labels:
        return labels[_INJECTION] == "enabled"
    pods = workloads(cluster, namespace.name).values()
    return _REVISION in labels or labels.get(_AMBIENT) == "ambient" or any(pod.get(_POD) == "true" or _REVISION in pod for pod in pods)
