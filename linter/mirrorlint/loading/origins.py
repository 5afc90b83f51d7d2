"""Which line of which file a value of a built kustomization comes from: a resource, a patch, or a field of a kustomization."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, groupby
from typing import NamedTuple

from mirrorlint.loading.disk import Disk
from mirrorlint.loading.objects import unfolded
from mirrorlint.loading.renders import origin
from mirrorlint.loading.targets import Id, Target, identity, is_alike
from mirrorlint.source import Node, insides, parse
from mirrorlint.source.node import moved
from mirrorlint.source.place import Origins

ORIGIN, TRANSFORMATIONS = "config.kubernetes.io/origin", "alpha.config.kubernetes.io/transformations"
_PUTS = frozenset({"add", "replace"})
_BLOCK = re.compile(r"(?:[!&]\S*\s+)*[|>][-+0-9]*\s*(?:#.*)?$")
_PATCHES = {
    "PatchTransformer": "patches",
    "PatchStrategicMergeTransformer": "patchesStrategicMerge",
    "PatchJson6902Transformer": "patchesJson6902",
}


class _Edit(NamedTuple):
    """A value that a JSON patch puts at a pointer, of which this is left to go."""

    pointer: tuple[str, ...]
    value: Node


class _Step(NamedTuple):
    """What a transformer of a kustomization does: its kind, the fields that ask for it, and the folder that their paths start from."""

    kind: str
    fields: Node
    folder: str

    @property
    def namespace(self) -> Node:
        """The namespace that it sets."""
        return self._field("NamespaceTransformer", "namespace") or self._field("NamespaceTransformer", "targetNamespace")

    @property
    def prefix(self) -> str:
        """What it puts before names."""
        return self._field("PrefixTransformer", "namePrefix").text

    @property
    def suffix(self) -> str:
        """What it puts behind names."""
        return self._field("SuffixTransformer", "nameSuffix").text

    @property
    def patches(self) -> Iterable[Node]:
        """The patches that it applies."""
        return self.fields[_PATCHES[self.kind]] if self.kind in _PATCHES else ()

    def _field(self, kind: str, name: str) -> Node:
        return self.fields[name if self.kind == kind else ""]

    def renamed(self, one: Id) -> Id:
        """What an object is called afterwards."""
        return Id(f"{self.prefix}{one.name}{self.suffix}", self.namespace.text or one.namespace)


def locate(built: Node, path: Origins, options: Node | None, files: Disk) -> None:
    """Note where the values of a built object come from; `options` are the fields that were put over the kustomization."""
    notes = built["metadata"]["annotations"]
    steps = list(_steps(_yaml(notes[TRANSFORMATIONS].text), options, files))
    resource = _resource(built, _yaml(notes[ORIGIN].text), _first_name(built, steps), files)
    patches = list(_applied(built, resource, steps, files))
    overlaid = [patch for patch in patches if not patch.is_sequence]
    edits = [edit for patch in reversed(patches) for edit in _edits(patch)]
    candidates = [*reversed(overlaid), *([resource] if resource else ())]
    if candidates:
        path.note(built.raw, (resource or candidates[0]).place)
        _locate(built, candidates, edits, path)
    for namespace in (step.namespace for step in steps if step.namespace and built["metadata"]["namespace"].present):
        path.note(built["metadata"]["namespace"].raw, namespace.place)


def operations(kustomization: Node, folder: str, files: Disk) -> Iterator[Node]:
    """The operations of the JSON patches that a kustomization in a folder applies."""
    for patch in (patch for field in _PATCHES.values() for patch in kustomization[field]):
        for document in _documents(patch, folder, files):
            yield from document


def _steps(transformations: Node, options: Node | None, files: Disk) -> Iterator[_Step]:
    """What was done to an object, in this order; a transformer that has a name is no field of a kustomization."""
    done = ((each["configuredIn"].text, each["configuredBy"]["kind"].text) for each in transformations if not each["configuredBy"]["name"])
    for (where, kind), _ in groupby(done):
        file = origin(where) if where.startswith("..") else ""
        fields = next(iter(files.documents(file)), None) if file else options
        if fields is not None:
            yield _Step(kind, fields, file.rpartition("/")[0])


def _first_name(built: Node, steps: Sequence[_Step]) -> str:
    """What an object was called before all steps."""
    name = identity(built).name
    for step in reversed(steps):
        name = name.removeprefix(step.prefix).removesuffix(step.suffix)
    return name


def _resource(built: Node, said: Node, name: str, files: Disk) -> Node | None:
    """The document that an object is written in: of its kind and its name, or of what is most of the name."""
    if not said["path"].text:
        return None
    every = list(unfolded(files.documents(origin(said["path"].text))))
    alike = [each for each in every if is_alike(each, built) and identity(each).name in identity(built).name]
    named = [each for each in alike if identity(each).name == name]
    best = max((len(identity(each).name) for each in alike), default=0)
    alike = named or [each for each in alike if len(identity(each).name) == best]
    same = [each for each in alike if identity(each).namespace == identity(built).namespace]
    return next(iter(same or alike), None)


def _applied(built: Node, resource: Node | None, steps: Sequence[_Step], files: Disk) -> Iterator[Node]:
    """The patches that were applied to an object, in this order."""
    for step, target in zip(steps, _met(built, resource, steps), strict=True):
        for patch in step.patches:
            if not patch["target"]:
                yield from filter(target.is_named, _documents(patch, step.folder, files))
            elif target.is_selected(patch["target"]):
                yield from _documents(patch, step.folder, files)


def _met(built: Node, resource: Node | None, steps: Sequence[_Step]) -> list[Target]:
    """An object as each step meets it; what it was called on the way is known where that leads to what it is called at last."""
    written = resource or built
    ids = list(accumulate(steps, lambda one, step: step.renamed(one), initial=identity(written)))
    known = resource is not None and ids[-1] == identity(built)
    return [Target(written, built, tuple(ids[: number + 1]) if known else ()) for number in range(len(steps))]


def _documents(patch: Node, folder: str, files: Disk) -> Iterable[Node]:
    """The documents of a patch: of the file that it names, or of its text."""
    path = patch["path"].text or ("" if "\n" in patch.text else patch.text)
    return files.documents(files.joined(folder, path)) if path else inlined(patch["patch"] or patch, files)


def _yaml(text: str) -> Node:
    documents = parse(text.encode(), "").documents
    return documents[0] if documents else Node((None, None, 0, 0, 0, 0), "")


def _edits(patch: Node) -> Iterator[_Edit]:
    for edit in patch:
        if edit["op"].text in _PUTS and edit["value"].present:
            tokens = edit["path"].text.split("/")[1:]
            yield _Edit(tuple(token.replace("~1", "/").replace("~0", "~") for token in tokens), edit["value"])


def inlined(node: Node, files: Disk) -> Sequence[Node]:
    """The documents of a text in a file, at the places where they stand in it, or all where the text does if that can't be told."""
    place = node.place
    lines = files.lines(place.path)
    if place.line > len(lines):
        return insides(node)
    opened = lines[place.line - 1][place.column - 1 :]
    if _BLOCK.match(opened):
        first = next((number for number in range(place.line, len(lines)) if lines[number].strip()), place.line)
        indent = len(lines[first]) - len(lines[first].lstrip()) if first < len(lines) else 0
        text = "\n".join(line[indent:] for line in lines[first : place.end_line])
    else:
        first, indent = place.line - 1, place.column - 1 + opened.startswith(("'", '"'))
        text = node.text if lines[first].startswith(node.text, indent) else ""
    documents = parse(text.encode("utf-8", "replace"), place.path).documents
    stands = [moved(document.raw, lambda line, column: (line + first, column + indent)) for document in documents]
    return [Node(raw, place.path) for raw in stands] or insides(node)


