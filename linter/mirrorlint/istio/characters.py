"""Characters of RE2's expressions: escapes and classes, and the same in Python's syntax (regexp/syntax/parse.go)."""

from __future__ import annotations

import re

_POSIX = re.compile(r"\[:.*?:\]", re.DOTALL)
_PROPERTY = re.compile(r"\\[pP](?:[CLMNPSZclmnpsz]|\{\^?[A-Za-z_]+\})")
_ESCAPE = re.compile(r"\\(?:[1-7][0-7]{1,2}|0[0-7]{0,2}|x[0-9A-Fa-f]{2}|x\{[0-9A-Fa-f]+\}|[afnrtv]|[\x00-/:-@\[-`{-\x7f])")
_CLASS_ESCAPE = re.compile(r"\\[dswDSW]")
_POSIX_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": r"\x00-\x7f",
    "blank": r"\t ",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\t-\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
_CONTROL = {"a": 7, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}


class Characters:
    """An expression, and how far it is read."""

    def __init__(self, text: str) -> None:
        """Nothing is read."""
        self.text = text
        self.at = 0

    def members(self) -> str:
        """Passes an escape for several characters, and returns what stands for them in a class of Python; "" without one."""
        if match := _CLASS_ESCAPE.match(self.text, self.at):
            self.at = match.end()
            return match[0]
        if match := _PROPERTY.match(self.text, self.at):
            self.at = match.end()
            return _having(match[0])
        return ""

    def code(self) -> int:
        """Passes an escape for one character, and returns that."""
        match = _ESCAPE.match(self.text, self.at)
        if not match:
            raise ValueError(f"`{self.text[self.at : self.at + 2]}` is no escape")
        self.at = match.end()
        return _code(match[0][1:])

    def char_class(self) -> str:
        """Passes a class behind its `[`, and returns it in Python's syntax."""
        python = "[^" if self.text.startswith("^", self.at) else "["
        self.at += len(python) - 1
        first = True
        while first or not self.text.startswith("]", self.at):
            first = False
            if self.at >= len(self.text):
                raise ValueError("a `[` is not closed")
            if posix := _POSIX.match(self.text, self.at):
                self.at = posix.end()
                python += _posix(posix[0])
            else:
                python += self.members() or self._range()
        self.at += 1
        return f"{python}]"

    def _range(self) -> str:
        low = high = self._class_char()
        if self.text.startswith("-", self.at) and self.text[self.at + 1 : self.at + 2] not in ("]", ""):
            self.at += 1
            high = self._class_char()
        if high < low:
            raise ValueError("a range in `[]` runs backwards")
        return f"{_escaped(low)}-{_escaped(high)}" if high > low else _escaped(low)

    def _class_char(self) -> int:
        if self.text.startswith("\\", self.at):
            return self.code()
        self.at += 1
        return ord(self.text[self.at - 1])


def _posix(name: str) -> str:
    bare = name[2:-2].removeprefix("^")
    if bare not in _POSIX_CLASSES:
        raise ValueError(f"`{name}` is no class")
    return _POSIX_CLASSES[bare] if bare == name[2:-2] else _all_but(_POSIX_CLASSES[bare])


def _having(escape: str) -> str:
    """The characters of ASCII with a property: one of Unicode's categories, else a script, of which only `Latin` has some."""
    from unicodedata import category  # noqa: PLC0415

    name = escape[2:].strip("{}")
    bare = name.removeprefix("^")
    letters = "A-Za-z" if bare == "Latin" else "".join(_escaped(code) for code in range(128) if category(chr(code)).startswith(bare))
    letters = letters or r"\U0010ffff"
    return _all_but(letters) if (escape[1] == "P") != (bare != name) else letters


def _all_but(letters: str) -> str:
    """What stands in a class for all but some characters of ASCII."""
    others = (code for code in range(128) if not re.fullmatch(f"[{letters}]", chr(code), re.ASCII))
    return "".join(map(_escaped, others)) + r"\x80-\U0010ffff"


def _escaped(code: int) -> str:
    return f"\\U{code:08x}"


def _code(escape: str) -> int:
    if escape[0] in _CONTROL:
        return _CONTROL[escape[0]]
    if escape[0] == "x":
        code = int(escape[1:].strip("{}"), 16)
        if code > 0x10FFFF:
            raise ValueError(f"`\\{escape}` is no character")
        return code
    return int(escape, 8) if escape[0].isdigit() else ord(escape[0])
