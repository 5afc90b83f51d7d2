"""What is kept of runs over files that are made of others: they depend on all that a render or a GitOps object reads."""

from __future__ import annotations

import gc
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from runs import edit, git, rest, run

from mirrorlint.loading import renders

URL = "https://git.example.com/org/repo"
ENTRY = "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: NAME}\nspec: {hosts: ['HOST']}\n"
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\ndata: {HOST: one.example.com}\n"
SYNC = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps}
spec:
  path: ./apps
  sourceRef: {kind: GitRepository, name: flux-system}
"""
RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: mesh}
spec:
  chart: {spec: {chart: ./charts/mesh, sourceRef: {kind: GitRepository, name: flux-system}}}
"""
APPLICATIONS = f"""\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {{name: set}}
spec:
  generators: [{{git: {{repoURL: {URL}, directories: [{{path: over/*}}]}}}}]
  template:
    metadata: {{name: app}}
    spec:
      destination: {{name: '{{{{path.basename}}}}'}}
      source: {{repoURL: {URL}, path: '{{{{path}}}}'}}
"""
# What stands in for a renderer: it tells that it ran, and prints all files below `templates` of a chart, or below a base.
RENDERER = f"""\
#!{sys.executable}
import json, pathlib, sys
here = pathlib.Path(sys.argv[0]).parent.parent
with open(here / "ran", "a") as ran:
    print(*sys.argv[1:], file=ran)
if sys.argv[1] == "template":
    found = pathlib.Path(sys.argv[-1]) / "templates"
else:
    found = pathlib.Path(sys.argv[2]) / json.loads((pathlib.Path(sys.argv[2]) / "kustomization.yaml").read_text())["resources"][0]
print("\\n".join(file.read_text() for file in sorted(found.glob("*.txt"))))
"""


def write(name: str, text: str) -> None:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def renderer(name: str) -> None:
    write(f"../bin/{name}", RENDERER)
    Path(f"../bin/{name}").chmod(0o755)


def entry(name: str, host: str) -> str:
    return ENTRY.replace("NAME", name).replace("HOST", host)


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    root = tmp_path / "repo"
    root.mkdir()
    monkeypatch.chdir(root)
    renderer("helm")
    Path("../bin/git").symlink_to(shutil.which("git") or "git")
    for name, value in {"PATH": str(tmp_path / "bin"), "XDG_CACHE_HOME": str(tmp_path / "cache"), "NO_COLOR": "1"}.items():
        monkeypatch.setenv(name, value)
    git("init", "--quiet")
    git("remote", "add", "origin", URL)
    yield root
    gc.enable()


