"""What Flux's Kustomizations and HelmReleases apply, and to which cluster."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping

from mirrorlint.fleet import Manifest
from mirrorlint.kinds import CONFIG_MAP
from mirrorlint.loading.land import CHART, Land
from mirrorlint.loading.units import FLUX, HELM, Gap, Source, Unit, Values, foreign_chart
from mirrorlint.source import Node

SOURCES = ("GitRepository", "OCIRepository")
_BOOTSTRAP = "flux-system"
# Fields of a Kustomization of Flux that are those of one of kustomize, too (fluxcd/pkg, kustomize/kustomize_generator.go).
_OPTIONS = ("namePrefix", "nameSuffix", "patches", "components")
_KUBECONFIG = re.compile(r"^kubeconfig-|-kubeconfig$")


def kustomization(node: Node, file: str, land: Land) -> Unit:
    """Read a Kustomization of Flux; the cluster is called as the Secret of its kubeconfig."""
    spec, name = node["spec"], node["metadata"]["name"].text
    config = spec["kubeConfig"]
    cluster = _KUBECONFIG.sub("", config["secretRef"]["name"].text or config["configMapRef"]["name"].text)
    found = _source(node, land)
    if isinstance(found, Gap):
        return Unit(node, f"Kustomization {name}", file, cluster, (), (found,))
    known, gaps = _variables(spec["postBuild"], node["metadata"]["namespace"].text, land)
    made = found._replace(variables=tuple(sorted(known.items())), substituted=bool(spec["postBuild"]))
    return Unit(node, f"Kustomization {name}", file, cluster, (made,), tuple(gaps))


def _source(node: Node, land: Land) -> Source | Gap:
    spec, path = node["spec"], node["spec"]["path"]
    if "${" in path.text:
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


def _foreign(reference: Node, land: Land) -> str:
    """Why a source is not this repository; "" when it is, or when nothing says that it is not."""
    kind, name = reference["kind"].text, reference["name"].text
    for manifest, _ in land.objects.get(kind, ()):
        if manifest.name == name and name != _BOOTSTRAP:
            url = manifest.node["spec"]["url"].text
            return "" if land.is_own(url) else f"`{url or name}` is not this repository"
    return "" if kind in SOURCES else f"the {kind or 'source'} `{name}` is not this repository"


def _variables(build: Node, namespace: str, land: Land) -> tuple[dict[str, str], list[Gap]]:
    """What `postBuild` fills in, and the sources of more that are not at hand."""
    known: dict[str, str] = {}
    gaps: list[Gap] = []
    for reference in build["substituteFrom"]:
        found = _config_map(reference, namespace, land)
        if found is not None:
            known |= found
        elif not reference["optional"].truth:
            kind, name = reference["kind"].text, reference["name"].text
            gaps.append(Gap(reference, f"the {kind} `{name}` is not in this repository, so what it fills in is not known"))
    known |= {key.text: value.text for key, value in build["substitute"].entries()}
    return known, gaps


def _config_map(reference: Node, namespace: str, land: Land) -> Mapping[str, str] | None:
    """The texts of a ConfigMap; of several that are called alike, none: which one is meant depends on the cluster."""
    if reference["kind"].text != CONFIG_MAP:
        return None
    alike = land.config_maps(reference["name"].text)
    if len(alike) > 1:
        alike = [node for node in alike if node["metadata"]["namespace"].text == namespace]
    return {key.text: value.text for key, value in alike[0]["data"].entries()} if len(alike) == 1 else None


def release(manifest: Manifest, file: str, land: Land) -> Unit:
    """Read a HelmRelease: only one whose chart is a folder of this repository can be rendered."""
    node, spec = manifest.node, manifest.node["spec"]
    config = spec["kubeConfig"]["secretRef"]["name"].text
    made = _chart(manifest, land)
    sources, gaps = ((made,), ()) if isinstance(made, Source) else ((), (made,))
    return Unit(node, str(manifest), file, _KUBECONFIG.sub("", config), sources, gaps)


def _chart(manifest: Manifest, land: Land) -> Source | Gap:
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
    lent = list(_lent(spec["valuesFrom"], manifest.namespace, land))
    missing = [text for text, _ in lent if not text]
    if missing:
        return Gap(spec["valuesFrom"], "these values are not in this repository, so the chart is not rendered")
    texts = [*lent, *([(json.dumps(spec["values"].plain()), spec["values"])] if spec["values"] else ())]
    target = spec["targetNamespace"].text
    called = spec["releaseName"].text or (f"{target}-{manifest.name}" if target else manifest.name)
    return Source(path, HELM, manifest.node, target or manifest.namespace, values=Values(called, tuple(files), tuple(texts)))


def _lent(references: Node, namespace: str, land: Land) -> Iterator[tuple[str, Node]]:
    """The values of ConfigMaps, each as text; "" for what is not at hand."""
    for reference in references:
        found = _config_map(reference, namespace, land)
        text = (found or {}).get(reference["valuesKey"].text or "values.yaml", "")
        if text or not reference["optional"].truth:
            yield ("" if reference["targetPath"] else text), reference
