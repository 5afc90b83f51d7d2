"""A service of the target that takes the shadow, but no pod is behind it: 503."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from mirrorlint.delivery.ending import services_at
from mirrorlint.fleet import Manifest
from mirrorlint.istio.services import Service
from mirrorlint.istio.workloads import workloads
from mirrorlint.level import WARNING
from mirrorlint.rule import Flaw, Remark, Subject
from mirrorlint.source import Node

LEVEL = WARNING


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at the Service's selector, or at the number of replicas."""
    said: set[Manifest] = set()
    near = cache(lambda cluster, namespace: workloads(subject.documents.clusters[cluster], namespace))
    for judged, _, end in subject.arrivals():
        for service in services_at(end):
            if service.kubernetes and service.selector and service.manifest not in said:
                said.add(service.manifest)
                for node, why in _empty(service, near(end.cluster, service.namespace)):
                    remark = Remark(judged.mirror.destination.host_node, "the shadows of this mirror go there", judged.cluster)
                    message = f"no pod is behind {service.manifest}, so {end.cluster}'s gateway answers shadows 503: {why}"
                    yield Flaw(node.place, message, end.cluster, str(service.manifest), (remark,))


def _empty(service: Service, near: Mapping[Manifest, Mapping[str, str]]) -> Iterator[tuple[Node, str]]:
    """Why a service has no pods as far as manifests show: all that it selects is scaled to 0, or its namesake has other labels."""
    fitting = [workload for workload, labels in near.items() if service.selector.items() <= labels.items()]
    if fitting and all(workload.node["spec"]["replicas"].text == "0" for workload in fitting):
        yield fitting[0].node["spec"]["replicas"], f"{fitting[0]} has `replicas: 0`"
    for workload, labels in near.items():
        if not fitting and workload.name == service.manifest.name:
            key = next(name for name, value in service.selector.items() if labels.get(name) != value)
            has = f"`{key}: {labels[key]}`" if key in labels else f"no label `{key}`"
            yield service.manifest.node["spec"]["selector"][key], f"the pods of {workload} have {has}"
