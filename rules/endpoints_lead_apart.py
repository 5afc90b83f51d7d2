"""A mirror whose endpoints lead to different places, only some of them to the target's ingress."""

from __future__ import annotations

from mirrorlint.delivery import reason
from mirrorlint.delivery.way import reached
from mirrorlint.rule import Flaw, Loss, Remark

REASONS = (reason.MIXED,)


def check(loss: Loss) -> Flaw:
    """Point at the mirror's host, and note each endpoint."""
    ends = [(reached(end.address).node, f"to {end.cluster}" if end.cluster else "elsewhere") for end in loss.way.ends]
    notes = [Remark(node, f"leads {whither}", loss.source) for node, whither in ends]
    message = f"only some endpoints of `{loss.target}` are an ingress of a cluster at hand: the others' share of the shadows goes elsewhere"
    return loss.at_source(loss.judged.mirror.destination.host_node, message, *notes)
