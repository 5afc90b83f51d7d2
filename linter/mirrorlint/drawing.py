"""How a graph of links is drawn: as Mermaid, Graphviz dot and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from mirrorlint.delivery.worlds import SUFFIXED

WHOLE, ASSUMED, UNKNOWN, BROKEN = "whole", "assumed", "unknown", "broken"
NOTHING = "nothing"
_MERMAID_STYLES = {BROKEN: "stroke:red,stroke-dasharray:6 4", UNKNOWN: "stroke:gray"}
_DOT_STYLES = {
    BROKEN: ", color=red, fontcolor=red, style=dashed",
    ASSUMED: ", style=dotted",
    UNKNOWN: ", color=gray, style=dotted",
}
_MERMAID_PLAIN = frozenset(" .,:/-()")


class Drawn(NamedTuple):
    """What a graph holds, in order: nodes and edges as JSON has them; nodes of one cluster stand together."""

    nodes: list[dict[str, Any]]
    edges: list[dict[str, Any]]


def _json(content: Drawn) -> str:
    return json.dumps(content._asdict(), indent=2) + "\n"


def _by_cluster(nodes: Iterable[dict[str, Any]]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Clusters with their nodes; what belongs to none stands under ""."""
    for cluster, members in groupby(nodes, key=lambda node: str(node["cluster"])):
        yield cluster, list(members)


def _captions(edges: Sequence[dict[str, Any]]) -> list[str]:
    """What each edge says: its relation, what is wrong, and its versions when there are edges for others."""
    every = {world for edge in edges for world in edge["worlds"]}
    return [_caption(edge, partial=set(edge["worlds"]) != every) for edge in edges]


def _caption(edge: dict[str, Any], *, partial: bool) -> str:
    why = f": {edge['reason']}" if edge["reason"] else ""
    return f"{edge['relation']}{why}" + (f" ({', '.join(map(_versions, edge['worlds']))})" if partial else "")


def _versions(world: str) -> str:
    return f"up to {world}" if world == SUFFIXED else f"{world} and later"


def _mermaid(content: Drawn) -> str:
    lines = ["flowchart LR"]
    for number, (cluster, members) in enumerate(_by_cluster(content.nodes)):
        shown = [f"{n['id']}[{_mermaid_label(n['label'], _place(n))}]" for n in members]
        if cluster:
            lines += [f"  subgraph c{number}[{_mermaid_label(cluster)}]", *(f"    {line}" for line in shown), "  end"]
        else:
            lines += [f"  {line}" for line in shown]
    for edge, caption in zip(content.edges, _captions(content.edges), strict=True):
        arrow = "-.->" if edge["state"] in (ASSUMED, UNKNOWN) else "-->"
        lines.append(f"  {edge['source']} {arrow}|{_mermaid_label(caption)}| {edge['target']}")
    for number, edge in enumerate(content.edges):
        if edge["state"] in _MERMAID_STYLES:
            lines.append(f"  linkStyle {number} {_MERMAID_STYLES[edge['state']]}")
    lines += [f"  style {node['id']} stroke:red" for node in content.nodes if node["kind"] == NOTHING]
    return "\n".join(lines) + "\n"


def _mermaid_label(*lines: str) -> str:
    """Lines in quotes, each character that Mermaid may take for its own by its number."""
    return '"' + "<br/>".join("".join(map(_mermaid_char, _printable(line))) for line in lines) + '"'


def _mermaid_char(char: str) -> str:
    return char if char.isalnum() or char in _MERMAID_PLAIN else f"#{ord(char)};"


def _dot(content: Drawn) -> str:
    lines = ["digraph mirrors {", "  rankdir=LR;", "  node [shape=box];"]
    for number, (cluster, members) in enumerate(_by_cluster(content.nodes)):
        shown = [f"{n['id']} [label={_dot_label(n['label'], _place(n))}{_dot_color(n)}];" for n in members]
        if cluster:
            lines += [f"  subgraph cluster_{number} {{", f"    label={_dot_label(cluster)};"]
            lines += [*(f"    {line}" for line in shown), "  }"]
        else:
            lines += [f"  {line}" for line in shown]
    for edge, caption in zip(content.edges, _captions(content.edges), strict=True):
        style = _DOT_STYLES.get(edge["state"], "")
        lines.append(f"  {edge['source']} -> {edge['target']} [label={_dot_label(caption)}{style}];")
    return "\n".join([*lines, "}"]) + "\n"


def _dot_label(*lines: str) -> str:
    return '"' + "\\n".join(_printable(line).replace("\\", "\\\\").replace('"', '\\"') for line in lines) + '"'


def _dot_color(node: dict[str, Any]) -> str:
    return ", color=red" if node["kind"] == NOTHING else ""


def _place(node: dict[str, Any]) -> str:
    return f"{node['path']}:{node['line']}"


def _printable(text: str) -> str:
    """The text without what steers terminals, reorders letters or can't be encoded."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


FORMATS: Mapping[str, Callable[[Drawn], str]] = {"mermaid": _mermaid, "dot": _dot, "json": _json}
