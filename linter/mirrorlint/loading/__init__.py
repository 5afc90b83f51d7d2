"""Reads folders, files or texts as the clusters of a fleet."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from mirrorlint.cache.trail import Trail
from mirrorlint.fleet import ANYTHING, NOTHING, BlindSpot, Cluster, ClusterSettings, Documents, Fact, Fault, Suppression
from mirrorlint.loading import canaries, control_plane, files, installed, needs
from mirrorlint.loading.clusters import Assignment, Group
from mirrorlint.loading.harvest import Share
from mirrorlint.loading.land import IN_CLUSTER
from mirrorlint.loading.means import Means
from mirrorlint.loading.objects import Content, content, gaps
from mirrorlint.loading.peers import holds_contract
from mirrorlint.loading.reading import Reading
from mirrorlint.loading.repeats import without_repeats
from mirrorlint.loading.settings import ClusterSection, Settings, said_ingress, said_mesh

if TYPE_CHECKING:
    from mirrorlint.loading.contracts import Contract

_PLAINLY = Means()


class Loaded(NamedTuple):
    """What was read, the settings that were found, which folder was taken to belong to which cluster, and the clusters with their paths.

    `contracts` are those of the peers, `staged` is what files hold that were read as they are staged, by the paths that places have.
    """

    documents: Documents
    settings: Settings
    assignments: tuple[Assignment, ...]
    groups: tuple[Group, ...] = ()
    contracts: tuple[Contract, ...] = ()
    trail: Trail = Trail({}, frozenset())
    staged: Mapping[str, bytes] = {}


def read(
    paths: Sequence[str],
    config: str = "",
    ingress: Mapping[str, Any] | None = None,
    mesh: Mapping[str, Mapping[str, Any]] | None = None,
    means: Means = _PLAINLY,
) -> Loaded:
    """Read a repository, whose clusters are found inside it, or several paths, a cluster each (`[NAME=]PATH`).

    What is said of the clusters' ingress and mesh goes before the settings; `means` says how it is read. Raises FileNotFoundError for a
    path that is not there and SettingsError for settings that can't be used.
    """
    said = _Said(ingress or {}, mesh or {})
    if len(paths) < 2 and not any(map(_is_named, paths)):
        (root,) = paths or ["."]
        return _loaded(Reading(_existing(root), {}, config, means), said)
    return _loaded(Reading("", _arguments(paths), config, means), said)


def read_mapping(
    sources: Mapping[str, str | os.PathLike[str] | Sequence[str | os.PathLike[str]]],
    ingress: Mapping[str, Any] | None = None,
    mesh: Mapping[str, Mapping[str, Any]] | None = None,
) -> Loaded:
    """Read clusters by name, each from a path or several; what is said of their ingress and mesh goes before the settings."""
    named = {name: [said] if isinstance(said, str | os.PathLike) else list(said) for name, said in sources.items()}
    arguments = {name: [_existing(os.fspath(path)) for path in said] for name, said in named.items()}
    return _loaded(Reading("", arguments, "", _PLAINLY), _Said(ingress or {}, mesh or {})) if arguments else read_texts({}, ingress, mesh)


def read_texts(
    texts: Mapping[str, str],
    ingress: Mapping[str, Any] | None = None,
    mesh: Mapping[str, Mapping[str, Any]] | None = None,
) -> Loaded:
    """Read clusters from YAML texts; a place's path is the cluster's name as `<name>`."""
    said = _Said(ingress or {}, mesh or {})
    read = {name: content(text.encode("utf-8", "replace"), f"<{name}>") for name, text in texts.items()}
    found = {name: Cluster(name, each.manifests, said.over(name, ClusterSettings())) for name, each in read.items()}
    broken = tuple(fault for name, each in read.items() for fault in faults(each, name))
    blind = [spot for name, each in read.items() for spot in unclear(each, name)]
    quiet = tuple(each._replace(cluster=name) for name, content in read.items() for each in content.suppressions)
    blind += [spot for name, each in read.items() for spot in _charts(each, name)]
    documents = Documents(found, broken, (*blind, *said.unused(found)), len(read), sum(each.objects for each in read.values()), quiet)
    return Loaded(documents, Settings(), ())


class _Said(NamedTuple):
    """What a Python program says of clusters."""

    ingress: Mapping[str, Any]
    mesh: Mapping[str, Mapping[str, Any]]

    def over(self, name: str, found: ClusterSettings) -> ClusterSettings:
        """A cluster's settings with what is said put over them."""
        ingress = said_ingress(self.ingress[name]) if self.ingress.get(name) else found.ingress
        return found._replace(ingress=ingress, mesh=said_mesh(self.mesh[name]) if self.mesh.get(name) else found.mesh)

    def unused(self, known: Mapping[str, Cluster]) -> list[BlindSpot]:
        """What is said of clusters that there are not."""
        names = sorted({*self.ingress, *self.mesh} - set(known))
        return [BlindSpot(f"there is no cluster `{name}`, so what was said of it is not used") for name in names]


class _Part(NamedTuple):
    """A cluster that was read, what the manifests say of its Istio, and what could not be read of it."""

    cluster: Cluster
    facts: Sequence[Fact]
    faults: Sequence[Fault]
    blind_spots: Sequence[BlindSpot]
    suppressions: Sequence[Suppression]


