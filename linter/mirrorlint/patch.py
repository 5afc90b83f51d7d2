"""Unified diffs that `git apply` takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import unified_diff

_LINE = re.compile(r"[^\n]*\n|[^\n]+")  # Git ends lines here alone: a carriage return is part of a line
_UNPRINTABLE = re.compile(r'[\x00-\x1f"\\\x7f]')
_NO_BREAK = "\\ No newline at end of file\n"


def patch(path: str, before: str, after: str) -> str:
    """The change of a text as a patch, "" for none; the path counts from the repository's root."""
    diff = unified_diff(_LINE.findall(before), _LINE.findall(after), _name(f"a/{path}"), _name(f"b/{path}"))
    return "".join(_ended(diff))


def _ended(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n{_NO_BREAK}"


def _name(path: str) -> str:
    """A file name as Git reads it: quoted when need be, and with a tab behind one that has blanks."""
    if _UNPRINTABLE.search(path):
        return '"' + _UNPRINTABLE.sub(lambda found: f"\\{ord(found[0]):03o}", path) + '"'
    return f"{path}\t" if " " in path else path
