"""A mirror whose endpoint is the ingress of no cluster at hand: what becomes of its shadows there is not judged."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from mirrorlint.delivery import reason
from mirrorlint.rule import OFF, Flaw, Subject

LEVEL = OFF


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at the endpoint."""
    known = [address for mesh in subject.delivery.meshes.values() for address in mesh.ingress_addresses]
    for judged in subject.judged:
        ends = (end for ways in judged.ways.values() for way in ways for end in way.ends if end.reason == reason.ELSEWHERE)
        for address in dict.fromkeys(end.address for end in ends if end.address):
            near = get_close_matches(address.host, known, n=1, cutoff=0.8)
            hint = f" (did you mean `{near[0]}`?)" if near else ""
            message = f"`{address.host}` is the ingress of no cluster at hand, so its shadows are followed no farther{hint}"
            yield Flaw(address.node.place, message, judged.cluster, str(judged.mirror.owner))
