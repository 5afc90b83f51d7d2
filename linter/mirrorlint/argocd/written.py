"""Where the values of rendered manifests are written, as far as the repository's own reading of the application tells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from mirrorlint.fleet import Manifest
from mirrorlint.rule import Finding
from mirrorlint.source import Node, Place


def places(pairs: Iterable[tuple[Manifest, Manifest]]) -> dict[Place, Place]:
    """Places in rendered objects, with those of the same values in the objects that were found before."""
    return {one.place: other.place for rendered, known in pairs for one, other in _same(rendered.node, known.node)}


def _same(node: Node, twin: Node) -> Iterator[tuple[Node, Node]]:
    """The values that are equal in both, each with its twin: what differs was made by the renderer."""
    if node.plain() == twin.plain():
        yield node, twin
    if node.is_mapping and twin.is_mapping:
        for key, value in node.entries():
            if key.text in twin:
                yield key, twin.key(key.text)
                yield from _same(value, twin[key.text])
    elif len(node) == len(twin):
        for item, other in zip(node, twin, strict=True):
            yield from _same(item, other)


def at_writing(finding: Finding, found: Mapping[Place, Place]) -> Finding:
    """A finding whose places are those where people look."""
    notes = tuple(note._replace(place=found.get(note.place, note.place)) for note in finding.notes)
    return finding._replace(place=found.get(finding.place, finding.place), notes=notes)
