"""A virtual host of the target that takes the shadow's Host, but none of whose rules takes the request: 404."""

from __future__ import annotations

from mirrorlint.delivery import reason
from mirrorlint.delivery.conditions import missed
from mirrorlint.delivery.match import is_absolute
from mirrorlint.delivery.way import reached
from mirrorlint.rule import Flaw, Loss, Remark
from mirrorlint.unruled import withheld
from mirrorlint.unserved import beside

REASONS = (reason.NO_ROUTE,)


def check(loss: Loss) -> Flaw:
    """Point at the condition that the nearest rule has and the shadow does not meet, or at the rewrite that leaves it without a slash."""
    host, request = reached(loss.end.host), loss.shadow
    if not is_absolute(request.path):
        return _without_slash(loss, request.path)
    asked = f"`{request.method} {request.path}` with Host `{request.host}`"
    node, lacks, owner = missed(loss.end, request)
    mesh, roots = reached(loss.end.scope).mesh, dict.fromkeys(service.manifest for service in host.services)
    notes = (Remark(place, f"{root} lacks rules: {why}", loss.end.cluster) for root in roots for place, why, _ in withheld(mesh, root))
    message = f"no rule for `{host.domain}` takes {asked}: {loss.end.cluster}'s gateway answers the shadow 404; {lacks}"
    return loss.at_target(node, message, owner, *beside(loss), *notes)


def _without_slash(loss: Loss, path: str) -> Flaw:
    """What a rewrite makes of a path is no absolute one."""
    message = f"the path `{path}` that this rewrite makes does not begin with a slash: {loss.end.cluster}'s gateway refuses the shadow"
    return loss.at_source(loss.way.route.rule.rewrite.path, message)
