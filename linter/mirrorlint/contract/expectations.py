"""What a cluster expects of its peers: what its mirrors send, as the delivery says of all their callers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from mirrorlint.contract.withheld import told
from mirrorlint.delivery import reason
from mirrorlint.delivery.follow import Delivery
from mirrorlint.delivery.judged import Judged, judge
from mirrorlint.delivery.match import Request
from mirrorlint.delivery.upstream import MUTUAL, PLAINTEXT, Upstream
from mirrorlint.delivery.way import End, Way
from mirrorlint.fleet import Cluster
from mirrorlint.source import Place

_SENT = frozenset({reason.ARRIVES, reason.UNKNOWN})  # what is known to be lost is no expectation: `check` reports it


def expectations(
    clusters: Mapping[str, Cluster], delivery: Delivery, cluster: str, worlds: Iterable[str], at: Callable[[Place], str]
) -> list[dict[str, Any]]:
    """An expectation for each mirror and cluster that its shadows go to; `at` says where a place is in the repository."""
    return [one for judged in judge(clusters, delivery, cluster, worlds) for one in _of_mirror(judged, at)]


def _of_mirror(judged: Judged, at: Callable[[Place], str]) -> Iterator[dict[str, Any]]:
    """What is sent to each cluster, apart where it is sent in another manner."""
    sent: dict[str, tuple[dict[str, Any], list[tuple[str, Request]]]] = {}
    for world, way in ((world, way) for world, ways in judged.ways.items() for way in ways):
        for to in dict.fromkeys(end.cluster for end in way.ends if end.reason in _SENT):
            ends = [end for end in way.ends if end.reason in _SENT and end.cluster == to]
            manner = {"to": to, **_manner(way, ends)}
            sent.setdefault(json.dumps(manner), (manner, []))[1].extend((world, way.shadow(end)) for end in ends)
    mirror = {"at": at(judged.mirror.destination.host_node.place), "object": str(judged.mirror.owner)}
    for _, (manner, shadows) in sorted(sent.items()):
        yield {**mirror, **manner, "requests": _requests(shadows)}


def _manner(way: Way, ends: Iterable[End]) -> dict[str, Any]:
    """How a shadow is sent to a cluster, where it has these ends: to which host and port, at which endpoints, with which TLS."""
    endpoints = dict.fromkeys((end.address.host, end.address.port) for end in ends if end.address)
    return {
        "host": way.target[0],
        "port": way.target[1],
        "endpoints": [{"host": host, "port": port} for host, port in endpoints],
        "tls": _tls(way.upstream) if way.upstream else {},
    }


def _tls(upstream: Upstream) -> dict[str, Any]:
    """A DestinationRule's `tls` by which the same connection is made; empty for plain text."""
    if upstream.tls == PLAINTEXT:
        return {}
    said: dict[str, Any] = {"mode": "ISTIO_MUTUAL" if upstream.tls == MUTUAL else "SIMPLE"}
    names = upstream.client_tls["subjectAltNames"].texts or upstream.service.manifest.node["spec"]["subjectAltNames"].texts
    said |= {"sni": upstream.sni} if upstream.sni else {}
    said |= {"subjectAltNames": list(names)} if names else {}
    return said | ({"insecureSkipVerify": True} if upstream.client_tls["insecureSkipVerify"].truth else {})


def _requests(shadows: Iterable[tuple[str, Request]]) -> list[dict[str, Any]]:
    """The requests that are sent, those together that differ in their Host alone."""
    found: dict[tuple[str, str, tuple[tuple[str, str], ...]], dict[str, dict[str, None]]] = {}
    for world, (host, path, method, headers, _) in shadows:
        found.setdefault((method, path, tuple(told(headers).items())), {}).setdefault(world, {})[host] = None
    return [
        {"method": method, "path": path, "headers": dict(headers), "hosts": {world: list(names) for world, names in hosts.items()}}
        for (method, path, headers), hosts in found.items()
    ]