def _loaded(reading: Reading, said: _Said) -> Loaded:
    parts = [_part(share, reading, said) for share in reading.shares]
    published = [_published(contract, reading, said) for contract in reading.peers.contracts if contract.usable]
    found = {cluster.name: cluster for cluster in (*(part.cluster for part in parts), *published)}
    if len(found) > 1 and IN_CLUSTER in found and not any(found[IN_CLUSTER].manifests()):
        del found[IN_CLUSTER]  # Argo CD itself is all that runs there
    blind = {spot for part in parts for spot in part.blind_spots} | {*reading.blind_spots, *said.unused(found)}
    broken = [*(fault for part in parts for fault in part.faults), *(fault for each in reading.peers.contracts for fault in each.faults)]
    read = {key: content for share in reading.shares for key, content in share.contents.items()}
    documents = Documents(
        found,
        tuple(sorted(broken)),
        tuple(sorted(blind, key=lambda spot: (spot.path, spot.line, spot))),
        len({path for share in reading.shares for path in share.read}),
        sum(each.objects for each in read.values()),
        tuple(dict.fromkeys(quiet for part in parts for quiet in part.suppressions)),
        tuple(fact for part in parts for fact in part.facts),
    )
    return Loaded(documents, reading.settings, reading.assignments, reading.groups, reading.peers.contracts, reading.trail, reading.staged)


def _part(share: Share, reading: Reading, said: _Said) -> _Part:
    name, contents = share.cluster, share.contents.values()
    manifests, repeated = without_repeats((manifest for each in contents for manifest in each.manifests), name)
    every = [manifest for each in contents for manifest in (*each.manifests, *each.tells)]
    charts = [chart for those in share.charts.values() for chart in those]
    written = {manifest.identity for manifest in manifests}
    made = (*installed.services(every, charts), *canaries.of_canaries(every))
    manifests += [service for service in made if service.identity not in written]
    planes = control_plane.said(every, charts)
    section = reading.sections.get(name, ClusterSection())
    settings, facts = control_plane.settled(said.over(name, section.settings), planes, name)
    closed = not any(spot.cluster == name and spot.holds == ANYTHING for spot in reading.blind_spots)
    unserved = list(needs.unserved(manifests, name)) if closed else []
    elsewhere = unserved or (closed and needs.has_no_services(manifests))
    cluster = Cluster(name, manifests, settings._replace(complete=False) if elsewhere else settings)
    blind = [
        *repeated,
        *unserved,
        *needs.unplaced(manifests, name),
        *(spot for each in contents for spot in unclear(each, name)),
    ]
    broken = [fault for each in contents for fault in faults(each, name)]
    return _Part(cluster, facts, broken, blind, [one._replace(cluster=name) for each in contents for one in each.suppressions])


def _published(contract: Contract, reading: Reading, said: _Said) -> Cluster:
    section = reading.sections.get(contract.cluster, ClusterSection())
    settings = said.over(contract.cluster, section.settings.over(contract.settings))
    return Cluster(contract.cluster, contract.manifests, settings, published=True)


def faults(found: Content, cluster: str) -> list[Fault]:
    """What would have been objects of a cluster that matter."""
    return [Fault(b.place, b.message, b.hint, cluster, b.text if b.dropped else "") for b in found.faults]


def unclear(found: Content, cluster: str) -> list[BlindSpot]:
    """What else could not be read of a cluster; nothing is missing for want of a certificate or of what scales a workload."""
    minor = {gap.place for gap in gaps(manifest for manifest in found.waiting if manifest.group in ("cert-manager.io", "keda.sh"))}
    return [BlindSpot.at(b.place, b.message, cluster, NOTHING if b.place in minor else ANYTHING) for b in found.unclear]


def _charts(found: Content, cluster: str) -> Iterator[BlindSpot]:
    """The charts that a text installs: there are no files that they could be rendered from."""
    for manifest in found.tells:
        sources = (manifest.node["spec"]["source"], *manifest.node["spec"]["sources"])
        if manifest.kind == "HelmRelease" or any(source["chart"] for source in sources):
            yield BlindSpot.at(manifest.node.place, f"{manifest}: what it installs is not rendered", cluster)


def _existing(path: str) -> str:
    if not os.path.exists(path):
        raise FileNotFoundError(errno.ENOENT, "there is no such file or folder", path)
    return os.path.abspath(path)


def _is_named(path: str) -> bool:
    name, equals, _ = path.partition("=")
    return bool(name and equals) and "/" not in name and not os.path.exists(path)


def _arguments(paths: Sequence[str]) -> dict[str, list[str]]:
    """The paths of each cluster; one without a name is called like its folder, and a bit more where two folders are called alike.

    A contract without a name is called like its file.
    """
    found: dict[str, list[str]] = {}
    unnamed: dict[str, list[str]] = {}
    for argument in paths:
        if _is_named(argument):
            name, _, path = argument.partition("=")
            found.setdefault(name, []).append(_existing(path or argument))
        else:
            path = _existing(argument)
            if holds_contract(path):
                found.setdefault(os.path.basename(path).removesuffix(".json"), []).append(path)
                continue
            unnamed.setdefault(files.folder_of(path), []).append(path)
    for folder, those in unnamed.items():
        alike = [other for other in unnamed if os.path.basename(other) == os.path.basename(folder)]
        found.setdefault(os.path.basename(folder) if len(alike) == 1 else files.shown(folder), []).extend(those)
    return found
