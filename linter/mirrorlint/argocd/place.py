"""Where an application lies: Argo CD hands a copy of its repository to the plugin, as a whole or in part."""

from __future__ import annotations

import os
from typing import NamedTuple

_COPIES = "_cmp_server"


class Place(NamedTuple):
    """The absolute root of the copy, the application's path in it (with `/`), and whether the copy is known to be a part."""

    root: str
    path: str
    partial: bool = False


def find(folder: str, source_path: str) -> Place:
    """The root is the folder below `_cmp_server`, else what is above the application's own path, else the folder itself.

    With the annotation `manifest-generate-paths` the copy begins at the root that those paths share, while `ARGOCD_APP_SOURCE_PATH` counts
    from the repository's own (Argo CD, util/cmp/stream.go).
    """
    parts = folder.split(os.sep)
    path = os.path.normpath(source_path or ".").replace("/", os.sep)
    if _COPIES in parts[:-1]:
        end = len(parts) - parts[::-1].index(_COPIES) + 1
        inside = os.sep.join(parts[end:]) or "."
        return Place(os.sep.join(parts[:end]), _shown(inside), inside != path)
    if path != "." and folder.endswith(os.sep + path):
        return Place(folder[: -len(path) - 1], _shown(path))
    return Place(folder, ".")


def _shown(path: str) -> str:
    return path.replace(os.sep, "/")
