"""The vocabulary of rules: a rule yields Flaws, the engine makes Findings of them, a Report holds all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from mirrorlint.delivery.ending import named
from mirrorlint.delivery.follow import Delivery
from mirrorlint.delivery.judged import Judged, arrivals
from mirrorlint.delivery.match import Request
from mirrorlint.delivery.mesh import Mesh
from mirrorlint.delivery.way import End, Way, reached
from mirrorlint.fleet import BlindSpot, Documents, Manifest, Suppression
from mirrorlint.istio.routing import Rule
from mirrorlint.source import Node, Place

MOST = 3  # of what is listed
REPLACE, ENTRY, ITEMS, DOCUMENT = "replace", "entry", "items", "document"

BROKEN, REFUSED = "broken-document", "refused-by-istio"  # the rules whose findings speak for losses as well


class Edit(NamedTuple):
    """A change to a file, named by the Node that it concerns; pure data, `mirrorlint.fix` makes text of it.

    REPLACE: a scalar or a key becomes `values[0]`. ENTRY: the entry that has this scalar is followed by one with the keys `values[:-1]`,
    each below the other, and the value `values[-1]`. ITEMS: a sequence of scalars gets `values`, in the place of the items `dropped` or at
    its end. DOCUMENT: `values[0]`, an object as JSON, follows the document that the node stands in.
    """

    kind: str
    node: Node
    values: tuple[str | int, ...]
    dropped: tuple[str, ...] = ()


Reason = tuple[Node, str, object]  # where, why, and the object that it stands in


def quoted(values: Iterable[str]) -> str:
    """Values as messages list them."""
    return ", ".join(f"`{value}`" for value in values)


def few(said: Iterable[str]) -> str:
    """The first of a list, and how many more there are."""
    every = list(said)
    return ", ".join(every[:MOST]) + (f" and {len(every) - MOST} more" if len(every) > MOST else "")


class Remark(NamedTuple):
    """What else is worth seeing, at another Node: the other end, or the near miss."""

    node: Node
    message: str
    cluster: str


class Obstacle(NamedTuple):
    """The Node that keeps requests away, why, what else is worth seeing; `cause` is another rule's where that speaks for it.

    `certain` tells that no object which is not here could let requests through; `owner` is the object that the Node is in, if it is
    another one than the mirror's.
    """

    node: Node
    why: str
    remarks: tuple[Remark, ...] = ()
    cause: str = ""
    certain: bool = False
    owner: Manifest | None = None


class Flaw(NamedTuple):
    """What a rule found: where, one sentence, and remarks. `object` is the Kubernetes object's name, as `Kind namespace/name`.

    Flaws with the same `cause` are one finding; "" stands for the rule and the place. `likewise` is what a flaw adds to another one of its
    cause, None for nothing but its place. `fix` has the edits that mend it without a doubt. `doubtful` tells that what is not
    at hand may make it untrue: where something is not, the finding says so.
    """

    place: Place
    message: str
    cluster: str
    object: str
    remarks: tuple[Remark, ...] = ()
    cause: str = ""
    likewise: Remark | None = None
    fix: tuple[Edit, ...] = ()
    doubtful: bool = False


def cause_of(rule: str, place: Place) -> str:
    """The cause that a finding has when it stands for itself."""
    return f"{rule} {place}"


class Loss(NamedTuple):
    """Shadows of one mirror that are lost for one reason; `world`, `way` and `end` are those of the first that `delivery` followed."""

    judged: Judged
    world: str
    way: Way
    end: End
    delivery: Delivery

    @property
    def source(self) -> str:
        """The cluster that mirrors."""
        return self.judged.cluster

    @property
    def shadow(self) -> Request:
        """The shadow as what it meets at the end sees it."""
        return self.way.shadow(self.end)

    @property
    def target(self) -> str:
        """Host and port that the mirror names, as Istio resolves them."""
        return named(self.way.target)

    def at_source(self, node: Node, message: str, *remarks: Remark, cause: str = "") -> Flaw:
        """A flaw in the source cluster."""
        likewise = Remark(self.judged.mirror.destination.host_node, "the same holds for this mirror", self.source)
        return Flaw(node.place, message, self.source, str(self.judged.mirror.owner), remarks, cause, likewise)

    def at_target(self, node: Node, message: str, owner: object, *remarks: Remark) -> Flaw:
        """A flaw in the cluster that the shadow reached, with a remark at the mirror."""
        mirror = self.judged.mirror.destination.host_node
        through = f" through {reached(self.way.first.upstream).service.manifest}" if self.way.first else ""
        sent = Remark(mirror, f"this mirror sends its shadows there{through}, with Host `{self.shadow.host}`", self.source)
        return Flaw(node.place, message, self.end.cluster, str(owner), (sent, *remarks), likewise=sent)


class Idle(NamedTuple):
    """A suppression that did nothing, and why."""

    suppression: Suppression
    why: str


class Subject(NamedTuple):
    """What a rule about objects reads.

    That is all documents, the delivery that was asked, and suppressions that did nothing.
    """

    documents: Documents
    delivery: Delivery
    judged: tuple[Judged, ...]
    idle: tuple[Idle, ...] = ()

    def own(self) -> Iterator[tuple[str, Mesh]]:
        """The clusters whose manifests are at hand; what a contract holds is its own repository's matter."""
        return ((name, mesh) for name, mesh in self.delivery.meshes.items() if not mesh.cluster.published)

    def for_each(self) -> Iterator[Judged]:
        """The judged mirrors, each for every VirtualService and rule that it is a part of."""
        return (each for judged in self.judged for each in judged.for_each())

    def arrivals(self) -> Iterator[tuple[Judged, Way, End]]:
        """Each end at which a shadow arrives; callers that see alike count once."""
        return arrivals(self.judged)

    def rules(self) -> Iterator[tuple[str, Rule]]:
        """The rules that Istio makes of VirtualServices, delegates merged in, and of routes, with their clusters."""
        return ((cluster, rule) for cluster, mesh in self.own() for service in mesh.virtual_services for rule in service.rules)

    def http_rules(self) -> Iterator[tuple[str, Manifest, Node]]:
        """The `http` entries of all VirtualServices that Istio admits, with their clusters and objects."""
        for cluster, mesh in self.own():
            for manifest in mesh.admitted("VirtualService"):
                yield from ((cluster, manifest, rule) for rule in manifest.node["spec"]["http"])


