"""Follows what peers expect through the clusters at hand: an expectation is broken where shadows are lost that arrived."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from mirrorlint import unjudged
from mirrorlint.causes import merged
from mirrorlint.contract import withheld
from mirrorlint.contract.sender import SENDER_PORT, caller, sender
from mirrorlint.delivery import reason
from mirrorlint.delivery.age import by_name
from mirrorlint.delivery.follow import Delivery
from mirrorlint.delivery.judged import Judged
from mirrorlint.delivery.way import Call, Way
from mirrorlint.engine import of_causes, of_mirror
from mirrorlint.fleet import BlindSpot, Cluster, Documents
from mirrorlint.level import ERROR
from mirrorlint.loading import Loaded
from mirrorlint.loading.contracts import Contract, Expectation
from mirrorlint.loading.peers import NAMED
from mirrorlint.rule import BROKEN, Finding, MirrorFate, Report

_ELSEWHERE = "mirror-leads-elsewhere"


class _Outcome(NamedTuple):
    findings: tuple[Finding, ...]
    fate: MirrorFate
    blind_spots: tuple[BlindSpot, ...]


class _Followed(NamedTuple):
    """The ways in each world, and the headers of requests that are left out, since their values decide and are withheld."""

    ways: Mapping[str, tuple[Way, ...]]
    hidden: tuple[str, ...]


def verify(loaded: Loaded) -> Report:
    """What becomes of everything that contracts of peers expect of the clusters whose manifests are at hand.

    ValueError where all of it is for clusters that are not here, or of such as are called like one here: then nothing would be verified.
    """
    own = loaded.documents.own()
    documents = loaded.documents._replace(clusters=own)
    documents = documents._replace(blind_spots=(*documents.blind_spots, *unjudged.objects(documents)))
    expected, strangers = _expected(loaded.contracts, own)
    delivery = Delivery(own, by_name)
    outcomes = [_judged(documents, delivery, contract, each) for contract, each in expected]
    found = [finding._replace(fix=()) for outcome in outcomes for finding in outcome.findings]  # `fix` follows mirrors, which are not here
    blamed = of_causes(documents, delivery, loaded.settings.rules)
    hidden = {spot for outcome in outcomes for spot in outcome.blind_spots}
    return Report(
        findings=tuple(sorted(_with_causes(found, blamed))),
        blind_spots=tuple(sorted({*documents.blind_spots, *strangers, *hidden}, key=lambda spot: (spot.path, spot.line, spot.message))),
        mirrors=tuple(outcome.fate for outcome in outcomes),
        files=documents.files,
        documents=documents.documents,
    )


def _expected(contracts: Sequence[Contract], own: Collection[str]) -> tuple[list[tuple[Contract, Expectation]], set[BlindSpot]]:
    """What contracts expect of clusters that are here, and that they expect something of others; ValueError as `verify` has it."""
    usable = [(contract, each) for contract in contracts if contract.usable for each in contract.expectations]
    namesakes = [contract for contract in contracts if contract.expectations and not contract.usable]
    if namesakes and not usable:
        raise ValueError("; ".join(map(_of_namesake, namesakes)))
    expected = [(contract, each) for contract, each in usable if each.to in ("", *own)]
    strangers = {_stranger(contract, each.to) for contract, each in usable if each.to not in ("", *own)}
    if strangers and not expected:
        raise ValueError("; ".join(sorted(f"{spot.path}: {spot.message}" for spot in strangers)))
    return expected, strangers


def _with_causes(findings: Sequence[Finding], blamed: Iterable[Finding]) -> Iterator[Finding]:
    """One finding for each cause, which may be an object that is not on the way, and what can't be read, contracts among it."""
    causes = {finding.cause for finding in findings}
    return merged([*findings, *(each for each in blamed if each.cause in causes or each.rule == BROKEN)])


def _of_namesake(contract: Contract) -> str:
    return f"{contract.path}: what `{contract.cluster}` expects is not verified, since a cluster here is called so as well: {NAMED}"


def _stranger(contract: Contract, to: str) -> BlindSpot:
    message = f"what is expected of `{to}` is not verified, since no cluster here is called so: {NAMED}"
    return BlindSpot(message, contract.path, 0, contract.cluster)


def _judged(documents: Documents, own: Delivery, contract: Contract, expectation: Expectation) -> _Outcome:
    """Follow an expectation's requests; what arrived when it was written must arrive."""
    source = Cluster(contract.cluster, sender(expectation), published=True)
    documents = documents._replace(clusters={**documents.clusters, source.name: source})
    delivery = own.beside(source)
    ways, hidden = _followed(delivery, source.name, expectation)
    spots = (_hidden(expectation, hidden, source.name),) if hidden else ()
    first = next((way for found in ways.values() for way in found), None)
    if first is None:
        return _Outcome((), _unknown(source.name, expectation), spots)
    judged = Judged(source.name, first.mirror, first.route.service, first.route.rule, ways)
    findings, fate = of_mirror(judged, documents, delivery)
    found = [*findings, *_astray(judged, expectation, delivery)]
    return _Outcome(tuple(each._replace(level=ERROR) if expectation.to else each for each in found), fate, spots)


def _followed(delivery: Delivery, cluster: str, expectation: Expectation) -> _Followed:
    ways: dict[str, tuple[Way, ...]] = {}
    hidden: dict[str, None] = {}
    namespace = expectation.owner.partition(" ")[2].rpartition("/")[0]
    for number, (request, world, _) in enumerate(expectation.sent()):
        call = Call(cluster, namespace, caller(number), SENDER_PORT, request.path, request.method, request.headers)
        found, unclear = withheld.follow(delivery, call, world)
        ways[world] = ways.get(world, ()) + (() if unclear else found)
        hidden.update(dict.fromkeys(unclear))
    return _Followed({world: found for world, found in ways.items() if found}, tuple(hidden))


def _hidden(expectation: Expectation, headers: tuple[str, ...], cluster: str) -> BlindSpot:
    names = " and ".join(f"`{name}`" for name in headers)
    message = f"{expectation.owner} sends {names}, on which the way depends here and whose value the contract withholds: not verified"
    return BlindSpot.at(expectation.at, message, cluster)


def _unknown(cluster: str, expectation: Expectation) -> MirrorFate:
    """The fate of a mirror of which nothing can be said."""
    worlds = dict.fromkeys(world for _, world, _ in expectation.sent())
    target = f"{expectation.host}:{expectation.port}"
    return MirrorFate(expectation.at, cluster, expectation.owner, target, dict.fromkeys(worlds, reason.UNKNOWN))


def _astray(judged: Judged, expectation: Expectation, delivery: Delivery) -> Iterator[Finding]:
    """A finding where an endpoint is no longer the ingress of the cluster that took its shadows."""
    ends = (end for way in judged.every_way() for end in way.ends)
    astray = {end.address.host for end in ends if end.reason in (reason.ELSEWHERE, reason.UNKNOWN) and end.address}
    bare = " (no Gateway is left)" if expectation.to and not delivery.meshes[expectation.to].gateways else ""
    sent = f"{judged.cluster}'s shadows, which arrived there, are lost"
    for host in sorted(astray) if expectation.to else ():
        message = f"`{host}` is no address of {expectation.to}'s ingress any more{bare}: {sent}"
        cause = f"{expectation.at} {host}"
        yield Finding(expectation.at, _ELSEWHERE, ERROR, message, judged.cluster, expectation.owner, tuple(judged.ways), (), cause)
