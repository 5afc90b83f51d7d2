"""Patterns of paths, as Argo CD matches them."""

from __future__ import annotations

import re
from functools import cache

_BRACES = re.compile(r"\{([^{}]*)\}")


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    found = ""
    position = 0
    while position < len(pattern):
        if pattern.startswith("**/", position):
            found, position = found + "(?:.*/)?", position + 3
        elif pattern.startswith("**", position):
            found, position = found + ".*", position + 2
        else:
            character = pattern[position]
            found += {"*": "[^/]*", "?": "[^/]"}.get(character, re.escape(character))
            position += 1
    return re.compile(found)


def matches(pattern: str, path: str) -> bool:
    """Whether a relative path fits a pattern: `*` stays inside of a folder's name, `**` does not, `{a,b}` is either."""
    braces = _BRACES.search(pattern)
    if braces:
        return any(matches(pattern[: braces.start()] + one + pattern[braces.end() :], path) for one in braces[1].split(","))
    return _compiled(pattern).fullmatch(path) is not None
