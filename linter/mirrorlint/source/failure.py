"""Why a text is no YAML, before it is put into words."""

from __future__ import annotations

import re
from typing import NamedTuple

# The problem of a value that follows a whole document without a `---`.
STRAY_VALUE = "<document start>"

# Where YAML 1.1 ends a line.
BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
# Editors end a line here, and not at three characters beyond ASCII.
LINE_END = re.compile(r"\r\n|[\n\r]")
# Compiled when it is first needed, since it takes longer than all other patterns.
_UNREADABLE = "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"


class Failure(NamedTuple):
    """Why a text is no YAML: marks of the problem and of what was being read (line -1: not known), counted from 0."""

    problem: str
    line: int
    column: int
    context: str = ""
    context_line: int = -1
    context_column: int = 0


class RefusedError(Exception):
    """Stops the reading of a text that Kubernetes would refuse."""

    def __init__(self, problem: str, line: int, column: int) -> None:
        """Note the problem and its mark."""
        self.failure = Failure(problem, line, column)


def unreadable(text: str) -> Failure:
    """Find the first character that YAML does not allow; bytes that are none were decoded with `surrogateescape`."""
    match = re.search(_UNREADABLE, text)
    if match is None:
        return Failure("the parser gives up", 0, 0)
    code = ord(match[0])
    byte = 0xDC80 <= code <= 0xDCFF
    problem = f"byte 0x{code - 0xDC00:02x} is not UTF-8" if byte else f"character U+{code:04X} is not allowed in YAML"
    before = text[: match.start()]
    breaks = list(BREAK.finditer(before))
    return Failure(problem, len(breaks), len(before) - (breaks[-1].end() if breaks else 0))
