"""Other texts that Istio's validation reads: durations, protocols, gRPC codes; each function returns a complaint."""

from __future__ import annotations

import binascii
import re
from functools import lru_cache

from mirrorlint.istio import re2
from mirrorlint.istio.ports import SNIFFED
from mirrorlint.istio.ports import protocol as parsed

_LONGEST = 1024  # bytes of a regular expression
_MILLISECOND = 10**6
_SECOND = 10**9
_UNITS = {
    "ns": 1,
    "us": 1000,
    "µs": 1000,
    "μs": 1000,
    "ms": _MILLISECOND,
    "s": _SECOND,
    "m": 60 * _SECOND,
    "h": 3600 * _SECOND,
}
_PART = rf"([0-9]+\.?[0-9]*|\.[0-9]+)({'|'.join(_UNITS)})"
_parts = re.compile(_PART).findall
_is_duration = re.compile(rf"[-+]?(?:0|(?:{_PART})+)").fullmatch


def filled(text: str) -> str:
    """Not the empty string."""
    return "" if text else "is empty"


def regex(text: str) -> str:
    """A regular expression that Istio takes (validateStringRegexp)."""
    if len(text.encode()) > _LONGEST:
        return f"is longer than {_LONGEST} bytes"
    wrong = re2.fault(text) if text else ""
    return filled(text) or (f"is not a regular expression that RE2 knows: {wrong}" if wrong else "")


def protocol(text: str) -> str:
    """A protocol that Istio knows; a field that may be empty leaves it to Istio to detect one (ValidateProtocol)."""
    return "is a protocol that Istio does not know" if parsed(text) == SNIFFED else ""


def readable_duration(text: str) -> str:
    """A duration that Go can read, of any length."""
    return "is not a duration such as `5s` or `1h30m`" if nanoseconds(text) is None else ""


def duration(text: str) -> str:
    """At least 1 ms, in whole ms (ValidateDuration)."""
    span = nanoseconds(text)
    if span is None:
        return readable_duration(text)
    if span < _MILLISECOND:
        return "is shorter than 1ms"
    return "has fractions of a millisecond" if span % _MILLISECOND else ""


def duration_or_zero(text: str) -> str:
    """A duration that 0 turns off (validateConnectionPool on `tcp.idleTimeout`)."""
    span = nanoseconds(text)
    return "" if span is not None and abs(span) < _MILLISECOND else duration(text)


def whole_seconds(text: str) -> str:
    """The age of a CORS answer (validateCORSPolicy)."""
    return duration(text) or ("has fractions of a second" if (nanoseconds(text) or 0) % _SECOND else "")


def base64(text: str) -> str:
    """Bytes in a manifest."""
    try:
        binascii.a2b_base64(text.replace("\n", "").replace("\r", ""), strict_mode=True)
    except (binascii.Error, ValueError):
        return "is not base64"
    return ""


@lru_cache(maxsize=1024)
def nanoseconds(text: str) -> int | None:
    """What Go's time.ParseDuration reads, None where it fails."""
    if not _is_duration(text):
        return None
    from decimal import Decimal  # noqa: PLC0415 - most objects have no duration

    total = sum(int(Decimal(number) * _UNITS[unit]) for number, unit in _parts(text))
    return None if total >= 2**63 else -total if text.startswith("-") else total
