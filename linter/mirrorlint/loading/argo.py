"""What an Argo CD Application applies, and to which cluster."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from mirrorlint.fleet import NOTHING
from mirrorlint.likeness import suggestion
from mirrorlint.loading.filling import first
from mirrorlint.loading.land import Land, is_local
from mirrorlint.loading.units import ARGO, HELM, NOT_HEARD, NOT_RENDERED, Chart, Gap, Source, Unit, Values, options
from mirrorlint.source import Node

TRUNK = frozenset({"", "HEAD", "main", "master"})
_PLACEHOLDER = re.compile(r"\{\{")
# Fields of `kustomize` that are those of a kustomization, too, but for images and replicas, which say nothing of where requests go
# (argo-cd, util/kustomize/kustomize.go).
_OPTIONS = ("namePrefix", "nameSuffix", "namespace", "commonLabels", "commonAnnotations", "patches")


def unit(application: Node, file: str, land: Land, revisions: frozenset[str]) -> Unit:
    """Read an Application, or a filled-in template of one; `revisions` are those at which this repository is asked for."""
    spec = application["spec"]
    name = application["metadata"]["name"].text
    found = [_source(node, application, land, revisions) for node in every_source(spec)]
    sources = tuple(each for each in found if isinstance(each, Source))
    charts = tuple(each for each in found if isinstance(each, Chart))
    gaps = tuple(each for each in found if isinstance(each, Gap)) + tuple(gap for gap in map(_unknown, charts) if gap)
    return Unit(application, f"Application {name}", file, cluster_of(spec["destination"], land), sources, gaps, charts)


def every_source(spec: Node) -> list[Node]:
    """The sources of an Application; `sources` goes before `source`."""
    return list(spec["sources"]) or [spec["source"]]


def cluster_of(destination: Node, land: Land) -> str:
    """The cluster that a destination names, by its name where one is known, else its address; "" for the one that Argo CD runs in."""
    name, server = destination["name"].text, destination["server"].text
    if name:
        return "" if is_local(name) else name
    return "" if is_local(server) else land.name_of(server) or server


def _source(node: Node, application: Node, land: Land, revisions: frozenset[str]) -> Source | Chart | Gap | None:
    """What a source is; None for one that only lends its files to others, or of which nothing else is asked."""
    waiting = _waiting(application, node) or _waiting(application, application["spec"]["destination"]["namespace"])
    if waiting is not None:
        return waiting
    if node["chart"]:
        return _chart(node, application, land)
    if node["ref"] and not node["path"]:
        return None
    if not land.is_own(node["repoURL"].text):
        return _foreign(node, land)
    gap = _not_at_hand(node, land, revisions)
    return gap or _of_folder(node, land.folder(node["path"].text or "."), application, land)


def _waiting(application: Node, node: Node) -> Gap | None:
    """What could not be filled into a part of an ApplicationSet's template, which has no kind."""
    waiting = None if application["kind"] else first(node, _PLACEHOLDER)
    if waiting is None:
        return None
    return Gap(waiting, f"`{waiting.text}` can't be filled in from the manifests, so what is applied is not known")


def _foreign(node: Node, land: Land) -> Gap:
    """That a source is another repository, as far as can be told: where none is known to be this one its path may be misspelt instead."""
    url, path = node["repoURL"], node["path"]
    near = "" if land.remotes else land.near(path.text)
    if near:
        return Gap(path, f"`{path.text}` is no folder here{near}, or `{url.text}` is another repository, so it is not read", url.text)
    return Gap(url, f"`{url.text}` is another repository, so `{path.text or '.'}` of it is not read", url.text)


def _not_at_hand(node: Node, land: Land, revisions: frozenset[str]) -> Gap | None:
    """Why a source of this repository is not read."""
    revision, path = node["targetRevision"], node["path"]
    if len(revisions) > 1 and revision.text not in TRUNK:
        said = f"`{path.text}` is taken from `{revision.text}`, which may not be what is at hand, so it is not read"
        return Gap(revision, said, revision.text)
    if not land.disk.listed(land.folder(path.text or ".")):
        return Gap(path, f"`{path.text}` is no folder with manifests here{land.near(path.text)}")
    if node["plugin"]:
        return Gap(node["plugin"], "a plugin makes the manifests of this source, so they are not read")
    return None


