"""`check --only-changed`: findings that the last commit does not have, or that touch what is being changed, at either end."""

from __future__ import annotations

from pathlib import Path

import pytest
from repositories import LOST_AT, MIRROR_AT, RULE, edit, example, git, write
from test_cli import Result, run
from test_rendering import HELM, KUSTOMIZE

COMMENT = "# a comment\n"
ENTRY = """apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: NAME, namespace: web}
spec:
  hosts: [NAME.example.com]
  ports: [{number: 80, name: http, protocol: HTTP}]
  resolution: DNS
"""
SERVICE = """apiVersion: v1
kind: Service
metadata: {name: shop, namespace: web}
spec:
  selector: {app: shop}
  ports: [{name: http, port: 80}]
"""
MIRROR = """apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: web}
spec:
  hosts: [shop]
  http:
  - route: [{destination: {host: shop}}]
    mirror: {host: stage.example.com, port: {number: 80}}
"""
INGRESS = """apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: ingress, namespace: web}
spec:
  selector: {istio: ingressgateway}
  servers: [{hosts: ['*'], port: {name: http, number: 80, protocol: HTTP}}]
"""
ROUTE = """apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shadows, namespace: web}
spec:
  hosts: ['*']
  gateways: [ingress]
  http: [{route: [{destination: {host: shop, port: {number: 80}}}]}]
"""
DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
spec:
  template:
    metadata:
      labels: {app: shop}
    spec:
      containers: [{name: shop, image: "shop:1"}]
"""
CONFIG_MAP = """apiVersion: v1
kind: ConfigMap
metadata: {name: told, namespace: flux-system}
data: {host: stage.example.com}
"""
APPLICATION = """apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: NAME, namespace: argocd}
spec:
  source: {repoURL: https://git.example.com/org/repo, path: apps/NAME, directory: {recurse: true}}
  destination: {name: NAME, namespace: web}
"""
FLUX = """apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec:
  path: ./apps/NAME
  sourceRef: {kind: GitRepository, name: flux-system}
"""
RELEASE = """apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: shop, namespace: web}
spec:
  chart: {spec: {chart: ./charts/shop, sourceRef: {kind: GitRepository, name: flux-system}}}
"""
VALUES = RELEASE.partition("  chart:")[0] + "  values: {hosts: ['*']}\n"
REPLACED = """resources: [service.yaml, entry.yaml, mirror.yaml, told.yaml]
replacements:
- source: {kind: ConfigMap, name: told, fieldPath: data.host}
  targets: [{select: {kind: VirtualService}, fieldPaths: [spec.http.0.mirror.host]}]
