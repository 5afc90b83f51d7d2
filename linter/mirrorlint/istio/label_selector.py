"""Label selectors as Kubernetes evaluates them (apimachinery metav1.LabelSelectorAsSelector)."""

from __future__ import annotations

from collections.abc import Mapping

from mirrorlint.source import Node


def selects(selector: Node, labels: Mapping[str, str]) -> bool:
    """Whether labels meet `matchLabels` and `matchExpressions`; an empty selector meets all."""
    return selector["matchLabels"].named_texts.items() <= labels.items() and all(_meets(e, labels) for e in selector["matchExpressions"])


def may_select(selector: Node, known: Mapping[str, str]) -> bool:
    """Whether labels of which only some are known may meet a selector."""
    labels = {name: value for name, value in selector["matchLabels"].named_texts.items() if name in known}
    return labels.items() <= known.items() and all(_meets(e, known) for e in selector["matchExpressions"] if e["key"].text in known)


def asks_for(selector: Node) -> set[str]:
    """The labels that decide."""
    return {*selector["matchLabels"].named_texts, *(e["key"].text for e in selector["matchExpressions"])}


def _meets(expression: Node, labels: Mapping[str, str]) -> bool:
    key, operator, values = expression["key"].text, expression["operator"].text, expression["values"].texts
    if operator in ("Exists", "DoesNotExist"):
        return (key in labels) == (operator == "Exists")
    return (labels.get(key) in values) == (operator == "In")
