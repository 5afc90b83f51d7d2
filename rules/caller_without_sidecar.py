"""A namespace whose pods get no sidecar although a mirror is meant for its calls: nothing is mirrored for them."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.delivery.judged import unmirrored
from mirrorlint.fleet import Manifest
from mirrorlint.istio.workloads import INJECTION, REVISION
from mirrorlint.level import OFF
from mirrorlint.rule import Flaw, Remark, Subject

LEVEL = OFF


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at the Namespace's labels."""
    said: set[Manifest] = set()
    for judged in subject.for_each():
        for namespace in unmirrored(subject.delivery, judged):
            if namespace not in said:
                said.add(namespace)
                remark = Remark(judged.mirror.destination.host_node, "calls from there are not mirrored by this", judged.cluster)
                label = namespace.node["metadata"]["labels"][INJECTION]
                has = f"`{INJECTION}: {label.text}`" if label else f"no label `{INJECTION}: enabled` or `{REVISION}`"
                message = f"`{namespace.name}` has {has}, so its pods get no sidecar, and nothing that they send is mirrored"
                yield Flaw(label.place, message, judged.cluster, str(namespace), (remark,))
