"""The clusters of a fleet: their objects by kind, and what settings say of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, NamedTuple, Self

from mirrorlint.kinds import NETWORKING
from mirrorlint.source import Node, Place

CLUSTER_SCOPED = frozenset({"Namespace", "GatewayClass", "ClusterRole", "CustomResourceDefinition"})
DEFAULT_NAMESPACE = "default"
DISCOVERY = "discoverySelectors"  # the field of meshConfig


class Ingress(NamedTuple):
    """What settings say of a cluster's ingress gateway; an empty field is not known.

    `addresses` are the names and IPs at which it is reached, `namespace` and `labels` those of its pods, `ports` maps the port at which
    it is reached to the container port behind it.
    """

    addresses: tuple[str, ...] = ()
    namespace: str = ""
    labels: Mapping[str, str] = {}
    ports: Mapping[int, int] = {}


UNKNOWN_INGRESS = Ingress()


class ClusterSettings(NamedTuple):
    """What a person says of a cluster; an empty field leaves it to the manifests."""

    istio: str = ""
    shadow_suffix: bool | None = None
    mesh: Mapping[str, Any] = {}
    domain: str = "cluster.local"
    external: tuple[str, ...] = ()
    complete: bool = True
    ingress: Ingress = UNKNOWN_INGRESS

    def over(self, other: ClusterSettings) -> ClusterSettings:
        """These settings, and the other ones where these say nothing."""
        default = ClusterSettings()._asdict()
        return other._replace(**{name: value for name, value in self._asdict().items() if value != default[name]})


ANYTHING, GATEWAYS, NOTHING = "anything", "gateways", "nothing"


class BlindSpot(NamedTuple):
    """What could not be judged, and why; `cluster` is empty when it concerns all, `line` 0 when it is a whole file or folder.

    `holds` tells what may be in it that is missing elsewhere: anything, gateways or nothing.
    """

    message: str
    path: str = ""
    line: int = 0
    cluster: str = ""
    holds: str = ANYTHING

    @classmethod
    def at(cls, place: Place, message: str, cluster: str = "", holds: str = ANYTHING) -> Self:
        """One that begins at a place."""
        return cls(message, place.path, place.line, cluster, holds)


def peer_path(cluster: str, path: str) -> str:
    """How a file is called that only its cluster's own repository has."""
    return f"{cluster}://{path}"


def is_peers(path: str) -> bool:
    """Whether a path is one of those."""
    return "://" in path


class Fault(NamedTuple):
    """A document that could not be read as Kubernetes would: where, why, what helps (empty when unknown), and its text if it is lost."""

    place: Place
    message: str
    hint: str
    cluster: str
    text: str = ""


class Fact(NamedTuple):
    """What the manifests say of a cluster's control plane, and where; `version` is Istio's where they say that, else ""."""

    cluster: str
    message: str
    place: Place
    version: str = ""


class Suppression(NamedTuple):
    """What someone does not want to hear of: findings of a rule in the lines `first` to `last` of the file that `place` is in.

    `rule` is "" when none is named, `reason` when none is given.
    """

    place: Place
    rule: str
    reason: str
    first: int
    last: int
    cluster: str = ""


class Manifest:
    """A Kubernetes object: its identity, and its document."""

    __slots__ = ("created", "faultless", "group", "kind", "name", "namespace", "node")

    def __init__(self, node: Node, namespace: str = "", fallback: str = DEFAULT_NAMESPACE) -> None:
        """Read the identity; an object without a namespace lives in `default`, as `kubectl apply` would have it, or in `fallback`.

        `namespace` is what all that is applied is put into: a Namespace among it gets its name (kustomize, NamespaceTransformer).
        `faultless` tells that Istio's admission was asked of just this already, and has nothing to say.
        """
        self.node = node
        self.faultless = False
        self.kind = node.text_at("kind")
        self.group = node.text_at("apiVersion").rpartition("/")[0]
        self.name = node.text_at("metadata", "name")
        self.created = node.text_at("metadata", "creationTimestamp")
        scoped = self.kind not in CLUSTER_SCOPED
        self.namespace = (namespace or node.text_at("metadata", "namespace") or fallback or DEFAULT_NAMESPACE) if scoped else ""
        if namespace and self.kind == "Namespace":
            self.name = namespace

    def packed(self) -> tuple[Any, ...]:
        """All of it as plain data that `marshal` can store, without the path of its file."""
        return self.node.raw, self.kind, self.group, self.name, self.created, self.namespace, self.faultless

    @classmethod
    def unpacked(cls, data: tuple[Any, ...], path: str) -> Self:
        """The manifest that was packed, as one of the file `path`."""
        found = cls.__new__(cls)
        raw, found.kind, found.group, found.name, found.created, found.namespace, found.faultless = data
        found.node = Node(raw, path)
        return found

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What a cluster has only one object of: group, kind, namespace and name."""
        return self.group, self.kind, self.namespace, self.name

    def __str__(self) -> str:
        """`Kind namespace/name`, as messages name an object."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


NO_SETTINGS = ClusterSettings()


class Cluster:
    """A Kubernetes cluster: its objects by kind, in the order in which they are written."""

    def __init__(self, name: str, manifests: Iterable[Manifest], settings: ClusterSettings = NO_SETTINGS, published: bool = False) -> None:
        """`manifests` may come in any order; `published` ones are what the cluster's contract holds of those that Istio admitted."""
        self.name = name
        self.published = published
        self.settings = settings
        self._kinds: dict[tuple[str, str], list[Manifest]] = {}
        for manifest in sorted(manifests, key=lambda m: m.node.place):
            self._kinds.setdefault((manifest.group, manifest.kind), []).append(manifest)

    def of(self, kind: str, group: str = NETWORKING) -> list[Manifest]:
        """All objects of a kind."""
        return self._kinds.get((group, kind), [])

    def within(self, namespace: str, kind: str, group: str) -> list[Manifest]:
        """The objects of a kind in a namespace."""
        return self._namespaces.get((group, kind, namespace), [])

    @cached_property
    def _namespaces(self) -> dict[tuple[str, str, str], list[Manifest]]:
        found: dict[tuple[str, str, str], list[Manifest]] = {}
        for manifest in self.manifests():
            found.setdefault((manifest.group, manifest.kind, manifest.namespace), []).append(manifest)
        return found

    @cached_property
    def paths(self) -> frozenset[str]:
        """The files that its objects stand in."""
        return frozenset(manifest.node.path for manifest in self.manifests())

    def manifests(self) -> Iterable[Manifest]:
        """All objects."""
        return (manifest for found in self._kinds.values() for manifest in found)


class Documents(NamedTuple):
    """What was read: the clusters by name, and what could not be read or judged."""

    clusters: Mapping[str, Cluster]
    faults: tuple[Fault, ...] = ()
    blind_spots: tuple[BlindSpot, ...] = ()
    files: int = 0
    documents: int = 0
    suppressions: tuple[Suppression, ...] = ()
    facts: tuple[Fact, ...] = ()

    def own(self) -> dict[str, Cluster]:
        """The clusters whose manifests are at hand; of others there is a contract alone."""
        return {name: cluster for name, cluster in self.clusters.items() if not cluster.published}
