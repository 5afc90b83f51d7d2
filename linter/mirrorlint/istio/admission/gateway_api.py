"""HTTPRoutes, GRPCRoutes and Gateways of the Gateway API, as far as they decide on shadows; its CRDs alone refuse them, Istio does not.

Known are the fields that some CRD of v1.0 to v1.6 has, of either channel; refused is what each of these refuses that has the field
(kubernetes-sigs/gateway-api, config/crd/standard and config/crd/experimental, gateway.networking.k8s.io_*.yaml).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from mirrorlint.istio.admission import values
from mirrorlint.istio.admission.shape import (
    ANY_TEXT,
    ANYTHING,
    INT32,
    PERCENT,
    PORT,
    TEXTS,
    Complaint,
    Refusal,
    Shape,
    choice,
    distinct,
    each,
    given,
    message,
    one_of,
    required,
    table,
    text,
    whole,
)
from mirrorlint.source import Node

_LABEL = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(?:\.{_LABEL})*"
_FIELDS = {
    "RequestHeaderModifier": "requestHeaderModifier",
    "ResponseHeaderModifier": "responseHeaderModifier",
    "RequestMirror": "requestMirror",
    "RequestRedirect": "requestRedirect",
    "URLRewrite": "urlRewrite",
    "ExtensionRef": "extensionRef",
}
_SHARE = ("percent", "fraction")
_PLAIN = ("HTTP", "TCP", "UDP")


def _of(pattern: str, complaint: str) -> Complaint:
    fits = re.compile(pattern).fullmatch
    return lambda text: "" if fits(text) and len(text) <= 253 else complaint


def _belongs(where: str, *names: str) -> dict[str, str]:
    return dict.fromkeys(names, f"it belongs {where}")


_NONE: Mapping[str, str] = {}
_message = partial(message, homes=_NONE)
_NAME = text(values.filled)
_NAMESPACE = text(_of(_LABEL, "is not the name of a namespace: those have lower-case letters, digits and `-`"))
_SECTION = text(_of(_SUBDOMAIN, "is not the name of a listener: those have lower-case letters, digits, `-` and `.`"))
_DOMAIN = text(_of(_SUBDOMAIN, "is not a host name in lower case"))
_HOSTNAME = text(_of(rf"(?:\*\.)?{_SUBDOMAIN}", "is not a host name in lower case, nor `*.` with one behind it"))


def _reference(homes: Mapping[str, str] = _NONE, **more: Shape) -> Shape:
    fields = {"group": ANY_TEXT, "kind": ANY_TEXT, "name": _NAME, "namespace": _NAMESPACE, **more}
    return message(fields, required("a reference needs a `name`", "name"), homes=homes)


def _at_most_all(fraction: Node) -> Iterator[Refusal]:
    whole = fraction["denominator"].number if fraction["denominator"] else 100
    if fraction["numerator"].number > whole:
        yield Refusal(fraction["numerator"], f"`numerator: {fraction['numerator'].text}` is more than the denominator, {whole}")


def _of_its_type(item: Node) -> Iterator[Refusal]:
    """A filter has the field that its type asks for, and none of another type."""
    said = item["type"]
    field = _FIELDS.get(said.text)
    if field and not given(item, field):
        yield Refusal(said, f"`type: {said.text}` needs `{field}`")
    for other in _FIELDS.values() if field else ():
        if other != field and given(item, other):
            yield Refusal(item.key(other), f"`{other}` stands in a filter of `type: {said.text}`")


def _path(path: Node) -> Iterator[Refusal]:
    value = path["value"]
    if path["type"].text != "RegularExpression" and value and not value.text.startswith("/"):
        yield Refusal(value, f"`value: {value.text}` does not start with `/`")


def _redirect_alone(rule: Node) -> Iterator[Refusal]:
    redirect = next((item for item in rule["filters"] if given(item, "requestRedirect")), None)
    if redirect and given(rule, "backendRefs"):
        yield Refusal(
            rule.key("backendRefs"), "`backendRefs` stand beside a filter of `type: RequestRedirect`: a rule has only one of them"
        )


def _tls(listener: Node) -> Iterator[Refusal]:
    spoken = listener["protocol"].text
    if spoken in _PLAIN and given(listener, "tls"):
        yield Refusal(listener.key("tls"), f"`tls` is set on a listener of `protocol: {spoken}`")


_FRACTION = _message(
    {"numerator": whole(0, INT32[1]), "denominator": whole(1, INT32[1])},
    required("`fraction` needs a `numerator`", "numerator"),
    _at_most_all,
)
_MIRROR = message(
    {"backendRef": _reference(_belongs("beside `backendRef`", *_SHARE), port=PORT), "percent": PERCENT, "fraction": _FRACTION},
    required("`requestMirror` needs a `backendRef`", "backendRef"),
    one_of(*_SHARE),
    homes=_belongs("below `backendRef`", "group", "kind", "name", "namespace", "port"),
)
_HEADER = _message(
    {"name": _NAME, "value": _NAME}, required("a header needs a `name`", "name"), required("a header needs a `value`", "value")
)
_HEADERS = _message({"set": each(_HEADER), "add": each(_HEADER), "remove": TEXTS})
_NEW_PATH = _message(
    {"type": choice("ReplaceFullPath", "ReplacePrefixMatch"), "replaceFullPath": ANY_TEXT, "replacePrefixMatch": ANY_TEXT},
    required("`path` needs a `type`", "type"),
)
_REWRITE = {"hostname": _DOMAIN, "path": _NEW_PATH}
_GRPC_FILTERS = {
    "requestHeaderModifier": _HEADERS,
    "responseHeaderModifier": _HEADERS,
    "requestMirror": _MIRROR,
    "extensionRef": ANYTHING,
}
_HTTP_FILTERS = {
    **_GRPC_FILTERS,
    "requestRedirect": _message({**_REWRITE, "scheme": choice("http", "https"), "port": PORT, "statusCode": ANYTHING}),
    "urlRewrite": _message(_REWRITE),
    "cors": ANYTHING,
    "externalAuth": ANYTHING,
}
_MATCHES = choice("Exact", "RegularExpression")
_CONDITION = _message(
    {"type": _MATCHES, "name": _NAME, "value": _NAME},
    required("a condition needs a `name`", "name"),
    required("a condition needs a `value`", "value"),
)
_HTTP_MATCH = {
    "path": _message({"type": choice("Exact", "PathPrefix", "RegularExpression"), "value": ANY_TEXT}, _path),
    "headers": each(_CONDITION),
    "queryParams": each(_CONDITION),
    "method": choice("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"),
}
_GRPC_MATCH = {
    "method": _message({"type": _MATCHES, "service": ANY_TEXT, "method": ANY_TEXT}),
    "headers": each(_CONDITION),
}


def _route(types: Iterable[str], filters: Mapping[str, Shape], match: Mapping[str, Shape], **more: Shape) -> Shape:
    """A route's spec, given the types and fields of its filters, the conditions of a match, and what else its rules have."""
    item = message(
        {"type": choice(*types), **filters},
        required("a filter needs a `type`", "type"),
        _of_its_type,
        homes=_belongs("below `requestMirror`", "backendRef", *_SHARE),
    )
    rule = message(
        {
            "name": ANY_TEXT,
            "matches": each(_message(match)),
            "filters": each(item),
            "backendRefs": each(_reference(port=PORT, weight=whole(0, 10**6), filters=each(item))),
            "sessionPersistence": ANYTHING,
            **more,
        },
        _redirect_alone,
        homes={**_belongs("into an item of `matches`", *match), **_belongs("into an item of `filters`", *filters)},
    )
    return message(
        {
            "parentRefs": each(_reference(sectionName=_SECTION, port=PORT)),
            "hostnames": each(_HOSTNAME),
            "rules": each(rule),
            "useDefaultGateways": ANYTHING,
        },
        homes=_belongs("into an item of `rules`", "matches", "filters", "backendRefs"),
    )


