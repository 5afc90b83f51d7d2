"""What Flux's Kustomizations and HelmReleases apply, and to which cluster."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from mirrorlint.fleet import NOTHING, Manifest
from mirrorlint.kinds import CONFIG_MAP
from mirrorlint.loading.filling import first, is_substituted, substituted
from mirrorlint.loading.generated import ConfigMap, config_maps
from mirrorlint.loading.land import Land
from mirrorlint.loading.paths import CHART, within
from mirrorlint.loading.units import FLUX, HELM, NOT_HEARD, NOT_RENDERED, Chart, Gap, Source, Unit, Values, one_value, options
from mirrorlint.source import Node

_ARTIFACT = "OCIRepository"
SOURCES = ("GitRepository", _ARTIFACT)
_BOOTSTRAP = "flux-system"
# Fields of a Kustomization of Flux that are those of one of kustomize, too (fluxcd/pkg, kustomize/kustomize_generator.go).
_OPTIONS = ("namePrefix", "nameSuffix", "patches")
_VARIABLE = re.compile(r"(?<!\$)\$\{[A-Za-z_][^{}]*\}")
# What is but names with dots between them, and what helm's `--set` reads as more than one value.
_NAMES = re.compile(r"[\w-]+(?:\.[\w-]+)*")
_STRUCTURE = re.compile(r"[,={}\[\]\\'\"]")
_KUBECONFIG = re.compile(r"^kubeconfig-|-kubeconfig$")


class _Asking(NamedTuple):
    """The file of an object that asks for a ConfigMap, the object's namespace, and the folder that it is applied from."""

    file: str
    namespace: str
    start: str


def kustomization(node: Node, file: str, start: str, land: Land) -> Unit:
    """Read a Kustomization of Flux that is applied from a folder."""
    spec, name = node["spec"], node["metadata"]["name"].text
    found = _source(node, land)
    if isinstance(found, Gap):
        return Unit(node, f"Kustomization {name}", file, _cluster(spec), (), (found,))
    known, gaps = _variables(spec["postBuild"], _Asking(file, node["metadata"]["namespace"].text, start), land)
    made = found._replace(variables=tuple(sorted(known.items())) if spec["postBuild"] else None)
    return Unit(node, f"Kustomization {name}", file, _cluster(spec), (made,), tuple(gaps))


def _cluster(spec: Node) -> str:
    """The cluster of an object's kubeconfig, called as its Secret or ConfigMap (fluxcd/pkg, apis/meta: KubeConfigReference)."""
    config = spec["kubeConfig"]
    return _KUBECONFIG.sub("", config["secretRef"]["name"].text or config["configMapRef"]["name"].text)


def _source(node: Node, land: Land) -> Source | Gap:
    spec, path = node["spec"], node["spec"]["path"]
    if waits(path):
        return Gap(path, f"`{path.text}` waits to be filled in, so it is not read")
    foreign = _foreign(spec["sourceRef"], land) or _pushed(spec["sourceRef"], path, land)
    if foreign:
        return Gap(spec["sourceRef"], f"{foreign}, so `{path.text or '.'}` of it is not read")
    folder = land.folder(path.text or ".")
    if not land.disk.listed(folder):
        return Gap(path, f"`{path.text}` is no folder with manifests here{land.near(path.text)}")
    return Source(folder, FLUX, node, options=options(spec, _OPTIONS, spec["targetNamespace"].text))


def waits(path: Node) -> bool:
    """Whether what applies a Kustomization must fill in its path."""
    return "${" in path.text


def above(kustomization: Node, land: Land) -> str:
    """The folder that a path is below whatever is filled in."""
    return land.folder(kustomization["spec"]["path"].text.partition("${")[0].rpartition("/")[0])


def _foreign(reference: Node, land: Land) -> str:
    """Why a source is not this repository; "" when it is, or when nothing says that it is not."""
    kind, name = reference["kind"].text, reference["name"].text
    known = land.named(kind, name) if name != _BOOTSTRAP else None
    if known is not None:
        url = known.node["spec"]["url"].text
        return "" if land.is_own(url) else f"`{url or name}` is not this repository"
    return "" if kind in SOURCES else f"the {kind or 'source'} `{name}` is not this repository"


def _pushed(reference: Node, path: Node, land: Land) -> str:
    """That all of an artifact is asked for of which nothing here says what was pushed, a folder or another repository; "" otherwise."""
    kind, name = reference["kind"].text, reference["name"].text
    known = kind != _ARTIFACT or name == _BOOTSTRAP or land.named(kind, name) is not None
    whole = path.text.strip("./") == ""
    return f"nothing here says what is in the {kind} `{name}`" if whole and not known else ""


