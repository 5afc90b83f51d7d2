"""The `{{ }}` of ApplicationSets: parameters, and texts that wait for them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from mirrorlint.loading.filling import bounded

Parameters = Mapping[str, Any]

_PLACEHOLDER = re.compile(r"\{\{-?([^{}]{1,400}?)-?\}\}")
_INDEX = re.compile(r"index\s+(?:\$?\.)?([\w.]+)\s+(\d+)")
_WORD = re.compile(r"\"[^\"]*\"|\S+")
_TERM = re.compile(r"\"([^\"\\]*)\"|\$?\.([\w./-]+)")
_ITEM = re.compile(r"([\w.-]+)\[(\d+)\]")
_UNFIT = re.compile(r"[^a-z0-9.-]+")
_DEFAULT = "default"


def parameters(known: Parameters, *, go: bool) -> Callable[[str], str]:
    """What fills in the placeholders of a text; one that is not understood stays.

    `go` tells that the template is one of Go (`goTemplate: true`): `.path` then is an object, else it is the text at `path.path`. Of Go's
    language fields, `index` and pipelines of plain functions are. Source: argo-cd, applicationset/utils/utils.go (Replace).
    """
    return lambda text: bounded(_PLACEHOLDER, lambda found: _said(found[1].strip(), known, go=go) or found[0], text)


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
        found = field(known, item[1] if go else f"{item[1]}.segments")
        return found[int(item[2])] if isinstance(found, list) and int(item[2]) < len(found) else None
    return _piped(expression, known) if go else field(known, expression)


def _piped(expression: str, known: Parameters) -> Any:
    """What a pipeline of Go gives: each function takes what stands before it as its last argument; None for what is not understood."""
    given: list[Any] = []
    for stage in expression.split("|"):
        words = _WORD.findall(stage)
        name = words.pop(0) if words and words[0] in _FUNCTIONS else ""
        terms = [found for found in map(_TERM.fullmatch, words) if found]
        given = [*(field(known, term[2]) if term[2] else term[1] for term in terms), *given]
        count, function = _FUNCTIONS[name]
        if len(terms) < len(words) or len(given) != count:
            return None
        if name not in ("", _DEFAULT) and not all(isinstance(each, str) for each in given):
            return None
        given = [function(*given)]
    return given[0]


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


# How many arguments functions of Go's templates take, and what they give (sprig, but for `normalize`); "" stands for none.
_FUNCTIONS: Mapping[str, tuple[int, Callable[..., Any]]] = {
    "": (1, lambda value: value),
    _DEFAULT: (2, lambda other, value: value or other),
    "lower": (1, str.lower),
    "normalize": (1, normalized),
    "trim": (1, str.strip),
    "trimPrefix": (2, lambda start, text: text.removeprefix(start)),
    "trimSuffix": (2, lambda end, text: text.removesuffix(end)),
    "upper": (1, str.upper),
}
