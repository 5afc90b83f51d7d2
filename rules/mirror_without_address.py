"""A mirror to a host that is reached only where the caller connected to: a shadow has no such connection."""

from __future__ import annotations

from mirrorlint.delivery import reason
from mirrorlint.delivery.way import reached
from mirrorlint.rule import Flaw, Loss, Remark

REASONS = (reason.ORIGINAL_DESTINATION,)


def check(loss: Loss) -> Flaw:
    """Point at the mirror's host, and note what decides it: the resolution, or a DestinationRule's load balancer."""
    upstream = reached(loss.way.upstream)
    service, rule, field = upstream.service, upstream.passing_through, reached(upstream.original_destination)
    kind = "headless" if service.kubernetes else "`resolution: NONE`" + ("" if field else ", the default,")
    kind = "balanced by `PASSTHROUGH`" if rule else kind
    message = f"`{loss.target}` is {kind} and gives a shadow no address: Envoy answers it 503 itself"
    decides = (rule or service).manifest
    note = Remark(field, f"{decides} {'decides it' if field else 'says no `resolution`'}", loss.source)
    cause = f"without address {loss.source} {loss.way.target[0]}"
    return loss.at_source(loss.judged.mirror.destination.host_node, message, note, cause=cause)
