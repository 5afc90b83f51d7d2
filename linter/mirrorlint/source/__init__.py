"""Bytes to documents: every YAML value knows where it stands, and what can't be read says why."""

from __future__ import annotations

import codecs
import gc
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from mirrorlint.source import lines
from mirrorlint.source.node import Node
from mirrorlint.source.parsed import Broken, Parsed
from mirrorlint.source.place import Origins, Place

__all__ = ["MAX_BYTES", "Broken", "Node", "Parsed", "Place", "inside", "insides", "is_well_formed", "parse"]

MAX_BYTES = 32 << 20
_MARK = "\ufeff"
_MARKED = re.compile(r"^(---[^\n]*\n)\ufeff", re.MULTILINE)


def parse(data: bytes, path: str) -> Parsed:
    """Read a file of YAML or JSON documents; never raises. A broken document costs no other."""
    if len(data) > MAX_BYTES:
        message = f"the file is larger than {MAX_BYTES >> 20} MiB and is not read"
        return Parsed([], [Broken(Place(path, 1, 1, 1, 1), message, "", data[:MAX_BYTES].decode("utf-8", "replace"))])
    with _collector_paused():
        return _parse(_decode(data), path)


def inside(node: Node) -> Node:
    """The first document of the YAML that a text holds; all of it stands where the text does."""
    return next(iter(insides(node)), node)


def insides(node: Node) -> list[Node]:
    """The documents of the YAML that a text holds; all of them stand where the text does."""
    return parse(node.text.encode("utf-8", "replace"), Origins(f"inside {node.place}", node.place)).documents


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Keep the cyclic collector from walking the growing trees again and again: they have no cycles."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def _parse(text: str, path: str) -> Parsed:
    plain = lines.documents(text)
    if plain is not None:
        return Parsed([Node(raw, path) for raw in plain], [])
    from mirrorlint.source import pieces

    return pieces.read(text, path)


def is_well_formed(data: bytes) -> bool:
    """Whether libyaml, where it is installed, finds no fault in a stream: it tells several times faster than it gives events.

    To import it takes as long as reading hundreds of lines, so what is plain is read until it is needed.
    """
    if "mirrorlint.source.tree" not in sys.modules and lines.documents(_decode(data)) is not None:
        return True
    from mirrorlint.source import tree

    return tree.is_well_formed(data)


def _decode(data: bytes) -> str:
    """Decode as the byte order mark says; a byte that is no character becomes one that YAML does not allow.

    A mark before a document is dropped: kubectl reads each by itself (k8s.io/apimachinery, pkg/util/yaml/decoder.go).
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return data.decode("utf-16").lstrip(_MARK)
        except UnicodeDecodeError as error:
            return data[: error.start].decode("utf-16", "replace").lstrip(_MARK) + "\0"
    text = data.decode("utf-8", "surrogateescape").lstrip(_MARK)
    return _MARKED.sub(r"\1", text) if _MARK in text else text
