"""Charts whose templates are Applications ("app of apps"): which clusters there are, and what they get."""

from __future__ import annotations

from pathlib import Path

import pytest
from repositories import git, write
from test_clusters import entry
from test_engine import SOURCE, TARGET
from test_gitops import STAGE, URL, application, found, messages
from test_rendering import HELM
from ways import read

from mirrorlint import check, load

LOCAL = "server: 'https://kubernetes.default.svc'"
CHART = {"argocd/apps/Chart.yaml": "apiVersion: v2\nname: apps\nversion: 0.1.0\n"}
TEMPLATE = """\
{{- range .Values.apps }}
---
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: {{ . }}-{{ $.Values.cluster }}
spec:
  destination:
    {{- toYaml $.Values.destination | nindent 4 }}
  source: {repoURL: https://git.example.com/org/repo.git, path: "mesh/{{ $.Values.cluster }}"}
{{- end }}
"""
APPS = CHART | {"argocd/apps/templates/apps.yaml": TEMPLATE, "argocd/apps/values.yaml": "apps: [mesh]\n"}
MESH = {"mesh/us/x.yaml": entry("x"), "mesh/eu/y.yaml": entry("y")}
# What a chart has of which each release is a Service without pods, and a route to it.
SCALED_DOWN = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec: {replicas: 0, selector: {matchLabels: {app: shop}}, template: {metadata: {labels: {app: shop}}}}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {selector: {app: shop}, ports: [{name: http, port: 80}]}
---
""" + TARGET.rpartition("---")[2].replace("'*'", "shop.default.svc.cluster.local, shop.default-shadow, shop.default")
APP = {
    "charts/app/Chart.yaml": "apiVersion: v2\nname: app\nversion: 0.1.0\n",
    "charts/app/templates/all.yaml": SCALED_DOWN.replace("shop", "{{ .Release.Name }}"),
}
# Mirrors of two Services, and the gateway that they lead to.
TO_BOTH = {
    "clusters/prod/source.yaml": "---".join((SOURCE, *(SOURCE.split("---")[part].replace("shop", "cart") for part in (0, 2)))),
    "clusters/stage/gateway.yaml": TARGET.split("---")[1],
    ".mirrorlint.yaml": STAGE,
}


def root(cluster: str, destination: str, path: str = "argocd/apps") -> str:
    """An Application of the chart for a cluster, which is meant by `destination` there."""
    values = f", helm: {{valuesObject: {{cluster: {cluster}, destination: {{{destination}}}}}}}"
    return application(f"root-{cluster}", path, LOCAL, values)


@pytest.fixture(autouse=True)
def _remote(repo: Path) -> None:
    git(repo, "remote", "add", "origin", URL)


@HELM
@pytest.mark.parametrize(("destination", "name"), [("name: {}", "{}"), ("server: https://{}.example.com:6443", "{}.example.com")])
def test_what_a_chart_applies_names_the_clusters(repo: Path, destination: str, name: str) -> None:
    roots = {f"bootstrap/{each}/root.yaml": root(each, destination.format(each)) for each in ("us", "eu")}
    write(repo, APPS | MESH | roots)
    loaded = read(["."])
    assert found(loaded) == {name.format("us"): ["x"], name.format("eu"): ["y"]}
    assert messages(loaded) == []


@HELM
def test_a_chart_of_a_chart_names_the_clusters(repo: Path) -> None:
    outer = {
        "argocd/outer/Chart.yaml": "apiVersion: v2\nname: outer\nversion: 0.1.0\n",
        "argocd/outer/templates/root.yaml": root("eu", "name: eu"),
    }
    write(repo, APPS | MESH | outer | {"root.yaml": application("outer", "argocd/outer", LOCAL)})
    assert found(read(["."])) == {"eu": ["y"]}


@HELM
def test_what_a_chart_applies_to_its_own_cluster_goes_to_the_one_whose_folder_holds_the_application(repo: Path) -> None:
    write(repo, APPS | MESH | {f"clusters/{each}/root.yaml": root(each, "name: in-cluster") for each in ("us", "eu")})
    assert found(read(["."])) == {"us": ["x"], "eu": ["y"]}


@HELM
def test_what_a_chart_applies_goes_to_the_clusters_of_the_settings(repo: Path) -> None:
    settings = "clusters: {us: {paths: [own/us]}, eu: {paths: [own/eu]}}\n"
    own = {"own/us/a.yaml": entry("a"), "own/eu/b.yaml": entry("b")}
    write(repo, APPS | MESH | own | {f"bootstrap/{each}.yaml": root(each, f"name: {each}") for each in ("us", "eu")})
    write(repo, {".mirrorlint.yaml": settings})
    assert found(read(["."])) == {"us": ["a", "x"], "eu": ["b", "y"]}


@pytest.mark.usefixtures("no_renderers")
def test_what_is_missing_may_be_in_a_chart_of_applications_that_is_not_rendered(repo: Path) -> None:
    write(repo, {"clusters/prod/source.yaml": SOURCE, "clusters/stage/target.yaml": TARGET, ".mirrorlint.yaml": STAGE})
    lost = check(load(".")).findings
    write(repo, APPS | {"argocd/root.yaml": root("eu", "name: eu")})
    report = check(load("."))
    assert [(each.rule, each.level) for each in report.findings] == [(each.rule, "warning") for each in lost]
    assert "argocd/root.yaml:6: this chart must be rendered first, and there is no helm here" in "".join(
        f"{spot.path}:{spot.line}: {spot.message}" for spot in report.blind_spots
    )


@HELM
def test_objects_that_one_template_makes_lose_mirrors_each_for_itself(repo: Path) -> None:
    gateway, _, accepting = TARGET.rpartition("---")
    template = accepting.replace("shop", "{{ .Release.Name }}").replace("'*'", "'{{ .Release.Name }}.example.com'")
    chart = {"charts/app/Chart.yaml": "apiVersion: v2\nname: app\nversion: 0.1.0\n", "charts/app/templates/all.yaml": template}
    releases = {f"clusters/stage/{name}.yaml": application(name, "charts/app", LOCAL) for name in ("shop", "cart")}
    write(repo, chart | releases | TO_BOTH | {"clusters/stage/gateway.yaml": gateway})
    found = check(load(".")).findings
    assert [(each.rule, each.object, len(each.notes)) for each in found] == [
        ("shadow-host-not-accepted", "VirtualService default/cart", 1),
        ("shadow-host-not-accepted", "VirtualService default/shop", 1),
    ]


@HELM
def test_what_else_one_template_makes_is_named_with_the_first_that_suffers(repo: Path) -> None:
    releases = {f"clusters/stage/{name}.yaml": application(name, "charts/app", LOCAL) for name in ("shop", "cart")}
    write(repo, APP | releases | TO_BOTH)
    (finding,) = (each for each in check(load(".")).findings if each.rule == "target-without-pods")
    assert finding.object == "Service default/cart"
    assert "the same holds for Service default/shop" in [note.message for note in finding.notes]


@HELM
def test_which_mirrors_of_one_line_are_lost_is_told_by_their_objects(repo: Path) -> None:
    route = SOURCE.split("---")[2].replace("shop", "{{ .Release.Name }}").replace("stage.example", "gone.example")
    chart = {"charts/app/Chart.yaml": "apiVersion: v2\nname: app\nversion: 0.1.0\n", "charts/app/templates/route.yaml": route}
    releases = {f"clusters/prod/{name}.yaml": application(name, "charts/app", LOCAL) for name in ("shop", "cart")}
    own, shared, _ = SOURCE.split("---")
    source = "---".join((own, own.replace("shop", "cart"), shared))
    write(repo, chart | releases | {"clusters/prod/source.yaml": source, "clusters/stage/target.yaml": TARGET, ".mirrorlint.yaml": STAGE})
    (finding,) = check(load(".")).findings
    assert finding.object == "VirtualService default/cart"
    assert finding.notes[-1].message == "the same holds for VirtualService default/shop"


@HELM
def test_a_chart_of_applications_tells_of_a_peer_as_well(repo: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "other", APPS | MESH | {f"bootstrap/{each}.yaml": root(each, f"name: {each}") for each in ("us", "eu")})
    git(other, "init", "--quiet")
    git(other, "remote", "add", "origin", URL)
    write(repo, {"source.yaml": entry("z"), ".mirrorlint.yaml": "clusters: {prod: {paths: [.]}, eu: {path: ../other}}\n"})
    loaded = read(["."])
    assert (found(loaded), messages(loaded)) == ({"prod": ["z"], "eu": ["y"]}, [])


def test_a_library_chart_is_not_missed(repo: Path) -> None:
    write(
        repo,
        {
            f"charts/{name}/Chart.yaml": f"apiVersion: v2\nname: {name}\nversion: 0.1.0\ntype: {name}\n"
            for name in ("library", "application")
        },
    )
    write(repo, {"source.yaml": entry("z")} | {f"charts/{name}/templates/_all.tpl": TEMPLATE for name in ("library", "application")})
    assert [message.partition(":")[0] for message in messages(read(["."]))] == ["charts/application"]


@HELM
def test_values_that_one_line_of_a_template_asks_for_in_vain_are_told_once(repo: Path) -> None:
    chart = {"charts/app/Chart.yaml": "apiVersion: v2\nname: app\nversion: 0.1.0\n", "charts/app/templates/x.yaml": entry("x")}
    template = TEMPLATE.replace('"mesh/{{ $.Values.cluster }}"', 'charts/app, helm: {valueFiles: ["/values/{{ . }}.yaml"]}')
    apps = APPS | {"argocd/apps/templates/apps.yaml": template, "argocd/apps/values.yaml": "apps: [mesh, shop, cart]\n"}
    write(repo, apps | chart | {"root.yaml": root("eu", "name: eu"), "own/y.yaml": entry("y")})
    write(repo, {"own.yaml": application("own", "own", "name: eu")})
    said = "the values `/values/mesh.yaml` are not in this repository, so the chart is not rendered (and 2 more)"
    assert [message for message in messages(read(["."])) if "values `" in message] == [f"argocd/apps/templates/apps.yaml:10 [eu] {said}"]


@HELM
def test_what_applications_of_one_line_render_from_one_chart_is_told_apart(repo: Path) -> None:
    template = TEMPLATE.replace('"mesh/{{ $.Values.cluster }}"', "charts/app, helm: {releaseName: {{ . }}}")
    apps = APPS | {"argocd/apps/templates/apps.yaml": template, "argocd/apps/values.yaml": "apps: [shop, cart]\n"}
    write(repo, apps | APP | TO_BOTH | {"clusters/stage/root.yaml": root("stage", "name: in-cluster")})
    (finding,) = (each for each in check(load(".")).findings if each.rule == "target-without-pods")
    assert [finding.object, finding.notes[-1].message] == ["Service default/cart", "the same holds for Service default/shop"]
