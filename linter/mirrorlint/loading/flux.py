"""What Flux's Kustomizations and HelmReleases apply, and to which cluster."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from mirrorlint.fleet import Manifest
from mirrorlint.kinds import CONFIG_MAP
from mirrorlint.loading.filling import first, is_substituted
from mirrorlint.loading.land import Land
from mirrorlint.loading.paths import CHART
from mirrorlint.loading.units import FLUX, HELM, Gap, Source, Unit, Values, foreign_chart, is_told_by_release, one_value
from mirrorlint.source import Node

SOURCES = ("GitRepository", "OCIRepository")
_BOOTSTRAP = "flux-system"
# Fields of a Kustomization of Flux that are those of one of kustomize, too (fluxcd/pkg, kustomize/kustomize_generator.go).
_OPTIONS = ("namePrefix", "nameSuffix", "patches", "components")
_VARIABLE = re.compile(r"(?<!\$)\$\{[A-Za-z_][^{}]*\}")
# What is but names with dots between them, and what helm's `--set` reads as more than one value.
_NAMES = re.compile(r"[\w-]+(?:\.[\w-]+)*")
_STRUCTURE = re.compile(r"[,={}\[\]\\'\"]")
_KUBECONFIG = re.compile(r"^kubeconfig-|-kubeconfig$")


class _Asking(NamedTuple):
    """The file of an object that asks for a ConfigMap, and the object's namespace."""

    file: str
    namespace: str


def kustomization(node: Node, file: str, land: Land) -> Unit:
    """Read a Kustomization of Flux; the cluster is called as the Secret of its kubeconfig."""
    spec, name = node["spec"], node["metadata"]["name"].text
    config = spec["kubeConfig"]
    cluster = _KUBECONFIG.sub("", config["secretRef"]["name"].text or config["configMapRef"]["name"].text)
    found = _source(node, land)
    if isinstance(found, Gap):
        return Unit(node, f"Kustomization {name}", file, cluster, (), (found,))
    known, gaps = _variables(spec["postBuild"], _Asking(file, node["metadata"]["namespace"].text), land)
    made = found._replace(variables=tuple(sorted(known.items())), substituted=bool(spec["postBuild"]))
    return Unit(node, f"Kustomization {name}", file, cluster, (made,), tuple(gaps))


def _source(node: Node, land: Land) -> Source | Gap:
    spec, path = node["spec"], node["spec"]["path"]
    if waits(path):
        return Gap(path, f"`{path.text}` waits to be filled in, so it is not read")
    foreign = _foreign(spec["sourceRef"], land)
    if foreign:
        return Gap(spec["sourceRef"], f"{foreign}, so `{path.text or '.'}` of it is not read")
    folder = land.folder(path.text or ".")
    if not land.files.listed(folder):
        return Gap(path, f"`{path.text}` is no folder with manifests here")
    options = {name: spec[name].plain() for name in _OPTIONS if spec[name]}
    if spec["targetNamespace"]:
        options["namespace"] = spec["targetNamespace"].text
    return Source(folder, FLUX, node, "", recurse=True, options=json.dumps(options, sort_keys=True) if options else "")


def waits(path: Node) -> bool:
    """Whether what applies a Kustomization must fill in its path."""
    return "${" in path.text


def above(kustomization: Node, land: Land) -> str:
    """The folder that a path is below whatever is filled in."""
    return land.folder(kustomization["spec"]["path"].text.partition("${")[0].rpartition("/")[0])


def _foreign(reference: Node, land: Land) -> str:
    """Why a source is not this repository; "" when it is, or when nothing says that it is not."""
    kind, name = reference["kind"].text, reference["name"].text
    for manifest, _ in land.objects.get(kind, ()):
        if manifest.name == name and name != _BOOTSTRAP:
            url = manifest.node["spec"]["url"].text
            return "" if land.is_own(url) else f"`{url or name}` is not this repository"
    return "" if kind in SOURCES else f"the {kind or 'source'} `{name}` is not this repository"


def _variables(build: Node, asking: _Asking, land: Land) -> tuple[dict[str, str], list[Gap]]:
    """What `postBuild` fills in, and the sources of more that are not at hand."""
    known: dict[str, str] = {}
    gaps: list[Gap] = []
    for reference in build["substituteFrom"]:
        found = _config_map(reference, asking, land)
        if found is not None:
            known |= {name: value.text for name, value in found.items()}
        elif not reference["optional"].truth:
            kind, name = reference["kind"].text, reference["name"].text
            gaps.append(Gap(reference, f"the {kind} `{name}` is not in this repository, so what it fills in is not known"))
    known |= build["substitute"].named_texts
    return known, gaps


