"""Who calls: all callers that a mirror's route can have, and what becomes of each one's shadows."""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterable, Iterator, Mapping
from itertools import chain
from typing import NamedTuple

from mirrorlint.delivery import reason
from mirrorlint.delivery.age import eldest
from mirrorlint.delivery.alike import Followed
from mirrorlint.delivery.follow import Delivery
from mirrorlint.delivery.match import Route
from mirrorlint.delivery.mesh import Mesh
from mirrorlint.delivery.policy import allowed_by
from mirrorlint.delivery.samples import PLAIN, Asked, Sample, against, folded, hosts, meeting, sought, unasked
from mirrorlint.delivery.sidecar import host_forms
from mirrorlint.delivery.ties import ties
from mirrorlint.delivery.virtual_host import VirtualHost
from mirrorlint.delivery.way import Call, End, Way
from mirrorlint.delivery.worlds import SUFFIX
from mirrorlint.fleet import Cluster, Manifest
from mirrorlint.istio.admission import KINDS
from mirrorlint.istio.names import MESH, is_wild, overlaps, subset_of, without_port
from mirrorlint.istio.routing import Mirror, MirrorKey, Rule, VirtualService
from mirrorlint.istio.workloads import without_sidecars
from mirrorlint.kinds import OF_TEMPLATES
from mirrorlint.likeness import slip

_WORKLOADS = (*OF_TEMPLATES, ("", "Pod"), ("", "Service"))
_NEAR = 20  # so many of a virtual host's earlier blocks are avoided for one
_NO_CALLERS = ("istio-system", "flux-system", "argocd")  # what runs there calls no application; repositories show it by what installs it


class Entry(NamedTuple):
    """A place and a name under which requests reach a VirtualService."""

    namespace: str
    labels: tuple[tuple[str, str], ...]
    gateway: bool
    host: str
    port: int

    def call(self, cluster: str, sample: Sample) -> Call:
        """The call that sends a sample from here."""
        path, method, headers = sample
        return Call(cluster, self.namespace, self.host, self.port, path, method, dict(headers), dict(self.labels), self.gateway)


class Judged(NamedTuple):
    """A mirror with the ways of all its callers' shadows in each world; `rivals` are VirtualServices that may take its place.

    `service` and `rule` are the first that it is a part of, `others` the rest, as where several VirtualServices delegate to one.
    """

    cluster: str
    mirror: Mirror
    service: VirtualService
    rule: Rule
    ways: Mapping[str, tuple[Way, ...]]
    rivals: frozenset[Manifest] = frozenset()
    others: tuple[tuple[VirtualService, Rule], ...] = ()

    def every_way(self) -> Iterator[Way]:
        """The ways in all worlds."""
        return chain.from_iterable(self.ways.values())

    def for_each(self) -> Iterator[Judged]:
        """Itself for each VirtualService and rule that it is a part of."""
        return (self._replace(service=service, rule=rule) for service, rule in ((self.service, self.rule), *self.others))


def arrivals(judged: Iterable[Judged]) -> Iterator[tuple[Judged, Way, End]]:
    """Each end at which a shadow arrives; callers that see alike count once."""
    for each in judged:
        followed: dict[int, Way] = {}
        for way in each.every_way():
            followed.setdefault(id(way.ends), way)
        ends = ((way, end) for way in followed.values() for end in way.ends)
        yield from ((each, way, end) for way, end in ends if end.reason == reason.ARRIVES)


def judge(
    clusters: Mapping[str, Cluster], delivery: Delivery, cluster: str, worlds: Iterable[str], only: Container[MirrorKey] | None = None
) -> list[Judged]:
    """All mirrors of a cluster, in order of place. With `only`, just these mirrors' ways are followed.

    Where manifests can't tell which of two VirtualServices is older, a mirror is judged as if its own were.
    """
    worlds, followed = tuple(worlds), Followed(delivery, cluster)
    found: dict[MirrorKey, Judged] = {}
    rivals: dict[Manifest, set[Manifest]] = {}
    for one, other in ties(delivery.meshes[cluster]):
        rivals.setdefault(one.manifest, set()).add(other.manifest)
        rivals.setdefault(other.manifest, set()).add(one.manifest)
    for service in delivery.meshes[cluster].virtual_services:
        for rule in service.rules:
            for mirror in (*rule.mirrors, *rule.left_out):
                against_it, known = frozenset(rivals.get(service.manifest, ())), found.get(mirror.key)
                found[mirror.key] = (
                    known._replace(rivals=known.rivals | against_it, others=(*known.others, (service, rule)))
                    if known
                    else Judged(cluster, mirror, service, rule, dict.fromkeys(worlds, ()), against_it)
                )
        if any(only is None or mirror.key in only for rule in service.rules for mirror in rule.mirrors):
            asked = Followed(delivery.of(clusters, eldest(service.manifest)), cluster) if service.manifest in rivals else followed
            for world, ways in _ways(asked, service, worlds).items():
                _sort_in(found, world, ways)
    return sorted(found.values(), key=lambda judged: (judged.mirror.node.place, str(judged.mirror.owner)))