def _variables(build: Node, asking: _Asking, land: Land) -> tuple[dict[str, str], list[Gap]]:
    """What `postBuild` fills in, and the sources of more that are not at hand.

    Values of ConfigMaps lose their line breaks (fluxcd/pkg, kustomize/kustomize_varsub.go: LoadVariables).
    """
    known: dict[str, str] = {}
    gaps: list[Gap] = []
    for reference in build["substituteFrom"]:
        found = _config_map(reference, asking, land)
        if found is not None:
            known |= {name: text.replace("\n", "") for name, (text, _) in found.items()}
        else:
            kind, name = reference["kind"].text, reference["name"].text
            gaps.append(Gap(reference, f"what the {kind} `{name}` fills in is not known from this repository"))
    known |= build["substitute"].named_texts
    return known, gaps


def _config_map(reference: Node, asking: _Asking, land: Land) -> Mapping[str, tuple[str, Node]] | None:
    """The values of a ConfigMap; None when none is here, several are that may be meant, or its values are not known.

    An optional one that is not here has none.
    """
    found = list(config_maps(reference["name"].text, asking.start, land)) if reference["kind"].text == CONFIG_MAP else []
    if any(each.data is None for each in found):
        return None
    if len(found) > 1 and asking.namespace:
        found = [each for each in found if each.node["metadata"]["namespace"].text in ("", asking.namespace)]
    found = _nearest_of(found, asking.file, asking.start, land)
    if not found and reference["optional"].truth:
        return {}
    return found[0].data if len(found) == 1 else None


def _nearest_of(alike: Sequence[ConfigMap], file: str, start: str, land: Land, passed: frozenset[str] = frozenset()) -> list[ConfigMap]:
    """The ConfigMaps nearest to a file, or to what applies the folder that it is applied from, where several are as near to the file."""
    near = _nearest(alike, file, land)
    if len(near) < 2:
        return near
    above = {
        other for manifest, other in land.objects.get("Kustomization", ()) if within(start, land.folder(manifest.node["spec"]["path"].text))
    }
    theirs = (_nearest_of(near, other, os.path.dirname(other), land, passed | {file}) for other in above - passed - {file})
    return list({each.node.place: each for found in theirs for each in found}.values()) or near


def _nearest(alike: Sequence[ConfigMap], file: str, land: Land) -> list[ConfigMap]:
    """The ConfigMaps that share the most folders with a file, since each cluster has its own; none that is beside the file's twin."""
    shared = [(each, os.path.commonpath([file, os.path.abspath(each.node.place.path)])) for each in alike]
    most = max((len(folder) for _, folder in shared), default=0)
    return [each for each, folder in shared if len(folder) == most and not _is_of_twin(each.node, file, folder, land)]


def _is_of_twin(node: Node, file: str, shared: str, land: Land) -> bool:
    """Whether a ConfigMap is in a folder of another cluster: in `stage/`, where the file that asks in `prod/` has its like."""
    _, _, inner = os.path.relpath(file, shared).partition(os.sep)
    other = os.path.relpath(os.path.abspath(node.place.path), shared).partition(os.sep)[0]
    return bool(inner) and bool(land.disk.listed(os.path.join(shared, other, inner)))


def release(manifest: Manifest, file: str, start: str, land: Land) -> Unit:
    """Read a HelmRelease that is applied from a folder: only one whose chart is a folder of this repository can be rendered."""
    node, spec = manifest.node, manifest.node["spec"]
    cluster, asking = _cluster(spec), _Asking(file, manifest.namespace, start)
    if _is_own_chart(spec["chart"]["spec"], land):
        made = _chart(manifest, asking, land)
        parts = ((made,), ()) if isinstance(made, Source) else ((), (made,))
        return Unit(node, str(manifest), file, cluster, *parts)
    chart = _foreign_chart(manifest, asking, land)
    name = spec["chart"]["spec"]["chart"] or spec["chartRef"]["name"]
    gap = chart.unknown(name, f"the chart `{name.text}` is not in this repository, so it is not rendered")
    return Unit(node, str(manifest), file, cluster, (), (gap,) if gap else (), (chart,))


def own_chart(release: Node, land: Land) -> str:
    """The folder of this repository that a HelmRelease's chart is, be its values known or not; "" for one of elsewhere."""
    chart = release["spec"]["chart"]["spec"]
    return land.folder(chart["chart"].text) if _is_own_chart(chart, land) else ""


def _is_own_chart(chart: Node, land: Land) -> bool:
    own = chart["sourceRef"]["kind"].text == "GitRepository" and not _foreign(chart["sourceRef"], land)
    return own and bool(land.disk.listed(os.path.join(land.folder(chart["chart"].text), CHART)))


