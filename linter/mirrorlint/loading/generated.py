"""The ConfigMaps that are written, and those that kustomizations generate (kustomize, api/types/configmapargs.go), in one form."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from mirrorlint.loading.kustomize import Kustomization
from mirrorlint.loading.land import Land
from mirrorlint.source import Node

_HASH = re.compile(r"-[2456789bcdfghkmt]{10}$")  # behind the name of what is generated (kustomize, api/hasher/hasher.go: encode)
_UNHASHED = "disableNameSuffixHash"
_CREATE = ("", "create")


class ConfigMap(NamedTuple):
    """What says a ConfigMap, and its values: the text of each with the node that says it, which is what a file of YAML holds.

    `data` is None where the values are not known.
    """

    node: Node
    data: Mapping[str, tuple[str, Node]] | None


def config_maps(name: str, start: str, land: Land) -> Iterator[ConfigMap]:
    """The ConfigMaps that something may call by a name; those that are generated are in what is applied from a folder.

    What is generated has a hash behind its name unless that is switched off, and kustomize writes it into the fields alone that a
    `nameReference` is for: a name without the hash is of nothing, and one with it of nothing else.
    """
    for node in land.config_maps(name):
        yield ConfigMap(node, {key: (value.text, value) for key, value in node["data"].items()})
    for own in dict.fromkeys((name, _HASH.sub("", name))):
        alike = land.disk.generators(start).get(own, ())
        for node, kustomization in alike:
            known = len(alike) == 1 and _is_hashed(node, kustomization) == (name != own)
            yield ConfigMap(node, _values(node, kustomization.folder, land) if known else None)


def _is_hashed(generator: Node, kustomization: Kustomization) -> bool:
    """Whether a hash is put behind the name (kustomize, api/types/generatoroptions.go: MergeGlobalOptionsIntoLocal)."""
    return not (generator["options"][_UNHASHED].truth or kustomization.document["generatorOptions"][_UNHASHED].truth)


def _values(generator: Node, folder: str, land: Land) -> dict[str, tuple[str, Node]] | None:
    """The values that a generator takes from files and literals; None where it takes some from elsewhere, or can't have them."""
    if generator["behavior"].text not in _CREATE or generator["envs"] or generator["env"]:
        return None
    found: dict[str, tuple[str, Node]] = {}
    for node in generator["files"]:
        key, _, path = node.text.rpartition("=")
        file = land.joined(folder, path)
        land.disk.look(file)
        if list(land.disk.listed(file)) != [file]:
            return None
        text = "\n".join(land.disk.lines(file))
        found[key or os.path.basename(path)] = (text, next(iter(land.disk.documents(file)), node))
    for node in generator["literals"]:
        key, separator, text = node.text.partition("=")
        if not separator:
            return None
        found[key] = (text.strip("'\""), node)
    return found
