"""Why a delegate gives a VirtualService no rules, and its mirrors none (pilot/pkg/model/virtualservice.go:mergeVirtualServicesIfNeeded)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from mirrorlint.delivery.discovery import left_out
from mirrorlint.delivery.mesh import Mesh
from mirrorlint.fleet import Manifest
from mirrorlint.istio.virtual_service import delegate_name
from mirrorlint.likeness import closest
from mirrorlint.rule import REFUSED, Obstacle, Remark, cause_of
from mirrorlint.source import Node, Place


class Lacking(NamedTuple):
    """A rule without its delegate: the Node that decides it, why, the object of that Node, and the `namespace/name` that is meant."""

    rule: Node
    node: Node
    why: str
    owner: Manifest
    meant: str


def delegations(mesh: Mesh, root: Manifest) -> Iterator[tuple[Node, Manifest | None]]:
    """The rules of a VirtualService that delegate, each with the delegate that it may use, None for none."""
    rules = (rule for rule in root.node["spec"]["http"] if rule["delegate"])
    return ((rule, mesh.reader.delegate(rule["delegate"], root.namespace)) for rule in rules)


def lacking(mesh: Mesh, root: Manifest) -> Iterator[Lacking]:
    """The rules of a VirtualService whose delegate is not there, or may not be used."""
    return (_lacking(mesh, rule, root) for rule, delegate in delegations(mesh, root) if delegate is None)


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
    if found in mesh.admission.refused:
        return Lacking(rule, named["name"], f"Istio refuses its delegate `{name}`", root, name)
    if not mesh.discovery.takes(found):
        return Lacking(rule, named["name"], f"its delegate `{name}` {left_out(found)}", root, name)
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


def contradicted(mesh: Mesh) -> Iterator[tuple[Manifest, Node, Manifest, Node]]:
    """Rules with mirrors that Istio leaves out of delegates, each with the root's that it contradicts (virtualservice.go:hasConflict)."""
    kept: dict[Manifest, set[Place]] = {}
    for each in (rule for service in mesh.virtual_services for rule in service.rules):
        kept.setdefault(each.owner, set()).add(each.node.place)
    for root in (service.manifest for service in mesh.virtual_services):
        for rule, delegate in delegations(mesh, root):
            if delegate is None:
                continue
            for child in delegate.node["spec"]["http"]:
                if (child["mirror"] or len(child["mirrors"])) and child.place not in kept.get(delegate, ()):
                    yield delegate, child, root, rule


def undelegated(mesh: Mesh) -> Iterator[tuple[Manifest, Node, Obstacle]]:
    """Mirrors that Istio leaves out for want of a delegation: the object, the mirror's host, and why (mergeVirtualServicesIfNeeded).

    They are those of rules that delegate to nothing, and the first of a VirtualService without hosts to which none delegates.
    """
    every = mesh.admitted("VirtualService")
    roots = [manifest for manifest in every if len(manifest.node["spec"]["hosts"])]
    astray = [(root, lack) for root in roots for lack in lacking(mesh, root)]
    reached = {delegate for root in roots for _, delegate in delegations(mesh, root)}
    for root, lack in astray:
        yield from ((root, host, Obstacle(lack.node, lack.why)) for host in _mirrored(lack.rule))
    for manifest in (each for each in every if each not in reached and not len(each.node["spec"]["hosts"])):
        host = next((host for rule in manifest.node["spec"]["http"] for host in _mirrored(rule)), None)
        if host:
            yield manifest, host, _undelegated(manifest, astray, mesh)


def _mirrored(rule: Node) -> Iterator[Node]:
    yield from (destination["host"] for destination in (rule["mirror"], *(each["destination"] for each in rule["mirrors"])) if destination)


def _undelegated(manifest: Manifest, astray: Iterable[tuple[Manifest, Lacking]], mesh: Mesh) -> Obstacle:
    name = f"{manifest.namespace}/{manifest.name}"
    for root, lack in astray:
        if lack.meant == name:
            remarks = () if lack.owner is root else (Remark(lack.rule["delegate"]["name"], "the delegation", mesh.cluster.name),)
            return Obstacle(lack.node, f"{root} is without it, since {lack.why}", remarks)
    for root, reasons in mesh.admission.refused.items():
        for node in (rule["delegate"] for rule in root.node["spec"]["http"]):
            if delegate_name(node, root.namespace) == name:
                return Obstacle(
                    node["name"], f"Istio refuses {root}, which delegates to it", cause=cause_of(REFUSED, reasons[0].node.place)
                )
    return Obstacle(manifest.node["metadata"]["name"], "its VirtualService has no `hosts`, and none delegates to it")
