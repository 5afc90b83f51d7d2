"""Many files at once: each is read and packed, on all cores, unless its content is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mirrorlint.cache.shelf import Shelf, blob_of
from mirrorlint.loading import crew, files
from mirrorlint.loading.files import Unread
from mirrorlint.loading.objects import Content, content, packed, unpacked


def read(paths: Iterable[str], jobs: int, blobs: Mapping[str, str], shelf: Shelf | None) -> dict[str, Content | Unread]:
    """What files hold, or why they can't be read; the same from any number of processes. `blobs` are the ids of contents, where known."""
    if shelf is None:
        wanted = list(paths)
        return {path: _unpacked(path, data) for path, data in zip(wanted, crew.work(_packed, wanted, jobs), strict=True)}
    known = {path: (blobs.get(path, ""), shelf.get(blobs.get(path, ""))) for path in paths}
    wanted = [path for path, (_, data) in known.items() if data is None]
    known.update(zip(wanted, crew.work(lambda path: _named(path, shelf), wanted, jobs), strict=True))
    for blob, data in known.values():
        shelf.meet(blob, data)
    return {path: _unpacked(path, data) for path, (_, data) in known.items()}


def _packed(path: str) -> Any:
    data = files.read(path)
    return data.message if isinstance(data, Unread) else packed(content(data, ""))


def _named(path: str, shelf: Shelf) -> tuple[str, Any]:
    """The id of a file's content and what it holds; no id for a file that can't be read."""
    data = files.read(path)
    if isinstance(data, Unread):
        return "", data.message
    blob = blob_of(data)
    known = shelf.get(blob)
    return blob, packed(content(data, "")) if known is None else known


def _unpacked(path: str, data: Any) -> Content | Unread:
    if isinstance(data, str):
        return Unread(path, data)
    return Content((), data, (), ()) if isinstance(data, int) else unpacked(data, files.shown(path))
