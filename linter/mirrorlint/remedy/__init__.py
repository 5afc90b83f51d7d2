"""What mends a loss without a doubt: Edits after which, as the delivery says, no shadow of the mirror is lost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mirrorlint.delivery import reason
from mirrorlint.delivery.follow import LOST, Delivery, End, Way
from mirrorlint.rule import Edit, Loss

NO_EDITS: tuple[Edit, ...] = ()


def of_one_cluster(edits: Iterable[Edit], delivery: Delivery) -> bool:
    """Whether no file of the edits is another cluster's as well, which they would change, too."""
    paths = {edit.node.path for edit in edits}
    owners = (paths & {manifest.node.path for manifest in mesh.cluster.manifests()} for mesh in delivery.meshes.values())
    return sum(map(len, owners)) <= len(paths)


def ways(loss: Loss) -> Iterator[Way]:
    """The ways of all callers of the loss's mirror, in all worlds."""
    for found in loss.judged.ways.values():
        yield from found


def astray(loss: Loss) -> list[tuple[Way, End]]:
    """All shadows of the mirror that don't arrive; none if one of them carries another Host than its way says."""
    if any(way.upstream and len(way.ends) != len(way.upstream.addresses) for way in ways(loss)):
        return []
    return [(way, end) for way in ways(loss) for end in way.ends if end.outcome != reason.ARRIVES]


def unscathed(ends: Iterable[End]) -> bool:
    """Whether a shadow's endpoints all lead to the same end, and that is no loss."""
    ends = tuple(ends)
    return len({end.reason for end in ends}) == 1 and ends[0].outcome != LOST
