"""Whether pods are behind a Service, as far as manifests show: they have its pods, or those of its namesake."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
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


class _Near:
    """The workloads of a namespace with the labels of their pods, by their names and by each of those labels."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.labels = workloads(cluster, namespace)
        self.named: dict[str, list[Manifest]] = {}
        self._labelled: dict[tuple[str, str], list[Manifest]] = {}
        for workload, labels in self.labels.items():
            self.named.setdefault(workload.name, []).append(workload)
            for label in labels.items():
                self._labelled.setdefault(label, []).append(workload)

    def fitting(self, selector: Mapping[str, str]) -> dict[Manifest, Mapping[str, str]]:
        """Those that a selector selects, which are sought where the fewest have one of its labels."""
        having: Iterator[Collection[Manifest]] = (self._labelled.get(label, ()) for label in selector.items())
        fewest = min(having, key=len, default=self.labels.keys())
        return _having(selector, {workload: self.labels[workload] for workload in fewest})


class Pods:
    """What a cluster's workloads tell of its Services."""

    def __init__(self, cluster: Cluster) -> None:
        """The workloads of a namespace are read when they are first asked for."""
        self._cluster = cluster
        self._near = cache(partial(_Near, cluster))

    def lacking(self, service: Service, named: str = "", rule: DestinationRule | None = None) -> Iterator[Lack]:
        """Why no pod is behind a Kubernetes Service, or a subset of it that a rule has."""
        selector, owner = _selector(service), service.manifest
        if not selector:
            return
        near = self._near(service.namespace)
        fitting = near.fitting(selector)
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
        for workload in [] if fitting else near.named.get(owner.name, []):
            node, why = _differing(selector, owner.node["spec"]["selector"], workload, near.labels[workload])
            yield Lack(node, owner, what, why)

    def behind(self, service: Service, named: str = "", rule: DestinationRule | None = None) -> dict[Manifest, Mapping[str, str]]:
        """The workloads whose pods are behind a Service, or a subset of it that a rule has, with these pods' labels."""
        selector = _selector(service)
        if not selector:
            return {}
        subset = rule.subsets.get(named) if rule else None
        chosen = _having(subset.labels if subset else {}, self._near(service.namespace).fitting(selector))
        return {workload: labels for workload, labels in chosen.items() if not is_idle(self._cluster, workload)}

    def labels(self, namespace: str) -> Iterable[Mapping[str, str]]:
        """The labels of a namespace's pods."""
        return self._near(namespace).labels.values()

    def telling(self, service: Service) -> Iterator[Manifest]:
        """The objects that this is read from."""
        near = self._near(service.namespace)
        found = [*near.fitting(_selector(service))] or near.named.get(service.manifest.name, [])
        yield from found
        referred = {workload.node["spec"]["workloadRef"]["name"].text for workload in found}
        yield from (workload for name in referred for workload in near.named.get(name, []))
        yield from (scaler for workload in found for scaler in scalers(self._cluster, workload))


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