def _foreign_chart(manifest: Manifest, asking: _Asking, land: Land) -> Chart:
    """A chart of elsewhere; one by `chartRef` has the name that its address ends with."""
    spec, release = manifest.node["spec"], manifest.node["spec"]["releaseName"] or manifest.node["metadata"]["name"]
    chart, namespace = spec["chart"]["spec"], spec["targetNamespace"].text or manifest.namespace
    texts, gap = _texts(manifest, asking, land, NOT_HEARD)
    for inner in _value_files(chart):
        gap = Gap(inner, f"the values `{inner.text}` are in the chart, {NOT_HEARD}")
    values, gap = Values(texts=texts), gap and gap._replace(holds=NOTHING)
    if not spec["chartRef"]:
        return Chart(chart["chart"], chart["version"], chart["sourceRef"]["name"].text, release, namespace, values, gap)
    kind, name = spec["chartRef"]["kind"].text, spec["chartRef"]["name"]
    found = land.named(kind, name.text)
    url = found.node["spec"]["url"] if found is not None else name
    home, reference = url.text.rpartition("/")[0], (kind, spec["chartRef"]["namespace"].text or manifest.namespace, name.text)
    return Chart(url, spec["chart"]["spec"]["version"], home, release, namespace, values, gap, reference)


def _texts(manifest: Manifest, asking: _Asking, land: Land, then: str) -> tuple[tuple[tuple[str, Node], ...], Gap | None]:
    """The values that a release writes down or takes from ConfigMaps, and which are not at hand; `then` is what follows."""
    spec = manifest.node["spec"]
    lent = [found for found in (_lent(reference, asking, land) for reference in spec["valuesFrom"]) if found]
    missing = (node for text, node in lent if not text)
    gaps = (Gap(each, f"what this takes from the {each['kind'].text} `{each['name'].text}` is not known, {then}") for each in missing)
    written = [(json.dumps(spec["values"].plain()), spec["values"])] if spec["values"] else []
    return (*((text, node) for text, node in lent if text), *written), next(gaps, None)


def _chart(manifest: Manifest, asking: _Asking, land: Land) -> Source | Gap:
    spec = manifest.node["spec"]
    chart = spec["chart"]["spec"]
    if spec["postRenderers"]:
        return Gap(spec["postRenderers"], "`postRenderers` change what the chart makes, so it is not rendered")
    texts, gap = _texts(manifest, asking, land, NOT_RENDERED)
    if gap:
        return gap
    target = spec["targetNamespace"].text
    called = spec["releaseName"].text or (f"{target}-{manifest.name}" if target else manifest.name)
    files = tuple(land.folder(node.text) for node in _value_files(chart))
    values = Values(called, files, texts, waits=_waits(manifest.node, texts))
    return Source(land.folder(chart["chart"].text), HELM, manifest.node, target or manifest.namespace, values=values)


def _value_files(chart: Node) -> Iterator[Node]:
    """The files of values that a chart is to have, by the field of now and the one of old."""
    yield from chart["valuesFiles"]
    yield from filter(None, [chart["valuesFile"]])


def _waits(release: Node, texts: Sequence[tuple[str, Node]]) -> Gap | None:
    """That a variable in a release or in the values that it takes from elsewhere must be filled in first."""
    places = (release["metadata"]["name"], release["metadata"]["namespace"], release["spec"], *(node for _, node in texts))
    found = next((node for node in (first(place, _VARIABLE) for place in places) if node is not None), None)
    variable = _VARIABLE.search(found.text) if found is not None and is_substituted(release) else None
    return Gap(found, f"`{variable[0]}` waits to be filled in, so the chart is not rendered") if found is not None and variable else None


def filled_in(unit: Unit, known: Mapping[str, str]) -> Unit:
    """A release whose values from generated ConfigMaps are filled in by what applies both."""
    return unit._replace(sources=tuple(_filled_in(source, unit.node, known) if source.values.waits else source for source in unit.sources))


def _filled_in(source: Source, release: Node, known: Mapping[str, str]) -> Source:
    texts = tuple(_with_variables(text, node, known) if node.is_mapping else (text, node) for text, node in source.values.texts)
    return source._replace(values=source.values._replace(texts=texts, waits=_waits(release, texts)))


def _with_variables(text: str, node: Node, known: Mapping[str, str]) -> tuple[str, Node]:
    whole = Node((text, False, *node.raw[2:]), node.path)
    return substituted(whole, known).text, substituted(node, known)


def _lent(reference: Node, asking: _Asking, land: Land) -> tuple[str, Node] | None:
    """The values of a ConfigMap, as text with the node that has it; "" for what is not at hand, or can't be read, None for what may lack.

    One for a `targetPath` is set as helm's `--set` does (fluxcd/pkg, chartutil/values.go: ReplacePathValue).
    """
    values = _config_map(reference, asking, land)
    text, found = (values or {}).get(reference["valuesKey"].text or "values.yaml", ("", None))
    target = reference["targetPath"].text
    if found is None:
        return None if values is not None and reference["optional"].truth else ("", reference)
    if not target:
        return text, found
    if not _NAMES.fullmatch(target) or _STRUCTURE.search(text):
        return "", reference
    made = one_value(target, Node((text, True, *found.raw[2:]), found.path))
    return json.dumps(made.plain()), made
