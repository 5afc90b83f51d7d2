"""Arithmetic of absolute paths, as texts: there may be many, and nothing is looked up."""

from __future__ import annotations

import bisect
import os
from collections.abc import Iterator, Sequence

CONTRACTS = ".mirrorlint/peers"  # where a repository keeps the contracts of its peers
CHART = "Chart.yaml"  # what makes a folder a Helm chart


def within(path: str, folder: str) -> bool:
    """Whether a path is a folder or lies below it."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def joined(folder: str, path: str) -> str:
    """A path that stands in a folder."""
    return os.path.normpath(os.path.join(folder, path))


def upwards(path: str) -> Iterator[str]:
    """A path, and all folders that it is in, the nearest first."""
    yield path
    while path != os.path.dirname(path):
        path = os.path.dirname(path)
        yield path


def topmost(folders: set[str]) -> set[str]:
    """The folders that are in no other one of them."""
    return {folder for folder in folders if folders.isdisjoint(upwards(os.path.dirname(folder)))}


def at_or_below(ordered: Sequence[str], path: str) -> Sequence[str]:
    """The one that `path` is, or those below the folder that it is, of sorted paths."""
    first = bisect.bisect_left(ordered, path)
    if first < len(ordered) and ordered[first] == path:
        return [path]
    start = path.rstrip(os.sep) + os.sep
    behind = start[:-1] + chr(ord(os.sep) + 1)
    return ordered[bisect.bisect_left(ordered, start, first) : bisect.bisect_left(ordered, behind, first)]


def is_contract(path: str) -> bool:
    """Whether a file is a contract by its place."""
    return path.endswith(".json") and os.path.dirname(path).replace(os.sep, "/").endswith(f"/{CONTRACTS}")
