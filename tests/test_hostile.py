"""Input that is made to break a program: each gives a message with its place, in little time, and the rest is still judged."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from repositories import write
from test_cli import run

from mirrorlint.loading import files, read
from mirrorlint.loading.globs import matches

ROOT = Path(__file__).parent.parent
VIRTUAL_SERVICE = "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: x}\nspec: "
APPLICATION = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\nspec: "
SET = "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: a}\nspec: "
FLUX = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: a}\nspec: "


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = Path(shutil.copytree(ROOT / "examples/as-first-written", tmp_path / "repo"))
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    return root


def judged(root: Path, *args: str) -> str:
    """The report, which has the example's finding still."""
    result = run(*args, cwd=root)
    assert (result.returncode, result.stderr) == (1, "")
    assert "clusters/stage/virtual-service.yaml:10:7" in result.stdout
    return " ".join(result.stdout.split())


def bomb(levels: int) -> str:
    lines = [f"l{number}: &l{number} [{', '.join([f'*l{number - 1}'] * 9)}]" for number in range(1, levels)]
    return "l0: &l0 [x]\n" + "\n".join(lines) + "\n"


def matrix(depth: int) -> str:
    inner = "list: {elements: [{a: 1}, {a: 2}, {a: 3}, {a: 4}, {a: 5}, {a: 6}, {a: 7}, {a: 8}]}"
    for _ in range(depth):
        inner = f"matrix: {{generators: [{{{inner}}}, {{list: {{elements: [{{b: 1}}, {{b: 2}}, {{b: 3}}, {{b: 4}}]}}}}]}}"
    return inner


TEXTS = {
    "brackets": (VIRTUAL_SERVICE + "[" * 50_000, "values are nested deeper than 128 levels"),
    "dashes": (VIRTUAL_SERVICE + "\n" + "- " * 50_000, "values are nested deeper than 128 levels"),
    "an alias bomb": (VIRTUAL_SERVICE + "\n  " + bomb(30).replace("\n", "\n  "), "aliases stand for more than"),
    "a cycle": (VIRTUAL_SERVICE + "&a [*a]\n", "`*a` stands inside the value it refers to"),
    "a key that is there twice": (VIRTUAL_SERVICE + "{hosts: [a], hosts: [b]}\n", "is already a key of this mapping"),
    "a control character": (VIRTUAL_SERVICE + "\x01\n", "character U+0001 is not allowed"),
    "a tag": (VIRTUAL_SERVICE + "!!python/object/apply:os.system [true]\n", ""),
    "a huge number": (VIRTUAL_SERVICE + "{http: [{mirrorPercentage: {value: " + "9" * 5000 + "}}]}\n", ""),
    "a percentage that is not a number": (
        VIRTUAL_SERVICE + "{hosts: [a], http: [{fault: {abort: {percentage: {value: .nan}}}}]}\n",
        "`value` is `.nan`, which JSON does not have, where a number is meant",
    ),
    "a percentage beyond all numbers": (
        VIRTUAL_SERVICE
        + "{hosts: [a], http: [{route: [{destination: {host: b}}], mirror: {host: c}, mirrorPercentage: {value: 1e308}}]}\n",
        "",
    ),
    "an Application without anything": (APPLICATION + "\n", ""),
    "an Application of lists": (APPLICATION + "{sources: {a: b}, source: [1], destination: [x]}\n", ""),
    "an Application with components of lists": (
        APPLICATION + "{source: {repoURL: x, path: clusters/prod, kustomize: {components: [[x], {a: b}, 5]}}}\n",
        "",
    ),
    "an Application of itself": (APPLICATION + "{source: {repoURL: x, path: clusters/prod, directory: {recurse: true}}}\n", ""),
    "an Application of the world": (APPLICATION + "{source: {repoURL: x, path: ../../../../etc}}\n", "is another repository"),
    "a path with a null byte": (APPLICATION + '{source: {repoURL: x, path: "clusters/\\0"}}\n', "is another repository"),
    "a Kustomization of the world": (
        FLUX + "{path: /../../etc, sourceRef: {kind: GitRepository, name: x}}\n",
        "is no folder with manifests here",
    ),
    "a Kustomization of itself": (FLUX + "{path: clusters/prod, sourceRef: {kind: GitRepository, name: x}}\n", ""),
    "a Kustomization with a component": (
        FLUX + "{path: clusters/prod, components: 5, sourceRef: {kind: GitRepository, name: x}}\n",
        "",
    ),
    "a Service that is there twice, with annotations of a list": (
        2 * "---\napiVersion: v1\nkind: Service\nmetadata: {name: a, annotations: [x]}\n" + "spec: {}\n",
        "",
    ),
    "a matrix of matrices": (
        SET + f"{{generators: [{{{matrix(12)}}}], template: {{spec: {{source: {{repoURL: x}}}}}}}}\n",
        "more than 2000",
    ),
    "a pattern of stars": (
        SET + "{generators: [{git: {repoURL: x, directories: [{path: '" + "**/a*" * 60 + "'}]}}], template: {}}\n",
        "is another repository",
    ),
    "braces that open for ever": (
        SET + "{generators: [{list: {elements: [{}]}}], template: {spec: {source: {path: '" + "{{" * 9999 + "'}}}}\n",
        "",
    ),
    "a kustomization of nothing": ("kind: Kustomization\nresources: [[[]], {a: b}, '', null]\n", ""),
}


