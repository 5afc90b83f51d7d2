"""Which line of which file a value of a built kustomization comes from: a resource, a patch, or a field of a kustomization."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain, groupby
from typing import NamedTuple

from mirrorlint.loading import patched
from mirrorlint.loading.disk import Disk
from mirrorlint.loading.objects import unfolded
from mirrorlint.loading.patched import Changed, Part, put_over
from mirrorlint.loading.paths import joined
from mirrorlint.loading.renders import Render, origin
from mirrorlint.loading.targets import Id, Target, identity, is_alike
from mirrorlint.source import Node, insides, parse
from mirrorlint.source.node import moved
from mirrorlint.source.place import Origins, Place

ORIGIN, TRANSFORMATIONS = "config.kubernetes.io/origin", "alpha.config.kubernetes.io/transformations"
_BLOCK = re.compile(r"(?:[!&]\S*\s+)*[|>][-+0-9]*\s*(?:#.*)?$")
_PATCHES = {
    "PatchTransformer": "patches",
    "PatchStrategicMergeTransformer": "patchesStrategicMerge",
    "PatchJson6902Transformer": "patchesJson6902",
}
_FILLS = {"ReplacementTransformer": "replacements", "RefVarTransformer": "vars"}
_NOTHING = Node((None, None, 0, 0, 0, 0), "")


class _Step(NamedTuple):
    """What a transformer of a kustomization does: its kind, the fields that ask for it, and the folder that their paths start from.

    One that is named is an object of its own.
    """

    kind: str
    fields: Node
    folder: str
    is_named: bool

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
        if self.is_named:
            return (self.fields,) if self.kind == "PatchTransformer" else ()
        return self.fields[_PATCHES[self.kind]] if self.kind in _PATCHES else ()

    @property
    def fills(self) -> Node:
        """What says the values that it puts into others."""
        return self.fields.key(_FILLS.get(self.kind, ""))

    def _field(self, kind: str, name: str) -> Node:
        return self.fields[name if self.kind == kind else ""]

    def renamed(self, one: Id) -> Id:
        """What an object is called afterwards."""
        return Id(f"{self.prefix}{one.name}{self.suffix}", self.namespace.text or one.namespace)


def locate(built: Node, path: Origins, options: Node | None, render: Render, disk: Disk) -> None:
    """Note where the values of a built object come from; `options` are the fields that were put over the kustomization."""
    notes = built["metadata"]["annotations"]
    steps = list(_steps(_yaml(notes[TRANSFORMATIONS].text), options, render.target, disk))
    resource = _resource(built, _yaml(notes[ORIGIN].text)["path"].text, _first_name(built, steps), render.files, disk)
    part = Part(resource or _NOTHING)
    for patch in _applied(built, resource, steps, disk):
        put_over(part, patch)
    if part.node.present:
        path.note(built.raw, (resource or part.node).place)
        patched.locate(built, [part], path, _changed(steps, path.whole))
    for namespace in (step.namespace for step in steps if step.namespace and built["metadata"]["namespace"].present):
        path.note(built["metadata"]["namespace"].raw, namespace.place)


def operations(kustomization: Node, folder: str, disk: Disk) -> Iterator[Node]:
    """The operations of the JSON patches that a kustomization in a folder applies."""
    for patch in (patch for field in _PATCHES.values() for patch in kustomization[field]):
        for document in _documents(patch, folder, disk):
            yield from document


def _steps(transformations: Node, options: Node | None, target: str, disk: Disk) -> Iterator[_Step]:
    """What was done to an object, in this order: by a field of a kustomization, or by a transformer that has a name.

    Paths in options start from the target.
    """
    done = ((each["configuredIn"].text, each["configuredBy"]["kind"].text, each["configuredBy"]["name"].text) for each in transformations)
    for (where, kind, name), _ in groupby(done):
        file = origin(where) if where.startswith("..") else ""
        fields = next(iter(disk.documents(file)), None) if file else options
        if fields is not None and name:
            texts = (document for each in fields["transformers"] if "\n" in each.text for document in inlined(each, disk))
            every = chain(disk.documents(file), texts)
            fields = next((each for each in every if each["kind"].text == kind and identity(each).name == name), _NOTHING)
        if fields is not None:
            yield _Step(kind, fields, file.rpartition("/")[0] or target, bool(name))


def _changed(steps: Sequence[_Step], whole: Place) -> Changed:
    """What tells where a text comes from that is written as one of others: where the name that it was is written, else what fills it in."""
    fills = next((step.fills.place for step in reversed(steps) if step.fills), whole)

    def place(text: str, written: Iterable[Node]) -> Place:
        if any(step.is_named for step in steps):
            return whole
        return next((node.place for node in written if text in _names(node.text, steps)), fills)

    return place


def _names(written: str, steps: Sequence[_Step]) -> set[str]:
    """What a name may be called afterwards: the object that has it may have come in between, and gets all that follows."""
    found = {written}
    for step in steps:
        found = {written, *(f"{step.prefix}{name}{step.suffix}" for name in found)}
    return found


def _first_name(built: Node, steps: Sequence[_Step]) -> str:
    """What an object was called before all steps; "" where one may have called it anything."""
    name = identity(built).name
    for step in reversed(steps):
        name = "" if step.is_named else name.removeprefix(step.prefix).removesuffix(step.suffix)
    return name


def _resource(built: Node, said: str, name: str, read: Sequence[str], disk: Disk) -> Node | None:
    """The document that an object is written in: of its kind and its name; of several the one that says most of what is built.

    Without the file that is said it is of any that was read: what replaces all annotations takes those away that say it.
    """
    paths = [origin(said)] if said else read
    alike = [each for file in paths for each in unfolded(disk.documents(file)) if is_alike(each, built)]
    named = [each for each in alike if identity(each).name == name] or (alike if said else [])
    same = [each for each in named if identity(each).namespace == identity(built).namespace] or named
    shares = [Part(each).shared(built) for each in same] if len(same) > 1 else [1]
    return same[shares.index(max(shares))] if same and shares.count(max(shares)) == 1 else None


def _applied(built: Node, resource: Node | None, steps: Sequence[_Step], disk: Disk) -> Iterator[Node]:
    """The patches that were applied to an object, in this order."""
    for step, target in zip(steps, _met(built, resource, steps), strict=True):
        for patch in step.patches:
            if not patch["target"]:
                yield from filter(target.is_named, _documents(patch, step.folder, disk))
            elif target.is_selected(patch["target"]):
                yield from _documents(patch, step.folder, disk)


def _met(built: Node, resource: Node | None, steps: Sequence[_Step]) -> list[Target]:
    """An object as each step meets it; what it was called on the way is known where that leads to what it is called at last."""
    written = resource or built
    ids = list(accumulate(steps, lambda one, step: step.renamed(one), initial=identity(written)))
    known = resource is not None and ids[-1] == identity(built)
    return [Target(written, built, tuple(ids[: number + 1]) if known else ()) for number in range(len(steps))]


def _documents(patch: Node, folder: str, disk: Disk) -> Iterable[Node]:
    """The documents of a patch: of the file that it names, or of its text."""
    path = patch["path"].text or ("" if "\n" in patch.text else patch.text)
    return disk.documents(joined(folder, path)) if path else inlined(patch["patch"] or patch, disk)


def _yaml(text: str) -> Node:
    documents = parse(text.encode(), "").documents
    return documents[0] if documents else _NOTHING


def inlined(node: Node, disk: Disk) -> Sequence[Node]:
    """The documents of a text in a file, at the places where they stand in it, or all where the text does if that can't be told."""
    place = node.place
    lines = disk.lines(place.path)
    if place.line > len(lines):
        return insides(node)
    opened = lines[place.line - 1][place.column - 1 :]
    if _BLOCK.match(opened):
        first = next((number for number in range(place.line, len(lines)) if lines[number].strip()), place.line)
        indent = min((len(line) - len(line.lstrip()) for line in lines[first : place.end_line] if line.strip()), default=0)
        text = "\n".join(line[indent:] for line in lines[first : place.end_line])
    else:
        first, indent = place.line - 1, place.column - 1 + opened.startswith(("'", '"'))
        text = node.text if lines[first].startswith(node.text, indent) else ""
    documents = parse(text.encode("utf-8", "replace"), place.path).documents
    stands = [moved(document.raw, lambda line, column: (line + first, column + indent)) for document in documents]
    return [Node(raw, place.path) for raw in stands] or insides(node)
