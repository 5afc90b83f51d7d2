"""A field that an object doesn't have, but that is plainly meant to be one: Kubernetes drops it without a word."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.fleet import Manifest
from mirrorlint.level import WARNING
from mirrorlint.likeness import alike
from mirrorlint.remedy import is_at_hand
from mirrorlint.rule import REPLACE, Edit, Flaw, Subject
from mirrorlint.source import Node

LEVEL = WARNING


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at the key."""
    for cluster, mesh in subject.delivery.meshes.items():
        for manifest, field in mesh.admission.pruned:
            yield _flaw(field.node, field.message, field.meant, cluster, manifest)
    for cluster, mesh in subject.own():
        for manifest in mesh.cluster.of("Service", ""):
            for key, meant in _of_service(manifest):
                message = f"Kubernetes drops `{key.text}`, which is no field here: did you mean `{meant}`?"
                yield _flaw(key, message, meant, cluster, manifest)


def _of_service(manifest: Manifest) -> Iterator[tuple[Node, str]]:
    """What stands in place of the fields that a Service can't be without: its name, and the numbers of its ports."""
    named = ((node, "port") for node in manifest.node["spec"]["ports"])
    for node, field in ((manifest.node["metadata"], "name"), *named):
        if field not in node:
            yield from ((node.key(key), field) for key, _ in node.items() if alike(key, field))


def _flaw(key: Node, message: str, meant: str, cluster: str, manifest: Manifest) -> Flaw:
    fix = (Edit(REPLACE, key, (meant,)),) if meant and is_at_hand(key) else ()
    return Flaw(key.place, message, cluster, str(manifest), fix=fix)