@pytest.mark.parametrize(("text", "message"), TEXTS.values(), ids=TEXTS)
def test_a_hostile_text_is_a_message_and_no_more(repo: Path, text: str, message: str) -> None:
    write(repo, {"clusters/prod/hostile.yaml": text})
    report = judged(repo)
    assert message in report
    if message:
        assert "clusters/prod/hostile.yaml" in report


@pytest.mark.parametrize(
    "text", [text for text, message in TEXTS.values() if message], ids=[name for name, (_, message) in TEXTS.items() if message]
)
def test_a_hostile_kustomization_is_told(repo: Path, text: str) -> None:
    write(repo, {"clusters/prod/hostile/kustomization.yaml": text})
    assert "clusters/prod/hostile/kustomization.yaml" in judged(repo)


@pytest.mark.parametrize(
    "data", [b"\xff" * 999, b"\xff\xfe\x00\xd8", b"\xef\xbb\xbf\x00", b"%YAML 9.9\n---\n", b"\x00" * 4096, b"---\n" * 9999]
)
def test_bytes_that_are_no_text_are_no_trouble(repo: Path, data: bytes) -> None:
    (repo / "clusters/prod/hostile.yaml").write_bytes(data)
    assert "error[shadow-host-not-accepted]" in judged(repo)


def test_a_file_of_200_mb_is_left_out(repo: Path) -> None:
    with (repo / "clusters/prod/hostile.yaml").open("wb") as file:
        file.truncate(200 << 20)
    assert "clusters/prod/hostile.yaml:1: the file is larger than 32 MiB and is not read" in judged(repo)


