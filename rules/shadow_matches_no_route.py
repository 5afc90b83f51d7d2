"""A virtual host of the target that takes the shadow's Host, but none of whose rules takes the request: 404."""

from __future__ import annotations

from mirrorlint.delivery import reason
from mirrorlint.rule import Flaw, Loss

REASONS = (reason.NO_ROUTE,)


def check(loss: Loss) -> Flaw:
    """Point at the first condition, or at the virtual host where there is none."""
    host, request = loss.end.host, loss.way.request
    asked = f"`{request.method} {request.path}` with Host `{request.host}`"
    if host is None or not host.services:
        return loss.at_source(
            loss.judged.mirror.destination.host_node, f"{asked} meets a listener of {loss.end.cluster} without HTTP routes: it is lost"
        )
    service = host.services[0]
    node, owner = next(
        ((route.match.node, route.rule.owner) for route in host.routes if route.match), (service.hosts[0].node, service.manifest)
    )
    message = f"no rule for `{host.domain}` takes {asked}: {loss.end.cluster}'s gateway answers the shadow 404"
    return loss.at_target(node, message, owner)
