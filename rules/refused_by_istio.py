"""An object that Istio's admission refuses, so that the control plane never sees it."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.rule import Flaw, Subject


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at each value that admission refuses."""
    for cluster, mesh in subject.delivery.meshes.items():
        for manifest, refusals in mesh.refused.items():
            for refusal in refusals:
                yield Flaw(
                    refusal.node.place, f"Istio refuses {manifest}, so it never takes effect: {refusal.message}", cluster, str(manifest)
                )
