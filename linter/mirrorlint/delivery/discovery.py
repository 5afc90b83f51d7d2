"""Which namespaces a control plane looks at: `discoverySelectors` of its meshConfig (pkg/kube/namespace/filter.go)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from mirrorlint.delivery.worlds import number_of
from mirrorlint.fleet import DISCOVERY, Cluster, Manifest
from mirrorlint.istio.label_selector import may_select, selects
from mirrorlint.istio.listeners import NAMESPACE_LABEL
from mirrorlint.source import Node, parse

_OF_CONFIGURATION = "1.22"  # the first version that leaves out more than Services (its upgrade notes, ENHANCED_RESOURCE_SCOPING)


class Discovery:
    """What of a cluster its control plane looks at: all, or the namespaces that some selector takes, the system's own among them or not."""

    def __init__(self, cluster: Cluster, said: Sequence[Mapping[str, Any]], istio: str) -> None:
        """`said` are the label selectors as the meshConfig has them, `istio` is the version ("" where it is not known)."""
        self._cluster = cluster
        self._selectors = tuple(parse(json.dumps(said).encode(), DISCOVERY).documents[0]) if said else ()
        self._known: dict[str, bool] = {}
        self._of_services = bool(istio) and number_of(istio) < number_of(_OF_CONFIGURATION)

    @property
    def limited(self) -> bool:
        """Whether it may leave something out."""
        return bool(self._selectors)

    def takes(self, manifest: Manifest) -> bool:
        """Whether it sees a Service, or an object of the configuration (kube/controller/controller.go, crdclient/client.go:addCRD)."""
        if not manifest.namespace or (self._of_services and manifest.kind != "Service"):
            return True
        return self.includes(manifest.namespace)

    def includes(self, namespace: str) -> bool:
        """Whether it looks at a namespace."""
        if namespace not in self._known:
            self._known[namespace] = not self._selectors or any(self.meets(selector, namespace) for selector in self._selectors)
        return self._known[namespace]

    def meets(self, selector: Node, namespace: str) -> bool:
        """Whether a namespace has what a selector asks for; without a manifest it may have any labels beside Kubernetes' own one."""
        given = {NAMESPACE_LABEL: namespace}
        if namespace not in self._labels:
            return may_select(selector, given)
        return any(selects(selector, {**labels, **given}) for labels in self._labels[namespace])

    @cached_property
    def _labels(self) -> dict[str, list[dict[str, str]]]:
        """The labels of the namespaces that have manifests; of several for one any may be what counts."""
        found: dict[str, list[dict[str, str]]] = {}
        for manifest in self._cluster.of("Namespace", ""):
            found.setdefault(manifest.name, []).append(manifest.node["metadata"]["labels"].named_texts)
        return found


def left_out(manifest: Manifest) -> str:
    """Why a control plane does not see an object that it does not take, in words that follow the object."""
    return f"is in namespace `{manifest.namespace}`, which `{DISCOVERY}` leave out"
