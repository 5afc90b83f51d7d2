"""VirtualServices: hosts, gateways, and the HTTP rules after delegates are merged in (pilot/pkg/model/virtualservice*.go)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mirrorlint.fleet import Manifest
from mirrorlint.istio.matches import Match, merge_matches, read_match
from mirrorlint.istio.names import MESH, PUBLIC, expand, exported, gateway_name
from mirrorlint.istio.routing import (
    NO_HEADERS,
    Action,
    Backend,
    Destination,
    Headers,
    Host,
    Mirror,
    Rewrite,
    Rule,
    Share,
    VirtualService,
    headers_of,
    millionths,
)
from mirrorlint.source import Node


def read_virtual_service(manifest: Manifest, reader: Reader) -> VirtualService:
    """A VirtualService with hosts; `reader` knows the mesh's defaults and the delegates."""
    spec = manifest.node["spec"]
    bindings = {gateway_name(g.text, manifest.namespace): g for g in spec["gateways"]}
    return VirtualService(
        manifest,
        manifest.name,
        tuple(Host(expand(h.text, manifest.namespace, reader.domain), h) for h in spec["hosts"]),
        bindings,
        tuple(bindings) or (MESH,),
        frozenset(spec["exportTo"].texts) or reader.export_to,
        tuple(reader.rules(manifest)),
    )


class Reader:
    """Reads VirtualServices of one cluster."""

    def __init__(self, domain: str, export_to: frozenset[str], manifests: Iterable[Manifest], *, reads_mirrors: bool) -> None:
        """`export_to` is the mesh's defaultVirtualServiceExportTo; `reads_mirrors` tells whether its Istio knows `mirrors`."""
        self.domain, self.reads_mirrors = domain, reads_mirrors
        self.export_to = export_to or PUBLIC
        self._delegates = {f"{m.namespace}/{m.name}": m for m in manifests if not len(m.node["spec"]["hosts"])}

    def rules(self, manifest: Manifest) -> Iterator[Rule]:
        """The HTTP rules in order, those of delegates in place of the rule that names them (mergeVirtualServices)."""
        for node in manifest.node["spec"]["http"]:
            own = _Fields(node, manifest, self)
            if not node["delegate"]:
                yield own.rule(own.matches())
                continue
            for child in self._delegated(node["delegate"], manifest.namespace):
                matches = merge_matches(own.matches(), child.matches())
                if matches is not None:
                    yield _Fields(child.node, child.manifest, self, own).rule(matches)

    def delegate(self, node: Node, namespace: str) -> Manifest | None:
        """The VirtualService that a `delegate` value names, if `namespace` may use it."""
        found = self._delegates.get(delegate_name(node, namespace))
        if found is None:
            return None
        export_to = frozenset(found.node["spec"]["exportTo"].texts) or self.export_to
        return found if exported(export_to, found.namespace, namespace) else None

    def _delegated(self, node: Node, namespace: str) -> Iterator[_Fields]:
        found = self.delegate(node, namespace)
        if found is not None:
            for child in found.node["spec"]["http"]:
                yield _Fields(child, found, self)


def delegate_name(node: Node, namespace: str) -> str:
    """`namespace/name` that a `delegate` value in a VirtualService of a namespace names."""
    return f"{node['namespace'].text or namespace}/{node['name'].text}"


class _Fields:
    """A rule's fields; those that a delegate's rule leaves unset are its root's (mergeHTTPRoute)."""

    def __init__(self, node: Node, manifest: Manifest, reader: Reader, root: _Fields | None = None) -> None:
        self.node, self.manifest, self._reader, self._root = node, manifest, reader, root

    def _owner(self, field: str) -> _Fields:
        return self._root if self._root and field not in self.node else self

    def _get(self, field: str) -> Node:
        return self._owner(field).node[field]

    def destination(self, node: Node) -> Destination:
        name, number = node["host"], node["port"]["number"]
        return Destination(
            expand(name.text, self.manifest.namespace, self._reader.domain), node["subset"].text, number.number, node, name, number
        )

    def matches(self) -> tuple[Match, ...]:
        return tuple(read_match(m, self.manifest.namespace) for m in self.node["match"])

    def rule(self, matches: tuple[Match, ...]) -> Rule:
        action, answer = self._action()
        mirrors = tuple(self._mirrors())
        return Rule(
            node=self.node,
            owner=self.manifest,
            action=action,
            answer=answer,
            matches=matches,
            backends=tuple(
                Backend(self.destination(b["destination"]), b["weight"].number, read_headers(b["headers"])) for b in self.node["route"]
            ),
            mirrors=tuple(m for m in mirrors if m.percent > 0),
            rewrite=read_rewrite(self._get("rewrite")),
            headers=read_headers(self._get("headers")),
            switched_off=tuple(m for m in mirrors if m.percent <= 0),
            percentages=tuple(self._percentages()),
        )

    def _action(self) -> tuple[Action, Node]:
        """What is done with a request, and the field that says so; one without a backend, which admission refuses, is sent nowhere.

        A fault comes before the router (route.go:TranslateFault); without a status, or without `percentage`, it aborts nothing.
        """
        abort = self._get("fault")["abort"]
        if (abort["httpStatus"] or abort["grpcStatus"]) and millionths(abort["percentage"]["value"].decimal) >= 100:
            return "abort", self._owner("fault").node.key("fault")
        if self.node["redirect"]:
            return "redirect", self.node.key("redirect")
        if self._get("directResponse"):
            return "direct-response", self._owner("directResponse").node.key("directResponse")
        backends = self._get("route")
        return "route" if len(backends) == 1 or any(each["weight"].number for each in backends) else "direct-response", backends

    def _mirrors(self) -> Iterator[Mirror]:
        """What `mirror` and `mirrors` ask for; a percentage of 0 is no mirror (route.go:MirrorPercent, MirrorPercentByPolicy)."""
        mirror, owner = self._get("mirror"), self._owner("mirror")
        if mirror:
            yield Mirror(owner.destination(mirror), next(self._percentages(), None), mirror, owner.manifest)
        owner = self._owner("mirrors")
        for policy in self._get("mirrors") if self._reader.reads_mirrors else ():
            if policy["destination"]:
                share = _share(policy["percentage"]["value"], owner.manifest) if policy["percentage"] else None
                yield Mirror(owner.destination(policy["destination"]), share, policy["destination"], owner.manifest)

    def _percentages(self) -> Iterator[Share]:
        """What is said of `mirror`; the first counts (route.go:MirrorPercent)."""
        for field in ("mirrorPercentage", "mirrorPercent", "mirror_percent"):
            said = self._get(field)
            if said:
                yield _share(said["value"] if said.is_mapping else said, self._owner(field).manifest)


def _share(amount: Node, owner: Manifest) -> Share:
    """A percentage; one without a `value` is 0."""
    return Share(millionths(amount.decimal), f"{amount.text or 0} %", amount, owner)


def read_rewrite(node: Node) -> Rewrite:
    """The `rewrite` field."""
    uri, pattern = node["uri"], node["uriRegexRewrite"]
    path = pattern["rewrite"] if pattern else uri
    return Rewrite(node["authority"].text, uri.text, pattern["match"].text, pattern["rewrite"].text, node["authority"], path)


def read_headers(node: Node) -> Headers:
    """The `headers` field: `host` and `:authority` become a rewrite, other pseudo headers are dropped (TranslateHeadersOperations)."""
    request = node["request"]
    if not request:
        return NO_HEADERS
    return headers_of((each for name in ("add", "set") for each in request[name].items()), request["remove"].texts)
