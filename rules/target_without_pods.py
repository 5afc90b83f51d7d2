"""A service of the target that takes the shadow, but nothing is behind it: 503."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache

from mirrorlint.delivery.ending import gateway_destination, service_at
from mirrorlint.delivery.way import End, reached
from mirrorlint.fleet import Cluster, Manifest
from mirrorlint.istio.destination_rule import DestinationRule
from mirrorlint.istio.routing import Destination
from mirrorlint.istio.services import NONE, Service
from mirrorlint.istio.workloads import is_idle, workloads
from mirrorlint.level import WARNING
from mirrorlint.rule import Flaw, Remark, Subject
from mirrorlint.source import Node

LEVEL = WARNING
_WRITTEN = "app.kubernetes.io/"  # labels that people write (kubernetes.io/docs, Recommended Labels)
_Pods = Callable[[str, str], Mapping[Manifest, Mapping[str, str]]]
_Lack = tuple[Node, Manifest, str, str]  # the Node that decides, its object, what is empty, and why


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at the labels that the Service or the subset asks for, at the name of its port, or at the number of replicas."""
    asked: set[tuple[object, ...]] = set()
    said: set[Node] = set()
    pods = cache(lambda cluster, namespace: workloads(subject.documents.clusters[cluster], namespace))
    for judged, _, end in subject.arrivals():
        remark = Remark(judged.mirror.destination.host_node, "the shadows of this mirror go there", judged.cluster)
        entrance = (end.cluster, id(end.scope), end.address)
        lacks = [] if entrance in asked else [(lack, f"the shadows come to no gateway of {end.cluster}") for lack in _closed(end, pods)]
        asked.add(entrance)
        for destination in (backend.destination for backend in reached(end.route).rule.used):
            key = (end.cluster, id(end.scope), gateway_destination(end, destination)[0], destination.subset)
            if key not in asked:
                lacks += [
                    (lack, f"{end.cluster}'s gateway takes the shadows and answers them 503") for lack in _empty(end, destination, pods)
                ]
            asked.add(key)
        for (node, owner, what, why), fate in lacks:
            if node not in said:
                yield Flaw(node.place, f"no pod is behind {what}, so {fate}: {why}", end.cluster, str(owner), (remark,))
            said.add(node)


def _closed(end: End, pods: _Pods) -> Iterator[_Lack]:
    """Why no pod is behind the Service at which shadows enter; a port that has a name leads to the pods' port of that name alone.

    For what is in front of one pod in several ways the manifests don't tell which is taken.
    """
    scope, address = reached(end.scope), reached(end.address)
    service = scope.mesh.entrances.service(address.host) or (scope.front.services[0] if len(scope.front.services) == 1 else None)
    if service is None or not service.kubernetes or not service.selector:
        return
    yield from _podless(service, scope.mesh.cluster, pods)
    containers = [
        container
        for pod in scope.mesh.selected_pods(service.namespace, service.selector)
        for container in (*pod["spec"]["containers"], *pod["spec"]["initContainers"])
    ]
    names = {port["name"].text for container in containers for port in container["ports"]}
    for port, node in zip(service.ports, service.manifest.node["spec"]["ports"], strict=False):
        if containers and address.port in (port.number, port.node_port) and port.target_name and port.target_name not in names:
            why = f"none of their containers has a port `{port.target_name}`"
            yield node["targetPort"], service.manifest, f"port {port.number} of {service.manifest}", why


def _empty(end: End, destination: Destination, pods: _Pods) -> Iterator[_Lack]:
    """Why no pod is behind a destination."""
    service, scope = reached(service_at(end, destination)), reached(end.scope)
    if not service.kubernetes:
        yield from _unaddressed(end, destination, service)
    elif service.selector:
        yield from _podless(service, scope.mesh.cluster, pods, destination.subset, scope.rule_for(service))


def _podless(service: Service, cluster: Cluster, pods: _Pods, named: str = "", rule: DestinationRule | None = None) -> Iterator[_Lack]:
    """Why no pod is behind a Service, or a subset of it, as far as manifests show: they have its pods, or those of its namesake."""
    found, owner = pods(cluster.name, service.namespace), service.manifest
    selector = {label: value for label, value in service.selector.items() if not _is_added(label)}
    if not selector:
        return
    fitting = {workload: labels for workload, labels in found.items() if selector.items() <= labels.items()}
    subset = rule.subsets.get(named) if rule and fitting else None
    wanted = subset.labels if subset else {}
    chosen = [workload for workload, labels in fitting.items() if wanted.items() <= labels.items()]
    what = f"subset `{named}` of {owner}" if subset else str(owner)
    if chosen and all(is_idle(cluster, workload) for workload in chosen):
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