def test_more_files_than_can_be_read_are_a_blind_spot(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_NAMES", 3)
    assert "there are more than 3 files here, and the rest is not read" in run(cwd=repo).stdout.replace("\n    ", " ")


def test_more_bytes_than_can_be_read_are_a_blind_spot(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mirrorlint.loading.batch.MAX_TOTAL", 1)
    assert "GiB was read before it, so nothing in it is judged" in run(cwd=repo).stdout.replace("\n    ", " ")


DISK: dict[str, tuple[Callable[[Path], object], str]] = {
    "a pipe": (lambda root: os.mkfifo(root / "clusters/prod/hostile.yaml"), "this is not a regular file"),
    "a link to itself": (lambda root: (root / "clusters/prod/hostile.yaml").symlink_to("hostile.yaml"), "this link leads to nothing"),
    "a link out of the tree": (lambda root: (root / "clusters/prod/hostile").symlink_to("/etc"), "this link leads out of the repository"),
    "a link upwards": (lambda root: (root / "clusters/prod/hostile").symlink_to(".."), "so it is not followed"),
    "a name that is not UTF-8": (lambda root: Path(os.fsdecode(bytes(root) + b"/clusters/prod/hostile\xff.yaml")).touch(), "is not UTF-8"),
}


@pytest.mark.parametrize(("make", "message"), DISK.values(), ids=DISK)
def test_what_is_no_file_is_a_blind_spot(repo: Path, make: Callable[[Path], object], message: str) -> None:
    shutil.rmtree(repo / ".git")  # Git lists no pipes
    make(repo)
    report = judged(repo)
    assert message in report
    assert "clusters/prod/hostile" in report


SETTINGS = {
    "brackets": "[" * 50_000,
    "an alias bomb": bomb(30),
    "clusters that are a list": "clusters: [a]\n",
    "a path with a null byte": 'clusters: {a: {paths: ["\\0"]}}\n',
    "a path that is a list": "clusters: {a: {paths: [[a]]}}\n",
    "a cluster without a name": "clusters: {'': {paths: [clusters]}, ' ': {}}\nx: 1\n",
    "a name that steers the terminal": 'clusters: {"\\e[31m": {pahts: []}}\n',
    "a huge port": "clusters: {a: {ingress: {ports: {80: 999999999999999999999}}}}\n",
}


@pytest.mark.parametrize("text", SETTINGS.values(), ids=SETTINGS)
def test_hostile_settings_are_wrong_usage_with_a_place(repo: Path, text: str) -> None:
    write(repo, {".mirrorlint.yaml": text})
    result = run(cwd=repo)
    assert (result.returncode, result.stdout) == (2, "")
    assert ".mirrorlint.yaml:1:" in result.stderr or ".mirrorlint.yaml:2:" in result.stderr
    assert "\x1b" not in result.stderr


def test_settings_that_are_a_pipe_do_not_keep_anyone_waiting(repo: Path) -> None:
    os.mkfifo(repo / "settings.yaml")
    assert run("--config", "settings.yaml", cwd=repo).returncode in (0, 1)


RELEASE = """apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: a}
spec:
  releaseName: RELEASE
  chart: {spec: {chart: chart, sourceRef: {kind: GitRepository, name: x}}}
"""
HOSTILE_CHARTS = {
    "a name that is an option": ("--post-renderer=./evil", {}, "helm can't render this"),
    "a name with a null byte": ('"a\\0b"', {}, "null byte"),
    "a template without an end": (
        "r",
        {"templates/x.yaml": "{{ range until 999999999 }}xxxxxxxxxxxxxxxx{{ end }}"},
        "helm can't render this",
    ),
    "a schema that is elsewhere": (
        "r",
        {"values.schema.json": '{"$ref": "http://127.0.0.1:1/x"}'},
        "a schema of the chart's values is elsewhere",
    ),
}


@pytest.mark.skipif(not shutil.which("helm"), reason="helm is not here")
@pytest.mark.parametrize(("release", "more", "message"), HOSTILE_CHARTS.values(), ids=HOSTILE_CHARTS)
def test_a_hostile_chart_runs_nothing(
    repo: Path, release: str, more: dict[str, str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mirrorlint.loading.renders.DEADLINE", 5.0)
    write(repo, {"chart/Chart.yaml": "apiVersion: v2\nname: c\nversion: 1.0.0\n", **{f"chart/{name}": text for name, text in more.items()}})
    write(repo, {"clusters/prod/release.yaml": RELEASE.replace("RELEASE", release), "evil": "#!/bin/sh\ntouch ran\n"})
    (repo / "evil").chmod(0o755)
    report = run(cwd=repo).stdout
    assert message in report.replace("\n    ", " ")
    assert not list(repo.rglob("ran"))


@pytest.mark.skipif(not (shutil.which("kustomize") or shutil.which("kubectl")), reason="neither kustomize nor kubectl is here")
def test_a_kustomization_with_a_program_of_its_own_runs_nothing(repo: Path) -> None:
    function = "config.kubernetes.io/function: '{exec: {path: ./evil}}'"
    generator = f"apiVersion: x/v1\nkind: X\nmetadata: {{name: x, annotations: {{{function}}}}}\n"
    write(repo, {"clusters/prod/k/kustomization.yaml": "generators: [g.yaml]\n", "clusters/prod/k/g.yaml": generator})
    write(repo, {"clusters/prod/k/evil": "#!/bin/sh\ntouch ran\n"})
    (repo / "clusters/prod/k/evil").chmod(0o755)
    assert "kustomize can't render this" in run(cwd=repo).stdout.replace("\n    ", " ")
    assert not list(repo.rglob("ran"))


PATTERNS = {
    ("apps/*", "apps/a"): True,
    ("apps/*", "apps/a/b"): False,
    ("**/x.json", "x.json"): True,
    ("**/x.json", "a/b/x.json"): True,
    ("**/x.json", "a/bx.json"): False,
    ("a/**", "a/b/c"): True,
    ("a?c", "abc"): True,
    ("a?c", "a/c"): False,
    ("{a,b*}.yaml", "bc.yaml"): True,
    ("{a,b}.yaml", "c.yaml"): False,
    ("*.yaml", ".yaml"): True,
}


@pytest.mark.parametrize(("pair", "expected"), PATTERNS.items(), ids=str)
def test_patterns_match_as_in_argo_cd(pair: tuple[str, str], expected: bool) -> None:
    assert matches(*pair) is expected


def test_a_pattern_costs_no_more_than_its_length() -> None:
    assert not matches("**/" * 50 + "*a" * 50 + "{a,b}" * 50, "a/" * 200)


@settings(max_examples=500, deadline=None)
@given(pattern=st.text("ab*?/", max_size=8).filter(lambda text: "***" not in text), path=st.text("ab/", max_size=8))
def test_patterns_match_as_the_regular_expressions_that_they_stand_for(pattern: str, path: str) -> None:
    stands_for = {"**/": "(?:|.*/)", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    expression = re.sub(r"\*\*/|\*\*|\*|\?", lambda found: stands_for[found[0]], pattern)
    if not re.search(r"[^/]\*\*/", pattern):  # Argo CD takes `a**/` as `a*/`
        assert matches(pattern, path) == bool(re.fullmatch(expression, path))


def test_a_fleet_of_hostile_applications_loads(repo: Path) -> None:
    write(repo, {f"clusters/prod/{number}.yaml": text for number, (text, _) in enumerate(TEXTS.values())})
    assert read([str(repo)]).documents.clusters
