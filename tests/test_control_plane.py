"""What manifests say of a cluster's Istio: its version, its meshConfig, whether shadows get a suffix."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from pair import PROD, STAGE
from repositories import write
from ways import read

from mirrorlint.engine import lint
from mirrorlint.fleet import ClusterSettings
from mirrorlint.loading import Loaded

ENTRY = "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: x}\n"
URL = "https://git.example.com/org/repo"


def release(values: str, version: str = "1.27.1") -> str:
    return (
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: istiod}\n"
        f"spec:\n  chart: {{spec: {{chart: istiod, version: '{version}', sourceRef: {{kind: HelmRepository, name: istio}}}}}}\n"
        f"  values: {values}\n"
    )


def operator(spec: str, name: str = "a") -> str:
    return f"apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nmetadata: {{name: {name}}}\nspec: {spec}\n"


def deployment(image: str, env: str = "[]") -> str:
    pod = f"{{spec: {{containers: [{{name: discovery, image: '{image}', env: {env}}}]}}}}"
    return f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: istiod, namespace: istio-system}}\nspec: {{template: {pod}}}\n"


def application(helm: str, version: str = "1.27.1") -> str:
    source = f"{{repoURL: https://charts.example.com, chart: istiod, targetRevision: '{version}', helm: {helm}}}"
    return (
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: istiod}\n"
        f"spec:\n  destination: {{server: https://kubernetes.default.svc}}\n  source: {source}\n"
    )


FLAG = "{pilot: {env: {DISABLE_SHADOW_HOST_SUFFIX: 'false'}}}"
PARAMETERS = "[{name: pilot.env.DISABLE_SHADOW_HOST_SUFFIX, value: 'false'}, {name: meshConfig.enableAutoMtls, value: 'true'}]"
LENDING = (
    "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: istiod}\nspec:\n"
    "  destination: {server: https://kubernetes.default.svc}\n  sources:\n"
    "  - {repoURL: https://charts.example.com, chart: istiod, targetRevision: 1.29.0, helm: {valueFiles: [%s]}}\n"
    f"  - {{repoURL: {URL}, ref: values, path: ''}}\n"
    f"  - {{repoURL: {URL}, path: clusters/prod}}\n"
)
BORROWING = release("null\n  valuesFrom: [{kind: ConfigMap, name: lent}]", "1.29.0")
LENT = f'apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: lent}}\ndata: {{values.yaml: "{FLAG}"}}\n'
BY_REFERENCE = (
    "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: mesh}\n"
    "spec: {chartRef: {kind: OCIRepository, name: repository}}\n---\n"
    "apiVersion: source.toolkit.fluxcd.io/v1\nkind: OCIRepository\nmetadata: {name: repository}\n"
    "spec: {url: 'oci://gcr.io/istio-release/charts/istiod', ref: {%s}}\n"
)


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clusters/prod").mkdir(parents=True)
    (tmp_path / "clusters/prod/x.yaml").write_text(ENTRY)
    return tmp_path


def settings(repo: Path, *texts: str, **more: str) -> ClusterSettings:
    return loaded(repo, *texts, **more).documents.clusters["prod"].settings


def loaded(repo: Path, *texts: str, **more: str) -> Loaded:
    (repo / "clusters/prod/istio.yaml").write_text("---\n".join(texts))
    for name, text in more.items():
        (repo / name).write_text(text)
    return read(["."])


MESH = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\ndata:\n  mesh: |\n    rootNamespace: root\n"
EVIDENCE = {
    "an image": (deployment("docker.io/istio/pilot:1.27.1-distroless"), "1.27", None, {}),
    "an image of a registry with a port": (deployment("registry:5000/istio/pilot:1.28.0"), "1.28", None, {}),
    "an image by digest alone": (deployment("docker.io/istio/pilot@sha256:abc"), "", None, {}),
    "IstioOperator": (operator("{tag: 1.26.2, meshConfig: {rootNamespace: r}}"), "1.26", None, {"rootNamespace": "r"}),
    "IstioOperator's flag": (
        operator("{tag: 1.28.0, components: {pilot: {k8s: {env: [{name: DISABLE_SHADOW_HOST_SUFFIX, value: 'false'}]}}}}"),
        "1.28",
        True,
        {},
    ),
    "sail's Istio": (
        "apiVersion: sailoperator.io/v1\nkind: Istio\nmetadata: {name: default}\nspec: {version: v1.28.1, values: {meshConfig: {a: b}}}\n",
        "1.28",
        None,
        {"a": "b"},
    ),
    "OpenShift Service Mesh": (
        "apiVersion: maistra.io/v2\nkind: ServiceMeshControlPlane\nmetadata: {name: basic}\nspec: {version: v2.6}\n",
        "1.20",
        None,
        {},
    ),
    "the ConfigMap istio": (MESH, "", None, {"rootNamespace": "root"}),
    "Argo CD's Application of the chart": (application("{valuesObject: {meshConfig: {a: b}}}"), "1.27", None, {"a": "b"}),
    "an Application with values as text": (application('{values: "meshConfig: {a: b}\\n"}'), "1.27", None, {"a": "b"}),
    "a range of one minor version": (application("{}", "~1.28.2"), "1.28", None, {}),
    "a range of several": (application("{}", ">=1.27"), "", None, {}),
    "Flux's HelmRelease of the chart": (release("{compatibilityVersion: '1.27'}", "1.29.0"), "1.29", True, {}),
    "a flag that goes before the compatibility version": (
        release("{compatibilityVersion: '1.27', pilot: {env: {DISABLE_SHADOW_HOST_SUFFIX: true}}}", "1.29.*"),
        "1.29",
        None,
        {},
    ),
    "a compatibility version that changes nothing here": (release("{compatibilityVersion: '1.28'}", "1.29.0"), "1.29", None, {}),
    "a flag in an Application's parameters": (
        application(f"{{parameters: {PARAMETERS}}}", "1.29.1"),
        "1.29",
        True,
        {"enableAutoMtls": True},
    ),
    "a flag in values that are lent": (LENDING % "$values/flag.yaml", "1.29", True, {}),
    "a flag in a ConfigMap that a HelmRelease takes": (f"{BORROWING}---\n{LENT}", "1.29", True, {}),
    "a tag of an OCIRepository": (BY_REFERENCE % "tag: 1.27.1", "1.27", None, {}),
    "a range of an OCIRepository": (BY_REFERENCE % "semver: 1.28.x", "1.28", None, {}),
    "a flag in a Deployment": (
        deployment("istio/pilot:1.30.0", "[{name: DISABLE_SHADOW_HOST_SUFFIX, value: 'false'}]"),
        "1.30",
        True,
        {},
    ),
}


@pytest.mark.parametrize(("text", "version", "suffix", "mesh"), EVIDENCE.values(), ids=EVIDENCE)
def test_manifests_tell_of_the_control_plane(repo: Path, text: str, version: str, suffix: bool | None, mesh: dict[str, str]) -> None:
    made = settings(repo, text, **{"flag.yaml": f"{FLAG}\n"})
    assert (made.istio, made.shadow_suffix, made.mesh) == (version, suffix, mesh)


UNREAD = {
    "values that are not lent": (LENDING % "$other/flag.yaml", "no source has `ref: other`"),
    "a Secret": (release("null\n  valuesFrom: [{kind: Secret, name: s}]", "%s"), "what this takes from the Secret `s` is not known"),
}


@pytest.mark.parametrize(("text", "why"), UNREAD.values(), ids=UNREAD)
def test_values_that_are_not_at_hand_are_a_blind_spot_and_the_version_tells(repo: Path, text: str, why: str) -> None:
    documents = loaded(repo, text.replace("%s", "1.29.0")).documents
    assert documents.clusters["prod"].settings.istio == "1.29"
    assert [(spot.message, spot.holds) for spot in documents.blind_spots] == [(f"{why}, and may say more of Istio", "nothing")]


def test_settings_go_before_manifests(repo: Path) -> None:
    said = "clusters: {prod: {istio: '1.28', shadow_suffix: false, mesh: {b: c}}}\n"
    made = settings(repo, release("{compatibilityVersion: '1.27', meshConfig: {a: b, b: b}}"), **{".mirrorlint.yaml": said})
    assert (made.istio, made.shadow_suffix, made.mesh) == ("1.28", False, {"a": "b", "b": "c"})


def test_what_is_found_is_told_with_its_place(repo: Path) -> None:
    facts = loaded(repo, release("{meshConfig: {rootNamespace: r}}")).documents.facts
    assert [f"{fact.cluster}: {fact.message} {fact.place}" for fact in facts] == [
        "prod: Istio 1.27.1 clusters/prod/istio.yaml:5:42",
        "prod: meshConfig with rootNamespace clusters/prod/istio.yaml:6:24",
    ]


def test_of_several_versions_none_is_taken_where_shadows_differ(repo: Path) -> None:
    found = loaded(repo, operator("{tag: 1.26.2, revision: old}"), operator("{tag: 1.28.0, revision: new}", "b"))
    assert found.documents.clusters["prod"].settings.istio == ""
    assert [fact.message for fact in found.documents.facts] == ["Istio 1.26.2", "Istio 1.28.0"]
    assert found.documents.blind_spots == ()


def test_a_loss_in_the_midst_of_an_upgrade_says_which_control_plane_loses(repo: Path) -> None:
    for tag in ("1.27.4", "1.28.1"):
        write(repo, {f"clusters/prod/{tag}.yaml": operator(f"{{tag: {tag}, revision: r}}", tag)})
    bare = STAGE.replace("[shop.default-shadow]", "[shop.default, shop.default.svc, shop.default.svc.cluster.local]")
    write(repo, {"clusters/prod/shop.yaml": PROD, "clusters/stage/shop.yaml": bare})
    finding = lint(read(["."]).documents, {}).findings[-1]
    assert (finding.level, finding.worlds) == ("error", ("1.27",))
    assert "; this holds with Istio up to 1.27, and prod runs 1.27.4 as clusters/prod/1.27.4.yaml:4 says" in finding.message


@pytest.mark.parametrize(("one", "other", "taken"), [("1.27.1", "1.26.4", "1.26"), ("1.28.0", "1.30.2", "1.28")])
def test_of_several_versions_that_treat_shadows_alike_the_oldest_counts(repo: Path, one: str, other: str, taken: str) -> None:
    found = loaded(repo, operator(f"{{tag: {one}, revision: a}}"), operator(f"{{tag: {other}, revision: b}}", "b"))
    assert found.documents.clusters["prod"].settings.istio == taken


def test_a_control_plane_that_is_there_twice_has_several_versions(repo: Path) -> None:
    found = loaded(repo, deployment("istio/pilot:1.26.2"), deployment("istio/pilot:1.28.0"))
    assert found.documents.clusters["prod"].settings.istio == ""
    assert {"Istio 1.26.2", "Istio 1.28.0"} <= {fact.message for fact in found.documents.facts}


def test_several_revisions_of_one_version_are_none(repo: Path) -> None:
    found = loaded(repo, operator("{tag: 1.28.2}"), operator("{tag: 1.28.0}", "b"))
    assert (found.documents.clusters["prod"].settings.istio, found.documents.blind_spots) == ("1.28", ())


def test_of_istios_own_chart_nothing_else_is_asked(repo: Path) -> None:
    other = release("{}").replace("name: istio}", "name: ours}").replace("{name: istiod}", "{name: other}")
    spots = [spot.message for spot in loaded(repo, release("{}"), other).documents.blind_spots]
    assert spots == ["the chart `istiod` is not in this repository, so it is not rendered"]


@pytest.mark.parametrize(
    "said",
    [
        "rootNamespace: [a]",
        "rootNamespace: {a: b}",
        "defaultVirtualServiceExportTo: 5",
        "defaultVirtualServiceExportTo: [[a]]",
        "defaultServiceExportTo: a",
        "discoverySelectors: [{matchExpressions: [{key: a, operator: in, values: [b]}]}]",
    ],
)
def test_a_mesh_config_in_manifests_may_have_fields_of_any_type(repo: Path, said: str) -> None:
    made = settings(repo, MESH.replace("rootNamespace: root", f"{said}\n    ingressClass: x"))
    assert made.mesh == {"ingressClass": "x"}


ONE, OTHER = "{matchLabels: {group: a}}", "{matchLabels: {group: b}}"


def looking(*selectors: str) -> str:
    return f"{{meshConfig: {{rootNamespace: r, discoverySelectors: [{', '.join(selectors)}]}}}}"


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        ((operator(looking(ONE)),), ["a"]),
        ((release(looking(ONE)),), ["a"]),
        ((operator(looking(ONE)), operator(looking(OTHER), "b")), ["a", "b"]),
        ((operator(looking(ONE)), operator("{meshConfig: {rootNamespace: r}}", "b")), []),
        ((operator(looking(ONE)), release(looking(OTHER))), ["a", "b"]),
        ((operator(looking(ONE)), MESH), []),
        ((operator(looking(ONE)), operator("{tag: 1.28.0}", "gateways")), ["a"]),
    ],
)
def test_several_control_planes_look_at_what_any_of_them_does(repo: Path, texts: tuple[str, ...], found: list[str]) -> None:
    assert settings(repo, *texts).mesh["discoverySelectors"] == [{"matchLabels": {"group": group}} for group in found]


def test_settings_say_what_a_control_plane_looks_at(repo: Path) -> None:
    (repo / ".mirrorlint.yaml").write_text("clusters: {prod: {paths: [clusters/prod], mesh: {discoverySelectors: []}}}\n")
    assert settings(repo, operator(looking(ONE)), operator(looking(OTHER), "b")).mesh["discoverySelectors"] == []


ARGO = (
    "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: mesh}\n"
    f"spec: {{destination: {{name: prod, namespace: istio-system}}, source: {{repoURL: {URL}, path: mesh}}}}\n"
)
SHOP = ARGO.replace("name: mesh", "name: shop").replace("path: mesh", "path: shop")
HOME = "https://istio-release.storage.googleapis.com/charts"


def installed(folder: Path, files: Mapping[str, str]) -> tuple[ClusterSettings, list[str]]:
    """The settings of a cluster that gets the folder `mesh` by Argo CD, and the blind spots."""
    write(folder, {"argocd/mesh.yaml": ARGO, "argocd/shop.yaml": SHOP, "shop/x.yaml": ENTRY, **files})
    documents = read(["."]).documents
    return documents.clusters["prod"].settings, [spot.message for spot in documents.blind_spots]


def wrapper(*dependencies: str) -> str:
    listed = "".join(f"- {{{dependency}, repository: '{HOME}'}}\n" for dependency in dependencies)
    return f"apiVersion: v2\nname: mesh\nversion: 0.1.0\ndependencies:\n{listed}"


def test_a_chart_that_wraps_istiod_tells_its_version_and_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    chart = wrapper("name: base, version: 1.29.0", "name: istiod, alias: pilot, version: 1.29.0")
    made, blind = installed(tmp_path, {"mesh/Chart.yaml": chart, "mesh/values.yaml": f"pilot: {FLAG}\n"})
    assert (made.istio, made.shadow_suffix, blind) == ("1.29", True, [])


def test_a_chart_that_wraps_more_than_istio_is_not_known_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    chart = wrapper("name: istiod, version: 1.27.3", "name: gateway, version: 1.27.3")
    made, blind = installed(tmp_path, {"mesh/Chart.yaml": chart, "mesh/values.yaml": "a: b\n"})
    assert (made.istio, len(blind)) == ("1.27", 1)


def test_a_dependency_that_is_switched_off_tells_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    chart = wrapper("name: istiod, version: 1.27.3, condition: 'old.enabled'", "name: istiod, version: 1.29.3, alias: new")
    made, _ = installed(tmp_path, {"mesh/Chart.yaml": chart, "mesh/values.yaml": "old: {enabled: false}\n"})
    assert made.istio == "1.29"


def kustomized(more: str, version: str = "1.29.2") -> str:
    chart = f"{{name: istiod, repo: '{HOME}', version: {version}, {more}}}"
    return f"apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nhelmCharts: [{chart}]\n"


KUSTOMIZED = {
    "a version": (kustomized("releaseName: a", "1.27.2"), "1.27", None, 0),
    "a flag": (kustomized(f"valuesInline: {FLAG}"), "1.29", True, 0),
    "a flag in a file": (kustomized("valuesFile: flag.yaml"), "1.29", True, 0),
    "a file over what stands there": (
        kustomized("valuesInline: {compatibilityVersion: '1.27'}, additionalValuesFiles: [off.yaml]"),
        "1.29",
        None,
        0,
    ),
    "a file that is not there": (kustomized("valuesFile: none.yaml"), "1.29", None, 1),
    "something that must be rendered": (kustomized("releaseName: a") + "patches: [{path: patch.yaml}]\n", "1.29", None, 2),
    "another chart": (kustomized("releaseName: a", "1.27.2").replace("}]", "}, {name: redis, repo: r}]"), "1.27", None, 1),
}


@pytest.mark.parametrize(("text", "version", "suffix", "blind"), KUSTOMIZED.values(), ids=KUSTOMIZED)
def test_a_chart_that_kustomize_lets_helm_render_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, version: str, suffix: bool | None, blind: int
) -> None:
    monkeypatch.chdir(tmp_path)
    more = {"mesh/flag.yaml": f"{FLAG}\n", "mesh/off.yaml": FLAG.replace("false", "true") + "\n"}
    made, spots = installed(tmp_path, {"mesh/kustomization.yaml": text, **more})
    assert (made.istio, made.shadow_suffix, len(spots)) == (version, suffix, blind)
