"""Sources that must be rendered: which program makes what of which files, and where the values of its output come from."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from mirrorlint.cache import vault
from mirrorlint.fleet import DEFAULT_NAMESPACE
from mirrorlint.kinds import SERVED
from mirrorlint.loading import charts, files, origins
from mirrorlint.loading.disk import Disk
from mirrorlint.loading.inputs import inputs
from mirrorlint.loading.kustomize import Kustomization, Rendered
from mirrorlint.loading.objects import Content, content_of, unfolded
from mirrorlint.loading.paths import CHART, joined
from mirrorlint.loading.renders import Output, Render, places, program
from mirrorlint.loading.units import Gap, Source
from mirrorlint.loading.values import Scope, values_of
from mirrorlint.sieve import sift
from mirrorlint.source import Node, parse
from mirrorlint.source.place import Origins

_RELEASE = "release"
_SCHEMA = "values.schema.json"
_API_VERSIONS = [
    f"--api-versions={','.join((version, *(f'{version}/{kind}' for kind in sorted(kinds))))}" for version, kinds in SERVED.items()
]
# What clusters run; helm itself may take a chart to be for v1.20.0.
_KUBERNETES = "v1.34.0"
_LOCAL = "file://"
_ELSEWHERE = re.compile(rb'"\$ref"\s*:\s*"[^"#]*://')

# How kustomize tells of an operation of a JSON patch that can't be applied (github.com/evanphx/json-patch, patch.go).
_NOT_APPLIED = re.compile(r"(?:error in )?\b(add|remove|replace|test) (?:operation does not apply: |for path: )[^/]*(/[^\s\"':]*)")


class Build(NamedTuple):
    """A render, what asks for it, and the namespace that all of it goes to ("": as it is rendered)."""

    render: Render
    node: Node
    source: Source
    namespace: str = ""


def of_kustomization(rendered: Rendered, source: Source, disk: Disk) -> Build | Gap:
    """How a kustomization is built; the options of a source are put over it when it is that source's own folder."""
    current = rendered.kustomization
    own = source.path == current.folder
    needed = inputs([current, *(_components(source, disk) if own else ())], disk)
    if isinstance(needed, Gap):
        return needed
    node = current.more or (source.owner if own else None) or current.document
    render = Render((), current.folder, needed, options=source.options if own else "")
    disk.look(*render.patches)
    stray = next((file for file in render.patches if disk.outside(os.path.realpath(file))), "")
    if stray:
        return Gap(node, f"`{files.shown(stray)}` lies outside of the repository, so this is not rendered")
    field = f"has `{current.more.text}` and" if current.more else "is changed by what applies it and"
    render = render._replace(files=(*needed, *render.patches))
    return _build(Build(render, node, source, rendered.namespace), field, disk)


def of_folder(source: Source, owner: Node, plain: Iterable[str], inner: Sequence[Kustomization], disk: Disk) -> Build | Gap:
    """How a folder without a kustomization is built when something is put over it: of its files and the kustomizations in it."""
    needed = inputs([*inner, *_components(source, disk)], disk)
    if isinstance(needed, Gap):
        return needed
    resources = (*sorted(plain), *sorted(each.folder for each in inner))
    render = Render((), source.path, (*needed, *sorted(plain)), resources, source.options)
    return _build(Build(render, owner, source), "is changed by what applies it and", disk)


def _build(build: Build, field: str, disk: Disk) -> Build | Gap:
    command = _command("kustomize", disk)
    if not command:
        said = f"this kustomization {field} must be rendered first, and there is no kustomize here: it is not judged"
        return Gap(build.node, said, "no kustomize")
    return _as_staged(build._replace(render=build.render._replace(program=command)), disk)


def _as_staged(build: Build, disk: Disk, more: Iterable[str] = ()) -> Build | Gap:
    """Renderers read the work tree, which is of no use where something else is to be committed."""
    stray = disk.unlike_staged((*build.render.files, *more))
    return Gap(build.node, f"this is rendered from the work tree, where `{files.shown(stray)}` is not as it is staged") if stray else build


