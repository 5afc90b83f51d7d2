"""Patches of kustomizations that are for no object, where it is plain which one was meant: kustomize passes over them without a word."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from mirrorlint.fleet import NOTHING, Manifest
from mirrorlint.kinds import JUDGED
from mirrorlint.loading.builds import Build
from mirrorlint.loading.disk import Disk
from mirrorlint.loading.kustomize import COMPONENT
from mirrorlint.loading.objects import unfolded
from mirrorlint.loading.units import Gap
from mirrorlint.sieve import KUSTOMIZATIONS
from mirrorlint.source import Node

# The fields of kustomizations and of their patches that leave objects the names that are written.
_NAMES_STAY = frozenset(
    {"apiVersion", "kind", "metadata", "namespace", "resources", "bases", "components", "images", "replicas", "buildMetadata"}
    | {"configMapGenerator", "secretGenerator", "generatorOptions", "labels", "commonLabels", "commonAnnotations", "patches"}
)
_PATCH = frozenset({"target", "path", "patch"})
_LITERAL = re.compile(r"[\w-]+(?:\.[\w-]+)*")


def misdirected(build: Build, built: Iterable[Manifest], disk: Disk) -> Iterator[Gap]:
    """Where the `target` of a patch has a slip, given the objects that were built; nothing where names change on the way.

    A component may well be for objects that not everyone has who lists it, and a patch for an object that is deleted.
    """
    kustomizations = [file for file in build.render.files if os.path.basename(file) in KUSTOMIZATIONS]
    every = [document for file in kustomizations for document in disk.documents(file)[:1]]
    patches = [(patch, each["kind"].text) for each in every for patch in each["patches"]]
    known = all(_is_within(each, _NAMES_STAY) for each in every) and all(_is_within(patch, _PATCH) for patch, _ in patches)
    if build.render.options or not known:
        return
    names = {(manifest.kind, manifest.name) for manifest in built if manifest.kind in JUDGED}
    slips = [slip for patch, kind in patches if kind != COMPONENT and (slip := _slip(patch["target"], names))]
    if slips:
        documents = (document for file in build.render.files for document in disk.documents(file))
        written = {(node.text_at("kind"), node.text_at("metadata", "name")) for node in unfolded(documents)}
        yield from (gap for gap, wanted in slips if wanted not in written)


def _is_within(node: Node, known: frozenset[str]) -> bool:
    return all(key in known for key, _ in node.items())


def _slip(target: Node, names: set[tuple[str, str]]) -> tuple[Gap, tuple[str, str]] | None:
    """That no object has a kind and a name, with these, where one has nearly both."""
    kind, name = target["kind"].text, target["name"].text
    if (kind, name) in names or not (_LITERAL.fullmatch(kind) and _LITERAL.fullmatch(name)):
        return None
    near = {
        "name": get_close_matches(name, sorted(other for each, other in names if each == kind), 1, 0.8),
        "kind": get_close_matches(kind, sorted(each for each, other in names if other == name), 1, 0.8),
    }
    field = next((field for field, found in near.items() if found), "")
    message = f"no {kind} `{name}` is among what is patched, so this patch changes nothing"
    return (Gap(target[field], f"{message} (did you mean `{near[field][0]}`?)", holds=NOTHING), (kind, name)) if field else None
