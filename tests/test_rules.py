"""What rules don't say: beside its page's Good examples, where each one keeps quiet."""

from __future__ import annotations

from pathlib import Path

import pages
import pytest
from test_pages import linted


@pytest.mark.parametrize("host", ["stage.internal", "stage-gatewy.example.com", "Stage.Internal", "stage.internal:80"])
def test_a_mirror_that_settings_call_external_is_meant_to_lead_elsewhere(host: str, tmp_path: Path) -> None:
    files = pages.read("mirror-leads-elsewhere").bad("")
    settings = files[".mirrorlint.yaml"].replace("{paths: [prod]}", f"{{paths: [prod], external: [{host}]}}")
    assert linted({**files, ".mirrorlint.yaml": settings}, tmp_path).findings == ()


@pytest.mark.parametrize("replicas", ["${REPLICAS}", "1", "null"])
def test_replicas_that_are_not_0_or_not_known_may_be_pods(replicas: str, tmp_path: Path) -> None:
    files = pages.read("target-without-pods").bad(", scaled to 0")
    workload = files["stage/shop.yaml"].replace("replicas: 0", f"replicas: {replicas}")
    assert linted({**files, "stage/shop.yaml": workload}, tmp_path).findings == ()


@pytest.mark.parametrize(
    ("target", "rules"), [("shop", []), ("cart", ["target-without-pods"]), ("shop, kind: StatefulSet", ["target-without-pods"])]
)
def test_a_scaler_may_give_pods_to_what_is_written_without_any(target: str, rules: list[str], tmp_path: Path) -> None:
    files = pages.read("target-without-pods").bad(", scaled to 0")
    scaler = "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: s}\n"
    scaler += f"spec: {{scaleTargetRef: {{name: {target}}}, minReplicaCount: 2}}\n"
    assert [finding.rule for finding in linted({**files, "stage/scaler.yaml": scaler}, tmp_path).findings] == rules


@pytest.mark.parametrize(
    "selected",
    [
        pytest.param("v1\nkind: Pod\nmetadata: {name: a, labels: {app: shop, tier: web}}", id="pod"),
        pytest.param(
            "networking.istio.io/v1\nkind: WorkloadEntry\nmetadata: {name: a}\nspec: {address: 10.0.0.9, labels: {app: shop, tier: web}}",
            id="workload",
        ),
    ],
)
def test_a_pod_or_a_workload_entry_may_be_what_a_service_selects(selected: str, tmp_path: Path) -> None:
    files = pages.read("target-without-pods").bad("")
    assert linted({**files, "stage/more.yaml": f"apiVersion: {selected}\n"}, tmp_path).findings == ()


@pytest.mark.parametrize(
    ("old", "new", "start", "why"),
    [
        ("metadata: {labels: {istio:", "metadata: {labels: {app:", "ingressgateway}", "have no label `istio`"),
        ("  selector: {matchLabels", "  replicas: 0\n  selector: {matchLabels", "0", "Deployment istio-system/ingress has `replicas: 0`"),
        ("containers: [{", "containers: [], initContainers: [{restartPolicy: Always, ", "", ""),
        ("  ports:\n", "  ports:\n    - {name: h3, port: 80, protocol: UDP, targetPort: quic}\n", "", ""),
        ("name: ingress, namespace", "name: edge, namespace", "", ""),
    ],
)
def test_the_service_at_which_shadows_enter_may_have_no_pods(old: str, new: str, start: str, why: str, tmp_path: Path) -> None:
    files = {
        **pages.read("target-without-pods").bad(", in front of the gateway"),
        **pages.read("target-without-pods").good(", in front of the gateway"),
    }
    text = files["stage/ingress.yaml"].replace(old, new)
    assert text != files["stage/ingress.yaml"]
    found = linted({**files, "stage/ingress.yaml": text}, tmp_path).findings
    assert [why in finding.message for finding in found] == [True] * bool(why)
    assert all(text.splitlines()[finding.place.line - 1][finding.place.column - 1 :].startswith(start) for finding in found)


@pytest.mark.parametrize("label", ["topology.istio.io/network: east", "rollouts-pod-template-hash: abc"])
def test_a_label_that_pods_get_while_they_run_may_be_what_a_subset_selects(label: str, tmp_path: Path) -> None:
    files = pages.read("target-without-pods").bad(", of a subset")
    subset = files["stage/shop.yaml"].replace("        version: v1", f"        {label}")
    assert linted({**files, "stage/shop.yaml": subset}, tmp_path).findings == ()


