"""An object that Istio's admission, or a CRD of the Gateway API, refuses, so that the control plane never sees it."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.delivery.ending import services_at
from mirrorlint.delivery.policy import may_be_met
from mirrorlint.fleet import Manifest
from mirrorlint.kinds import GATEWAY_API, SECURITY
from mirrorlint.rule import Flaw, Subject


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at each value that admission refuses; a policy counts where it is for gateways, or pods behind them, that shadows come to."""
    for cluster, mesh in subject.delivery.meshes.items():
        for manifest, refusals in mesh.admission.refused.items():
            if manifest.group == SECURITY and not _is_met(manifest, cluster, subject):
                continue
            who = "Kubernetes" if manifest.group == GATEWAY_API else "Istio"
            for refusal in refusals:
                message = f"{who} refuses {manifest}, so it never takes effect: {refusal.message}"
                yield Flaw(refusal.node.place, message, cluster, str(manifest))


def _is_met(policy: Manifest, cluster: str, subject: Subject) -> bool:
    """Whether a policy may be for what shadows come to: PeerAuthentications are for the pods behind gateways alone."""
    if policy.kind == "PeerAuthentication":
        ends = (end for _, _, end in subject.arrivals() if end.cluster == cluster)
        near = {service.namespace for end in ends for service in services_at(end)}
        return policy.namespace in near or (bool(near) and policy.namespace == subject.delivery.meshes[cluster].root_namespace)
    met = any(end.cluster == cluster for judged in subject.judged for way in judged.every_way() for end in way.met)
    return met and may_be_met(policy, subject.delivery.ingress(cluster))
