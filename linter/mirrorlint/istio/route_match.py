"""Entries of `matches` in HTTPRoutes and GRPCRoutes, as Istio's match blocks (pilot/pkg/config/kube/gateway/conversion.go)."""

from __future__ import annotations

from collections.abc import Mapping

from mirrorlint.istio.matches import Kind, Match, StringMatch, string_match
from mirrorlint.source import Node

_KINDS: Mapping[str, Kind] = {"Exact": "exact", "RegularExpression": "regex", "PathPrefix": "path-prefix"}


def read_matches(route: str, rule: Node) -> list[Match]:
    """The blocks of a rule; one without `matches` has a single block, which takes everything."""
    entries = list(rule["matches"]) or [rule["matches"]]
    return [_http(node) if route == "HTTPRoute" else _grpc(node) for node in entries]


def _http(node: Node) -> Match:
    method = node["method"]
    return _match(node, _path(node["path"]), StringMatch("exact" if method else "", method.text, method), _strings(node["queryParams"]))


def _grpc(node: Node) -> Match:
    return _match(node, _call(node["method"]), _none(node), {})


def _match(node: Node, uri: StringMatch, method: StringMatch, query: Mapping[str, StringMatch]) -> Match:
    return Match(
        node=node,
        uri=uri,
        scheme=_none(node),
        method=method,
        authority=_none(node),
        headers=_strings(node["headers"]),
        without_headers={},
        query=query,
        port=0,
        ignore_case=False,
        source_labels={},
        source_namespace="",
        gateways=(),
    )


def _none(node: Node) -> StringMatch:
    return StringMatch("", "", node)


def _strings(entries: Node) -> dict[str, StringMatch]:
    return {e["name"].text: string_match(_KINDS.get(e["type"].text, "exact"), e["value"].text, e["value"]) for e in entries}


def _path(node: Node) -> StringMatch:
    """A path's condition, `PathPrefix /` unless it says another (createURIMatch); prefixes count by whole segments."""
    kind, value = _KINDS.get(node["type"].text, "path-prefix"), node["value"].text or "/"
    if kind != "path-prefix":
        return string_match(kind, value, node["value"])
    prefix = value.removesuffix("/")
    return StringMatch("path-prefix", prefix, node["value"]) if prefix else StringMatch("prefix", "/", node["value"])


def _call(method: Node) -> StringMatch:
    """A gRPC method's condition as one on the path (createGRPCURIMatch)."""
    service, name = method["service"].text, method["method"].text
    if not service and not name:
        return _none(method)
    if method["type"].text == "RegularExpression":
        return StringMatch("regex", f"/{service or '[^/]+'}/{name or '.+'}", method)
    if not service:
        return StringMatch("regex", f"/[^/]+/{name}", method)
    return StringMatch("exact", f"/{service}/{name}", method) if name else StringMatch("path-prefix", f"/{service}", method)
