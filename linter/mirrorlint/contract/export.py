"""Writes a cluster's contract: what it accepts and what it expects of its peers, the same bytes for the same commit."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from typing import Any

from mirrorlint import git, unjudged
from mirrorlint.contract.expectations import expectations
from mirrorlint.contract.selection import accepted
from mirrorlint.delivery.age import by_name
from mirrorlint.delivery.follow import Delivery
from mirrorlint.delivery.mesh import Mesh
from mirrorlint.fleet import DISCOVERY, NOTHING, BlindSpot, ClusterSettings, Documents, Manifest
from mirrorlint.istio.listeners import NAMESPACE_LABEL
from mirrorlint.loading import files
from mirrorlint.loading.contracts import VERSION, digest
from mirrorlint.loading.packing import Shape, pack, standing
from mirrorlint.loading.settings import EXPORTS, TRUST
from mirrorlint.source import Node, Place
from mirrorlint.source.place import Origins

_MESH = ("rootNamespace", *EXPORTS, *TRUST)


def export(documents: Documents, cluster: str, tool: str, istio: str = "") -> str:
    """The text of a cluster's contract; `tool` is the program with its version, `istio` the version of the control plane.

    KeyError for an unknown cluster.
    """
    delivery, settings = Delivery(documents.clusters, by_name, istio=istio), documents.clusters[cluster].settings
    mesh, found = delivery.meshes[cluster], accepted(delivery, cluster)
    worlds = mesh.worlds
    top = _repository(documents, cluster)
    said = {
        "contract": VERSION,
        "tool": tool,
        "cluster": cluster,
        **_commit(top),
        "accepts": {
            "settings": _settings(settings, worlds, _looking_at(mesh, [manifest for manifest, _ in found])),
            "objects": list(_objects(found, top)),
            "blind_spots": [_spot(spot, top) for spot in _blind_spots(documents, delivery, cluster)],
        },
        "expects": expectations(documents.clusters, delivery, cluster, worlds, lambda place: _at(place, top)),
    }
    return json.dumps({**said, "digest": digest(said)}, indent=1, ensure_ascii=False) + "\n"


def _repository(documents: Documents, cluster: str) -> str:
    """The repository that a cluster's files are in; "" when it has none."""
    folders = {os.path.dirname(path) or "." for path in documents.clusters[cluster].paths if os.path.exists(path)}
    tops = sorted(set(map(files.repository, folders)))
    return tops[0] if tops else ""


def _commit(top: str) -> dict[str, str]:
    found = git.head(top) if top else None
    return {"commit": found[0], "time": found[1]} if found else {}


def _inside(path: str, top: str) -> str:
    """A path from its repository's root."""
    return os.path.relpath(path, top).replace(os.sep, "/") if top and os.path.exists(path) else path


def _at(place: Place, top: str) -> str:
    return f"{_inside(place.path, top)}:{place.line}:{place.column}"


def _looking_at(mesh: Mesh, found: Iterable[Manifest]) -> list[dict[str, Any]]:
    """The `discoverySelectors` that leave out the namespaces which a control plane does not look at; none where it looks at all of `found`.

    Of those only Services before a gateway's pods are exported, and nothing that is configured there.
    """
    every = list(found)
    left_out = {manifest.namespace for manifest in every} - {manifest.namespace for manifest in every if mesh.discovery.takes(manifest)}
    named = {"key": NAMESPACE_LABEL, "operator": "NotIn", "values": sorted(left_out)}
    return [{"matchExpressions": [named]}] if left_out else []


def _settings(settings: ClusterSettings, worlds: tuple[str, ...], selectors: list[dict[str, Any]]) -> dict[str, Any]:
    """What a person said of the cluster that its ingress depends on."""
    ingress, default = settings.ingress._asdict(), ClusterSettings()
    said: dict[str, Any] = {"istio": worlds[0]} if len(worlds) == 1 else {}
    said |= {"domain": settings.domain} if settings.domain != default.domain else {}
    said |= {} if settings.complete else {"complete": False}
    mesh = {name: settings.mesh[name] for name in _MESH if settings.mesh.get(name) not in (None, "", [], ())}
    mesh |= {DISCOVERY: selectors} if selectors else {}
    said |= {"mesh": mesh} if mesh else {}
    found = {name: value for name, value in ingress.items() if value}
    return said | ({"ingress": _plain(found)} if found else {})


def _plain(ingress: dict[str, Any]) -> dict[str, Any]:
    ports = {str(number): target for number, target in sorted(ingress.get("ports", {}).items())}
    return {**ingress, **({"ports": ports} if ports else {})}


def _objects(found: Iterable[tuple[Manifest, Shape]], top: str) -> Iterator[dict[str, Any]]:
    for manifest, shape in found:
        kept, places = pack(_standing(_named(manifest)), shape)
        yield {"at": _at(manifest.node.place, top), "object": kept, "places": places}


def _named(manifest: Manifest) -> Node:
    """An object with the name and the namespace that it has where it is applied, be they written in it or given by what applies it."""
    node, alone = manifest.node, Manifest(manifest.node)
    metadata = node["metadata"]
    if not metadata.is_mapping or (manifest.name, manifest.namespace) == (alone.name, alone.namespace):
        return node
    if manifest.name != alone.name:
        return node.having("metadata", metadata.having("name", manifest.name))
    return node.having("metadata", metadata.having("namespace", manifest.namespace))


def _standing(node: Node) -> Node:
    """An object whose places can be packed: the values of a rendered one, which come from several files, stand where it does."""
    return standing(node.plain(), node.place) if isinstance(node.path, Origins) else node


def _blind_spots(documents: Documents, delivery: Delivery, cluster: str) -> list[BlindSpot]:
    """What could not be judged of the cluster; faults, which whoever reads its manifests is told, may hold anything."""
    alone = documents._replace(clusters={cluster: documents.clusters[cluster]})
    faults = [BlindSpot.at(fault.place, fault.message, cluster) for fault in documents.faults if fault.cluster == cluster]
    spots = [spot for spot in documents.blind_spots if spot.cluster == cluster]
    of_objects = (*unjudged.objects(alone), *unjudged.of_ingress(alone, delivery))
    return sorted({*spots, *faults, *of_objects, *_refused(delivery, cluster)}, key=lambda spot: (spot.path, spot.line, spot))


def _refused(delivery: Delivery, cluster: str) -> Iterator[BlindSpot]:
    """What the contract leaves out since the cluster never has it."""
    for manifest, why in delivery.meshes[cluster].admission.refused.items():
        message = f"{manifest} is left out, since it is refused: {why[0].message}"
        yield BlindSpot.at(why[0].node.place, message, cluster, NOTHING)


def _spot(spot: BlindSpot, top: str) -> dict[str, Any]:
    return {"message": spot.message, "path": _inside(spot.path, top) if spot.path else "", "line": spot.line, "holds": spot.holds}
