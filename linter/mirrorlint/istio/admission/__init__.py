"""What Istio's admission or a CRD of the Gateway API refuses: an object with a refusal never reaches the control plane."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from mirrorlint.istio.admission import (
    authorization_policy,
    destination_rule,
    export_to,
    gateway,
    gateway_api,
    peer_authentication,
    service_entry,
    sidecar,
    virtual_service,
)
from mirrorlint.istio.admission.shape import ANY_TEXT, Refusal, Shape, message, table
from mirrorlint.kinds import GATEWAY_API, NETWORKING, SECURITY
from mirrorlint.source import Node

__all__ = ["KINDS", "Refusal", "judged"]


class _Kind(NamedTuple):
    """What the spec looks like, and the rules that need more than the spec: the whole object and its namespace."""

    spec: Shape
    rules: tuple[Callable[[Node, str], Iterator[Refusal]], ...] = ()


# The kinds that are judged, by their groups.
KINDS = {
    (NETWORKING, "VirtualService"): _Kind(virtual_service.SPEC, (export_to.refusals,)),
    (NETWORKING, "ServiceEntry"): _Kind(service_entry.SPEC, (export_to.refusals, service_entry.no_waypoint)),
    (NETWORKING, "DestinationRule"): _Kind(destination_rule.SPEC, (export_to.refusals, destination_rule.credentials)),
    (NETWORKING, "Gateway"): _Kind(gateway.SPEC, (gateway.label_name,)),
    (NETWORKING, "Sidecar"): _Kind(sidecar.SPEC),
    (NETWORKING, "WorkloadEntry"): _Kind(service_entry.WORKLOAD),
    (SECURITY, "AuthorizationPolicy"): _Kind(authorization_policy.SPEC),
    (SECURITY, "PeerAuthentication"): _Kind(peer_authentication.SPEC),
    (GATEWAY_API, "HTTPRoute"): _Kind(gateway_api.HTTP_ROUTE),
    (GATEWAY_API, "GRPCRoute"): _Kind(gateway_api.GRPC_ROUTE),
    (GATEWAY_API, "Gateway"): _Kind(gateway_api.GATEWAY),
}
# Istio's own marks, and one that is for AuthorizationPolicies alone (validateMetadata).
_ANNOTATIONS = (
    "istio.io/dry-run",
    "internal.istio.io/webhook-always-reject",
    "internal.istio.io/parents",
    "internal.istio.io/parent-namespace",
)
_LONGEST = 300
_MARKS = table(ANY_TEXT)
_METADATA = message({"name": ANY_TEXT, "namespace": ANY_TEXT, "labels": _MARKS, "annotations": _MARKS})


def judged(document: Node, namespace: str) -> Iterator[Refusal]:
    """Each reason why the API server, or Istio's webhook, refuses an object of `namespace`; none for other kinds.

    And each field that the API server drops where it is plain which one was meant. Of a value that is refused nothing more is said: one
    that is of the wrong type would be misread.
    """
    kind = KINDS.get((document["apiVersion"].text.rpartition("/")[0], document["kind"].text))
    told: set[Node] = set()
    for found in _refusals(document, namespace, kind) if kind else ():
        if found.node not in told:
            yield found._replace(message=_shortened(found.message))
        if not (found.pruned or found.since):
            told.add(found.node)


def _shortened(message: str) -> str:
    from textwrap import shorten  # noqa: PLC0415 - most objects are taken

    return shorten(message, _LONGEST, placeholder="...")


def _refusals(document: Node, namespace: str, kind: _Kind) -> Iterator[Refusal]:
    yield from (found for found in _METADATA.refusals(document["metadata"], "metadata") if not found.pruned)
    if document["apiVersion"].text.startswith(f"{NETWORKING}/"):
        yield from _reserved(document["metadata"]["annotations"])
    spec = document["spec"]
    if spec and not spec.is_mapping:
        yield Refusal(spec, "`spec` is not a mapping")
        return
    yield from kind.spec.refusals(spec, "spec")
    for rule in kind.rules:
        yield from rule(document, namespace)


def _reserved(annotations: Node) -> Iterator[Refusal]:
    for name in _ANNOTATIONS if annotations else ():
        if name in annotations:
            yield Refusal(annotations.key(name), f"the annotation `{name}` is not for objects of this kind")
