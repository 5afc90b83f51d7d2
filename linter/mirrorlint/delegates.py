"""Why a delegate that a VirtualService names gives it no rules (pilot/pkg/model/virtualservice.go:mergeVirtualServicesIfNeeded)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from mirrorlint.delivery.mesh import Mesh
from mirrorlint.fleet import Manifest
from mirrorlint.istio.virtual_service import delegate_name
from mirrorlint.likeness import closest
from mirrorlint.source import Node


class Lacking(NamedTuple):
    """A rule without its delegate: the Node that decides it, why, the object of that Node, and the `namespace/name` that is meant."""

    rule: Node
    node: Node
    why: str
    owner: Manifest
    meant: str


def lacking(mesh: Mesh, root: Manifest) -> Iterator[Lacking]:
    """The rules of a VirtualService whose delegate is not there, or may not be used."""
    for rule in root.node["spec"]["http"]:
        if rule["delegate"] and mesh.reader.delegate(rule["delegate"], root.namespace) is None:
            yield _lacking(mesh, rule, root)


def _lacking(mesh: Mesh, rule: Node, root: Manifest) -> Lacking:
    named = rule["delegate"]
    name = delegate_name(named, root.namespace)
    every = {f"{manifest.namespace}/{manifest.name}": manifest for manifest in mesh.cluster.of("VirtualService")}
    found = every.get(name)
    if found is None:
        meant = _meant(name, every)
        moved = named["namespace"] and meant.partition("/")[2] == named["name"].text
        hint = f" (did you mean `{meant}`?)" if meant else ""
        return Lacking(rule, named["namespace"] if moved else named["name"], f"its delegate `{name}` does not exist{hint}", root, meant)
    if found in mesh.refused:
        return Lacking(rule, named["name"], f"Istio refuses its delegate `{name}`", root, name)
    if len(found.node["spec"]["hosts"]):
        return Lacking(
            rule, found.node["spec"]["hosts"].at(0), f"`{name}`, to which it delegates, has `hosts`, so it is no delegate", found, name
        )
    why = f"its delegate `{name}` is not exported to namespace `{root.namespace}`"
    return Lacking(rule, found.node["spec"]["exportTo"].at(0), why, found, name)


def _meant(name: str, every: Mapping[str, Manifest]) -> str:
    """A delegate that is called almost alike, or alike in another namespace; "" for none."""
    namespace, _, own = name.partition("/")
    delegates = [manifest for manifest in every.values() if not len(manifest.node["spec"]["hosts"])]
    elsewhere = next((manifest.namespace for manifest in delegates if manifest.name == own), "")
    near = closest(own, [manifest.name for manifest in delegates if manifest.namespace == namespace])
    return f"{elsewhere}/{own}" if elsewhere else f"{namespace}/{near}" if near else ""
