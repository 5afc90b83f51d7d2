"""The one host, port or subset that a destination was meant to name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from mirrorlint.delivery import reason
from mirrorlint.delivery.follow import AnyScope, Delivery, End, Way
from mirrorlint.delivery.mesh import Mesh
from mirrorlint.delivery.upstream import Upstream
from mirrorlint.istio.routing import Destination
from mirrorlint.remedy import NO_EDITS, saves
from mirrorlint.rule import ENTRY, REPLACE, Edit, Loss
from mirrorlint.source import Node


def of_mirror(loss: Loss, delivery: Delivery) -> tuple[Edit, ...]:
    """The correction of a mirror with which none of its callers' shadows is lost."""
    return _only(
        _corrections(loss.way.scope, loss.judged.mirror.destination, loss.way.target),
        lambda found: saves(loss, delivery, lambda way: delivery.ends(way, _upstream_of(way, found))),
    )


def of_destination(loss: Loss, delivery: Delivery) -> tuple[Edit, ...]:
    """The correction of a target's destination with which all shadows of the mirror arrive."""
    end, wrong = loss.end, loss.end.destination
    if wrong is None or end.scope is None or end.host is None or end.route is None:
        return NO_EDITS
    return _only(
        _corrections(end.scope, wrong, end.scope.address(wrong, end.host.port, end.route.service)),
        lambda found: saves(loss, delivery, lambda way: (_corrected(one, wrong.node, found) for one in way.ends)),
    )


def likely_hosts(mesh: Mesh, destination: Destination) -> list[str]:
    """The hosts of the registry that a destination's was probably meant to be.

    The full name of an abbreviated one, the same in another case, one that differs by a letter, a namesake in another namespace.
    """
    host, text, known = destination.host, destination.node["host"].text, mesh.services_by_host
    full = [name for name in (f"{host}.svc.{mesh.domain}", f"{host}.{mesh.domain}") if name in known]
    if full:
        return full
    own = host.partition(".")[0]
    namesakes = [name for name in known if name.startswith(f"{own}.") and name.endswith(f".svc.{mesh.domain}")]
    return list(dict.fromkeys([*_close(mesh, host), *(namesakes if text == own or host == f"{own}.svc.{mesh.domain}" else ())]))


@lru_cache(maxsize=1024)
def _close(mesh: Mesh, host: str) -> tuple[str, ...]:
    """The hosts of a registry that are almost this one; asked for the same one by many a mirror."""
    return tuple(name for name in mesh.services_by_host if name.lower() == host.lower() or one_slip(name, host))


def one_slip(one: str, other: str) -> bool:
    """Whether two names differ by one character, left out, added or mistyped, or by two that changed places; digits are no slips."""
    if abs(len(one) - len(other)) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    one, other = one[start:], other[start:]
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    swapped = len(one) == 2 and one == other[::-1]
    return (swapped or max(len(one), len(other)) == 1) and not any(c.isdigit() for c in one + other)


def _corrections(scope: AnyScope, wrong: Destination, resolved: tuple[str, int]) -> Iterator[tuple[Edit, Destination]]:
    """What might be written in place of the part that does not exist."""
    host, port = resolved
    service = scope.service(host)
    if service is None:
        hosts = likely_hosts(scope.mesh, wrong) if wrong.node["host"].text else []
        for name in hosts if len(hosts) == 1 else ():
            yield Edit(REPLACE, wrong.node["host"], (_written(name, wrong),)), wrong._replace(host=name)
    elif service.port(port) is None:
        node, unnamed = wrong.node["port"]["number"], "port" not in wrong.node
        for number in dict.fromkeys(found.number for found in service.ports if unnamed or node.is_scalar):
            edit = Edit(ENTRY, wrong.node["host"], ("port", "number", number)) if unnamed else Edit(REPLACE, node, (number,))
            yield edit, wrong._replace(port=number)
    elif wrong.subset:
        rule = scope.mesh.rule_for(service, scope.namespace, scope.labels)
        names = [name for name in (rule.subsets if rule else ()) if name.lower() == wrong.subset.lower() or one_slip(name, wrong.subset)]
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


def _upstream_of(way: Way, destination: Destination) -> Upstream | None:
    target = way.scope.address(destination, way.called.port or way.call.port, way.route.service)
    return way.scope.upstream(*target, destination.subset)


def _corrected(end: End, wrong: Node, right: Destination) -> End:
    """Where a shadow ends if one destination of the route that takes it is corrected."""
    if end.scope is None or end.host is None or end.route is None or end.reason != reason.UNKNOWN_DESTINATION:
        return end
    port, service = end.host.port, end.route.service
    named = [right if b.destination.node == wrong else b.destination for b in end.route.rule.used]
    exist = all(end.scope.upstream(*end.scope.address(each, port, service), each.subset) for each in named)
    return end._replace(reason=reason.ARRIVES) if exist else end
