"""What GitOps objects speak of: this repository's folders, the others that they name, and the clusters that Argo CD knows."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from mirrorlint.fleet import Manifest
from mirrorlint.likeness import closest
from mirrorlint.loading.disk import Disk
from mirrorlint.loading.paths import CHART, joined, within
from mirrorlint.source import Node

IN_CLUSTER = "in-cluster"
_LOCAL = ("https://kubernetes.default.svc", "https://kubernetes.default", "https://kubernetes.default.svc.cluster.local")
_CLOSE = 0.6  # how much alike names of folders are of which one may be meant
_URL = re.compile(r"^(?:[a-z+]+://)?(?:[^@/]+@)?([^/:]+)(?::\d+(?=/))?[:/]+(.*?)(?:\.git)?/*$", re.IGNORECASE)

Found = Sequence[tuple[Manifest, str]]  # objects, each with the file that has it


class Secret(NamedTuple):
    """A cluster that a Secret tells Argo CD of."""

    name: str
    server: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


class Land(NamedTuple):
    """`roots` are the folders that a repository's paths may start at, the likeliest first; `remotes` the repository's own addresses.

    `objects` are all of GitOps with the files that have them, by kind; they are those of the folders `asked` for. `inner` are the folders
    of clusters that are further down than by convention. `revisions` are those at which Applications ask for this repository.
    """

    roots: tuple[str, ...]
    disk: Disk
    remotes: frozenset[str]
    objects: Mapping[str, Found]
    asked: tuple[str, ...]
    inner: frozenset[str] = frozenset()
    revisions: frozenset[str] = frozenset()

    def folder(self, path: str) -> str:
        """The absolute path that a repository's path stands for, be it there or not."""
        relative = path.strip().strip("/").removeprefix("./")
        found = [joined(root, relative) for root in self.roots]
        there = (each for each, root in zip(found, self.roots, strict=True) if within(each, root) and self.disk.listed(each))
        return next(there, found[0])

    def joined(self, folder: str, path: str) -> str:
        """A path that stands in a folder; one that leads out of the repository is none, and leads to nothing."""
        found = joined(folder, path)
        return found if any(within(found, root) for root in self.roots) else os.devnull

    def is_chart(self, path: str) -> bool:
        """Whether a folder is a Helm chart."""
        return bool(self.disk.listed(os.path.join(path, CHART)))

    def relative(self, path: str) -> str:
        """An absolute path as seen from the repository's root."""
        return os.path.relpath(path, self.roots[0]).replace(os.sep, "/")

    def all_folders(self) -> tuple[str, ...]:
        """All folders that hold files, from the repository's root, without hidden ones."""
        return self.disk.tree(self.roots[0])

    def near(self, path: str) -> str:
        """The folder that a path was probably meant to be, as messages ask for it."""
        return _meant(path.strip("/").removeprefix("./"), self.all_folders()) if path else ""

    def is_own(self, url: str) -> bool:
        """Whether an address is that of this repository."""
        return address(url) in self.remotes

    def of(self, *kinds: str) -> Iterator[Manifest]:
        """The objects of some kinds."""
        return (manifest for kind in kinds for manifest, _ in self.objects.get(kind, ()))

    def named(self, kind: str, name: str) -> Manifest | None:
        """The first object of a kind and a name; None for none."""
        return next((manifest for manifest in self.of(kind) if manifest.name == name), None)

    def secrets(self) -> list[Secret]:
        """The clusters that Secrets describe."""
        return [_secret(manifest.node) for manifest in self.of("Secret")]

    def config_maps(self, name: str) -> Sequence[Node]:
        """The ConfigMaps of a name."""
        return self.disk.config_maps(name, self.asked)

    def name_of(self, server: str) -> str:
        """What Argo CD calls a cluster by its address; "" when nothing tells."""
        return next((secret.name for secret in self.secrets() if secret.server.rstrip("/") == server.rstrip("/")), "")


@lru_cache(maxsize=4096)
def _meant(path: str, folders: tuple[str, ...]) -> str:
    """The folder of which one name differs, and not by much."""
    names = path.split("/")
    every = [theirs for theirs in (folder.split("/") for folder in folders) if len(theirs) == len(names)]
    for at, name in reversed(list(enumerate(names))):
        near = closest(name, (theirs[at] for theirs in every if theirs[:at] == names[:at] and theirs[at + 1 :] == names[at + 1 :]), _CLOSE)
        if near:
            return f" (did you mean `{'/'.join((*names[:at], near, *names[at + 1 :]))}`?)"
    return ""


def is_local(destination: str) -> bool:
    """Whether a destination's name or address is that of the cluster that Argo CD runs in."""
    return destination.rstrip("/") in ("", IN_CLUSTER, *_LOCAL)


def address(url: str) -> str:
    """A repository's address in one form: host and path."""
    found = _URL.match(url.strip())
    return f"{found[1]}/{found[2]}".lower() if found else url.strip()


def own_remotes(remotes: Iterable[str], asked: Iterable[tuple[str, bool]]) -> frozenset[str]:
    """The addresses of this repository: those that Git knows if an object names one of them, else the one whose paths are here most often.

    `asked` are the addresses that objects name, each with whether its path is here.
    """
    known = {address(url) for url in remotes}
    named = [(address(url), there) for url, there in asked]
    if known & {url for url, _ in named}:
        return frozenset(known)
    here = [url for url, there in named if there]
    return frozenset([max(sorted(set(here)), key=here.count)] if here else ())


def _secret(node: Node) -> Secret:
    data, metadata = node["stringData"], node["metadata"]
    return Secret(
        data["name"].text or metadata["name"].text,
        data["server"].text,
        metadata["labels"].named_texts,
        metadata["annotations"].named_texts,
    )
