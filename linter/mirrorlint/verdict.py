"""What is said of a mirror: one finding for all that its callers lose, the loss that hits most of them first."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from mirrorlint import remedy
from mirrorlint.book import by_reason, rule_book
from mirrorlint.causes import Causes
from mirrorlint.delivery import reason
from mirrorlint.delivery.age import by_name_backwards
from mirrorlint.delivery.ending import named
from mirrorlint.delivery.follow import Delivery
from mirrorlint.delivery.judged import Judged, judge
from mirrorlint.delivery.way import LOST, SOME, End, Way
from mirrorlint.delivery.worlds import WORLD_WORDS, world_of
from mirrorlint.fleet import ANYTHING, GATEWAYS, Documents
from mirrorlint.istio.names import without_port
from mirrorlint.istio.routing import MirrorKey
from mirrorlint.level import ERROR, WARNING
from mirrorlint.rule import (
    ALL_ARRIVE,
    NONE_ARRIVE,
    SOME_ARRIVE,
    UNKNOWN_FATE,
    Edit,
    Finding,
    Flaw,
    Loss,
    MirrorFate,
    Note,
    Remark,
    Subject,
    cause_of,
    few,
)
from mirrorlint.unreached import is_uncertain

_ABSENT_IN_SOURCE = frozenset({reason.UNKNOWN_PRIMARY, reason.UNKNOWN_TARGET, reason.NO_ENDPOINT})
_ABSENT_IN_TARGET = frozenset({reason.NO_LISTENER, reason.NO_FILTER_CHAIN, reason.NO_VIRTUAL_HOST, reason.UNKNOWN_DESTINATION})


def finding_of(rule: str, level: str, flaw: Flaw, worlds: Sequence[str], more: Iterable[Note] = ()) -> Finding:
    """A rule's flaw as it is reported."""
    notes = tuple(dict.fromkeys((*map(_note, flaw.remarks), *more)))
    cause = flaw.cause or cause_of(rule, flaw.place)
    likewise = _note(flaw.likewise) if flaw.likewise else None
    return Finding(flaw.place, rule, level, flaw.message, flaw.cluster, flaw.object, tuple(worlds), notes, cause, likewise, flaw.fix)


def _note(remark: Remark) -> Note:
    return Note(remark.message, remark.cluster, remark.node.place)


class _Group(NamedTuple):
    """Losses of one mirror that a rule says the same of."""

    rule: str
    flaw: Flaw
    losses: list[Loss]


def _lost(way: Way) -> bool:
    return all(end.outcome == LOST and not end.partial for end in way.ends)


def _dead(judged: Judged) -> list[str]:
    """The worlds in which no caller's shadow arrives."""
    return [world for world, ways in judged.ways.items() if ways and all(_lost(way) for way in ways)]


def spared_by_age(judged: Sequence[Judged], documents: Documents, delivery: Delivery) -> set[MirrorKey]:
    """The mirrors that are lost only if of two objects that claim the same the one is older: manifests can't tell."""
    dead = [mirror for mirror in judged if _dead(mirror)]
    found = {mirror.mirror.key for mirror in dead if _arrives_for_rival(mirror, judged)}
    backwards = delivery.of(documents.clusters, by_name_backwards)
    for cluster in dict.fromkeys(mirror.cluster for mirror in dead):
        worlds = tuple(next(mirror for mirror in dead if mirror.cluster == cluster).ways)
        own = {mirror.mirror.key for mirror in dead if mirror.cluster == cluster}
        again = judge(documents.clusters, backwards, cluster, worlds, own)
        found |= {mirror.mirror.key for mirror in again if mirror.mirror.key in own and not _dead(mirror)}
    return found


def _arrives_for_rival(lost: Judged, judged: Iterable[Judged]) -> bool:
    """Whether a shadow of an object arrives that may be older than the mirror's own."""
    rivals = (other for other in judged if other.service.manifest in lost.rivals)
    return any(not _lost(way) for rival in rivals for way in rival.every_way())


