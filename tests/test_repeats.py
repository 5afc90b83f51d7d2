"""Snapshots of clusters, and objects that are there twice."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import ways
from repositories import write

from mirrorlint import check, load
from mirrorlint.loading import read

EXAMPLES = Path(__file__).parent.parent / "examples"
SERVER = """    creationTimestamp: "2025-01-01T00:00:00Z"
    generation: 1
    managedFields:
    - {apiVersion: networking.istio.io/v1, fieldsType: FieldsV1, fieldsV1: {"f:spec": {".": {}}}, manager: kubectl, operation: Update}
    resourceVersion: "1"
    uid: 00000000-0000-0000-0000-000000000000
"""


def snapshot(folder: Path) -> str:
    """What `kubectl get -A -o yaml` prints for the objects of a folder: a List, with what the API server adds."""
    documents = [each for file in sorted(folder.glob("*.yaml")) for each in file.read_text().split("\n---\n")]
    items = ["- " + "\n".join(f"  {line}" for line in text.strip().splitlines() if line != "---")[2:] for text in documents]
    items = [item.replace("  metadata:\n", f"  metadata:\n{SERVER}") + "\n  status: {}" for item in items]
    return "apiVersion: v1\nitems:\n" + "\n".join(items) + '\nkind: List\nmetadata:\n  resourceVersion: ""\n'


@pytest.mark.parametrize("example", ["sound", "as-first-written"])
def test_a_snapshot_is_judged_like_the_files_that_it_was_made_of(tmp_path: Path, example: str) -> None:
    for name in ("prod", "stage"):
        (tmp_path / f"{name}.yaml").write_text(snapshot(EXAMPLES / example / "clusters" / name))
    before = check(load(EXAMPLES / example))
    after = check(load({name: tmp_path / f"{name}.yaml" for name in ("prod", "stage")}))
    assert [(f.rule, f.level, f.message, f.object) for f in after.findings] == [
        (f.rule, f.level, f.message, f.object) for f in before.findings
    ]
    assert [m.delivery for m in after.mirrors] == [m.delivery for m in before.mirrors]
    assert after.mirrors


def entry(host: str, more: str = "") -> str:
    metadata = f"{{name: x, labels: {{a: b}}{more}}}"
    return f"apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {metadata}\nspec: {{hosts: [{host}]}}\n"


def test_an_object_that_is_there_twice_counts_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "1.yaml").write_text(entry("a.example.com"))
    (tmp_path / "2.yaml").write_text(entry("a.example.com", ", uid: x, annotations: {kubectl.kubernetes.io/last-applied-configuration: x}"))
    loaded = read(["all=."])
    assert len(list(loaded.documents.clusters["all"].manifests())) == 1
    assert [f"{spot.path}:{spot.line} {spot.message}" for spot in loaded.documents.blind_spots] == [
        "2.yaml:1 ServiceEntry default/x stands at 1.yaml:1:1, too, and says the same there: it counts once"
    ]


def deployment(image: str, label: str) -> str:
    spec = f"spec:\n  template:\n    metadata:\n      labels: {{app: {label}}}\n    spec:\n      containers:\n      - image: {image}\n"
    return f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: a}}\n{spec}"


def test_of_workloads_pods_tell_whether_they_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for number, text in enumerate((deployment("a:1", "a"), deployment("a:2", "a"), deployment("a:2", "b"))):
        (tmp_path / f"{number}.yaml").write_text(text)
    assert [str(m.node.place) for m in ways.read(["all=."]).documents.clusters["all"].manifests()] == ["0.yaml:1:1", "2.yaml:1:1"]


def test_objects_of_one_name_that_differ_are_both_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "1.yaml").write_text(entry("a.example.com"))
    (tmp_path / "2.yaml").write_text(entry("b.example.com"))
    loaded = read(["all=."])
    assert len(list(loaded.documents.clusters["all"].manifests())) == 2
    (spot,) = loaded.documents.blind_spots
    assert spot.message.endswith("says something else there: the one that is applied last wins, and both are judged")


OVERLAYS = {
    "base/x.yaml": entry("a.example.com"),
    "base/kustomization.yaml": "resources: [x.yaml]\n",
    "prod/eu/kustomization.yaml": "resources: [../../base]\n",
}
PATCHED = "resources: [../../base]\npatches: [{target: {kind: %s}, patch: '- {op: replace, path: /spec/hosts/0, value: b.example.com}'}]\n"


@pytest.mark.skipif(not (shutil.which("kustomize") or shutil.which("kubectl")), reason="neither kustomize nor kubectl is here")
@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("ServiceEntry", "says something else each time: the one that is applied last wins, and both are judged"),
        ("Gateway", "says the same each time: it counts once"),
    ],
)
def test_what_overlays_make_of_one_object_is_told_as_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, said: str) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, {**OVERLAYS, "prod/us/kustomization.yaml": PATCHED % kind})
    spots = read(["all=."]).documents.blind_spots
    assert [(spot.path, spot.message) for spot in spots if "comes from" in spot.message] == [
        ("base/x.yaml", f"ServiceEntry default/x comes from here several times, by overlays or releases, and {said}")
    ]
