"""Suppressions: `# mirrorlint: ignore[rule] reason` at a line, the annotation `mirrorlint.dev/ignore: rule reason` on an object."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mirrorlint.fleet import Manifest, Suppression
from mirrorlint.source import Node
from mirrorlint.source.comments import comments

ANNOTATION = "mirrorlint.dev/ignore"
MARKER = "mirrorlint: ignore"
_NAMED = re.compile(r"\[([^\]]*)\]\s*(.*)")


def suppressions(data: bytes, path: str, documents: Iterable[Node], manifests: Iterable[Manifest]) -> Iterator[Suppression]:
    """What a file's comments and the annotations of its objects suppress, in the order in which it is written."""
    for comment in comments(data, path, MARKER, documents):
        named = _NAMED.match(comment.text)
        rules, reason = named.groups() if named else ("", "")
        for rule in rules.split(","):
            yield Suppression(comment.place, rule.strip(), reason, comment.line, comment.line)
    for manifest in manifests:
        if not manifest.node.text_at("metadata", "annotations", ANNOTATION):
            continue
        said = manifest.node["metadata"]["annotations"][ANNOTATION]
        for line in said.text.splitlines():
            rule, _, reason = line.strip().partition(" ")
            yield Suppression(said.place, rule, reason.strip(), manifest.node.place.line, manifest.node.place.end_line)
