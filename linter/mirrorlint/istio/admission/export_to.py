"""`exportTo`: which namespaces see an object (pkg/config/validation/validation.go:validateExportTo)."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.istio.admission import names
from mirrorlint.istio.admission.shape import Refusal
from mirrorlint.source import Node


def refusals(document: Node, namespace: str) -> Iterator[Refusal]:
    """What is wrong with the list; `~`, nobody, is for ServiceEntries only."""
    spec, kind = document["spec"], document["kind"].text
    seen: set[str] = set()
    for item in spec["exportTo"]:
        key = namespace if item.text == "." else item.text
        if key in seen:
            yield Refusal(item, f"`exportTo: {item.text}` says the namespace `{key}` again")
        elif wrong := _entry(key, kind):
            yield Refusal(item, f"`exportTo: {item.text}` {wrong}")
        else:
            seen.add(key)
    yield from _together(spec, seen)
    if kind == "DestinationRule" and spec["workloadSelector"] and seen - {namespace}:
        why = "a DestinationRule with a `workloadSelector` is not exported to other namespaces"
        yield Refusal(spec["exportTo"].at(0), why)


def _entry(key: str, kind: str) -> str:
    if key == "~":
        return "" if kind == "ServiceEntry" else f"is for ServiceEntries only: a {kind} is always seen by someone"
    return "" if key == "*" else names.label(key)


def _together(spec: Node, seen: set[str]) -> Iterator[Refusal]:
    for item in spec["exportTo"]:
        if item.text in seen & {"*", "~"} and len(spec["exportTo"]) > 1:
            everyone = "everyone" if item.text == "*" else "nobody"
            yield Refusal(item, f"`exportTo: {item.text}` says {everyone}, and stands beside other entries")
