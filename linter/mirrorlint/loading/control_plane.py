"""What manifests say of a cluster's control plane: Istio's version, its meshConfig, and whether shadows get a suffix.

Sources: Istio's chart istio-discovery, operator/pkg/apis (IstioOperator), sail-operator api/v1 (Istio), maistra api/v2
(ServiceMeshControlPlane), pilot/pkg/features.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from mirrorlint.fleet import DISCOVERY, ClusterSettings, Fact, Manifest
from mirrorlint.kinds import CONFIG_MAP
from mirrorlint.loading.settings import usable_mesh
from mirrorlint.loading.units import ISTIOD_CHART, Chart, Installed
from mirrorlint.source import Node, inside

VERSION, MESH, SUFFIX = "Istio", "meshConfig", "the suffix of shadows"
_FLAG = "DISABLE_SHADOW_HOST_SUFFIX"
_LAST_SUFFIXED = (1, 27)
# A version, or a range that stays with one minor version.
_VERSION = re.compile(r"[~=v ]*(\d+)\.(\d+)(?:[.-].*)?")
# The Istio that each version of OpenShift Service Mesh 2 is (docs.redhat.com, its release notes: component versions).
_OPENSHIFT = {(2, 0): "1.6", (2, 1): "1.9", (2, 2): "1.12", (2, 3): "1.14", (2, 4): "1.16", (2, 5): "1.18", (2, 6): "1.20"}
_PILOT = re.compile(r"/pilot:([^@]+)")


class Said(NamedTuple):
    """A value that says something of the control plane, and where."""

    what: str
    value: Any
    node: Node


def said(manifests: Sequence[Manifest], charts: Iterable[Installed]) -> list[Said]:
    """What objects of a cluster and the charts that are installed there say."""
    found = [one for manifest in manifests for one in _whole(_of(manifest))]
    repositories = {(m.kind, m.namespace, m.name): m.node["spec"] for m in manifests if m.kind == "OCIRepository"}
    for chart, values in charts:
        if chart.called == ISTIOD_CHART:
            found += _whole(_of_chart(chart, values, repositories))
    return found


def _whole(control_plane: Iterable[Said]) -> Iterator[Said]:
    """What is said of one control plane, and which namespaces it looks at, where there is word of its meshConfig."""
    every = list(control_plane)
    yield from every
    meshes = [one for one in every if one.what == MESH]
    if meshes:
        yield Said(DISCOVERY, next((one.value[DISCOVERY] for one in meshes if DISCOVERY in one.value), []), meshes[0].node)


def settled(settings: ClusterSettings, found: Sequence[Said], cluster: str) -> tuple[ClusterSettings, list[Fact]]:
    """Settings with what they leave open filled in, and what says so.

    What any of several control planes looks at is looked at. Of several versions that treat shadows alike the oldest counts; where they
    don't none is taken, and mirrors are judged for all.
    """
    facts: list[Fact] = []
    versions = {minor(one.value): one for one in found if one.what == VERSION and minor(one.value)}
    if not settings.istio:
        facts += [Fact(cluster, f"Istio {one.value}", one.node.place, one.value) for one in versions.values()]
    suffix = _suffixed(found)
    if not settings.istio and len({version <= _LAST_SUFFIXED for version in versions}) == 1:
        settings = settings._replace(istio=".".join(map(str, min(versions))))
    if settings.shadow_suffix is None and suffix is not None:
        settings = settings._replace(shadow_suffix=True)
        facts.append(Fact(cluster, f"shadows get `-shadow` ({suffix.value})", suffix.node.place))
    looks = [] if DISCOVERY in settings.mesh else [one.value for one in found if one.what == DISCOVERY]
    for one in (one for one in found if one.what == MESH):
        settings = settings._replace(mesh=_over(one.value, settings.mesh))
        facts.append(Fact(cluster, f"meshConfig with {', '.join(sorted(one.value))}", one.node.place))
    if any(looks):
        selectors = [selector for each in looks for selector in each] if all(looks) else []
        settings = settings._replace(mesh={**settings.mesh, DISCOVERY: selectors})
    return settings, facts


def minor(version: str) -> tuple[int, ...]:
    """The first two numbers of a version; () for what is none, or a range of several."""
    found = _VERSION.fullmatch(version)
    return (int(found[1]), int(found[2])) if found else ()


def _suffixed(found: Sequence[Said]) -> Said | None:
    """What switches the suffix on in versions that have none: a flag, else a compatibility version."""
    every = [one for one in found if one.what == SUFFIX]
    flag = next((one for one in every if one.value.startswith(_FLAG)), None)
    if flag is not None:
        return flag if flag.value.endswith("false") else None
    return next(iter(every), None)


def _over(found: dict[str, Any], said: Any) -> dict[str, Any]:
    """What is found with what is said put over it."""
    full = dict(found)
    for key, value in (said or {}).items():
        full[key] = _over(full[key], value) if isinstance(value, dict) and isinstance(full.get(key), dict) else value
    return full


def _of(manifest: Manifest) -> Iterator[Said]:
    spec = manifest.node["spec"]
    if manifest.kind == "Deployment" and manifest.name.startswith(ISTIOD_CHART):
        yield from _deployed(spec["template"]["spec"]["containers"])
    elif manifest.kind == CONFIG_MAP:
        yield from _mesh(inside(manifest.node["data"]["mesh"]))
    elif manifest.kind == "IstioOperator":
        yield from _version(spec["tag"])
        yield from _mesh(spec["meshConfig"])
        yield from _older(spec["compatibilityVersion"])
        yield from _environment(spec["components"]["pilot"]["k8s"]["env"])
        yield from _values(spec["values"])
    elif manifest.kind == "Istio":
        yield from _version(spec["version"])
        yield from _values(spec["values"])
    elif manifest.kind == "ServiceMeshControlPlane":
        number = minor(spec["version"].text)
        if number in _OPENSHIFT:
            yield Said(VERSION, _OPENSHIFT[number], spec["version"])


def _of_chart(chart: Chart, values: Sequence[Node], repositories: Mapping[tuple[str, str, str], Node]) -> Iterator[Said]:
    """What a chart of Istio's control plane says."""
    reference = repositories[chart.reference]["ref"] if chart.reference in repositories else chart.version
    yield from _version(reference["tag"] or reference["semver"] or chart.version)
    for each in values:
        yield from _values(each)


