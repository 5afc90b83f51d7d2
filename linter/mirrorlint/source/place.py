"""Where values stand: in a file, or, when their text was rendered, in the files that it was made of."""

from __future__ import annotations

from typing import Any, NamedTuple, Self


class Place(NamedTuple):
    """A stretch of a file: lines and columns count from 1, the end is exclusive; `str` gives `path:line:column`."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        """Print the start."""
        return f"{self.path}:{self.line}:{self.column}"


class Derived(str):
    """The path of a file whose text is not what is judged: something was filled in, or it was rendered. No edit fits it."""

    __slots__ = ()


class Origins(Derived):
    """The name of a rendered text, with the places that its values come from; where nothing is known, that of all of it."""

    __slots__ = ("_places", "whole")

    def __new__(cls, name: str, whole: Place) -> Self:
        """`name` tells renders apart, `whole` is what asked for the render."""
        made = super().__new__(cls, name)
        made.whole = whole
        made._places = {}
        return made

    whole: Place
    _places: dict[tuple[int, int, bool], Place]

    def note(self, raw: tuple[Any, ...], place: Place) -> None:
        """Say where a value comes from; `raw` is that of its Node, or of a key."""
        self._places[raw[2], raw[3], type(raw[0]) is str] = place

    def place(self, raw: tuple[Any, ...]) -> Place:
        """Where a value comes from; what is absent stands at its parent, which is a mapping or a list."""
        line, column, scalar = raw[2], raw[3], type(raw[0]) is str
        return self._places.get((line, column, scalar)) or self._places.get((line, column, not scalar)) or self.whole
