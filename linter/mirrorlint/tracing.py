"""The calls that `trace` and `graph` follow: one that is asked for, or every caller of every mirror."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mirrorlint.delivery.age import by_name
from mirrorlint.delivery.callers import judge
from mirrorlint.delivery.follow import Delivery
from mirrorlint.delivery.way import LOST, Call, Way
from mirrorlint.engine import worlds_of
from mirrorlint.fleet import Documents
from mirrorlint.report.trace import Trace


def traces(documents: Documents, options: Mapping[str, Any]) -> list[Trace]:
    """The traces that the command's options ask for; ValueError for what is none of the fleet's."""
    if not options["host"]:
        return _every(documents, options["istio"])
    delivery = Delivery(documents.clusters, by_name)
    cluster, _, namespace = options["source"].rpartition("/")
    if cluster and cluster not in documents.clusters:
        raise ValueError(f"`{cluster}` is no cluster here: {', '.join(documents.clusters)}")
    found = [_one(delivery, documents, name, namespace, options) for name in ([cluster] if cluster else documents.clusters)]
    mirrored = [trace for trace in found if any(trace.ways.values())]
    return mirrored or found[:1]


def _one(delivery: Delivery, documents: Documents, cluster: str, namespace: str, options: Mapping[str, Any]) -> Trace:
    headers = {key.strip(): value.strip() for key, _, value in (header.partition(":") for header in options["headers"])}
    pods = delivery.ingress(cluster) if options["gateway"] else ()
    pod = next((each for each in pods if namespace in ("", each.namespace)), None)
    if pods and pod is None:
        raise ValueError(f"no ingress gateway of {cluster} is in the namespace `{namespace}`")
    call = Call(
        cluster,
        namespace or (pod.namespace if pod else "default"),
        options["host"],
        options["port"],
        options["path"],
        options["method"],
        headers,
        pod.labels if pod else {},
        bool(pod),
    )
    worlds = worlds_of(documents.clusters[cluster].settings, options["istio"])
    return Trace(call, {world: delivery.follow(call, world) for world in worlds})


def _every(documents: Documents, istio: str) -> list[Trace]:
    by_call: dict[tuple[object, ...], tuple[Call, dict[str, list[Way]]]] = {}
    for world, way in every_way(documents, istio):
        call = way.call
        key = (*call[:6], tuple(sorted(call.headers.items())), tuple(sorted(call.labels.items())), call.gateway)
        by_call.setdefault(key, (call, {}))[1].setdefault(world, []).append(way)
    return [Trace(call, {world: tuple(ways) for world, ways in found.items()}) for call, found in by_call.values()]


def every_way(documents: Documents, istio: str) -> Iterator[tuple[str, Way]]:
    """The ways of all callers of all mirrors, with their worlds."""
    delivery = Delivery(documents.clusters, by_name)
    for name, cluster in ((name, cluster) for name, cluster in documents.clusters.items() if not cluster.published):
        for judged in judge(documents.clusters, delivery, name, worlds_of(cluster.settings, istio)):
            for world, ways in judged.ways.items():
                yield from ((world, way) for way in ways)


def ingresses(documents: Documents) -> Iterator[str]:
    """A line for each cluster with gateways: where its ingress is reached, and what says so."""
    for name, mesh in Delivery(documents.clusters).meshes.items():
        said: dict[str, list[str]] = {}
        for address, service in mesh.ingress_addresses.items():
            place = service.node.place if service else None
            said.setdefault(f"{service.manifest}, {place.path}:{place.line}" if service and place else "settings", []).append(address)
        yield from (f"{name}: its ingress is {', '.join(addresses)} ({why})" for why, addresses in said.items())
        if mesh.gateways and not said:
            yield f"{name}: no address of its ingress is known"


def any_lost(found: Iterable[Trace]) -> bool:
    """Whether some shadow is lost at some end."""
    return any(end.outcome == LOST for trace in found for ways in trace.ways.values() for way in ways for end in way.ends)