HTTP_ROUTE = _route((*_FIELDS, "CORS", "ExternalAuth"), _HTTP_FILTERS, _HTTP_MATCH, timeouts=ANYTHING, retry=ANYTHING)
GRPC_ROUTE = _route([name for name, field in _FIELDS.items() if field in _GRPC_FILTERS], _GRPC_FILTERS, _GRPC_MATCH)

_EXPRESSION = _message(
    {"key": ANY_TEXT, "operator": ANY_TEXT, "values": TEXTS},
    required("an expression needs a `key`", "key"),
    required("an expression needs an `operator`", "operator"),
)
_ALLOWED = message(
    {
        "namespaces": _message(
            {
                "from": choice("All", "Selector", "Same"),
                "selector": _message({"matchLabels": table(ANY_TEXT), "matchExpressions": each(_EXPRESSION)}),
            }
        ),
        "kinds": each(_message({"group": ANY_TEXT, "kind": _NAME}, required("an item of `kinds` needs a `kind`", "kind"))),
    },
    homes=_belongs("below `namespaces`", "from", "selector"),
)
_LISTENER = message(
    {
        "name": _SECTION,
        "hostname": _HOSTNAME,
        "port": PORT,
        "protocol": ANY_TEXT,
        "tls": _message(
            {
                "mode": choice("Terminate", "Passthrough"),
                "certificateRefs": each(_reference()),
                "options": table(ANY_TEXT),
                "frontendValidation": ANYTHING,
            }
        ),
        "allowedRoutes": _ALLOWED,
    },
    required("a listener needs a `name`", "name"),
    required("a listener needs a `port`", "port"),
    required("a listener needs a `protocol`", "protocol"),
    _tls,
    homes=_belongs("below `allowedRoutes`", "namespaces", "kinds"),
)


def _classified(spec: Node) -> Iterator[Refusal]:
    """A Gateway has a class; what has no listeners may be a part of one, as patches are."""
    if spec["listeners"] and not given(spec, "gatewayClassName"):
        yield Refusal(spec, "a Gateway needs a `gatewayClassName`")


GATEWAY = message(
    {
        "gatewayClassName": _NAME,
        "listeners": each(_LISTENER),
        "addresses": each(_message({"type": ANY_TEXT, "value": ANY_TEXT})),
        "infrastructure": _message({"annotations": table(ANY_TEXT), "labels": table(ANY_TEXT), "parametersRef": ANYTHING}),
        "allowedListeners": ANYTHING,
        "backendTLS": ANYTHING,
        "defaultScope": ANYTHING,
        "tls": ANYTHING,
    },
    _classified,
    distinct("listeners", "name", what="listener of this Gateway"),
    homes={
        **_belongs("into an item of `listeners`", "port", "protocol", "hostname", "allowedRoutes"),
        **_belongs("to Gateways of `apiVersion: networking.istio.io/v1`", "servers", "selector"),
    },
)
