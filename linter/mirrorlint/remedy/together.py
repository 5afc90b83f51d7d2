"""What all edits of a run do together: findings whose edits get in each other's way, or in the way of other shadows, have no fix."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from mirrorlint.delivery import reason
from mirrorlint.delivery.age import by_name, by_name_backwards
from mirrorlint.delivery.alike import Followed
from mirrorlint.delivery.ending import gateway_destination, services_at
from mirrorlint.delivery.judged import Judged, judge
from mirrorlint.delivery.way import LOST, End, Way, reached
from mirrorlint.delivery.worlds import WORLDS
from mirrorlint.fleet import Cluster
from mirrorlint.istio.routing import MirrorKey
from mirrorlint.remedy.edited import edited
from mirrorlint.rule import Edit, Finding, Subject
from mirrorlint.source import Node

_Mended = Mapping[Edit, Collection[MirrorKey]]
_Pair = tuple[Way | None, Way | None]


def agreeing(findings: Sequence[Finding], mended: _Mended, subject: Subject) -> tuple[Finding, ...]:
    """The findings, with those of their fixes that are right when all are made at once; `mended` are the mirrors that an edit is for.

    Then no shadow that gets somewhere may end elsewhere, none may newly arrive at a service that isn't called like what is mirrored, and
    of a mended mirror all have to arrive. Whichever of two objects is older: manifests can't tell.
    """
    wanted = [finding for finding in findings if finding.fix]
    while wanted:
        hurtful = _hurtful(wanted, mended, subject)
        if not hurtful:
            break
        wanted = [finding for finding in wanted if finding not in hurtful]
    return tuple(finding if finding in wanted else finding._replace(fix=()) for finding in findings)


def _hurtful(wanted: Sequence[Finding], mended: _Mended, subject: Subject) -> Sequence[Finding]:
    """The findings to blame for what goes wrong if all edits are made: all that are for a shadow or on its way, else every one."""
    edits = [edit for finding in wanted for edit in finding.fix]
    clusters, objects = edited(subject.documents.clusters, edits)
    changed = {manifest.node for made in objects.values() for manifest in made}
    hurt = list(_hurt(subject, clusters, {key for edit in edits for key in mended.get(edit, ())}, changed))
    on_the_way = {node for way in hurt for node in _passed(way)}
    keys = {way.mirror.key for way in hurt}

    def is_hurtful(edit: Edit) -> bool:
        return not keys.isdisjoint(mended.get(edit, ())) or any(made.node in on_the_way for made in objects.get(edit, ()))

    return [finding for finding in wanted if any(map(is_hurtful, finding.fix))] or (wanted if hurt else ())


def _hurt(subject: Subject, clusters: Mapping[str, Cluster], mended: Collection[MirrorKey], changed: Collection[Node]) -> Iterator[Way]:
    """The ways, as they are and as they would be, of shadows with which changed clusters do what no edit may."""
    for age in (by_name, by_name_backwards):
        before, after = (subject.delivery.of(each, age) for each in (subject.documents.clusters, clusters))
        for name, _ in subject.own():
            own = [judged for judged in subject.judged if judged.cluster == name]
            left_out = {judged.mirror.key for judged in own if judged.mirror.why}
            rules = (rule for service in after.meshes[name].virtual_services for rule in service.rules)
            new = {mirror.key for rule in rules for mirror in rule.mirrors} - {judged.mirror.key for judged in own}
            again = judge(clusters, after, name, own[0].ways if own else WORLDS, {*mended, *left_out, *new})
            whole = {*mended, *(judged.mirror.key for judged in again if judged.mirror.key in left_out and not judged.mirror.why)}
            for was, now in _pairs([*own, *again], Followed(before, name), Followed(after, name)):
                if _is_hurt(was, now, whole, changed):
                    yield from filter(None, (was, now))


def _pairs(judged: Sequence[Judged], before: Followed, after: Followed) -> Iterator[_Pair]:
    """The way of each shadow of some mirrors' callers as it is, and as it would be; of callers whose shadows are sent alike of one."""
    calls = {(world, _sent(way)): way.call for each in judged for world, ways in each.ways.items() for way in ways}
    for (world, _), call in calls.items():
        was, now = ({way.mirror.key: way for way in followed.follow(call, world)} for followed in (before, after))
        yield from ((was.get(key), now.get(key)) for key in {**was, **now})


def _sent(way: Way) -> tuple[object, ...]:
    """What is sent by which rule to whom; who calls makes no difference to edits, since none changes who sees an object."""
    route, upstream, (_, path, method, headers, _) = way.route, way.upstream, way.request
    to = (upstream.service.node, upstream.rule and upstream.rule.host_node) if upstream else ()
    hosts = frozenset(way.shadow(end).host for end in way.ends)
    asked = (way.call.path, way.call.gateway, way.call.port, hosts, path, method, *sorted(headers.items()))
    return (way.mirror.key, route.rule.node, route.match and route.match.node, way.target, *to, *asked)


def _is_hurt(was: Way | None, now: Way | None, mended: Collection[MirrorKey], changed: Collection[Node]) -> bool:
    known = {_spot(end) for end in was.ends if end.outcome != LOST} if was else set()
    if now is None or not known <= {_spot(end) for end in now.ends}:
        return bool(known)
    spared = was is not None and all(end.outcome != LOST for end in was.ends)
    if (spared or now.mirror.key in mended) and any(end.outcome == LOST for end in now.ends):
        return True
    return not all(_is_meant(now, end, changed) for end in now.ends if end.reason == reason.ARRIVES and _spot(end) not in known)


def _spot(end: End) -> tuple[object, ...]:
    """Where a shadow gets."""
    if end.reason != reason.ARRIVES:
        return end.reason, end.cluster, end.address and (end.address.host, end.address.port)
    destinations = [backend.destination for backend in reached(end.route).rule.used]
    return end.cluster, frozenset((*gateway_destination(end, each), each.subset) for each in destinations)


def _is_meant(way: Way, end: End, changed: Collection[Node]) -> bool:
    """Whether a shadow arrives at a namesake of what is mirrored, if the target has one, and not where two changed objects claim it.

    The namesake is that of the same namespace, where there is one.
    """
    if len({service.manifest.node for service in reached(end.host).services} & set(changed)) > 1:
        return False
    meant = [backend.destination.host for backend in way.route.rule.used]
    found = [service.host for service in services_at(end)]
    for labels in (2, 1):
        names = {_beginning(host, labels) for host in meant}
        if any(_beginning(host, labels) in names for host in reached(end.scope).mesh.services_by_host):
            return any(_beginning(host, labels) in names for host in found)
    return True


def _beginning(host: str, labels: int) -> tuple[str, ...]:
    return tuple(host.split(".")[:labels])


def _passed(way: Way) -> Iterator[Node]:
    """The objects on a way."""
    yield from _passed(way.first) if way.first else ()
    yield from (way.mirror.owner.node, way.route.rule.owner.node, way.route.service.manifest.node)
    if way.upstream:
        yield way.upstream.service.manifest.node
    for end in way.ends:
        yield from (server.gateway.manifest.node for server in (end.chain.servers if end.chain else ()))
        yield from (service.manifest.node for service in (end.host.services if end.host else ()))
        if end.route:
            yield end.route.rule.owner.node