def mirror_findings(judged: Judged, subject: Subject, causes: Causes, spared: bool) -> Iterator[Finding]:
    """One error where a world has no caller whose shadow arrives, else one warning where some are lost; the loss that hits most speaks.

    `spared` says that the loss depends on which of two objects is older. Where the request's own destination may be there, but not at hand,
    what becomes of the shadow then is told as well, unless it lacks another Service.
    """
    dead, delivery = _dead(judged), subject.delivery
    hurt = dead or [world for world, ways in judged.ways.items() if any(_losses(judged, world, way, delivery) for way in ways)]
    groups = _groups(judged, hurt, delivery)
    if not groups:
        return
    first, *others = groups
    doubt = _doubt(first.losses[0], subject.documents, spared)
    share = _likewise(first) if dead else _share(first, judged)
    message = first.flaw.message + share + _only_in(hurt, judged, subject.documents) + doubt
    behind = causes.behind(first.losses[0])
    flaw = first.flaw._replace(message=message, cause=_cause(first, judged), fix=() if doubt or behind else _fix(first))
    elsewhere = [world for world in judged.ways if world not in hurt]
    notes = (*(_too(group, judged) for group in others), *_in_others(elsewhere, judged, delivery), *_assumed(first, judged))
    finding = finding_of(first.rule, ERROR if dead and not doubt else WARNING, flaw, hurt, notes)
    yield finding._replace(cause=behind, likewise=_so_lost(judged)) if behind else finding
    if doubt and first.losses[0].end.reason == reason.UNKNOWN_PRIMARY:
        past = {world: tuple(map(delivery.past, ways)) for world, ways in judged.ways.items()}
        if not any(_lacks_service(way) for ways in past.values() for way in ways):
            yield from mirror_findings(judged._replace(ways=past), subject, causes, spared)


def _cause(group: _Group, judged: Judged) -> str:
    """What another mirror's loss must have in common; at the target the object as well, since a line of a template makes several."""
    flaw = group.flaw
    return flaw.cause if flaw.cluster == judged.cluster else f"{flaw.cause or cause_of(group.rule, flaw.place)} {flaw.object}"


def _lacks_service(way: Way) -> bool:
    """Whether a shadow is lost for want of a Service, which may be where the one that its request is for is."""
    own = way.target[0].endswith(f".svc.{way.scope.mesh.domain}")
    return way.reason == reason.UNKNOWN_DESTINATION or (way.reason == reason.UNKNOWN_TARGET and own)


def _doubt(loss: Loss, documents: Documents, spared: bool) -> str:
    """What may let the shadow arrive after all: what is missing, as it may not be at hand, or an object's age."""
    where, what = _absent(loss)
    holding = (ANYTHING,) if loss.end.scope is None else (ANYTHING, GATEWAYS)
    doubt = doubt_about(where, documents, holding, what) if where else ""
    return doubt + (" (unless an object that claims the same is older, which the manifests don't tell)" if spared else "")


def _absent(loss: Loss) -> tuple[str, str]:
    """The cluster in which something that is missing costs the shadow, and what messages call that; "" where what is there does."""
    end, upstream = loss.end, loss.way.upstream
    untouched = end.reason == reason.TLS_MISMATCH and not end.alike and upstream is not None and upstream.rule is None
    unallowed = end.policy is not None and end.reason == reason.DENIED and end.policy.lacks_allow
    if untouched or end.reason in _ABSENT_IN_SOURCE:
        return loss.source, "a DestinationRule for it" if untouched else "it"
    missing = unallowed or end.reason in _ABSENT_IN_TARGET
    return end.cluster if missing else "", "a policy that allows it" if unallowed else "it"


def _too(group: _Group, judged: Judged, where: str = "") -> Note:
    return Note(f"{group.flaw.message}{_share(group, judged)}{where}", group.flaw.cluster, group.flaw.place)


def _in_others(worlds: Iterable[str], judged: Judged, delivery: Delivery) -> Iterator[Note]:
    """What some callers lose in worlds of which the finding is not."""
    yield from (_too(group, judged, f"; with {WORLD_WORDS[world]}") for world in worlds for group in _groups(judged, [world], delivery))


