"""What a file holds of Kubernetes: the objects that matter, a count of all, and what could not be read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from mirrorlint.fleet import Manifest, Suppression
from mirrorlint.istio.certificates import SOME_PEM, WITHHELD, may_be_pem
from mirrorlint.kinds import (
    CONFIG_MAP,
    CREDENTIALS,
    GATEWAY_API,
    JUDGED,
    MATTERS,
    NETWORKING,
    OF_EGRESS,
    OF_POLICIES,
    OF_TEMPLATES,
    POLICIES,
    SECURITY,
    TELLS,
)
from mirrorlint.loading.filling import first, is_substituted, substituted
from mirrorlint.loading.served import unserved
from mirrorlint.loading.suppressions import suppressions
from mirrorlint.sieve import sift
from mirrorlint.source import Broken, Node, Parsed, Place, parse
from mirrorlint.source.case import short

_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_OPEN = frozenset({"name", "server"})  # of a cluster that a Secret describes
_CLUSTER = "argocd.argoproj.io/secret-type"  # of a Secret that tells Argo CD of a cluster
_MESH_CONFIG = re.compile(r"istio(-[\w.-]+)?")
_VARIABLE = re.compile(r"\$\{[A-Za-z_]\w*|\{\{")
# The same in a text of one line; what has several is a program, and no name.
_WAITING = re.compile(r"\A[^\n]*?(?:\$\{[A-Za-z_]\w*|\{\{)[^\n]*\Z")
# What people write where their own scripts fill something in.
_PLACEHOLDER = re.compile(r"<[^<>]+>|\$\(\w+\)|\$[A-Z]\w*|%\w+%|@\w+@|PLACEHOLDER|(?:CHANGE|REPLACE)_?ME|YOUR_")
_SIGNS = (b"${", b"{{", b"ENC[")  # of what can't be judged as it is written
_ENCRYPTED = re.compile(r"^ENC\[AES256_GCM,")  # by sops, which keeps its own data in the key `sops`

_KIND = re.compile(r"\bkind[\"']?\s*:\s*[\"']?(\w+)")
_OWN_KIND = re.compile(r"^kind:[ \t]+[\"']?(\w+)", re.MULTILINE)
_VERSION = re.compile(r"\bapiVersion[\"']?\s*:\s*[\"']?([\w.-]*)(/?)")


class Content(NamedTuple):
    """The manifests of a file that matter, how many objects of any kind it has, and what is broken in it.

    `faults` would have been objects that matter; `unclear` is all else that could not be read. `tells` are the objects of GitOps, `waiting`
    those that matter once their variables are filled in, or they are decrypted.
    """

    manifests: tuple[Manifest, ...] = ()
    objects: int = 0
    faults: tuple[Broken, ...] = ()
    unclear: tuple[Broken, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    tells: tuple[Manifest, ...] = ()
    waiting: tuple[Manifest, ...] = ()

    @property
    def counts(self) -> bool:
        """Whether there is something to judge in it, or was meant to be."""
        return any(manifest.kind not in OF_POLICIES for manifest in self.manifests) or bool(self.faults)

    @property
    def meshed(self) -> bool:
        """Whether an object of Istio or of the Gateway API is in it, or was meant to be."""
        return bool(self.faults) or any(m.group in (NETWORKING, SECURITY, GATEWAY_API) for m in (*self.manifests, *self.waiting))


def content(data: bytes, path: str) -> Content:
    """Read a file; never raises."""
    left, dropped, _ = sift(data)
    if not left.strip():
        return Content(objects=dropped)
    found = content_of(parse(left, path), data, path)
    return found._replace(objects=dropped + found.objects)


def content_of(parsed: Parsed, data: bytes, path: str) -> Content:
    """What is in documents that were parsed, of a text that may have held others."""
    found = [_without_secrets(Manifest(node)) for node in unfolded(parsed.documents) if not _is_patch(node)]
    refused = [unserved(manifest.node) for manifest in found]
    manifests = tuple(manifest for manifest, why in zip(found, refused, strict=True) if why is None and _matters(manifest))
    refused += [unserved(node) for node in parsed.documents if not node.text_at("apiVersion")]
    marked = any(sign in data for sign in _SIGNS)
    hidden = tuple(filter(_encrypted, filter(_tells, found))) if marked else ()
    tells = tuple(manifest for manifest in found if _tells(manifest) and manifest not in hidden)
    faults = [why for why in refused if why is not None]
    unclear: list[Broken] = []
    for broken in parsed.broken:
        if not broken.template and _names_what_matters(broken.text):
            faults.append(broken if broken.dropped else broken._replace(text=""))
        else:
            unclear.append(broken._replace(text=""))
    waiting = tuple(filter(_waits if marked else _unfilled, manifests))
    manifests = tuple(manifest for manifest in manifests if manifest not in waiting)
    quiet = tuple(suppressions(data, path, parsed.documents, manifests))
    return Content(manifests, len(found), tuple(faults), (*unclear, *gaps((*waiting, *hidden))), quiet, tells, waiting)


def adapted(found: Content, namespace: str, fallback: str, variables: Mapping[str, str] | None) -> Content:
    """What a file holds once it is applied: all in `namespace`, if there is one, objects without one in `fallback`.

    `variables` are filled in; None when nothing fills them in.
    """
    if namespace or fallback:
        found = found._replace(
            manifests=tuple(Manifest(manifest.node, namespace, fallback) for manifest in found.manifests),
            tells=tuple(Manifest(manifest.node, namespace, fallback) for manifest in found.tells),
        )
    if variables is None or not (found.waiting or found.tells):
        return found
    full = [Manifest(_filled(manifest.node, variables), namespace, fallback) for manifest in found.waiting]
    waiting = tuple(filter(_waits, full))
    old = {gap.place for gap in gaps(found.waiting)}
    return found._replace(
        manifests=(*found.manifests, *(manifest for manifest in full if manifest not in waiting)),
        unclear=(*(broken for broken in found.unclear if broken.place not in old), *gaps(waiting)),
        tells=tuple(Manifest(_filled(manifest.node, variables), namespace, fallback) for manifest in found.tells),
        waiting=waiting,
    )


def _filled(node: Node, variables: Mapping[str, str]) -> Node:
    return substituted(node, variables) if _variable(node) is not None and is_substituted(node) else node


def gaps(manifests: Iterable[Manifest]) -> Iterator[Broken]:
    """What keeps objects from being judged."""
    return (gap for gap in map(_waits, manifests) if gap is not None)


def _waits(manifest: Manifest) -> Broken | None:
    """What keeps an object from being judged until it is decrypted or filled in."""
    hidden = _encrypted(manifest)
    if hidden is not None:
        return Broken(hidden.place, f"{manifest} is encrypted", "", "", template=True)
    node = _first(_asked(manifest), _WAITING)
    node = _unfilled(manifest) if node is None else node
    if node is None:
        return None
    return Broken(node.place, f"{manifest}: `{short(node.text)}` waits to be filled in", "", "", template=True)


def _encrypted(manifest: Manifest) -> Node | None:
    """The first encrypted value of an object, but for Secrets, whose values are not asked for."""
    return None if manifest.kind == CREDENTIALS else _first(_asked(manifest), _ENCRYPTED)


def _unfilled(manifest: Manifest) -> Node | None:
    """The first value that is refused as it is written, but stands for another one.

    It is noted where Istio's admission has nothing to say: what it takes to tell is kept with what files hold.
    """
    if manifest.group not in (NETWORKING, SECURITY, GATEWAY_API):
        return None
    from mirrorlint.istio.admission import judged

    refused = [refusal.node for refusal in judged(manifest.node, manifest.namespace)]
    manifest.faultless = not refused
    return next((node for node in refused if _PLACEHOLDER.search(node.text)), None)


def _asked(manifest: Manifest) -> list[Node]:
    """The parts of an object that must be known; of workloads, and of what scales them, that is little, of policies nothing."""
    node, metadata, spec = manifest.node, manifest.node["metadata"], manifest.node["spec"]
    if manifest.kind in OF_POLICIES:
        return []
    if (manifest.group, manifest.kind) in OF_TEMPLATES:
        return [metadata["name"], metadata["namespace"], spec["replicas"], spec["template"]["metadata"]["labels"]]
    if manifest.kind == "Pod":
        return [metadata]
    return [spec["scaleTargetRef"]] if manifest.group == "keda.sh" else [value for name, value in node.items() if name != "sops"]


def _first(parts: Iterable[Node], pattern: re.Pattern[str]) -> Node | None:
    return next((found for found in (first(part, pattern) for part in parts) if found is not None), None)


def packed(found: Content) -> Any:
    """A content as plain data that `marshal` can store, without the path of its file; a mere count when there is nothing else."""
    objects = (found.manifests, found.tells, found.waiting)
    located = (found.faults, found.unclear, found.suppressions)
    if not (any(objects) or any(located)):
        return found.objects
    return found.objects, *([m.packed() for m in those] for those in objects), *([_packed(each) for each in those] for those in located)


def unpacked(data: Any, path: str) -> Content:
    """The content that was packed, as that of the file `path`."""
    objects, manifests, tells, waiting, faults, unclear, silenced = data
    return Content(
        tuple(Manifest.unpacked(each, path) for each in manifests),
        objects,
        tuple(Broken(Place(path, *place), *rest) for place, *rest in faults),
        tuple(Broken(Place(path, *place), *rest) for place, *rest in unclear),
        tuple(Suppression(Place(path, *place), *rest) for place, *rest in silenced),
        tuple(Manifest.unpacked(each, path) for each in tells),
        tuple(Manifest.unpacked(each, path) for each in waiting),
    )


def _packed(located: Broken | Suppression) -> tuple[Any, ...]:
    return (tuple(located.place[1:]), *located[1:])


def _matters(found: Manifest) -> bool:
    """Whether an object is of a kind that matters, a policy for what pods send, or a certificate.

    A Secret that waits to be filled in tells nothing.
    """
    if found.kind in MATTERS.get(found.group, ()):
        return True
    if found.kind in POLICIES.get(found.group, ()):
        said = str(found.node.plain())
        return any(word in said for word in OF_EGRESS)
    secret = (found.group, found.kind) == ("", CREDENTIALS)
    return secret and found.node.text_at("type") == "kubernetes.io/tls" and not _variable(found.node)


def _variable(node: Node) -> Node | None:
    """The first text with a variable that Flux fills in after the build (`postBuild.substitute`), or with a template in it."""
    return first(node, _VARIABLE)


def _tells(found: Manifest) -> bool:
    """Whether an object tells how objects come to clusters, or how Istio is installed there."""
    if (found.group, found.kind) == ("", CREDENTIALS):
        return found.node.text_at("metadata", "labels", _CLUSTER) == "cluster"
    if (found.group, found.kind) == ("", CONFIG_MAP):
        return _MESH_CONFIG.fullmatch(found.name) is not None
    return found.kind in TELLS.get(found.group, ())


def unfolded(nodes: Iterable[Node]) -> Iterator[Node]:
    """The objects among nodes, those inside a List, too."""
    for node in nodes:
        kind = node.text_at("kind")
        if not kind or not node.text_at("apiVersion"):
            continue
        if kind.endswith("List") and node["items"].is_sequence:
            yield from unfolded(node["items"])
        else:
            yield node


def _is_patch(node: Node) -> bool:
    """Whether a document but changes an object, as strategic merge patches do that delete or replace a whole one (`$patch`)."""
    return "$patch" in node


def _without_secrets(found: Manifest) -> Manifest:
    """A Secret without what is secret in it, since what files hold is kept between runs; of values in PEM it is left that they are."""
    if (found.group, found.kind) != ("", CREDENTIALS):
        return found
    node = found.node
    told = {key: SOME_PEM if may_be_pem(value.text) else WITHHELD for key, value in node["data"].items()}
    strings = {key: WITHHELD for key, _ in node["stringData"].items() if key not in _OPEN}
    annotations = {_APPLIED: WITHHELD} if _APPLIED in node["metadata"]["annotations"] else {}
    node = _having(_having(node, "data", told), "stringData", strings)
    return Manifest(node.having("metadata", _having(node["metadata"], "annotations", annotations)) if annotations else node)


def _having(node: Node, name: str, values: Mapping[str, str]) -> Node:
    """A mapping like this one, with other values in the mapping that it has under a name."""
    part = node[name]
    for key, value in values.items():
        part = part.having(key, value)
    return node.having(name, part) if values else node


def _names_what_matters(text: str) -> bool:
    """Whether a text that can't be read says a kind that matters, of a group that it is in; the kind in its first column decides."""
    own = set(_OWN_KIND.findall(text))
    if own and own.isdisjoint(JUDGED) and not any(kind.endswith("List") for kind in own):
        return False
    kinds = set(_KIND.findall(text))
    groups = {name if slash else "" for name, slash in _VERSION.findall(text)} or set(MATTERS)
    return any(kinds & MATTERS[group] for group in groups & set(MATTERS))
