"""A mirror whose percentage is 0, has no value, or is so small that Envoy rounds it to 0: nothing is mirrored."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.fleet import Manifest
from mirrorlint.istio.filters import mirror_percent, mirrors
from mirrorlint.istio.routing import millionths
from mirrorlint.level import WARNING
from mirrorlint.rule import Flaw, Subject
from mirrorlint.source import Node

LEVEL = WARNING


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at the percentage."""
    for cluster, manifest, amount, share in (*_of_virtual_services(subject), *_of_routes(subject)):
        why = ", since Envoy counts in millionths" if amount.decimal else "" if amount else ", since no `value` is given"
        yield Flaw(amount.place, f"{share} of the requests are mirrored, which is none{why}", cluster, str(manifest))


def _of_virtual_services(subject: Subject) -> Iterator[tuple[str, Manifest, Node, str]]:
    for cluster, manifest, rule in subject.http_rules():
        for amount in _percentages(rule):
            if millionths(amount.decimal) <= 0:
                yield cluster, manifest, amount, f"{amount.text or 0} %"


def _percentages(rule: Node) -> Iterator[Node]:
    """What percentages a rule gives; one without a `value` is 0 (route.go:MirrorPercent, MirrorPercentByPolicy)."""
    exact, whole = rule["mirrorPercentage"], rule["mirrorPercent"] or rule["mirror_percent"]
    if rule["mirror"] and (exact or whole):
        yield exact["value"] if exact else whole
    yield from (policy["percentage"]["value"] for policy in rule["mirrors"] if policy["percentage"])


def _of_routes(subject: Subject) -> Iterator[tuple[str, Manifest, Node, str]]:
    """What percentages and fractions the mirrors of the Gateway API give (kube/gateway/conversion.go:createMirrorFilter)."""
    for cluster, mesh in subject.own():
        for route in mesh.gateway_api.routes:
            for mirror in (mirror for rule in route.node["spec"]["rules"] for mirror in mirrors(rule)):
                fraction = mirror["fraction"]
                amount = fraction["numerator"] if fraction else mirror["percent"]
                share = f"{amount.text}/{fraction['denominator'].text or 100}" if fraction else f"{amount.text} %"
                if mirror_percent(mirror) <= 0:
                    yield cluster, route, amount, share
