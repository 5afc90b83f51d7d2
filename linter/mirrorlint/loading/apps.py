"""Charts whose templates are objects of Argo CD ("app of apps"): what those apply is only seen once helm has rendered them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from mirrorlint.loading import builds, renders
from mirrorlint.loading.builds import Build
from mirrorlint.loading.disk import Disk
from mirrorlint.loading.land import Found
from mirrorlint.loading.objects import Content
from mirrorlint.loading.renders import Render
from mirrorlint.loading.units import HELM, Gap, Unit

_APPLICATION = re.compile(r"^\s*kind:\s*[\"']?Application(?:Set)?\b")


class Apps:
    """Reads such charts, each once; all renders together have one time limit."""

    def __init__(self, disk: Disk, units: Callable[[Found, str], Iterable[Unit]], *, cached: bool) -> None:
        """`units` gives what objects with their files apply, given the folder that they are applied from; `cached` keeps renders."""
        self._disk, self._units, self._cached = disk, units, cached
        self._ends = time.monotonic() + renders.DEADLINE
        self._contents: dict[Render, Content | Gap] = {}
        self._made: dict[tuple[object, ...], tuple[list[Unit], list[Gap]]] = {}

    @property
    def rendered(self) -> set[str]:
        """The charts that were rendered."""
        return {render.target for render, content in self._contents.items() if isinstance(content, Content)}

    def made(self, applied: Sequence[Unit]) -> tuple[list[Unit], list[Gap]]:
        """What charts that units apply are rendered to apply, what charts among that do in turn, and why others are not rendered."""
        key = tuple((unit.node, unit.name) for unit in applied)
        if key not in self._made:
            self._made[key] = self._made_of(applied)
        return self._made[key]

    def _made_of(self, applied: Iterable[Unit]) -> tuple[list[Unit], list[Gap]]:
        found: list[Unit] = []
        gaps: list[Gap] = []
        done: set[Render] = set()
        waiting = list(applied)
        while waiting:
            asked = list(self._builds(waiting))
            wanted = {build.render: build for build in asked if isinstance(build, Build) and build.render not in done}
            done |= set(wanted)
            self._render(wanted)
            made = [(build, self._contents[render]) for render, build in wanted.items()]
            gaps += [each for each in (*asked, *(content for _, content in made)) if isinstance(each, Gap)]
            waiting = [unit for build, content in made if isinstance(content, Content) for unit in self._told(build, content)]
            found += waiting
        return found, gaps

    def _render(self, wanted: Mapping[Render, Build]) -> None:
        outputs = renders.run((render for render in wanted if render not in self._contents), self._ends, cached=self._cached)
        self._disk.lasting &= not any(output.error for output in outputs.values())
        self._contents |= {render: builds.made(wanted[render], output, self._disk) for render, output in outputs.items()}

    def _builds(self, applied: Iterable[Unit]) -> Iterator[Build | Gap]:
        charts = (source for unit in applied for source in unit.sources if source.how == HELM)
        return (builds.of_chart(source, self._disk) for source in charts if self._has_applications(source.path))

    def _has_applications(self, chart: str) -> bool:
        folders = (chart, *(part for _, part in builds.parts_of(chart, self._disk)))
        return any(_APPLICATION.match(line) for folder in folders for path in self._disk.listed(folder) for line in self._disk.lines(path))

    def _told(self, build: Build, content: Content) -> Iterable[Unit]:
        return self._units([(manifest, build.render.rendered) for manifest in content.tells], build.source.path)
