"""Follows what peers expect through the clusters at hand: an expectation is broken where shadows are lost that arrived."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from mirrorlint import unjudged
from mirrorlint.contract.sender import SENDER_PORT, caller, sender
from mirrorlint.delivery import reason
from mirrorlint.delivery.age import by_name
from mirrorlint.delivery.callers import Judged
from mirrorlint.delivery.follow import Call, Delivery, Way
from mirrorlint.engine import of_mirror
from mirrorlint.fleet import BlindSpot, Cluster, Documents, Fault
from mirrorlint.loading import Loaded
from mirrorlint.loading.contracts import Contract, Expectation
from mirrorlint.rule import ERROR, Finding, MirrorFate, Report

_BROKEN, _ELSEWHERE = "broken-document", "mirror-leads-elsewhere"


class _Outcome(NamedTuple):
    findings: tuple[Finding, ...]
    fate: MirrorFate


def verify(loaded: Loaded) -> Report:
    """What becomes of everything that contracts of peers expect of the clusters whose manifests are at hand.

    ValueError where all of it is for clusters that are not here: then nothing would be verified.
    """
    documents = loaded.documents
    own = {name: cluster for name, cluster in documents.clusters.items() if not cluster.published}
    documents = documents._replace(clusters=own)
    documents = documents._replace(blind_spots=(*documents.blind_spots, *unjudged.objects(documents)))
    expected = [(contract, each) for contract in loaded.contracts if contract.usable for each in contract.expectations]
    delivery = Delivery(own, by_name)
    outcomes = [_judged(documents, delivery, contract, each) for contract, each in expected if each.to in ("", *own)]
    strangers = {_stranger(contract, each.to) for contract, each in expected if each.to not in ("", *own)}
    if strangers and not outcomes:
        raise ValueError("; ".join(sorted(f"{spot.path}: {spot.message}" for spot in strangers)))
    damaged = [_of_fault(fault) for contract in loaded.contracts for fault in contract.faults]
    return Report(
        findings=tuple(sorted({*damaged, *(finding for outcome in outcomes for finding in outcome.findings)})),
        blind_spots=tuple(sorted({*documents.blind_spots, *strangers}, key=lambda spot: (spot.path, spot.line, spot.message))),
        mirrors=tuple(outcome.fate for outcome in outcomes),
        files=documents.files,
        documents=documents.documents,
    )


def _stranger(contract: Contract, to: str) -> BlindSpot:
    message = f"what is expected of `{to}` is not verified, since no cluster here is called so: `clusters:` in .mirrorlint.yaml names them"
    return BlindSpot(message, contract.path, 0, contract.cluster)


def _of_fault(fault: Fault) -> Finding:
    return Finding(fault.place, _BROKEN, ERROR, f"{fault.message}; {fault.hint}", fault.cluster, "", (), ())


def _judged(documents: Documents, own: Delivery, contract: Contract, expectation: Expectation) -> _Outcome:
    """Follow an expectation's requests; what arrived when it was written must arrive."""
    source = Cluster(contract.cluster, sender(expectation), published=True)
    documents = documents._replace(clusters={**documents.clusters, source.name: source})
    delivery = own.beside(source)
    ways = _ways(delivery, source.name, expectation)
    first = next(way for found in ways.values() for way in found)
    judged = Judged(source.name, first.mirror, first.route.service, first.route.rule, ways)
    findings, fate = of_mirror(judged, documents, delivery)
    found = [*findings, *_astray(judged, expectation)]
    return _Outcome(tuple(each._replace(level=ERROR) if expectation.to else each for each in found), fate)


def _ways(delivery: Delivery, cluster: str, expectation: Expectation) -> Mapping[str, tuple[Way, ...]]:
    ways: dict[str, tuple[Way, ...]] = {}
    namespace = expectation.owner.partition(" ")[2].rpartition("/")[0]
    for number, (request, world, _) in enumerate(expectation.sent()):
        call = Call(cluster, namespace, caller(number), SENDER_PORT, request.path, request.method, request.headers)
        ways[world] = ways.get(world, ()) + delivery.follow(call, world)
    return ways


def _astray(judged: Judged, expectation: Expectation) -> Iterator[Finding]:
    """A finding where an endpoint is no longer the ingress of the cluster that took its shadows."""
    ends = (end for ways in judged.ways.values() for way in ways for end in way.ends)
    astray = {end.address.host for end in ends if end.reason in (reason.ELSEWHERE, reason.UNKNOWN) and end.address}
    for host in sorted(astray) if expectation.to else ():
        message = (
            f"`{host}` is no address of {expectation.to}'s ingress any more: {judged.cluster}'s shadows, which arrived there, are lost"
        )
        worlds = tuple(judged.ways)
        yield Finding(expectation.at, _ELSEWHERE, ERROR, message, judged.cluster, expectation.owner, worlds, ())
