"""Where values are written that patches, transformers and replacements have put into objects."""

from __future__ import annotations

from pathlib import Path

import pytest
from repositories import write
from test_rendering import KUSTOMIZE, SERVICE, messages, service
from ways import read

RULE = "{name: new, route: [{destination: {host: cart}}], mirror: {host: stage.example.com}}"
TWO = SERVICE.replace(
    "  - route:\n", "  - name: old\n    mirror: {host: stage.example.com, port: {number: 81}}\n  - name: second\n    route:\n"
)
NAMED = SERVICE.partition("spec:")[0]
OVERLAY, PATCH = "clusters/prod/kustomization.yaml", "clusters/prod/patch.yaml"
EDITED = "patches:\n- path: patch.yaml\n  target: {kind: VirtualService}\n"
HOST = "/spec/http/0/mirror/host"


def replaced(path: str, value: str) -> str:
    return f"- op: replace\n  path: {path}\n  value: {value}\n"


# The fields of the overlay, its patch, the base, and where what the path leads to is written.
WAYS = {
    "an item that a patch only follows": (
        EDITED,
        replaced("/spec/http/1/name", "x") + f"- op: add\n  path: /spec/http/-\n  value: {RULE}\n",
        TWO,
        {"spec.http.1.mirror.port.number": "base/vs.yaml:18:17", "spec.http.2.mirror.host": f"{PATCH}:6:75"},
    ),
    "what is left of two items": (
        EDITED,
        "- op: remove\n  path: /spec/http/0\n" + replaced("/spec/http/0/name", "x"),
        TWO,
        {"spec.http.0.mirror.host": "base/vs.yaml:16:13", "spec.http.0.mirror.port.number": "base/vs.yaml:18:17"},
    ),
    "an item that was edited and then moved on": (
        EDITED,
        replaced(HOST, "new.example.com") + f"- op: add\n  path: /spec/http/0\n  value: {RULE}\n",
        SERVICE,
        {"spec.http.0.mirror.host": f"{PATCH}:6:75", "spec.http.1.mirror.host": f"{PATCH}:3:10"},
    ),
    "a value that is said twice": (
        EDITED,
        replaced(HOST, "new.example.com") + replaced(HOST, "new.example.com"),
        SERVICE,
        {"spec.http.0.mirror.host": f"{PATCH}:6:10"},
    ),
    "a value that is moved": (
        EDITED,
        f"- op: move\n  from: /metadata/labels/to\n  path: {HOST}\n",
        SERVICE.replace("metadata:\n", "metadata:\n  labels:\n    to: new.example.com\n"),
        {"spec.http.0.mirror.host": "base/vs.yaml:5:9"},
    ),
    "a value that a copy leaves": (
        EDITED,
        f"- op: copy\n  from: /spec/http/0\n  path: /spec/http/-\n{replaced(HOST, 'new.example.com')}",
        SERVICE,
        {"spec.http.0.mirror.host": f"{PATCH}:6:10", "spec.http.1.mirror.host": "base/vs.yaml:13:13"},
    ),
    "a key that a pointer adds": (
        EDITED,
        "- op: add\n  path: /spec/http/0/mirorPercentage\n  value: {value: 1}\n",
        SERVICE,
        {"spec.http.0.mirorPercentage!": f"{PATCH}:2:9", "spec.http.0.mirorPercentage.value": f"{PATCH}:3:18"},
    ),
    "a text whose first line is indented more": (
        "patches:\n- target: {kind: VirtualService}\n  patch: |2-\n      # deeper\n    - op: replace\n"
        f"      path: {HOST}\n      value: new.example.com\n  # less deep\n",
        "",
        SERVICE,
        {"spec.http.0.mirror.host": f"{OVERLAY}:8:14"},
    ),
    "a transformer of its own": (
        "transformers:\n- |\n  apiVersion: builtin\n  kind: PatchTransformer\n  metadata: {name: p}\n"
        "  target: {kind: VirtualService}\n  path: patch.yaml\n",
        replaced(HOST, "new.example.com"),
        SERVICE,
        {"spec.http.0.mirror.host": f"{PATCH}:3:10", "spec.hosts.0": "base/vs.yaml:7:5"},
    ),
    "a replacement": (
        "namespace: x\nreplacements:\n- source: {kind: VirtualService, fieldPath: spec.hosts.0}\n  targets:\n"
        "  - {select: {kind: VirtualService}, fieldPaths: [spec.http.0.mirror.host]}\n",
        "",
        SERVICE,
        {"spec.http.0.mirror.host": f"{OVERLAY}:3:1", "spec.http.0.mirror.port.number": "base/vs.yaml:15:17"},
    ),
    "a replacement in an object with another name": (
        "namePrefix: eu-\nnameSuffix: -b\nreplacements:\n- source: {kind: VirtualService, fieldPath: spec.hosts.0}\n  targets:\n"
        "  - {select: {kind: VirtualService}, fieldPaths: [spec.http.0.mirror.host]}\n",
        "",
        SERVICE,
        {"spec.http.0.mirror.host": f"{OVERLAY}:4:1", "metadata.name": "base/vs.yaml:4:9"},
    ),
    "an object without the annotations that say where it is from": (
        "patches:\n- path: patch.yaml\n",
        NAMED.replace("metadata:\n", "metadata:\n  annotations: {$patch: replace, a: b}\n"),
        SERVICE.replace("metadata:\n", "metadata:\n  annotations: {c: d}\n"),
        {"spec.http.0.mirror.host": "base/vs.yaml:14:13", "spec.hosts.0": "base/vs.yaml:8:5"},
    ),
    "an object with another name": (
        'patches:\n- target: {name: shop}\n  patch: \'[{"op": "replace", "path": "/metadata/name", "value": "store"}]\'\n'
        "  options: {allowNameChange: true}\n",
        "",
        SERVICE.replace("VirtualService", "ServiceEntry").replace("shop", "or") + "---\n" + SERVICE,
        {"spec.http.0.mirror.host": "base/vs.yaml:29:13", "spec.hosts.0": "base/vs.yaml:23:5"},
    ),
}


