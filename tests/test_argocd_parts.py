"""The plugin's parts: where an application lies, how it is rendered, what is said of it, and what a failure of ours does."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from repositories import RULE, write
from test_cli import EXAMPLES, Result, run
from test_rendering import HELM

from mirrorlint.argocd import AUTO, CLOSED, ENFORCE, OPEN, PLAIN, WARN, place, plugin, rendering
from mirrorlint.argocd.parameters import Policy
from mirrorlint.argocd.plugin import Options
from mirrorlint.argocd.verdict import Question, Verdict, judge

COPY = "/srv/_cmp_server/0b1c"
OBJECT = "kind: A\nmetadata: {name: y}\n"


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = Path(shutil.copytree(EXAMPLES / "as-first-written", tmp_path / "repo"))
    monkeypatch.chdir(root)
    return root


@pytest.mark.parametrize(
    ("folder", "source_path", "expected"),
    [
        pytest.param(f"{COPY}/apps/shop", "apps/shop", place.Place(COPY, "apps/shop"), id="the whole repository"),
        pytest.param(COPY, ".", place.Place(COPY, "."), id="the root of the repository"),
        pytest.param(f"{COPY}/shop", "apps/shop", place.Place(COPY, "shop", partial=True), id="a part of it"),
        pytest.param("/src/repo/apps/shop", "apps/shop", place.Place("/src/repo", "apps/shop"), id="another copy"),
        pytest.param("/src/repo", "apps/shop", place.Place("/src/repo", "."), id="an unknown place"),
        pytest.param("/src/repo", "", place.Place("/src/repo", "."), id="without Argo CD"),
    ],
)
def test_where_an_application_lies(folder: str, source_path: str, expected: place.Place) -> None:
    assert place.find(folder, source_path) == expected


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Renderers that print their own command line as an object."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    for name in ("kustomize", "helm"):
        (folder / name).write_text('#!/bin/sh\necho "kind: A"\necho "command: $(basename $0) $*"\n')
        (folder / name).chmod(0o755)
    return folder


def rendered(repo: Path, file: str, **environment: str) -> str:
    (repo / file).write_text("apiVersion: v2\nname: a\nversion: 1.0.0\n")
    return rendering.render(rendering.Application(str(repo), environment, ("values.yaml",)), AUTO, "", 60).decode()


@pytest.mark.usefixtures("programs")
@pytest.mark.parametrize("file", ["kustomization.yaml", "kustomization.yml", "Kustomization"])
def test_a_kustomization_is_built(repo: Path, file: str) -> None:
    assert "command: kustomize build .\n" in rendered(repo, file)


def test_kubectl_builds_it_where_there_is_no_kustomize(repo: Path, programs: Path) -> None:
    (programs / "kustomize").rename(programs / "kubectl")
    programs.joinpath("kubectl").chmod(0o755)
    assert "command: kubectl kustomize .\n" in rendered(repo, "kustomization.yaml")


@pytest.mark.usefixtures("programs")
def test_a_chart_is_rendered_for_its_release_and_cluster(repo: Path) -> None:
    said = {"ARGOCD_APP_NAME": "shop", "ARGOCD_APP_NAMESPACE": "web", "KUBE_VERSION": "1.34.0", "KUBE_API_VERSIONS": "v1,apps/v1"}
    assert rendered(repo, "Chart.yaml", **said).splitlines()[1] == (
        "command: helm template shop . --include-crds --namespace web --kube-version 1.34.0"
        " --api-versions=v1 --api-versions=apps/v1 --values=values.yaml"
    )
    assert "command: helm template release . --include-crds --values=values.yaml\n" in rendered(repo, "Chart.yaml")


@HELM
def test_charts_that_a_chart_depends_on_are_built_as_argo_cd_does(tmp_path: Path) -> None:
    lib = {"lib/Chart.yaml": "apiVersion: v2\nname: lib\nversion: 1.0.0\ntype: library\n"}
    needs = "dependencies: [{name: lib, version: 1.0.0, repository: 'file://../lib'}]\n"
    chart = {"app/Chart.yaml": f"apiVersion: v2\nname: app\nversion: 1.0.0\n{needs}", "app/templates/a.yaml": '{{ include "lib.a" . }}\n'}
    write(tmp_path, lib | chart | {"lib/templates/_a.tpl": f'{{{{ define "lib.a" }}}}{OBJECT}{{{{ end }}}}'})
    application = rendering.Application(str(tmp_path / "app"), {})
    assert OBJECT in rendering.render(application, AUTO, "", 60).decode()
    assert sorted(path.name for path in (tmp_path / "app").iterdir()) == ["Chart.yaml", "templates"]
    (tmp_path / "app/Chart.yaml").write_text((tmp_path / "app/Chart.yaml").read_text().replace("../lib", "../gone"))
    with pytest.raises(rendering.RenderError, match=r"helm dependency build.*ended with status 1"):
        rendering.render(application, AUTO, "", 60)


def plain(repo: Path, **files: str) -> bytes:
    folder = repo / "plain"
    folder.mkdir()
    for name, text in files.items():
        (folder / name.replace("_", ".", 1)).write_text(text)
    return rendering.render(rendering.Application(str(folder), {}), AUTO, "", 60)


def test_a_plain_folder_is_its_own_manifests_byte_by_byte(repo: Path) -> None:
    text = "kind: A  # a comment\nvalue: 012\n"
    assert plain(repo, a_yaml=text, b_yml=OBJECT) == f"\n---\n{text}\n---\n{OBJECT}".encode()


def test_of_a_plain_folder_only_manifests_are_taken(repo: Path) -> None:
    (repo / "plain" / "below").mkdir(parents=True)
    (repo / "plain" / "below" / "a.yaml").write_text(OBJECT)
    (repo / "plain" / ".hidden.yaml").write_text(OBJECT)
    (repo / "plain" / "values.yaml").write_text("name: a\n")
    (repo / "plain" / "note.md").write_text("kind: A\n")
    (repo / "plain" / "a.json").write_text('{\n\t"kind": "A"\n}')
    (repo / "plain" / "b.yaml").write_bytes(b"\xef\xbb\xbfkind: B\n")
    printed = rendering.render(rendering.Application(str(repo / "plain"), {}), PLAIN, "", 60)
    assert printed == b'\n---\n{"kind": "A"}\n---\nkind: B\n'


def test_what_can_not_be_read_is_left_to_argo_cd_and_json_is_not(repo: Path) -> None:
    assert plain(repo, a_yaml="kind: [\n") == b"\n---\nkind: [\n"
    (repo / "plain" / "a.json").write_text('{"kind": "A",}')
    with pytest.raises(rendering.RenderError, match=r"a\.json is not JSON"):
        rendering.render(rendering.Application(str(repo / "plain"), {}), PLAIN, "", 60)


def test_a_link_that_leads_to_nothing_is_no_manifest_less(repo: Path) -> None:
    (repo / "clusters/stage/link.yaml").symlink_to("/nowhere.yaml")
    outcome = plugin.generate(str(repo / "clusters/stage"), {}, Options())
    assert (outcome.manifests, outcome.code) == (b"", 1)
    assert "link.yaml can't be read" in outcome.said


def judged(path: str = "clusters/stage", **more: object) -> Verdict:
    return judge(Question(path, **more))  # type: ignore[arg-type]


def test_errors_come_first_and_no_more_than_fit(repo: Path) -> None:
    mirror = repo / "clusters/prod/virtual-service.yaml"
    text = mirror.read_text().replace("mirror_percent: 100", "mirror_percent: 50\n      mirrorPercentage: {value: 7}")
    service = mirror.with_name("httpbin.yaml").read_text()
    for number in range(4):
        another = text.replace("httpin.frontend", f"nowhere{number}")
        mirror.with_name(f"other{number}.yaml").write_text(f"{another}\n---\n{service}".replace("httpbin", f"other{number}"))
    verdict = judged("clusters/prod")
    heads = [line for line in verdict.text.splitlines() if not line.startswith(" ")]
    assert (verdict.errors, heads[-1]) == (5, "and 4 more")
    assert [head.partition("[")[0] for head in heads[:-1]] == ["error"] * 5


@pytest.mark.usefixtures("repo")
def test_a_rendered_document_that_is_broken_is_an_error() -> None:
    verdict = judged(rendered=b"apiVersion: networking.istio.io/v1\nkind: Gateway\nspec:\n\tservers: []\n")
    assert "error[broken-document]" in verdict.text
    assert "clusters/stage (rendered):4:1" in verdict.text


def test_what_a_rendered_object_is_made_of_is_not_there_twice(repo: Path) -> None:
    base = repo / "base"
    (repo / "clusters/stage").rename(base)
    (repo / "clusters/stage").mkdir()
    (repo / "clusters/stage/kustomization.yaml").write_text("resources: [../../base]\n")
    (base / "kustomization.yaml").write_text("resources: [gateway.yaml, httpbin.yaml, virtual-service.yaml]\n")
    whole = b"\n---\n".join(path.read_bytes() for path in sorted(base.glob("[ghv]*.yaml")))
    assert judged(rendered=whole.replace(b"'*.frontend.stage.eu.trv.cloud'", b"'*'")).errors == 0
    verdict = judged(rendered=whole)
    assert (verdict.errors, f"error[{RULE}]" in verdict.text) == (1, True)


def test_a_loss_with_some_versions_of_istio_says_which(repo: Path) -> None:
    shutil.copytree(EXAMPLES / "as-published", repo, dirs_exist_ok=True)
    (place, *_) = [line for line in judged().text.splitlines() if line.startswith("  clusters/stage")]
    assert place.endswith(", with Istio 1.28 and later)")


def test_an_application_may_be_all_that_is_known_of_its_cluster(repo: Path) -> None:
    stage = b"\n---\n".join(path.read_bytes() for path in sorted((repo / "clusters/stage").iterdir()))
    (repo / "apps").mkdir()
    shutil.rmtree(repo / "clusters/stage")
    verdict = judged("apps", rendered=stage, cluster="stage")
    assert (verdict.errors, "(stage, VirtualService" in verdict.text) == (1, True)


def test_a_peer_of_the_settings_may_lie_elsewhere(repo: Path, tmp_path: Path) -> None:
    peer = shutil.move(repo / "clusters/stage", tmp_path / "peer")
    (repo / ".mirrorlint.yaml").write_text("clusters: {prod: {paths: [clusters/prod]}, stage: {path: ../nowhere}}\n")
    assert "the peer `stage` is not here" in judged("clusters/prod").text
    verdict = judged("clusters/prod", peers={"stage": str(peer)})
    assert (verdict.errors, "not judged" in verdict.text) == (1, False)


@pytest.fixture
def contract(repo: Path, tmp_path: Path) -> Path:
    """What the example's stage accepts, of which the repository keeps nothing."""
    file = tmp_path / "stage.json"
    assert run("contract", "export", "clusters/stage", "--output", str(file), cwd=repo).returncode == 0
    shutil.rmtree(repo / "clusters/stage")
    return file


