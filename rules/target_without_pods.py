"""A service of the target that takes the shadow, but no pod is behind it: 503."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mirrorlint.delivery.ending import service_at
from mirrorlint.fleet import Cluster, Manifest
from mirrorlint.istio.services import Service, texts
from mirrorlint.rule import WARNING, Flaw, Remark, Subject
from mirrorlint.source import Node

LEVEL = WARNING


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at the Service's selector, or at the number of replicas."""
    said = set()
    for judged, _, end in subject.arrivals():
        for backend in end.route.rule.used if end.route else ():
            service = service_at(end, backend.destination)
            found = _empty(service, subject.documents.clusters[end.cluster]) if service else None
            if service and found and service.manifest not in said:
                said.add(service.manifest)
                remark = Remark(judged.mirror.destination.host_node, "the shadows of this mirror go there", judged.cluster)
                message = f"no pod is behind {service.manifest}, so {end.cluster}'s gateway answers shadows 503: {found[1]}"
                yield Flaw(found[0].place, message, end.cluster, str(service.manifest), (remark,))


def _empty(service: Service, cluster: Cluster) -> tuple[Node, str] | None:
    """Why a service has no pods as far as manifests show: all that it selects is scaled to 0, or its namesake has other labels."""
    near = [m for kind in ("Deployment", "StatefulSet") for m in cluster.of(kind, "apps") if m.namespace == service.namespace]
    fitting = [m for m in near if service.selector.items() <= _labels(m).items()]
    counts = [m.node["spec"]["replicas"] for m in fitting]
    if counts and all(count and count.number == 0 for count in counts):
        return counts[0], f"{fitting[0]} has `replicas: 0`"
    namesake = next((m for m in near if m.name == service.manifest.name), None)
    if fitting or namesake is None or not service.selector:
        return None
    key = next(name for name, value in service.selector.items() if _labels(namesake).get(name) != value)
    has = f"`{key}: {_labels(namesake)[key]}`" if key in _labels(namesake) else f"no label `{key}`"
    return service.manifest.node["spec"]["selector"][key], f"{namesake}'s pods have {has}"


def _labels(workload: Manifest) -> Mapping[str, str]:
    return texts(workload.node["spec"]["template"]["metadata"]["labels"])
