"""VirtualServices: hosts, gateways, and the HTTP rules after delegates are merged in (pilot/pkg/model/virtualservice*.go)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from mirrorlint.fleet import Manifest
from mirrorlint.istio.matches import Match, merge_matches, read_match
from mirrorlint.istio.names import MESH, PUBLIC, expand, exported, gateway_name
from mirrorlint.source import Node


class Destination(NamedTuple):
    """Where a request is sent: the resolved host, the subset ("" for none) and the port (0 when it names none)."""

    host: str
    subset: str
    port: int
    node: Node


class Headers(NamedTuple):
    """Operations on the request's headers, names in lower case; `authority` is the Host that they set ("" for none)."""

    authority: str
    set: Mapping[str, str]
    remove: tuple[str, ...]


class Backend(NamedTuple):
    """An entry of `route`."""

    destination: Destination
    weight: int
    headers: Headers


class Mirror(NamedTuple):
    """A mirror policy: what it copies to, how much of it in percent, the value that says so, and the object that this stands in."""

    destination: Destination
    percent: float
    node: Node
    owner: Manifest


class Rewrite(NamedTuple):
    """`rewrite`: the new Host, path (prefix), or pattern and substitution; each "" when not asked for."""

    authority: str
    uri: str
    pattern: str
    substitution: str


class Rule(NamedTuple):
    """An entry of `http`; `action` is route, redirect, direct-response, or abort where a fault answers every request."""

    node: Node
    action: str
    matches: tuple[Match, ...]
    backends: tuple[Backend, ...]
    mirrors: tuple[Mirror, ...]
    rewrite: Rewrite
    headers: Headers

    @property
    def used(self) -> tuple[Backend, ...]:
        """The backends that get requests: a single one, else those with a weight (route.go:applyHTTPRouteDestination)."""
        return self.backends if len(self.backends) == 1 else tuple(b for b in self.backends if b.weight)


class Host(NamedTuple):
    """A host of `hosts`, resolved, and where it is written."""

    name: str
    node: Node


class VirtualService:
    """A VirtualService with hosts: what it is bound to, who sees it, and its rules."""

    def __init__(self, manifest: Manifest, read: Reader) -> None:
        """Read the manifest; `read` knows the mesh's defaults and the delegates."""
        spec = manifest.node["spec"]
        self.manifest = manifest
        self.namespace = manifest.namespace
        self.hosts = tuple(Host(expand(h.text, manifest.namespace, read.domain), h) for h in spec["hosts"])
        self.bindings = {gateway_name(g.text, manifest.namespace): g for g in spec["gateways"]}
        self.gateways = tuple(self.bindings) or (MESH,)
        self.export_to = frozenset(spec["exportTo"].texts) or read.export_to
        self.rules = tuple(read.rules(manifest))


class Reader:
    """Reads VirtualServices of one cluster."""

    def __init__(self, domain: str, export_to: frozenset[str], manifests: Iterable[Manifest]) -> None:
        """`export_to` is the mesh's defaultVirtualServiceExportTo."""
        self.domain = domain
        self.export_to = export_to or PUBLIC
        self._delegates = {(m.namespace, m.name): m for m in manifests if not len(m.node["spec"]["hosts"])}

    def rules(self, manifest: Manifest) -> Iterator[Rule]:
        """The HTTP rules in order, those of delegates in place of the rule that names them (mergeVirtualServices)."""
        for node in manifest.node["spec"]["http"]:
            own = _Fields(node, manifest, self.domain)
            if not node["delegate"]:
                yield own.rule(own.matches())
                continue
            for child in self._delegated(node["delegate"], manifest.namespace):
                matches = merge_matches(own.matches(), child.matches())
                if matches is not None:
                    yield _Fields(child.node, child.manifest, self.domain, own).rule(matches)

    def delegate(self, node: Node, namespace: str) -> Manifest | None:
        """The VirtualService that a `delegate` value names, if `namespace` may use it."""
        found = self._delegates.get((node["namespace"].text or namespace, node["name"].text))
        if found is None:
            return None
        export_to = frozenset(found.node["spec"]["exportTo"].texts) or self.export_to
        return found if exported(export_to, found.namespace, namespace) else None

    def _delegated(self, node: Node, namespace: str) -> Iterator[_Fields]:
        found = self.delegate(node, namespace)
        if found is not None:
            for child in found.node["spec"]["http"]:
                yield _Fields(child, found, self.domain)