class Note(NamedTuple):
    """A remark as it is reported."""

    message: str
    cluster: str
    place: Place


class Finding(NamedTuple):
    """A flaw with its rule's name, level and place; `worlds` are those that it holds in, `fix` the edits that mend it.

    `cause` and `likewise` are the flaw's: findings of one cause are reported as one, which has them all as its `members`.
    """

    place: Place
    rule: str
    level: str
    message: str
    cluster: str
    object: str
    worlds: tuple[str, ...]
    notes: tuple[Note, ...]
    cause: str = ""
    likewise: Note | None = None
    fix: tuple[Edit, ...] = ()
    members: tuple[Finding, ...] = ()

    def __lt__(self, other: tuple[Any, ...]) -> bool:
        """Order by everything but the fix, whose Nodes have no order, and the members."""
        return self[:-2] < other[:-2]

    @property
    def each(self) -> tuple[Finding, ...]:
        """Its members; itself where it is all that its cause has."""
        return self.members or (self,)


ALL_ARRIVE, SOME_ARRIVE, NONE_ARRIVE, UNKNOWN_FATE = "all", "some", "none", "unknown"


class MirrorFate(NamedTuple):
    """A mirror, and for each world how many of its callers' shadows arrive: all, some or none, where that is known.

    `leads` is `stays` or `elsewhere` where no shadow goes to a cluster that is known here.
    """

    place: Place
    cluster: str
    object: str
    target: str
    delivery: Mapping[str, str]
    leads: str = ""


class Report(NamedTuple):
    """All that a run has to say; findings, blind spots and mirrors are in order of their places.

    `suppressed` and `baselined` count the findings that are left out, since a comment, an annotation or a baseline accepts them.
    """

    findings: tuple[Finding, ...]
    blind_spots: tuple[BlindSpot, ...]
    mirrors: tuple[MirrorFate, ...]
    suppressed: int = 0
    files: int = 0
    documents: int = 0
    baselined: int = 0

    def count(self, level: str) -> int:
        """The number of findings of a level."""
        return sum(finding.level == level for finding in self.findings)
