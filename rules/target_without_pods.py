"""A service of the target that takes the shadow, but nothing is behind it: 503."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache

from mirrorlint.delivery.ending import gateway_destination, service_at
from mirrorlint.delivery.way import End, reached
from mirrorlint.fleet import Manifest
from mirrorlint.istio.routing import Destination
from mirrorlint.istio.services import NONE, Service
from mirrorlint.istio.workloads import is_idle, workloads
from mirrorlint.level import WARNING
from mirrorlint.rule import Flaw, Remark, Subject
from mirrorlint.source import Node

LEVEL = WARNING
_WRITTEN = "app.kubernetes.io/"  # labels that people write (kubernetes.io/docs, Recommended Labels)
_Pods = Mapping[Manifest, Mapping[str, str]]
_Lack = tuple[Node, Manifest, str, str]  # the Node that decides, its object, what is empty, and why


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at the labels that the Service or the subset asks for, or at the number of replicas."""
    asked: set[tuple[object, ...]] = set()
    said: set[Node] = set()
    near = cache(lambda cluster, namespace: workloads(subject.documents.clusters[cluster], namespace))
    for judged, _, end in subject.arrivals():
        for destination in (backend.destination for backend in reached(end.route).rule.used):
            key = (end.cluster, id(end.scope), gateway_destination(end, destination)[0], destination.subset)
            if key in asked:
                continue
            asked.add(key)
            for node, owner, what, why in _empty(end, destination, near):
                remark = Remark(judged.mirror.destination.host_node, "the shadows of this mirror go there", judged.cluster)
                message = f"no pod is behind {what}, so {end.cluster}'s gateway takes the shadows and answers them 503: {why}"
                if node not in said:
                    yield Flaw(node.place, message, end.cluster, str(owner), (remark,))
                said.add(node)


def _empty(end: End, destination: Destination, near: Callable[[str, str], _Pods]) -> Iterator[_Lack]:
    """Why no pod is behind a destination as far as manifests show: they have pods of the Service, or of its namesake."""
    service, scope = reached(service_at(end, destination)), reached(end.scope)
    if not service.kubernetes:
        yield from _unaddressed(end, destination, service)
        return
    if not service.selector:
        return
    found, owner = near(end.cluster, service.namespace), service.manifest
    selector = {label: value for label, value in service.selector.items() if not _is_added(label)}
    fitting = {workload: labels for workload, labels in found.items() if selector.items() <= labels.items()}
    rule = scope.rule_for(service)
    subset = rule.subsets.get(destination.subset) if rule and fitting else None
    wanted = subset.labels if subset else {}
    chosen = [workload for workload, labels in fitting.items() if wanted.items() <= labels.items()]
    what = f"subset `{destination.subset}` of {owner}" if subset else str(owner)
    if chosen and all(is_idle(scope.mesh.cluster, workload) for workload in chosen):
        yield chosen[0].node["spec"]["replicas"], owner, what, f"{chosen[0]} has `replicas: 0`"
    elif rule and subset and not chosen and not any(map(_is_added, wanted)):
        nearest = max(fitting, key=lambda workload: len(wanted.items() & fitting[workload].items()))
        node, why = _differing(wanted, subset.node["labels"], nearest, fitting[nearest])
        yield node, rule.manifest, what, why
    for workload, labels in found.items():
        if not fitting and workload.name == owner.name:
            node, why = _differing(selector, owner.node["spec"]["selector"], workload, labels)
            yield node, owner, what, why


def _unaddressed(end: End, destination: Destination, service: Service) -> Iterator[_Lack]:
    """Why an entry leads nowhere: at a gateway `resolution: NONE` gives no endpoint either (endpoint_builder.go)."""
    upstream = reached(end.scope).upstream(*gateway_destination(end, destination), destination.subset)
    if upstream and not upstream.addresses and not service.selects:
        owner = service.manifest
        why = "`resolution: NONE`" if service.resolution == NONE else "no endpoint that fits"
        yield owner.node["spec"]["resolution"] or service.node, owner, str(owner), f"it has {why}"


def _is_added(label: str) -> bool:
    """Whether Kubernetes, a controller or Istio may add a label to pods and endpoints, as those of revisions, ordinals and localities."""
    return ("/" in label and not label.startswith(_WRITTEN)) or label.endswith("-hash")


def _differing(wanted: Mapping[str, str], node: Node, workload: Manifest, labels: Mapping[str, str]) -> tuple[Node, str]:
    """The first label that a workload's pods don't have."""
    key = next(name for name, value in wanted.items() if labels.get(name) != value)
    has = f"`{key}: {labels[key]}`" if key in labels else f"no label `{key}`"
    return node[key], f"the pods of {workload} have {has}"