def _locate(node: Node, candidates: Sequence[Node], edits: Sequence[_Edit], path: Origins) -> None:
    """Note the places of what is inside a value: of each, the first candidate that says the same, else that of what it is in."""
    for key, value in node.entries():
        inner = [_Edit(edit.pointer[1:], edit.value) for edit in edits if edit.pointer[:1] == (key.text,)]
        own = [each for each in candidates if key.text in each]
        if own:
            path.note(key.raw, own[0].key(key.text).place)
        _settle(value, [each[key.text] for each in own], inner, node, path)
    for index, item in enumerate(node):
        inner = [_Edit(edit.pointer[1:], edit.value) for edit in edits if edit.pointer[:1] in ((str(index),), ("-",))]
        _settle(item, [match for each in candidates for match in _aligned(item, index, node, each)], inner, node, path)


def _settle(value: Node, candidates: Sequence[Node], edits: Sequence[_Edit], parent: Node, path: Origins) -> None:
    every = [*(edit.value for edit in edits if not edit.pointer), *candidates]
    plain = value.plain()
    same = [each for each in every if each.plain() == plain]
    likely = same or [each for each in every if not each.is_scalar and not value.is_scalar]
    path.note(value.raw, likely[0].place if likely else path.place(parent.raw))
    _locate(value, same[:1] or likely, () if same else [edit for edit in edits if edit.pointer], path)


def _aligned(item: Node, index: int, parent: Node, candidate: Node) -> Iterable[Node]:
    """The item of another list that an item is: the same one, else the one at its index in a list of the same length."""
    same = [each for each in candidate if each.plain() == item.plain()]
    if same:
        return same[:1]
    return [candidate.at(index)] if len(candidate) == len(parent) else []
