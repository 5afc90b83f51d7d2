"""The ConfigMaps that are written, and those that kustomizations generate (kustomize, api/types/configmapargs.go), in one form."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from mirrorlint.loading import files
from mirrorlint.loading.kustomize import reach
from mirrorlint.loading.land import Land
from mirrorlint.source import Node

_HASH = re.compile(r"(?:-[a-z0-9]{10})?")  # behind the name of what is generated (kustomize, api/hasher/hasher.go)
_MERGE = "merge"


class ConfigMap(NamedTuple):
    """What says a ConfigMap, and its values: the text of each with the node that says it, which is what a file of YAML holds."""

    node: Node
    data: Mapping[str, tuple[str, Node]]


def config_maps(name: str, start: str, land: Land) -> Iterator[ConfigMap]:
    """The ConfigMaps of a name; those that are generated are in what is applied from a folder, where each cluster has its own."""
    for node in land.config_maps(name):
        yield ConfigMap(node, {key: (value.text, value) for key, value in node["data"].items()})
    for folder in sorted(reach(land.files.kustomizations(start), land.files).folders):
        kustomization = land.files.kustomization(folder)
        for node in kustomization.document["configMapGenerator"] if kustomization else ():
            own = node["name"].text
            if own and name.startswith(own) and _HASH.fullmatch(name, len(own)):
                yield ConfigMap(node, {} if node["behavior"].text == _MERGE else dict(_values(node, folder, land)))


def _values(generator: Node, folder: str, land: Land) -> Iterator[tuple[str, tuple[str, Node]]]:
    for node in generator["files"]:
        key, _, path = node.text.rpartition("=")
        file = land.joined(folder, path)
        land.files.look(file)
        text = "\n".join(land.files.lines(files.shown(file)))
        yield key or os.path.basename(path), (text, next(iter(land.files.documents(file)), node))
    for node in generator["literals"]:
        key, _, text = node.text.partition("=")
        yield key, (text.strip("'\""), node)