def _sort_in(found: dict[MirrorKey, Judged], world: str, ways: Iterable[Way]) -> None:
    by_mirror: dict[MirrorKey, list[Way]] = {}
    for way in ways:
        by_mirror.setdefault(way.mirror.key, []).append(way)
    for key, more in by_mirror.items():
        judged = found[key]
        found[key] = judged._replace(ways={**judged.ways, world: (*judged.ways[world], *more)})


def _ways(followed: Followed, service: VirtualService, worlds: tuple[str, ...]) -> dict[str, list[Way]]:
    """The ways of everything that is sent to a VirtualService; what its rules and the target's ask for is tried as well."""
    samples = dict.fromkeys([PLAIN, *_samples(service)])
    ways: dict[str, list[Way]] = {world: [] for world in worlds}
    asked = AskedAtTarget()
    for entry in dict.fromkeys(_entries(followed.delivery, followed.mesh, service)):
        queue, tried = deque(samples), set()
        while queue:
            sample = queue.popleft()
            if sample in tried:
                continue
            tried.add(sample)
            call = entry.call(followed.mesh.cluster.name, sample)
            for world in worlds:
                own = [way for way in followed.follow(call, world) if way.route.service.manifest is service.manifest]
                ways[world] += own
                if sample in samples:
                    queue += [more for way in own for more in asked.samples(way, sample, world)]
    return ways


def _samples(service: VirtualService) -> Iterator[Sample]:
    """Requests for the rules with mirrors, as far as possible such that no earlier rule takes them."""
    earlier: list[Asked] = []
    for rule in service.rules:
        if rule.mirrors:
            yield from (sample for match in rule.matches for sample in (meeting(match), folded(match), against(match)))
            yield from (sought(block, earlier) for block in ([[Asked(match)] for match in rule.matches] or [[]]))
        earlier += map(Asked, rule.matches)


def takers(delivery: Delivery, judged: Judged, entries: Iterable[Entry] | None = None) -> Iterator[tuple[Call, Route | None]]:
    """Calls that ask for what a mirror's rule is for, under every name of its VirtualService, each with the route that takes it."""
    samples = [meeting(match) for match in judged.rule.matches] or [PLAIN]
    for entry in dict.fromkeys(entries or _entries(delivery, delivery.meshes[judged.cluster], judged.service)):
        for call in (entry.call(judged.cluster, sample) for sample in samples):
            taken = delivery.taken(call)
            yield call, taken.route if taken else None


def rivals_at_gateways(delivery: Delivery, judged: Judged) -> Iterator[VirtualService]:
    """The VirtualServices of the same age whose rules, at a gateway, are for what a mirror's rule asks for as well, and lack the mirror."""
    own = judged.service
    for entry in dict.fromkeys(_gateway_entries(delivery, delivery.meshes[judged.cluster], own)):
        for sample in [meeting(match) for match in judged.rule.matches] or [PLAIN]:
            taken = delivery.taken(entry.call(judged.cluster, sample))
            fitting = [route for route in taken.called.routes if route.accepts(taken.request)] if taken else []
            mirrored = [route.catch_all for route in fitting if route.service is own and route.rule.node == judged.rule.node]
            lacking = (route for route in fitting if judged.mirror.key not in {mirror.key for mirror in route.rule.mirrors})
            others = (route.service for route in lacking if route.catch_all in mirrored and not route.service.gateway_semantics)
            yield from (o for o in others if o.manifest.identity != own.manifest.identity and o.manifest.created == own.manifest.created)