def _command(name: str, disk: Disk) -> tuple[str, ...]:
    """The command that renders, which a run depends on even where there is none."""
    disk.plain = False
    disk.look(*places(name))
    return program(name)


def _components(source: Source, disk: Disk) -> Iterator[Kustomization]:
    """The components that the options of a source name, from its folder; kustomize tells of those that are not there."""
    for path in json.loads(source.options or "{}").get("components", ()):
        found = disk.kustomization(joined(source.path, path))
        if found is not None:
            yield found


def of_chart(source: Source, disk: Disk) -> Build | Gap:
    """How a chart is rendered."""
    if source.values.waits:
        return source.values.waits
    node = source.owner or disk.documents(os.path.join(source.path, CHART))[0]
    parts = tuple(parts_of(source.path, disk))
    listed: list[str] = []
    for folder in (source.path, *(part for _, part in parts)):
        found, stray = chart_files(folder, disk)
        listed += found
        if stray:
            return Gap(node, f"`{files.shown(stray)}` leads out of the repository, so the chart is not rendered")
    if any(_fetches(file) for file in listed):
        return Gap(node, "a schema of the chart's values is elsewhere, so the chart is not rendered")
    command = _command("helm", disk)
    if not command:
        return Gap(node, "this chart must be rendered first, and there is no helm here: it is not judged", "no helm")
    values = source.values
    render = Render(
        command,
        source.path,
        (*listed, *values.files),
        arguments=tuple(_arguments(source)),
        values=tuple(text for text, _ in values.texts),
        release=values.release or _RELEASE,
        parts=parts,
    )
    return _as_staged(Build(render, node, source), disk, disk.listed(source.path))


def _arguments(source: Source) -> Iterator[str]:
    """What helm is told."""
    values = source.values
    yield f"--namespace={source.namespace or DEFAULT_NAMESPACE}"
    yield from (f"--values={file}" for file in values.files)
    yield from (f"--set={name}={value}" for name, value, _ in values.parameters)
    yield from (f"--kube-version={values.kubernetes or _KUBERNETES}", *_API_VERSIONS)


def dependencies(chart: str, disk: Disk) -> list[Node]:
    """What a chart says of those that it depends on."""
    return [each for document in disk.documents(os.path.join(chart, CHART))[:1] for each in document["dependencies"]]


def parts_of(chart: str, disk: Disk, above: tuple[str, ...] = ()) -> Iterator[tuple[str, str]]:
    """The charts that one depends on and that stand elsewhere in the repository: where it is to have them, and where they are.

    `helm dependency build` puts them there (helm, pkg/downloader/manager.go).
    """
    for each in dependencies(chart, disk):
        path = _local(chart, each, disk)
        if path and path not in (chart, *above):
            where = os.path.join("charts", each["name"].text)
            yield where, path
            yield from ((os.path.join(where, inner), part) for inner, part in parts_of(path, disk, (chart, *above)))


def _local(chart: str, dependency: Node, disk: Disk) -> str:
    """The folder of the repository that a dependency is; "" for one that is packed, already there, or elsewhere."""
    local, name = dependency["repository"].text.partition(_LOCAL), dependency["name"].text
    path = os.path.normpath(os.path.join(chart, local[2]))
    there = local[1] and not local[0] and not disk.outside(path) and disk.listed(os.path.join(path, CHART))
    own = os.path.join(chart, "charts")
    disk.look(own)
    packed = os.path.isdir(own) and any(file.startswith(name) for file in os.listdir(own))
    return path if there and not packed else ""


def chart_files(chart: str, disk: Disk) -> tuple[list[str], str]:
    """All files of a chart, sorted, and the first link in it that leads out of the repository."""
    found: list[str] = []
    disk.look(chart)
    for folder, below, names in os.walk(chart):
        for name in (*names, *below):
            path = os.path.join(folder, name)
            disk.look(path)
            if os.path.islink(path) and disk.outside(os.path.realpath(path)):
                return [], path
            if os.path.isfile(path):
                found.append(path)
    return sorted(found), ""


