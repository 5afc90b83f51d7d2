"""The `hosts` that let all shadows of a mirror through the target's gateway."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import partial

from mirrorlint.delivery import reason
from mirrorlint.delivery.arrival import in_virtual_host
from mirrorlint.delivery.gateway import Chain, GatewayScope
from mirrorlint.delivery.match import accepts_string
from mirrorlint.delivery.mesh import Mesh
from mirrorlint.delivery.way import End, Way, reached
from mirrorlint.delivery.worlds import SUFFIX
from mirrorlint.istio.admission.names import gateway_host, host
from mirrorlint.istio.gateway import Server
from mirrorlint.istio.names import MESH, is_wild, subset_of, without_port
from mirrorlint.istio.routing import Rule, VirtualService
from mirrorlint.likeness import alike
from mirrorlint.remedy import NO_EDITS, saves
from mirrorlint.remedy.hostnames import lead_to, listing, routes_to
from mirrorlint.rule import ITEMS, REPLACE, Edit, Loss
from mirrorlint.unserved import respelt_hosts


def accepting(loss: Loss) -> tuple[Edit, ...]:
    """The entries that cover all refused Hosts of a mirror, at the one object that leads to the mirrored service's namesake."""
    scope, chain = reached(loss.end.scope), reached(loss.end.chain)
    refused = [way for way in loss.judged.every_way() if any(end.reason == reason.NO_VIRTUAL_HOST for end in way.ends)]
    if any(way.call.gateway and without_port(way.call.host).endswith(SUFFIX) for way in refused):
        return NO_EDITS  # a shadow's shadow: with it taken the next one would be refused
    names = tuple(dict.fromkeys(without_port(way.host).lower() for way in refused))
    meant = loss.judged.rule.used
    takers = [(server, service) for server, service in _candidates(scope, chain) if lead_to(service.rules, meant)]
    routes = routes_to(meant, scope, chain)
    if len({*routes, *(service.manifest for _, service in takers)}) != 1:
        return NO_EDITS
    if routes:
        return listing(loss, routes.pop(), names)
    edits = (_edits(loss, *taker, names) for taker in takers if saves(loss, partial(_accepted, chain, *taker)))
    return min(filter(None, edits), key=len, default=NO_EDITS)


def _accepted(chain: Chain, server: Server, service: VirtualService, way: Way) -> Iterator[End]:
    """Where a way leads if what the chain refuses for its Host is taken by a VirtualService."""
    for end in way.ends:
        if end.reason == reason.NO_VIRTUAL_HOST and end.chain is chain:
            scope = reached(end.scope)
            yield in_virtual_host(end, scope, scope.virtual_host("*", server, service), reached(way.upstream), way.request)
        else:
            yield end


def _candidates(scope: GatewayScope, chain: Chain) -> Iterator[tuple[Server, VirtualService]]:
    """The VirtualServices that are bound to a server of the chain and to nothing else, so that a host more does nothing elsewhere."""
    for server in chain.servers:
        for service in scope.mesh.bound_to(server.gateway.name, scope.namespace):
            if len(service.gateways) == 1 and service.manifest.kind == "VirtualService":
                yield server, service


def _edits(loss: Loss, server: Server, service: VirtualService, names: Collection[str]) -> tuple[Edit, ...]:
    """Lists the names; `*` where one has no dot: Istio expands those in a VirtualService and refuses them in a Gateway.

    `*` takes what nobody else does, so it is for rules alone that ask for the Host themselves.
    """
    scope = reached(loss.end.scope)
    bound = (v for v in scope.mesh.virtual_services if v is not service and set(v.gateways) - {MESH})
    rivals = [host.name.lower() for rival in bound for host in rival.hosts]
    if all("." in name for name in names):
        return _listed(scope.mesh, server, service, names, rivals)
    own = [host.name.lower() for host in service.hosts]
    takes_all = "*" in server.hosts_for(service.namespace) and not _covered(["*", *own], rivals)
    node = service.manifest.node["spec"]["hosts"]
    picky = _refuse(service.rules, _foreign(loss, service))
    return (Edit(ITEMS, node, ("*",), node.texts),) if takes_all and picky and "*" not in own else NO_EDITS


def _refuse(rules: Iterable[Rule], names: Collection[str]) -> bool:
    """Whether each block of all rules has a condition on the Host that none of some names meets."""
    blocks = [block for rule in rules for block in rule.matches or (None,)]
    return all(block and block.authority.kind and not any(accepts_string(block.authority, name) for name in names) for block in blocks)


def _foreign(loss: Loss, service: VirtualService) -> set[str]:
    """Names of all services of both clusters but the mirrored one and those that a VirtualService leads to, and one of none."""
    used = (backend for rule in (loss.judged.rule, *service.rules) for backend in rule.used)
    own = {backend.destination.host for backend in used}
    known = {*loss.way.scope.mesh.services_by_host, *reached(loss.end.scope).mesh.services_by_host} - own
    short = {host.partition(".")[0] for host in known} - {host.partition(".")[0] for host in own}
    return {*known, *short, "any.example"}


def _listed(mesh: Mesh, server: Server, service: VirtualService, names: Collection[str], rivals: Collection[str]) -> tuple[Edit, ...]:
    """Adds what the VirtualService and the server miss; an entry like `*-shadow`, which Istio expands, gives way.

    What the server lists for a misspelt namespace is corrected; new hosts are for the namespace that all the others are for.
    """
    missing = _uncovered(names, [host.name.lower() for host in service.hosts])
    let_in = server.hosts_for(service.namespace)
    slips = {node: text for node, text in respelt_hosts(mesh, server, service) if alike(node.text, text)}
    respelt = {node: text for node, text in slips.items() if _covered(names, [_bare(text)])}
    shut_out = _uncovered(names, [*let_in, *map(_bare, respelt.values())])
    wrong = [*filter(host, missing), *filter(gateway_host, shut_out), *_covered(shut_out, rivals)]
    if wrong or (shut_out and (respelt or not server.plain_http or not _is_for(server, service.namespace))):
        return NO_EDITS
    node = service.manifest.node["spec"]["hosts"]
    expanded = tuple(text for text in node.texts if is_wild(text) and "." not in text and text != "*")
    owner, slash, _ = server.host_node.text.rpartition("/")
    listed = tuple(f"{owner}{slash}{name}" for name in shut_out)
    edits = (Edit(ITEMS, node, missing, expanded), Edit(ITEMS, server.node["hosts"], listed))
    return (*(edit for edit in edits if edit.values), *(Edit(REPLACE, slip, (text,)) for slip, text in respelt.items()))


def _bare(listed: str) -> str:
    return listed.rpartition("/")[2].lower()


def _is_for(server: Server, namespace: str) -> bool:
    """Whether all hosts of a server are for one namespace, or all for any."""
    return {host.rpartition("/")[0] for host in server.hosts} in ({""}, {namespace})


def _covered(names: Iterable[str], hosts: Collection[str]) -> tuple[str, ...]:
    return tuple(name for name in names if any(subset_of(name, host) for host in hosts))


def _uncovered(names: Iterable[str], hosts: Collection[str]) -> tuple[str, ...]:
    return tuple(name for name in names if not any(subset_of(name, host.lower()) for host in hosts))
