"""The two worlds: up to Istio 1.27 Envoy puts `-shadow` behind the shadow's Host, from 1.28 on it does not.

Source: pilot/pkg/networking/core/route/route.go, TranslateRequestMirrorPolicy.
"""

from __future__ import annotations

import re
from functools import lru_cache

from mirrorlint.fleet import ClusterSettings

SUFFIXED, UNSUFFIXED = "1.27", "1.28"
WORLDS = (SUFFIXED, UNSUFFIXED)
WORLD_WORDS = {SUFFIXED: "Istio up to 1.27", UNSUFFIXED: "Istio 1.28 and later"}
SUFFIX = "-shadow"
_FIRST_WITH_MIRRORS = (1, 20)
_VERSION = re.compile(r"v?(\d+)\.(\d+)")


def world_of(version: str) -> str:
    """The world of an Istio version such as `1.27`, `1.30.2` or `v1.24`; ValueError for anything else."""
    return SUFFIXED if number_of(version) <= (1, 27) else UNSUFFIXED


def worlds_of(settings: ClusterSettings, istio: str) -> tuple[str, ...]:
    """The worlds that a source may run: one when its version is known, else both; ValueError for a version that is none."""
    if istio:
        return (world_of(istio),)
    if settings.shadow_suffix is not None:
        return (SUFFIXED if settings.shadow_suffix else UNSUFFIXED,)
    return (world_of(settings.istio),) if settings.istio else WORLDS


def reads_mirrors(version: str) -> bool:
    """Whether a version, "" for one that is not known, mirrors by `mirrors` (release-1.20, route.go: TranslateRoute loops over them)."""
    return not version or number_of(version) >= _FIRST_WITH_MIRRORS


@lru_cache(maxsize=64)
def number_of(version: str) -> tuple[int, int]:
    """The first two numbers of an Istio version; ValueError for what is none."""
    found = _VERSION.match(version)
    if not found:
        raise ValueError(f"`{version}` is not an Istio version such as 1.27")
    return int(found[1]), int(found[2])


def shadow_host(host: str, world: str) -> str:
    """The Host that the shadow carries: in the suffixed world `-shadow` stands before a port, else at the end (measured, Envoy 1.40)."""
    if world != SUFFIXED:
        return host
    name, colon, port = host.rpartition(":")
    return f"{name}{SUFFIX}:{port}" if colon and "]" not in port else f"{host}{SUFFIX}"


def unsuffixed(host: str, world: str) -> str:
    """The Host of the request of which a shadow has this one."""
    if world != SUFFIXED:
        return host
    name, colon, port = host.rpartition(":")
    return f"{name.removesuffix(SUFFIX)}:{port}" if colon and "]" not in port else host.removesuffix(SUFFIX)
