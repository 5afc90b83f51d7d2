"""The one host, port or subset that a destination was meant to name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from mirrorlint.delivery import reason
from mirrorlint.delivery.ending import gateway_destination
from mirrorlint.delivery.follow import Delivery
from mirrorlint.delivery.match import Route
from mirrorlint.delivery.mesh import Mesh, kept
from mirrorlint.delivery.way import AnyScope, End, Way, reached
from mirrorlint.istio.routing import Backend, Destination
from mirrorlint.likeness import alike
from mirrorlint.nearest import full_names, ingress_of
from mirrorlint.remedy import NO_EDITS, backends, is_astray, numbers, saves
from mirrorlint.rule import ENTRY, REPLACE, Edit, Loss
from mirrorlint.source import Node


def of_mirror(loss: Loss) -> tuple[Edit, ...]:
    """The correction of a mirror with which none of its callers' shadows is lost, nor goes elsewhere by another host."""
    wrong, scope = loss.judged.mirror.destination, loss.way.scope
    if _is_right(loss, scope, loss.way.target[0]):
        return NO_EDITS

    def after(way: Way, found: Destination) -> tuple[End, ...]:
        ends = loss.delivery.ends(way, way.scope.upstream(*way.asks(found), found.subset))
        return way.ends if found.host != wrong.host and is_astray(scope.mesh, found.host, ends) else ends

    corrections = _corrections(scope, loss.way.route, wrong, loss.way.target)
    return _only(corrections, lambda found: saves(loss, lambda way: after(way, found)))


def of_route(loss: Loss) -> tuple[Edit, ...]:
    """The correction of a mirroring rule's first destination with which all of them exist and no shadow is lost."""
    way, wrong = loss.way, loss.way.route.rule.used[0].destination
    if _is_right(loss, way.scope, wrong.host):
        return NO_EDITS
    return _only(
        _corrections(way.scope, way.route, wrong, way.asks(wrong)),
        lambda found: saves(loss, lambda one: _sent_on(loss.delivery, one, wrong.node, found)),
    )


def of_destination(loss: Loss) -> tuple[Edit, ...]:
    """The correction of a target's destination with which all shadows of the mirror arrive."""
    wrong, scope = reached(loss.end.destination), reached(loss.end.scope)
    if _is_right(loss, scope, wrong.host):
        return NO_EDITS
    return _only(
        _corrections(scope, reached(loss.end.route), wrong, gateway_destination(loss.end, wrong)),
        lambda found: saves(loss, lambda way: (_corrected(one, wrong.node, found) for one in way.ends)),
    )


def _is_right(loss: Loss, scope: AnyScope, host: str) -> bool:
    """Whether a host that a proxy lacks is another cluster's ingress, or one that its control plane does not look at.

    Then rather the entry is misspelt, or in the wrong namespace.
    """
    known = scope.mesh.overlooked(host) or ingress_of(loss.delivery.meshes, scope.mesh.cluster.name, host)
    return scope.service(host) is None and bool(known)


def likely_hosts(mesh: Mesh, destination: Destination) -> list[str]:
    """The hosts of the registry that a destination's was probably meant to be.

    The full name of an abbreviated one, the same in another case, one that differs by a letter, a namesake in another namespace.
    """
    host, text, known = destination.host, destination.node["host"].text, mesh.services_by_host
    full = full_names(mesh, host)
    if full:
        return full
    own = host.partition(".")[0]
    namesakes = [name for name in known if name.startswith(f"{own}.") and name.endswith(f".svc.{mesh.domain}")]
    return list(dict.fromkeys([*_close(mesh, host), *(namesakes if text == own or host == f"{own}.svc.{mesh.domain}" else ())]))


@kept
def _close(mesh: Mesh, host: str) -> tuple[str, ...]:
    """The hosts of a registry that are almost this one; asked for the same one by many a mirror."""
    return tuple(name for name in mesh.services_by_host if alike(name, host))


def _corrections(scope: AnyScope, route: Route, wrong: Destination, target: tuple[str, int]) -> Iterator[tuple[Edit, Destination]]:
    """What might be written in place of the part that does not exist."""
    if route.service.gateway_semantics:
        yield from backends.corrections(scope.mesh, route.rule.owner, wrong.node, at_gateway=scope.is_gateway)
        return
    host, port = target
    service = scope.service(host)
    if service is None:
        hosts = likely_hosts(scope.mesh, wrong) if wrong.node["host"].text else []
        for name in hosts if len(hosts) == 1 else ():
            yield Edit(REPLACE, wrong.node["host"], (_written(name, wrong),)), wrong._replace(host=name)
    elif service.port(port) is None:
        node, unnamed = wrong.node["port"]["number"], "port" not in wrong.node
        for number in numbers(service) if unnamed or node.is_scalar else ():
            edit = Edit(ENTRY, wrong.node["host"], ("port", "number", number)) if unnamed else Edit(REPLACE, node, (number,))
            yield edit, wrong._replace(port=number)
    elif wrong.subset:
        rule = scope.rule_for(service)
        names = [name for name in (rule.subsets if rule else ()) if alike(name, wrong.subset)]
        for name in names if len(names) == 1 else ():
            yield Edit(REPLACE, wrong.node["subset"], (name,)), wrong._replace(subset=name)


def _written(name: str, wrong: Destination) -> str:
    """A host as it is written where the wrong one is: short, where that was and its namespace is right."""
    text, short = wrong.node["host"].text, name.partition(".")[0]
    return short if "." not in text and name == short + wrong.host.removeprefix(text) else name


def _only(corrections: Iterable[tuple[Edit, Destination]], works: Callable[[Destination], bool]) -> tuple[Edit, ...]:
    """The one correction that works; none when several do."""
    found = tuple(edit for edit, destination in corrections if works(destination))
    return found if len(found) == 1 else NO_EDITS


def _with(used: Iterable[Backend], wrong: Node, right: Destination) -> list[Backend]:
    """Backends of which one's destination is corrected."""
    return [b._replace(destination=right) if b.destination.node == wrong else b for b in used]


def _sent_on(delivery: Delivery, way: Way, wrong: Node, right: Destination) -> Iterable[End]:
    """What becomes of a shadow if one destination of the rule that mirrors is corrected; nothing changes where others don't exist."""
    backends = _with(way.route.rule.used, wrong, right)
    if not all(way.scope.upstream(*way.asks(b.destination), b.destination.subset) for b in backends):
        return way.ends
    route = Route(way.route.service, way.route.rule._replace(backends=tuple(backends)), way.route.match)
    return delivery.ends(way._replace(route=route), way.upstream)


def _corrected(end: End, wrong: Node, right: Destination) -> End:
    """Where a shadow ends if one destination of the route that takes it is corrected."""
    if end.reason != reason.UNKNOWN_DESTINATION:
        return end
    scope, named = reached(end.scope), [b.destination for b in _with(reached(end.route).rule.used, wrong, right)]
    exist = all(scope.upstream(*gateway_destination(end, each), each.subset) for each in named)
    return end._replace(reason=reason.ARRIVES) if exist else end
