"""What mends a loss without a doubt: Edits after which, as the delivery says, no shadow of the mirror is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from mirrorlint.delivery import reason
from mirrorlint.delivery.follow import Delivery, authorities
from mirrorlint.delivery.judged import AskedAtTarget, Judged
from mirrorlint.delivery.mesh import Mesh
from mirrorlint.delivery.samples import Sample
from mirrorlint.delivery.way import LOST, SOME, End, Way
from mirrorlint.fleet import is_peers
from mirrorlint.istio.services import Service
from mirrorlint.nearest import strays
from mirrorlint.rule import Edit, Loss
from mirrorlint.source import Node
from mirrorlint.source.place import Derived

NO_EDITS: tuple[Edit, ...] = ()


def is_at_hand(node: Node) -> bool:
    """Whether a value stands in a file that is here, and stands in it as it is read: no edit fits what was rendered or is a peer's."""
    return not (is_peers(node.path) or isinstance(node.path, Derived))


def of_one_cluster(edits: Sequence[Edit], delivery: Delivery) -> bool:
    """Whether the edits are of files that are here, as they are read, and not another cluster's as well."""
    paths = {edit.node.path for edit in edits}
    alone = sum(len(paths & mesh.cluster.paths) for mesh in delivery.meshes.values()) <= len(paths)
    return alone and all(is_at_hand(edit.node) for edit in edits)


def numbers(service: Service) -> Iterable[int]:
    """The ports of a service that may be meant; none where one doesn't say its number, which may be the very one."""
    sound = service.numbered == service.ports
    return dict.fromkeys(port.number for port in service.ports if port.protocol != "UDP") if sound else ()


def arrives(judged: Judged) -> bool:
    """Whether callers make a mirror run, in all worlds, and no shadow of it is lost."""
    sure = not judged.mirror.why and not judged.rivals
    return sure and all(ways and all(way.outcome not in (LOST, SOME) for way in ways) for ways in judged.ways.values())


def is_astray(mesh: Mesh, host: str, ends: Iterable[End]) -> bool:
    """Whether ends lead elsewhere by a host that is not told to: it may be the one of two that is misspelt."""
    return not mesh.is_external(host) and any(end.reason == reason.ELSEWHERE for end in ends)


def saves(loss: Loss, after: Callable[[Way], Iterable[End]]) -> bool:
    """Whether a change saves all shadows of a mirror; `after` says where it would lead one of them.

    Requests that meet conditions of rules which only the change brings up are tried as well.
    """
    if loss.judged.rivals or any(len(authorities(way.route)) > 1 for way in loss.judged.every_way()):
        return False  # the way isn't sure, or names but one of its shadows' Hosts
    if any(strays(loss.way.scope.mesh, loss.judged.service)):
        return False  # it is not for the requests that it was meant for, as may be its namespace
    return all(_all_saved(loss, world, after) for world in loss.judged.ways)


def _all_saved(loss: Loss, world: str, after: Callable[[Way], Iterable[End]]) -> bool:
    asked = AskedAtTarget()
    for way in loss.judged.ways[world]:
        call = way.call
        base = Sample(call.path, call.method, tuple(sorted(call.headers.items())))
        changed = way._replace(ends=tuple(after(way)))
        samples = asked.samples(changed, base, world)
        calls = (call._replace(path=path, method=method, headers=dict(headers)) for path, method, headers in samples)
        more = (found for each in calls for found in loss.delivery.follow(each, world) if found.mirror.key == way.mirror.key)
        if not (_is_saved(changed.ends) and all(_is_saved(tuple(after(each))) for each in more)):
            return False
    return True


def _is_saved(ends: tuple[End, ...]) -> bool:
    return len({end.reason for end in ends}) == 1 and ends[0].outcome != LOST