@KUSTOMIZE
@pytest.mark.parametrize(("fields", "patch", "base", "places"), WAYS.values(), ids=WAYS)
def test_a_value_is_where_it_was_written(repo: Path, fields: str, patch: str, base: str, places: dict[str, str]) -> None:
    write(repo, {"base/kustomization.yaml": "resources: [vs.yaml]\n", "base/vs.yaml": base})
    write(repo, {OVERLAY: "resources: [../../base]\n" + fields, PATCH: patch})
    loaded = read(["."])
    assert messages(loaded) == []
    found = {}
    for dotted in places:
        node = service(loaded).node
        for name in dotted.removesuffix("!").split(".")[: -1 if dotted.endswith("!") else None]:
            node = node.at(int(name)) if name.isdigit() else node[name]
        found[dotted] = str((node.key(dotted[:-1].rpartition(".")[2]) if dotted.endswith("!") else node).place)
    assert found == places


@KUSTOMIZE
def test_a_name_that_many_put_something_before_is_where_it_was_written(repo: Path) -> None:
    """Whoever tries all names that it may have had on the way never comes to an end."""
    write(repo, {"base/0/kustomization.yaml": "resources: [vs.yaml]\nnamePrefix: x-\n", "base/0/vs.yaml": SERVICE})
    write(repo, {f"base/{step}/kustomization.yaml": f"resources: [../{step - 1}]\nnamePrefix: x{step}-\n" for step in range(1, 40)})
    write(repo, {OVERLAY: "resources: [../../base/39]\n"})
    name = service(read(["."])).node["metadata"]["name"]
    assert (name.text[:8], name.text[-9:], str(name.place)) == ("x39-x38-", "x1-x-shop", "base/0/vs.yaml:4:9")


PORTS = """apiVersion: v1
kind: Service
metadata:
  name: shop
spec:
  ports:
"""


@KUSTOMIZE
def test_items_that_kustomize_merges_are_told_apart(repo: Path) -> None:
    base = PORTS + "  - name: other\n    port: 81\n    targetPort: 8181\n  - name: http\n    port: 80\n    targetPort: 80\n"
    write(repo, {"base/kustomization.yaml": "resources: [svc.yaml, vs.yaml]\n", "base/vs.yaml": SERVICE, "base/svc.yaml": base})
    write(repo, {OVERLAY: "resources: [../../base]\npatches: [{path: patch.yaml}]\n"})
    write(repo, {PATCH: PORTS + "  - port: 80\n    targetPort: 8080\n"})
    (made,) = (manifest for manifest in read(["."]).documents.clusters["prod"].manifests() if manifest.kind == "Service")
    ports = {port["name"].text: port for port in made.node["spec"]["ports"]}
    assert str(ports["http"]["targetPort"].place) == f"{PATCH}:8:17"
    assert str(ports["http"]["name"].place) == "base/svc.yaml:10:11"
    assert str(ports["other"]["targetPort"].place) == "base/svc.yaml:9:17"
