"""Objects that are written twice in one cluster: a snapshot beside its source, a file that two overlays list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from mirrorlint.fleet import NOTHING, BlindSpot, Manifest
from mirrorlint.kinds import WORKLOADS

# Annotations of `kubectl apply`, and of kustomize for where an object comes from.
_ADDED = ("last-applied-configuration", "config.kubernetes.io/")


def without_repeats(manifests: Iterable[Manifest], cluster: str) -> tuple[list[Manifest], list[BlindSpot]]:
    """The objects, each that says the same once; and, for those that are there twice, what is made of them.

    Of two that say different things the one that is applied last counts; manifests don't tell which, so both are judged.
    """
    found: dict[tuple[str, str, str, str], list[Manifest]] = {}
    for manifest in manifests:
        found.setdefault(manifest.identity, []).append(manifest)
    kept = {key: list(_different(those)) if len(those) > 1 else those for key, those in found.items()}
    blind = [*_told((those for key, those in found.items() if len(kept[key]) == 1), "says the same", "it counts once", cluster)]
    blind += _told(kept.values(), "says something else", "the one that is applied last wins, and both are judged", cluster)
    return [manifest for those in kept.values() for manifest in those], blind


def _different(manifests: Iterable[Manifest]) -> Iterator[Manifest]:
    """Each object that says something else than those before it; what the API server and kustomize add says nothing."""
    said: list[object] = []
    for manifest in manifests:
        own = _content(manifest)
        if own not in said:
            said.append(own)
            yield manifest


def _content(manifest: Manifest) -> object:
    """What is asked of an object: of workloads, whose containers may not have been read, the labels and ports of their pods."""
    annotations = manifest.node["metadata"]["annotations"].items()
    said = {key: value.plain() for key, value in annotations if not any(added in key for added in _ADDED)}
    metadata = manifest.node["metadata"]["labels"].plain(), said
    if manifest.kind in WORKLOADS:
        pod = manifest.node["spec"]["template"]
        ports = [port.plain() for container in pod["spec"]["containers"] for port in container["ports"]]
        return metadata, pod["metadata"]["labels"].plain(), ports
    return metadata, {key: value.plain() for key, value in manifest.node.items() if key not in ("apiVersion", "metadata", "status")}


def _told(groups: Iterable[Sequence[Manifest]], what: str, counts: str, cluster: str) -> Iterator[BlindSpot]:
    """One blind spot for all repeats of a sort, at the first."""
    twice = [those for those in groups if len(those) > 1]
    if twice:
        first, second, *_ = twice[0]
        more = f" (and {len(twice) - 1} more)" if len(twice) > 1 else ""
        here, there = "comes from here several times, by overlays or releases", f"stands at {first.node.place}, too"
        alike = first.node.place == second.node.place
        message = f"{first} {here if alike else there}, and {what} {'each time' if alike else 'there'}: {counts}{more}"
        yield BlindSpot.at(second.node.place, message, cluster, NOTHING)