def _fetches(file: str) -> bool:
    """Whether helm would fetch a part of a schema."""
    data = files.read(file) if os.path.basename(file) == _SCHEMA else b""
    return not isinstance(data, files.Unread) and b'"$ref"' in data and _ELSEWHERE.search(data) is not None


def made(build: Build, output: Output, disk: Disk) -> Content | Gap:
    """What a render has made, at the places that it comes from."""
    name = "helm" if build.render.is_chart else "kustomize"
    if output.error:
        return _of_operation(build, output.error, disk) or Gap(build.node, f"{name} can't render this: {output.error}")
    label = f"{files.shown(build.render.target)} as {name} renders it for {build.node.place}: {vault.name_of(name, build.render)}"
    path = Origins(label, build.node.place)
    left, dropped, _ = sift(output.text)
    parsed = parse(left, path)
    if parsed.broken:
        return Gap(build.node, f"what {name} makes of this is no YAML: {parsed.broken[0].message}")
    if build.render.is_chart:
        _locate_in_chart(parsed.documents, output.text, build, disk, path)
    else:
        for node in unfolded(parsed.documents):
            origins.locate(node, path, _options(build.source), build.render, disk)
    found = content_of(parsed, output.text, path)
    return found._replace(objects=dropped + found.objects)


def _of_operation(build: Build, error: str, disk: Disk) -> Gap | None:
    """The operation of a JSON patch that kustomize complains of, and the complaint without the way to it."""
    said = _NOT_APPLIED.search(error)
    if said is None:
        return None
    documents = ((document, file) for file in build.render.kustomizations for document in disk.documents(file)[:1])
    every = (operation for document, file in documents for operation in origins.operations(document, os.path.dirname(file), disk))
    found = next((one["path"] for one in every if (one["op"].text, one["path"].text) == said.groups()), None)
    return Gap(found, f"kustomize can't render this: {error[said.start() :]}") if found is not None else None


def _options(source: Source) -> Node | None:
    """Where the options of a source are written."""
    owner = source.owner
    if owner is None:
        return None
    return owner["kustomize"] or owner["spec"]


def _locate_in_chart(documents: Iterable[Node], output: bytes, build: Build, disk: Disk, path: Origins) -> None:
    marks = list(charts.sources(output.decode("utf-8", "replace")))
    values = values_of(build.source, disk)
    templates = (file for file in build.render.files if f"{os.sep}templates{os.sep}" in file)
    defined = charts.definitions(map(files.shown, templates), disk)
    for node in documents:
        template = next((name for line, name in reversed(marks) if line <= node.raw[2]), "")
        if template:
            file, seen = _seen(values, template.split("/"), build.source.path, disk)
            scope = Scope(seen, values, build.source.values.release or _RELEASE, build.source.namespace or DEFAULT_NAMESPACE)
            charts.locate(node, charts.Chart(charts.Definition(file), node, scope, disk).within(defined), path)


def _seen(values: Sequence[Node], parts: list[str], top: str, disk: Disk) -> tuple[str, list[Node]]:
    """The file of a template, or that of a packed chart which has it, and the values that it sees.

    In a subchart these are the ones under its name, then its own (helm, pkg/chartutil/coalesce.go).
    """
    seen, chart = [*values], top
    while parts[0] == "charts" and len(parts) > 2:
        seen = [each[parts[1]] for each in seen if parts[1] in each]
        chart = _folder(chart, parts[1], disk)
        seen += disk.documents(os.path.join(chart, "values.yaml"))[:1]
        parts = parts[2:]
    file = os.path.join(chart, *parts)
    return files.shown(file if disk.lines(file) else os.path.join(top, CHART)), seen


def _folder(chart: str, name: str, disk: Disk) -> str:
    """The folder of a subchart: a dependency may be called otherwise here, or be elsewhere in the repository."""
    meant = next((each for each in dependencies(chart, disk) if name in (each["alias"].text, each["name"].text)), None)
    local = _local(chart, meant, disk) if meant else ""
    return local or os.path.join(chart, "charts", meant["name"].text if meant else name)
