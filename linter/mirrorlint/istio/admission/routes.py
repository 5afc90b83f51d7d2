"""What HTTP, TLS and TCP routes share: destinations, weights, and the gateways that they are bound to."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.istio.admission import names
from mirrorlint.istio.admission.shape import (
    COUNT,
    PORT,
    PORT_OR_ZERO,
    TEXTS,
    Refusal,
    Rule,
    Shape,
    each,
    given,
    message,
    or_empty,
    required,
    table,
    text,
)
from mirrorlint.source import Node

LABELS = table(text(names.label_value), key=names.label_key)
_GATEWAY = text(names.gateway_name)
SELECTOR_LABELS = table(text(names.selector_value), key=names.selector_key)


def _hosted(node: Node) -> Iterator[Refusal]:
    """A destination names a host (validateDestination); what is below a key of its own is dropped before."""
    if given(node, "host"):
        return
    if node["destination"]["host"]:
        yield Refusal(node.key("destination"), "here `host` and `port` are written directly, without `destination`")
    else:
        yield Refusal(node, "a destination without `host` leads nowhere")


DESTINATION = message(
    {
        "host": text(names.destination_host),
        "subset": text(or_empty(names.label)),
        "port": message({"number": PORT}, required("a destination's `port` has no `number`", "number")),
    },
    _hosted,
)


def gateway_names(node: Node) -> Iterator[Refusal]:
    """The `gateways` up to the first that has no namespace: Istio checks no further (validateGatewayNames)."""
    for gateway in node["gateways"]:
        yield from _GATEWAY.refusals(gateway, "gateways")
        if "/" not in gateway.text:
            return


def route_destination(**more: Shape) -> Shape:
    """An item of a `route` list."""
    fields = {"destination": DESTINATION, "weight": COUNT, **more}
    return message(fields, required("a destination is required in each item of `route`", "destination"))


def weights(route: Node) -> Iterator[Refusal]:
    """Several destinations share more than a weight of 0 (validateHTTPRouteDestinations)."""
    destinations = route["route"]
    if len(destinations) > 1 and not any(item["weight"].number for item in destinations):
        yield Refusal(destinations.at(0), "the weights of the destinations add up to 0")


def l4_match(*rules: Rule, **more: Shape) -> Shape:
    """A condition of a TCP or TLS route."""
    fields = {
        "destinationSubnets": each(text(names.subnet)),
        "port": PORT_OR_ZERO,
        "sourceLabels": LABELS,
        "gateways": TEXTS,
        **more,
    }
    return message(fields, gateway_names, *rules)
