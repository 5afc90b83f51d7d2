"""What becomes of the shadows that an application has a part in: its rendered manifests stand for its files in the repository."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from mirrorlint import engine, loading
from mirrorlint.argocd.written import at_writing, places
from mirrorlint.causes import merged, narrowed
from mirrorlint.contract.verify import verify
from mirrorlint.delivery.worlds import WORLD_WORDS, WORLDS
from mirrorlint.fleet import BlindSpot, Cluster, Documents, Fault, Manifest, is_peers
from mirrorlint.level import ERROR
from mirrorlint.loading import Loaded, needs
from mirrorlint.loading.clusters import UNDIVIDED, Group
from mirrorlint.loading.objects import content
from mirrorlint.loading.paths import within
from mirrorlint.report import clean, told
from mirrorlint.rule import Finding, Report

_SHOWN = 5


class Question(NamedTuple):
    """An application: its path in the repository, which is the working directory, and the namespace of its destination ("" for none).

    `rendered` is what its folder became, None for its files as they are; `cluster` names the cluster that it is deployed to ("" when the
    repository tells), `peers` are further clusters with the paths that they are read from, `istio` is the source's version ("": as told).
    """

    path: str
    namespace: str = ""
    rendered: bytes | None = None
    cluster: str = ""
    peers: Mapping[str, str] = {}
    istio: str = ""


class Verdict(NamedTuple):
    """What is said to whoever syncs, and the number of errors; what could not be judged is no error."""

    text: str
    errors: int


def judge(question: Question) -> Verdict:
    """Follow all shadows of the repository and keep what touches the application; OSError and SettingsError as `loading.read` has them.

    ValueError for a cluster that is none of the repository's.
    """
    loaded = loading.read(["."])
    config = loaded.settings.path
    peers = [loading.read([f"{name}={path}"], config) for name, path in question.peers.items()]
    documents = _together(loaded.documents, [peer.documents for peer in peers])
    cluster = question.cluster or _cluster(loaded.groups, question.path) or "application"
    if question.cluster:
        _check(cluster, {*documents.clusters, *loaded.settings.clusters}, loaded.groups)
    documents = _with_application(documents, cluster, question)
    report = engine.lint(documents, loaded.settings.rules, question.istio)
    contracts = tuple(contract for read in (loaded, *peers) for contract in read.contracts)
    found = merged((*report.findings, *_expected(loaded._replace(documents=documents, contracts=contracts))))
    narrow = (narrowed(finding, lambda member: _touches(member, question)) for finding in sorted(found))
    touching = [finding for finding in narrow if finding]
    written = places(_pairs(loaded.documents.clusters.get(cluster), question)) if touching else {}
    touching = [at_writing(finding, written) for finding in touching]
    touching.sort(key=lambda finding: finding.level != ERROR)
    damaged = [_unread(fault) for contract in contracts for fault in contract.faults]
    report = report._replace(findings=tuple(touching), blind_spots=(*damaged, *report.blind_spots))
    return Verdict(_told(report), report.count(ERROR))


def _expected(loaded: Loaded) -> tuple[Finding, ...]:
    """What becomes of what contracts of peers expect; those that expect nothing of the clusters here have no part in it."""
    try:
        return verify(loaded).findings if loaded.contracts else ()
    except ValueError:
        return ()


def _unread(fault: Fault) -> BlindSpot:
    """A contract that can't be used is no fault of the application's, but what it is for is not known."""
    return BlindSpot.at(fault.place, f"{fault.message}; {fault.hint}", fault.cluster)


def _check(cluster: str, known: AbstractSet[str], groups: Sequence[Group]) -> None:
    """Raise ValueError for a cluster that is none, where the repository tells of both: an application may be all that is of the other."""
    if len(known) > 1 and cluster not in known and not any(group.why == UNDIVIDED for group in groups):
        raise ValueError(f"`--cluster` (MIRRORLINT_CLUSTER) is `{cluster}`, which is no cluster here: {', '.join(sorted(known))}")


def _cluster(groups: Sequence[Group], path: str) -> str:
    """The cluster whose folder the application is in, the innermost one; where there is one cluster, that."""
    folder = os.path.abspath(path)
    around = [(len(start), group.name) for group in groups for start in group.paths if within(folder, start)]
    return max(around, default=(0, groups[0].name if len(groups) == 1 else ""))[1]


def _together(documents: Documents, peers: Sequence[Documents]) -> Documents:
    """The repository's documents with those of its peers, which are no longer missed."""
    clusters = {**documents.clusters, **{name: cluster for peer in peers for name, cluster in peer.clusters.items()}}
    others = [peer for peer in peers if peer.clusters]
    spots = (
        spot for spot in documents.blind_spots if not spot.cluster or spot.cluster in documents.clusters or spot.cluster not in clusters
    )
    return documents._replace(
        clusters=clusters,
        faults=(*documents.faults, *(fault for peer in others for fault in peer.faults)),
        blind_spots=(*spots, *(spot for peer in others for spot in peer.blind_spots)),
        suppressions=(*documents.suppressions, *(each for peer in others for each in peer.suppressions)),
    )


