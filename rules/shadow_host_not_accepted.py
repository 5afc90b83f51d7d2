"""A Host that no virtual host of the target's gateway covers: the shadow is answered 404."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.delivery import reason
from mirrorlint.delivery.way import reached
from mirrorlint.istio.names import subset_of, without_port
from mirrorlint.remedy import NO_EDITS
from mirrorlint.remedy.hosts import accepting
from mirrorlint.rule import Edit, Flaw, Loss, Remark
from mirrorlint.source import Node
from mirrorlint.unheard import unselected
from mirrorlint.unserved import misspelt_rewrite, overlooked_taker, unserved

REASONS = (reason.NO_VIRTUAL_HOST,)


def check(loss: Loss) -> Flaw:
    """Point at the VirtualService or Gateway that would have to accept the Host."""
    end, host = loss.end, loss.shadow.host
    message = f"no virtual host of {end.cluster}'s gateway accepts `{without_port(host)}`, the shadow's Host: it is answered 404"
    node, why, owner = unserved(reached(end.scope), reached(end.chain).servers, host)
    notes = (Remark(place, said, end.cluster) for place, said in _selecting_others(loss))
    return loss.at_target(node, f"{message}; {why}", owner, *misspelt_rewrite(loss), *notes)


def fix(loss: Loss) -> tuple[Edit, ...]:
    """List the Hosts, unless the one that the source writes may be misspelt, or is listed where the control plane does not look."""
    listed = overlooked_taker(reached(loss.end.scope), reached(loss.end.chain).servers, loss.shadow.host)
    return NO_EDITS if listed or misspelt_rewrite(loss) else accepting(loss)


def _selecting_others(loss: Loss) -> Iterator[tuple[Node, str]]:
    """The selectors for which Gateways don't accept the Host, though a VirtualService that takes it is bound to them."""
    scope, name = reached(loss.end.scope), without_port(loss.shadow.host).lower()
    takers = [service for service in scope.mesh.virtual_services if any(subset_of(name, host.name.lower()) for host in service.hosts)]
    bound = {gateway for service in takers for gateway in service.gateways}
    for node, why, gateway in unselected(scope, reached(loss.end.address), name):
        if gateway.name in bound:
            yield node, why
