"""Files that hold what `kubectl get` printed, each of another cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from mirrorlint.fleet import Manifest


def apart(files: Mapping[str, Sequence[Manifest]]) -> list[str]:
    """All files, if each two hold one object with two `uid`s, of which an API server gives but one; else none."""
    uids = {file: {m.identity: m.node["metadata"]["uid"].text for m in manifests} for file, manifests in files.items()}
    told = [{identity: uid for identity, uid in own.items() if uid} for own in uids.values()]
    differ = all(any(one.get(identity, uid) != uid for identity, uid in other.items()) for one, other in combinations(told, 2))
    return list(files) if len(files) > 1 and differ else []
