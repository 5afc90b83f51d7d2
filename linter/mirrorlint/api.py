"""The public Python API: a fleet is loaded, calls are followed, a report is made."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from mirrorlint import engine, loading
from mirrorlint.delivery import reason
from mirrorlint.delivery.follow import Delivery
from mirrorlint.delivery.steps import Step, steps
from mirrorlint.delivery.way import LOST, Call, Way
from mirrorlint.delivery.worlds import UNSUFFIXED, reads_mirrors, worlds_of
from mirrorlint.rule import Report

__all__ = ["Call", "Fleet", "Shadow", "check", "load", "loads"]


class Shadow:
    """The fate of one shadow.

    `host` is the Host that it carries, `percent` the share of requests that is copied, `outcome` one of arrives, lost, stays, elsewhere and
    some, `reason` why, `cluster` where it went ("" when it reached none), `steps` the hops with their places.
    """

    __slots__ = ("_way", "_world", "cluster", "host", "outcome", "percent", "reason")

    def __init__(self, way: Way, world: str) -> None:
        """`world` is 1.27 or 1.28."""
        self._way, self._world = way, world
        self.host, self.percent = way.host, way.mirror.percent
        passed_on = way.reason == reason.PASSED_ON  # no HTTP route is asked, and Istio's simulator, whose words these are, knows no other
        self.outcome, self.reason = (LOST, reason.NO_ROUTE) if passed_on else (way.outcome, way.reason)
        self.cluster = way.ends[0].cluster

    @property
    def steps(self) -> tuple[Step, ...]:
        """The hops, each with the Node that decided it."""
        return steps(self._way, self._world)

    def __repr__(self) -> str:
        """What a notebook shows."""
        shown = ("host", "percent", "outcome", "reason", "cluster")
        return f"Shadow({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"


class Fleet:
    """The clusters that were loaded."""

    def __init__(self, loaded: loading.Loaded) -> None:
        """`loaded` is what `load` and `loads` read."""
        self.loaded = loaded

    def __repr__(self) -> str:
        """The clusters' names."""
        return f"Fleet({', '.join(self.loaded.documents.clusters)})"

    @cached_property
    def delivery(self) -> Delivery:
        """The clusters, ready to follow calls."""
        return Delivery(self.loaded.documents.clusters)

    def follow(self, call: Call, istio: str | None = None) -> tuple[Shadow, ...]:
        """One Shadow for each mirror policy of the route that takes the call, in order; () when the call is not mirrored.

        `istio` is the source's version; without it what the fleet says of itself, else the newest. Of two objects that claim the same the
        one that is written first counts as older, unless they have a creationTimestamp. KeyError for an unknown cluster, ValueError for a
        version that is none.
        """
        settings = self.loaded.documents.clusters[call.cluster].settings
        worlds = worlds_of(settings, istio or "")
        world = worlds[0] if len(worlds) == 1 else UNSUFFIXED
        alike = reads_mirrors(istio or settings.istio) == reads_mirrors(settings.istio)
        delivery = self.delivery if alike else Delivery(self.loaded.documents.clusters, istio=istio or "")
        return tuple(Shadow(way, world) for way in delivery.follow(call, world))


def load(
    paths: str | os.PathLike[str] | Mapping[str, str | os.PathLike[str] | Sequence[str | os.PathLike[str]]],
    *,
    ingress: Mapping[str, Any] | None = None,
    mesh: Mapping[str, Mapping[str, Any]] | None = None,
) -> Fleet:
    """The fleet of a repository, whose clusters are found inside it, or of a mapping from cluster names to paths.

    `ingress` tells for a cluster the addresses of its ingress gateway, or a mapping with `addresses`, `namespace`, `labels` and `ports`;
    `mesh` is a cluster's meshConfig as Istio spells it. OSError for a missing path, SettingsError for a broken settings file.
    """
    if isinstance(paths, Mapping):
        return Fleet(loading.read_mapping(paths, ingress, mesh))
    return Fleet(loading.read([os.fspath(paths)], ingress=ingress, mesh=mesh))


def loads(
    texts: Mapping[str, str], *, ingress: Mapping[str, Any] | None = None, mesh: Mapping[str, Mapping[str, Any]] | None = None
) -> Fleet:
    """The fleet of clusters given as YAML text; places say `<name>`. No file is read."""
    return Fleet(loading.read_texts(texts, ingress, mesh))


def check(fleet: Fleet, istio: str | None = None) -> Report:
    """Everything there is to say of a fleet's mirrors; `istio` is the source's version. ValueError for a version that is none."""
    return engine.lint(fleet.loaded.documents, fleet.loaded.settings.rules, istio or "")