@pytest.fixture
def said(repo: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Any:
    assert repo.exists()

    def once(*arguments: str) -> tuple[int, str, bool]:
        renders.program.cache_clear()
        rest()
        return run(monkeypatch, capfd, *arguments)

    yield once
    renders.program.cache_clear()


def flux() -> None:
    more = "  postBuild: {substituteFrom: [{kind: ConfigMap, name: settings}]}\n"
    write("clusters/prod/sync.yaml", SYNC + more)
    write("clusters/prod/settings.yaml", CONFIG.replace("NAME", "settings"))
    write("apps/x.yaml", entry("x", "${HOST}"))


def release() -> None:
    write("clusters/prod/release.yaml", RELEASE)
    write("charts/mesh/Chart.yaml", "apiVersion: v2\nname: mesh\nversion: 1.0.0\n")
    write("charts/mesh/templates/a.txt", entry("a", "a.example.com"))
    write(".gitignore", "*.txt\npart\n")


def overlay() -> None:
    write("clusters/prod/kustomization.yaml", "namePrefix: a-\nresources: [x.yaml, config.yaml]\npatches: [{path: part}]\n")
    write("clusters/prod/x.yaml", entry("x", "a.example.com"))
    write("clusters/prod/config.yaml", CONFIG.replace("NAME", "settings"))
    write("clusters/prod/part", entry("x", "b.example.com"))
    write(".gitignore", "*.txt\npart\n")


def patched() -> None:
    write("clusters/prod/sync.yaml", SYNC + "  patches: [{patch: '{}'}]\n")
    write("apps/x.yaml", entry("x", "a.example.com"))
    write("apps/config.yaml", CONFIG.replace("NAME", "settings"))


def built() -> None:
    overlay()
    renderer("kustomize")


def chart() -> None:
    write("clusters/prod/mesh/Chart.yaml", "apiVersion: v2\nname: mesh\nversion: 1.0.0\n")
    write("clusters/prod/mesh/templates/a.yaml", CONFIG.replace("NAME", "settings").replace("ConfigMap", "Job"))


def applications() -> None:
    write("set.yaml", APPLICATIONS)
    write("over/prod/x.yaml", entry("x", "a.example.com"))
    write("over/stage/y.yaml", entry("y", "b.example.com"))
    write("over/stage/config.yaml", CONFIG.replace("NAME", "other"))


INPUTS = {
    "a ConfigMap that fills in": (flux, lambda: edit("clusters/prod/settings.yaml", "one", "two")),
    "another ConfigMap of that name": (flux, lambda: write("clusters/prod/more.yaml", CONFIG.replace("NAME", "settings"))),
    "a template that Git ignores": (release, lambda: edit("charts/mesh/templates/a.txt", "name: a", "name: b")),
    "a further template that Git ignores": (release, lambda: write("charts/mesh/templates/b.txt", entry("b", "b"))),
    "a file of a chart that Git ignores": (release, lambda: write("charts/mesh/notes.txt", "")),
    "a chart's file that is not read": (release, lambda: write("charts/mesh/values.json", "{}")),
    "another renderer": (release, lambda: edit("../bin/helm", "found.glob", "found.rglob")),
    "no renderer any more": (release, lambda: Path("../bin/helm").unlink()),
    "a renderer that was not there": (overlay, lambda: renderer("kustomize")),
    "a renderer that has another name": (overlay, lambda: renderer("kubectl")),
    "a patch that Git ignores": (built, lambda: edit("clusters/prod/part", "b.example", "c.example")),
    "what is patched": (overlay, lambda: edit("clusters/prod/config.yaml", "one", "two")),
    "what Flux patches": (patched, lambda: edit("apps/config.yaml", "one", "two")),
    "a chart that nothing renders": (chart, lambda: edit("clusters/prod/mesh/templates/a.yaml", "one.example.com", "networking.istio.io")),
    "a patch that is gone": (built, lambda: Path("clusters/prod/part").unlink()),
    "the repository's address": (applications, lambda: git("remote", "set-url", "origin", "https://git.example.com/org/other")),
    "a folder for a generator": (applications, lambda: write("over/dev/z.yaml", entry("z", "c.example.com"))),
    "an object that applies": (applications, lambda: edit("set.yaml", "over/*", "over/p*")),
    "an object that is there twice": (applications, lambda: write("over/prod/y.yaml", entry("x", "a.example.com"))),
    "Istio's settings": (applications, lambda: write("over/prod/mesh.yaml", CONFIG.replace("NAME", "istio"))),
}


@pytest.mark.parametrize(("begin", "change"), INPUTS.values(), ids=INPUTS)
def test_a_run_depends_on_all_that_was_read(said: Any, begin: Any, change: Any) -> None:
    begin()
    git("add", ".")
    before = said()
    assert said() == (*before[:2], False)
    change()
    after = said()
    assert after[2]
    assert after == said("--no-cache")


def test_what_nothing_asks_for_may_change(said: Any) -> None:
    applications()
    git("add", ".")
    code, text, _ = said()
    edit("over/stage/config.yaml", "one", "two")
    assert said() == (code, text, False)


def ran() -> int:
    return len(Path("../ran").read_text().splitlines())


def test_renders_are_kept_for_every_command(said: Any) -> None:
    release()
    git("add", ".")
    assert "1 documents" not in said("--no-cache")[1]
    assert ran() == 1
    said("--no-cache")
    assert ran() == 2
    said()
    assert ran() == 3
    write("clusters/prod/more.yaml", entry("more", "d.example.com"))
    assert said()[2]
    assert said("clusters")[0] == 0
    assert ran() == 3


def test_what_could_not_be_rendered_is_tried_again(said: Any) -> None:
    release()
    edit("../bin/helm", "found = pathlib", "sys.exit('no memory'); found = pathlib")
    git("add", ".")
    assert "helm can't render this: no memory" in said()[1]
    assert said()[2]
    assert ran() == 2


def test_a_chart_of_applications_that_could_not_be_rendered_is_tried_again(said: Any) -> None:
    destination = "destination: {name: prod}"
    root = f"source: {{repoURL: {URL}, path: charts/apps}}, destination: {{name: admin}}"
    write("root.yaml", f"apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: root}}\nspec: {{{root}}}\n")
    write("charts/apps/Chart.yaml", "apiVersion: v2\nname: apps\nversion: 1.0.0\n")
    mesh = f"spec:\n  source: {{repoURL: {URL}, path: over/prod}}\n  {destination}\n"
    write("charts/apps/templates/a.txt", f"apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: mesh}}\n{mesh}")
    write("charts/apps/templates/a.yaml", "{{/*\nkind: Application\n*/}}")
    applications()
    Path("set.yaml").unlink()
    edit("../bin/helm", "found = pathlib", "len(open(here / 'ran').readlines()) == 1 and sys.exit('no memory'); found = pathlib")
    git("add", ".")
    said()
    assert said()[2]
    assert not said()[2]


def test_a_chart_of_applications_is_rendered_once_whomever_its_applications_are_for(said: Any) -> None:
    for cluster, path in (("prod", "own/root.yaml"), ("admin", "admin.yaml")):
        source = f"source: {{repoURL: {URL}, path: charts/{cluster}}}, destination: {{name: {cluster}}}"
        write(path, f"apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {cluster}}}\nspec: {{{source}}}\n")
        write(f"charts/{cluster}/Chart.yaml", f"apiVersion: v2\nname: {cluster}\nversion: 1.0.0\n")
        write(f"charts/{cluster}/templates/a.yaml", "{{/*\nkind: Application\n*/}}")
    write("own/x.yaml", entry("x", "x.example.com"))
    write(".mirrorlint.yaml", "clusters: {prod: {paths: [own]}}\n")
    git("add", ".")
    said("--no-cache")
    assert sum("charts/admin" in each for each in Path("../ran").read_text().splitlines()) == 1


def test_of_a_long_error_the_last_cause_is_told(said: Any) -> None:
    release()
    edit("../bin/helm", "found = pathlib", "sys.exit('it failed: ' * 99 + 'no memory'); found = pathlib")
    git("add", ".")
    text = " ".join(said()[1].split())
    assert "helm can't render this: ... it failed: " in text
    assert "it failed: no memory " in text
    assert text.count("it failed") < 50


def test_a_chart_with_a_file_that_can_not_be_read_is_not_kept(said: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    release()
    git("add", ".")
    monkeypatch.setattr(renders, "_hash", lambda file: os.stat(file + "gone"))
    assert said()[0] == 0
    write("clusters/prod/more.yaml", entry("more", "d.example.com"))
    said()
    assert ran() == 2


SECRETS = """\
apiVersion: v1
kind: Secret
metadata:
  name: tls
  annotations: &all
    kubectl.kubernetes.io/last-applied-configuration: hidden-1
type: kubernetes.io/tls
data: &data {tls.crt: aGlkZGVuLTI=, tls.key: aGlkZGVuLTM=}
---
apiVersion: v1
kind: Secret
metadata: {name: prod, labels: {argocd.argoproj.io/secret-type: cluster}}
stringData: {name: prod, server: 'https://prod.example.com', config: hidden-4}
---
apiVersion: v1
kind: Secret
metadata: {name: again}
type: kubernetes.io/tls
data: *data
"""


def test_nothing_secret_is_kept(said: Any) -> None:
    release()
    write("secrets.yaml", SECRETS)
    write("charts/mesh/templates/b.txt", SECRETS.replace("hidden-", "rendered-"))
    git("add", ".")
    said()
    kept = b"".join(file.read_bytes() for file in Path("../cache").rglob("*") if file.is_file())
    assert b"prod.example.com" in kept
    assert not [secret for secret in (b"hidden-", b"aGlkZGVuLT", b"rendered-") if secret in kept]