def _with_application(documents: Documents, cluster: str, question: Question) -> Documents:
    """The documents with the application's own in the place of its files."""
    known = documents.clusters.get(cluster, Cluster(cluster, ()))
    guessed = set(needs.unplaced(known.manifests(), cluster))
    documents = documents._replace(blind_spots=tuple(spot for spot in documents.blind_spots if spot not in guessed))
    documents = _with_manifests(documents, known, question)
    unplaced = needs.unplaced(documents.clusters[cluster].manifests(), cluster) if cluster in documents.clusters else ()
    return documents._replace(blind_spots=(*documents.blind_spots, *unplaced))


def _with_manifests(documents: Documents, known: Cluster, question: Question) -> Documents:
    cluster = known.name
    if question.rendered is None:
        for manifest in known.manifests():
            if os.path.dirname(os.path.abspath(manifest.node.path)) == os.path.abspath(question.path):
                _settle(manifest, question.namespace)
        return documents

    def stays(path: str) -> bool:
        return not _is_own(path, question)

    rendered = content(question.rendered, _name(question.path))
    for manifest in rendered.manifests:
        _settle(manifest, question.namespace)
    same = {manifest.identity for manifest in rendered.manifests}
    left = [m for m in known.manifests() if stays(m.node.path) and m.identity not in same]
    unclear = loading.unclear(rendered, cluster)
    return documents._replace(
        clusters={**documents.clusters, cluster: Cluster(cluster, [*left, *rendered.manifests], known.settings)},
        faults=(*(f for f in documents.faults if f.cluster != cluster or stays(f.place.path)), *loading.faults(rendered, cluster)),
        blind_spots=(*(s for s in documents.blind_spots if s.cluster not in ("", cluster) or stays(s.path)), *unclear),
        suppressions=tuple(each._replace(cluster=cluster) for each in rendered.suppressions)
        + tuple(each for each in documents.suppressions if each.cluster != cluster or stays(each.place.path)),
    )


def _settle(manifest: Manifest, namespace: str) -> None:
    """Argo CD deploys an object without a namespace to that of the destination."""
    if namespace and manifest.namespace and not manifest.node.text_at("metadata", "namespace"):
        manifest.namespace, manifest.faultless = namespace, False


def _pairs(known: Cluster | None, question: Question) -> Iterator[tuple[Manifest, Manifest]]:
    """The rendered objects that the repository's own reading has as well, with or without the destination's namespace."""
    own_last = sorted(known.manifests() if known else (), key=lambda manifest: _is_own(manifest.node.path, question))
    found = {manifest.identity: manifest for manifest in own_last}
    for manifest in content(question.rendered, _name(question.path)).manifests if question.rendered else ():
        same = found.get(manifest.identity)
        if same is None:
            _settle(manifest, question.namespace)
            same = found.get(manifest.identity)
        if same is not None:
            yield manifest, same


def _name(path: str) -> str:
    return f"{path} (rendered)"


def _is_own(path: str, question: Question) -> bool:
    if path == _name(question.path):
        return True
    return bool(path) and not is_peers(path) and within(os.path.abspath(path), os.path.abspath(question.path))


def _touches(finding: Finding, question: Question) -> bool:
    return any(_is_own(place.path, question) for place in (finding.place, *(note.place for note in finding.notes)))


def _told(report: Report) -> str:
    """A few lines, the most severe first: they are shown in a small box."""
    lines = [line for finding in report.findings[:_SHOWN] for line in _lines(finding)]
    more = len(report.findings) - _SHOWN
    lines += [f"and {more} more"] if more > 0 else []
    spots = [f"not judged: {told(spot)}" for spot in report.blind_spots]
    lines += spots[:_SHOWN] + ([f"not judged: {len(spots) - _SHOWN} more"] if len(spots) > _SHOWN else [])
    return "".join(f"{clean(line)}\n" for line in lines)


def _lines(finding: Finding) -> Sequence[str]:
    others = [f"  {note.place}: {note.message}" for note in finding.notes[:2]]
    worlds = [f"with {WORLD_WORDS[world]}" for world in finding.worlds if set(finding.worlds) != set(WORLDS)]
    owners = ", ".join(filter(None, (finding.cluster, finding.object, *worlds)))
    return [f"{finding.level}[{finding.rule}]: {finding.message}", f"  {finding.place} ({owners})", *others]
