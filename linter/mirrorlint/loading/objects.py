"""What a file holds of Kubernetes: the objects that matter, a count of all, and what could not be read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from mirrorlint.fleet import Manifest, Suppression
from mirrorlint.kinds import CERTIFICATE, GATEWAY_API, MATTERS, NETWORKING, RELEVANT, SECURITY
from mirrorlint.loading.suppressions import suppressions
from mirrorlint.sieve import sift
from mirrorlint.source import Broken, Node, Place, parse

_FILLED_IN = frozenset({NETWORKING, ""})
_VARIABLE = re.compile(r"\$\{[A-Za-z_]\w*|\{\{")

_KIND = re.compile(r"\bkind[\"']?\s*:\s*[\"']?(\w+)")
_OWN_KIND = re.compile(r"^kind:[ \t]+[\"']?(\w+)", re.MULTILINE)
_VERSION = re.compile(r"\bapiVersion[\"']?\s*:\s*[\"']?([\w.-]*)(/?)")


class Content(NamedTuple):
    """The manifests of a file that matter, how many objects of any kind it has, and what is broken in it.

    `faults` would have been objects that matter; `unclear` is all else that could not be read.
    """

    manifests: tuple[Manifest, ...]
    objects: int
    faults: tuple[Broken, ...]
    unclear: tuple[Broken, ...]
    suppressions: tuple[Suppression, ...] = ()

    @property
    def meshed(self) -> bool:
        """Whether an object of Istio or of the Gateway API is in it, or was meant to be."""
        return bool(self.faults) or any(m.group in (NETWORKING, SECURITY, GATEWAY_API) for m in self.manifests)


def content(data: bytes, path: str) -> Content:
    """Read a file; never raises."""
    left, dropped, _ = sift(data)
    parsed = parse(left, path)
    found = list(_unfolded(parsed.documents))
    manifests = tuple(Manifest(node) for node in found if _matters(node))
    faults: list[Broken] = []
    unclear: list[Broken] = []
    for broken in parsed.broken:
        if not broken.template and _names_what_matters(broken.text):
            faults.append(broken if broken.dropped else broken._replace(text=""))
        else:
            unclear.append(broken._replace(text=""))
    if b"${" in data or b"{{" in data:
        waiting = [(manifest, _variable(manifest.node)) for manifest in manifests if manifest.group in _FILLED_IN]
        unclear += [Broken(node.place, f"{m}: `{node.text}` waits to be filled in", "", "", template=True) for m, node in waiting if node]
        manifests = tuple(manifest for manifest in manifests if manifest not in [m for m, node in waiting if node])
    silenced = tuple(suppressions(data, path, parsed.documents, manifests))
    return Content(manifests, dropped + len(found), tuple(faults), tuple(unclear), silenced)


def packed(found: Content) -> Any:
    """A content as plain data that `marshal` can store, without the path of its file; a mere count when there is nothing else."""
    if not (found.manifests or found.faults or found.unclear or found.suppressions):
        return found.objects
    located = (found.faults, found.unclear, found.suppressions)
    return found.objects, [m.node.raw for m in found.manifests], *([_packed(each) for each in those] for those in located)


def unpacked(data: Any, path: str) -> Content:
    """The content that was packed, as that of the file `path`."""
    objects, raws, faults, unclear, silenced = data
    return Content(
        tuple(Manifest(Node(raw, path)) for raw in raws),
        objects,
        tuple(Broken(Place(path, *place), *rest) for place, *rest in faults),
        tuple(Broken(Place(path, *place), *rest) for place, *rest in unclear),
        tuple(Suppression(Place(path, *place), *rest) for place, *rest in silenced),
    )


def _packed(located: Broken | Suppression) -> tuple[Any, ...]:
    return (tuple(located.place[1:]), *located[1:])


def _matters(node: Node) -> bool:
    """Whether an object is of a kind that matters, or a certificate; one that waits to be filled in tells nothing."""
    group, kind = node.text_at("apiVersion").rpartition("/")[0], node.text_at("kind")
    if kind in MATTERS.get(group, ()):
        return True
    return (group, kind, node.text_at("type")) == ("", CERTIFICATE, "kubernetes.io/tls") and not _variable(node)


def _variable(node: Node) -> Node | None:
    """The first text with a variable that Flux fills in after the build (`postBuild.substitute`), or with a template in it."""
    if node.is_scalar:
        return node if _VARIABLE.search(node.text) else None
    values = (value for _, value in node.entries()) if node.is_mapping else iter(node)
    return next((found for found in map(_variable, values) if found is not None), None)


def _unfolded(nodes: Iterable[Node]) -> Iterator[Node]:
    """The objects among nodes, those inside a List, too."""
    for node in nodes:
        kind = node.text_at("kind")
        if not kind or not node.text_at("apiVersion"):
            continue
        if kind.endswith("List") and node["items"].is_sequence:
            yield from _unfolded(node["items"])
        else:
            yield node


def _names_what_matters(text: str) -> bool:
    """Whether a text that can't be read says a kind that matters, of a group that it is in; the kind in its first column decides."""
    own = set(_OWN_KIND.findall(text))
    if own and own.isdisjoint(RELEVANT) and not any(kind.endswith("List") for kind in own):
        return False
    kinds = set(_KIND.findall(text))
    groups = {name if slash else "" for name, slash in _VERSION.findall(text)} or set(MATTERS)
    return any(kinds & MATTERS[group] for group in groups & set(MATTERS))
