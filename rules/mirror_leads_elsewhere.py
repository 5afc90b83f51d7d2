"""A mirror whose endpoint is the ingress of no cluster at hand: what becomes of its shadows there is not judged."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.delivery import reason
from mirrorlint.delivery.way import reached
from mirrorlint.level import OFF
from mirrorlint.likeness import TYPO, suggestion
from mirrorlint.rule import Flaw, Remark, Subject

LEVEL = OFF


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at the endpoint, unless settings call it external."""
    known = [address for mesh in subject.delivery.meshes.values() for address in mesh.entrances.addresses]
    for judged in subject.judged:
        mesh = subject.delivery.meshes[judged.cluster]
        leaving = [(way, end) for way in judged.every_way() for end in way.ends if end.reason == reason.ELSEWHERE]
        for address, upstream in {reached(end.address): reached(way.upstream) for way, end in leaving}.items():
            if not mesh.is_external(address.host, upstream.service.host):
                near = suggestion(address.host, known, TYPO)
                message = f"`{address.host}` is the ingress of no cluster at hand, so shadows are followed no farther than this{near}"
                mirror = Remark(judged.mirror.destination.host_node, "the shadows of this mirror go there", judged.cluster)
                yield Flaw(address.node.place, message, judged.cluster, str(upstream.service.manifest), (mirror,), likewise=mirror)