class _Fields:
    """A rule's fields; those that a delegate's rule leaves unset are its root's (mergeHTTPRoute)."""

    def __init__(self, node: Node, manifest: Manifest, domain: str, root: _Fields | None = None) -> None:
        self.node, self.manifest, self._domain, self._root = node, manifest, domain, root

    def _owner(self, field: str) -> _Fields:
        return self._root if self._root and field not in self.node else self

    def _get(self, field: str) -> Node:
        return self._owner(field).node[field]

    def destination(self, node: Node) -> Destination:
        return Destination(
            expand(node["host"].text, self.manifest.namespace, self._domain), node["subset"].text, node["port"]["number"].number, node
        )

    def matches(self) -> tuple[Match, ...]:
        return tuple(read_match(m, self.manifest.namespace) for m in self.node["match"])

    def rule(self, matches: tuple[Match, ...]) -> Rule:
        return Rule(
            node=self.node,
            action=self._action(),
            matches=matches,
            backends=tuple(
                Backend(self.destination(b["destination"]), b["weight"].number, read_headers(b["headers"])) for b in self.node["route"]
            ),
            mirrors=tuple(m for m in self._mirrors() if m.percent > 0),
            rewrite=read_rewrite(self._get("rewrite")),
            headers=read_headers(self._get("headers")),
        )

    def _action(self) -> str:
        """Who answers: a fault comes before the router (route.go:TranslateFault; without `percentage` it aborts nothing)."""
        if millionths(self._get("fault")["abort"]["percentage"]["value"]) >= 100:
            return "abort"
        if self.node["redirect"]:
            return "redirect"
        return "direct-response" if self._get("directResponse") else "route"

    def _mirrors(self) -> Iterator[Mirror]:
        """What `mirror` and `mirrors` ask for; a percentage of 0 is no mirror (route.go:MirrorPercent, MirrorPercentByPolicy)."""
        mirror, owner = self._get("mirror"), self._owner("mirror")
        if mirror:
            yield Mirror(owner.destination(mirror), self._percent(), mirror, owner.manifest)
        owner = self._owner("mirrors")
        for policy in self._get("mirrors"):
            if policy["destination"]:
                percent = millionths(policy["percentage"]["value"]) if policy["percentage"] else 100.0
                yield Mirror(owner.destination(policy["destination"]), percent, policy["destination"], owner.manifest)

    def _percent(self) -> float:
        exact, whole = self._get("mirrorPercentage"), self._get("mirrorPercent") or self._get("mirror_percent")
        if exact:
            return millionths(exact["value"])
        return float(whole.number) if whole else 100.0


def millionths(value: Node) -> float:
    """A percentage as Envoy gets it: cut off to a whole number of millionths (route.go:translatePercentToFractionalPercent)."""
    return int(value.decimal * 10000) / 10000


def read_rewrite(node: Node) -> Rewrite:
    """The `rewrite` field."""
    pattern = node["uriRegexRewrite"]
    return Rewrite(node["authority"].text, node["uri"].text, pattern["match"].text, pattern["rewrite"].text)


def read_headers(node: Node) -> Headers:
    """The `headers` field: `host` and `:authority` become a rewrite, other pseudo headers are dropped (TranslateHeadersOperations)."""
    request = node["request"]
    if not request:
        return NO_HEADERS
    authority, values = "", {}
    for operation in ("add", "set"):
        for key, value in request[operation].entries():
            name = key.text.lower()
            if name in ("host", ":authority"):
                authority = value.text or authority
            elif not name.startswith(":"):
                values[name] = value.text
    removed = tuple(name for name in (n.lower() for n in request["remove"].texts) if name != "host" and not name.startswith(":"))
    return Headers(authority, values, removed)


NO_HEADERS = Headers("", {}, ())
