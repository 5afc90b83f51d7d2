"""PeerAuthentications (pkg/config/validation/validation.go:ValidatePeerAuthentication)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mirrorlint.istio.admission.routes import SELECTOR_LABELS
from mirrorlint.istio.admission.shape import Refusal, choice, message, table
from mirrorlint.source import Node

_is_number = re.compile(r"[1-9][0-9]{0,4}").fullmatch


def _port(number: str) -> str:
    return "" if _is_number(number) and int(number) <= 65535 else "is not a number between 1 and 65535"


def _by_port(spec: Node) -> Iterator[Refusal]:
    """Modes of ports are for selected pods, whose port it is, and there is at least one."""
    ports = spec["portLevelMtls"]
    if ports and not len(ports):
        yield Refusal(ports, "`portLevelMtls` has no port")
    elif ports and not len(spec["selector"]["matchLabels"]):
        yield Refusal(
            spec.key("portLevelMtls"), "`portLevelMtls` needs a `selector` with `matchLabels`: it is for the ports of certain pods"
        )


_TLS = message({"mode": choice("UNSET", "DISABLE", "PERMISSIVE", "STRICT")})
SPEC = message(
    {"selector": message({"matchLabels": SELECTOR_LABELS}), "mtls": _TLS, "portLevelMtls": table(_TLS, key=_port)},
    _by_port,
)
