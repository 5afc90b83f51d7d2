"""Charts whose templates are objects of Argo CD ("app of apps"): what those apply is only seen once helm has rendered them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from mirrorlint.loading import builds, renders
from mirrorlint.loading.builds import Build
from mirrorlint.loading.disk import Disk
from mirrorlint.loading.land import Found
from mirrorlint.loading.objects import Content
from mirrorlint.loading.renders import Render
from mirrorlint.loading.units import HELM, Gap, Unit

_APPLICATION = re.compile(r"^\s*kind:\s*[\"']?Application(?:Set)?\b")


class Apps(NamedTuple):
    """How such charts are read: `units` gives what objects with their files apply, given the folder that they are applied from."""

    disk: Disk
    units: Callable[[Found, str], Iterable[Unit]]
    cached: bool

    def made(self, applied: Iterable[Unit]) -> tuple[list[Unit], list[Gap]]:
        """What charts that units apply are rendered to apply, what charts among that do in turn, and why others are not rendered."""
        ends = time.monotonic() + renders.DEADLINE
        found: list[Unit] = []
        gaps: list[Gap] = []
        done: set[Render] = set()
        waiting = list(applied)
        while waiting:
            asked = list(self._builds(waiting))
            wanted = {build.render: build for build in asked if isinstance(build, Build) and build.render not in done}
            done |= set(wanted)
            outputs = renders.run(wanted, ends, cached=self.cached)
            self.disk.lasting &= not any(output.error for output in outputs.values())
            made = [(build, builds.made(build, outputs[render], self.disk)) for render, build in wanted.items()]
            gaps += [each for each in (*asked, *(content for _, content in made)) if isinstance(each, Gap)]
            waiting = [unit for build, content in made if isinstance(content, Content) for unit in self._told(build, content)]
            found += waiting
        return found, gaps

    def _builds(self, applied: Iterable[Unit]) -> Iterator[Build | Gap]:
        charts = (source for unit in applied for source in unit.sources if source.how == HELM)
        return (builds.of_chart(source, self.disk) for source in charts if self._has_applications(source.path))

    def _has_applications(self, chart: str) -> bool:
        folders = (chart, *(part for _, part in builds.parts_of(chart, self.disk)))
        return any(_APPLICATION.match(line) for folder in folders for path in self.disk.listed(folder) for line in self.disk.lines(path))

    def _told(self, build: Build, content: Content) -> Iterable[Unit]:
        return self.units([(manifest, build.render.rendered) for manifest in content.tells], build.source.path)
