"""DestinationRules (pkg/config/validation/validation.go:ValidateDestinationRule)."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.istio.admission import names
from mirrorlint.istio.admission.routes import LABELS, SELECTOR_LABELS
from mirrorlint.istio.admission.shape import TEXTS, Refusal, distinct, each, message, required, text
from mirrorlint.istio.admission.traffic_policy import POLICY, TRAFFIC_POLICY
from mirrorlint.source import Node

_CONFIG_MAP = "configmap://"


def credentials(document: Node, namespace: str) -> Iterator[Refusal]:
    """A `configmap://` credential stands in the rule's own namespace (ValidateTLS)."""
    spec = document["spec"]
    policies = [spec["trafficPolicy"], *(subset["trafficPolicy"] for subset in spec["subsets"])]
    ports = [port for policy in policies for port in policy["portLevelSettings"]]
    for policy in (*policies, *ports):
        name = policy["tls"]["credentialName"]
        owner, _, rest = name.text.removeprefix(_CONFIG_MAP).partition("/")
        if name.text.startswith(_CONFIG_MAP) and (owner != namespace or not rest.partition("/")[0]):
            yield Refusal(name, f"`credentialName: {name.text}` is not of the form `{_CONFIG_MAP}{namespace}/NAME`")


_OF_POLICY = dict.fromkeys(POLICY, "it belongs below `trafficPolicy`")
_SUBSET = message(
    {"name": text(names.label), "labels": LABELS, "trafficPolicy": TRAFFIC_POLICY},
    required("a subset needs a `name`", "name"),
    homes=_OF_POLICY,
)

SPEC = message(
    {
        "host": text(names.host),
        "trafficPolicy": TRAFFIC_POLICY,
        "subsets": each(_SUBSET),
        "exportTo": TEXTS,
        "workloadSelector": message({"matchLabels": SELECTOR_LABELS}),
    },
    required("the DestinationRule has no `host`", "host"),
    distinct("subsets", "name", what="subset of this DestinationRule"),
    homes=_OF_POLICY,
)