def _fix(group: _Group) -> tuple[Edit, ...]:
    """The edits with which all shadows of a mirror arrive; none where a file is another cluster's as well, which they would change, too."""
    module, loss = rule_book()[group.rule], group.losses[0]
    edits: tuple[Edit, ...] = module.fix(loss) if hasattr(module, "fix") else ()
    return edits if remedy.of_one_cluster(edits, loss.delivery) else ()


def _losses(judged: Judged, world: str, way: Way, delivery: Delivery) -> list[Loss]:
    """The ends at which a way's shadow is lost, or the one that leads elsewhere while others arrive."""
    lost = [end for end in way.ends if end.outcome == LOST]
    if not lost and way.outcome == SOME:
        lost = [end for end in way.ends if end.outcome != way.ends[0].outcome][:1]
    return [Loss(judged, world, way, end, delivery) for end in lost]


def _groups(judged: Judged, worlds: Iterable[str], delivery: Delivery) -> list[_Group]:
    """The losses in some worlds by what a rule says of them, the most frequent first."""
    said: dict[tuple[object, ...], _Group] = {}
    alike: dict[tuple[object, ...], tuple[str, Flaw]] = {}
    for loss in (loss for world in worlds for way in judged.ways[world] for loss in _losses(judged, world, way, delivery)):
        key = _fate_key(loss)
        if key not in alike:
            rule = by_reason()[loss.end.reason if loss.end.outcome == LOST else reason.MIXED]
            alike[key] = rule, rule_book()[rule].check(loss)
        rule, flaw = alike[key]
        said.setdefault((rule, flaw.place), _Group(rule, flaw, [])).losses.append(loss)
    return sorted(said.values(), key=lambda group: (-len(group.losses), group.flaw.place))


def _fate_key(loss: Loss) -> tuple[object, ...]:
    """What a rule looks at: losses that are alike in it are put into words once."""
    way, end = loss.way, loss.end
    host = without_port(loss.shadow.host) if end.reason in (reason.NO_VIRTUAL_HOST, reason.NO_FILTER_CHAIN) else ""
    return (
        end.reason,
        end.outcome,
        host,
        way.target,
        id(way.scope),
        end.address,
        id(end.scope),
        id(end.chain),
        id(end.host),
        id(end.route),
        end.policy and end.policy.node,
    )


def _share(group: _Group, judged: Judged) -> str:
    """Who is hit, where not all are: by endpoint, namespace or Host when that tells them from the rest, else by request."""
    if group.losses[0].end.outcome != LOST or group.losses[0].end.partial:
        return ""
    ways = list(judged.every_way())
    lost = [loss.way for loss in group.losses]
    hit = {id(way) for way in lost}
    rest = [way for way in ways if not _lost(way)] or [way for way in ways if id(way) not in hit]
    if not rest:
        return ""
    dialled = {end.address[:2] for way in ways for end in way.ends if end.address}
    closed = dict.fromkeys(loss.end.address[:2] for loss in group.losses if loss.end.address)
    if len(closed) < len(dialled) and all(id(way) in hit for way in rest):
        return f" (lost at {len(closed)} of {len(dialled)} endpoints: {_listed(list(map(named, closed)))})"
    namespaces = sorted({way.call.namespace for way in lost})
    if all(namespaces) and not {way.call.namespace for way in rest} & set(namespaces):
        return f" (lost for callers in {_listed(namespaces)})"
    hosts = list(dict.fromkeys(loss.shadow.host for loss in group.losses))
    ends = {id(loss.end) for loss in group.losses}
    if not {way.shadow(end).host for way in rest for end in way.ends if id(end) not in ends} & set(hosts):
        every = {way.shadow(end).host for way in ways for end in way.ends}
        return f" (lost for {len(hosts)} of {len(every)} Hosts: {_listed(hosts)})"
    request = group.losses[0].shadow
    headers = "".join(f" with `{name}: {value}`" for name, value in request.headers.items())
    return f" (lost for some requests, such as `{request.method} {request.path}`{headers})"


def _listed(hosts: Sequence[str]) -> str:
    return few(f"`{host}`" for host in hosts)


