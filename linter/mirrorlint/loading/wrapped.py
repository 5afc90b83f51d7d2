"""Istio's charts that others install: dependencies of charts of this repository, and what kustomizations let helm render."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from mirrorlint.fleet import NOTHING
from mirrorlint.loading.builds import dependencies
from mirrorlint.loading.disk import Disk
from mirrorlint.loading.kustomize import Kustomization
from mirrorlint.loading.paths import joined
from mirrorlint.loading.units import ISTIOD_CHART, NOT_HEARD, Chart, Gap, Installed, Source, Values, is_control_plane, unread_chart
from mirrorlint.loading.values import field, values_of
from mirrorlint.source import Node

_CHANGING = frozenset({"patches", "patchesStrategicMerge", "patchesJson6902", "transformers", "replacements", "vars", "components"})


def is_nothing_else(chart: str, disk: Disk) -> bool:
    """Whether a chart has no objects but those of Istio's own charts, so that nothing of it need be rendered."""
    every = [(each["name"].text, each["repository"].text) for each in dependencies(chart, disk)]
    return bool(every) and all(is_control_plane(*each) for each in every) and not disk.listed(os.path.join(chart, "templates"))


def of_chart(source: Source, disk: Disk) -> Iterator[Installed]:
    """The charts istiod that a chart depends on, with the values that it gives them under their names (helm, pkg/chartutil/coalesce.go)."""
    values = values_of(source, disk)
    for each in dependencies(source.path, disk):
        if each["name"].text == ISTIOD_CHART and not _is_off(each["condition"].text, values):
            key = (each["alias"] or each["name"]).text
            chart = Chart(each["name"], each["version"], each["repository"].text, each["name"], source.namespace, Values())
            yield chart, [those[key] for those in values if those[key]]


def _is_off(condition: str, values: Sequence[Node]) -> bool:
    """Whether values switch a dependency off: of several paths the first that is set decides."""
    said = filter(None, (field(values, name) for name in condition.split(",")))
    return next((node.text == "false" for node in said), False)


def unread(kustomization: Kustomization) -> Iterator[Gap]:
    """The charts that kustomize would run helm for, without those of Istio of which versions and values tell all that matters."""
    for name, home in ((each["name"], each["repo"].text) for each in kustomization.document["helmCharts"]):
        if not is_control_plane(name.text, home):
            yield unread_chart(name.text, name, f"kustomize would run helm for the chart `{name.text}`, so it is not rendered")


def of_kustomization(kustomization: Kustomization, disk: Disk) -> Iterator[Installed]:
    """The charts istiod that a kustomization installs (kustomize, api/builtins/HelmChartInflationGenerator.go).

    What else it does may change what the chart makes.
    """
    changing = [key for key, _ in kustomization.document.entries() if key.text in _CHANGING]
    for each in kustomization.document["helmCharts"]:
        if each["name"].text == ISTIOD_CHART:
            inline, own, more = each["valuesInline"], each["valuesFile"], [*each["additionalValuesFiles"]]
            files = {node: disk.documents(joined(kustomization.folder, node.text))[:1] for node in (own, *more) if node}
            unread = (*(node for node, found in files.items() if not found), *changing)
            gap = next((Gap(node, f"`{node.text}` is not read, {NOT_HEARD}", holds=NOTHING) for node in unread), None)
            values = [values for node in (*reversed(more), own) for values in files.get(node, ())]
            values.insert(len(values) if each["valuesMerge"].text == "merge" else len(more), inline)
            yield (
                Chart(each["name"], each["version"], each["repo"].text, each["releaseName"], each["namespace"].text, Values(), gap),
                values,
            )
