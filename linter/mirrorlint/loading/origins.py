"""Which line of which file a value of a built kustomization comes from: a resource, a patch, or a field of a kustomization."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from mirrorlint.loading.objects import unfolded
from mirrorlint.loading.renders import origin
from mirrorlint.source import Node, parse
from mirrorlint.source.node import Raw
from mirrorlint.source.place import Origins

ORIGIN, TRANSFORMATIONS = "config.kubernetes.io/origin", "alpha.config.kubernetes.io/transformations"
_PATCHES = ("patches", "patchesStrategicMerge", "patchesJson6902")


class Files(Protocol):
    """The files at hand, by absolute path."""

    def documents(self, path: str) -> Sequence[Node]:
        """The documents of a file."""

    def joined(self, folder: str, path: str) -> str:
        """A path that stands in a folder."""

    def lines(self, path: str) -> Sequence[str]:
        """The lines of a file that is shown as `path`."""


class _Edit(NamedTuple):
    """A value that a JSON patch puts at a pointer, of which this is left to go."""

    pointer: tuple[str, ...]
    value: Node


def locate(built: Node, path: Origins, options: Node | None, files: Files) -> None:
    """Note where the values of a built object come from; `options` are the fields that were put over the kustomization."""
    notes = built["metadata"]["annotations"]
    found = _Sources(files, options)
    resource = found.resource(built, _yaml(notes[ORIGIN].text))
    for transformation in _yaml(notes[TRANSFORMATIONS].text):
        found.change(built, transformation)
    candidates = [*reversed(found.overlaid), *([resource] if resource else ())]
    if candidates:
        path.note(built.raw, (resource or candidates[0]).place)
        _locate(built, candidates, found.edits, path)
    for name, node in found.fields.items():
        if built["metadata"][name].present:
            path.note(built["metadata"][name].raw, node.place)


class _Sources:
    """Collects what a built object is made of."""

    def __init__(self, files: Files, options: Node | None) -> None:
        self._files, self._options = files, options
        self.overlaid: list[Node] = []
        self.edits: list[_Edit] = []
        self.fields: dict[str, Node] = {}

    def resource(self, built: Node, said: Node) -> Node | None:
        """The document that the object is written in: of its kind, and of its name but for a prefix and a suffix."""
        if not said["path"].text:
            return None
        every = list(unfolded(self._files.documents(origin(said["path"].text))))
        alike = [each for each in every if _is_alike(each, built) and _text(each, "name") in _text(built, "name")]
        best = max((len(_text(each, "name")) for each in alike), default=0)
        alike = [each for each in alike if len(_text(each, "name")) == best]
        same = [each for each in alike if _text(each, "namespace") == _text(built, "namespace")]
        return next(iter(same or alike), None)

    def change(self, built: Node, said: Node) -> None:
        """Add what one transformation of the object says."""
        kind, where = said["configuredBy"]["kind"].text, said["configuredIn"].text
        file = origin(where) if where.startswith("..") else ""
        document = next(iter(self._files.documents(file)), None) if file else self._options
        if document is None:
            return
        if kind == "NamespaceTransformer" and document["namespace"]:
            self.fields["namespace"] = document["namespace"]
        elif kind == "NamespaceTransformer" and document["targetNamespace"]:
            self.fields["namespace"] = document["targetNamespace"]
        elif kind.startswith(("Patch", "Json")):
            folder = file.rpartition("/")[0]
            for node in (node for name in _PATCHES for node in document[name]):
                self._patch(built, node, folder)

    def _patch(self, built: Node, node: Node, folder: str) -> None:
        path = node["path"].text or ("" if "\n" in node.text else node.text)
        inline = node["patch"] or node
        documents = self._files.documents(self._files.joined(folder, path)) if path else inlined(inline, self._files)
        for document in documents:
            if document.is_sequence and _is_meant(node["target"], built):
                self.edits = [*_edits(document), *self.edits]
            elif _is_alike(document, built) or node["target"]:
                self.overlaid.append(document)


def _yaml(text: str) -> Node:
    documents = parse(text.encode(), "").documents
    return documents[0] if documents else Node((None, None, 0, 0, 0, 0), "")


def _text(node: Node, field: str) -> str:
    return node["metadata"][field].text


def _is_alike(one: Node, other: Node) -> bool:
    same = one["apiVersion"].text.rpartition("/")[0] == other["apiVersion"].text.rpartition("/")[0]
    return same and one["kind"].text == other["kind"].text


def _is_meant(target: Node, built: Node) -> bool:
    return not target["kind"] or target["kind"].text == built["kind"].text


def _edits(patch: Node) -> Iterator[_Edit]:
    for edit in patch:
        if edit["value"].present:
            tokens = edit["path"].text.split("/")[1:]
            yield _Edit(tuple(token.replace("~1", "/").replace("~0", "~") for token in tokens), edit["value"])


def inlined(node: Node, files: Files) -> Iterator[Node]:
    """The documents of a text in a file, at the places where they stand in it."""
    place = node.place
    lines = files.lines(place.path)
    first = next((number for number in range(place.line, len(lines)) if lines[number].strip()), 0)
    if "\n" not in node.text or not first:
        return
    indent = len(lines[first]) - len(lines[first].lstrip())
    text = "\n".join(line[indent:] for line in lines[first : place.end_line])
    for document in parse(text.encode("utf-8", "replace"), place.path).documents:
        yield Node(_moved(document.raw, first, indent), place.path)


def _moved(raw: Raw, lines: int, columns: int) -> Raw:
    content, tag, line, column, end_line, end_column = raw
    if isinstance(content, list):
        content = [_moved(item, lines, columns) for item in content]
    elif isinstance(content, dict):
        content = {name: (_moved(key, lines, columns), _moved(value, lines, columns)) for name, (key, value) in content.items()}
    return (content, tag, line + lines, column + columns, end_line + lines, end_column + columns)


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
