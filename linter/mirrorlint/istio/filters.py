"""Filters of HTTPRoutes and GRPCRoutes: headers, rewrites, mirrors (pilot/pkg/config/kube/gateway/conversion.go)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mirrorlint.fleet import Manifest
from mirrorlint.istio.matches import Match
from mirrorlint.istio.routing import NO_HEADERS, Headers, Rewrite, Share, headers_of, millionths
from mirrorlint.source import Node

MIRROR, REDIRECT, REWRITE, HEADERS = "RequestMirror", "RequestRedirect", "URLRewrite", "RequestHeaderModifier"
_OF_BACKENDS = frozenset({HEADERS, "ResponseHeaderModifier"})
_KNOWN = {"HTTPRoute": _OF_BACKENDS | {MIRROR, REDIRECT, REWRITE, "CORS"}, "GRPCRoute": _OF_BACKENDS | {MIRROR}}


def unknown(route: str, rule: Node) -> Node | None:
    """The first filter of a rule, or of its backends, that Istio doesn't take: it costs the whole route."""
    of_rule = (f["type"] for f in rule["filters"] if f["type"].text not in _KNOWN[route])
    of_backends = (f["type"] for b in rule["backendRefs"] if weight(b) for f in b["filters"] if f["type"].text not in _OF_BACKENDS)
    return next(iter((*of_rule, *of_backends)), None)


def weight(backend: Node) -> int:
    """The weight of a `backendRefs` entry, 1 unless it says another."""
    return backend["weight"].number if backend["weight"] else 1


def of_type(filters: Iterable[Node], name: str) -> list[Node]:
    """The filters of a type."""
    return [node for node in filters if node["type"].text == name]


def mirrors(rule: Node) -> list[Node]:
    """What a rule's mirrors say, and those of its backends, which Istio doesn't take there."""
    of_backends = (f for backend in rule["backendRefs"] if weight(backend) for f in backend["filters"])
    return [f["requestMirror"] for f in of_type((*rule["filters"], *of_backends), MIRROR)]


def read_headers(filters: Iterable[Node]) -> Headers:
    """What the last RequestHeaderModifier does; of two entries for a header the first counts (createHeadersFilter)."""
    modifiers = of_type(filters, HEADERS)
    if not modifiers:
        return NO_HEADERS
    modifier = modifiers[-1]["requestHeaderModifier"]
    first = [{h["name"].text.lower(): h["value"] for h in reversed(list(modifier[operation]))} for operation in ("add", "set")]
    return headers_of((pair for headers in first for pair in headers.items()), modifier["remove"].texts)


def read_rewrite(filters: Iterable[Node], match: Match) -> Rewrite:
    """What a URLRewrite does; removing the prefix needs to know the match (createRewriteFilter, route.go:applyHTTPRouteDestination)."""
    found = of_type(filters, REWRITE)
    if not found:
        return Rewrite("", "", "", "", match.node, match.node)
    authority, path = found[-1]["urlRewrite"]["hostname"], found[-1]["urlRewrite"]["path"]
    if path["type"].text == "ReplaceFullPath":
        return Rewrite(authority.text, "", "/.*", path["replaceFullPath"].text, authority, path["replaceFullPath"])
    written = path["replacePrefixMatch"]
    uri = written.text.removesuffix("/")
    if path["type"].text == "ReplacePrefixMatch" and not uri:
        prefix = match.uri.value if match.uri.kind == "path-prefix" else ""
        return Rewrite(authority.text, "", f"^{re.escape(prefix)}(/?)(.*)", r"/\2", authority, written)
    return Rewrite(authority.text, uri, "", "", authority, written)


def mirror_share(node: Node, owner: Manifest) -> Share | None:
    """The share that a `requestMirror` of a route asks for (createMirrorFilter)."""
    fraction, percent = node["fraction"], node["percent"]
    if fraction:
        numerator, denominator = fraction["numerator"], fraction["denominator"]
        share = millionths(min(100 * numerator.decimal / (denominator.decimal or 100), 100.0))
        return Share(share, f"{numerator.text}/{denominator.text or 100}", numerator, owner)
    return Share(percent.decimal, f"{percent.text} %", percent, owner) if percent else None
