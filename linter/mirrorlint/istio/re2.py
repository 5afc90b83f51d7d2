"""Regular expressions of RE2 as Go compiles them (regexp/syntax/parse.go): their faults, what they match, examples."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice

from mirrorlint.istio.automaton import Part, either, one, repeated, sequence
from mirrorlint.istio.characters import Characters

_MOST = 1000
_CHOICES = 6  # so many texts that a part may stand for are kept, and so many that differ in one part
_REPEAT = re.compile(r"\{(0|[1-9][0-9]*)(,(0|[1-9][0-9]*)?)?\}")
_NAME = re.compile(r"\(\?P?<([A-Za-z0-9_]+)>")
_FLAGS = re.compile(r"\(\?(?:[imsU]*|[imsU]*-[imsU]+)([:)])")
_ANCHORS = {"^": "^", "$": "$", r"\A": r"\A", r"\b": r"\b", r"\B": r"\B", r"\z": r"\Z"}  # RE2's and Python's
_LIKELY = "x1/-_." + "".join(map(chr, (*range(32), *range(127, 32, -1))))


def fault(text: str) -> str:
    """What keeps an expression from being one; "" for nothing."""
    return _read(text).fault


@lru_cache(maxsize=1024)
def _read(text: str) -> _Scanner:
    scanner = _Scanner(text)
    try:
        scanner.scan()
    except ValueError as wrong:
        scanner.fault = str(wrong)
    return scanner


@lru_cache(maxsize=65536)
def matches(expression: str, text: str) -> bool:
    """Whether an expression matches a whole text of ASCII, in a time that grows with the lengths of both; False for one with a fault."""
    found = _read(expression)
    try:
        return not found.fault and len(text) in either(found.group.ways)(text, {0})
    except RecursionError:
        return False


@lru_cache(maxsize=4096)
def compiled(text: str) -> re.Pattern[str] | None:
    """A pattern of Python that matches the same ASCII texts; None where RE2 or Python knows none."""
    found = _read(text)
    try:
        return None if found.fault else re.compile("".join(found.python), re.ASCII)
    except (re.error, RecursionError, OverflowError):
        return None


def examples(text: str) -> Iterator[str]:
    """Up to three texts for each of an expression's alternatives that this is likely to match, the likeliest first.

    Then such as differ from those in one part: another alternative of a group, or once what may be there any number of times.
    """
    found = _read(text)
    if not found.fault:
        likely = ((atoms, which) for which in (0, 1, 2) for atoms, *_ in found.group.alternatives)
        others = ((atoms, 0) for _, *more in found.group.alternatives for atoms in more)
        made_up = ("".join(_members(atom)[which] for atom in atoms) for atoms, which in (*likely, *others))
        yield from dict.fromkeys(made_up)


@lru_cache(maxsize=1024)
def _members(atom: str) -> tuple[str, str, str]:
    """The first, another and the last character that a pattern for one of them matches, "" when none of ASCII does."""
    found = [char for char in _LIKELY if re.fullmatch(atom, char, re.ASCII)] or [""]
    return found[0], found[len(found) // 2], found[-1]


Atoms = tuple[str, ...]  # patterns of Python for one character each
Choices = tuple[Atoms, ...]  # what a part of an expression may stand for, the likeliest first


def _joined(branch: Sequence[Choices]) -> Choices:
    """What parts stand for together: each for the likeliest, and such as differ from that in one part."""
    likeliest = [choices[0] for choices in branch]
    others = ([*likeliest[:place], other, *likeliest[place + 1 :]] for place, choices in enumerate(branch) for other in choices[1:])
    return tuple(tuple(atom for atoms in parts for atom in atoms) for parts in (likeliest, *islice(others, _CHOICES)))


class _Group:
    """What is read of a group, or of what stands in none.

    `ways` are its alternatives as parts of an automaton, and `alternatives` are the atoms of short texts for each of them; `parts` and
    `branch` are those of the one that is read. `largest` is by how much some operand is multiplied, `flags` are those that were set since
    it was opened, `active` all that hold.
    """

    def __init__(self, active: Iterable[str]) -> None:
        self.active = [*active]
        self.flags: list[str] = []
        self.largest = 1
        self.branch: list[Choices] = []
        self.alternatives: list[Choices] = []
        self.parts: list[Part] = []
        self.ways: list[Part] = []


class _Scanner(Characters):
    """Walks an expression once; `python` is what it is in Python's syntax, `group` the innermost group, `around` those that it stands in.

    `repeats` is by how much what precedes is multiplied, 0 when nothing precedes.
    """

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.fault = ""
        self.repeats = 0
        self.stacked = False
        self.names: set[str] = set()
        self.python: list[str] = []
        self.group = _Group(())
        self.around: list[_Group] = []

    def scan(self) -> None:
        while self.at < len(self.text):
            stacked, self.stacked = self.stacked, False
            start, char = self.at, self.text[self.at]
            if char in "*+?":
                self.at += 1
                among = "".join(self.python[-1:]).endswith("]")  # `[^/]*` seldom means that nothing is between two slashes
                self.repeat(start, stacked, 1, int(char == "+" or (char == "*" and among)), (int(char == "+"), int(char == "?") or None))
            elif char == "{" and (match := _REPEAT.match(self.text, self.at)):
                self.at = match.end()
                most = _times(match)
                self.repeat(start, stacked, most, int(match[1]), (int(match[1]), None if match[2] == "," else most))
            else:
                self.token(char)
        if self.around:
            raise ValueError("a `(` is not closed")
        self.alternative()

    def token(self, char: str) -> None:
        if char == "(":
            self.open()
        elif char == ")":
            self.close()
        elif char == "|":
            self.at += 1
            self.repeats = 0
            self.alternative("|", *self.group.flags)
        elif char == "[":
            self.at += 1
            self.operand(python := self.char_class(), ((python,),))
        elif char == "\\":
            self.escape()
        else:
            self.at += 1
            anchor = _ANCHORS.get(char)
            python = char if char == "." else re.escape(char)
            self.operand(anchor or python, ((),) if anchor else ((python,),))

    def operand(self, python: str, choices: Choices, repeats: int = 1, part: Part | None = None) -> None:
        group = self.group
        self.python.append(python)
        group.branch.append(choices)
        group.parts.append(part or one("".join(group.active) + python + ")" * len(group.active)))
        group.largest = max(group.largest, repeats)
        self.repeats = repeats

    def alternative(self, *behind: str) -> None:
        group = self.group
        self.python += [")" * len(group.flags), *behind]
        group.alternatives.append(_joined(group.branch))
        group.ways.append(sequence(group.parts))
        group.branch, group.parts = [], []

    def repeat(self, start: int, stacked: bool, most: int, least: int, limits: tuple[int, int | None]) -> None:
        if not self.repeats:
            raise ValueError(f"nothing precedes the `{self.text[self.at - 1]}`")
        if stacked:
            raise ValueError("a repetition is repeated, as with `**` or `a++`")
        if self.text[self.at : self.at + 1] == "?":
            self.at += 1
        if self.python[-1] in _ANCHORS.values():
            self.python[-1] = f"(?:{self.python[-1]})"
        self.stacked = True
        once = self.group.branch.pop()
        choices = tuple(atoms * least for atoms in once) if least else ((), *once)
        self.operand(self.text[start : self.at], choices, max(self.repeats * most, 1), repeated(self.group.parts.pop(), *limits))
        if self.repeats > _MOST:
            raise ValueError(f"it repeats more than {_MOST} times")

    def open(self) -> None:
        python = "("
        if not self.text.startswith("(?", self.at):
            self.at += 1
        elif named := _NAME.match(self.text, self.at):
            if named[1] in self.names:
                raise ValueError(f"two groups are named `{named[1]}`")
            self.names.add(named[1])
            self.at = named.end()
        elif flags := _FLAGS.match(self.text, self.at):
            self.at = flags.end()
            python = _flagged(flags[0])
            if flags[1] == ")":
                self.python.append(python)
                self.group.flags.append(python)
                self.group.active.append(python)
                return
        else:
            raise ValueError(f"`{self.text[self.at : self.at + 3]}` is unknown (RE2 has no lookaround)")
        self.python.append(python)
        self.around.append(self.group)
        self.group = _Group([*self.group.active, python] if python.endswith(":") else self.group.active)
        self.repeats = 0

    def close(self) -> None:
        if not self.around:
            raise ValueError("a `)` was not opened")
        self.at += 1
        self.alternative()
        closed, self.group = self.group, self.around.pop()
        likely = (atoms for atoms, *_ in closed.alternatives if atoms)
        others = (atoms for _, *more in closed.alternatives for atoms in more)
        choices = tuple(islice(dict.fromkeys((*likely, *others)), _CHOICES)) or ((),)
        self.operand(")", choices, closed.largest, either(closed.ways))

    def escape(self) -> None:
        anchor = _ANCHORS.get(self.text[self.at : self.at + 2])
        if self.text.startswith("\\Q", self.at):
            literal, _, _ = self.text[self.at + 2 :].partition("\\E")
            self.at = min(self.at + 4 + len(literal), len(self.text))
            for char in map(re.escape, literal):
                self.operand(char, ((char,),))
        elif anchor:
            self.at += 2
            self.operand(anchor, ((),))
        else:
            inside = self.members()
            python = f"[{inside}]" if inside else re.escape(chr(self.code()))
            self.operand(python, ((python,),))


def _flagged(flags: str) -> str:
    """The head of a group with flags in Python's syntax; which of two repetitions is greedy (`U`) decides nothing here."""
    on, _, off = flags[2:-1].replace("U", "").partition("-")
    on = "".join(flag for flag in on if flag not in off)
    return f"(?{on}{'-' if off else ''}{off}:"


def _times(match: re.Match[str]) -> int:
    low = int(match[1])
    high = int(match[3]) if match[3] else low
    if low > _MOST or high > _MOST or high < low:
        raise ValueError(f"`{match[0]}` is no number of repetitions")
    return high
