"""How a run may read."""

from __future__ import annotations

from typing import NamedTuple

from mirrorlint.crew import ALONE, Crew
from mirrorlint.loading.index import Index
from mirrorlint.loading.watch import Spent, unwatched


class Means(NamedTuple):
    """How a run may read: in the processes of a crew, with what earlier runs kept, and what is staged in the repository of an index.

    `spent` is told what each file and render costs.
    """

    crew: Crew = ALONE
    cached: bool = False
    spent: Spent = unwatched
    staging: Index | None = None
