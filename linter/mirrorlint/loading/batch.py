"""Many files at once: each is read and packed, on all cores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mirrorlint.loading import crew, files
from mirrorlint.loading.files import Unread
from mirrorlint.loading.objects import Content, content, packed, unpacked


def read(paths: Sequence[str], jobs: int) -> dict[str, Content | Unread]:
    """What files hold, or why they can't be read; the same from any number of processes."""
    return {path: _read(path, data) for path, data in zip(paths, crew.work(_packed, paths, jobs), strict=True)}


def _packed(path: str) -> Any:
    data = files.read(path)
    return data.message if isinstance(data, Unread) else packed(content(data, ""))


def _read(path: str, data: Any) -> Content | Unread:
    if isinstance(data, str):
        return Unread(path, data)
    return Content((), data, (), ()) if isinstance(data, int) else unpacked(data, files.shown(path))
