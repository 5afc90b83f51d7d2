"""Patches and replacements of kustomizations that are for no object, where it is plain which one was meant.

kustomize passes over them without a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple, Self

from mirrorlint.fleet import DEFAULT_NAMESPACE, NOTHING, Manifest
from mirrorlint.kinds import JUDGED
from mirrorlint.likeness import TYPO
from mirrorlint.loading.builds import Build
from mirrorlint.loading.disk import Disk
from mirrorlint.loading.kustomize import COMPONENT
from mirrorlint.loading.objects import unfolded
from mirrorlint.loading.targets import identity
from mirrorlint.loading.units import Gap
from mirrorlint.source import Node

# The fields of kustomizations and of their patches that leave objects the names that are written.
_NAMES_STAY = frozenset(
    {"apiVersion", "kind", "metadata", "namespace", "resources", "bases", "components", "images", "replicas", "buildMetadata"}
    | {"configMapGenerator", "secretGenerator", "generatorOptions", "labels", "commonLabels", "commonAnnotations", "patches"}
    | {"replacements"}
)
_PATCH = frozenset({"target", "path", "patch"})
_REPLACEMENT = frozenset({"source", "sourceValue", "targets"})
_UNPATCHED = "is among what is patched, so this patch changes nothing"
_UNREPLACED = "is among what is built, so nothing is replaced there"
_FIELDS = ("name", "kind", "group", "version", "namespace")
_LITERAL = re.compile(r"[\w-]+(?:\.[\w-]+)*")


def misdirected(build: Build, built: Iterable[Manifest], disk: Disk) -> Iterator[Gap]:
    """Where the `target` of a patch, or what a replacement would `select`, has a slip, given the objects that were built.

    Nothing where names change on the way. A component may well be for objects that not everyone has who lists it, and a patch for an object
    that is deleted.
    """
    every = [document for file in build.render.kustomizations for document in disk.documents(file)[:1]]
    if build.render.options or not all(map(_names_stay, every)):
        return
    nodes = [manifest.node for manifest in built if manifest.kind in JUDGED]
    own = [each for each in every if each["kind"].text != COMPONENT]
    asked = [target for each in own for target in _targets(each) if _may_miss(target.node, nodes)]
    documents = (document for file in build.render.files for document in disk.documents(file)) if asked else ()
    written = list(unfolded(documents))
    names = set(map(_called, nodes))
    for target in asked:
        given = frozenset(each["namespace"].text for each in every if each is not target.before and each["namespace"])
        objects = [(_Object.of(node, given), _called(node) in names) for node in written]
        if not any(each.has(_wanted(target.node)) for each, _ in objects):
            yield from _slip(target, [each for each, is_built in objects if is_built])


class _Target(NamedTuple):
    """What says for which objects something is, what it comes to without any, and the kustomization before whose namespace it is sought."""

    node: Node
    comes_to: str
    before: Node | None


def _targets(kustomization: Node) -> Iterator[_Target]:
    """The targets of a kustomization's patches, which come before it gives objects a namespace, and of its replacements, which come last.

    (kustomize api/internal/target/kusttarget_configplugin.go:configureBuiltinTransformers)
    """
    yield from (_Target(patch["target"], _UNPATCHED, kustomization) for patch in kustomization["patches"])
    targets = (target for replacement in kustomization["replacements"] for target in replacement["targets"])
    yield from (_Target(target["select"], _UNREPLACED, None) for target in targets)


def _names_stay(kustomization: Node) -> bool:
    """Whether all of a kustomization's fields are known to leave objects the names that are written."""
    patches, replacements = kustomization["patches"], kustomization["replacements"]
    known = all(_is_within(patch, _PATCH) for patch in patches) and all(_is_within(each, _REPLACEMENT) for each in replacements)
    replaced = [target["fieldPaths"].texts for each in replacements for target in each["targets"]]
    in_specs = all(paths and all(path.startswith("spec.") for path in paths) for paths in replaced)
    return _is_within(kustomization, _NAMES_STAY) and known and in_specs


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
        return cls({**{field: frozenset({text}) for field, text in one.items()}, "namespace": given | {namespace or DEFAULT_NAMESPACE}})

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


def _slip(target: _Target, objects: Sequence[_Object]) -> Iterator[Gap]:
    """That no object is what a target asks for, where one has all of it but for one field, and that nearly."""
    wanted = _wanted(target.node)
    for field in wanted:
        meant = _meant(field, wanted, objects)
        if meant is not None:
            hint = f" (did you mean `{meant}`?)" if meant else ""
            yield Gap(target.node[field], f"no {_phrase(field, wanted)} {target.comes_to}{hint}", holds=NOTHING)
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
