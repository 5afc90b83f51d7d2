"""The syntax of RE2 as Go compiles it (regexp/syntax/parse.go); Python's own differs too much to be asked."""

from __future__ import annotations

import re
from functools import lru_cache

_LONGEST = 1024
_MOST = 1000
_REPEAT = re.compile(r"\{(0|[1-9][0-9]*)(,(0|[1-9][0-9]*)?)?\}")
_NAME = re.compile(r"\(\?P?<([A-Za-z0-9_]+)>")
_FLAGS = re.compile(r"\(\?(?:[imsU]*|[imsU]*-[imsU]+)([:)])")
_POSIX = re.compile(r"\[:.*?:\]", re.DOTALL)
_PROPERTY = re.compile(r"\\[pP](?:[CLMNPSZclmnpsz]|\{\^?[A-Za-z_]+\})")
_ESCAPE = re.compile(r"\\(?:[1-7][0-7]{1,2}|0[0-7]{0,2}|x[0-9A-Fa-f]{2}|x\{[0-9A-Fa-f]+\}|[afnrtv]|[\x00-/:-@\[-`{-\x7f])")
_CLASS_ESCAPE = re.compile(r"\\[dswDSW]")
_POSIX_NAMES = frozenset(
    [
        "alnum",
        "alpha",
        "ascii",
        "blank",
        "cntrl",
        "digit",
        "graph",
        "lower",
        "print",
        "punct",
        "space",
        "upper",
        "word",
        "xdigit",
    ]
)
_CONTROL = {"a": 7, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}


def regex(text: str) -> str:
    """What Istio refuses in a regular expression (validateStringRegexp)."""
    if not text:
        return "is empty"
    if len(text.encode()) > _LONGEST:
        return f"is longer than {_LONGEST} bytes"
    wrong = _fault(text)
    return f"is not a regular expression that RE2 knows: {wrong}" if wrong else ""


@lru_cache(maxsize=1024)
def _fault(text: str) -> str:
    try:
        _Scanner(text).scan()
    except ValueError as fault:
        return str(fault)
    return ""


class _Scanner:
    """Walks an expression once; `repeats` is by how much what precedes is multiplied, 0 when nothing precedes."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.repeats = 0
        self.largest = 1
        self.stacked = False
        self.groups: list[int] = []
        self.names: set[str] = set()

    def scan(self) -> None:
        while self.at < len(self.text):
            stacked, self.stacked = self.stacked, False
            char = self.text[self.at]
            if char in "*+?":
                self.at += 1
                self.repeat(stacked, 1)
            elif char == "{" and (match := _REPEAT.match(self.text, self.at)):
                self.at = match.end()
                self.repeat(stacked, _times(match))
            else:
                self.token(char)
        if self.groups:
            raise ValueError("a `(` is not closed")

    def token(self, char: str) -> None:
        if char == "(":
            self.open()
        elif char == ")":
            self.close()
        elif char == "|":
            self.at += 1
            self.repeats = 0
        elif char == "[":
            self.at += 1
            self.char_class()
            self.operand()
        elif char == "\\":
            self.escape()
        else:
            self.at += 1
            self.operand()

    def operand(self, repeats: int = 1) -> None:
        self.repeats = repeats
        self.largest = max(self.largest, repeats)

    def repeat(self, stacked: bool, times: int) -> None:
        before = self.text[self.at - 1]
        if not self.repeats:
            raise ValueError(f"nothing precedes the `{before}`")
        if stacked:
            raise ValueError("a repetition is repeated, as with `**` or `a++`")
        if self.text[self.at : self.at + 1] == "?":
            self.at += 1
        self.stacked = True
        self.operand(max(self.repeats * times, 1))
        if self.repeats > _MOST:
            raise ValueError(f"it repeats more than {_MOST} times")

    def open(self) -> None:
        if not self.text.startswith("(?", self.at):
            self.at += 1
        elif named := _NAME.match(self.text, self.at):
            if named[1] in self.names:
                raise ValueError(f"two groups are named `{named[1]}`")
            self.names.add(named[1])
            self.at = named.end()
        elif flags := _FLAGS.match(self.text, self.at):
            self.at = flags.end()
            if flags[1] == ")":
                return
        else:
            raise ValueError(f"`{self.text[self.at : self.at + 3]}` is unknown (RE2 has no lookaround)")
        self.groups.append(self.largest)
        self.repeats, self.largest = 0, 1

    def close(self) -> None:
        if not self.groups:
            raise ValueError("a `)` was not opened")
        inner, self.largest = self.largest, self.groups.pop()
        self.at += 1
        self.operand(inner)

    def escape(self) -> None:
        rest = self.text[self.at + 1 : self.at + 2]
        if rest == "Q":
            literal, _, _ = self.text[self.at + 2 :].partition("\\E")
            self.at = min(self.at + 4 + len(literal), len(self.text))
            self.repeats = 1 if literal else self.repeats
        elif rest and rest in "AbBz":
            self.at += 2
            self.operand()
        else:
            self.code(_CLASS_ESCAPE, _PROPERTY, _ESCAPE)
            self.operand()

    def code(self, *known: re.Pattern[str]) -> int:
        """Passes one escape, and returns its character."""
        for pattern in known:
            if match := pattern.match(self.text, self.at):
                self.at = match.end()
                return _code(match[0][1:]) if pattern is _ESCAPE else -1
        raise ValueError(f"`{self.text[self.at : self.at + 2]}` is no escape")

    def char_class(self) -> None:
        self.at += self.text.startswith("^", self.at)
        first = True
        while first or not self.text.startswith("]", self.at):
            first = False
            if self.at >= len(self.text):
                raise ValueError("a `[` is not closed")
            if posix := _POSIX.match(self.text, self.at):
                if posix[0][2:-2].removeprefix("^") not in _POSIX_NAMES:
                    raise ValueError(f"`{posix[0]}` is no class")
                self.at = posix.end()
            elif match := _CLASS_ESCAPE.match(self.text, self.at) or _PROPERTY.match(self.text, self.at):
                self.at = match.end()
            else:
                self.range()
        self.at += 1

    def range(self) -> None:
        low = self.class_char()
        if self.text.startswith("-", self.at) and self.text[self.at + 1 : self.at + 2] not in ("]", ""):
            self.at += 1
            if self.class_char() < low:
                raise ValueError("a range in `[]` runs backwards")

    def class_char(self) -> int:
        if self.text.startswith("\\", self.at):
            return self.code(_ESCAPE)
        self.at += 1
        return ord(self.text[self.at - 1])


def _times(match: re.Match[str]) -> int:
    low = int(match[1])
    high = int(match[3]) if match[3] else low
    if low > _MOST or high > _MOST or high < low:
        raise ValueError(f"`{match[0]}` is no number of repetitions")
    return high


def _code(escape: str) -> int:
    if escape[0] in _CONTROL:
        return _CONTROL[escape[0]]
    if escape[0] == "x":
        code = int(escape[1:].strip("{}"), 16)
        if code > 0x10FFFF:
            raise ValueError(f"`\\{escape}` is no character")
        return code
    return int(escape, 8) if escape[0].isdigit() else ord(escape[0])
