"""The `{{ }}` of ApplicationSets: parameters, and texts that wait for them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from mirrorlint.loading.filling import bounded

Parameters = Mapping[str, Any]

_PLACEHOLDER = re.compile(r"\{\{-?([^{}]{1,400}?)-?\}\}")
_INDEX = re.compile(r"index\s+\.?([\w.]+)\s+(\d+)")
_ITEM = re.compile(r"([\w.-]+)\[(\d+)\]")
_NAME = re.compile(r"[\w./-]+")
_UNFIT = re.compile(r"[^a-z0-9.-]+")


def parameters(known: Parameters, *, go: bool) -> Callable[[str], str]:
    """What fills in the placeholders of a text; one that is not understood stays.

    `go` tells that the template is one of Go (`goTemplate: true`): `.path` then is an object, else it is the text at `path.path`. Of Go's
    language fields and `index` are understood. Source: argo-cd, applicationset/utils/utils.go (Replace).
    """

    def fill(text: str) -> str:
        return bounded(_PLACEHOLDER, lambda found: _said(found[1].strip(), known, go=go) or found[0], text) if "{{" in text else text

    return fill


def _said(expression: str, known: Parameters, *, go: bool) -> str:
    value = _value(expression, known, go=go)
    if isinstance(value, Mapping) and not go:
        value = value.get("path")
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else ""


def _value(expression: str, known: Parameters, *, go: bool) -> Any:
    item = _INDEX.fullmatch(expression) if go else _ITEM.fullmatch(expression)
    if item:
        name = item[1].removeprefix(".")
        found = field(known, name if go else f"{name}.segments")
        return found[int(item[2])] if isinstance(found, list) and int(item[2]) < len(found) else None
    if not _NAME.fullmatch(expression) or go != expression.startswith("."):
        return None
    return field(known, expression.removeprefix("."))


def field(known: Any, dotted: str) -> Any:
    """The value behind names with dots between them; a name may have dots itself."""
    if not isinstance(known, Mapping):
        return None
    if dotted in known:
        return known[dotted]
    parts = dotted.split(".")
    heads = (".".join(parts[:number]) for number in range(len(parts) - 1, 0, -1))
    return next((field(known[head], dotted[len(head) + 1 :]) for head in heads if head in known), None)


def of_folder(path: str) -> dict[str, Any]:
    """The parameters of a folder; `path` is relative to the repository."""
    base = path.rpartition("/")[2]
    return {"path": {"path": path, "basename": base, "basenameNormalized": normalized(base), "segments": path.split("/")}}


def of_file(path: str, content: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a file: what it holds, and where it is."""
    folder, _, name = path.rpartition("/")
    found = of_folder(folder)
    found["path"] |= {"filename": name, "filenameNormalized": normalized(name)}
    return {**content, **found}


def normalized(name: str) -> str:
    """A name as a DNS label: argo-cd, applicationset/utils/utils.go (SanitizeName)."""
    return _UNFIT.sub("-", name.lower()).strip("-.")
