"""A mirror to an entry that has no endpoint: the shadow is answered 503 inside the source's proxy."""

from __future__ import annotations

from mirrorlint.delivery import reason
from mirrorlint.rule import Flaw, Loss, Remark

REASONS = (reason.NO_ENDPOINT,)


def check(loss: Loss) -> Flaw:
    """Point at the mirror's host, and note the entry."""
    upstream = loss.way.upstream
    notes = (Remark(upstream.service.node, f"{upstream.service.manifest} names no endpoint that fits", loss.source),) if upstream else ()
    message = f"`{loss.target}` has no endpoint: the source's proxy answers the shadow 503 itself"
    cause = f"without endpoint {loss.source} {loss.target}"
    return loss.at_source(loss.judged.mirror.destination.host_node, message, *notes, cause=cause)
