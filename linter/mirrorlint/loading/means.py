"""How a run may read."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from mirrorlint.loading.crew import idle
from mirrorlint.loading.index import Index
from mirrorlint.loading.watch import Spent, unwatched


class Means(NamedTuple):
    """How a run may read: in so many processes, with what earlier runs kept, and what is staged in the repository of an index.

    `spent` is told what each file and render costs; `meanwhile` is done by this process while others begin to read.
    """

    jobs: int = 1
    cached: bool = False
    spent: Spent = unwatched
    staging: Index | None = None
    meanwhile: Callable[[], object] = idle
