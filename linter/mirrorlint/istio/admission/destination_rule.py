"""DestinationRules (pkg/config/validation/validation.go:ValidateDestinationRule)."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.istio.admission import names
from mirrorlint.istio.admission.routes import LABELS, SELECTOR_LABELS
from mirrorlint.istio.admission.shape import TEXTS, Each, Message, Refusal, Text, required
from mirrorlint.istio.admission.traffic_policy import TRAFFIC_POLICY
from mirrorlint.source import Node


def _distinct_subsets(spec: Node) -> Iterator[Refusal]:
    seen: set[str] = set()
    for subset in spec["subsets"]:
        name = subset["name"]
        if name.text in seen:
            yield Refusal(name, f"`name: {name.text}` is taken by another subset of this DestinationRule")
        seen.add(name.text)


_SUBSET = Message(
    {"name": Text(names.label), "labels": LABELS, "trafficPolicy": TRAFFIC_POLICY},
    required("a subset needs a `name`", "name"),
)

SPEC = Message(
    {
        "host": Text(names.host),
        "trafficPolicy": TRAFFIC_POLICY,
        "subsets": Each(_SUBSET),
        "exportTo": TEXTS,
        "workloadSelector": Message({"matchLabels": SELECTOR_LABELS}),
    },
    required("the DestinationRule has no `host`", "host"),
    _distinct_subsets,
)
