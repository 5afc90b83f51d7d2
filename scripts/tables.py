"""Writes what the rule book says of itself: the index in README.md, and rules/README.md. A test keeps both up to date."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from mirrorlint.book import level_of, rule_book, summary

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- rules -->\n", "<!-- end of rules -->\n"
HEAD = """# The rules

One module and one page for each; `mirrorlint explain NAME` prints the page, whose examples are tests. `scripts/tables.py` writes this file.

{index}
A loss is an error when no caller's shadow arrives in a world that the source may run, and a warning when some are lost. `off` stands for
rules that only inform: `rules: {{NAME: warning}}` in `.mirrorlint.yaml`, or `--rule NAME`, switches one on.

## Ways to break a mirror, and the rules that report them

| | what is wrong | reported by |
|---|---|---|
{ways}
## What manifests can't show

| | what is wrong | why no rule reports it |
|---|---|---|
{unseen}"""


def link(rule: str, folder: str = "") -> str:
    """A rule's name as a link to its page, in a folder as seen from the file that the link stands in."""
    return f"[{rule}]({folder}{rule.replace('-', '_')}.md)"


def index(folder: str) -> str:
    """A table of all rules, whose pages are in a folder."""
    rows = [f"| {link(name, folder)} | {level_of(name)} | {summary(name)} |" for name in rule_book()]
    return "\n".join(["| rule | level | what it finds |", "|---|---|---|", *rows]) + "\n"


def ways() -> dict[str, dict[str, Any]]:
    """Each known way to break a mirror: `what` is wrong, and the `rules` that report it or `why` none does."""
    found: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "rules/ways.yaml").read_text(encoding="utf-8"))
    return found


def rules_readme() -> str:
    """The text of rules/README.md."""
    seen = {name: way for name, way in ways().items() if "rules" in way}
    unseen = {name: way for name, way in ways().items() if "rules" not in way}
    return HEAD.format(
        index=index(""),
        ways="".join(f"| {name} | {way['what']} | {', '.join(map(link, way['rules']))} |\n" for name, way in seen.items()),
        unseen="".join(f"| {name} | {way['what']} | {way['why']} |\n" for name, way in unseen.items()),
    )


def readme(text: str) -> str:
    """README.md with its index of rules."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{index('rules/')}\n{END}{after}"


if __name__ == "__main__":
    (ROOT / "rules/README.md").write_text(rules_readme(), encoding="utf-8")
    (ROOT / "README.md").write_text(readme((ROOT / "README.md").read_text(encoding="utf-8")), encoding="utf-8")
