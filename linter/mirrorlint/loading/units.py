"""What GitOps objects apply to clusters: sources, in one form for Argo CD and Flux."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from mirrorlint.fleet import ANYTHING, NOTHING
from mirrorlint.source import Node

GATEWAY_CHART, ISTIOD_CHART = "gateway", "istiod"
CONTROL_PLANE = frozenset({"base", ISTIOD_CHART, "cni", "ztunnel"})
# Charts of tools that run a cluster, by the names that they have in their projects' own repositories: none brings what a mirror needs.
_TOOLS = frozenset(
    [
        "argo-cd",
        "argo-events",
        "argo-rollouts",
        "argocd-image-updater",
        "aws-ebs-csi-driver",
        "aws-efs-csi-driver",
        "aws-for-fluent-bit",
        "aws-load-balancer-controller",
        "cert-manager",
        "cert-manager-csi-driver",
        "cilium",
        "cluster-autoscaler",
        "coredns",
        "datadog",
        "descheduler",
        "external-dns",
        "external-secrets",
        "falco",
        "flagger",
        "fluent-bit",
        "fluentd",
        "gatekeeper",
        "ingress-nginx",
        "karpenter",
        "karpenter-crd",
        "keda",
        "kiali-operator",
        "kiali-server",
        "kube-prometheus-stack",
        "kube-state-metrics",
        "kubernetes-dashboard",
        "kured",
        "kyverno",
        "kyverno-policies",
        "loki",
        "loki-stack",
        "metallb",
        "metrics-server",
        "nginx-ingress",
        "node-feature-discovery",
        "node-problem-detector",
        "nri-bundle",
        "opentelemetry-collector",
        "opentelemetry-operator",
        "prometheus",
        "prometheus-adapter",
        "prometheus-blackbox-exporter",
        "prometheus-node-exporter",
        "prometheus-operator-crds",
        "promtail",
        "reloader",
        "sealed-secrets",
        "secrets-store-csi-driver",
        "splunk-otel-collector",
        "tempo",
        "tetragon",
        "tigera-operator",
        "trivy-operator",
        "trust-manager",
        "velero",
        "vertical-pod-autoscaler",
        "victoria-metrics-k8s-stack",
        "vpa",
    ]
)
NOT_RENDERED, NOT_HEARD = "so the chart is not rendered", "and may say more of Istio"
FOLDER, ARGO, FLUX, HELM = "folder", "argo", "flux", "helm"


class Gap(NamedTuple):
    """What was asked for and is not read: where and why.

    Those of one cluster that are alike (not "") are told as one; `holds` is that of the blind spot.
    """

    node: Node
    message: str
    alike: str = ""
    holds: str = ANYTHING


class Values(NamedTuple):
    """What a chart is rendered with: the release, files in order, and texts (each with the node that has it) that go over them.

    `parameters` go over those: names and values, each with its node. `waits` tells of what must be filled in before, unless it is meant
    as it is written; `kubernetes` is the version that the chart is told, "" where nothing says one.
    """

    release: str = ""
    files: tuple[str, ...] = ()
    texts: tuple[tuple[str, Node], ...] = ()
    parameters: tuple[tuple[str, str, Node], ...] = ()
    waits: Gap | None = None
    kubernetes: str = ""


def one_value(name: str, value: Node) -> Node:
    """Values in which one alone is set, by its dotted name."""
    raw = value.raw
    for key in reversed(name.split(".")):
        raw = ({key: ((key, False, *raw[2:]), raw)}, True, *raw[2:])
    return Node(raw, value.path)


def options(node: Node, names: Sequence[str], namespace: str = "") -> str:
    """The fields of a kustomization that an object puts over those of a folder, of components the paths alone, as JSON; "" for none."""
    found = {name: node[name].plain() for name in names if node[name]}
    found |= {"components": list(node["components"].texts)} if node["components"] else {}
    found |= {"namespace": namespace} if namespace else {}
    return json.dumps(found, sort_keys=True) if found else ""


class Source(NamedTuple):
    """A folder, and how what is in it becomes objects of a cluster; `path` is absolute.

    `how`: `folder` takes all that is below; `argo` and `flux` do as those would; `helm` renders a chart. `namespace` is where objects
    without one go, `variables` are filled in after a build (None: nothing is), `options` are fields of a kustomization put over the
    folder's own, as JSON.
    """

    path: str
    how: str = FOLDER
    owner: Node | None = None
    namespace: str = ""
    recurse: bool = False
    include: str = ""
    exclude: str = ""
    variables: tuple[tuple[str, str], ...] | None = None
    options: str = ""
    values: Values = Values()

    @property
    def plain_namespace(self) -> str | None:
        """The namespace that the options set if they do nothing else; None when they do."""
        said = json.loads(self.options or "{}")
        return said.get("namespace", "") if set(said) <= {"namespace"} else None


class Chart(NamedTuple):
    """A chart that is installed from elsewhere: where its name, its version and the release's name stand, and the values that it gets.

    `home` is the repository that it is from, `namespace` where it is installed, `gap` what of its values can't be read. `reference` is the
    kind, the namespace and the name of the object of Flux that says the version, where one does.
    """

    name: Node
    version: Node
    home: str
    release: Node
    namespace: str
    values: Values
    gap: Gap | None = None
    reference: tuple[str, str, str] = ("", "", "")

    @property
    def called(self) -> str:
        """Its name without the folders before it."""
        return self.name.text.rpartition("/")[2]

    @property
    def is_told(self) -> bool:
        """Whether all that matters of it is read without it: versions and values tell of Istio's own charts, from its repository.

        Those of a gateway must stand in one place.
        """
        values = self.values
        plain = not (self.gap or values.files or values.parameters or len(values.texts) > 1)
        return is_control_plane(self.called, self.home) or (self.called == GATEWAY_CHART and _is_istios(self.home) and plain)

    @property
    def unread(self) -> Gap | None:
        """What is not at hand of what it says of Istio."""
        return self.gap if self.called == ISTIOD_CHART else None

    def unknown(self, node: Node, message: str) -> Gap | None:
        """What is not known of it; of Istio's own charts the gateways alone hold what requests are sent to, of tools none."""
        if self.unread or self.is_told:
            return self.unread
        return unread_chart(self.called, node, message)


