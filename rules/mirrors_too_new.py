"""`mirrors` in a cluster whose Istio is older than 1.20: the field is accepted and nothing is mirrored."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.delivery.worlds import reads_mirrors
from mirrorlint.rule import Flaw, Subject


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at the key, where the version is known."""
    for cluster, manifest, rule in subject.http_rules():
        version = subject.delivery.meshes[cluster].sending_version
        if not reads_mirrors(version) and len(rule["mirrors"]):
            message = f"Istio {version} of {cluster} passes over `mirrors`, which 1.20 brought: nothing is mirrored"
            yield Flaw(rule.key("mirrors").place, message, cluster, str(manifest))
