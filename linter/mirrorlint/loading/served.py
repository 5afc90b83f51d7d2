"""Objects that the API server refuses whole, since it has no such kind: of a wrong version or group, or with a slip in the kind's name."""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import lru_cache

from mirrorlint.kinds import EARLIER, GATEWAY_API, KUBERNETES_NETWORKING, MATTERS, NETWORKING, NOT_READ, SECURITY, SERVED
from mirrorlint.source import Broken, Node

_GROUPS = (NETWORKING, SECURITY, GATEWAY_API)
_KINDS = frozenset().union(*(MATTERS[group] for group in _GROUPS))
# Groups of Kubernetes itself, whose kinds are known.
_CLOSED = frozenset({"", "apps", KUBERNETES_NETWORKING})
# What experiments of Kubernetes' own projects call their groups, one letter from those of the final API.
_EXPERIMENTAL = "x-k8s.io"
# A version that is not yet to be filled in.
_FINAL = re.compile(r"[a-z0-9.-]+(?:/[a-z0-9]+)?")
_ALIKE = 0.85


def unserved(node: Node) -> Broken | None:
    """Why the API server has no kind for an object that is plainly meant for Istio or is of the Gateway API, and what was meant."""
    version, kind = node.text_at("apiVersion"), node.text_at("kind")
    if not version:
        return _without_version(node, kind)
    if kind == "Gateway" and version.startswith(f"{GATEWAY_API}/") and node["spec"]["servers"] and not node["spec"]["gatewayClassName"]:
        message = f"a Gateway of `{GATEWAY_API}` has no `servers` and must name a `gatewayClassName`, so the API server refuses this one"
        return _refused(node, "apiVersion", message, f"did you mean `{NETWORKING}/v1`?", kind)
    field, meant = _slip(version, kind)
    if not field:
        return None
    message = f"the API server has no kind `{kind}` of `{version}`, so it refuses this object"
    return _refused(node, field, message, f"did you mean `{meant}`?", meant if field == "kind" else kind)


def _without_version(node: Node, kind: str) -> Broken | None:
    """An object that is whole but for its version; other programs may use the words of Kubernetes, too."""
    if kind not in _KINDS or not node.text_at("metadata", "name") or not node["spec"].is_mapping:
        return None
    message = f"this {kind} has no `apiVersion`, so the API server refuses it"
    return _refused(node, "apiVersion", message, f"write `apiVersion: {_home('', kind)}/v1`", kind)


def _refused(node: Node, field: str, message: str, hint: str, kind: str) -> Broken:
    return Broken(node[field].place, message, hint, f"kind: {kind} {node.plain()}")


@lru_cache(maxsize=1024)
def _slip(version: str, kind: str) -> tuple[str, str]:
    """The field that has a slip, and what was meant by it; "" for none that is certain."""
    group, _, number = version.rpartition("/")
    if (
        kind in SERVED.get(version, ())
        or kind in EARLIER.get(version, ())
        or kind in NOT_READ.get(group, ())
        or not _FINAL.fullmatch(version)
    ):
        return "", ""
    if kind in _KINDS:
        home = _home(group, kind)
        return ("apiVersion", f"{home}/{_nearest_version(home, kind, number)}") if home else ("", "")
    near = _near(kind.lower(), {each.lower(): each for each in MATTERS[group]}) if group in _GROUPS else ""
    return ("kind", near) if near else ("", "")


def _home(group: str, kind: str) -> str:
    """The group that a kind was meant to be of; "" where it may well be another one's."""
    owners = {each: each for each in _GROUPS if kind in MATTERS[each]}
    if group in owners:
        return group
    if group in _CLOSED or group in _GROUPS:
        return next(iter(owners))
    return "" if group.endswith(_EXPERIMENTAL) else _near(group, owners)


def _nearest_version(group: str, kind: str, number: str) -> str:
    served = {version.rpartition("/")[2]: version for version, kinds in SERVED.items() if version.startswith(f"{group}/") and kind in kinds}
    return (_near(number, served) or list(served.values())[-1]).rpartition("/")[2]


def _near(word: str, known: dict[str, str]) -> str:
    return next((known[each] for each in get_close_matches(word, known, 1, _ALIKE)), "")
