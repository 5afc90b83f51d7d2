"""Patches of kustomizations that are for no object, where it is plain which one was meant: kustomize passes over them without a word."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple, Self

from mirrorlint.fleet import NOTHING, Manifest
from mirrorlint.kinds import JUDGED
from mirrorlint.likeness import TYPO
from mirrorlint.loading.builds import Build
from mirrorlint.loading.disk import Disk
from mirrorlint.loading.kustomize import COMPONENT
from mirrorlint.loading.objects import unfolded
from mirrorlint.loading.targets import DEFAULT, identity
from mirrorlint.loading.units import Gap
from mirrorlint.sieve import KUSTOMIZATIONS
from mirrorlint.source import Node

# The fields of kustomizations and of their patches that leave objects the names that are written.
_NAMES_STAY = frozenset(
    {"apiVersion", "kind", "metadata", "namespace", "resources", "bases", "components", "images", "replicas", "buildMetadata"}
    | {"configMapGenerator", "secretGenerator", "generatorOptions", "labels", "commonLabels", "commonAnnotations", "patches"}
)
_PATCH = frozenset({"target", "path", "patch"})
_FIELDS = ("name", "kind", "group", "version", "namespace")
_LITERAL = re.compile(r"[\w-]+(?:\.[\w-]+)*")


def misdirected(build: Build, built: Iterable[Manifest], disk: Disk) -> Iterator[Gap]:
    """Where the `target` of a patch has a slip, given the objects that were built; nothing where names change on the way.

    A component may well be for objects that not everyone has who lists it, and a patch for an object that is deleted.
    """
    kustomizations = [file for file in build.render.files if os.path.basename(file) in KUSTOMIZATIONS]
    every = [document for file in kustomizations for document in disk.documents(file)[:1]]
    patches = [(patch, each) for each in every for patch in each["patches"]]
    known = all(_is_within(each, _NAMES_STAY) for each in every) and all(_is_within(patch, _PATCH) for patch, _ in patches)
    if build.render.options or not known:
        return
    nodes = [manifest.node for manifest in built if manifest.kind in JUDGED]
    asked = [(patch["target"], own) for patch, own in patches if own["kind"].text != COMPONENT and _may_miss(patch["target"], nodes)]
    documents = (document for file in build.render.files for document in disk.documents(file)) if asked else ()
    written = list(unfolded(documents))
    names = set(map(_called, nodes))
    for target, own in asked:
        given = frozenset(each["namespace"].text for each in every if each is not own and each["namespace"])
        objects = [(_Object.of(node, given), _called(node) in names) for node in written]
        if not any(each.has(_wanted(target)) for each, _ in objects):
            yield from _slip(target, [each for each, is_built in objects if is_built])


def _called(node: Node) -> tuple[str, str]:
    return node["kind"].text, identity(node).name


class _Object(NamedTuple):
    """What an object may be called by the fields of a target."""

    fields: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, node: Node, given: frozenset[str]) -> Self:
        """An object as it is written, which others may have given one of some namespaces before it is patched."""
        group, _, version = node["apiVersion"].text.rpartition("/")
        name, namespace = identity(node)
        one = {"name": name, "kind": node["kind"].text, "group": group, "version": version}
        return cls({**{field: frozenset({text}) for field, text in one.items()}, "namespace": given | {namespace or DEFAULT}})

    def has(self, wanted: Mapping[str, str]) -> bool:
        """Whether a target means it."""
        return all(text in self.fields[field] for field, text in wanted.items())


def _is_within(node: Node, known: frozenset[str]) -> bool:
    return all(key in known for key, _ in node.items())


def _wanted(target: Node) -> dict[str, str]:
    return {field: target[field].text for field in _FIELDS if target[field]}


def _may_miss(target: Node, built: Iterable[Node]) -> bool:
    """Whether a target is written as it is meant, and may be none of what was built; namespaces may have come later."""
    wanted = _wanted(target)
    literal = "kind" in wanted and all(map(_LITERAL.fullmatch, wanted.values()))
    return literal and ("namespace" in wanted or not any(_Object.of(node, frozenset()).has(wanted) for node in built))


def _slip(target: Node, objects: Sequence[_Object]) -> Iterator[Gap]:
    """That no object is what a target asks for, where one has all of it but for one field, and that nearly."""
    wanted = _wanted(target)
    for field in wanted:
        meant = _meant(field, wanted, objects)
        if meant is not None:
            hint = f" (did you mean `{meant}`?)" if meant else ""
            message = f"no {_phrase(field, wanted)} is among what is patched, so this patch changes nothing{hint}"
            yield Gap(target[field], message, holds=NOTHING)
            return


def _meant(field: str, wanted: Mapping[str, str], objects: Iterable[_Object]) -> str | None:
    """What was meant by a field; None where that is not plain. With a name all else is, but for names and kinds that are not near."""
    others = {other: text for other, text in wanted.items() if other != field}
    there = sorted({text for each in objects if each.has(others) for text in each.fields[field]})
    near = get_close_matches(wanted[field], there, 1, TYPO)
    if "name" not in wanted and wanted[field] in JUDGED:
        return None
    if near or not there or field in ("name", "kind") or "name" not in wanted:
        return near[0] if near else None
    return there[0] if len(there) == 1 else ""


def _phrase(field: str, wanted: Mapping[str, str]) -> str:
    name = f" `{wanted['name']}`" if "name" in wanted else ""
    more = {"group": " of", "version": " of", "namespace": " in"}.get(field, "")
    return f"{wanted['kind']}{name}" + (f"{more} `{wanted[field]}`" if more else "")
