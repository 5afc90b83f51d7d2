"""Many files at once: each is read and packed, on all cores, unless its content is known."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from mirrorlint.cache.shelf import Shelf, blob_of
from mirrorlint.loading import crew, files
from mirrorlint.loading.files import Unread
from mirrorlint.loading.means import Means
from mirrorlint.loading.objects import Content, content, packed, unpacked


def read(paths: Iterable[str], means: Means, blobs: Mapping[str, str], shelf: Shelf | None) -> dict[str, Content | Unread]:
    """What files hold, or why they can't be read; the same from any number of processes. `blobs` are the ids of contents, where known."""
    known = {path: (blobs.get(path, ""), shelf.get(blobs.get(path, "")) if shelf else None) for path in paths}
    wanted = [path for path, (_, data) in known.items() if data is None]
    for path, (seconds, blob, data) in crew.work(lambda path: _timed(path, shelf), wanted, means.jobs, means.meanwhile):
        means.spent(path, seconds)
        known[path] = blob, data
    if shelf:
        for blob, data in known.values():
            shelf.meet(blob, data)
    return {path: _unpacked(path, data) for path, (_, data) in known.items()}


def _timed(path: str, shelf: Shelf | None) -> tuple[float, str, Any]:
    """The seconds that a file cost, the id of its content if there is a shelf for it, and what it holds."""
    start = time.perf_counter()
    data = files.read(path)
    if isinstance(data, Unread):
        return 0.0, "", data.message
    blob = blob_of(data) if shelf else ""
    known = shelf.get(blob) if shelf else None
    found = packed(content(data, "")) if known is None else known
    return time.perf_counter() - start, blob, found


def _unpacked(path: str, data: Any) -> Content | Unread:
    if isinstance(data, str):
        return Unread(path, data)
    return Content((), data, (), ()) if isinstance(data, int) else unpacked(data, files.shown(path))
