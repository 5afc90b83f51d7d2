"""Reads a rule's page: its title, its sections, the files of an example, and the findings that comments in them announce."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from mirrorlint import rules

FOLDER = Path(rules.__path__[0])
_SECTION = re.compile(r"^## (.+)$", re.MULTILINE)
_FILE = re.compile(r"^`(?P<path>[^`\n]+)`\n+```yaml\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_STAY = "the other files stay"
_COMMENT = re.compile(r'# (error|warning|note): "([^"]+)"')


class Said(NamedTuple):
    """What a finding or a note says at a line, in full; or the part of it that a comment at the end of that line announces."""

    path: str
    line: int
    level: str
    text: str

    def announces(self, other: Said) -> bool:
        """Whether a comment is about a finding or note."""
        return self[:3] == other[:3] and self.text in other.text


class Page(NamedTuple):
    """A page; `intro` stands between the title and the first section."""

    title: str
    intro: str
    sections: Mapping[str, str]

    @property
    def examples(self) -> list[str]:
        """The examples by what stands behind `Bad` and `Good`: "" for the first, then such as ", with a port"."""
        return [name.removeprefix("Bad") for name in self.sections if name.startswith("Bad")]

    def bad(self, example: str) -> dict[str, str]:
        """The files of a Bad example; where a further one says that the other files stay, they are those of the first."""
        text = self.sections[f"Bad{example}"]
        shown = {match["path"]: match["text"] for match in _FILE.finditer(text)}
        return {**self.bad(""), **shown} if example and _STAY in " ".join(text.lower().split()) else shown

    def good(self, example: str) -> dict[str, str]:
        """The files of a Good example; those that it does not show stay as they are in Bad."""
        shown = {match["path"]: match["text"] for match in _FILE.finditer(self.sections[f"Good{example}"])}
        return {**self.bad(example), **shown}


def names() -> list[str]:
    """The rules that have a page."""
    return sorted(path.stem.replace("_", "-") for path in FOLDER.glob("*.md") if path.name != "README.md")


def read(name: str) -> Page:
    """The page of a rule."""
    text = (FOLDER / f"{name.replace('-', '_')}.md").read_text(encoding="utf-8")
    head, *rest = _SECTION.split(text)
    title, _, intro = head.partition("\n")
    return Page(title.removeprefix("# "), intro.strip(), dict(zip(rest[::2], rest[1::2], strict=True)))


def announced(files: Mapping[str, str]) -> Iterator[Said]:
    """What the comments in an example's files announce."""
    for path, text in files.items():
        for number, line in enumerate(text.splitlines(), start=1):
            for level, part in _COMMENT.findall(line):
                yield Said(path, number, level, part)


def bare(text: str) -> str:
    """A file of an example without the comments that announce findings."""
    return re.sub(rf" *{_COMMENT.pattern}", "", text)