"""
SOURCE = {
    "service.yaml": SERVICE,
    "entry.yaml": ENTRY.replace("NAME", "stage") + "---\n" + ENTRY.replace("NAME", "other"),
    "mirror.yaml": MIRROR,
}
TARGET = {"service.yaml": SERVICE, "ingress.yaml": INGRESS, "routes/route.yaml": ROUTE}


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return example(tmp_path / "repo")


def committed(root: Path, files: dict[str, str]) -> Path:
    write(root / "repo", files)
    git(root / "repo", "init", "--quiet")
    git(root / "repo", "remote", "add", "origin", "https://git.example.com/org/repo")
    git(root / "repo", "add", ".")
    git(root / "repo", "commit", "--quiet", "-m", "first")
    return root / "repo"


def changed(repo: Path, *args: str) -> Result:
    return run("check", "--only-changed", *args, cwd=repo)


def touch(file: Path) -> None:
    file.write_text(file.read_text() + COMMENT)


def test_without_a_change_nothing_is_shown_and_that_is_said(repo: Path) -> None:
    result = changed(repo)
    assert result.returncode == 0
    assert RULE not in result.stdout
    assert result.stderr == "mirrorlint: not shown: 1 at files that have not changed\n"


@pytest.mark.parametrize("end", [LOST_AT, MIRROR_AT])
@pytest.mark.parametrize("add", [False, True], ids=["in the working tree", "staged"])
def test_a_change_at_either_end_shows_the_finding(repo: Path, end: str, add: bool) -> None:
    touch(repo / end)
    if add:
        git(repo, "add", ".")
    result = changed(repo)
    assert (result.returncode, result.stderr) == (1, "")
    assert changed(repo, "--staged").returncode == int(add)


def test_a_change_elsewhere_does_not(repo: Path) -> None:
    touch(repo / "clusters/prod/httpbin.yaml")
    assert changed(repo).returncode == 0


@pytest.mark.parametrize("subfolder", [".", "clusters/prod"])
def test_a_new_file_is_a_change(repo: Path, subfolder: str) -> None:
    edit(repo / LOST_AT, "httpbin", "httpbin")
    git(repo, "rm", "--quiet", "--cached", LOST_AT)
    git(repo, "commit", "--quiet", "-m", "less")
    result = run("check", "--only-changed", repo, cwd=repo / subfolder)
    assert (result.returncode, result.stderr) == (1, "")
    assert run("check", "--only-changed", "--staged", repo, cwd=repo / subfolder).returncode == 0


def test_before_the_first_commit_everything_is_a_change(repo: Path) -> None:
    git(repo, "update-ref", "-d", "HEAD")
    assert changed(repo).returncode == 1
    assert changed(repo, "--staged").returncode == 1


def below(folder: str, files: dict[str, str]) -> dict[str, str]:
    return {f"{folder}/{name}": text for name, text in files.items()}


PLAIN = below("clusters/prod", SOURCE) | below("clusters/stage", TARGET)
APPLIED = below("apps/prod", SOURCE) | below("apps/stage", TARGET)
ARGO = APPLIED | {f"argo/{name}.yaml": APPLICATION.replace("NAME", name) for name in ("prod", "stage")}
FLUXED = APPLIED | {f"clusters/{name}/apps.yaml": FLUX.replace("NAME", name) for name in ("prod", "stage")}
FILLED = FLUXED | {"apps/prod/mirror.yaml": MIRROR.replace("stage.example.com", '"${host}"'), "clusters/prod/told.yaml": CONFIG_MAP}
FILLED |= {"clusters/prod/apps.yaml": FLUX.replace("NAME", "prod") + "  postBuild: {substituteFrom: [{kind: ConfigMap, name: told}]}\n"}
BUILT = PLAIN | {"clusters/prod/kustomization.yaml": REPLACED, "clusters/prod/told.yaml": CONFIG_MAP}
BUILT |= {"clusters/prod/mirror.yaml": MIRROR.replace("stage.example.com", "none")}
RELEASED = FLUXED | below("apps/stage", {"release.yaml": RELEASE, "values.yaml": VALUES, "routes/route.yaml": ""})
RELEASED |= {"apps/stage/kustomization.yaml": "resources: [service.yaml, ingress.yaml, release.yaml]\npatches: [{path: values.yaml}]\n"}
RELEASED |= {"charts/shop/Chart.yaml": "apiVersion: v1\nname: shop\nversion: 0.1.0\n", "charts/shop/values.yaml": "hosts: [shop]\n"}
RELEASED |= {"charts/shop/templates/route.yaml": ROUTE.replace("['*']", "{{ toYaml .Values.hosts | nindent 4 }}")}


@pytest.mark.parametrize(
    ("files", "path", "old", "new"),
    [
        pytest.param(PLAIN, "clusters/prod/entry.yaml", "stage.example.com", "gateway.acme.io", id="the host of a ServiceEntry"),
        pytest.param(PLAIN, "clusters/stage/service.yaml", "name: shop", "name: storefront", id="the name of a Service"),
        pytest.param(PLAIN, "clusters/prod/entry.yaml", ENTRY.replace("NAME", "stage") + "---\n", "", id="a document of a file"),
        pytest.param(ARGO, "argo/stage.yaml", ", directory: {recurse: true}", "", id="what an Application takes"),
        pytest.param(FILLED, "clusters/prod/told.yaml", "host: stage", "host: stag", id="what Flux fills in"),
        pytest.param(BUILT, "clusters/prod/told.yaml", "stage.example", "stag.example", id="the source of a replacement", marks=KUSTOMIZE),
        pytest.param(RELEASED, "apps/stage/values.yaml", "'*'", "stag.example.com", id="a patch of values", marks=[KUSTOMIZE, HELM]),
        pytest.param(RELEASED, "charts/shop/templates/route.yaml", ROUTE[:20], "#", id="a template", marks=[KUSTOMIZE, HELM]),
    ],
)
def test_a_loss_that_a_change_brings_is_shown_wherever_it_is(tmp_path: Path, files: dict[str, str], path: str, old: str, new: str) -> None:
    repo = committed(tmp_path, files)
    assert run("check", cwd=repo).returncode == 0
    edit(repo / path, old, new)
    assert changed(repo).returncode == 1
    assert changed(repo, "--staged").returncode == 0
    git(repo, "add", ".")
    assert changed(repo, "--staged").returncode == 1


def test_so_is_one_that_a_deleted_file_brings(tmp_path: Path) -> None:
    repo = committed(tmp_path, PLAIN)
    (repo / "clusters/prod/entry.yaml").unlink()
    assert changed(repo).returncode == 1


@HELM
@KUSTOMIZE
def test_so_is_one_that_a_deleted_template_brings(tmp_path: Path) -> None:
    repo = committed(tmp_path, RELEASED)
    (repo / "charts/shop/templates/route.yaml").unlink()
    assert changed(repo).returncode == 1


@pytest.mark.parametrize("before", [f"rules: {{{RULE}: warning}}\n", "clusters: []\n"], ids=["milder", "of no use"])
def test_so_is_one_that_settings_bring(repo: Path, before: str) -> None:
    write(repo, {".mirrorlint.yaml": before})
    git(repo, "add", ".")
    git(repo, "commit", "--quiet", "-m", "settings")
    write(repo, {".mirrorlint.yaml": f"rules: {{{RULE}: error}}\n"})
    assert changed(repo).returncode == 1


@pytest.mark.parametrize("option", ["--config", "--baseline"])
def test_a_file_that_an_option_names_shows_everything(repo: Path, option: str) -> None:
    file = repo / "told.yaml"
    file.write_text("rules: {}\n")
    if option == "--baseline":
        run("check", "--baseline", file, "--write-baseline", cwd=repo)
        edit(file, '"fingerprint": "', '"fingerprint": "0')
    result = changed(repo, option, "told.yaml")
    assert result.returncode == 1
    assert "mirrorlint: all findings are shown: told.yaml has changed, which any of them may come from\n" in result.stderr


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("README.md", "more"),
        ("clusters/prod/deployment.yaml", DEPLOYMENT.replace("shop:1", "shop:2")),
        ("clusters/third/service.yaml", SERVICE),
        ("clusters/prod/cart.yaml", MIRROR.replace("shop", "cart").partition("    mirror:")[0] + "---\n" + SERVICE.replace("shop", "cart")),
        ("clusters/prod/entry.yaml", ENTRY.replace("NAME", "other") + COMMENT),
        (".mirrorlint.yaml", COMMENT),
    ],
)
@pytest.mark.parametrize("built", [False, pytest.param(True, marks=KUSTOMIZE)], ids=["read", "built"])
def test_a_change_that_brings_no_loss_shows_no_old_one(tmp_path: Path, path: str, text: str, built: bool) -> None:
    files = PLAIN | {"clusters/prod/deployment.yaml": DEPLOYMENT, "clusters/prod/entry.yaml": ENTRY.replace("NAME", "other")}
    if built:
        listed = "resources: [service.yaml, mirror.yaml, deployment.yaml]\nnamePrefix: a-\n"
        files["clusters/prod/kustomization.yaml"] = listed
    repo = committed(tmp_path, files)
    assert run("check", cwd=repo).returncode == 1
    write(repo, {path: text})
    assert changed(repo).returncode == 0
    git(repo, "add", ".")
    assert changed(repo, "--staged").returncode == 0


def test_a_change_of_one_mirror_shows_nothing_of_another(tmp_path: Path) -> None:
    lost = {"clusters/prod/entry.yaml": ENTRY.replace("NAME", "other")}
    other = {"clusters/prod/cart.yaml": MIRROR.replace("shop", "cart").replace("stage", "gone") + "---\n" + SERVICE.replace("shop", "cart")}
    repo = committed(tmp_path, PLAIN | lost | other)
    touch(repo / "clusters/prod/cart.yaml")
    result = changed(repo)
    assert (result.returncode, result.stderr) == (1, "mirrorlint: not shown: 1 at files that have not changed\n")
    assert "clusters/prod/mirror.yaml:" not in result.stdout


def test_a_change_in_another_repository_counts_too(repo: Path, tmp_path: Path) -> None:
    peer = example(tmp_path / "peer")
    sides = ("prod=clusters/prod", f"stage={peer / 'clusters' / 'stage'}")
    assert changed(repo, *sides).returncode == 0
    touch(peer / LOST_AT)
    assert changed(repo, *sides).returncode == 1


def test_outside_of_git_it_is_wrong_usage(tmp_path: Path, repo: Path) -> None:
    result = run("check", "--only-changed", repo, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert "`--only-changed`" in result.stderr


def test_a_run_that_was_kept_is_no_answer_once_a_commit_is_made(repo: Path) -> None:
    touch(repo / LOST_AT)
    git(repo, "add", ".")
    assert changed(repo).returncode == 1
    git(repo, "commit", "--quiet", "-m", "second")
    assert changed(repo).returncode == 0
