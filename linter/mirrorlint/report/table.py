"""Which folders belong to which cluster and why, as a table; what is known of the clusters' Istio; and what is left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mirrorlint.fleet import Documents
from mirrorlint.loading.clusters import Assignment
from mirrorlint.report import cells, clean, padded, told, without_repeats

_NO_CLUSTER = "(none)"


def render(assignments: Iterable[Assignment], ingresses: Iterable[str], documents: Documents) -> str:
    """`ingresses` has a line for each ingress. The table, the clusters in order, what belongs to none at its end."""
    rows = [(name, each.path, each.why) for each in assignments for name in each.clusters or (_NO_CLUSTER,)]
    rows.sort(key=lambda row: (row[0] == _NO_CLUSTER, row))
    lines = list(_columns([("cluster", "folder", "why"), *rows]))
    lines += ingresses
    lines += [f"{fact.cluster}: {fact.message}, as {fact.place} says" for fact in documents.facts]
    lines += [f"not judged: {told(spot)}" for spot in without_repeats(documents.blind_spots)]
    return "".join(f"{clean(line)}\n" for line in lines)


def _columns(rows: Sequence[tuple[str, str, str]]) -> Iterable[str]:
    first, second = (max(cells(row[number]) for row in rows) for number in (0, 1))
    return (f"{padded(cluster, first)}  {padded(folder, second)}  {why}" for cluster, folder, why in rows)
