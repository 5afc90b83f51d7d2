"""A namespace whose pods get no sidecar although a mirror is meant for its calls: nothing is mirrored for them."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.fleet import Manifest
from mirrorlint.istio.services import texts
from mirrorlint.rule import OFF, Flaw, Remark, Subject

LEVEL = OFF
_INJECTION, _REVISION = "istio-injection", "istio.io/rev"


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at the Namespace's labels."""
    said = set()
    for judged in subject.judged:
        callers = {way.call.namespace for ways in judged.ways.values() for way in ways if not way.call.gateway}
        for namespace in subject.documents.clusters[judged.cluster].of("Namespace", ""):
            if namespace.name in callers and not _injected(namespace) and namespace not in said:
                said.add(namespace)
                remark = Remark(judged.mirror.destination.host_node, "calls from there are not mirrored by this", judged.cluster)
                label = f"no label `{_INJECTION}: enabled` or `{_REVISION}`"
                message = f"`{namespace.name}` has {label}, so its pods get no sidecar, and nothing that they send is mirrored"
                yield Flaw(namespace.node["metadata"]["labels"].place, message, judged.cluster, str(namespace), (remark,))


def _injected(namespace: Manifest) -> bool:
    labels = texts(namespace.node["metadata"]["labels"])
    return labels.get(_INJECTION) == "enabled" or (_INJECTION not in labels and _REVISION in labels)
