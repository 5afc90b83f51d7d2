"""What clusters are found in: which folders there are, what is in them, and what they need of each other."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from itertools import combinations

from mirrorlint.fleet import Manifest
from mirrorlint.kinds import NETWORKING
from mirrorlint.loading import files, needs
from mirrorlint.loading.applied import Applied
from mirrorlint.loading.clusters import Group
from mirrorlint.loading.disk import Disk
from mirrorlint.loading.kustomize import Reach, reach
from mirrorlint.loading.paths import CHART

_OWN = ("Service", "Gateway", "VirtualService")  # what each cluster has of its own


class Ground:
    """The folder or file that was asked for; all paths are absolute."""

    def __init__(self, root: str, disk: Disk, applied: Applied) -> None:
        """`root` is what clusters are found in."""
        self.root, self._disk, self._applied = root, disk, applied
        self._reached: dict[tuple[str, ...], Reach] = {}

    @property
    def name(self) -> str:
        """What all of it is called when it is one cluster."""
        return os.path.basename(files.folder_of(self.root)) or "cluster"

    @cached_property
    def folders(self) -> list[str]:
        """All folders below it that hold files."""
        return self._disk.folders(self.root)

    def gitops(self) -> tuple[Group, ...]:
        """The clusters of the repository's GitOps objects, if anything of Istio is applied."""
        found = self._applied.groups(self.root)
        applied = self._applied.paths(self.root) if found else []
        return found if any(self.holds(path) for path in (*(path for group in found for path in group.paths), *applied)) else ()

    def holds(self, folder: str) -> bool:
        """Whether a folder has Istio objects, or leads to some."""
        reached = self.reach((folder,))
        if any(self._disk.content(path).meshed for path in {*self._disk.below(folder), *reached.files}):
            return True
        templates = [path for path in self._disk.listed(folder) if _is_template(path)]
        if self._disk.listed(os.path.join(folder, CHART)):
            from mirrorlint.loading.builds import chart_files, parts_of  # noqa: PLC0415 - most folders are no charts

            charts = (folder, *(part for _, part in parts_of(folder, self._disk)))
            templates += [
                path for chart in charts for path in chart_files(chart, self._disk)[0] if path.endswith(".tpl") or _is_template(path)
            ]
        return any(NETWORKING in line for path in templates for line in self._disk.lines(path))

    def meshed(self) -> list[str]:
        """The files with Istio objects."""
        return [path for path in self._disk.below(self.root) if self._disk.content(path).meshed]

    def snapshots(self) -> list[str]:
        """Those files, if each two hold one object with two `uid`s, of which an API server gives but one; else none."""
        paths = self.meshed()
        told = [
            {m.identity: uid for m in self._disk.content(path).manifests if (uid := m.node.text_at("metadata", "uid"))} for path in paths
        ]
        differ = all(any(one.get(identity, uid) != uid for identity, uid in other.items()) for one, other in combinations(told, 2))
        return paths if len(paths) > 1 and differ else []

    def entangled(self, folders: Sequence[str]) -> bool:
        """Whether folders are parts of one cluster.

        More than two are if most are called as a namespace of what is in them, or if routes of one lead to Services, or are bound to
        Gateways, that only others have.
        """
        held = {folder: self._manifests(folder) for folder in folders}
        found = [needs.of(manifests) for manifests in held.values()]
        if needs.are_parts(found):
            return True
        if len(folders) < 3:
            return False
        if 2 * sum(os.path.basename(folder) in {m.namespace for m in manifests} for folder, manifests in held.items()) > len(held):
            return True
        every = needs.of(self._manifests(self.root)).has
        return any(each.wants & every - each.has for each in found)

    def are_applied_together(self, folders: Sequence[str]) -> bool:
        """Whether GitOps objects in one place apply all of some folders, in which no object stands twice."""
        return self._applied.together(self.root, folders) and not self.clash(folders)

    def clash(self, folders: Sequence[str]) -> bool:
        """Whether folders have an object in common, as different clusters may; one without a namespace may be put into any."""
        own = ([m for m in self._manifests(folder) if m.kind in _OWN and m.node["metadata"]["namespace"]] for folder in folders)
        return any(one & other for one, other in combinations([{m.identity for m in found} for found in own], 2))

    def _manifests(self, folder: str) -> list[Manifest]:
        return [manifest for path in self._disk.below(folder) for manifest in self._disk.content(path).manifests]

    def leads(self, folder: str) -> set[str]:
        """What a folder's kustomizations lead to, themselves included."""
        reached = self.reach((folder,))
        return {*reached.folders, *reached.files}

    def reach(self, paths: tuple[str, ...]) -> Reach:
        """What the kustomizations at or below some paths lead to."""
        if paths not in self._reached:
            self._reached[paths] = reach([each for path in paths for each in self._disk.kustomizations(path)], self._disk)
        return self._reached[paths]


def _is_template(path: str) -> bool:
    return f"{os.sep}templates{os.sep}" in path
