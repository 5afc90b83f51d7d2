"""Reads what a test has written in each way that there is: with the sieve and without, in processes, into the cache and out of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from unittest import mock

from mirrorlint import crew
from mirrorlint.crew import Crew
from mirrorlint.engine import lint
from mirrorlint.fleet import Manifest
from mirrorlint.kinds import WORKLOADS
from mirrorlint.loading import Loaded, objects, renders
from mirrorlint.loading import read as read_once
from mirrorlint.loading.batch import reader
from mirrorlint.loading.means import Means
from mirrorlint.loading.renders import Output, Render
from mirrorlint.sieve import Sifted


def several(jobs: int) -> Crew:
    """A crew of so many processes, this one among them."""
    return Crew(jobs - 1, lambda: reader, lambda: None)


def read(paths: Sequence[str]) -> Loaded:
    """What is read in the plainest way, after all others have said the same."""
    with mock.patch.object(renders, "_rendered", _once()):
        with mock.patch.object(objects, "sift", lambda data: Sifted(data, 0)):
            whole = read_once(paths)
        said = _said(whole)
        assert _said(read_once(paths)) == said
        with mock.patch.object(crew, "LEAST", 1), several(2) as both:
            assert _said(read_once(paths, means=Means(both, cached=True))) == said, "into the cache"
        assert _said(read_once(paths, means=Means(cached=True))) == said, "out of the cache"
    return whole


def _once() -> Callable[[Render, float], Output]:
    """What renders each thing once: nothing that is rendered changes in between."""
    rendered, known = renders._rendered, dict[Render, Output]()

    def once(render: Render, deadline: float) -> Output:
        if render not in known:
            known[render] = rendered(render, deadline)
        return known[render]

    return once


def _said(loaded: Loaded) -> tuple[object, ...]:
    documents = loaded.documents
    clusters = {name: (cluster.settings, [_about(m) for m in cluster.manifests()]) for name, cluster in documents.clusters.items()}
    return lint(documents, {}), loaded.assignments, documents.facts, documents.suppressions, clusters


def _about(manifest: Manifest) -> tuple[object, ...]:
    """An object and its place; of workloads containers are not asked for."""
    spec = None if manifest.kind in WORKLOADS else manifest.node["spec"].plain()
    return str(manifest), manifest.group, str(manifest.node.place), spec
