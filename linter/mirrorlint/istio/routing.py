"""What both APIs say of HTTP routes, in Istio's form: hosts bound to gateways or the mesh, rules, destinations, mirrors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from mirrorlint.fleet import Manifest
from mirrorlint.istio.matches import Match
from mirrorlint.source import Node

Action = Literal["route", "redirect", "direct-response", "abort"]


class Destination(NamedTuple):
    """Where a request is sent: the resolved host, the subset ("" for none) and the port (0 when it names none).

    `host_node` and `port_node` are where the two are written. `why` says why Istio takes a backend of the Gateway API for none ("" when it
    doesn't), `fault` is where that is written, and `near` what nearly mends it: where, and how (both None where there is no such place).
    """

    host: str
    subset: str
    port: int
    node: Node
    host_node: Node
    port_node: Node
    why: str = ""
    fault: Node | None = None
    near: tuple[Node, str] | None = None


class Headers(NamedTuple):
    """Operations on the request's headers, names in lower case; `authority` is the Host that they set ("" for none), `node` that value."""

    authority: str
    set: Mapping[str, str]
    remove: tuple[str, ...]
    node: Node | None = None


class Backend(NamedTuple):
    """An entry of `route` or `backendRefs`."""

    destination: Destination
    weight: int
    headers: Headers


MirrorKey = tuple[Node, tuple[str, str, str, str]]


class Share(NamedTuple):
    """How much of the requests is copied, in percent and in words, the value that says so, and the object that this stands in."""

    percent: float
    said: str
    node: Node
    owner: Manifest


class Mirror(NamedTuple):
    """A mirror policy: what it copies to, the share of it (None where nothing says which), the value that says so, and its object.

    `why` says why Istio leaves it out ("" when it doesn't).
    """

    destination: Destination
    share: Share | None
    node: Node
    owner: Manifest
    why: str = ""

    @property
    def percent(self) -> float:
        """The share in percent, all unless it is said."""
        return self.share.percent if self.share else 100.0

    @property
    def key(self) -> MirrorKey:
        """What no other mirror of a cluster has: of one file there may be several objects, of one line of a template several mirrors."""
        return self.node, self.owner.identity


class Rewrite(NamedTuple):
    """A rewrite: the new Host, path (prefix), or pattern and substitution; each "" when not asked for.

    `node` is the Host's value, `path` what is written into the path.
    """

    authority: str
    uri: str
    pattern: str
    substitution: str
    node: Node
    path: Node


class Rule(NamedTuple):
    """A rule of the object `owner`; `action` is what is done with a request, and `answer` the Node that says so.

    `left_out` are mirrors that Istio does not take, `switched_off` those with a share of 0. `percentages` is what a VirtualService's rule
    says of its `mirror`; the first one counts.
    """

    node: Node
    owner: Manifest
    action: Action
    answer: Node
    matches: tuple[Match, ...]
    backends: tuple[Backend, ...]
    mirrors: tuple[Mirror, ...]
    rewrite: Rewrite
    headers: Headers
    left_out: tuple[Mirror, ...] = ()
    switched_off: tuple[Mirror, ...] = ()
    percentages: tuple[Share, ...] = ()

    @property
    def used(self) -> tuple[Backend, ...]:
        """The backends that get requests: a single one, else those with a weight (route.go:applyHTTPRouteDestination)."""
        return self.backends if len(self.backends) == 1 else tuple(b for b in self.backends if b.weight)


class Host(NamedTuple):
    """A host as Istio compares it, and where it is written."""

    name: str
    node: Node

    @property
    def phrase(self) -> str:
        """What messages call it: what is written, and what that stands for."""
        written = self.node.text or self.name
        return f"`{written}`" + (f" (that is `{self.name}`)" if self.name != written else "")


class Unbound(NamedTuple):
    """Why a route is bound to nothing: the Node that decides it, in words, and the object that this stands in.

    `dropped` tells that Istio takes none of it for something inside it; else it attaches to no parent.
    """

    node: Node
    why: str
    owner: Manifest
    dropped: bool = False


class VirtualService(NamedTuple):
    """Hosts and their rules, bound to gateways or the mesh: a VirtualService, or what Istio makes of routes of the Gateway API.

    `name` is what Istio calls it, `bindings` are the gateways and where each is named. With `gateway_semantics` it comes from the Gateway
    API, where some of Istio's choices differ (model/virtualservice.go:UseGatewaySemantics); `unbound` then says why it is bound to nothing
    (None when it is bound).
    """

    manifest: Manifest
    name: str
    hosts: tuple[Host, ...]
    bindings: Mapping[str, Node]
    gateways: tuple[str, ...]
    export_to: frozenset[str]
    rules: tuple[Rule, ...]
    gateway_semantics: bool = False
    unbound: Unbound | None = None

    def __eq__(self, other: object) -> bool:
        """Each is one of its own."""
        return self is other

    def __hash__(self) -> int:
        """Hash what `==` compares."""
        return id(self)

    @property
    def namespace(self) -> str:
        """The namespace that it lives in."""
        return self.manifest.namespace

    def before(self, rule: Rule) -> tuple[Rule, ...]:
        """The rules that stand before one of its own."""
        return self.rules[: self.rules.index(rule)]

    @property
    def unavailable(self) -> int:
        """The answer where a destination does not exist (route.go:applyHTTPRouteDestination)."""
        return 500 if self.gateway_semantics else 503


NO_HEADERS = Headers("", {}, ())


def headers_of(values: Iterable[tuple[str, Node]], removed: Iterable[str]) -> Headers:
    """Header operations: `host` and `:authority` become a rewrite, other pseudo headers are dropped (TranslateHeadersOperations)."""
    authority, node, kept = "", None, dict[str, str]()
    for key, value in values:
        name = key.lower()
        if not is_authority(name):
            kept |= {} if name.startswith(":") else {name: value.text}
        elif value.text:
            authority, node = value.text, value
    names = (name.lower() for name in removed)
    return Headers(authority, kept, tuple(name for name in names if name != "host" and not name.startswith(":")), node)


def is_authority(header: str) -> bool:
    """Whether a header that is set stands for the Host (route.go:isAuthorityHeader)."""
    return header.lower() in ("host", ":authority")


def millionths(percent: float) -> float:
    """A percentage as Envoy gets it: cut off to a whole number of millionths (route.go:translatePercentToFractionalPercent)."""
    return int(min(max(percent, -1e9), 1e9) * 10000) / 10000
