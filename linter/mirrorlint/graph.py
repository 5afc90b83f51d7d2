"""The links as one directed graph: who mirrors to whom, through what, and where it breaks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import networkx as nx

from mirrorlint.delivery import reason
from mirrorlint.delivery.ending import ending, gateway_destination, named, server_of, service_at
from mirrorlint.delivery.gateway import Chain
from mirrorlint.delivery.way import LOST, End, Way, reached
from mirrorlint.drawing import ASSUMED, BROKEN, FORMATS, NOTHING, UNKNOWN, WHOLE, Drawn
from mirrorlint.source import Node

CALLED, TARGET, ENTRY, SERVICE = "called host", "mirror target", "service entry", "service"
GATEWAY, SERVED = "gateway host", "virtual service host"
BEYOND = "beyond"
RELATIONS = ("mirrors", "is", "leads to", "serves", "routes to")


class _Point(NamedTuple):
    """A node of the graph, and the Node that it stands for."""

    cluster: str
    kind: str
    label: str
    node: Node


class _Link(NamedTuple):
    """An edge of the graph, and the Node that makes or breaks it."""

    source: _Point
    target: _Point
    relation: str
    state: str
    reason: str
    node: Node


def build(ways: Iterable[tuple[str, Way]]) -> nx.DiGraph[str]:
    """The graph of ways with their worlds.

    Nodes carry cluster, kind, label, path and line; edges relation, state (whole, assumed, unknown, broken), reason
    ("" when nothing is wrong), path, line and worlds. What several ways share is drawn once, at its first place.
    """
    graph: nx.DiGraph[str] = nx.DiGraph()
    for world, way in ways:
        for end in dict.fromkeys(way.ends):
            for link in _links(way, end):
                _draw(graph, link, world)
    return graph


def _links(way: Way, end: End) -> Iterator[_Link]:
    """The hops of an endpoint as far as they hold, then what they end at; those from a gateway of the source on begin where it sends to."""
    points, begun = list(_points(way, end)), 0
    if way.first:
        yield from _links(way.first, way.first.ends[0])
        (sent,), begun = _destinations(way.first.ends[0]), RELATIONS.index("leads to")
        points[: begun + 1] = [sent]
    relations, written = RELATIONS[begun:], list(_written(way, end))[begun:]
    for relation, source, target, node in zip(relations, points, points[1:], written, strict=False):
        state = ASSUMED if end.assumed and target.kind == GATEWAY else WHOLE
        yield _Link(source, target, relation, state, "", node)
    relation = relations[len(points) - 1]
    if end.reason == reason.ARRIVES and end.route is not None:
        for service, backend in zip(_destinations(end), end.route.rule.used, strict=True):
            yield _Link(points[-1], service, relation, WHOLE, "", backend.destination.host_node)
    elif end.reason != reason.STAYS:
        yield _stop(way, end, points[-1], relation)


def _stop(way: Way, end: End, last: _Point, relation: str) -> _Link:
    """The link that leads to nothing, or out of what is known."""
    node, cluster, _ = ending(way, end)
    if end.outcome == LOST:
        return _Link(last, _Point(cluster, NOTHING, end.reason, node), relation, BROKEN, end.reason, node)
    label = named((end.address.host, end.address.port)) if end.address else end.reason
    state = UNKNOWN if end.reason in reason.UNJUDGED else WHOLE
    return _Link(last, _Point("", BEYOND, label, node), relation, state, end.reason, node)


def _points(way: Way, end: End) -> Iterator[_Point]:
    """What a shadow passes on its way to an end; where the way breaks it stops."""
    source = way.call.cluster
    yield _Point(source, CALLED, way.called.domain, way.called.node)
    if end.reason == reason.UNKNOWN_PRIMARY:
        return
    yield _Point(source, TARGET, named(way.target), way.mirror.destination.host_node)
    if way.upstream is None:
        return
    service = way.upstream.service
    label = named(way.target) if service.kubernetes else service.host
    yield _Point(source, SERVICE if service.kubernetes else ENTRY, label, service.node)
    if end.chain is None or end.reason in (reason.TLS_MISMATCH, reason.NO_FILTER_CHAIN):
        return
    yield _gateway(end, end.chain)
    if end.host is not None and end.reason != reason.HTTPS_REDIRECT:
        yield _Point(end.cluster, SERVED, end.host.domain, end.host.node)


def _written(way: Way, end: End) -> Iterator[Node]:
    """Where each of the first links is written."""
    yield way.mirror.node
    yield way.mirror.destination.host_node
    yield end.address.node if end.address else way.mirror.node
    yield end.host.node if end.host else way.mirror.node


def _gateway(end: End, chain: Chain) -> _Point:
    server = server_of(chain, end.domain)
    node = server.host_node_for(end.domain)
    return _Point(end.cluster, GATEWAY, f"{node.text}:{server.number}", node)


def _destinations(end: End) -> list[_Point]:
    """What the route of a gateway sends to."""
    found = [(backend.destination, service_at(end, backend.destination)) for backend in reached(end.route).rule.used]
    return [
        _Point(end.cluster, SERVICE, named(gateway_destination(end, destination)), service.node if service else destination.host_node)
        for destination, service in found
    ]


def _draw(graph: nx.DiGraph[str], link: _Link, world: str) -> None:
    source, target = _add(graph, link.source), _add(graph, link.target)
    place = link.node.place
    known = graph.get_edge_data(source, target, {})
    path, line = min((place.path, place.line), (known.get("path", place.path), known.get("line", place.line)))
    graph.add_edge(
        source,
        target,
        relation=link.relation,
        state=link.state,
        reason=link.reason,
        path=path,
        line=line,
        worlds=sorted({world, *known.get("worlds", ())}),
    )


def _add(graph: nx.DiGraph[str], point: _Point) -> str:
    """The point's node; targets of one name are one node, whoever mirrors to them."""
    place = (point.node.place.path, point.node.place.line)
    where = () if point.kind == TARGET else place
    name = json.dumps([point.cluster, point.kind, point.label, *where])
    if name in graph:
        known = graph.nodes[name]
        place = min(place, (known["path"], known["line"]))
    graph.add_node(name, cluster=point.cluster, kind=point.kind, label=point.label, path=place[0], line=place[1])
    return name


def render(graph: nx.DiGraph[str], kind: str) -> str:
    """The graph as `mermaid`, `dot` or `json`; the same graph gives the same text, in whatever order it was built."""
    return FORMATS[kind](_content(graph))


def _content(graph: nx.DiGraph[str]) -> Drawn:
    """Number the nodes in order of what they say."""
    keys = ("cluster", "path", "line", "kind", "label")
    ordered = sorted(graph.nodes, key=lambda name: (*(graph.nodes[name][key] for key in keys), name))
    order = {name: number for number, name in enumerate(ordered)}
    nodes = [{"id": f"n{number}", **graph.nodes[name]} for name, number in order.items()]
    links = sorted(graph.edges(data=True), key=lambda edge: (order[edge[0]], order[edge[1]]))
    return Drawn(nodes, [{"source": f"n{order[a]}", "target": f"n{order[b]}", **data} for a, b, data in links])