def _config_map(reference: Node, asking: _Asking, land: Land) -> Mapping[str, Node] | None:
    """The values of a ConfigMap; None when none is here, or several are that may be meant."""
    if reference["kind"].text != CONFIG_MAP:
        return None
    alike = land.config_maps(reference["name"].text)
    if len(alike) > 1 and asking.namespace:
        alike = [node for node in alike if node["metadata"]["namespace"].text in ("", asking.namespace)]
    alike = _nearest(alike, asking.file, land)
    return {key.text: value for key, value in alike[0]["data"].entries()} if len(alike) == 1 else None


def _nearest(alike: Sequence[Node], file: str, land: Land) -> list[Node]:
    """The ConfigMaps that share the most folders with a file, since each cluster has its own; none that is beside the file's twin."""
    shared = {node: os.path.commonpath([file, os.path.abspath(node.place.path)]) for node in alike}
    most = max(map(len, shared.values()), default=0)
    return [node for node, folder in shared.items() if len(folder) == most and not _is_of_twin(node, file, folder, land)]


def _is_of_twin(node: Node, file: str, shared: str, land: Land) -> bool:
    """Whether a ConfigMap is in a folder of another cluster: in `stage/`, where the file that asks in `prod/` has its like."""
    _, _, inner = os.path.relpath(file, shared).partition(os.sep)
    other = os.path.relpath(os.path.abspath(node.place.path), shared).partition(os.sep)[0]
    return bool(inner) and bool(land.files.listed(os.path.join(shared, other, inner)))


def release(manifest: Manifest, file: str, land: Land) -> Unit:
    """Read a HelmRelease: only one whose chart is a folder of this repository can be rendered."""
    node, spec = manifest.node, manifest.node["spec"]
    config = spec["kubeConfig"]["secretRef"]["name"].text
    made = None if is_told_by_release(spec) else _chart(manifest, file, land)
    sources = (made,) if isinstance(made, Source) else ()
    gaps = (made,) if isinstance(made, Gap) else ()
    return Unit(node, str(manifest), file, _KUBECONFIG.sub("", config), sources, gaps)


def _chart(manifest: Manifest, file: str, land: Land) -> Source | Gap:
    spec = manifest.node["spec"]
    chart = spec["chart"]["spec"]
    name = chart["chart"]
    own = chart["sourceRef"]["kind"].text == "GitRepository" and not _foreign(chart["sourceRef"], land)
    path = land.folder(name.text)
    if not own or not land.files.listed(os.path.join(path, CHART)):
        return foreign_chart(
            name, f"the chart `{name.text or spec['chartRef']['name'].text}` is not in this repository, so it is not rendered"
        )
    if spec["postRenderers"]:
        return Gap(spec["postRenderers"], "`postRenderers` change what the chart makes, so it is not rendered")
    files = [land.folder(node.text) for node in (*chart["valuesFiles"], *([chart["valuesFile"]] if chart["valuesFile"] else ()))]
    lent = list(_lent(spec["valuesFrom"], _Asking(file, manifest.namespace), land))
    missing = next((node for text, node in lent if not text), None)
    if missing is not None:
        kind, called = missing["kind"].text, missing["name"].text
        return Gap(missing, f"what this takes from the {kind} `{called}` is not known, so the chart is not rendered")
    texts = [*lent, *([(json.dumps(spec["values"].plain()), spec["values"])] if spec["values"] else ())]
    target = spec["targetNamespace"].text
    called = spec["releaseName"].text or (f"{target}-{manifest.name}" if target else manifest.name)
    values = Values(called, tuple(files), tuple(texts), waits=_waits(manifest.node, texts))
    return Source(path, HELM, manifest.node, target or manifest.namespace, values=values)


def _waits(release: Node, texts: Sequence[tuple[str, Node]]) -> Gap | None:
    """That a variable in a release or in the values that it takes from elsewhere must be filled in first."""
    places = (release["metadata"]["name"], release["metadata"]["namespace"], release["spec"], *(node for _, node in texts))
    found = next((node for node in (first(place, _VARIABLE) for place in places) if node is not None), None)
    variable = _VARIABLE.search(found.text) if found is not None and is_substituted(release) else None
    return Gap(found, f"`{variable[0]}` waits to be filled in, so the chart is not rendered") if found is not None and variable else None


def _lent(references: Node, asking: _Asking, land: Land) -> Iterator[tuple[str, Node]]:
    """The values of ConfigMaps, each as text with the node that has it; "" for what is not at hand, or can't be read.

    One for a `targetPath` is set as helm's `--set` does (fluxcd/pkg, chartutil/values.go: ReplacePathValue).
    """
    for reference in references:
        found = (_config_map(reference, asking, land) or {}).get(reference["valuesKey"].text or "values.yaml")
        target = reference["targetPath"].text
        if found is None:
            yield from [] if reference["optional"].truth else [("", reference)]
        elif not target:
            yield found.text, found
        elif _NAMES.fullmatch(target) and not _STRUCTURE.search(found.text):
            made = one_value(target, Node((found.text, True, *found.raw[2:]), found.path))
            yield json.dumps(made.plain()), made
        else:
            yield "", reference
