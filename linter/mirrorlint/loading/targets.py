"""Whom a patch of a kustomization is for, as kustomize finds it (kustomize, api/resmap/reswrangler.go: GetById, Select)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from mirrorlint.fleet import DEFAULT_NAMESPACE
from mirrorlint.istio.re2 import compiled, fault, matches
from mirrorlint.source import Node

_COMMA = re.compile(r",(?![^(]*\))")
_REQUIREMENT = re.compile(r"(!?)\s*([\w./-]+)\s*(?:(=|==|!=)\s*([\w.-]*)|(in|notin)\s*\(([^)]*)\))?")


class Id(NamedTuple):
    """What an object is called, and the namespace that it is in."""

    name: str
    namespace: str


class Target(NamedTuple):
    """An object as a patch meets it: as it is written, as it is built, and what it is called, from the file on until now.

    Where it is not known what it was called on the way, `ids` are empty.
    """

    written: Node
    built: Node
    ids: tuple[Id, ...]

    def is_named(self, patch: Node) -> bool:
        """Whether a patch that is an object without all that stays is for this one."""
        if not is_alike(patch, self.built):
            return False
        name, namespace = identity(patch)
        if not self.ids:
            return name in identity(self.built).name
        return any(name == each.name and (namespace or DEFAULT_NAMESPACE) == (each.namespace or DEFAULT_NAMESPACE) for each in self.ids)

    def is_selected(self, selector: Node) -> bool:
        """Whether the `target` of a patch is this object."""
        group, _, version = self.built["apiVersion"].text.rpartition("/")
        kind = {"group": group, "version": version, "kind": self.built["kind"].text}
        return (
            all(_matches(selector[field].text, [text]) for field, text in kind.items())
            and self._is_called(selector)
            and self._meets(selector["labelSelector"].text, "labels")
            and self._meets(selector["annotationSelector"].text, "annotations")
        )

    def _is_called(self, selector: Node) -> bool:
        """Whether the first or the last name fits, and the first or the last namespace."""
        if not self.ids:
            name = compiled(selector["name"].text)
            return name is None or name.search(identity(self.built).name) is not None
        ends = (self.ids[0], self.ids[-1])
        namespaces = [each.namespace or DEFAULT_NAMESPACE for each in ends]
        return _matches(selector["name"].text, [each.name for each in ends]) and _matches(selector["namespace"].text, namespaces)

    def _meets(self, selector: str, field: str) -> bool:
        """Whether labels or annotations meet a selector, be it those that are written or those that are built."""
        return not selector or any(_meets(selector, node["metadata"][field].named_texts) for node in (self.written, self.built))


def identity(node: Node) -> Id:
    """What an object says that it is called."""
    return Id(node.text_at("metadata", "name"), node.text_at("metadata", "namespace"))


def is_alike(one: Node, other: Node) -> bool:
    """Whether two objects are of one kind, in whatever version."""
    same = one["apiVersion"].text.rpartition("/")[0] == other["apiVersion"].text.rpartition("/")[0]
    return same and one["kind"].text == other["kind"].text


def _matches(pattern: str, every: Iterable[str]) -> bool:
    """Whether a regular expression is one of some texts; none at all is any."""
    if not pattern:
        return True
    return bool(fault(pattern)) or any(matches(pattern, each) for each in every)


def _meets(selector: str, labels: Mapping[str, str]) -> bool:
    """Whether labels meet a selector that is written as a text."""
    return all(_is_met(each.strip(), labels) for each in _COMMA.split(selector))


def _is_met(requirement: str, labels: Mapping[str, str]) -> bool:
    """Whether labels meet a requirement; one that can't be read is met."""
    read = _REQUIREMENT.fullmatch(requirement)
    if not read:
        return True
    bang, name, sign, value, word, values = read.groups()
    if sign:
        return (labels.get(name) == value) is (sign != "!=")
    if word:
        return (labels.get(name) in [each.strip() for each in values.split(",")]) is (word == "in")
    return (name in labels) is not bool(bang)
