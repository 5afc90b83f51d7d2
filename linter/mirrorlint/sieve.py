"""What of a file can matter, told before its YAML is read: most documents of a repository are none that mirrors meet."""

from __future__ import annotations

import re
from typing import NamedTuple

from mirrorlint.kinds import CONFIG_MAP, NOT_READ, OF_EGRESS, OF_POLICIES, RELEVANT, WORKLOADS
from mirrorlint.source import MAX_BYTES, is_well_formed
from mirrorlint.source.scalars import NULLS

SUFFIXES = (".yaml", ".yml", ".json")
# How files end of which other tools make manifests.
FOREIGN = {
    ".j2": "Jinja",
    ".jinja2": "Jinja",
    ".gotmpl": "a template engine",
    ".tmpl": "a template engine",
    ".jsonnet": "Jsonnet",
    ".libsonnet": "Jsonnet",
    ".cue": "CUE",
    ".tf": "Terraform",
}
KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")

_FOREIGN = tuple(FOREIGN)
_BOUNDARY = re.compile(rb"\n---(?=[ \t\r\n]|\Z)")
_BLANKS = (b"\n", b"", b" ", b"\r", b"\t")

_REST = rb"[ \t]*(?:[ \t]#[^\n]*)?\r?\n"
_VERSION, _KIND = rb"apiVersion: ([A-Za-z][\w./-]*)" + _REST, rb"kind: ([A-Za-z]\w*)" + _REST
# A document that opens with its version and kind, each whole on its line.
_HEAD = re.compile(rb"(?:[ \t]*(?:#[^\n]*)?\r?\n)*(?:%b%b|%b%b)(?=[^\s]|\Z)" % (_VERSION, _KIND, _KIND, _VERSION))
# What may begin a second `kind` or another document: anything in the first column but plain keys, items, comments and blanks.
_SECOND = re.compile(rb"\n(?:kind|apiVersion|[^A-Za-z_\s#-])")
# Where lines end beside the line feed, which line numbers are counted by.
_OTHER_BREAK = re.compile(rb"\r(?!\n)|\xc2\x85|\xe2\x80[\xa8\xa9]")
# Escapes and tags by which a word may stand in a text without its letters.
_SPELLED = re.compile(rb"\\[xuU\r\n\x80-\xff]|!!|!<")
# An entry that is whole on its line, or a line without any.
_VALUE = rb"(?:[\w./~+-](?:[^\r\n:#]|:[^\s#])*|\"[^\"\\\n]*+\"|'[^'\r\n]*+'|\{[^{}\[\]\"'\n]*+\}|\[[^{}\[\]\"'\n]*+\])"
_LINE = rb"(?:(?:- )?[\w./-]++:(?: %b)?[ \t]*+(?:#[^\n]*+)?|#[^\n]*+)?\r?\n" % _VALUE
# What a workload says that may be an ingress gateway, of which the ports of its containers are asked, or that may have no sidecar.
_TELLING = (b"istio", b"gateway", b"ingress", b"proxyv2", b"envoy", b"hostnetwork")
# What stands around a workload's template, and its containers, which end it: of other workloads little more than labels is asked.
_PODS = re.compile(
    rb"\nspec:[ \t]*\r?\n((?:  ++%b)*?)  template:[ \t]*\r?\n    metadata:[ \t]*\r?\n(?:      ++%b)*    spec:[ \t]*\r?\n"
    rb"((?:(?:     [^\n]*|[ \t]*\r?)\n)*(?:     [^\n]*)?)\Z" % (_LINE, _LINE)
)

_REPLICAS = b"  replicas:"
_READ, _WORKLOADS, _NULLS = ({kind.encode() for kind in kinds} for kinds in (RELEVANT, WORKLOADS, NULLS))
# Objects that matter only if they have one of some words in them.
_EGRESS = tuple(word.encode() for word in OF_EGRESS)
_WITH_WORDS = {CONFIG_MAP.encode(): (b"istio",), **{kind.encode(): _EGRESS for kind in OF_POLICIES}}
# Of these groups any other kind may be a slip, which is told.
_NOT_READ = {group.encode(): frozenset(kind.encode() for kind in kinds) for group, kinds in NOT_READ.items()}
# Objects that are not read, and lead to other files.
_LEADING = b"Component"