class AskedAtTarget:
    """Requests for the conditions of the virtual hosts at which samples end, and some that meet none; once for each of both in a world.

    They are for the calling proxy's route as well, and for no earlier one at either end, as far as such can be made up. Where a policy
    denied the sample those that policies allow are tried, too.
    """

    def __init__(self) -> None:
        """Nothing is asked for yet."""
        self._asked: set[tuple[str, object]] = set()
        self._made: dict[object, tuple[Sample, ...]] = {}

    def samples(self, way: Way, sample: Sample, world: str) -> Iterator[Sample]:
        """The requests for where a way ends that a sample took."""
        for end in way.met:
            key = (way.route, end.cluster, end.host.domain if end.host else "", end.chain, end.reason == reason.DENIED, sample)
            if end.host is not None and (world, key) not in self._asked:
                self._asked.add((world, key))
                if key not in self._made:
                    self._made[key] = tuple(_tried(way.route, end, end.host, sample))
                yield from self._made[key]


def _tried(route: Route, end: End, host: VirtualHost, sample: Sample) -> Iterable[Sample]:
    allowed = allowed_by(end.scope, sample) if end.scope and end.reason == reason.DENIED else ()
    found = (*_asked(route, host, sample), *allowed)
    return dict.fromkeys((*found, *unasked(sample))) if found or end.reason == reason.DENIED else ()


def _asked(route: Route, host: VirtualHost, sample: Sample) -> Iterator[Sample]:
    """Requests for each block of a virtual host, and one for none of them; nothing where it has no conditions."""
    blocks = [Asked(each.match, route) for each in host.routes if each.match is not None and not each.catch_all]
    if not blocks:
        return
    own = [Asked(route.match)] if route.match else []
    before = [Asked(match) for rule in route.service.before(route.rule) for match in rule.matches]
    for place, block in enumerate(blocks):
        yield sought([*own, block], [*before, *blocks[max(place - _NEAR, 0) : place]], sample)
        yield against(block.conditions, sample)
    yield sought(own, [*before, *blocks], sample)


def _entries(delivery: Delivery, mesh: Mesh, service: VirtualService) -> Iterator[Entry]:
    if MESH in service.gateways:
        called = list(_called(delivery, mesh, service))
        for namespace in _namespaces(mesh, service):
            for labels in _label_sets(mesh, namespace, service):
                yield from _sidecar_entries(called, mesh.domain, namespace, labels)
    yield from _gateway_entries(delivery, mesh, service)


def _namespaces(mesh: Mesh, service: VirtualService) -> list[str]:
    """The namespaces that callers may live in: those that show themselves by an object, and those that are named as if they were there.

    Where some have sidecars and others don't, only those that do.
    """
    shown = shown_namespaces(mesh)
    named = {match.source_namespace for rule in service.rules for match in rule.matches if match.source_namespace}
    named |= service.export_to - {"*", ".", "~"}
    shown |= {name for name in named if not slip(name, shown)}
    working = {m.namespace for group, kind in _WORKLOADS for m in mesh.cluster.of(kind, group)}
    silent = {*_NO_CALLERS, *({mesh.root_namespace} - working)}
    found = sorted(name for name in shown - silent if not name.startswith("kube-"))
    return [name for name in found if name not in mesh.sidecarless and mesh.discovery.includes(name)] or found


def shown_namespaces(mesh: Mesh) -> set[str]:
    """The namespaces of workloads and of objects of the mesh, and those that there are objects for."""
    found = {m.namespace for group, kind in (*_WORKLOADS, *KINDS) for m in mesh.cluster.of(kind, group)}
    return found | {m.name for m in mesh.cluster.of("Namespace", "")}


def unmirrored(delivery: Delivery, judged: Judged) -> Iterator[Manifest]:
    """The Namespaces whose pods call what a mirror's rule is for, and get no sidecar that would mirror it."""
    mesh = delivery.meshes[judged.cluster]
    found = [m for m in without_sidecars(mesh.cluster, certain=False) if m.name not in _NO_CALLERS and not m.name.startswith("kube-")]
    for namespace in found if MESH in judged.service.gateways else ():
        calls = takers(delivery, judged, _sidecar_entries(list(_called(delivery, mesh, judged.service)), mesh.domain, namespace.name, ()))
        if any(route and route.rule.node == judged.rule.node for _, route in calls):
            yield namespace