@pytest.mark.parametrize("kind", ["apps.openshift.io/v1\nkind: DeploymentConfig", "apps.kruise.io/v1alpha1\nkind: CloneSet"])
def test_pods_of_other_workloads_may_be_what_a_subset_selects(kind: str, tmp_path: Path) -> None:
    files = pages.read("target-without-pods").bad(", of a subset")
    stable = f"apiVersion: {kind}\nmetadata: {{name: stable}}\nspec: {{template: {{metadata: {{labels: {{app: shop, version: v1}}}}}}}}\n"
    assert linted({**files, "stage/stable.yaml": stable}, tmp_path).findings == ()


@pytest.mark.parametrize(
    "label", ["statefulset.kubernetes.io/pod-name: shop-0", "pod-template-hash: abc", "service.istio.io/canonical-name: a"]
)
def test_a_label_that_pods_get_while_they_run_may_be_what_a_service_selects(label: str, tmp_path: Path) -> None:
    files = pages.read("target-without-pods").bad("")
    good = {**files, **pages.read("target-without-pods").good("")}
    selecting = good["stage/shop.yaml"].replace("selector: {app: shop, tier", f"selector: {{{label}, app: shop, tier")
    assert label in selecting
    assert linted({**good, "stage/shop.yaml": selecting}, tmp_path).findings == ()


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("NONE", "it has `resolution: NONE`"),
        ("STATIC", "it has no endpoint that fits"),
        ("DNS", ""),
        ("STATIC, endpoints: [{address: 10.0.0.1}]", ""),
    ],
)
def test_an_entry_of_the_target_may_have_no_endpoint(how: str, why: str, tmp_path: Path) -> None:
    files = pages.read("target-without-pods").bad("")
    entry = "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: shop}\n"
    entry += f"spec: {{hosts: [shop.example], ports: [{{number: 80, name: http, protocol: HTTP}}], resolution: {how}}}\n"
    gateway = files["stage/gateway.yaml"].replace("destination: {host: shop", "destination: {host: shop.example")
    found = linted({**files, "stage/gateway.yaml": gateway, "stage/shop.yaml": entry}, tmp_path).findings
    assert len(found) == bool(why)
    assert all(finding.message.endswith(f" 503: {why}") for finding in found)


def test_pods_that_no_manifest_shows_may_be_what_a_subset_selects(tmp_path: Path) -> None:
    files = pages.read("target-without-pods").bad(", of a subset")
    objects, _, _ = files["stage/shop.yaml"].partition("---\napiVersion: apps/v1")
    assert linted({**files, "stage/shop.yaml": objects}, tmp_path).findings == ()


def test_an_ambient_namespace_needs_no_sidecars(tmp_path: Path) -> None:
    files = pages.read("caller-without-sidecar").bad("")
    namespaces = files["prod/namespaces.yaml"].replace("{team: finance}", "{istio.io/dataplane-mode: ambient}")
    assert linted({**files, "prod/namespaces.yaml": namespaces}, tmp_path).findings == ()


def test_what_the_targets_version_does_not_send_back_is_not_mirrored_back(tmp_path: Path) -> None:
    files = pages.read("shadow-mirrored-back").bad(", with two rules")
    suffixed = files["prod/shop.yaml"].replace("hosts: [shop.example.com]\n  gateways", "hosts: [shop.example.com-shadow]\n  gateways")
    found = linted({**files, "prod/shop.yaml": suffixed.replace("      hosts: [shop", "      hosts: ['*', shop")}, tmp_path).findings
    assert {finding.rule for finding in found} == {"shadow-host-not-accepted"}


@pytest.mark.parametrize("percent", ["mirrorPercentage: {value: 100}", "mirrorPercentage: {value: 5}\n      delegate: {name: shop}"])
def test_a_percentage_beside_mirrors_that_says_the_same_or_is_for_a_delegates_mirror(percent: str, tmp_path: Path) -> None:
    files = pages.read("mirror-percentage-twice").bad(", beside `mirrors`")
    service = files["prod/virtual-service.yaml"].partition("mirrorPercentage:")[0] + percent
    assert "mirror-percentage-twice" not in {f.rule for f in linted({**files, "prod/virtual-service.yaml": service}, tmp_path).findings}


