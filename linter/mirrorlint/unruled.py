"""Why a VirtualService has no rule left for a gateway's server: conditions on who asks, or delegates that give none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches

from mirrorlint.delivery.gateway import GatewayScope
from mirrorlint.delivery.mesh import Mesh
from mirrorlint.fleet import Manifest
from mirrorlint.istio.gateway import Server
from mirrorlint.istio.matches import Match
from mirrorlint.istio.routing import VirtualService
from mirrorlint.likeness import TYPO
from mirrorlint.source import Node

Reason = tuple[Node, str, object]  # where, why, and the object that it stands in


def unruled(scope: GatewayScope, server: Server, service: VirtualService) -> Reason | None:
    """What leaves a VirtualService that is bound to a server no rule there; None where it has one."""
    if scope.virtual_host("*", server, service).routes:
        return None
    manifest = service.manifest
    if not service.rules:
        return next(undelegated(scope.mesh, manifest), (manifest.node["spec"]["http"], "it has no `http` rules", manifest))
    blocks = [(match, rule.owner) for rule in service.rules for match in rule.matches]
    match, owner = min(blocks, key=lambda block: len(scope.foreign(server, block[0])))
    field = scope.foreign(server, match)[0]
    node = match.field(field)
    first = node.at(0) if node.is_sequence else node
    return first, _asked(field, match, server), owner if node == match.node[field] else manifest


def _asked(field: str, match: Match, server: Server) -> str:
    if field == "port":
        return f"its rule is for port {match.port}, and the server's is {server.number}"
    if field == "gateways":
        return f"its rule is for {_named(match.gateways)}, and the server is of `{server.gateway.name}`"
    if field == "sourceNamespace":
        return f"its rule is for callers in namespace `{match.source_namespace}`, where the gateway's pods are not"
    return (
        f"its rule is for callers with {_named(f'{k}: {v}' for k, v in match.source_labels.items())}, which the gateway's pods don't have"
    )


def undelegated(mesh: Mesh, root: Manifest) -> Iterator[Reason]:
    """What keeps each delegate that a VirtualService names from giving it rules (virtualservice.go:mergeVirtualServices)."""
    given = {rule.owner for service in mesh.virtual_services if service.manifest is root for rule in service.rules}
    for rule in root.node["spec"]["http"]:
        named = rule["delegate"]
        found = mesh.reader.delegate(named, root.namespace) if named else None
        if named and found is None:
            yield _missing(mesh, named, root)
        elif found and found not in given:
            yield rule["match"], f"all rules of its delegate {found} contradict what it asks for", root


def _missing(mesh: Mesh, named: Node, root: Manifest) -> Reason:
    """Why there is no delegate of a name, or none that may be used."""
    name = f"{named['namespace'].text or root.namespace}/{named['name'].text}"
    every = {f"{manifest.namespace}/{manifest.name}": manifest for manifest in mesh.cluster.of("VirtualService")}
    found = every.get(name)
    if found is None:
        return named["name"], f"its delegate `{name}` does not exist{_meant(name, every)}", root
    if found in mesh.refused:
        return named["name"], f"Istio refuses its delegate `{name}`", root
    if len(found.node["spec"]["hosts"]):
        return found.node["spec"]["hosts"].at(0), f"`{name}`, to which it delegates, has `hosts`, so it is no delegate", found
    return found.node["spec"]["exportTo"].at(0), f"its delegate `{name}` is not exported to namespace `{root.namespace}`", found


def _meant(name: str, every: Mapping[str, Manifest]) -> str:
    """A delegate that is called almost alike, or alike in another namespace."""
    delegates = [known for known, manifest in every.items() if not len(manifest.node["spec"]["hosts"])]
    alike = [known for known in delegates if known.partition("/")[2] == name.partition("/")[2]]
    near = alike or get_close_matches(name, delegates, n=1, cutoff=TYPO)
    return f" (did you mean `{near[0]}`?)" if near else ""


def _named(values: Iterable[str]) -> str:
    return ", ".join(f"`{value}`" for value in values)
