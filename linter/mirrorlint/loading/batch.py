"""Many files at once: each is read and packed, on all cores, unless its content is known."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from mirrorlint.cache.shelf import Shelf, blob_of
from mirrorlint.crew import Task
from mirrorlint.loading import files
from mirrorlint.loading.files import Unread
from mirrorlint.loading.means import Means
from mirrorlint.loading.objects import Content, content, packed, unpacked
from mirrorlint.source import MAX_BYTES

MAX_TOTAL = 1 << 30
_TOO_MUCH = f"more than {MAX_TOTAL >> 30} GiB was read before it, so nothing in it is judged"


class Batch:
    """Reads files, as many of them as may be read, in the order in which they are asked for."""

    def __init__(self, means: Means, shelf: Shelf | None) -> None:
        """Nothing is read yet; what is on the shelf is not read again."""
        self._means, self._shelf = means, shelf
        self._left = MAX_TOTAL

    def read(self, paths: Iterable[str], blobs: Mapping[str, str]) -> dict[str, Content | Unread]:
        """What files hold, or why they can't be read; the same from any number of processes. `blobs` are ids of contents, where known."""
        shelf = self._shelf
        known: dict[str, tuple[str, Any]] = {
            path: (blobs.get(path, ""), shelf.get(blobs.get(path, "")) if shelf else None) for path in paths
        }
        wanted = [path for path, (_, data) in known.items() if data is None]
        others = (shelf.repository if shelf else "", self._left)
        for path, (seconds, blob, data) in self._means.crew.work(wanted, _Reader(shelf, self._left).read, *others):
            self._means.spent(path, seconds)
            known[path] = blob, data
        if shelf:
            for blob, data in known.values():
                shelf.meet(blob, data)
        return {path: self._unpacked(path, *data) for path, (_, data) in known.items()}

    def _unpacked(self, path: str, size: int, data: Any) -> Content | Unread:
        """A file's content if it fits; which ones do must not depend on what was known of them, nor on the number of processes."""
        fits, self._left = self._left > 0, self._left - size
        if not fits or isinstance(data, str):
            return Unread(path, data if fits else _TOO_MUCH)
        return Content(objects=data) if isinstance(data, int) else unpacked(data, files.shown(path))


def reader(repository: str, room: int) -> Task:
    """What another process does for a Batch, given the name of its shelf ("" for none) and the room that is left."""
    return _Reader(Shelf(repository) if repository else None, room).read


class _Reader:
    """What one process reads."""

    def __init__(self, shelf: Shelf | None, room: int) -> None:
        self._shelf, self._room = shelf, room

    def read(self, path: str) -> tuple[float, str, tuple[int, Any]]:
        """The seconds that a file cost, the id of its content if there is a shelf for it, its size and what it holds.

        All that this process has read comes before it, so it certainly does not fit where that is too much already.
        """
        start = time.perf_counter()
        data = files.read(path) if self._room > 0 else Unread(path, _TOO_MUCH)
        if isinstance(data, Unread):
            return 0.0, "", (0, data.message)
        size = min(len(data), MAX_BYTES)
        self._room -= size
        blob = blob_of(data) if self._shelf else ""
        known = self._shelf.get(blob) if self._shelf else None
        found = (size, packed(content(data, ""))) if known is None else known
        return time.perf_counter() - start, blob, found
