"""Reads what a test has written in each way that there is: with the sieve and without, in processes, into the cache and out of it."""

from __future__ import annotations

from collections.abc import Sequence
from unittest import mock

from mirrorlint.engine import lint
from mirrorlint.fleet import Manifest
from mirrorlint.kinds import WORKLOADS
from mirrorlint.loading import Loaded, crew, objects
from mirrorlint.loading import read as read_once
from mirrorlint.loading.means import Means
from mirrorlint.sieve import Sifted

WAYS = {"in one process": Means(), "into the cache": Means(2, cached=True), "out of the cache": Means(1, cached=True)}


def read(paths: Sequence[str]) -> Loaded:
    """What is read in the plainest way, after all others have said the same."""
    with mock.patch.object(objects, "sift", lambda data: Sifted(data, 0)):
        whole = read_once(paths)
    with mock.patch.object(crew, "LEAST", 1):
        for name, means in WAYS.items():
            assert _said(read_once(paths, means=means)) == _said(whole), name
    return whole


def _said(loaded: Loaded) -> tuple[object, ...]:
    documents = loaded.documents
    clusters = {name: (cluster.settings, [_about(m) for m in cluster.manifests()]) for name, cluster in documents.clusters.items()}
    return lint(documents, {}), loaded.assignments, documents.facts, documents.suppressions, clusters


def _about(manifest: Manifest) -> tuple[object, ...]:
    """An object and its place; of workloads containers are not asked for."""
    spec = None if manifest.kind in WORKLOADS else manifest.node["spec"].plain()
    return str(manifest), manifest.group, str(manifest.node.place), spec
