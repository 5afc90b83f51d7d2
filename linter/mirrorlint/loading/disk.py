"""The files read so far: each is parsed once, whichever clusters it belongs to."""

from __future__ import annotations

import os
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from mirrorlint.cache.shelf import Shelf
from mirrorlint.git import Listing
from mirrorlint.loading import batch, files
from mirrorlint.loading.files import Unread
from mirrorlint.loading.index import Index
from mirrorlint.loading.kustomize import Kustomization, kustomization
from mirrorlint.loading.objects import Content, content
from mirrorlint.loading.paths import at_or_below, is_contract, upwards, within
from mirrorlint.sieve import KUSTOMIZATIONS
from mirrorlint.source import parse

_CHART = "Chart.yaml"
_UNRENDERED = "a Helm chart must be rendered before it can be judged: nothing in it is read"
_NOTHING = Content((), 0, (), ())


class Disk:
    """Files by absolute path, their contents, and what could not be read; a kustomize.Ground."""

    def __init__(self, jobs: int, shelf: Shelf | None, index: Index | None = None) -> None:
        """Nothing is listed yet; nothing is read outside of the repositories of what will be.

        `jobs` processes read what is not on the shelf; files of the repository of an index are read as they are staged.
        """
        self._jobs, self._shelf, self._index = jobs, shelf, index
        self.staged: dict[str, bytes] = {}
        self.listings: dict[str, Listing] = {}
        self.probes: set[str] = set()
        self.has_charts = False
        self._blobs: dict[str, str] = {}
        self.unread: set[Unread] = set()
        self._tops: set[str] = set()
        self._roots: set[str] = set()
        self._real: dict[str, str] = {}
        self._paths: list[str] = []
        self._contents: dict[str, Content | Unread] = {}
        self._kustomizations: list[str] = []
        self._read: dict[str, Kustomization | None] = {}
        self._folders: set[str] = set()

    def add(self, *roots: str) -> None:
        """List the files of folders, or single files."""
        for root in roots:
            listing = files.tree(root, self._index)
            self.staged.update(listing.staged)
            self.listings.update(listing.listings)
            self.probes |= listing.walked
            self._blobs.update(listing.blobs)
            charts = _outermost({os.path.dirname(path) for path in listing.files if os.path.basename(path) == _CHART})
            self.has_charts |= bool(charts)
            self.unread |= {*listing.unread, *(Unread(folder, _UNRENDERED) for folder in charts)}
            self._real.update({path: real for path, real in listing.files.items() if not (is_contract(path) or _is_below(path, charts))})
        self._roots |= set(roots)
        self._tops |= set(map(files.repository, roots))
        self._paths = sorted(self._real)
        self._kustomizations = [path for path in self._paths if os.path.basename(path) in KUSTOMIZATIONS]
        self._folders = _with_parents({os.path.dirname(path) for path in self._paths})

    def below(self, path: str) -> Sequence[str]:
        """The file that `path` is, or all files below the folder that it is, sorted."""
        return at_or_below(self._paths, path)

    def folders(self, root: str) -> list[str]:
        """The folders below a folder that hold files, at any depth, sorted."""
        return sorted(folder for folder in self._folders if folder != root and within(folder, root))

    def kustomizations(self, path: str) -> list[Kustomization]:
        """All kustomizations at or below a path."""
        folders = dict.fromkeys(map(os.path.dirname, at_or_below(self._kustomizations, path)))
        return [each for each in map(self.kustomization, folders) if each is not None]

    def kustomization(self, folder: str) -> Kustomization | None:
        """A folder's kustomization; one that can't be read is none."""
        self._reach_out(folder)
        names = (os.path.join(folder, name) for name in KUSTOMIZATIONS)
        file = next((name for name in names if name in self._real), "")
        if file and file not in self._read:
            data = self._bytes(self._real[file])
            documents = parse(b"" if isinstance(data, Unread) else data, files.shown(file)).documents
            self._read[file] = kustomization(file, documents[0]) if documents else None
        return self._read.get(file)

    def governed(self, path: str) -> AbstractSet[str]:
        """The file that `path` is, or the files below the folder that it is, without those of further kustomizations."""
        self._reach_out(path)
        further = {os.path.dirname(file) for file in at_or_below(self._kustomizations, path)} - {path}
        return {file for file in self.below(path) if not _is_below(file, further)}

    def outside(self, path: str) -> bool:
        """Whether a path is out of the repository."""
        return not any(within(path, top) for top in self._tops)

    def real(self, path: str) -> str:
        """The file that is read for a path: another one behind a link."""
        return self._real[path]

    def content(self, path: str) -> Content:
        """What a file holds; with the first one all are read that are listed."""
        real = self._real[path]
        if real not in self._contents:
            fresh = {each: data for each, data in self.staged.items() if each not in self._contents}
            self._contents |= {each: content(data, files.shown(each)) for each, data in fresh.items()}
            missing = [each for each in dict.fromkeys(self._real.values()) if each not in self._contents]
            self._contents |= batch.read(missing, self._jobs, self._blobs, self._shelf)
        found = self._contents[real]
        if isinstance(found, Unread):
            self.unread.add(found)
            return _NOTHING
        return found

    def _bytes(self, path: str) -> bytes | Unread:
        return self.staged[path] if path in self.staged else files.read(path)

    def _reach_out(self, path: str) -> None:
        """List what a kustomization leads to, if it is in the repository."""
        known = any(within(path, root) for root in self._roots)
        self.probes |= set() if known else {path}
        if not known and not self.outside(path) and os.path.exists(path):
            self.add(path)


def _with_parents(folders: set[str]) -> set[str]:
    found: set[str] = set()
    for start in folders:
        folder = start
        while folder not in found:
            found.add(folder)
            folder = os.path.dirname(folder)
    return found


def _outermost(folders: set[str]) -> set[str]:
    return {folder for folder in folders if folders.isdisjoint(upwards(os.path.dirname(folder)))}


def _is_below(file: str, folders: set[str]) -> bool:
    return bool(folders) and not folders.isdisjoint(upwards(os.path.dirname(file)))