def test_a_peer_may_be_a_contract(contract: Path) -> None:
    assert judged("clusters/prod").errors == 0
    verdict = judged("clusters/prod", peers={"stage": str(contract)})
    assert (verdict.errors, verdict.text.startswith(f"error[{RULE}]")) == (1, True)
    assert "  stage://clusters/stage/virtual-service.yaml:10:7 (stage, " in verdict.text


def test_what_a_contract_expects_counts_where_the_application_would_break_it(repo: Path, tmp_path: Path) -> None:
    """The target's repository, with the contract of a source whose shadows all arrive."""
    shutil.copytree(EXAMPLES / "sound", repo, dirs_exist_ok=True)
    (repo / ".mirrorlint/peers").mkdir(parents=True)
    run("contract", "export", "--cluster", "prod", "--output", ".mirrorlint/peers/prod.json", cwd=repo)
    shutil.move(repo / "clusters/prod", tmp_path / "prod")
    assert judged() == Verdict("", 0)
    stage = b"\n---\n".join(path.read_bytes() for path in sorted((repo / "clusters/stage").iterdir()))
    verdict = judged(rendered=stage.replace(b"    - '*'\n  http", b"    - other.example\n  http"))
    assert (verdict.errors, verdict.text.startswith(f"error[{RULE}]")) == (1, True)
    assert "  prod://clusters/prod/virtual-service.yaml:17:15: this mirror sends" in verdict.text
    (repo / "apps").mkdir()
    assert judged("apps", rendered=OBJECT.encode(), cluster="stage").errors == 0


