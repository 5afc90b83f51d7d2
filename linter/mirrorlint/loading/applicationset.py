"""The Applications that an ApplicationSet makes, as far as manifests tell.

Source: argo-cd, applicationset/generators.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from mirrorlint.fleet import ANYTHING, NOTHING
from mirrorlint.istio.label_selector import selects
from mirrorlint.loading.filling import filled
from mirrorlint.loading.globs import matches
from mirrorlint.loading.land import IN_CLUSTER, Land, Secret
from mirrorlint.loading.placeholders import Parameters, field, normalized, of_file, of_folder, parameters
from mirrorlint.loading.units import Gap
from mirrorlint.source import Node, parse

MAX_APPLICATIONS = 2000
# What a text names that changes what an Application applies, or that may write more than a scalar.
_REACHES = re.compile(r"\b(?:sources?|destination|to(?:Raw|Pretty)?(?:Yaml|Json))\b")
_LOCAL = Secret(IN_CLUSTER, "https://kubernetes.default.svc", {}, {})


class UnknownError(Exception):
    """Parameters that manifests don't tell."""

    def __init__(self, node: Node, text: str) -> None:
        """`node` is the generator, `text` says why."""
        super().__init__(text)
        self.gap = Gap(node, f"{text}, so which Applications there are is not known")


class Expansion:
    """Reads the generators of one ApplicationSet; `gaps` are those that could not be, `changes` what else changes each Application."""

    def __init__(self, applications: Node, land: Land) -> None:
        """All is read at once; `applications` are the templates with parameters filled in, each as one at the template's place."""
        self.gaps: list[Gap] = []
        self._spec, self._land = applications["spec"], land
        patch = self._spec["templatePatch"]
        holds = ANYTHING if _REACHES.search(patch.text) else NOTHING
        self.changes = [Gap(patch, "what `templatePatch` changes is not judged", holds=holds)] if patch else []
        self._go = self._spec["goTemplate"].truth
        self._matched: dict[Node, bool] = {}
        self.applications = list(self._made())

    def _made(self) -> Iterator[Node]:
        made = 0
        for generator in self._spec["generators"]:
            try:
                found = self._generated(generator)
            except UnknownError as unknown:
                self.gaps.append(unknown.gap)
                continue
            for known in found:
                made += 1
                if made > MAX_APPLICATIONS:
                    self.gaps.append(Gap(generator, f"this makes more than {MAX_APPLICATIONS} Applications, and the rest is not read"))
                    return
                yield filled(self._spec["template"], parameters(known, go=self._go))
        missed = (pattern for pattern, matched in self._matched.items() if not matched)
        self.gaps += [Gap(each, f"nothing here matches `{each.text}`, so this generator makes no Applications") for each in missed]

    def _generated(self, generator: Node) -> list[Parameters]:
        kinds = [key for key, _ in generator.entries() if key.text != "selector"]
        makers = {
            "list": self._listed,
            "clusters": self._clusters,
            "git": self._git,
            "matrix": self._matrix,
            "merge": self._merge,
        }
        if len(kinds) != 1 or kinds[0].text not in makers:
            raise UnknownError(
                kinds[0] if kinds else generator, f"a generator `{kinds[0].text if kinds else ''}` asks outside of manifests"
            )
        body = generator[kinds[0].text]
        if body["template"]["spec"]:
            self.changes.append(Gap(body["template"], "the template of a generator is not judged"))
        found = list(islice(makers[kinds[0].text](body), MAX_APPLICATIONS + 1))
        return [known for known in found if selects(generator["selector"], _flat(known))]

    def _listed(self, body: Node) -> Iterator[Parameters]:
        text = self._fill(body["elementsYaml"], {}).text
        nodes = parse(text.encode(), body.path).documents if text else [body["elements"]]
        yield from (element for node in nodes for element in node.plain() or () if isinstance(element, dict))

    def _clusters(self, body: Node) -> Iterator[Parameters]:
        known = self._land.secrets()
        if not known:
            raise UnknownError(body, "the clusters of this generator are those of Secrets that are not in this repository")
        every = known if body["selector"] else [*known, _LOCAL]
        for secret in every:
            if selects(body["selector"], secret.labels):
                about = {"labels": dict(secret.labels), "annotations": dict(secret.annotations)}
                found = {"name": secret.name, "nameNormalized": normalized(secret.name), "server": secret.server, "metadata": about}
                yield self._with_values(body, found)

    def _git(self, body: Node) -> Iterator[Parameters]:
        url = body["repoURL"]
        if not self._land.is_own(url.text):
            raise UnknownError(url, f"this generator reads `{url.text}`, which is another repository")
        prefix = body["pathParamPrefix"].text
        folders = map(of_folder, self._taken(body["directories"], self._land.all_folders()))
        for found in (*folders, *self._git_files(body["files"])):
            known = {**found, prefix: {"path": found["path"]}, f"{prefix}.path": found["path"]} if prefix else found
            yield self._with_values(body, known)

    def _git_files(self, wanted: Node) -> Iterator[dict[str, Any]]:
        paths = {self._land.relative(file): file for file in self._land.disk.listed(self._land.roots[0])} if len(wanted) else {}
        for path in self._taken(wanted, paths):
            for document in self._land.disk.documents(paths[path]):
                said = document.plain()
                yield from (of_file(path, each) for each in (said if isinstance(said, list) else [said]) if isinstance(each, dict))

    def _taken(self, wanted: Node, paths: Iterable[str]) -> list[str]:
        """The paths that patterns take; whether they ever take any is noted with the first of them."""
        found = list(filter(_taking(wanted), paths))
        for pattern in islice((each["path"] for each in wanted if not each["exclude"].truth), 1):
            self._matched[pattern] = self._matched.get(pattern, False) or bool(found)
        return found

    def _matrix(self, body: Node) -> Iterator[Parameters]:
        inner = list(body["generators"])
        if len(inner) != 2:
            raise UnknownError(body, "a matrix has two generators")
        for first in self._generated(inner[0]):
            for second in self._generated(self._fill(inner[1], first)):
                yield _joined(first, second)

    def _merge(self, body: Node) -> Iterator[Parameters]:
        keys = body["mergeKeys"].texts
        base, *others = [self._generated(inner) for inner in body["generators"]] or [[]]
        for known in base:
            found = dict(known)
            for other in (one for generated in others for one in generated):
                if all(field(other, key) == field(known, key) for key in keys):
                    found = _joined(found, other)
            yield found

    def _with_values(self, body: Node, known: dict[str, Any]) -> Parameters:
        values = self._fill(body["values"], known)
        return {**known, "values": values.named_texts} if values else known

    def _fill(self, node: Node, known: Parameters) -> Node:
        return filled(node, parameters(known, go=self._go))


def _taking(wanted: Node) -> Callable[[str], bool]:
    """What tells whether a generator's patterns take a path, and none of them excludes it."""
    rules = [(node["path"].text.strip("/"), node["exclude"].truth) for node in wanted]
    return lambda path: {exclude for pattern, exclude in rules if matches(pattern, path)} == {False}


def _joined(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of two generators; those of the second win, and mappings are joined."""
    found = dict(first)
    for key, value in second.items():
        old = found.get(key)
        found[key] = _joined(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return found


def _flat(known: Parameters, start: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in known.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{start}{key}.")
        else:
            found[start + key] = str(value)
    return found