def _label_sets(mesh: Mesh, namespace: str, service: VirtualService) -> Iterator[tuple[tuple[str, str], ...]]:
    """Labels of calling pods that make a difference: none, what rules ask for, what Sidecars and DestinationRules select."""
    wanted = [match.source_labels for rule in service.rules for match in rule.matches]
    wanted += [sidecar.selector for sidecar in mesh.sidecars if sidecar.selective and sidecar.manifest.namespace == namespace]
    wanted += [rule.selector for rule in mesh.destination_rules if rule.selective and rule.namespace == namespace]
    yield from dict.fromkeys([(), *(tuple(sorted(labels.items())) for labels in wanted)])


def _sidecar_entries(
    called: Iterable[tuple[str, int]], domain: str, namespace: str, labels: tuple[tuple[str, str], ...]
) -> Iterator[Entry]:
    """The forms of names with ports under which pods of a namespace call; each form with its port, too, unless that is 80."""
    for name, port in called:
        for form in host_forms(name, namespace, domain):
            if not form.endswith("."):
                yield Entry(namespace, labels, False, form, port)
                if port != 80:
                    yield Entry(namespace, labels, False, f"{form}:{port}", port)


def _called(delivery: Delivery, mesh: Mesh, service: VirtualService) -> Iterator[tuple[str, int]]:
    """The names and ports of what a VirtualService is for."""
    for host in service.hosts:
        name = host.name.lower()
        owners = [s for s in mesh.services if overlaps(name, s.host.lower())] if is_wild(name) else mesh.services_by_name.get(name, [])
        targets = [(s.host.lower(), p.number) for s in owners for p in s.ports if p.routes_http]
        for target, port in dict.fromkeys(targets) if owners else [(name, 80)]:
            yield from ((concrete, port) for concrete in _concrete(delivery, mesh, service, target))


def _gateway_entries(delivery: Delivery, mesh: Mesh, service: VirtualService) -> Iterator[Entry]:
    """The hosts and ports under which the gateways that the VirtualService is bound to serve it."""
    for scope in delivery.ingress(mesh.cluster.name):
        labels = tuple(sorted(scope.labels.items()))
        for _, port, server in sorted(one for name in set(service.gateways) for one in scope.http_servers.get(name, ())):
            said = scope.front.said_ports(port)
            for host in server.shared(service):
                for concrete in _concrete(delivery, mesh, service, host.lower()):
                    for form in (concrete, *(f"{concrete}:{number}" for number in said)):
                        yield Entry(scope.namespace, labels, True, form, port)


def _concrete(delivery: Delivery, mesh: Mesh, service: VirtualService, host: str) -> list[str]:
    """Names that a host stands for: itself or, for a wildcard, one made up; and those that rules ask for, for a wildcard elsewhere, too."""
    asked = set(_asked_hosts(service, host))
    if is_wild(host):
        theirs = (name for each in delivery.meshes.values() if each is not mesh for name in _served(each, host))
        asked |= {name.removesuffix(SUFFIX) for name in theirs if host[1:] in name}
    name, asked = _made_up(host), {*map(_made_up, asked)}
    return [name, *sorted(each for each in asked - {name} if subset_of(without_port(each).lower(), host))]


def _made_up(host: str) -> str:
    """A name that a wildcard stands for; any other host as it is."""
    return host if not is_wild(host) else f"any{host[1:]}" if len(host) > 1 else "any.example"


def _served(mesh: Mesh, host: str) -> Iterator[str]:
    """The hosts that a cluster's gateways may take: of servers and VirtualServices, and what rules and policies ask for."""
    yield from (name.lower() for name in mesh.server_hosts)
    for service in mesh.virtual_services:
        yield from (each.name.lower() for each in service.hosts)
        yield from _asked_hosts(service, host)
    operations = (to["operation"] for policy in mesh.authorization_policies for rule in policy.node["spec"]["rules"] for to in rule["to"])
    yield from (name.lower() for operation in operations for name in operation["hosts"].texts if not name.endswith("*") or name == "*")


def _asked_hosts(service: VirtualService, host: str) -> Iterator[str]:
    return (name for rule in service.rules for match in rule.matches for name in hosts(match, host))
