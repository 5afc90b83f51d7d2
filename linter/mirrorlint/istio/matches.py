"""Blocks of `match`: their conditions, and how a delegate's are merged into its root's (pilot/pkg/model/virtualservice.go)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from mirrorlint.istio.names import gateway_name
from mirrorlint.source import Node

# `path-prefix` is the Gateway API's, which counts by segments; `present` takes any value, "" is no condition.
Kind = Literal["exact", "prefix", "path-prefix", "regex", "present", ""]
_KINDS: tuple[Kind, ...] = ("exact", "prefix", "regex")
STRINGS = ("uri", "scheme", "method", "authority")  # the conditions of a block that have no names


class StringMatch(NamedTuple):
    """A condition on a string."""

    kind: Kind
    value: str
    node: Node


class Match(NamedTuple):
    """One block of `match`: conditions that must all hold. An absent block is one without conditions.

    `root` is the block that a delegate's was merged with (None for none).
    """

    node: Node
    uri: StringMatch
    scheme: StringMatch
    method: StringMatch
    authority: StringMatch
    headers: Mapping[str, StringMatch]
    without_headers: Mapping[str, StringMatch]
    query: Mapping[str, StringMatch]
    port: int
    ignore_case: bool
    source_labels: Mapping[str, str]
    source_namespace: str
    gateways: tuple[str, ...]
    root: Node | None = None

    def field(self, name: str) -> Node:
        """Where a field is written: in the block, else in its root's."""
        return self.node[name] if self.root is None or name in self.node else self.root[name]


def string_match(kind: Kind, value: str, node: Node) -> StringMatch:
    """A condition; the regex `*` accepts any value (route.go:canBeConvertedToPresentMatch)."""
    return StringMatch("present" if (kind, value) == ("regex", "*") else kind, value, node)


def read_string_match(node: Node) -> StringMatch:
    """A StringMatch; `{}` accepts any value. The API server drops what is null (apiextensions.k8s.io/v1, defaulting and nullable)."""
    if not node:
        return StringMatch("", "", node)
    for kind in _KINDS:
        if node[kind]:
            return string_match(kind, node[kind].text, node[kind])
    return StringMatch("present", "", node)


def _string_matches(node: Node) -> dict[str, StringMatch]:
    return {name: read_string_match(value) for name, value in node.items()}


def read_match(node: Node, namespace: str) -> Match:
    """A block of `match`; gateway names are resolved in `namespace`."""
    return Match(
        node=node,
        uri=read_string_match(node["uri"]),
        scheme=read_string_match(node["scheme"]),
        method=read_string_match(node["method"]),
        authority=read_string_match(node["authority"]),
        headers=_string_matches(node["headers"]),
        without_headers=_string_matches(node["withoutHeaders"]),
        query=_string_matches(node["queryParams"]),
        port=node["port"].number,
        ignore_case=node["ignoreUriCase"].truth,
        source_labels=node["sourceLabels"].named_texts,
        source_namespace=node["sourceNamespace"].text,
        gateways=tuple(gateway_name(g, namespace) for g in node["gateways"].texts),
    )


def merge_matches(root: tuple[Match, ...], child: tuple[Match, ...]) -> tuple[Match, ...] | None:
    """What root and delegate both ask for, None when they contradict each other (mergeHTTPMatchRequests)."""
    if not root or not child:
        return child or root
    merged: list[Match] = []
    for leaf in child:
        agreeing = [merge_match(r, leaf) for r in root if not _conflict(r, leaf)]
        if not agreeing:
            return None
        merged += agreeing
    return tuple(merged)


def merge_match(root: Match, leaf: Match) -> Match:
    """The leaf's conditions, and the root's where the leaf has none (mergeHTTPMatchRequest)."""
    return leaf._replace(
        **{name: getattr(leaf if getattr(leaf, name).kind else root, name) for name in STRINGS},
        headers={**root.headers, **leaf.headers},
        without_headers={**root.without_headers, **leaf.without_headers},
        query={**root.query, **leaf.query},
        source_labels={**root.source_labels, **leaf.source_labels},
        port=leaf.port or root.port,
        source_namespace=leaf.source_namespace or root.source_namespace,
        gateways=leaf.gateways or root.gateways,
        root=root.node,
    )


def _conflict(root: Match, leaf: Match) -> bool:
    """Whether the leaf is no part of what the root asks for (virtualservice.go:hasConflict)."""
    pairs = [(getattr(root, name), getattr(leaf, name)) for name in STRINGS]
    for ours, theirs in ((root.headers, leaf.headers), (root.without_headers, leaf.without_headers), (root.query, leaf.query)):
        pairs += [(ours[key], theirs[key]) for key in theirs if key in ours]
    return (
        any(_strings_conflict(a, b) for a, b in pairs)
        or root.ignore_case != leaf.ignore_case
        or bool(root.port and leaf.port and root.port != leaf.port)
        or (root.source_namespace not in ("", leaf.source_namespace))
        or any(root.source_labels.get(key, value) != value for key, value in leaf.source_labels.items())
        or bool(root.gateways and leaf.gateways and not set(leaf.gateways) <= set(root.gateways))
        or bool(root.gateways and len(root.gateways) < len(leaf.gateways))
    )


def _strings_conflict(root: StringMatch, leaf: StringMatch) -> bool:
    if not root.kind or not leaf.kind:
        return False
    return not (
        (root.kind == leaf.kind == "exact" and root.value == leaf.value != "")
        or (root.kind == "prefix" and leaf.kind in ("prefix", "exact") and root.value and leaf.value and leaf.value.startswith(root.value))
    )
