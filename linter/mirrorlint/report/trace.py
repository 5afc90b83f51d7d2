"""The trace for people: each call's shadows hop by hop, with the line that decides each hop, and where they end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from mirrorlint.delivery.follow import LOST, SOME, Call, Way
from mirrorlint.delivery.reason import ARRIVES, ELSEWHERE, OUTCOMES, STAYS, UNKNOWN
from mirrorlint.delivery.steps import Step, steps
from mirrorlint.delivery.worlds import PLAIN, SUFFIXED
from mirrorlint.report import cells, clean

LABELS = {SUFFIXED: "Istio up to 1.27", PLAIN: "Istio 1.28 and later"}
_INKS = {ARRIVES: "1;32", STAYS: "1;32", LOST: "1;31", SOME: "1;33", UNKNOWN: "1;33", ELSEWHERE: "1;33"}
_BOLD, _DIM = "1", "2"
_INDENT = "  "


class Trace(NamedTuple):
    """A call, and for each world the ways of its shadows: none when it mirrors nothing."""

    call: Call
    ways: Mapping[str, tuple[Way, ...]]


class _Line(NamedTuple):
    """A hop, and the worlds that it is taken in."""

    step: Step
    worlds: tuple[str, ...]


class _Paper(NamedTuple):
    color: bool

    def ink(self, style: str, text: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self.color and style else text


def render(traces: Sequence[Trace], *, color: bool = False) -> str:
    """One block for each call; hops that both worlds share are shown once, the others under the versions that they are for."""
    blocks = ("\n".join(_block(trace, _Paper(color))) for trace in traces)
    return "".join(f"{block}\n" for block in "\n\n".join(blocks).splitlines()) if traces else "no mirror is called\n"
