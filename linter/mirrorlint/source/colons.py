"""Colons that end a plain scalar in brackets (`[2001:db8::]`): Kubernetes' parser takes them as text, libyaml refuses them.

A character that no manifest has stands in for each while libyaml reads.
"""

from __future__ import annotations

import re
from typing import Any

from mirrorlint.source.node import Raw

REFUSED = "found unexpected ':'"
_STAND_IN = "\ue000"
_COLON = re.compile(r"(?<=[^\s\"',\[\]{}]):(?=[,?\[\]{}])")


def without(text: str) -> str:
    """The text with stand-ins, of the same length; "" when there is nothing to stand in for."""
    changed = _COLON.sub(_STAND_IN, text) if _STAND_IN not in text else text
    return changed if changed != text else ""


def restored(raw: Raw, seen: dict[int, Any]) -> Raw:
    """A value with the colons put back; `seen` has the contents that were met, since aliases share them."""
    content = raw[0]
    if type(content) is str:
        return (content.replace(_STAND_IN, ":"), *raw[1:])
    if id(content) not in seen:
        if type(content) is list:
            seen[id(content)] = [restored(item, seen) for item in content]
        else:
            pairs = content.items()
            seen[id(content)] = {name.replace(_STAND_IN, ":"): (restored(key, seen), restored(value, seen)) for name, (key, value) in pairs}
    return (seen[id(content)], *raw[1:])
