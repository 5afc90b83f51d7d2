"""The calls that `trace` and `graph` follow: one that is asked for, or every caller of every mirror; objects are ordered as by `check`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mirrorlint.delivery.addresses import targets
from mirrorlint.delivery.age import by_name
from mirrorlint.delivery.follow import Delivery
from mirrorlint.delivery.judged import judge
from mirrorlint.delivery.mesh import Mesh
from mirrorlint.delivery.sidecar import SidecarScope
from mirrorlint.delivery.virtual_host import VirtualHost
from mirrorlint.delivery.way import LOST, Call, Way
from mirrorlint.fleet import Documents
from mirrorlint.istio.names import known_as, without_port
from mirrorlint.istio.services import Service
from mirrorlint.likeness import suggestion
from mirrorlint.report.trace import Trace


def traces(documents: Documents, options: Mapping[str, Any]) -> list[Trace]:
    """The traces that the command's options ask for; ValueError for what is none of the fleet's."""
    if not options["host"]:
        return _every(documents, options["istio"])
    delivery = Delivery(documents.clusters, by_name, istio=options["istio"])
    cluster, _, namespace = options["source"].rpartition("/")
    if cluster and cluster not in documents.clusters:
        raise ValueError(f"`{cluster}` is no cluster here: {', '.join(documents.clusters)}")
    found = [_one(delivery, name, namespace, options) for name in ([cluster] if cluster else documents.clusters)]
    mirrored = [trace for trace in found if any(trace.ways.values())]
    return mirrored or [_unmirrored(delivery, found)]


def _one(delivery: Delivery, cluster: str, namespace: str, options: Mapping[str, Any]) -> Trace:
    """The trace of the call that is asked for; of one that enters at a gateway, at the pods and the port where it is mirrored, if any."""
    worlds = delivery.meshes[cluster].worlds
    calls = list(_calls(delivery, cluster, namespace, options))
    found = (Trace(call, {world: delivery.follow(call, world) for world in worlds}) for call in calls)
    return next((trace for trace in found if any(trace.ways.values())), Trace(calls[0], {}))


def _unmirrored(delivery: Delivery, found: Iterable[Trace]) -> Trace:
    """The trace of the call that was probably meant, of some that mirror nothing, with why that one does not."""

    def nearness(trace: Trace) -> tuple[bool, ...]:
        call, ports = trace.call, _ports(delivery, trace.call)
        called = (_called(delivery, call, port) for port in ports)
        mirrors = any(route.rule.mirrors for host in called if host for route in host.routes)
        return mirrors, delivery.taken(call) is not None, bool(ports)

    trace = max(found, key=nearness)
    return trace._replace(why=_why(delivery, trace.call))


def _why(delivery: Delivery, call: Call) -> str:
    """Why a call mirrors nothing."""
    taken, ports = delivery.taken(call), _ports(delivery, call)
    if taken:
        rule = taken.route.rule
        said = "answers it itself" if rule.mirrors else "has no mirror"
        return f"the rule that takes it, {rule.node.place.path}:{rule.node.place.line}, {said}"
    if call.gateway:
        return f"no rule at {call.cluster}'s ingress gateway takes it"
    if not ports:
        return f"{call.cluster} has no host of this name for a caller in {call.namespace}{_meant(delivery, call)}"
    if call.port not in ports:
        return f"this host has no port {call.port}, but {', '.join(map(str, ports))}"
    return f"no rule with a mirror in {call.cluster} takes it"


def _ports(delivery: Delivery, call: Call) -> list[int]:
    """The ports of the host that a pod calls."""
    scope = delivery.scope(call)
    return scope.ports_of(call.host) if isinstance(scope, SidecarScope) else []


def _called(delivery: Delivery, call: Call, port: int) -> VirtualHost | None:
    """The virtual host that a pod would call at a port."""
    scope = delivery.scope(call)
    table = scope.table(port) if isinstance(scope, SidecarScope) else None
    return table.pick(call.host) if table else None


def _meant(delivery: Delivery, call: Call) -> str:
    """The host that was probably meant, as a question: one that begins like the called one, else nearly that; "" for none."""
    mesh, name = delivery.meshes[call.cluster], without_port(call.host).lower()
    hosts = [host.removesuffix(f".svc.{mesh.domain}") for host in mesh.services_by_host]
    near = next((host for host in hosts if host.partition(".")[0] == name.partition(".")[0]), "")
    return f" (did you mean `{near}`?)" if near else suggestion(name, hosts)


def _calls(delivery: Delivery, cluster: str, namespace: str, options: Mapping[str, Any]) -> Iterator[Call]:
    host, port, path, method, headers = (options[name] for name in ("host", "port", "path", "method", "headers"))
    call = Call(cluster, namespace or "default", host, port, path, method, headers)
    if not options["gateway"]:
        yield call
        return
    pods = [pod for pod in delivery.ingress(cluster) if namespace in ("", pod.namespace)]
    if not pods:
        raise ValueError(f"no ingress gateway of {cluster} is in the namespace `{namespace}`")
    for pod in pods:
        for port in dict.fromkeys((call.port, *pod.front.container_ports(call.port))):
            yield call._replace(namespace=pod.namespace, labels=pod.labels, port=port, gateway=True)


def _every(documents: Documents, istio: str) -> list[Trace]:
    """A trace for each manner in which shadows go, with the first call for which they do."""
    by_call: dict[tuple[object, ...], tuple[Call, dict[str, list[Way]]]] = {}
    for world, way in every_way(documents, istio):
        call = way.call
        key = (*call[:6], tuple(sorted(call.headers.items())), tuple(sorted(call.labels.items())), call.gateway)
        by_call.setdefault(key, (call, {}))[1].setdefault(world, []).append(way)
    traces = (Trace(call, {world: tuple(ways) for world, ways in found.items()}) for call, found in by_call.values())
    alike: dict[object, list[Trace]] = {}
    for trace in traces:
        alike.setdefault(tuple((world, tuple(map(_manner, ways))) for world, ways in trace.ways.items()), []).append(trace)
    return [first._replace(others=[trace.call for trace in others]) for first, *others in alike.values()]


def _manner(way: Way) -> tuple[object, ...]:
    """What is decided of a shadow on its way, whoever calls."""
    route, ends = way.route, ((end.reason, end.address, id(end.chain), id(end.host), id(end.route)) for end in way.ends)
    return (way.mirror.key, route.rule.node, route.match and route.match.node, *ends)


def every_way(documents: Documents, istio: str) -> Iterator[tuple[str, Way]]:
    """The ways of all callers of all mirrors, with their worlds."""
    delivery = Delivery(documents.clusters, by_name, istio=istio)
    for name in documents.own():
        for judged in judge(documents.clusters, delivery, name, delivery.meshes[name].worlds):
            for world, ways in judged.ways.items():
                yield from ((world, way) for way in ways)


def distinct_ways(documents: Documents, istio: str) -> list[tuple[str, Way]]:
    """One way for each manner in which shadows of a called host go, with its world."""
    return list(
        {(world, way.called.node, way.called.domain, _manner(way)): (world, way) for world, way in every_way(documents, istio)}.values()
    )


def ingresses(documents: Documents) -> Iterator[str]:
    """A line for each cluster with gateways: where its ingress is reached, and what says so."""
    for name, mesh in Delivery(documents.clusters).meshes.items():
        said: dict[str, list[str]] = {}
        for address, service in mesh.entrances.addresses.items():
            said.setdefault(_says(address, service, mesh), []).append(address)
        yield from (f"{name}: its ingress is {', '.join(addresses)} ({why})" for why, addresses in said.items())
        if mesh.gateways and not said:
            yield f"{name}: no address of its ingress is known"


def _says(address: str, service: Service | None, mesh: Mesh) -> str:
    """What says that an ingress has an address: the Service in front of it, else settings, else a Gateway's note for external-dns."""
    if service is None and mesh.cluster.settings.ingress.addresses:
        return "settings"
    noting = (g.manifest for g in mesh.meant_gateways if address in map(known_as, targets(g.manifest)))
    manifest = service.manifest if service else next(noting)
    place = service.node.place if service else manifest.node["metadata"]["annotations"].place
    return f"{manifest}, {place.path}:{place.line}"


def any_lost(found: Iterable[Trace]) -> bool:
    """Whether some shadow is lost at some end."""
    return any(end.outcome == LOST for trace in found for ways in trace.ways.values() for way in ways for end in way.ends)
