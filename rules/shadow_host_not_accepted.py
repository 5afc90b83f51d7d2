"""A Host that no virtual host of the target's gateway covers: the shadow is answered 404."""

from __future__ import annotations

from mirrorlint.delivery import reason
from mirrorlint.delivery.way import reached
from mirrorlint.istio.names import without_port
from mirrorlint.remedy import NO_EDITS
from mirrorlint.remedy.hosts import accepting
from mirrorlint.rule import Edit, Flaw, Loss
from mirrorlint.unheard import selecting_others
from mirrorlint.unserved import misspelt_rewrite, overlooked_taker, unserved

REASONS = (reason.NO_VIRTUAL_HOST,)


def check(loss: Loss) -> Flaw:
    """Point at the VirtualService or Gateway that would have to accept the Host."""
    end, host = loss.end, loss.shadow.host
    message = f"no virtual host of {end.cluster}'s gateway accepts `{without_port(host)}`, the shadow's Host: it is answered 404"
    node, why, owner = unserved(reached(end.scope), reached(end.chain).servers, host)
    return loss.at_target(node, f"{message}; {why}", owner, *misspelt_rewrite(loss), *selecting_others(loss))


def fix(loss: Loss) -> tuple[Edit, ...]:
    """List the Hosts, unless the one that the source writes may be misspelt, or is listed where the control plane does not look."""
    listed = overlooked_taker(reached(loss.end.scope), reached(loss.end.chain).servers, loss.shadow.host)
    return NO_EDITS if listed or misspelt_rewrite(loss) else accepting(loss)
