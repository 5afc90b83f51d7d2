"""Which of two objects is older: where both claim the same, Istio's older one has it."""

from __future__ import annotations

from collections.abc import Callable

from mirrorlint.fleet import Manifest
from mirrorlint.kinds import GATEWAY_API

Age = Callable[[Manifest, str, str], tuple[object, ...]]  # of an object and two names, of which the first decides first


def as_written(manifest: Manifest, first: str, second: str) -> tuple[object, ...]:
    """Like `by_name`, but without timestamps in the order in which objects are written, as `kubectl apply` creates them.

    Of these, those of the Gateway API stand before Istio's own and among themselves by name.
    """
    if manifest.created:
        return by_name(manifest, first, second)
    if manifest.group == GATEWAY_API:
        return ("", 0, first, second)
    return ("", 1, manifest.node.place)


def by_name(manifest: Manifest, first: str, second: str) -> tuple[object, ...]:
    """By creation, then name, as Istio orders objects of the same second (config.go:configCompareByCreationTime)."""
    return (manifest.created, first, second)


def by_name_backwards(manifest: Manifest, first: str, second: str) -> tuple[object, ...]:
    """Like `by_name`, the other way round among objects of the same second: what differs between the two, manifests can't tell."""
    return (manifest.created, *(-ord(letter) for letter in f"{first}/{second}"), 1)


def eldest(oldest: Manifest) -> Age:
    """Like `by_name`, with one object before all others of its second."""
    return lambda manifest, first, second: (manifest.created, manifest is not oldest, first, second)
