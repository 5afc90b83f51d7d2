"""A field that Istio's objects don't have, but that is plainly meant to be one: Kubernetes drops it without a word."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.level import WARNING
from mirrorlint.remedy import is_at_hand
from mirrorlint.rule import REPLACE, Edit, Flaw, Subject

LEVEL = WARNING


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at the key."""
    for cluster, mesh in subject.delivery.meshes.items():
        for manifest, field in mesh.pruned:
            fix = (Edit(REPLACE, field.node, (field.meant,)),) if field.meant and is_at_hand(field.node) else ()
            yield Flaw(field.node.place, field.message, cluster, str(manifest), fix=fix)
