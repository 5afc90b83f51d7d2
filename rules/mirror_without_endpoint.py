"""A mirror to an entry that has no endpoint: the shadow is answered 503 inside the source's proxy."""

from __future__ import annotations

from mirrorlint.delivery import reason
from mirrorlint.istio.services import NONE, Service
from mirrorlint.rule import Flaw, Loss, Remark

REASONS = (reason.NO_ENDPOINT,)


def check(loss: Loss) -> Flaw:
    """Point at the mirror's host, and note the entry, or its resolution: of NONE a gateway gets no endpoint (endpoint_builder.go)."""
    notes = (_lacking(loss.way.upstream.service, loss.source),) if loss.way.upstream else ()
    message = f"`{loss.target}` has no endpoint: the source's proxy answers the shadow 503 itself"
    cause = f"without endpoint {loss.source} {loss.target}"
    return loss.at_source(loss.judged.mirror.destination.host_node, message, *notes, cause=cause)


def _lacking(service: Service, cluster: str) -> Remark:
    if service.resolution == NONE:
        field = service.manifest.node["spec"]["resolution"]
        said = "has `resolution: NONE`," if field else "has `resolution: NONE`, the default,"
        return Remark(field or service.node, f"{service.manifest} {said} which gives a gateway no endpoint", cluster)
    return Remark(service.node, f"{service.manifest} names no endpoint that fits", cluster)
