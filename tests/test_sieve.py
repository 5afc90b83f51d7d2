"""What is told without reading YAML: nothing that matters is lost by it, whatever a stream looks like."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenarios import scenarios
from streams import FRAGMENTS, disagreement, stream

from mirrorlint import sieve
from mirrorlint.loading.objects import content
from mirrorlint.sieve import Sifted, sift
from mirrorlint.source import Place

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n"
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: a, namespace: shop}
spec:
  replicas: 3 # three
  template:
    metadata:
      labels:
        app: a
    spec:
      containers:
      - name: a
"""


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 1 << 32))
def test_streams_mean_the_same_sifted_or_whole(seed: int) -> None:
    assert disagreement(stream(seed)) == ""


@settings(max_examples=300, deadline=None)
@given(lines=st.lists(st.sampled_from(FRAGMENTS), max_size=12), head=st.sampled_from(["", CONFIG, SERVICE, DEPLOYMENT]))
def test_any_lines_mean_the_same_sifted_or_whole(lines: list[str], head: str) -> None:
    assert disagreement((head + "".join(lines)).encode()) == ""


@settings(max_examples=200, deadline=None)
@given(data=st.binary(max_size=80))
def test_any_bytes_mean_the_same_sifted_or_whole(data: bytes) -> None:
    assert disagreement(CONFIG.encode() + data) == ""


@pytest.mark.parametrize("name", ["truth", "more", "gateway-api"])
def test_scenarios_mean_the_same_sifted_or_whole(name: str) -> None:
    for scenario in list(scenarios(name))[::12]:
        for side in ("source", "target"):
            assert disagreement(scenario[side].encode()) == ""


def test_what_does_not_matter_is_counted_and_leaves_its_lines() -> None:
    data = f"{CONFIG}---\n{CONFIG}---\n{SERVICE}---\nvalues: 1\n".encode()
    left = sift(data)
    assert left.dropped == 2
    assert b"ConfigMap" not in left.data
    read = content(data, "f")
    assert read.objects == 3
    assert [manifest.node.place.line for manifest in read.manifests] == [9]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"apiVersion": "v1", "kind": "Service"}', id="JSON"),
        pytest.param('"\\x6bind": Service\napiVersion: v1\n', id="an escape"),
        pytest.param('? "ki\\\n  nd"\n: Service\napiVersion: v1\n', id="a line that is folded"),
        pytest.param("!!binary a2luZA==: Service\napiVersion: v1\n", id="a tag"),
        pytest.param(f"{CONFIG}kind: Service\n", id="a second kind"),
        pytest.param(f"%TAG ! tag:yaml.org,2002:\n---\n! {CONFIG}---\n{SERVICE}", id="a directive"),
        pytest.param(f"{CONFIG}x: &a {{kind: Service}}\n<<: *a\n", id="a merge"),
        pytest.param(f"\ufeff{SERVICE}", id="a byte order mark"),
        pytest.param(f"{CONFIG}---\n\ufeff{SERVICE}", id="a byte order mark of a document"),
    ],
)
def test_what_may_be_an_object_that_matters_is_read(text: str) -> None:
    assert [manifest.kind for manifest in content(text.encode(), "f").manifests] == ["Service"]


def test_utf_16_is_read() -> None:
    assert content(SERVICE.encode("utf-16"), "f").manifests


def test_a_fault_is_told_wherever_it_is() -> None:
    broken = content(f"{SERVICE}---\n{CONFIG}data: [\n---\n{CONFIG}data: {{{{ .Values.x }}}}\n".encode(), "f")
    assert [spot.place.line for spot in broken.unclear] == [8, 13]
    assert [spot.template for spot in broken.unclear] == [False, True]
    assert not broken.faults


@pytest.mark.parametrize("fault", ["data: [\n", "  data: 'x\n", "data: *a\n", "data: \x00\n", "\tdata: 1\n"])
def test_a_fault_hides_no_other_document(fault: str) -> None:
    data = f"{SERVICE}---\n{CONFIG}{fault}---\n{SERVICE}spec: [\n---\n{CONFIG}{fault}---\n{SERVICE}".encode()
    found = content(data, "f")
    assert [manifest.node.place.line for manifest in found.manifests] == [1, data.decode().count("\n") - 2]
    assert len(found.faults) == 1
    assert found.unclear


def test_the_first_column_says_whose_fault_it_is() -> None:
    scaler = "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nspec:\n  target: {apiVersion: apps/v1, kind: Deployment}\n  x: [\n"
    assert not content(scaler.encode(), "f").faults
    assert content(f"kind: List\nitems:\n- {SERVICE.replace(chr(10), chr(10) + '  ')}x: [\n".encode(), "f").faults


def test_suppressions_and_templates_are_kept() -> None:
    for text in ("data: {a: '{{ x }}'}\n", "# mirrorlint: ignore[rule] reason\n"):
        data = (CONFIG + text).encode()
        assert sift(data) == Sifted(data, 0)


def test_of_workloads_names_labels_and_replicas_are_kept() -> None:
    left = sift(DEPLOYMENT.encode())
    assert b"containers" not in left.data
    (manifest,) = content(DEPLOYMENT.encode(), "f").manifests
    assert manifest.namespace == "shop"
    assert manifest.node["spec"]["template"]["metadata"]["labels"].plain() == {"app": "a"}
    assert manifest.node["spec"]["replicas"].place == Place("f", 5, 13, 5, 14)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("    spec:\n", "    spec: &a\n", id="not a plain key"),
        pytest.param("      - name: a\n", "      - name: a\n  template: {}\n", id="not at the end"),
        pytest.param("  replicas: 3 # three\n", "  x: |\n   replicas: 3\n", id="a block above"),
        pytest.param("  replicas: 3 # three\n", "  x: '\n  template:'\n", id="a quotation above"),
        pytest.param("        app: a\n", "        app: a\n        istio: ingressgateway\n", id="an ingress gateway"),
        pytest.param("      - name: a\n", "      - name: a\n      hostNetwork: true\n", id="its nodes' network"),
    ],
)
def test_a_workload_of_another_shape_is_read_whole(old: str, new: str) -> None:
    data = DEPLOYMENT.replace(old, new).encode()
    assert b"containers" in sift(data).data


def test_without_libyaml_everything_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sieve, "is_well_formed", lambda _: False)
    assert sift(CONFIG.encode()) == Sifted(CONFIG.encode(), 0)
    assert content(f"{CONFIG}---\n{SERVICE}".encode(), "f").objects == 2
