"""An object that Istio's admission, or a CRD of the Gateway API, refuses, so that the control plane never sees it."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.delivery.policy import may_be_met
from mirrorlint.kinds import GATEWAY_API, SECURITY
from mirrorlint.rule import Flaw, Subject


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at each value that admission refuses; a policy counts where it is for gateways that shadows come to."""
    targets = {end.cluster for judged in subject.judged for way in judged.every_way() for end in way.met}
    for cluster, mesh in subject.delivery.meshes.items():
        for manifest, refusals in mesh.admission.refused.items():
            if manifest.group == SECURITY and not (cluster in targets and may_be_met(manifest, subject.delivery.ingress(cluster))):
                continue
            who = "Kubernetes" if manifest.group == GATEWAY_API else "Istio"
            for refusal in refusals:
                message = f"{who} refuses {manifest}, so it never takes effect: {refusal.message}"
                yield Flaw(refusal.node.place, message, cluster, str(manifest))
