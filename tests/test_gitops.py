"""Which clusters Argo CD's and Flux's objects speak of, and what they apply to them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from repositories import git, write
from test_clusters import entry
from test_engine import SOURCE, TARGET
from ways import read

from mirrorlint import check, likeness, load
from mirrorlint.loading import Loaded, disk, land
from mirrorlint.loading.filling import substituted
from mirrorlint.loading.kustomize import Reach, reach
from mirrorlint.source import parse

STAGE = "clusters: {stage: {ingress: {addresses: [stage.example.com], namespace: istio-system}}}\n"
URL = "https://git.example.com/org/repo.git"


def application(name: str, path: str, destination: str, more: str = "", url: str = URL) -> str:
    source = f"{{repoURL: {url}, path: {path}{more}}}"
    return (
        f"apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}}}\n"
        f"spec:\n  destination: {{{destination}}}\n  source: {source}\n"
    )


def applications(generators: str, path: str, destination: str, *, go: bool = False) -> str:
    return (
        "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: set}\n"
        f"spec:\n  goTemplate: {str(go).lower()}\n  generators: {generators}\n"
        f"  template:\n    metadata: {{name: app}}\n    spec:\n      destination: {{{destination}}}\n"
        f"      source: {{repoURL: {URL}, path: '{path}'}}\n"
    )


def secret(name: str, server: str, labels: str = "") -> str:
    return (
        f"apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}, labels: {{argocd.argoproj.io/secret-type: cluster{labels}}}}}\n"
        f"stringData: {{name: {name}, server: '{server}'}}\n"
    )


def kustomization(name: str, path: str, more: str = "") -> str:
    return (
        f"apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {{name: {name}, namespace: flux-system}}\n"
        f"spec:\n  path: {path}\n  sourceRef: {{kind: GitRepository, name: flux-system}}\n{more}"
    )


@pytest.fixture(autouse=True)
def _remote(repo: Path) -> None:
    git(repo, "remote", "add", "origin", "git@git.example.com:org/repo.git")


def found(loaded: Loaded) -> dict[str, list[str]]:
    """The objects of each cluster, as `namespace/name` where the namespace is none of default."""
    of = {name: [m for m in cluster.manifests() if m.kind == "ServiceEntry"] for name, cluster in loaded.documents.clusters.items()}
    return {name: sorted(f"{m.namespace}/{m.name}".removeprefix("default/") for m in those) for name, those in of.items()}


def messages(loaded: Loaded) -> list[str]:
    return [f"{spot.path}:{spot.line} [{spot.cluster}] {spot.message}" for spot in loaded.documents.blind_spots]


def test_a_destination_names_the_cluster(repo: Path) -> None:
    write(repo, {"a/x.yaml": entry("x"), "b/y.yaml": entry("y"), "c/z.yaml": entry("z"), "d/w.yaml": entry("w")})
    write(
        repo,
        {
            "argo/a.yaml": application("a", "a", "name: prod, namespace: shop"),
            "argo/b.yaml": application("b", "b", "server: 'https://stage.example.com:6443'"),
            "argo/c.yaml": application("c", "c", "server: 'https://10.0.0.1'"),
            "argo/secret.yaml": secret("eu", "https://10.0.0.1/"),
        },
    )
    loaded = read(["."])
    assert found(loaded) == {"prod": ["shop/x"], "stage.example.com": ["y"], "eu": ["z"]}
    assert messages(loaded) == ["d/w.yaml:0 [] this file is in the folder of no cluster, so its objects are not judged"]


def test_an_application_in_its_own_cluster_is_of_the_one_whose_folder_holds_it(repo: Path) -> None:
    write(repo, {"apps/mesh/base.yaml": entry("x"), "apps/mesh/more/y.yaml": entry("y"), "clusters/prod/own.yaml": entry("own")})
    local = "server: 'https://kubernetes.default.svc'"
    write(repo, {f"clusters/{name}/app.yaml": application("a", "apps/mesh", local) for name in ("prod", "stage")})
    assert found(read(["."])) == {"prod": ["own", "x"], "stage": ["x"]}


def test_applications_of_applications_are_of_the_cluster_that_gets_them(repo: Path) -> None:
    write(repo, {"root.yaml": application("root", "fleet/eu", "name: eu"), "mesh/x.yaml": entry("x")})
    write(
        repo, {"fleet/eu/mesh.yaml": application("mesh", "mesh", "name: in-cluster"), "other/y.yaml": application("o", "mesh", "name: us")}
    )
    assert found(read(["."])) == {"eu": ["x"], "us": ["x"]}


DIRECTORIES = {
    "only the folder's own files": ("", ["a"]),
    "all below it": (", directory: {recurse: true}", ["a", "b", "c"]),
    "what is included": (", directory: {recurse: true, include: '{a.yaml,**/c.yaml}'}", ["a", "c"]),
    "but for what is excluded": (", directory: {recurse: true, exclude: 'deep/*'}", ["a"]),
}


@pytest.mark.parametrize(("options", "expected"), DIRECTORIES.values(), ids=DIRECTORIES)
def test_a_directory_is_taken_as_its_options_say(repo: Path, options: str, expected: list[str]) -> None:
    write(repo, {"app/a.yaml": entry("a"), "app/deep/b.yaml": entry("b"), "app/deep/c.yaml": entry("c")})
    write(repo, {"argo.yaml": application("a", "app", "name: prod", options)})
    assert found(read(["."])) == {"prod": expected}


def test_several_sources_are_all_taken_but_those_that_are_elsewhere(repo: Path) -> None:
    sources = [f"{{repoURL: {URL}, path: {path}}}" for path in ("a", "b", "gone")]
    sources += [
        "{repoURL: https://charts.example.com, chart: istiod, targetRevision: 1.27.1}",
        "{repoURL: https://x.example.com/y, path: a}",
    ]
    sources += [f"{{repoURL: {URL}, ref: values}}", f"{{repoURL: {URL}, path: a, plugin: {{name: p}}}}"]
    write(repo, {"a/x.yaml": entry("x"), "b/y.yaml": entry("y")})
    text = application("a", "a", "name: prod").rpartition("  source:")[0] + f"  sources: [{', '.join(sources)}]\n"
    write(repo, {"argo.yaml": text})
    loaded = read(["."])
    assert found(loaded) == {"prod": ["x", "y"]}
    assert [message.partition("] ")[2] for message in messages(loaded)] == [
        "`gone` is no folder with manifests here",
        "`https://x.example.com/y` is another repository, so `a` of it is not read",
        "a plugin makes the manifests of this source, so they are not read",
        "the chart `istiod` of `https://charts.example.com` is not in this repository, so it is not read",
    ]
    assert {spot.cluster for spot in loaded.documents.blind_spots} == {"prod"}


@pytest.mark.parametrize(("ref", "meant"), [("vals", " (did you mean `vals`?)"), ("other", ""), ("", "")])
def test_values_of_a_source_that_is_not_there_are_asked_for(repo: Path, ref: str, meant: str) -> None:
    write(repo, {"mesh/Chart.yaml": "apiVersion: v2\nname: mesh\nversion: 1.0.0\n", "mesh/templates/x.yaml": entry("x")})
    helm = f"{{repoURL: {URL}, path: mesh, helm: {{valueFiles: [$values/over/prod.yaml], ignoreMissingValueFiles: true}}}}"
    sources = f"  sources:\n  - {helm}\n  - {{repoURL: {URL}, ref: '{ref}', path: ''}}\n"
    made = application("a", "mesh", "name: prod").rpartition("  source:")[0] + sources
    write(repo, {"argo.yaml": made, "over/prod.yaml": "x: y\n", "y.yaml": entry("y")})
    assert f"argo.yaml:7 [prod] no source has `ref: values`{meant}, so the chart is not rendered" in messages(read(["."]))


def test_what_is_taken_from_another_branch_is_not_judged(repo: Path) -> None:
    write(repo, {"a/x.yaml": entry("x")})
    write(repo, {"1.yaml": application("a", "a", "name: prod"), "2.yaml": application("a", "a", "name: stage", ", targetRevision: next")})
    write(repo, {"3.yaml": application("b", "a", "name: stage", ", targetRevision: next")})
    loaded = read(["."])
    assert found(loaded) == {"prod": ["x"]}
    said = "`a` is taken from `next`, which may not be what is at hand, so it is not read (and 1 more)"
    assert messages(loaded) == [f"2.yaml:6 [] {said}"]


def test_what_applies_applications_asks_for_none_at_another_revision(repo: Path) -> None:
    apps = {
        name: application(name, name, "name: prod", f", targetRevision: {revision}") for name, revision in (("a", "main"), ("b", "next"))
    }
    write(repo, {"root.yaml": application("root", "apps", "name: prod"), "a/x.yaml": entry("x"), "b/y.yaml": entry("y")})
    write(repo, {f"apps/{name}.yaml": text for name, text in apps.items()})
    loaded = read(["."])
    assert found(loaded) == {"prod": ["x"]}
    assert messages(loaded)[0] == "apps/b.yaml:6 [prod] `b` is taken from `next`, which may not be what is at hand, so it is not read"


GENERATORS = {
    "list": ("[{list: {elements: [{c: prod}, {c: stage}]}}]", "over/{{c}}", "name: '{{c}}'", False),
    "list with a name of other letters": ("[{list: {elements: [{a b: prod}, {a b: stage}]}}]", "over/{{a b}}", "name: '{{a b}}'", False),
    "list in Go": ("[{list: {elements: [{c: prod}, {c: stage}]}}]", "over/{{ .c }}", "name: '{{.c}}'", True),
    "list as text": ("[{list: {elementsYaml: '[{c: prod}, {c: stage}]'}}]", "over/{{.c}}", "name: '{{.c}}'", True),
    "clusters": ("[{clusters: {selector: {matchLabels: {mesh: 'on'}}}}]", "over/{{name}}", "server: '{{server}}'", False),
    "clusters with values": (
        "[{clusters: {selector: {matchExpressions: [{key: mesh, operator: Exists}]}, values: {at: '{{metadata.labels.at}}'}}}]",
        "over/{{values.at}}",
        "name: '{{name}}'",
        False,
    ),
    "folders": (f"[{{git: {{repoURL: {URL}, directories: [{{path: over/*}}]}}}}]", "{{path}}", "name: '{{path.basename}}'", False),
    "folders in Go": (
        f"[{{git: {{repoURL: {URL}, directories: [{{path: over/*}}]}}}}]",
        "{{.path.path}}",
        "name: '{{index .path.segments 1}}'",
        True,
    ),
    "files": (f"[{{git: {{repoURL: {URL}, files: [{{path: 'conf/**/*.json'}}]}}}}]", "over/{{cluster.name}}", "name: '{{path[1]}}'", False),
    "matrix": (
        "[{matrix: {generators: [{list: {elements: [{top: over}]}}, "
        f"{{git: {{repoURL: {URL}, directories: [{{path: '{{{{top}}}}/*'}}]}}}}]}}}}]",
        "{{path}}",
        "name: '{{path.basename}}'",
        False,
    ),
    "merge": (
        "[{merge: {mergeKeys: [c], generators: [{list: {elements: [{c: prod, to: x}, {c: stage, to: stage}]}}, "
        "{list: {elements: [{c: prod, to: prod}]}}]}}]",
        "over/{{c}}",
        "name: '{{to}}'",
        False,
    ),
    "selected": (
        "[{list: {elements: [{c: prod}, {c: stage}, {c: dev}]}, selector: {matchExpressions: [{key: c, operator: NotIn, values: [dev]}]}}]",
        "over/{{c}}",
        "name: '{{c}}'",
        False,
    ),
}


@pytest.mark.parametrize(("generators", "path", "destination", "go"), GENERATORS.values(), ids=GENERATORS)
def test_an_application_set_makes_applications(repo: Path, generators: str, path: str, destination: str, go: bool) -> None:
    write(repo, {"over/prod/x.yaml": entry("x"), "over/stage/y.yaml": entry("y"), "over/dev/deep/notes.txt": ""})
    write(repo, {"secrets/1.yaml": secret("prod", "https://1", ", mesh: 'on', at: prod"), "secrets/2.yaml": secret("dev", "https://2")})
    write(repo, {"secrets/3.yaml": secret("stage", "https://3", ", mesh: 'on', at: stage")})
    write(repo, {f"conf/{name}/c.json": f'{{"cluster": {{"name": "{name}"}}}}' for name in ("prod", "stage")})
    write(repo, {"set.yaml": applications(generators, path, destination, go=go)})
    loaded = read(["."])
    assert found(loaded) == {"prod": ["x"], "stage": ["y"]}
    assert messages(loaded) == []


LISTED = "[{list: {elements: [{c: prod, C: ' PROD'}, {c: stage, C: ' STAGE', d: stage}]}}]"
PIPELINES = {
    "functions one after another": "{{ .C | lower | trim }}",
    "a function with its argument": '{{ trimSuffix "-eu" .c }}',
    "the outermost": "{{ $.c }}",
    "a default": '{{ .d | default "prod" }}',
    "a default that comes first": '{{ default "prod" .d }}',
}


@pytest.mark.parametrize("name", PIPELINES.values(), ids=PIPELINES)
def test_plain_functions_of_go_are_understood(repo: Path, name: str) -> None:
    write(repo, {"over/prod/x.yaml": entry("x"), "over/stage/y.yaml": entry("y")})
    write(repo, {"set.yaml": applications(LISTED, "over/{{ .c }}", f"name: '{name}'", go=True)})
    assert found(read(["."])) == {"prod": ["x"], "stage": ["y"]}


OPEN = {
    "a function that is not known": ("{{ .c | shuffle }}", True),
    "a default for what is not understood": ('{{ .c | shuffle | default "prod" }}', True),
    "a field that nothing tells": ("{{ .gone }}", True),
    "a number as a text": ("{{ .n | lower }}", True),
    "a condition": ("{{ if .n }}prod{{ end }}", True),
    "what is no field in Go": ("{{c}}", True),
    "what is a field in Go alone": ("{{ .c }}", False),
    "a field of a text": ("{{c.prod}}", False),
    "a field of a text in Go": ("{{ .c.prod }}", True),
    "a mapping in Go": ("{{ .m }}", True),
    "an item of a text": ("{{c[1]}}", False),
    "an item of a text in Go": ("{{ index .c 1 }}", True),
    "a function of nothing": ("{{ lower }}", True),
}


@pytest.mark.parametrize(("name", "go"), OPEN.values(), ids=OPEN)
@pytest.mark.parametrize("above", ["", "root"])
def test_a_cluster_that_can_not_be_filled_in_is_none(repo: Path, name: str, go: bool, above: str) -> None:
    generators = "[{list: {elements: [{c: prod, n: 1, m: {path: prod}}, {c: stage, n: 1}]}}]"
    write(repo, {"charts/x.yaml": entry("x"), "charts/y.yaml": entry("y"), "own/z.yaml": entry("z")})
    write(repo, {"own.yaml": application("own", "own", "name: dev")})
    write(repo, {"sets/set.yaml": applications(generators, "charts", f"name: '{name}'", go=go)})
    if above:
        write(repo, {"root.yaml": application("root", "sets", "name: dev")})
    loaded = read(["."])
    assert found(loaded) == {"dev": ["z"]}
    said = f"`{name}` can't be filled in from the manifests, so which cluster this is for is not known, and it is not judged"
    assert [message for message in messages(loaded) if "charts" not in message] == [f"sets/set.yaml:10 [] {said}"]


def test_a_cluster_that_can_not_be_filled_in_is_the_one_whose_folder_is_applied(repo: Path) -> None:
    write(repo, {"clusters/prod/x.yaml": entry("x"), "clusters/stage/y.yaml": entry("y")})
    write(repo, {"set.yaml": applications(LISTED, "clusters/{{ .c }}", "name: '{{ .c | shuffle }}'", go=True)})
    assert found(read(["."])) == {"prod": ["x"], "stage": ["y"]}


@pytest.mark.parametrize(("old", "line"), [("namespace: shop", 10), ("name: app", 8)], ids=["a namespace", "a release"])
def test_what_else_can_not_be_filled_in_is_a_blind_spot(repo: Path, old: str, line: int) -> None:
    write(repo, {"own/z.yaml": entry("z"), "own.yaml": application("own", "own", "name: prod")})
    write(repo, {"mesh/Chart.yaml": "apiVersion: v2\nname: mesh\nversion: 1.0.0\n", "mesh/templates/x.yaml": entry("x")})
    made = applications(LISTED, "mesh", "name: '{{ .c }}', namespace: shop", go=True)
    write(repo, {"set.yaml": made.replace(old, f"{old.partition(':')[0]}: '{{{{ .c | shuffle }}}}'")})
    said = "`{{ .c | shuffle }}` can't be filled in from the manifests, so what is applied is not known"
    assert {f"set.yaml:{line} [prod] {said}"} == {
        message for message in messages(read(["."])) if "set.yaml" in message and "prod" in message
    }


PATCHES = {
    "other sources": ("  templatePatch: |\n    spec: {source: {helm: {valueFiles: [x]}}}\n", "warning"),
    "another destination": ("  templatePatch: |\n    spec: {destination: {namespace: x}}\n", "warning"),
    "anything": ("  templatePatch: |\n    spec: {{ .patch | toJson }}\n", "warning"),
    "when it is synced": ("  templatePatch: |\n    spec: {syncPolicy: {automated: {prune: {{ .prune }}}}}\n", "error"),
}


@pytest.mark.parametrize(("patch", "level"), PATCHES.values(), ids=PATCHES)
def test_what_a_patch_of_a_template_applies_may_be_what_is_missing(repo: Path, patch: str, level: str) -> None:
    write(repo, {"over/prod/a.yaml": SOURCE, "over/stage/a.yaml": TARGET.rpartition("---")[0]})
    made = applications(LISTED, "over/{{ .c }}", "name: '{{ .c }}'", go=True)
    write(repo, {"set.yaml": made + patch})
    report = check(load("."))
    assert [(finding.rule, finding.level) for finding in report.findings] == [("shadow-host-not-accepted", level)]
    assert ("unless it comes from set.yaml:12" in report.findings[0].message) == (level == "warning")
    assert {(spot.line, spot.message) for spot in report.blind_spots} == {(12, "what `templatePatch` changes is not judged")}


def test_what_a_template_of_a_generator_applies_may_be_what_is_missing(repo: Path) -> None:
    own = LISTED.replace("list: {", "list: {template: {spec: {source: {path: x}}}, ")
    write(repo, {"over/prod/a.yaml": SOURCE, "over/stage/a.yaml": TARGET.rpartition("---")[0]})
    write(repo, {"set.yaml": applications(own, "over/{{ .c }}", "name: '{{ .c }}'", go=True)})
    (finding,) = check(load(".")).findings
    assert (finding.rule, finding.level) == ("shadow-host-not-accepted", "warning")
    assert "unless it comes from set.yaml:6" in finding.message


UNKNOWN = {
    "clusters": ("[{clusters: {}}]", "are those of Secrets that are not in this repository"),
    "pull requests": ("[{pullRequest: {github: {owner: o}}}]", "a generator `pullRequest` asks outside of manifests"),
    "another repository": ("[{git: {repoURL: https://git.example.com/o/other, files: [{path: x}]}}]", "which is another repository"),
    "half a matrix": ("[{matrix: {generators: [{list: {elements: []}}]}}]", "a matrix has two generators"),
    "nothing": ("[{}]", "asks outside of manifests"),
}


@pytest.mark.parametrize(("generators", "message"), UNKNOWN.values(), ids=UNKNOWN)
def test_what_a_generator_asks_elsewhere_is_a_blind_spot(repo: Path, generators: str, message: str) -> None:
    write(repo, {"over/prod/x.yaml": entry("x"), "1.yaml": application("a", "over/prod", "name: prod")})
    write(repo, {"set.yaml": applications(generators, "over/{{name}}", "name: '{{name}}'")})
    loaded = read(["."])
    assert found(loaded)["prod"] == ["x"]
    assert any(message in said and "which Applications there are is not known" in said for said in messages(loaded))


MISSING = {
    "files": ("files: [{path: cluster/*/config.json}, {path: x}]", "cluster/*/config.json"),
    "folders": ("directories: [{path: over/x, exclude: true}, {path: cluster/*}]", "cluster/*"),
}


@pytest.mark.parametrize(("wanted", "pattern"), MISSING.values(), ids=MISSING)
def test_a_generator_that_nothing_matches_is_a_blind_spot(repo: Path, wanted: str, pattern: str) -> None:
    write(repo, {"clusters/prod/config.json": '{"c": "prod"}', "over/prod/x.yaml": entry("x"), "over/stage/y.yaml": entry("y")})
    generator = f"[{{git: {{repoURL: {URL}, {wanted}}}}}]"
    write(repo, {"set.yaml": applications(generator, "over/{{.c}}", "name: '{{.c}}'", go=True)})
    said = f"nothing here matches `{pattern}`, so this generator makes no Applications"
    assert f"set.yaml:6 [repo] {said}" in messages(read(["."]))


def test_a_generator_in_a_matrix_that_something_matches_once_is_none(repo: Path) -> None:
    write(repo, {"over/prod/apps/x.yaml": entry("x")})
    folders = f"{{git: {{repoURL: {URL}, directories: [{{path: 'over/{{{{.c}}}}/*'}}]}}}}"
    matrix = f"[{{matrix: {{generators: [{{list: {{elements: [{{c: prod}}, {{c: stage}}]}}}}, {folders}]}}}}]"
    write(repo, {"set.yaml": applications(matrix, "{{.path.path}}", "name: '{{.c}}'", go=True)})
    loaded = read(["."])
    assert (found(loaded), messages(loaded)) == ({"prod": ["x"]}, [])


def test_flux_walks_from_the_cluster_to_what_it_applies(repo: Path) -> None:
    source = f"apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {{name: flux-system}}\nspec: {{url: {URL}}}\n"
    for name in ("prod", "stage"):
        write(repo, {f"clusters/{name}/flux-system/gotk-sync.yaml": source + "---\n" + kustomization("flux-system", f"./clusters/{name}")})
        build = f"  targetNamespace: shop\n  postBuild: {{substitute: {{HOST: {name}.example.com}}}}\n"
        write(repo, {f"clusters/{name}/apps.yaml": kustomization("apps", "./apps", build)})
    write(
        repo, {"apps/x.yaml": entry("x") + "spec:\n  hosts: ['${HOST}', \"${OTHER:=other.example.com}\"]\n", "apps/deep/y.yaml": entry("y")}
    )
    loaded = read(["."])
    assert found(loaded) == {"prod": ["shop/x", "shop/y"], "stage": ["shop/x", "shop/y"]}
    (made,) = [m for m in loaded.documents.clusters["stage"].of("ServiceEntry") if m.name == "x"]
    assert made.node["spec"]["hosts"].texts == ("stage.example.com", "other.example.com")
    assert str(made.node["spec"]["hosts"].at(1).place) == "apps/x.yaml:5:22"
    assert messages(loaded) == []


def test_folders_that_flux_syncs_each_by_itself_are_clusters_further_down_too(repo: Path) -> None:
    for name in ("prod/eu", "prod/us", "stage/eu"):
        sync = kustomization("flux-system", f"./clusters/{name}")
        write(repo, {f"clusters/{name}/flux-system/gotk-sync.yaml": sync, f"clusters/{name}/x.yaml": entry(name.replace("/", "-"))})
    loaded = read(["."])
    assert found(loaded) == {"prod-eu": ["prod-eu"], "prod-us": ["prod-us"], "stage": ["stage-eu"]}
    assert messages(loaded) == []


def test_folders_with_the_same_application_each_for_its_own_cluster_are_clusters_further_down_too(repo: Path) -> None:
    for name in ("eu", "us"):
        local = application("shop", f"shop/{name}", "name: in-cluster").replace("name: shop", "name: shop, namespace: argocd")
        write(repo, {f"clusters/prod/{name}/apps/shop.yaml": local, f"shop/{name}/x.yaml": entry(name)})
    assert found(read(["."])) == {"prod-eu": ["eu"], "prod-us": ["us"]}


@pytest.mark.parametrize("destination", ["name: in-cluster", "server: 'https://kubernetes.default.svc'"])
def test_folders_that_one_argo_cd_applies_to_its_own_cluster_are_parts_of_it(repo: Path, destination: str) -> None:
    for name in ("mesh", "shop"):
        write(repo, {f"apps/{name}.yaml": application(name, name, destination), f"{name}/{name}.yaml": entry(name)})
    assert found(read(["."])) == {"repo": ["mesh", "shop"]}


def test_folders_that_each_have_the_same_are_clusters_whoever_applies_them(repo: Path) -> None:
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: shop, namespace: shop}\n---\n"
    for name in ("east", "west"):
        write(repo, {f"apps/{name}.yaml": application(name, name, "name: in-cluster"), f"{name}/x.yaml": service + entry(name)})
    assert found(read(["."])) == {"east": ["east"], "west": ["west"]}


def test_folders_with_applications_of_their_own_are_clusters(repo: Path) -> None:
    for name in ("east", "west"):
        write(repo, {f"{name}/app.yaml": application(name, f"{name}/shop", "name: in-cluster"), f"{name}/shop/x.yaml": entry(name)})
    assert found(read(["."])) == {"east": ["east"], "west": ["west"]}


def test_clusters_may_be_overlays_of_what_they_share(repo: Path) -> None:
    for name in ("prod", "stage"):
        write(
            repo,
            {f"clusters/overlays/{name}/kustomization.yaml": "resources: [../../base, own.yaml]\n", f"shop/{name}/x.yaml": entry(name)},
        )
        write(repo, {f"clusters/overlays/{name}/own.yaml": kustomization("shop", f"./shop/{name}")})
    write(
        repo, {"clusters/base/kustomization.yaml": "resources: [mesh.yaml]\n", "clusters/base/mesh.yaml": kustomization("mesh", "./mesh")}
    )
    write(repo, {"mesh/m.yaml": entry("m")})
    assert found(read(["."])) == {"prod": ["m", "prod"], "stage": ["m", "stage"]}


@pytest.mark.parametrize("namespaces", [("a", "b"), ("", "")])
def test_folders_with_applications_of_one_cluster_stay_its_parts(repo: Path, namespaces: tuple[str, str]) -> None:
    for name, namespace in zip(("mesh", "shop"), namespaces, strict=True):
        local = application("app", name, "name: in-cluster").replace("name: app", f"name: app, namespace: '{namespace}'")
        write(repo, {f"clusters/prod/{name}/app.yaml": local, f"{name}/x.yaml": entry(name)})
    assert found(read(["."])) == {"prod": ["mesh", "shop"]}


def test_folders_that_a_kustomization_above_lists_stay_parts_of_its_cluster(repo: Path) -> None:
    for name in ("a", "b"):
        prefixed = {"kustomization.yaml": f"resources: [app.yaml]\nnamePrefix: {name}-\n", "app.yaml": kustomization("app", f"./{name}")}
        write(repo, {f"clusters/prod/{name}/{file}": text for file, text in prefixed.items()})
        write(repo, {f"{name}/x.yaml": entry(name)})
    write(repo, {"clusters/prod/kustomization.yaml": "resources: [a, b]\n", "clusters/stage/x.yaml": entry("x")})
    assert set(found(read(["."]))) == {"prod", "stage"}


def test_what_flux_can_not_fill_in_is_a_blind_spot(repo: Path) -> None:
    write(repo, {"clusters/prod/apps.yaml": kustomization("apps", "./apps", "  postBuild: {substituteFrom: [{kind: Secret, name: s}]}\n")})
    write(repo, {"apps/x.yaml": entry("x") + "spec: {hosts: ['${HOST}']}\n", "apps/y.yaml": entry("y")})
    loaded = read(["."])
    assert found(loaded) == {"prod": ["y"]}
    assert messages(loaded) == [
        "apps/x.yaml:4 [prod] ServiceEntry default/x: `${HOST}` waits to be filled in",
        "clusters/prod/apps.yaml:7 [prod] what the Secret `s` fills in is not known from this repository",
    ]


@pytest.mark.parametrize(("domain", "said"), [("stage.example.com", []), ("eu.example.com", ["certificate-for-other-host"])])
def test_flux_fills_in_what_a_certificate_is_for(repo: Path, domain: str, said: list[str]) -> None:
    originates = "tls: {mode: SIMPLE, sni: stage.example.com, subjectAltNames: [stage.example.com]}"
    rule = (
        "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: stage}\n"
        f"spec: {{host: stage.example.com, trafficPolicy: {{{originates}}}}}\n"
    )
    server = "{port: {number: 443, name: https, protocol: HTTPS}, hosts: ['*'], tls: {mode: SIMPLE, credentialName: shown}}"
    target = TARGET.replace("{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}", server)
    certificate = (
        "apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: shown, namespace: istio-system}\n"
        "spec: {secretName: shown, dnsNames: ['${domain}']}\n"
    )
    write(repo, {"clusters/prod/x.yaml": SOURCE.replace("protocol: HTTP}", "protocol: HTTP, targetPort: 443}") + rule})
    write(repo, {"apps/x.yaml": target, "apps/certificate.yaml": certificate})
    build = f"  postBuild: {{substitute: {{domain: {domain}}}}}\n"
    write(repo, {"clusters/stage/apps.yaml": kustomization("apps", "./apps", build), ".mirrorlint.yaml": STAGE})
    assert [finding.rule for finding in check(load(".")).findings] == said


@pytest.mark.parametrize(("name", "replicas", "said"), [("web", 2, []), ("api", 2, ["have `app: api`"]), ("web", 0, ["`replicas: 0`"])])
def test_flux_fills_in_what_pods_are_called(repo: Path, name: str, replicas: int, said: list[str]) -> None:
    workload = (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop}\nspec:\n  replicas: ${replicas}\n"
        "  template:\n    metadata:\n      labels: {app: '${name}'}\n      annotations: {agent: '{{ with secret }}'}\n"
    )
    write(repo, {"clusters/prod/x.yaml": SOURCE, "apps/x.yaml": TARGET.replace("spec: {ports", "spec: {selector: {app: web}, ports")})
    build = f"  postBuild: {{substitute: {{name: {name}, replicas: '{replicas}'}}}}\n"
    write(repo, {"apps/w.yaml": workload, "clusters/stage/apps.yaml": kustomization("apps", "./apps", build)})
    report = check(load("."))
    assert [finding.message.rpartition("Deployment default/shop ")[2].removeprefix("has ") for finding in report.findings] == said


def test_a_peer_gets_what_its_own_objects_apply_beside_clusters_that_others_were_found_for(repo: Path, tmp_path: Path) -> None:
    peer = {"clusters/stage/apps.yaml": kustomization("apps", "./apps", "  postBuild: {substitute: {NAME: y}}\n")}
    write(
        tmp_path / "other",
        {**peer, "apps/y.yaml": entry("y") + "spec: {hosts: ['${NAME}']}\n", "apps/kustomization.yaml": "resources: [y.yaml]\n"},
    )
    git(tmp_path / "other", "init", "--quiet")
    write(repo, {"apps.yaml": application("x", "k8s", "name: prod"), "k8s/x.yaml": entry("x")})
    write(repo, {".mirrorlint.yaml": "clusters: {stage: {path: ../other/clusters/stage}}\n"})
    loaded = read(["."])
    assert (found(loaded), messages(loaded)) == ({"prod": ["x"], "stage": ["y"]}, [])


def test_a_base_counts_in_a_folder_as_the_overlays_that_are_applied_from_it_have_it(repo: Path) -> None:
    write(repo, {"base/kustomization.yaml": "resources: [x.yaml]\n", "base/x.yaml": entry("x"), "base/forgotten.yaml": entry("forgotten")})
    write(repo, {"overlays/prod/kustomization.yaml": "namespace: shop\nresources: [../../base]\n", "z.yaml": entry("z")})
    write(repo, {"app.yaml": application("x", "overlays/prod", "name: prod")})
    loaded = read(["prod=."])
    assert found(loaded) == {"prod": ["shop/x", "z"]}
    assert messages(loaded) == ["base/forgotten.yaml:0 [] this file is listed by no kustomization, so its objects are not judged"]


@pytest.mark.parametrize("arguments", [["east=.", "stage=../other"], ["."]])
def test_a_repository_of_several_clusters_stands_for_the_one_of_its_name(repo: Path, tmp_path: Path, arguments: list[str]) -> None:
    peer = {f"clusters/{name}/apps.yaml": kustomization("apps", f"./apps/{name}") for name in ("stage", "dev")}
    write(tmp_path / "other", {**peer, "apps/stage/s.yaml": entry("s"), "apps/dev/d.yaml": entry("d")})
    git(tmp_path / "other", "init", "--quiet")
    write(repo, {f"{name}.yaml": application(name, f"k8s/{name}", f"name: {name}") for name in ("east", "west")})
    write(repo, {"k8s/east/e.yaml": entry("e"), "k8s/west/w.yaml": entry("w")})
    write(repo, {".mirrorlint.yaml": "clusters: {east: , west: , stage: {path: ../other}}\n"} if arguments == ["."] else {})
    loaded = read(arguments)
    assert found(loaded) == {"east": ["e"], "stage": ["s"]} | ({"west": ["w"]} if arguments == ["."] else {})
    assert messages(loaded) == []


def test_flux_takes_variables_from_config_maps(repo: Path) -> None:
    settings = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: flux-system}\ndata: {HOST: a.example.com}\n"
    write(repo, {"clusters/prod/settings.yaml": settings, "apps/x.yaml": entry("x") + "spec: {hosts: ['${HOST}']}\n"})
    write(repo, {"clusters/prod/apps.yaml": kustomization("apps", "apps", "  postBuild: {substituteFrom: [{kind: ConfigMap, name: c}]}\n")})
    (made,) = read(["."]).documents.clusters["prod"].of("ServiceEntry")
    assert made.node["spec"]["hosts"].texts == ("a.example.com",)


@pytest.mark.parametrize("namespace", ["", ", namespace: flux-system"])
def test_flux_takes_variables_of_its_own_cluster(repo: Path, namespace: str) -> None:
    build = "  postBuild: {substituteFrom: [{kind: ConfigMap, name: vars}]}\n"
    for name in ("prod", "stage"):
        values = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: vars{namespace}}}\ndata: {{HOST: {name}.example.com}}\n"
        write(repo, {f"clusters/{name}/settings/vars.yaml": values, f"clusters/{name}/apps.yaml": kustomization("apps", "./apps", build)})
    write(repo, {"apps/x.yaml": entry("x") + "spec: {hosts: ['${HOST}']}\n"})
    clusters = read(["."]).documents.clusters
    hosts = {name: made.node["spec"]["hosts"].texts for name, cluster in clusters.items() for made in cluster.of("ServiceEntry")}
    assert hosts == {"prod": ("prod.example.com",), "stage": ("stage.example.com",)}


def test_flux_takes_no_variables_of_another_cluster(repo: Path) -> None:
    build = "  postBuild: {substituteFrom: [{kind: ConfigMap, name: vars}]}\n"
    for name in ("prod", "stage"):
        write(repo, {f"clusters/{name}/apps.yaml": kustomization("apps", f"./{name}", build)})
        write(repo, {f"{name}/x.yaml": entry("x") + "spec: {hosts: ['${HOST}']}\n"})
    write(repo, {"clusters/stage/vars.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: vars}\ndata: {HOST: a.example.com}\n"})
    loaded = read(["."])
    assert found(loaded) == {"prod": [], "stage": ["x"]}
    assert "clusters/prod/apps.yaml:7 [prod] what the ConfigMap `vars` fills in is not known from this repository" in messages(loaded)[0]


@pytest.mark.parametrize("shared", [False, True], ids=["of one cluster", "of both clusters"])
def test_flux_takes_variables_of_the_cluster_that_applies_what_asks_for_them(repo: Path, shared: bool) -> None:
    build = "  postBuild: {substituteFrom: [{kind: ConfigMap, name: vars}]}\n"
    for name in ("prod", "stage"):
        tenants = "tenants/all" if shared else f"tenants/{name}"
        values = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: vars}}\ndata: {{HOST: {name}.example.com}}\n"
        write(repo, {f"clusters/{name}/vars.yaml": values, f"clusters/{name}/tenants.yaml": kustomization("tenants", f"./{tenants}")})
        write(repo, {f"{tenants}/shop.yaml": kustomization("shop", "./apps", build)})
    write(repo, {"apps/x.yaml": entry("x") + "spec: {hosts: ['${HOST}']}\n"})
    loaded = read(["."])
    hosts = {name: [m.node["spec"]["hosts"].texts for m in c.of("ServiceEntry")] for name, c in loaded.documents.clusters.items()}
    assert hosts == {name: [] if shared else [(f"{name}.example.com",)] for name in ("prod", "stage")}
    unknown = "what the ConfigMap `vars` fills in is not known from this repository"
    assert any(unknown in said for said in messages(loaded)) == shared


UNHASHED = ", options: {disableNameSuffixHash: true}"
GENERATED = {
    "literals": ("literals: [HOST=a.example.com]" + UNHASHED, ["a.example.com"]),
    "a file": ("files: [HOST=host.yaml]" + UNHASHED, ["a.example.com"]),
    "a file of variables": ("envs: [vars.env]" + UNHASHED, []),
    "a file that is not here": ("files: [HOST=gone.yaml]" + UNHASHED, []),
    "a literal without a value": ("literals: [HOST]" + UNHASHED, []),
    "with a hash in its name": ("literals: [HOST=a.example.com]", []),
}


@pytest.mark.parametrize("optional", ["", ", optional: true"], ids=["needed", "optional"])
@pytest.mark.parametrize(("fields", "hosts"), GENERATED.values(), ids=GENERATED)
def test_flux_takes_variables_from_generated_config_maps(repo: Path, fields: str, hosts: list[str], optional: str) -> None:
    build = f"  postBuild: {{substituteFrom: [{{kind: ConfigMap, name: vars{optional}}}]}}\n"
    kustomized = f"resources: [apps.yaml]\nconfigMapGenerator: [{{name: vars, {fields}}}]\n"
    write(repo, {"clusters/prod/apps.yaml": kustomization("apps", "./apps", build), "clusters/prod/kustomization.yaml": kustomized})
    write(repo, {"clusters/prod/vars.env": "HOST=a.example.com\n", "clusters/prod/host.yaml": "a.example.com\n"})
    write(repo, {"apps/x.yaml": entry("x") + "spec: {hosts: ['${HOST}']}\n", "apps/y.yaml": entry("y")})
    loaded = read(["."])
    made = [host for each in loaded.documents.clusters["prod"].of("ServiceEntry") for host in each.node["spec"]["hosts"].texts]
    assert made == hosts
    said = "clusters/prod/apps.yaml:7 [prod] what the ConfigMap `vars` fills in is not known from this repository"
    assert (said in messages(loaded)) == (not hosts)


def test_what_generates_config_maps_is_sought_once_however_many_take_values(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    walks: list[Reach] = []

    def walk(*arguments: Any) -> Reach:
        walks.append(reach(*arguments))
        return walks[-1]

    monkeypatch.setattr(disk, "reach", walk)
    build = "  postBuild: {substituteFrom: [{kind: ConfigMap, name: vars}]}\n"
    for number in range(8):
        write(repo, {f"clusters/prod/{number}.yaml": kustomization(f"apps-{number}", "./apps", build), "apps/x.yaml": entry("x")})
    read(["."])
    assert 0 < len(walks) < 8


@pytest.mark.parametrize("path", ["./", ".", "''", "/"])
def test_what_is_in_an_artifact_of_elsewhere_is_not_known(repo: Path, path: str) -> None:
    pushed = kustomization("mesh", path).replace("{kind: GitRepository, name: flux-system}", "{kind: OCIRepository, name: mesh}")
    write(repo, {"clusters/prod/x.yaml": entry("x"), "clusters/stage/y.yaml": entry("y"), "clusters/stage/mesh.yaml": pushed})
    loaded = read(["."])
    assert found(loaded) == {"prod": ["x"], "stage": ["y"]}
    said = f"nothing here says what is in the OCIRepository `mesh`, so `{path.strip(chr(39)) or '.'}` of it is not read"
    assert messages(loaded) == [f"clusters/stage/mesh.yaml:6 [stage] {said}"]


def test_a_folder_of_an_artifact_of_elsewhere_is_the_one_that_is_here(repo: Path) -> None:
    pushed = kustomization("mesh", "./mesh").replace("{kind: GitRepository, name: flux-system}", "{kind: OCIRepository, name: mesh}")
    write(repo, {"clusters/prod/mesh.yaml": pushed, "mesh/x.yaml": entry("x")})
    assert found(read(["."])) == {"prod": ["x"]}


def test_the_artifact_that_flux_starts_with_is_this_repository(repo: Path) -> None:
    pushed = kustomization("flux-system", "./").replace("kind: GitRepository", "kind: OCIRepository")
    write(repo, {"clusters/prod/x.yaml": entry("x"), "clusters/stage/y.yaml": entry("y"), "clusters/stage/flux.yaml": pushed})
    assert messages(read(["."])) == []


def test_flux_names_a_remote_cluster_by_its_kubeconfig(repo: Path) -> None:
    write(repo, {"hub/stage.yaml": kustomization("stage", "./s", "  kubeConfig: {secretRef: {name: stage-kubeconfig}}\n")})
    write(repo, {"hub/prod.yaml": kustomization("prod", "./p", "  kubeConfig: {secretRef: {name: prod-kubeconfig}}\n")})
    write(repo, {"s/x.yaml": entry("x"), "p/y.yaml": entry("y")})
    assert found(read(["."])) == {"prod": ["y"], "stage": ["x"]}


def test_a_chart_goes_to_the_remote_cluster_of_its_kubeconfig(repo: Path) -> None:
    release = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: shop}\nspec:\n"
    chart = "  kubeConfig: {configMapRef: {name: prod}}\n  chart: {spec: {chart: x, sourceRef: {kind: HelmRepository, name: h}}}\n"
    remote = kustomization("mesh", "./mesh", "  kubeConfig: {configMapRef: {name: prod}}\n")
    write(repo, {"clusters/hub/shop.yaml": release + chart, "clusters/hub/mesh.yaml": remote, "mesh/x.yaml": entry("x")})
    loaded = read(["."])
    assert found(loaded) == {"prod": ["x"]}
    assert messages(loaded) == ["clusters/hub/shop.yaml:6 [prod] the chart `x` is not in this repository, so it is not rendered"]


def test_what_applies_a_kustomization_fills_it_in(repo: Path) -> None:
    inner = kustomization("apps", "./apps/${env}", "  postBuild: {substitute: {HOST: '${env}.example.com'}}\n")
    write(repo, {"flux/apps.yaml": inner, "apps/prod/x.yaml": entry("x") + "spec: {hosts: ['${HOST}']}\n", "apps/stage/y.yaml": entry("y")})
    for name in ("prod", "stage"):
        build = f"  postBuild: {{substitute: {{env: {name}}}}}\n"
        write(repo, {f"clusters/{name}/flux.yaml": kustomization("flux", "./flux", build)})
    loaded = read(["."])
    assert (found(loaded), messages(loaded)) == ({"prod": ["x"], "stage": ["y"]}, [])
    (made,) = loaded.documents.clusters["prod"].of("ServiceEntry")
    assert made.node["spec"]["hosts"].texts == ("prod.example.com",)


def test_a_kustomization_in_which_nothing_fills_in_the_path_is_a_blind_spot(repo: Path) -> None:
    write(repo, {"clusters/prod/apps.yaml": kustomization("apps", "./apps/${env}"), "apps/prod/x.yaml": entry("x")})
    write(repo, {"clusters/prod/y.yaml": entry("y")})
    loaded = read(["."])
    assert found(loaded) == {"prod": ["y"]}
    assert "clusters/prod/apps.yaml:5 [prod] `./apps/${env}` waits to be filled in, so it is not read" in messages(loaded)


def test_a_kubeconfig_that_is_filled_in_names_the_cluster(repo: Path) -> None:
    remote = kustomization("apps", "./apps", "  kubeConfig: {secretRef: {name: '${env}-kubeconfig'}}\n")
    write(repo, {"fleet/apps.yaml": remote, "apps/x.yaml": entry("x")})
    for name in ("prod", "stage"):
        build = f"  postBuild: {{substitute: {{env: {name}}}}}\n"
        write(repo, {f"clusters/hub/{name}.yaml": kustomization(f"fleet-{name}", "./fleet", build)})
    loaded = read(["."])
    assert {name: those for name, those in found(loaded).items() if those} == {"prod": ["x"], "stage": ["x"]}
    assert "${env}" not in found(loaded)


FILLED = {
    "a number": ("'${PORT}'", 8080),
    "a truth": ('"${ON}"', True),
    "what YAML has in quotes": ("'*.${ON}'", "*.true"),
    "a default": ("${OFF:=false}", False),
    "nothing": ("${NONE}", None),
    "what is escaped": ("'$${ON}'", "$${ON}"),
    "a mapping": ("${MORE}", "${MORE}"),
}


@pytest.mark.parametrize(("text", "expected"), FILLED.values(), ids=FILLED)
def test_flux_fills_in_what_kustomize_writes(text: str, expected: object) -> None:
    (node,) = parse(f"x: {text}\n".encode(), "f").documents
    assert substituted(node, {"PORT": "8080", "ON": "true", "NONE": "", "MORE": "a: b"})["x"].value == expected


def test_objects_apply_to_the_clusters_of_the_settings_too(repo: Path) -> None:
    write(repo, {"p/argo.yaml": application("a", "mesh", "server: ''", ", directory: {recurse: true}"), "s/y.yaml": entry("y")})
    write(repo, {"mesh/deep/x.yaml": entry("x"), ".mirrorlint.yaml": "clusters: {prod: {paths: [p]}, stage: {paths: [s]}}\n"})
    assert found(read(["."])) == {"prod": ["x"], "stage": ["y"]}
    assert found(read(["prod=p", "stage=s"])) == {"prod": ["x"], "stage": ["y"]}


def test_charts_from_elsewhere_are_told_once_for_a_cluster(repo: Path) -> None:
    release = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: NAME}\n"
    release += "spec: {chart: {spec: {chart: x, sourceRef: {kind: HelmRepository, name: h}}}}\n"
    write(repo, {f"clusters/prod/{name}.yaml": release.replace("NAME", name) for name in "abc"} | {"clusters/prod/x.yaml": entry("x")})
    said = "the chart `x` is not in this repository, so it is not rendered (and 2 more)"
    assert messages(read(["."])) == [f"clusters/prod/a.yaml:4 [prod] {said}"]


@pytest.mark.parametrize(("chart", "level"), [("kube-prometheus-stack", "error"), ("shop", "warning")])
def test_a_chart_of_a_tool_brings_nothing_that_a_mirror_needs(repo: Path, chart: str, level: str) -> None:
    release = f"""apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: tool}}
