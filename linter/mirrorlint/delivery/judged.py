"""What becomes of mirrors: for each the ways of all its callers' shadows."""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterable, Iterator, Mapping
from itertools import chain
from typing import NamedTuple

from mirrorlint.delivery import reason
from mirrorlint.delivery.age import eldest
from mirrorlint.delivery.alike import Followed
from mirrorlint.delivery.callers import Caller, callers, gateway_callers, is_system, sidecar_callers
from mirrorlint.delivery.follow import Delivery
from mirrorlint.delivery.match import Route
from mirrorlint.delivery.mesh import Mesh
from mirrorlint.delivery.policy import allowed_by
from mirrorlint.delivery.samples import PLAIN, Asked, Sample, against, folded, meeting, sought, unasked
from mirrorlint.delivery.ties import ties
from mirrorlint.delivery.virtual_host import VirtualHost
from mirrorlint.delivery.way import Call, End, Way
from mirrorlint.fleet import Cluster, Manifest
from mirrorlint.istio.names import MESH
from mirrorlint.istio.routing import Mirror, MirrorKey, Rule, VirtualService
from mirrorlint.istio.workloads import without_sidecars

_NEAR = 20  # so many of a virtual host's earlier blocks are avoided for one


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
    rivals = _rivals(delivery.meshes[cluster])
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


def _rivals(mesh: Mesh) -> Mapping[Manifest, set[Manifest]]:
    """For each VirtualService of which manifests don't tell whether another one is older those others."""
    found: dict[Manifest, set[Manifest]] = {}
    for one, other in ties(mesh):
        found.setdefault(one.manifest, set()).add(other.manifest)
        found.setdefault(other.manifest, set()).add(one.manifest)
    return found


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
    for caller in dict.fromkeys(callers(followed.delivery, followed.mesh, service)):
        queue, tried = deque(samples), set()
        while queue:
            sample = queue.popleft()
            if sample in tried:
                continue
            tried.add(sample)
            call = caller.call(followed.mesh.cluster.name, sample)
            for world in worlds:
                own = [way for way in followed.follow(call, world) if _is_of(way, service)]
                ways[world] += own
                if sample in samples:
                    queue += [more for way in own for more in asked.samples(way, sample, world)]
    return ways


def _is_of(way: Way, service: VirtualService) -> bool:
    """Whether a way is that of a VirtualService; as the eldest, one that is made of routes may lead the rules of other routes."""
    own = way.route.service.manifest is service.manifest
    return own and not (service.gateway_semantics and all(way.mirror.key != m.key for rule in service.rules for m in rule.mirrors))


def _samples(service: VirtualService) -> Iterator[Sample]:
    """Requests for the rules with mirrors, as far as possible such that no earlier rule takes them."""
    earlier: list[Asked] = []
    for rule in service.rules:
        if rule.mirrors:
            yield from (sample for match in rule.matches for sample in (meeting(match), folded(match), against(match)))
            yield from (sought(block, earlier) for block in ([[Asked(match)] for match in rule.matches] or [[]]))
        earlier += map(Asked, rule.matches)


def takers(delivery: Delivery, judged: Judged) -> Iterator[tuple[Call, Route | None]]:
    """Calls that ask for what a mirror's rule is for, under every name of its VirtualService, each with the route that takes it."""
    for call in _asking(judged, callers(delivery, delivery.meshes[judged.cluster], judged.service)):
        taken = delivery.taken(call)
        yield call, taken.route if taken else None


def _asking(judged: Judged, asking: Iterable[Caller]) -> Iterator[Call]:
    """The calls of some callers that ask for what a mirror's rule is for."""
    samples = [meeting(match) for match in judged.rule.matches] or [PLAIN]
    return (caller.call(judged.cluster, sample) for caller in dict.fromkeys(asking) for sample in samples)


def rivals_at_gateways(delivery: Delivery, judged: Judged) -> Iterator[VirtualService]:
    """The VirtualServices of the same age whose rules, at a gateway, are for what a mirror's rule asks for as well, and lack the mirror."""
    own = judged.service
    for call in _asking(judged, gateway_callers(delivery, delivery.meshes[judged.cluster], own)):
        taken = delivery.taken(call)
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


def unmirrored(delivery: Delivery, judged: Judged) -> Iterator[Manifest]:
    """The Namespaces whose pods call what a mirror's rule is for, and get no sidecar that would mirror it."""
    mesh = delivery.meshes[judged.cluster]
    found = [namespace for namespace in without_sidecars(mesh.cluster, certain=False) if not is_system(namespace.name)]
    for namespace in found if MESH in judged.service.gateways else ():
        calls = _asking(judged, sidecar_callers(delivery, mesh, judged.service, namespace.name))
        if any(taken and taken.route.rule.node == judged.rule.node for taken in map(delivery.taken, calls)):
            yield namespace
