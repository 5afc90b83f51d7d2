"""An AuthorizationPolicy of the target's gateway that does not let the shadow through: 403."""

from __future__ import annotations

from mirrorlint.delivery import reason
from mirrorlint.delivery.way import reached
from mirrorlint.rule import Flaw, Loss

REASONS = (reason.DENIED,)


def check(loss: Loss) -> Flaw:
    """Point at the rule that denies, or at what those that allow ask for first."""
    end, asked = loss.end, loss.shadow
    message = f"{end.cluster}'s gateway answers the shadow 403: `{asked.method} {asked.path}` with Host `{asked.host}` is"
    verdict = reached(end.policy)
    policy, node = reached(verdict.policy), reached(verdict.node)
    denied = policy.node["spec"]["action"].text == "DENY"
    why = f"denied by {policy}" if denied else f"allowed by no rule of {policy}"
    return loss.at_target(node, f"{message} {why}", policy)