spec: {{chart: {{spec: {{chart: {chart}, sourceRef: {{kind: HelmRepository, name: h}}}}}}}}\n"""
    broken = SOURCE.replace("hosts: [stage.example.com]", "hosts: [stage.example.org]")
    write(repo, {"clusters/prod/a.yaml": broken, "clusters/prod/tool.yaml": release, "clusters/stage/a.yaml": TARGET})
    report = check(load("."))
    assert [(finding.rule, finding.level) for finding in report.findings] == [("mirror-to-unknown-host", level)]
    assert ("unless it comes from clusters/prod/tool.yaml:4" in report.findings[0].message) == (level == "warning")


def test_what_is_applied_to_two_clusters_counts_for_both(repo: Path) -> None:
    for name in ("prod", "stage"):
        write(repo, {f"clusters/{name}/apps.yaml": kustomization("apps", "./apps", f"  postBuild: {{substitute: {{HOST: {name}}}}}\n")})
    write(repo, {"apps/mesh.yaml": kustomization("mesh", "./mesh"), "mesh/x.yaml": entry("x")})
    assert found(read(["."])) == {"prod": ["x"], "stage": ["x"]}


def test_objects_outside_of_what_was_asked_for_are_followed_as_well(repo: Path) -> None:
    for name in ("prod", "stage"):
        write(repo, {f"clusters/{name}/apps.yaml": kustomization("apps", f"./apps/{name}")})
        write(repo, {f"apps/{name}/mesh.yaml": kustomization("mesh", "./mesh")})
    write(repo, {"mesh/x.yaml": entry("x")})
    assert found(read(["prod=clusters/prod", "stage=clusters/stage"])) == {"prod": ["x"], "stage": ["x"]}


def test_what_paths_are_near_to_is_sought_once_however_many_applications_name_them(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sought: list[str] = []

    def closest(word: str, known: Iterable[str], least: float) -> str:
        sought.append(word)
        return likeness.closest(word, known, least)

    monkeypatch.setattr(land, "closest", closest)
    write(repo, {f"{n}.yaml": application(f"a{n}", f"chart/{n % 2}", "name: prod") for n in range(6)})
    write(repo, {f"charts/{n}/x.yaml": entry("x") for n in range(2)})
    assert sum("did you mean `charts/" in message for message in messages(read(["."]))) == 6
    assert sorted(sought) == ["0", "1", "chart", "chart"]


def test_a_path_that_is_nearly_a_folder_is_asked_for(repo: Path) -> None:
    write(repo, {"argo.yaml": application("a", "chart/orders", "name: prod"), "charts/orders/x.yaml": entry("x"), "y.yaml": entry("y")})
    asked = "`chart/orders` is no folder with manifests here (did you mean `charts/orders`?)"
    assert [spot.message for spot in read(["."]).documents.blind_spots] == [asked]
    git(repo, "remote", "remove", "origin")
    asked = f"`chart/orders` is no folder here (did you mean `charts/orders`?), or `{URL}` is another repository, so it is not read"
    (spot,) = read(["."]).documents.blind_spots
    assert (spot.message, spot.path, spot.line) == (asked, "argo.yaml", 6)


def test_a_path_of_flux_that_is_nearly_a_folder_is_asked_for(repo: Path) -> None:
    write(
        repo, {"clusters/prod/apps.yaml": kustomization("apps", "./apps/stage"), "apps/stage-eu/x.yaml": entry("x"), "y.yaml": entry("y")}
    )
    asked = "clusters/prod/apps.yaml:5 [repo] `./apps/stage` is no folder with manifests here (did you mean `apps/stage-eu`?)"
    assert asked in messages(read(["."]))


def test_a_path_that_is_like_a_folder_elsewhere_is_not_asked_for(repo: Path) -> None:
    write(repo, {"clusters/prod/apps.yaml": kustomization("apps", "./apps/shop/db"), "apps/shops/x.yaml": entry("x")})
    assert "clusters/prod/apps.yaml:5 [repo] `./apps/shop/db` is no folder with manifests here" in messages(read(["."]))


def test_an_object_in_a_folder_that_is_applied_without_it_is_followed(repo: Path) -> None:
    write(repo, {"root.yaml": application("root", "apps", "name: prod"), "apps/kustomization.yaml": "resources: [y.yaml]\n"})
    write(repo, {"apps/other.yaml": application("other", "mesh", "name: prod"), "mesh/x.yaml": entry("x"), "apps/y.yaml": entry("y")})
    assert found(read(["."])) == {"prod": ["x", "y"]}


@pytest.mark.parametrize("namespace", ["", "namespace: shop\n"])
def test_an_object_in_a_base_counts_where_the_base_is_applied(repo: Path, namespace: str) -> None:
    write(
        repo,
        {
            "base/mesh.yaml": kustomization("mesh", "./mesh"),
            "base/kustomization.yaml": "resources: [mesh.yaml]\n",
            "mesh/x.yaml": entry("x"),
        },
    )
    for name in ("prod", "stage"):
        write(repo, {f"clusters/{name}/apps.yaml": kustomization("apps", f"./apps/{name}")})
        write(repo, {f"apps/{name}/kustomization.yaml": f"resources: [../../base]\n{namespace}"})
    assert found(read(["."])) == {"prod": ["x"], "stage": ["x"]}


def test_a_placeholder_in_a_base_is_no_cluster(repo: Path) -> None:
    write(repo, {"base/app.yaml": application("a", "mesh", "name: PLACEHOLDER"), "base/kustomization.yaml": "resources: [app.yaml]\n"})
    for name in ("prod", "stage"):
        patch = f"patches: [{{target: {{kind: Application}}, patch: '[{{op: replace, path: /spec/destination/name, value: {name}}}]'}}]\n"
        write(repo, {f"apps/{name}/kustomization.yaml": f"resources: [../../base]\n{patch}"})
        write(repo, {f"argocd/{name}.yaml": application(f"apps-{name}", f"apps/{name}", "server: ''")})
    write(repo, {"mesh/x.yaml": entry("x")})
    assert "PLACEHOLDER" not in found(read(["."]))


def test_what_a_folder_lists_elsewhere_is_of_the_cluster_that_it_is_built_for(repo: Path) -> None:
    write(repo, {"apps/kustomization.yaml": "resources: [../base]\n", "base/kustomization.yaml": "resources: [x.yaml]\n"})
    write(repo, {"base/x.yaml": entry("x"), "argo.yaml": application("a", "apps", "name: prod", ", kustomize: {commonLabels: {a: b}}")})
    assert not any("base/x.yaml" in message for message in messages(read(["."])))


def test_objects_that_apply_each_other_end(repo: Path) -> None:
    write(repo, {"a/b.yaml": application("b", "b", "name: prod"), "b/a.yaml": application("a", "a", "name: prod"), "b/x.yaml": entry("x")})
    assert found(read(["."])) == {"prod": ["x"]}


def test_what_is_for_a_cluster_that_settings_do_not_have_is_said(repo: Path) -> None:
    write(repo, {"p/a.yaml": application("a", "mesh", "name: other"), "p/x.yaml": entry("x"), "mesh/y.yaml": entry("y")})
    write(repo, {".mirrorlint.yaml": "clusters: {prod: {paths: [p]}}\n"})
    loaded = read(["."])
    assert found(loaded) == {"prod": ["x"]}
    assert any("Application a is for no cluster that was found" in message for message in messages(loaded))


def test_objects_that_do_but_apply_more_are_for_no_cluster_without_a_word(repo: Path) -> None:
    write(
        repo,
        {
            "argocd/root.yaml": application("root", "argocd/apps", "name: in-cluster"),
            "argocd/apps/a.yaml": application("a", "mesh", "name: prod"),
        },
    )
    write(repo, {"mesh/y.yaml": entry("y"), ".mirrorlint.yaml": "clusters: {prod: {paths: [mesh]}}\n"})
    loaded = read(["."])
    assert found(loaded) == {"prod": ["y"]}
    assert messages(loaded) == []


OPERATED = {
    "a ResourceSet with routes": (
        "fluxcd.controlplane.io/v1",
        "ResourceSet",
        "{resources: [{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: << inputs.t >>}}]}",
        "warning",
    ),
    "a ResourceSet with releases": (
        "fluxcd.controlplane.io/v1",
        "ResourceSet",
        "{resourcesTemplate: 'apiVersion: helm.toolkit.fluxcd.io/v2'}",
        "warning",
    ),
    "a ResourceSet with neither": (
        "fluxcd.controlplane.io/v1",
        "ResourceSet",
        "{resources: [{apiVersion: v1, kind: ConfigMap}], resourcesTemplate: 'kind: ServiceAccount'}",
        "error",
    ),
    "an App": ("kappctrl.k14s.io/v1alpha1", "App", "{fetch: [{git: {url: https://example.com/a.git}}]}", "warning"),
    "an App of others": ("example.com/v1", "App", "{fetch: []}", "error"),
}


@pytest.mark.parametrize(("version", "kind", "spec", "level"), OPERATED.values(), ids=OPERATED)
def test_what_an_operator_makes_of_an_object_may_be_what_is_missing(repo: Path, version: str, kind: str, spec: str, level: str) -> None:
    operated = f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: more}}\nspec: {spec}\n"
    write(repo, {"clusters/prod/a.yaml": SOURCE, "clusters/stage/a.yaml": TARGET.rpartition("---")[0], "clusters/stage/b.yaml": operated})
    report = check(load("."))
    assert [(finding.rule, finding.level) for finding in report.findings] == [("shadow-host-not-accepted", level)]
    assert ("unless it comes from clusters/stage/b.yaml" in report.findings[0].message) == (level == "warning")
    assert len(report.blind_spots) == (level == "warning")