def test_settings_may_name_the_contract_of_a_peer(repo: Path, contract: Path) -> None:
    shutil.move(contract, repo / "stage.json")
    for key in ("contract", "path"):
        (repo / ".mirrorlint.yaml").write_text(f"clusters: {{prod: {{paths: [clusters/prod]}}, stage: {{{key}: stage.json}}}}\n")
        assert f"error[{RULE}]" in judged("clusters/prod").text


def test_a_contract_that_is_no_use_is_told_and_stops_nothing(contract: Path) -> None:
    contract.write_text(contract.read_text().replace('"objects"', '"subjects"'))
    verdict = judged("clusters/prod", peers={"stage": str(contract)})
    assert (verdict.errors, "`accepts` has no `objects`; `mirrorlint contract export` writes it anew" in verdict.text) == (0, True)


def test_findings_in_what_is_rendered_point_at_what_was_written(repo: Path) -> None:
    prod = repo / "clusters/prod"
    rendered = b"\n---\n".join(file.read_bytes() for file in sorted(prod.iterdir()))
    assert "  clusters/prod/virtual-service.yaml:17:15: this mirror sends" in judged("clusters/prod", rendered=rendered).text
    other = rendered.replace(b"httpin.frontend", b"other.frontend")
    line = other[: other.index(b"host: other")].count(b"\n") + 1
    assert f"  clusters/prod (rendered):{line}:15: this mirror sends" in judged("clusters/prod", rendered=other).text


