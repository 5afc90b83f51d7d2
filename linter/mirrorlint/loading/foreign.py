"""Files of which other tools make manifests: that they may make what matters is told, and they are not read."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator

from mirrorlint.kinds import GATEWAY_API, MATTERS, NETWORKING, SECURITY
from mirrorlint.loading.files import Unread
from mirrorlint.sieve import FOREIGN

# Folders of what was brought in from elsewhere: libraries that have every kind.
_BROUGHT_IN = re.compile(rf"{re.escape(os.sep)}(?:vendor|cue\.mod|\.terraform){re.escape(os.sep)}")
_GROUPS = (NETWORKING, SECURITY, GATEWAY_API)
_GROUP = re.compile("|".join(rf"\b{re.escape(group)}/v\d" for group in _GROUPS).encode())
_KIND = re.compile(rf"\bkind\b\W{{1,40}}({'|'.join(sorted(frozenset().union(*(MATTERS[group] for group in _GROUPS))))})\b".encode())


def unread(root: str, paths: Iterable[str], read: Callable[[str], bytes | Unread]) -> Iterator[Unread]:
    """Those of such files below a folder that name an object of Istio or of the Gateway API; several of a folder together."""
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for path in paths:
        kind = "" if _BROUGHT_IN.search(path, len(os.path.abspath(root))) else _kind(read(path))
        if kind:
            found.setdefault((os.path.dirname(path), FOREIGN[os.path.splitext(path)[1]]), []).append((path, kind))
    for (folder, tool), files in found.items():
        path, kind = files[0]
        if len(files) == 1:
            yield Unread(path, f"this file is for {tool}, which is not run here, and `{kind}` is in it: lint what is made of it")
        else:
            those = f"{len(files)} files here are for {tool}, which is not run here"
            yield Unread(folder, f"{those}, and `{kind}` or its like is in each: lint what is made of them")


def _kind(data: bytes | Unread) -> str:
    found = _KIND.search(data) if isinstance(data, bytes) and _GROUP.search(data) else None
    return found[1].decode() if found else ""
