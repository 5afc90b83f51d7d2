"""Why a VirtualService has no rule left for a gateway's server: conditions on who asks, or delegates that give none."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.delegates import delegations, lacking
from mirrorlint.delivery.gateway import GatewayScope
from mirrorlint.delivery.mesh import Mesh
from mirrorlint.fleet import Manifest
from mirrorlint.istio.gateway import Server
from mirrorlint.istio.matches import Match
from mirrorlint.istio.routing import VirtualService
from mirrorlint.rule import Reason, quoted


def unruled(scope: GatewayScope, server: Server, service: VirtualService) -> Reason | None:
    """What leaves a VirtualService that is bound to a server no rule there; None where it has one."""
    if scope.virtual_host("*", server, service).routes:
        return None
    manifest = service.manifest
    if not service.rules:
        return next(withheld(scope.mesh, manifest), (manifest.node["spec"]["http"], "it has no `http` rules", manifest))
    blocks = [(match, rule.owner) for rule in service.rules for match in rule.matches]
    served = {other.number for gateway in scope.mesh.gateways if gateway.name in service.gateways for other in gateway.servers}
    match, owner = min(blocks, key=lambda block: (len(scope.foreign(server, block[0])), block[0].port in served))
    field = scope.foreign(server, match)[0]
    node = match.field(field)
    first = node.at(0) if node.is_sequence else node
    return first, _asked(field, match, server), owner if node == match.node[field] else manifest


def _asked(field: str, match: Match, server: Server) -> str:
    if field == "port":
        return f"its rule is for port {match.port}, and the server's is {server.number}"
    if field == "gateways":
        return f"its rule is for {quoted(match.gateways)}, and the server is of `{server.gateway.name}`"
    if field == "sourceNamespace":
        return f"its rule is for callers in namespace `{match.source_namespace}`, where the gateway's pods are not"
    return (
        f"its rule is for callers with {quoted(f'{k}: {v}' for k, v in match.source_labels.items())}, which the gateway's pods don't have"
    )


def withheld(mesh: Mesh, root: Manifest) -> Iterator[Reason]:
    """What keeps each delegate that a VirtualService names from giving it rules."""
    given = {rule.owner for service in mesh.virtual_services if service.manifest is root for rule in service.rules}
    yield from ((lack.node, lack.why, lack.owner) for lack in lacking(mesh, root))
    for rule, found in delegations(mesh, root):
        if found and len(found.node["spec"]["http"]) and found not in given:
            yield rule["match"], f"all rules of its delegate {found} contradict what it asks for", root
