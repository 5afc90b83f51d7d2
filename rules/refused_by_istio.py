"""An object that Istio's admission, or a CRD of the Gateway API, refuses, so that the control plane never sees it."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.kinds import GATEWAY_API
from mirrorlint.rule import Flaw, Subject


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at each value that admission refuses."""
    for cluster, mesh in subject.delivery.meshes.items():
        for manifest, refusals in mesh.refused.items():
            who = "Kubernetes" if manifest.group == GATEWAY_API else "Istio"
            for refusal in refusals:
                message = f"{who} refuses {manifest}, so it never takes effect: {refusal.message}"
                yield Flaw(refusal.node.place, message, cluster, str(manifest))
