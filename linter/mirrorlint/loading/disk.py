"""The files read so far: each is parsed once, whichever clusters it belongs to."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property

from mirrorlint.cache.shelf import Shelf
from mirrorlint.cache.trail import Trail
from mirrorlint.cache.untracked import with_parents
from mirrorlint.git import Listing
from mirrorlint.kinds import CONFIG_MAP
from mirrorlint.loading import files
from mirrorlint.loading.batch import Batch
from mirrorlint.loading.files import Unread
from mirrorlint.loading.kustomize import Kustomization, kustomization, reach
from mirrorlint.loading.means import Means
from mirrorlint.loading.objects import Content, content, unfolded
from mirrorlint.loading.paths import CHART, at_or_below, is_contract, topmost, upwards, within
from mirrorlint.sieve import KUSTOMIZATIONS, is_foreign, sift
from mirrorlint.source import Node, parse
from mirrorlint.source.comments import lines_of

# How the paths of files end that have these names.
_CHART, _KUSTOMIZATIONS = os.sep + CHART, tuple(os.sep + name for name in KUSTOMIZATIONS)
# What may be the name of an object.
_NAME = re.compile(rb"\bname[\"']?[ \t]*:[ \t]*[\"']?([\w.-]+)")


class Disk:
    """Files by absolute path, their contents, and what could not be read."""

    def __init__(self, means: Means, shelf: Shelf | None) -> None:
        """Nothing is listed yet; nothing is read outside of the repositories of what will be, and nothing twice of what is on the shelf.

        `plain` and `lasting` are those of the trail.
        """
        self._batch, self._index = Batch(means, shelf), means.staging
        self.staged: dict[str, bytes] = {}
        self._listings: dict[str, Listing] = {}
        self._looked_at: set[str] = set()
        self.plain, self.lasting = True, True
        self._blobs: dict[str, str] = {}
        self.unread: set[Unread] = set()
        self.charts: set[str] = set()
        self._tops: set[str] = set()
        self._roots: set[str] = set()
        # The file that is read for each path that is neither in a chart nor a contract, and for each at all.
        self._real: dict[str, str] = {}
        self._behind: dict[str, str] = {}
        self._contents: dict[str, Content | Unread] = {}
        self._documents: dict[str, Sequence[Node]] = {}
        self._read: dict[str, Kustomization | None] = {}
        self._order()

    def add(self, *roots: str) -> None:
        """List the files of folders, or single files."""
        for root in roots:
            self._list(root)
        if roots:
            self._order()

    def _list(self, root: str) -> None:
        listing = files.tree(root, self._index)
        self.staged.update(listing.staged)
        self._listings.update(listing.listings)
        self._looked_at |= listing.walked
        self.lasting &= not listing.untold
        self._blobs.update(listing.blobs)
        self.unread |= listing.unread
        self._roots.add(root)
        self._tops.add(files.repository(root))
        charts = topmost({os.path.dirname(path) for path in listing.files if path.endswith(_CHART)})
        self.charts |= charts
        self.plain &= not charts
        listed, others = listing.files, set(filter(is_foreign, listing.files)) - {os.path.abspath(root)}
        if others:
            from mirrorlint.loading import foreign  # noqa: PLC0415 - few repositories have such files

            listed = {path: real for path, real in listed.items() if path not in others}
            self.unread.update(foreign.unread(root, sorted(path for path in others if not _is_below(path, charts)), self._bytes))
        self._behind.update(listed)
        self._real.update({path: real for path, real in listed.items() if not (is_contract(path) or _is_below(path, charts))})

    def _order(self) -> None:
        self._paths = sorted(self._real)
        self._listed = sorted(self._behind)
        self._kustomizations = [path for path in self._paths if path.endswith(_KUSTOMIZATIONS)]
        self._telling: list[str] | None = None
        self._trees: dict[str, tuple[str, ...]] = {}
        self._generators: dict[str, Mapping[str, Sequence[tuple[Node, Kustomization]]]] = {}

    def below(self, path: str) -> Sequence[str]:
        """The file that `path` is, or all files below the folder that it is, sorted."""
        return at_or_below(self._paths, path)

    def telling(self, path: str) -> Sequence[str]:
        """As `below`, those with objects of GitOps alone."""
        if self._telling is None:
            self._telling = [each for each in self._paths if self.content(each).tells]
        return at_or_below(self._telling, path)

    def folders(self, root: str) -> list[str]:
        """The folders below a folder that hold files, at any depth, sorted."""
        return _folders(self.below(root), root)

    def tree(self, root: str) -> tuple[str, ...]:
        """The folders below a folder that hold files, be it in charts, as seen from there, sorted; hidden ones are left out."""
        if root not in self._trees:
            names = (folder[len(root.rstrip(os.sep)) :].replace(os.sep, "/") for folder in _folders(self.listed(root), root))
            self._trees[root] = tuple(name[1:] for name in names if "/." not in name)
        return self._trees[root]

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
            documents = self.documents(file)
            self._read[file] = kustomization(file, documents[0]) if documents else None
        return self._read.get(file)

    def generators(self, path: str) -> Mapping[str, Sequence[tuple[Node, Kustomization]]]:
        """What generates ConfigMaps in what the kustomizations at or below a path lead to, by name, each with its kustomization."""
        if path not in self._generators:
            found: dict[str, list[tuple[Node, Kustomization]]] = {}
            for each in filter(None, map(self.kustomization, sorted(reach(self.kustomizations(path), self).folders))):
                for node in each.document["configMapGenerator"]:
                    found.setdefault(node["name"].text, []).append((node, each))
            self._generators[path] = found
        return self._generators[path]

    def governed(self, path: str) -> AbstractSet[str]:
        """The file that `path` is, or the files below the folder that it is, without those of further kustomizations."""
        self._reach_out(path)
        further = {os.path.dirname(file) for file in at_or_below(self._kustomizations, path)} - {path}
        return {file for file in self.below(path) if not _is_below(file, further)}

    def outside(self, path: str) -> bool:
        """Whether a path is out of the repository."""
        return not any(within(path, top) for top in self._tops)

    def listed(self, path: str) -> Sequence[str]:
        """As `below`, with what is in charts."""
        self._reach_out(path)
        return at_or_below(self._listed, path)

    def documents(self, path: str) -> Sequence[Node]:
        """The documents of a file, those in charts too."""
        if path not in self._documents:
            data = self._bytes(self._behind[path]) if path in self._behind else b""
            self._documents[path] = parse(b"" if isinstance(data, Unread) else data, files.shown(path)).documents
        return self._documents[path]

    def config_maps(self, name: str, paths: Sequence[str]) -> list[Node]:
        """The ConfigMaps of a name in the files at or below some paths: contents have none but Istio's own."""
        self.plain = False
        meant = {path for start in paths for path in self.below(start)}.intersection(self._named.get(name, ()))
        found = [node for path in sorted(meant) for node in unfolded(self.documents(path))]
        return [node for node in found if (node.text_at("kind"), node.text_at("metadata", "name")) == (CONFIG_MAP, name)]

    @cached_property
    def _named(self) -> Mapping[str, Sequence[str]]:
        """The files with ConfigMaps, by all names that are said in them."""
        found: dict[str, list[str]] = {}
        for path, real in self._real.items():
            data = self._bytes(real)
            if not isinstance(data, Unread) and CONFIG_MAP.encode() in data:
                for name in set(_NAME.findall(data)):
                    found.setdefault(name.decode(), []).append(path)
        return found

    def unlike_staged(self, paths: Iterable[str]) -> str:
        """The first of some files that the work tree has otherwise than the index that is read; "" for none.

        What containers of workloads are made of makes no difference.
        """
        own = [path for path in paths if files.index_of(path, self._index)]
        return next((path for path in own if path not in self._as_staged and not self._is_alike(path)), "")

    def _is_alike(self, path: str) -> bool:
        """Whether the sieve leaves the same of what is staged and of what the work tree has, and takes no object out."""
        data = files.read(path)
        if path not in self.staged or isinstance(data, Unread):
            return False
        here = sift(data)
        return here.certain and not here.dropped and here == sift(self.staged[path])

    @cached_property
    def _as_staged(self) -> AbstractSet[str]:
        """The files that the work tree has as the index has them."""
        found = set()
        for folder, listing in self._listings.items():
            differing = listing.changes.changed | listing.changes.untracked
            found |= {os.path.join(folder, name) for name in (*listing.blobs, *listing.others) if name not in differing}
        return found

    def look(self, *paths: str) -> None:
        """Note that the run depends on what is at some paths, be there something or not."""
        self._looked_at.update(paths)

    @property
    def trail(self) -> Trail:
        """What the run depended on until now."""
        return Trail(self._listings, frozenset(self._looked_at), self.plain, self.lasting)

    def lines(self, path: str) -> Sequence[str]:
        """The lines of a file, by its absolute path or as it is shown."""
        data = self._bytes(os.path.abspath(path))
        return () if isinstance(data, Unread) else lines_of(data)

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
            self._contents |= self._batch.read(missing, self._blobs)
        found = self._contents[real]
        if isinstance(found, Unread):
            self.unread.add(found)
            return Content()
        return found

    def _bytes(self, path: str) -> bytes | Unread:
        return self.staged[path] if path in self.staged else files.read(path)

    def _reach_out(self, path: str) -> None:
        """List what a kustomization leads to, if it is in the repository."""
        known = any(within(path, root) for root in self._roots)
        if not known:
            self.look(path)
        if not known and not self.outside(path) and os.path.exists(path):
            self.add(path)


def _folders(paths: Iterable[str], root: str) -> list[str]:
    """The folders below a folder that some paths are in, sorted."""
    every = with_parents({os.path.dirname(path) for path in paths})
    return sorted(folder for folder in every if folder != root and within(folder, root))


def _is_below(file: str, folders: set[str]) -> bool:
    return bool(folders) and not folders.isdisjoint(upwards(os.path.dirname(file)))
