"""All that a kustomization reads: what a render depends on, and why it can't be made from the repository alone."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from mirrorlint.loading.disk import Disk
from mirrorlint.loading.files import Unread, read
from mirrorlint.loading.kustomize import Kustomization, missing
from mirrorlint.loading.paths import joined
from mirrorlint.loading.units import Gap
from mirrorlint.source import Node, parse

# The fields that hold paths, wherever they stand (kustomize, api/types/kustomization.go); `files` may say `key=path`.
_PATHS = frozenset(
    {"resources", "bases", "components", "crds", "configurations", "generators", "transformers", "validators"}
    | {"patchesStrategicMerge", "path", "files", "file", "envs", "env"}
)
_CONFIGS = frozenset({"generators", "transformers", "validators"})
# What holds no paths, though it may have such keys.
_INLINE = frozenset({"patch", "literals", "op", "fieldSpecs", "options", "target", "valuesInline", "metadata", "generatorOptions"}) | {
    *("commonLabels", "commonAnnotations", "labels", "images", "replicas", "vars")
}
_HELM = ("helmCharts", "helmChartInflationGenerator", "helmGlobals")


def inputs(starts: Sequence[Kustomization], disk: Disk) -> tuple[str, ...] | Gap:
    """The files that kustomizations lead to, sorted; everything that they name must be a file or a folder of the repository."""
    files: set[str] = set()
    waiting, passed = list(starts), {start.folder for start in starts}
    while waiting:
        current = waiting.pop()
        files.add(current.file)
        helm = next((key for key in _HELM if current.document[key]), "")
        if helm:
            return Gap(current.document.key(helm), f"kustomize would run helm for `{helm}`, so this is not rendered")
        for node, path in _named(current.document, current.folder, ""):
            disk.look(path)
            gap = _refused(node, path, disk)
            if gap:
                return gap
            below = disk.kustomization(path)
            if below is None:
                files |= {path} if os.path.isfile(path) else disk.governed(path)
            elif below.folder not in passed:
                passed.add(below.folder)
                waiting.append(below)
    return tuple(sorted(files))


def _refused(node: Node, path: str, disk: Disk) -> Gap | None:
    """Why a path is not taken: kustomize would look for it elsewhere."""
    if not os.path.exists(path) or disk.outside(path):
        return missing(node, disk.outside(path))
    return missing(node, outside=True) if disk.outside(os.path.realpath(path)) else None


def _named(node: Node, folder: str, key: str) -> Iterator[tuple[Node, str]]:
    """The paths that a kustomization names, or the configuration of a transformer."""
    for name, value in node.entries():
        if name.text not in _INLINE:
            yield from _named(value, folder, name.text)
    for item in node:
        yield from _named(item, folder, key)
    if key not in _PATHS or not node.text:
        return
    if "\n" in node.text:
        yield from _inside(node.text.encode(), node.path, folder, key)
        return
    text = node.text.partition("=")[2] or node.text if key in ("files", "envs", "env") else node.text
    if text.startswith("/") and key == "path":
        return  # the pointer of a patch
    path = joined(folder, text)
    yield node, path
    if key in _CONFIGS and os.path.isfile(path):
        data = read(path)
        yield from _inside(b"" if isinstance(data, Unread) else data, node.path, folder, key)


def _inside(data: bytes, path: str, folder: str, key: str) -> Iterator[tuple[Node, str]]:
    """The paths in a text that is a configuration itself; a patch has none."""
    if key in _CONFIGS:
        for document in parse(data, path).documents:
            yield from _named(document, folder, "")
