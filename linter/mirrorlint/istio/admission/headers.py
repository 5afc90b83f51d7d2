"""Headers: names that may be matched or changed, and values (pkg/config/validation/header_value_validator.go)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mirrorlint.istio.admission.shape import Refusal, Shape, each, message, table, text
from mirrorlint.istio.routing import is_authority
from mirrorlint.source import Node

_is_name = re.compile(r"[!#$%&'*+-.^_`|~A-Za-z0-9]+").fullmatch
_is_claim = re.compile(r"@request\.auth\.claims(?:\..+|\[.+\])", re.IGNORECASE | re.DOTALL).fullmatch
_PSEUDO = frozenset({":method", ":scheme", ":authority", ":path", ":status"})
_ARGUMENT = r'(?:\\.|[^\\)"])*'
_ARGUMENTS = rf'\( *(?:\[ *"|[^ \[]){_ARGUMENT}(?:" *, *"{_ARGUMENT})*(?:\)|" *\] *\)) *'
_is_value = re.compile(rf"(?:[^%]|%%|%[^%(]*(?:{_ARGUMENTS})?%)*", re.DOTALL).fullmatch
_has_control = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]").search


def is_claim(name: str) -> bool:
    """Whether a header match is really one on a JWT's claim (pkg/jwt/routing_claim.go)."""
    return _is_claim(name) is not None


def matched(name: str) -> str:
    """The name of a header in a match (ValidateHTTPHeaderNameOrJwtClaimRoute)."""
    return "" if _is_name(name) or name in _PSEUDO or is_claim(name) else "is not the name of a header"


def cors(name: str) -> str:
    """The name of a header in a CORS policy (ValidateCORSHTTPHeaderName)."""
    return "" if _is_name(name) else "is not the name of a header"


def value(text: str) -> str:
    """The value that a header gets: `%` starts a variable unless doubled (ValidateHTTPHeaderValue)."""
    if _has_control(text):
        return "holds a control character"
    return "" if _is_value(text) else "has a `%` that starts no variable: a plain one is written `%%`"


def authority_set_twice(rule: Node) -> Iterator[Refusal]:
    """The Host is rewritten in one place only (validateAuthorityRewrite)."""
    current = rule["rewrite"]["authority"].text
    request = rule["headers"]["request"]
    for operation in ("set", "add"):
        for name, new in request[operation].entries():
            if not is_authority(name.text):
                continue
            if current:
                yield Refusal(new, f"the authority is set to `{new.text}` although it is already `{current}`")
            current = new.text


def _set_on_request(name: str) -> str:
    if name.startswith(":") and not is_authority(name):
        return "is a pseudo header, which no rule may set"
    return "" if name else "is empty"


def _changed(name: str) -> str:
    if name.startswith(":"):
        return "is a pseudo header, which no rule may change"
    return "names the Host, which no rule may change here" if name.lower() == "host" else "" if name else "is empty"


def _operations(added: Shape) -> Shape:
    return message({"add": added, "set": added, "remove": each(text(_changed))})


HEADERS = message(
    {
        "request": _operations(table(text(value), key=_set_on_request)),
        "response": _operations(table(text(value), key=_changed)),
    }
)
