"""What files hold is kept in parts, which are found again whichever of them are left."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mirrorlint.cache import shelf, vault
from mirrorlint.cache.shelf import Shelf

BLOBS = {f"blob{number}": number for number in range(1, 8)}


@pytest.fixture(autouse=True)
def empty(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def filled() -> Shelf:
    made = Shelf("repository")
    for blob, content in BLOBS.items():
        made.meet(blob, content)
    made.keep()
    return Shelf("repository")


def found(kept: Shelf) -> dict[str, object]:
    return {blob: kept.get(blob) for blob in BLOBS if kept.get(blob) is not None}


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_contents_are_found_in_whatever_parts_they_are_kept(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "_PART", size)
    assert found(filled()) == BLOBS
    assert len([name for name in os.listdir(vault.folder()) if name.startswith("contents-")]) == -(-len(BLOBS) // size)


def test_a_part_that_is_lost_costs_only_what_is_behind_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "_PART", 3)
    filled()
    (second,) = (name for name in os.listdir(vault.folder()) if name.endswith("-1"))
    os.unlink(os.path.join(vault.folder(), second))
    assert found(Shelf("repository")) == {"blob1": 1, "blob2": 2, "blob3": 3}
    assert found(filled()) == BLOBS
