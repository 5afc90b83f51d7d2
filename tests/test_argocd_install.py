"""What is shipped for Argo CD: the sidecar, its image and the job do what docs/argocd.md says."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from test_argocd import BIN, PLUGIN
from test_cli import EXAMPLES, ROOT

SHIPPED = ROOT / "argocd"
KUSTOMIZE = ["kustomize", "build"] if shutil.which("kustomize") else ["kubectl", "kustomize"]
REPO_SERVER = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: argocd-repo-server
spec:
  template:
    spec:
      containers:
        - name: argocd-repo-server
          image: argocd
      volumes:
        - name: var-files
          emptyDir: {}
        - name: plugins
          emptyDir: {}
"""


def load(file: Path) -> Any:
    return yaml.safe_load(file.read_text(encoding="utf-8"))


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, Any]:
    """Argo CD's repo-server with our component, as Kustomize makes them, by kind."""
    if not shutil.which(KUSTOMIZE[0]):
        pytest.skip("neither kustomize nor kubectl is here")
    shutil.copytree(SHIPPED, tmp_path / "argocd")
    (tmp_path / "repo-server.yaml").write_text(REPO_SERVER)
    (tmp_path / "kustomization.yaml").write_text("namespace: argocd\nresources: [repo-server.yaml]\ncomponents: [argocd]\n")
    built = subprocess.run([*KUSTOMIZE, tmp_path], capture_output=True, check=True)
    return {each["kind"]: each for each in yaml.safe_load_all(built.stdout)}


def test_the_component_puts_the_sidecar_beside_the_repo_server(installed: dict[str, Any]) -> None:
    pod = installed["Deployment"]["spec"]["template"]["spec"]
    containers = {each["name"]: each for each in pod["containers"]}
    assert containers.keys() == {"argocd-repo-server", "mirrorlint"}
    sidecar = containers["mirrorlint"]
    mounted = {each["mountPath"]: each["name"] for each in sidecar["volumeMounts"]}
    assert set(mounted.values()) <= {each["name"] for each in pod["volumes"]}
    assert "/tmp" in mounted  # noqa: S108 (the only place that it can write to)
    assert sidecar["securityContext"]["runAsUser"] == 999
    assert (sidecar["securityContext"]["readOnlyRootFilesystem"], sidecar["securityContext"]["runAsNonRoot"]) == (True, True)


def test_the_sidecar_reads_the_plugin_that_is_tested(installed: dict[str, Any]) -> None:
    config = installed["ConfigMap"]
    assert yaml.safe_load(config["data"]["plugin.yaml"]) == load(PLUGIN)
    volumes = installed["Deployment"]["spec"]["template"]["spec"]["volumes"]
    assert {"name": "mirrorlint-plugin", "configMap": {"name": config["metadata"]["name"]}} in volumes


def test_the_image_has_all_that_the_package_is_made_of_and_no_root() -> None:
    lines = (SHIPPED / "Containerfile").read_text().splitlines()
    copied = {word for line in lines if line.startswith("COPY") and "--from" not in line for word in line.split()[1:-1]}
    assert copied == {"pyproject.toml", "README.md", "LICENSE", "linter", "rules"}
    assert all((ROOT / name).exists() for name in copied)
    assert [line for line in lines if line.startswith("USER")] == ["USER 999"]


@pytest.mark.parametrize(("example", "code"), [("as-first-written", 1), ("sound", 0)])
def test_the_job_fails_when_shadows_are_lost(example: str, code: int, tmp_path: Path) -> None:
    pod = load(SHIPPED / "presync-job.yaml")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    shutil.copytree(EXAMPLES / example, tmp_path / "repo")
    around = {"PATH": f"{BIN}:{os.environ['PATH']}", "XDG_CACHE_HOME": str(tmp_path)}
    result = subprocess.run(container["command"], cwd=tmp_path / "repo", env=around, capture_output=True, check=False)
    assert result.returncode == code
    assert container["workingDir"] == pod["initContainers"][0]["args"][-1]
