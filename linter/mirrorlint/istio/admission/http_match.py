"""Conditions of HTTP rules: on path, method, headers and the like (pkg/config/validation/virtualservice.go)."""

from __future__ import annotations

from mirrorlint.istio.admission import headers, names, values
from mirrorlint.istio.admission.routes import LABELS, gateway_names
from mirrorlint.istio.admission.shape import (
    ANY_TEXT,
    FLAG,
    PORT_OR_ZERO,
    TEXTS,
    Complaint,
    Shape,
    message,
    one_of,
    or_empty,
    required,
    table,
    text,
)


def _string_match(prefix: Complaint | None = values.filled, expression: Complaint = values.regex) -> Shape:
    fields = {"exact": ANY_TEXT, "prefix": text(prefix), "regex": text(expression)}
    return message(fields, one_of("exact", "prefix", "regex"))


def _present_or_regex(text: str) -> str:
    return "" if text == "*" else values.regex(text)


_MATCHES = _string_match()
MATCH = message(
    {
        "name": ANY_TEXT,
        "uri": _string_match(prefix=None),
        "scheme": _MATCHES,
        "method": _MATCHES,
        "authority": _MATCHES,
        "headers": table(_MATCHES, key=headers.matched),
        "withoutHeaders": table(_string_match(expression=_present_or_regex), key=headers.matched),
        "queryParams": table(_MATCHES),
        "ignoreUriCase": FLAG,
        "port": PORT_OR_ZERO,
        "sourceLabels": LABELS,
        "gateways": TEXTS,
        "sourceNamespace": text(or_empty(names.label)),
        "statPrefix": ANY_TEXT,
    },
    gateway_names,
)
ORIGIN = message(
    {"exact": text(values.filled), "prefix": text(values.filled), "regex": text(values.regex)},
    one_of("exact", "prefix", "regex"),
    required("an item of `allowOrigins` has neither `exact` nor `prefix` nor `regex`", "exact", "prefix", "regex"),
)
