"""What a file holds once it is read, and what Kubernetes would refuse of it."""

from __future__ import annotations

from typing import NamedTuple

from mirrorlint.source.node import Node
from mirrorlint.source.place import Place


class Broken(NamedTuple):
    """What Kubernetes would refuse: where and why, what helps (or ""), the raw text of the document.

    `dropped` tells that the document could not be read; it is still there when a key is merely repeated. `template`
    tells that the text waits for a template engine.
    """

    place: Place
    message: str
    hint: str
    text: str
    dropped: bool = True
    template: bool = False


class Parsed(NamedTuple):
    """What a file holds: its documents in order (empty ones are none), and what is broken in it."""

    documents: list[Node]
    broken: list[Broken]
