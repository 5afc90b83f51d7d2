"""Reads a rule's page: its title, its sections, the files of an example, and the findings that comments in them announce."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from mirrorlint import rules

FOLDER = Path(rules.__path__[0])
_FILE = re.compile(r"^`(?P<path>[^`\n]+)`\n+```yaml\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
_EXPECTATION = re.compile(r'# (error|warning|note): "([^"]+)"')


class Expected(NamedTuple):
    """A finding, or a note of one, as a comment at the end of its line says it."""

    path: str
    line: int
    level: str
    part: str


class Page(NamedTuple):
    """A page: `intro` stands between the title and the first section."""

    name: str
    title: str
    intro: str
    sections: Mapping[str, str]

    def files(self, section: str) -> dict[str, str]:
        """The texts of an example by path; what Good does not show stays as it is in Bad."""
        own = {match["path"]: match["text"] for match in _FILE.finditer(self.sections[section])}
        return {**self.files("Bad"), **own} if section == "Good" else own


def read(name: str) -> Page:
    """The page of a rule."""
    text = (FOLDER / f"{name.replace('-', '_')}.md").read_text(encoding="utf-8")
    head, *rest = _SECTION.split(text)
    title, _, intro = head.partition("\n")
    return Page(name, title.removeprefix("# "), intro.strip(), dict(zip(rest[::2], rest[1::2], strict=True)))


def names() -> list[str]:
    """The rules that have a page."""
    return sorted(path.stem.replace("_", "-") for path in FOLDER.glob("*.md"))


def expectations(files: Mapping[str, str]) -> Iterator[Expected]:
    """What the comments in an example announce."""
    for path, text in files.items():
        for number, line in enumerate(text.splitlines(), start=1):
            for level, part in _EXPECTATION.findall(line):
                yield Expected(path, number, level, part)
