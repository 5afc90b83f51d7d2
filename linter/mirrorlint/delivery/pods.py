"""Whether pods are behind a Service, as far as manifests show: they have its pods, or those of its namesake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, partial
from typing import NamedTuple

from mirrorlint.fleet import Cluster, Manifest
from mirrorlint.istio.destination_rule import DestinationRule
from mirrorlint.istio.services import Service
from mirrorlint.istio.workloads import is_idle, scalers, workloads
from mirrorlint.source import Node

_WRITTEN = "app.kubernetes.io/"  # labels that people write (kubernetes.io/docs, Recommended Labels)


class Lack(NamedTuple):
    """Why no pod is behind something: the Node that decides it, the object that this stands in, what has none, and why."""

    node: Node
    owner: Manifest
    what: str
    why: str


class Pods:
    """What a cluster's workloads tell of its Services."""

    def __init__(self, cluster: Cluster) -> None:
        """The workloads of a namespace are read when they are first asked for."""
        self._cluster = cluster
        self._workloads = cache(partial(workloads, cluster))

    def lacking(self, service: Service, named: str = "", rule: DestinationRule | None = None) -> Iterator[Lack]:
        """Why no pod is behind a Kubernetes Service, or a subset of it that a rule has."""
        selector, owner = _selector(service), service.manifest
        if not selector:
            return
        fitting = self._fitting(service)
        subset = rule.subsets.get(named) if rule and fitting else None
        wanted = subset.labels if subset else {}
        chosen = _having(wanted, fitting)
        what = f"subset `{named}` of {owner}" if subset else str(owner)
        if chosen and all(is_idle(self._cluster, workload) for workload in chosen):
            idle = next(iter(chosen))
            yield Lack(idle.node["spec"]["replicas"], owner, what, f"{idle} has `replicas: 0`")
        elif rule and subset and not chosen and not any(map(_is_added, wanted)):
            nearest = max(fitting, key=lambda workload: len(wanted.items() & fitting[workload].items()))
            node, why = _differing(wanted, subset.node["labels"], nearest, fitting[nearest])
            yield Lack(node, rule.manifest, what, why)
        for workload, labels in {} if fitting else self._namesakes(service):
            node, why = _differing(selector, owner.node["spec"]["selector"], workload, labels)
            yield Lack(node, owner, what, why)

    def behind(self, service: Service, named: str = "", rule: DestinationRule | None = None) -> dict[Manifest, Mapping[str, str]]:
        """The workloads whose pods are behind a Service, or a subset of it that a rule has, with these pods' labels."""
        if not _selector(service):
            return {}
        subset = rule.subsets.get(named) if rule else None
        chosen = _having(subset.labels if subset else {}, self._fitting(service))
        return {workload: labels for workload, labels in chosen.items() if not is_idle(self._cluster, workload)}

    def telling(self, service: Service) -> Iterator[Manifest]:
        """The objects that this is read from."""
        found = list(self._fitting(service)) or [workload for workload, _ in self._namesakes(service)]
        yield from found
        referred = {workload.node["spec"]["workloadRef"]["name"].text for workload in found}
        yield from (workload for workload in self._workloads(service.namespace) if workload.name in referred)
        yield from (scaler for workload in found for scaler in scalers(self._cluster, workload))

    def _fitting(self, service: Service) -> dict[Manifest, Mapping[str, str]]:
        return _having(_selector(service), self._workloads(service.namespace))

    def _namesakes(self, service: Service) -> list[tuple[Manifest, Mapping[str, str]]]:
        return [
            (workload, labels) for workload, labels in self._workloads(service.namespace).items() if workload.name == service.manifest.name
        ]


def _having(wanted: Mapping[str, str], pods: Mapping[Manifest, Mapping[str, str]]) -> dict[Manifest, Mapping[str, str]]:
    """Those workloads whose pods have some labels."""
    return {workload: labels for workload, labels in pods.items() if wanted.items() <= labels.items()}


def _selector(service: Service) -> dict[str, str]:
    """The labels of a Kubernetes Service's selector that pods have from the start."""
    return {label: value for label, value in service.selector.items() if service.kubernetes and not _is_added(label)}


def _is_added(label: str) -> bool:
    """Whether Kubernetes, a controller or Istio may add a label to pods and endpoints, as those of revisions, ordinals and localities."""
    return ("/" in label and not label.startswith(_WRITTEN)) or label.endswith("-hash")


def _differing(wanted: Mapping[str, str], node: Node, workload: Manifest, labels: Mapping[str, str]) -> tuple[Node, str]:
    """The first label that a workload's pods don't have."""
    key = next(name for name, value in wanted.items() if labels.get(name) != value)
    has = f"`{key}: {labels[key]}`" if key in labels else f"no label `{key}`"
    return node[key], f"the pods of {workload} have {has}"
