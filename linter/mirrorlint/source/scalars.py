"""What a scalar means to Kubernetes, which reads YAML with go-yaml (go.yaml.in/yaml/v2, resolve.go) as JSON."""

from __future__ import annotations

import base64
import math
import re
import struct
from functools import lru_cache

Scalar = str | int | float | bool | None

NULLS = frozenset({"", "~", "null", "Null", "NULL"})
STANDARD = "tag:yaml.org,2002:"

_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(NULLS, None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_NUMERIC = frozenset("0123456789+-.")
_INTEGER = re.compile(r"([+-]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]{0,19}))")
_BASES = {2: 16, 3: 2, 4: 8, 5: 10}
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_DOTTED = re.compile(r"\.[0-9_]+(?:[eE][-+]?[0-9_]+)?")
_KINDS: dict[str, type] = {"int": int, "float": float, "bool": bool, "null": type(None)}


def typed(text: str, tag: bool | str) -> Scalar:
    """A scalar's value; `tag` is True for a plain one, False for one that is a string by its style, else its tag.

    Raises ValueError when the text is not of the tag's type.
    """
    if tag is True:
        return plain(text)
    return text if tag is False else _tagged(text, tag)


def plain(text: str) -> Scalar:
    """The value of an unquoted scalar: `12:30` and dates are strings, `0777` is octal, `_` may part digits."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC:
        return text
    number = _dotted(text) if text[0] == "." else _number(text.replace("_", ""))
    return text if number is None else number


def is_null(text: str, tag: bool | str) -> bool:
    """Whether the scalar is null, written or left out."""
    return text in NULLS and (tag is True or tag == STANDARD + "null")


def key_name(value: Scalar) -> str:
    """A mapping key as the string that sigs.k8s.io/yaml makes of it; null has none (ValueError)."""
    if isinstance(value, str):
        return value
    if value is None:
        raise ValueError
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else _single_precision(value)


@lru_cache(maxsize=4096)
def _number(bare: str) -> int | float | None:
    match = _INTEGER.fullmatch(bare)
    if match:
        group = match.lastindex or 0
        value = int(match[group], _BASES[group])
        if value < 1 << (63 if match[1] else 64) or (match[1] == "-" and value == 1 << 63):
            return -value if match[1] == "-" else value
    return _finite(bare) if _FLOAT.fullmatch(bare) else None


def _dotted(text: str) -> float | None:
    return _finite(text) if _DOTTED.fullmatch(text) else None


def _finite(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return None if math.isinf(value) else value


def _tagged(text: str, tag: str) -> Scalar:
    kind = tag.removeprefix(STANDARD)
    if kind == "binary":
        return base64.b64decode("".join(text.split("\n")), validate=True).decode("utf-8", "replace")
    if kind not in _KINDS or kind == tag:
        return text
    value = plain(text)
    if kind == "float" and type(value) is int:
        value = float(value)
    if type(value) is not _KINDS[kind]:
        raise ValueError
    return value


def _single_precision(value: float) -> str:
    """Go's strconv.FormatFloat(value, 'g', -1, 32): the fewest digits that give the same float32."""
    if math.isnan(value):
        return ".nan"
    packed = struct.pack("f", value)
    (single,) = struct.unpack("f", packed)
    if math.isinf(single):
        return ".inf" if single > 0 else "-.inf"
    digits = next(d for d in range(9) if struct.pack("f", float(f"{single:.{d}e}")) == packed)
    scientific = f"{single:.{digits}e}"
    exponent = int(scientific.partition("e")[2])
    return f"{single:.{max(digits - exponent, 0)}f}" if -5 < exponent < 6 else scientific