class Sifted(NamedTuple):
    """What is left of a file, with every character at its place, and how many objects were taken out.

    `certain` tells that what was taken out is nothing but objects that say their kind, and none that leads to other files.
    """

    data: bytes
    dropped: int
    certain: bool = True


def is_read(path: str) -> bool:
    """Whether a file is read, by its name, if only to tell that nothing in it is judged."""
    return path.endswith(SUFFIXES) or path.rpartition("/")[2] == KUSTOMIZATIONS[-1] or is_foreign(path)


def is_foreign(path: str) -> bool:
    """Whether a file is one of which another tool makes manifests, by its name."""
    return path.endswith(_FOREIGN)


def sift(data: bytes) -> Sifted:
    """Take out the documents whose kind does not matter, and what is not asked for of workloads; what is taken out leaves its line breaks.

    YAML allows no `---` in the first column inside of a document, whatever it is in.
    """
    if len(data) > MAX_BYTES or _is_delicate(data):
        return Sifted(data, 0)
    if not is_well_formed(data):
        return Sifted(b"" if _is_jsonc(data) else data, 0)
    careful = _has_sign(data)
    parts = _documents(data)
    dropped, last, certain = 0, 0, True
    for number, part in enumerate(parts):
        kept, kind = (part, b"") if careful and _has_sign(part) else _sifted(part)
        if kept:
            last = number + 1
        else:
            dropped += bool(kind)
            certain = certain and (kind not in (b"", _LEADING) or not part.strip())
            kept = b"\n" * part.count(b"\n")
        parts[number] = kept
    end = b"\n" if 0 < last < len(parts) else b""
    return Sifted(b"\n---".join(parts[:last])[1:] + end, dropped, certain)


def _is_jsonc(data: bytes) -> bool:
    """Whether a text is no object but JSON with comments or too many commas, as settings of editors and compilers are."""
    return data.lstrip()[:1] in (b"{", b"/") and not _has_sign(data) and not _may_say(data, b"kind")


def _documents(data: bytes) -> list[bytes]:
    """The parts of a text between its `---`, the first one behind a line break."""
    data = b"\n" + data
    parts = data.split(b"\n---")
    return parts if all(part[:1] in _BLANKS for part in parts) else _BOUNDARY.split(data)


def _has_sign(data: bytes) -> bool:
    """Whether there may be templates, which may not be YAML, or suppressions."""
    return b"mirrorlint" in data or (b"{" in data and (b"{{" in data or b"{%" in data))


def _is_delicate(data: bytes) -> bool:
    """Whether there may be UTF-16, directives, which concern the documents behind them, or lines that end without a line feed."""
    if data[:1] in b"%\xfe\xff" or (b"%" in data and b"\n%" in data):
        return True
    return (b"\r" in data or not data.isascii()) and _OTHER_BREAK.search(data) is not None


def _sifted(part: bytes) -> tuple[bytes, bytes]:
    """What is left of a document; where that is nothing, the kind of the object that was taken out (b"" for none)."""
    head = _HEAD.match(part)
    if head is None or _SECOND.search(part, head.end() - 1):
        return part if _may_say(part, b"kind") else b"", b""  # without that key it is no object
    version, kind, kind_above, version_below = head.groups()
    version, kind = version or version_below, kind or kind_above
    if kind in _READ or kind[-4:] == b"List" or version in _NULLS or kind in _NULLS:
        return _without_containers(part) if kind in _WORKLOADS and not _tells_more(part) else part, b""
    known = _NOT_READ.get(version.partition(b"/")[0])
    if known is not None and kind not in known:
        return part, b""
    return (part, b"") if any(_may_say(part, word) for word in _WITH_WORDS.get(kind, ())) else (b"", kind)


def _may_say(part: bytes, word: bytes) -> bool:
    """Whether a word may stand in a document, in letters or spelled otherwise."""
    return word in part or ((b"\\" in part or b"!" in part) and _SPELLED.search(part) is not None)


def _tells_more(part: bytes) -> bool:
    lowered = part.lower()
    return any(word in lowered for word in _TELLING)


def _without_containers(part: bytes) -> bytes:
    found = _PODS.search(part)
    if found is None:
        return part
    above, between = part[: found.start(1)], part[found.end(1) : found.start(2)]
    beside = b"".join(line if line.startswith(_REPLICAS) else b"\n" for line in found[1].splitlines(keepends=True))
    return above + beside + between + b"\n" * found[2].count(b"\n")
