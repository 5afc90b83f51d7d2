"""Clusters as edits leave them: the objects that are edited are read again, and those that are added stand beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from mirrorlint.fleet import Cluster, Manifest
from mirrorlint.rule import DOCUMENT, ENTRY, ITEMS, REPLACE, Edit
from mirrorlint.source import Node, parse
from mirrorlint.source.node import Raw


class Edited(NamedTuple):
    """Clusters with edits in their objects, and for each edit the objects that it is in, as they are then."""

    clusters: Mapping[str, Cluster]
    objects: Mapping[Edit, tuple[Manifest, ...]]


def edited(clusters: Mapping[str, Cluster], edits: Iterable[Edit]) -> Edited:
    """Make edits in all clusters that have their files."""
    by_path: dict[str, list[Edit]] = {}
    for edit in dict.fromkeys(edits):
        by_path.setdefault(edit.node.path, []).append(edit)
    objects: dict[Edit, tuple[Manifest, ...]] = {}
    changed = {}
    for name, cluster in clusters.items():
        if cluster.paths.isdisjoint(by_path):
            changed[name] = cluster
            continue
        manifests: list[Manifest] = []
        for manifest in cluster.manifests():
            own = [edit for edit in by_path.get(manifest.node.path, ()) if _within(edit.node.raw, manifest.node.raw)]
            made = list(_made(manifest, own)) if own else [manifest]
            objects |= {edit: (*objects.get(edit, ()), *made) for edit in own}
            manifests += made
        changed[name] = Cluster(name, manifests, cluster.settings, cluster.published)
    return Edited(changed, objects)


def _made(manifest: Manifest, edits: Iterable[Edit]) -> Iterator[Manifest]:
    """An object with edits in it, and the objects that they add."""
    raw, path = manifest.node.raw, manifest.node.path
    for edit in edits:
        if edit.kind == DOCUMENT:
            yield Manifest(parse(str(edit.values[0]).encode(), path).documents[0], fallback=manifest.namespace)
        else:
            raw = _with(raw, edit)
    yield Manifest(Node(raw, path), manifest.namespace)


def _with(raw: Raw, edit: Edit) -> Raw:
    """A value with an edit at the place inside it that the edit names."""
    content, old = raw[0], edit.node.raw
    if edit.kind != ENTRY and raw[2:] == old[2:] and type(content) is type(old[0]):
        return _items(raw, edit) if edit.kind == ITEMS else _scalar(edit.values[0], raw)
    if not _within(old, raw):
        return raw
    if type(content) is list:
        content = [_with(item, edit) for item in content]
    elif type(content) is dict:
        content = dict(_entries(content, edit))
    return (content, *raw[1:])


def _entries(content: Mapping[str, tuple[Raw, Raw]], edit: Edit) -> Iterator[tuple[str, tuple[Raw, Raw]]]:
    """The entries of a mapping: a key may have another name, and behind an entry there may be a new one."""
    for name, (key, value) in content.items():
        renamed = edit.kind == REPLACE and key[2:] == edit.node.raw[2:]
        yield str(edit.values[0]) if renamed else name, (key, _with(value, edit))
        if edit.kind == ENTRY and value[2:] == edit.node.raw[2:]:
            *names, last = edit.values
            new = _scalar(last, value)
            for each in reversed(names[1:]):
                new = ({str(each): (key, new)}, None, *value[2:])
            yield str(names[0]), (key, new)


def _items(raw: Raw, edit: Edit) -> Raw:
    kept = [item for item in Node(raw, edit.node.path) if item.text not in edit.dropped]
    return ([*(item.raw for item in kept), *(_scalar(value, raw) for value in edit.values)], *raw[1:])


def _scalar(value: str | int, at: Raw) -> Raw:
    return (str(value), isinstance(value, int), *at[2:])


def _within(part: Raw, whole: Raw) -> bool:
    return whole[2:4] <= part[2:4] and part[4:] <= whole[4:]
