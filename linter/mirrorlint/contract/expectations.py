"""What a cluster expects of its peers: what its mirrors send, as the delivery says of all their callers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from mirrorlint.delivery import reason
from mirrorlint.delivery.callers import Judged, judge
from mirrorlint.delivery.follow import Delivery, End, Way
from mirrorlint.delivery.upstream import MUTUAL, PLAINTEXT, Upstream
from mirrorlint.fleet import Cluster
from mirrorlint.source import Place

WITHHELD = "(withheld)"
_CREDENTIALS = frozenset({"authorization", "proxy-authorization", "cookie"})
_SENT = frozenset({reason.ARRIVES, reason.UNKNOWN})  # what is known to be lost is no expectation: `check` reports it


def expectations(
    clusters: Mapping[str, Cluster], delivery: Delivery, cluster: str, worlds: Iterable[str], at: Callable[[Place], str]
) -> list[dict[str, Any]]:
    """An expectation for each mirror and cluster that its shadows go to; `at` says where a place is in the repository."""
    return [one for judged in judge(clusters, delivery, cluster, worlds) for one in _of_mirror(judged, at)]


def _of_mirror(judged: Judged, at: Callable[[Place], str]) -> Iterator[dict[str, Any]]:
    sent: dict[str, list[tuple[str, Way]]] = {}
    for world, ways in judged.ways.items():
        for way in ways:
            for to in dict.fromkeys(end.cluster for end in way.ends if end.reason in _SENT):
                sent.setdefault(to, []).append((world, way))
    for to, ways in sorted(sent.items()):
        upstreams = {way.target: way.upstream for _, way in ways if way.upstream}
        for target, upstream in upstreams.items():
            mirror = judged.mirror
            yield {
                "at": at(mirror.destination.host_node.place),
                "object": str(mirror.owner),
                "to": to,
                "host": target[0],
                "port": target[1],
                "endpoints": [{"host": host, "port": port} for host, port in _endpoints(ways, to)],
                "tls": _tls(upstream),
                "requests": _requests((world, way) for world, way in ways if way.target == target),
            }


def _endpoints(ways: Iterable[tuple[str, Way]], to: str) -> list[tuple[str, int]]:
    ends = (end for _, way in ways for end in way.ends if _leads(end, to))
    return list(dict.fromkeys((end.address.host, end.address.port) for end in ends if end.address))


def _leads(end: End, to: str) -> bool:
    return end.reason in _SENT and end.cluster == to


def _tls(upstream: Upstream) -> dict[str, Any]:
    """A DestinationRule's `tls` by which the same connection is made; empty for plain text."""
    if upstream.tls == PLAINTEXT:
        return {}
    said: dict[str, Any] = {"mode": "ISTIO_MUTUAL" if upstream.tls == MUTUAL else "SIMPLE"}
    names = upstream.client["subjectAltNames"].texts or upstream.service.manifest.node["spec"]["subjectAltNames"].texts
    said |= {"sni": upstream.sni} if upstream.sni else {}
    said |= {"subjectAltNames": list(names)} if names else {}
    return said | ({"insecureSkipVerify": True} if upstream.client["insecureSkipVerify"].truth else {})


def _requests(ways: Iterable[tuple[str, Way]]) -> list[dict[str, Any]]:
    """The requests that are sent, those together that differ in their Host alone."""
    found: dict[tuple[str, str, tuple[tuple[str, str], ...]], dict[str, dict[str, None]]] = {}
    for world, way in ways:
        host, path, method, headers = way.request
        shown = ((name, WITHHELD if name in _CREDENTIALS else value) for name, value in sorted(headers.items()))
        found.setdefault((method, path, tuple(shown)), {}).setdefault(world, {})[host] = None
    return [
        {"method": method, "path": path, "headers": dict(headers), "hosts": {world: list(names) for world, names in hosts.items()}}
        for (method, path, headers), hosts in found.items()
    ]