def unread_chart(called: str, node: Node, message: str) -> Gap:
    """That a chart of a name is not read."""
    kind = "chart of Istio" if called in CONTROL_PLANE else "chart of a tool" if called in _TOOLS else "chart"
    return Gap(node, message, kind, ANYTHING if kind == "chart" else NOTHING)


def is_control_plane(chart: str, home: str) -> bool:
    """Whether a chart is one of Istio's own that hold nothing which requests are sent to."""
    return chart in CONTROL_PLANE and _is_istios(home)


def _is_istios(home: str) -> bool:
    return "istio" in home.lower()


Installed = tuple[Chart, Sequence[Node]]  # with the values at hand, those that win first


class Unit(NamedTuple):
    """What a GitOps object applies: its node and the file that has it, the cluster it names ("": the one that holds it), and sources.

    `charts` are those of elsewhere.
    """

    node: Node
    name: str
    file: str
    cluster: str
    sources: tuple[Source, ...]
    gaps: tuple[Gap, ...] = ()
    charts: tuple[Chart, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether the cluster's name must be filled in first."""
        return "{{" in self.cluster or "${" in self.cluster


def literal(unit: Unit) -> Unit:
    """A unit in which nothing more is filled in: what looks like a variable is meant as it is written."""
    return unit._replace(sources=tuple(each._replace(values=each.values._replace(waits=None)) for each in unit.sources))


def nowhere(unit: Unit) -> Gap:
    """That what a unit applies is not judged."""
    return Gap(unit.node, f"{unit.name} is for no cluster that was found, so what it applies is not judged")
