"""What reading costs, file by file, and word of it while a run takes long."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from mirrorlint.loading import files

Spent = Callable[[str, float], object]
_PATIENCE = 1.0
_PAUSE = 0.1


def unwatched(path: str, seconds: float) -> None:
    """Note nothing."""


class Watch:
    """Notes what each file or render costs in seconds; `costs` has them by absolute path."""

    def __init__(self, tell: Callable[[str], object] | None) -> None:
        """`tell` is given a line now and then once a second has passed; None tells nobody."""
        self.costs: dict[str, float] = {}
        self._tell = tell
        self._next = time.perf_counter() + _PATIENCE

    def spent(self, path: str, seconds: float) -> None:
        """Note what a file or a render cost."""
        self.costs[path] = self.costs.get(path, 0.0) + seconds
        if self._tell and time.perf_counter() > self._next:
            self._next = time.perf_counter() + _PAUSE
            self._tell(f"{len(self.costs):,} files read, now {files.shown(path)}")

    def dearest(self, number: int) -> Iterator[str]:
        """A line for each of the files that cost most."""
        for path, seconds in sorted(self.costs.items(), key=lambda cost: -cost[1])[:number]:
            yield f"{seconds:7.3f} s  {files.shown(path)}"
