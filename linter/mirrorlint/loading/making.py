"""Builds the objects that installers and controllers make of others: what nothing says stands where what they are made of does."""

from __future__ import annotations

from mirrorlint.source import Node


def empty(at: Node) -> Node:
    """An empty mapping that stands where a value does."""
    return Node(({}, *at.raw[1:]), at.path)


def several(at: Node, *items: Node) -> Node:
    """A list that stands where a value does."""
    return Node(([item.raw for item in items], *at.raw[1:]), at.path)


def made(at: Node, version: str, kind: str, metadata: Node, spec: Node) -> Node:
    """An object that stands where a value does."""
    return empty(at).having("apiVersion", version).having("kind", kind).having("metadata", metadata).having("spec", spec)