def test_what_is_at_the_root_leaves_the_other_clusters_as_they_are(repo: Path) -> None:
    (repo / "clusters/prod/broken.yaml").write_text("apiVersion: networking.istio.io/v1\nkind: Gateway\nspec:\n\tservers: []\n")
    stage = b"\n---\n".join(path.read_bytes() for path in sorted((repo / "clusters/stage").iterdir()))
    verdict = judged(".", rendered=stage, cluster="stage")
    assert "clusters/prod/broken.yaml:4:1 (prod)" in verdict.text
    assert f"error[{RULE}]" in verdict.text


def commands(*args: str, cwd: Path) -> Result:
    return run("argocd", *args, cwd=cwd)


def test_the_command_line_prints_all_or_nothing(repo: Path) -> None:
    result = commands("generate", cwd=repo / "clusters/stage")
    assert (result.returncode, result.stdout.count("kind:"), result.stderr) == (0, 3, "")
    (repo / "clusters/stage/gateway.yaml").write_text("name: a\n")
    result = commands("generate", "--render-cmd", "cat gateway.yaml", cwd=repo / "clusters/stage")
    assert (result.returncode, result.stdout) == (1, "")
    assert "has no `kind`" in result.stderr


def test_the_judge_says_what_is_wrong_with_settings(repo: Path) -> None:
    assert commands("judge", "clusters/stage", "--as-is", cwd=repo).returncode == 1
    assert (
        commands("judge", "clusters/stage", "--as-is", "--peer=a=/nowhere", cwd=repo).stdout
        == "/nowhere: there is no such file or folder\n"
    )


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--peer=stage", "`stage` is not NAME=PATH"),
        ("--peer==x", "`=x` is not NAME=PATH"),
        ("--istio=latest", "`latest` is not an Istio version such as 1.27"),
        ("--timeout=0", "0 is not a number of seconds above 0"),
        ("--timeout=-1", "-1 is not a number of seconds above 0"),
        ("--timeout=nan", "nan is not a number of seconds above 0"),
        ("--timeout=1e5", "100000 is not a number of seconds above 0 and up to 86400"),
    ],
)
def test_what_the_owner_says_wrongly_is_wrong_usage_of_generate(repo: Path, option: str, words: str) -> None:
    result = commands("generate", option, "--mode=warn", cwd=repo / "clusters/stage")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("Usage: mirrorlint argocd generate [OPTIONS]")
    assert words in result.stderr