DELEGATING = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: [shop]
  http:
    - {delegate: {name: rules}, %s}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: rules}
spec:
  http: [{route: [{destination: {host: shop}}], %s}]
"""
MIRROR, MIRRORS = "mirror: {host: stage-gateway.example.com}", "mirrors: [{destination: {host: stage-gateway.example.com}}]"


@pytest.mark.parametrize(
    ("root", "delegate", "expected"),
    [
        ("mirrorPercentage: {value: 0}", MIRROR, [("mirror-switched-off", 7)]),
        (MIRROR, "mirrorPercentage: {value: 0}", [("mirror-switched-off", 13)]),
        ("mirrorPercentage: {value: 50}", f"mirrorPercent: 5, {MIRROR}", [("mirror-percentage-twice", 13)]),
        ("mirrorPercentage: {value: 50}, mirrorPercent: 5", MIRROR, [("mirror-percentage-twice", 7)]),
        ("mirrorPercent: 5", f"mirrorPercentage: {{value: 50}}, {MIRROR}", []),
        ("mirrorPercentage: {value: 5}", MIRRORS, [("mirror-percentage-twice", 7)]),
        (MIRROR, f"mirrorPercentage: {{value: 5}}, {MIRRORS}", []),
        (
            "mirrorPercentage: {value: 5}",
            f"match: [{{uri: {{prefix: /api}}}}], {MIRROR}}}, {{route: [{{destination: {{host: shop}}}}], {MIRRORS}",
            [],
        ),
    ],
)
def test_a_percentage_is_for_what_istio_merges_it_with(root: str, delegate: str, expected: list[tuple[str, int]], tmp_path: Path) -> None:
    files = pages.read("mirror-switched-off").bad("")
    found = linted({**files, "prod/virtual-service.yaml": DELEGATING % (root, delegate)}, tmp_path).findings
    assert [(finding.rule, finding.place.line) for finding in found] == expected


ROOTS = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: part, namespace: shop}
spec: {http: [{route: [{destination: {host: shop}}], mirror: {host: stage-gateway.example.com}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: FIRST, namespace: shop}
spec: {hosts: [shop.example.com], gateways: [edge], http: [{delegate: {name: part}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: SECOND, namespace: shop}
spec: {hosts: [shop], http: [{delegate: {name: part}}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: shop}
spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
---
apiVersion: v1
kind: Service
metadata: {name: shop, namespace: shop}
spec: {ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: stage, namespace: shop}
spec: {hosts: [stage-gateway.example.com], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}
"""
RIVAL = """---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: rival, namespace: shop}
spec: {hosts: [shop.example.com], gateways: [edge], http: [{%s}]}
"""
PLAIN_RIVAL = RIVAL % "route: [{destination: {host: shop}}]"
REPORTS = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: reports, labels: {istio-injection: disabled}}\n"


@pytest.mark.parametrize("first", ["a", "z"])
@pytest.mark.parametrize(
    ("source", "told"),
    [
        pytest.param(ROOTS, [], id="sound"),
        pytest.param(
            ROOTS.replace("hosts: [shop]", "hosts: [shp]"), [("host-of-no-service", "VirtualService shop/m-inside")], id="no service"
        ),
        pytest.param(ROOTS + PLAIN_RIVAL, [("order-undecided", "VirtualService shop/FIRST-edge")], id="a rival"),
        pytest.param(ROOTS + RIVAL % "delegate: {name: part}", [], id="a rival with the same mirror"),
        pytest.param(ROOTS + REPORTS, [("caller-without-sidecar", "Namespace reports")], id="no sidecar"),
    ],
)
def test_each_virtual_service_that_delegates_to_a_mirrors_is_looked_at(
    first: str, source: str, told: list[tuple[str, str]], tmp_path: Path
) -> None:
    source = source.replace("FIRST", f"{first}-edge").replace("SECOND", "m-inside")
    stage = pages.read("order-undecided").bad("")["stage/shop.yaml"]
    settings = "rules: {caller-without-sidecar: warning}"
    found = linted({".mirrorlint.yaml": settings, "prod/shop.yaml": source, "stage/shop.yaml": stage}, tmp_path).findings
    assert [(finding.rule, finding.object.replace(f"{first}-edge", "FIRST-edge")) for finding in found] == told