def _likewise(group: _Group) -> str:
    """The other Hosts that share the fate of the first, where the Host decides."""
    hosts = list(dict.fromkeys(without_port(loss.shadow.host) for loss in group.losses))
    decides = group.losses[0].end.reason == reason.NO_VIRTUAL_HOST and len(hosts) > 1
    return f" (likewise {_listed(hosts[1:])})" if decides else ""


def _only_in(worlds: Sequence[str], judged: Judged, documents: Documents) -> str:
    """Which versions are hit, where not all that the source may run are; in the midst of an upgrade it runs some of both."""
    if len(worlds) == len(judged.ways):
        return ""
    holds = f"; this holds with {WORLD_WORDS[worlds[0]]}"
    versions = (fact for fact in documents.facts if fact.cluster == judged.cluster and fact.version)
    said = next((fact for fact in versions if world_of(fact.version) == worlds[0]), None)
    if said:
        return f"{holds}, and {judged.cluster} runs {said.version} as {said.place.path}:{said.place.line} says"
    return f"{holds}: `istio:` in .mirrorlint.yaml says which version {judged.cluster} runs"


def doubt_about(cluster: str, documents: Documents, holding: Collection[str] = (ANYTHING,), what: str = "it") -> str:
    """What may hold the missing object after all; "" when the cluster is taken as complete."""
    known = documents.clusters.get(cluster)
    spot = next((spot for spot in documents.blind_spots if spot.cluster == cluster and spot.holds in holding), None)
    if spot:
        where = f"{spot.path}:{spot.line}" if spot.line else spot.path
        return f" (unless {what} comes from {where}, which could not be judged)"
    return "" if known is None or known.settings.complete else f" (unless {what} is among the objects of {cluster} that live elsewhere)"


def _so_lost(judged: Judged) -> Note:
    lost = "the shadows of this mirror are" if _dead(judged) else "some shadows of this mirror are"
    return Note(f"so {lost} lost", judged.cluster, judged.mirror.destination.host_node.place)


def _assumed(group: _Group, judged: Judged) -> Iterator[Note]:
    """That nothing proves an endpoint to be the ingress that it is taken for."""
    if any(loss.end.assumed for loss in group.losses):
        end = group.losses[0].end
        place = end.address.node.place if end.address else judged.mirror.node.place
        text = f"taken to be {end.cluster}'s ingress, since no address of it is known: `ingress:` in .mirrorlint.yaml settles it"
        yield Note(text, judged.cluster, place)


def _ends(judged: Judged, world: str) -> Iterator[End]:
    return (end for way in judged.ways[world] for end in way.ends)


def fate(judged: Judged, delivery: Delivery) -> MirrorFate:
    """What becomes of a mirror's shadows in each world."""
    destination = judged.mirror.destination
    ways = list(judged.every_way())
    port = (ways[0].first or ways[0]).target[1] if ways else destination.port
    reasons = {world: {end.reason for end in _ends(judged, world)} for world in judged.ways}
    outcomes = {world: {told for end in _ends(judged, world) for told in _outcomes(end)} for world in judged.ways}
    found = {world: _delivered(outcomes[world], reasons[world]) for world in judged.ways}
    if not ways and is_uncertain(judged, delivery):
        found = dict.fromkeys(found, UNKNOWN_FATE)
    target = f"{destination.host}:{port}" if port else destination.host
    every = set().union(*reasons.values())
    leads = next((away for away in (reason.STAYS, reason.ELSEWHERE) if every == {away}), "")
    return MirrorFate(destination.host_node.place, judged.cluster, str(judged.mirror.owner), target, found, leads)


def _outcomes(end: End) -> tuple[str, ...]:
    return (end.outcome, reason.ARRIVES) if end.partial else (end.outcome,)


def _delivered(outcomes: set[str], reasons: set[str]) -> str:
    if not outcomes or outcomes == {LOST}:
        return NONE_ARRIVE
    away = {reason.ELSEWHERE, *reason.UNJUDGED}
    if LOST in outcomes or (reason.ARRIVES in reasons and reasons & away):
        return SOME_ARRIVE
    return UNKNOWN_FATE if reasons <= away else ALL_ARRIVE
