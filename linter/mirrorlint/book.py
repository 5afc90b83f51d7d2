"""The rule book: a pair of module and page for each rule, found by name."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import ModuleType

from mirrorlint.level import ERROR


@cache
def rule_book() -> Mapping[str, ModuleType]:
    """All rules by name; a new file in `rules/` is a new rule."""
    package = import_module("mirrorlint.rules")
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    return {name.replace("_", "-"): import_module(f"{package.__name__}.{name}") for name in names}


def page(rule: str) -> str:
    """The Markdown page of a rule in the book."""
    from importlib.resources import files

    return files("mirrorlint.rules").joinpath(f"{rule.replace('-', '_')}.md").read_text(encoding="utf-8")


def summary(rule: str) -> str:
    """The sentence below the title of a rule's page."""
    return " ".join(page(rule).split("\n\n", 2)[1].split())


@cache
def by_reason() -> Mapping[str, str]:
    """The rules that put losses into words, by the reasons of those."""
    return {each: name for name, module in rule_book().items() for each in getattr(module, "REASONS", ())}


def level_of(rule: str) -> str:
    """What a rule's findings are when nobody says otherwise: a loss's level depends on who is hit."""
    level: str = getattr(rule_book()[rule], "LEVEL", ERROR)
    return level