def _chart(node: Node, application: Node, land: Land) -> Chart:
    """A chart of elsewhere; only values that another source lends it (`$ref`) can be at hand."""
    values, gap = _values(node["helm"], "", application, land, NOT_HEARD)
    namespace = application["spec"]["destination"]["namespace"].text or application["metadata"]["namespace"].text
    release = node["helm"]["releaseName"] or application["metadata"]["name"]
    gap = gap and gap._replace(holds=NOTHING)
    return Chart(node["chart"], node["targetRevision"], node["repoURL"].text, release, namespace, values, gap)


def _unknown(chart: Chart) -> Gap | None:
    where = f"the chart `{chart.name.text}` of `{chart.home}`"
    return chart.unknown(chart.name, f"{where} is not in this repository, so it is not read")


def _of_folder(node: Node, path: str, application: Node, land: Land) -> Source | Gap:
    namespace = application["spec"]["destination"]["namespace"].text
    directory = node["directory"]
    made = Source(
        path,
        ARGO,
        node,
        namespace,
        directory["recurse"].truth,
        directory["include"].text,
        directory["exclude"].text,
        options=options(node["kustomize"], _OPTIONS),
    )
    if not land.is_chart(path):
        return made
    values, gap = _values(node["helm"], path, application, land, NOT_RENDERED)
    return gap or made._replace(how=HELM, namespace=node["helm"]["namespace"].text or namespace, values=values)


def _values(helm: Node, path: str, application: Node, land: Land, then: str) -> tuple[Values, Gap | None]:
    """The values of a chart, and which are not at hand; `then` is what follows."""
    named = {node: _value_file(node.text, path, application, land) for node in helm["valueFiles"]}
    files = tuple(file for file in named.values() if land.disk.listed(file))
    missing = [] if helm["ignoreMissingValueFiles"].truth else [node for node, file in named.items() if file not in files]
    gaps = [Gap(node, f"the values `{node.text}` are not in this repository, {then}", f"values at {node.place}") for node in missing]
    gaps = [*_unlent(helm["valueFiles"], application["spec"]["sources"], then), *gaps]
    if helm["fileParameters"]:
        gaps.append(Gap(helm["fileParameters"], f"`fileParameters` are not read, {then}"))
    texts = [(json.dumps(helm["valuesObject"].plain()), helm["valuesObject"])] if helm["valuesObject"] else []
    if helm["values"] and not texts:
        texts = [(helm["values"].text, helm["values"])]
    release = helm["releaseName"] or application["metadata"]["name"]
    waiting = _waiting(application, release)
    gaps += [waiting] if waiting else []
    parameters = ((each["name"].text, each["value"].text, _typed(each)) for each in helm["parameters"])
    values = Values(release.text, files, tuple(texts), tuple(parameters), kubernetes=helm["kubeVersion"].text)
    return values, next(iter(gaps), None)


def _unlent(named: Node, sources: Node, then: str) -> Iterator[Gap]:
    """The values of sources that are not there: Argo CD refuses them (argo-cd, reposerver/repository: runManifestGenAsync)."""
    lent = [source["ref"].text for source in sources if source["ref"]]
    for node in named if sources else ():
        ref = node.text.partition("/")[0].removeprefix("$")
        if node.text.startswith("$") and ref not in lent:
            yield Gap(node, f"no source has `ref: {ref}`{suggestion(ref, lent)}, {then}")


def _typed(parameter: Node) -> Node:
    """The value of a parameter, which helm's `--set` reads as YAML would without its quotes."""
    value = parameter["value"]
    return value if parameter["forceString"].truth else Node((value.text, True, *value.raw[2:]), value.path)


def _value_file(text: str, path: str, application: Node, land: Land) -> str:
    """The file that is meant: below the chart, from the repository's root, or of a source that is lent as `$ref`."""
    if text.startswith("$"):
        ref, _, rest = text[1:].partition("/")
        lent = (node for node in every_source(application["spec"]) if node["ref"].text == ref)
        return land.folder(rest) if any(land.is_own(node["repoURL"].text) for node in lent) else f"/{text}"
    return land.folder(text) if text.startswith("/") else land.joined(path, text)