def _deployed(containers: Iterable[Node]) -> Iterator[Said]:
    for container in containers:
        image = _PILOT.search(container["image"].text)
        if image:
            yield Said(VERSION, image[1], container["image"])
            yield from _environment(container["env"])


def _values(values: Node) -> Iterator[Said]:
    """The values of the chart istiod."""
    yield from _version(values["pilot"]["tag"] or values["global"]["tag"])
    yield from _mesh(values["meshConfig"])
    yield from _older(values["compatibilityVersion"])
    flag = values["pilot"]["env"][_FLAG]
    if flag:
        yield Said(SUFFIX, f"{_FLAG}={flag.text.lower()}", flag)


def _environment(variables: Iterable[Node]) -> Iterator[Said]:
    for variable in variables:
        if variable["name"].text == _FLAG:
            yield Said(SUFFIX, f"{_FLAG}={variable['value'].text.lower()}", variable["value"])


def _version(node: Node) -> Iterator[Said]:
    if minor(node.text):
        yield Said(VERSION, node.text, node)


def _older(node: Node) -> Iterator[Said]:
    """A compatibility version of 1.27 or before keeps the suffix (manifests/helm-profiles, compatibility-version-1.27)."""
    number = minor(node.text)
    if number and number <= _LAST_SUFFIXED:
        yield Said(SUFFIX, f"compatibilityVersion {node.text}", node)


def _mesh(node: Node) -> Iterator[Said]:
    found = usable_mesh(node)
    if found:
        yield Said(MESH, found, node)