def test_a_cluster_that_is_none_of_the_repository_stops_the_sync(repo: Path) -> None:
    def generated(cluster: str) -> Result:
        return run("argocd", "generate", "--cluster", cluster, cwd=repo / "clusters/prod", ARGOCD_APP_SOURCE_PATH="clusters/prod")

    result = generated("nosuch")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "`--cluster` (MIRRORLINT_CLUSTER) is `nosuch`, which is no cluster here: prod, stage\n"
    (repo / ".mirrorlint.yaml").write_text("clusters: {east: {paths: [clusters/prod]}, west: {path: ../west}}\n")
    assert "no cluster here: east, west" in generated("prod").stderr
    assert generated("west").returncode == 0


def test_a_repository_of_one_cluster_does_not_tell_how_that_is_called(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES / "sound/clusters/stage", tmp_path / "stage")
    assert commands("generate", "--cluster", "anything", cwd=tmp_path / "stage").returncode == 0


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"a.yaml": "["}, "a.yaml:1:1: `[` is never closed"),
        ({"a.yaml": "foo: bar\n", "b.yaml": "{"}, "a.yaml has no `kind`; b.yaml:1:1: `{` is never closed"),
        ({}, "there is nothing in it"),
    ],
)
def test_a_folder_without_objects_gives_no_manifests(tmp_path: Path, files: dict[str, str], words: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    result = commands("generate", cwd=tmp_path)
    assert (result.returncode, result.stdout, result.stderr) == (1, "", f"mirrorlint: the folder gives no manifests: {words}\n")


def test_the_announcement_is_json(repo: Path) -> None:
    assert [each["string"] for each in json.loads(commands("parameters", "--mode=warn", cwd=repo).stdout)] == ["warn", "open"]


@pytest.mark.parametrize("died", ["raise SystemExit(3)", "import os; os.abort()"], ids=["a bug", "a crash"])
@pytest.mark.parametrize("mode", [ENFORCE, WARN])
def test_a_failure_of_ours_lets_through_or_not_as_the_owner_says(repo: Path, monkeypatch: pytest.MonkeyPatch, died: str, mode: str) -> None:
    monkeypatch.setattr(plugin, "_JUDGE", (sys.executable, "-c", died))
    folder = str(repo / "clusters/stage")
    opened = plugin.generate(folder, {}, Options(policy=Policy(mode, OPEN)))
    assert (opened.code, opened.manifests.count(b"kind:")) == (0, 3)
    assert "were not judged" in opened.said
    closed = plugin.generate(folder, {}, Options(policy=Policy(mode, CLOSED)))
    assert (closed.code, closed.manifests) == (1, b"")


def test_a_judge_that_can_not_be_run_is_a_failure_too(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin, "_JUDGE", ("/no/such/python",))
    assert "can't be run" in plugin.generate(str(repo / "clusters/stage"), {}, Options()).said
