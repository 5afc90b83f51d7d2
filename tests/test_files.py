"""Which files are read, and that nothing which is not read goes unmentioned."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from repositories import git, write
from test_clusters import entry, spots

from mirrorlint.fleet import BlindSpot
from mirrorlint.git import begun, listing
from mirrorlint.loading import Loaded, read, read_mapping, read_texts


def names(loaded: Loaded) -> list[str]:
    return sorted(manifest.name for cluster in loaded.documents.clusters.values() for manifest in cluster.manifests())


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "repo"
    root.mkdir()
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def work_tree(repo: Path) -> Path:
    git(repo, "init", "--quiet")
    return repo


@pytest.mark.parametrize("tracked", [False, True], ids=["untracked", "tracked"])
def test_a_work_tree_is_what_git_has_or_would_add(work_tree: Path, tracked: bool) -> None:
    write(
        work_tree,
        {"a.yaml": entry("a"), "b/ü.yml": entry("b"), "c.json": '{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "c"}}'},
    )
    write(work_tree, {".gitignore": "build/\n", "build/d.yaml": entry("d"), "notes.txt": entry("e")})
    if tracked:
        git(work_tree, "add", ".")
    assert names(read(["."])) == ["a", "b", "c"]
    assert spots(read(["."])) == []


def test_what_is_deleted_but_still_tracked_is_gone(work_tree: Path) -> None:
    write(work_tree, {"a.yaml": entry("a"), "b.yaml": entry("b")})
    git(work_tree, "add", ".")
    (work_tree / "a.yaml").unlink()
    assert names(read(["."])) == ["b"]


def test_a_conflict_is_read_once(work_tree: Path) -> None:
    write(work_tree, {"a.yaml": entry("a")})
    git(work_tree, "add", ".")
    git(work_tree, "commit", "--quiet", "-m", "first")
    git(work_tree, "checkout", "--quiet", "-b", "other")
    write(work_tree, {"a.yaml": entry("theirs")})
    git(work_tree, "commit", "--quiet", "-a", "-m", "theirs")
    git(work_tree, "checkout", "--quiet", "-")
    write(work_tree, {"a.yaml": entry("ours")})
    git(work_tree, "commit", "--quiet", "-a", "-m", "ours")
    assert subprocess.run(["git", "merge", "other"], cwd=work_tree, capture_output=True, check=False).returncode == 1
    write(work_tree, {"a.yaml": entry("settled")})
    assert names(read(["."])) == ["settled"]


def test_an_ignored_folder_is_read_when_it_is_asked_for(work_tree: Path) -> None:
    write(work_tree, {".gitignore": "build/\n", "build/a.yaml": entry("a")})
    assert names(read(["build"])) == ["a"]


def test_the_environment_of_a_hook_does_not_lead_astray(work_tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(work_tree, {"a.yaml": entry("a")})
    other = write(tmp_path / "other", {"b.yaml": entry("b")})
    git(other, "init", "--quiet")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    assert names(read(["."])) == ["a"]


@pytest.mark.parametrize("how", ["no git", "broken"])
def test_without_git_the_folder_is_walked(repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    write(repo, {"a.yaml": entry("a"), "b/c.yaml": entry("c"), "b/.git/d.yaml": entry("d")})
    if how == "no git":
        monkeypatch.setenv("PATH", str(tmp_path))
    else:
        write(repo, {".git/config": "this is none"})
    assert names(read(["."])) == ["a", "c"]


def test_a_repository_inside_is_read_as_its_own(work_tree: Path) -> None:
    write(work_tree, {"a.yaml": entry("a"), "inner/.gitignore": "c.yaml\n", "inner/b.yaml": entry("b"), "inner/c.yaml": entry("c")})
    git(work_tree / "inner", "init", "--quiet")
    assert names(read(["."])) == ["a", "b"]


def test_a_submodule_that_is_not_checked_out_is_a_blind_spot(work_tree: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "other", {"b.yaml": entry("b")})
    git(other, "init", "--quiet")
    git(other, "add", ".")
    git(other, "commit", "--quiet", "-m", "first")
    git(work_tree, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "deep/sub")
    assert names(read(["."])) == ["b"]
    git(work_tree, "submodule", "--quiet", "deinit", "-f", "deep/sub")
    (work_tree / "linked").symlink_to("deep")
    assert spots(read(["."])) == [("deep/sub", 0, "repo"), ("linked/sub", 0, "repo")]


def test_places_are_seen_from_the_working_directory(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(repo, {"prod/a.yaml": entry("a"), "elsewhere/x": ""})
    monkeypatch.chdir(repo / "elsewhere")
    (manifest,) = read([str(repo / "prod")]).documents.clusters["prod"].manifests()
    assert str(manifest.node.place) == "../prod/a.yaml:1:1"


def test_a_link_inside_the_repository_is_read_as_what_it_leads_to(repo: Path) -> None:
    write(repo, {"base/a.yaml": entry("a"), "clusters/prod/b.yaml": entry("b"), "clusters/stage/c.yaml": entry("c")})
    (repo / "clusters/prod/shared").symlink_to("../../base")
    (repo / "clusters/stage/a.yaml").symlink_to("../../base/a.yaml")
    loaded = read(["."])
    assert {name: names_of(loaded, name) for name in loaded.documents.clusters} == {"prod": ["a", "b"], "stage": ["a", "c"]}
    assert {m.node.place.path for m in loaded.documents.clusters["stage"].manifests()} == {"base/a.yaml", "clusters/stage/c.yaml"}


def test_links_behind_links_are_read_as_files_but_not_as_folders(repo: Path) -> None:
    write(repo, {"common/x.yaml": entry("x"), "base/a.yaml": entry("a"), "prod/b.yaml": entry("b")})
    (repo / "base/x.yaml").symlink_to("../common/x.yaml")
    (repo / "base/common").symlink_to("../common")
    (repo / "base/lost.yaml").symlink_to("nothing")
    (repo / "prod/shared").symlink_to("../base")
    loaded = read(["prod"])
    assert names(loaded) == ["a", "b", "x"]
    assert spots(loaded) == [("prod/shared/common", 0, "prod"), ("prod/shared/lost.yaml", 0, "prod")]


def names_of(loaded: Loaded, cluster: str) -> list[str]:
    return sorted(manifest.name for manifest in loaded.documents.clusters[cluster].manifests())


def test_links_that_are_not_followed_are_blind_spots(repo: Path, tmp_path: Path) -> None:
    write(tmp_path, {"out/x.yaml": entry("x")})
    write(repo, {"a.yaml": entry("a"), "below/b.yaml": entry("b")})
    (repo / "far.yaml").symlink_to(tmp_path / "out/x.yaml")
    (repo / "faraway").symlink_to(tmp_path / "out")
    (repo / "lost.yaml").symlink_to("nothing.yaml")
    (repo / "below/up").symlink_to("..")
    (repo / "round.yaml").symlink_to("round.yaml")
    (repo / "README").symlink_to("nothing")
    loaded = read(["."])
    assert names(loaded) == ["a", "b"]
    assert [path for path, _, _ in spots(loaded)] == ["below/up", "far.yaml", "faraway", "lost.yaml", "round.yaml"]


OTHERS = {
    "a.yaml.j2": entry("'{{ name }}'"),
    "a.jsonnet": "{ apiVersion: 'networking.istio.io/v1', kind: 'VirtualService' }\n",
    "a.cue": 'apiVersion: "gateway.networking.k8s.io/v1"\nkind:       "HTTPRoute"\n',
    "a.tf": 'manifest = {\n  "apiVersion" = "networking.istio.io/v1"\n  "kind"       = "Gateway"\n}\n',
    "a.yaml.gotmpl": "{{ if . }}\n" + entry("a", "PeerAuthentication", "security.istio.io/") + "{{ end }}\n",
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_another_tool_makes_manifests_of_is_a_blind_spot(repo: Path, name: str) -> None:
    write(repo, {"clusters/prod/a.yaml": entry("a"), "clusters/stage/a.yaml": entry("b"), f"clusters/prod/x/{name}": OTHERS[name]})
    (repo / "clusters/stage/link").with_suffix(Path(name).suffix).symlink_to(f"../prod/x/{name}")
    loaded = read(["."])
    assert spots(loaded) == [(f"clusters/prod/x/{name}", 0, "prod")]
    assert names(loaded) == ["a", "b"]
    write(repo, {f"clusters/prod/x/b{name}": OTHERS[name]})
    assert spots(read(["."])) == [("clusters/prod/x", 0, "prod")]


def test_what_another_tool_reads_and_names_no_object_of_istio_is_passed_over(repo: Path) -> None:
    kinds = OTHERS["a.jsonnet"]
    write(
        repo,
        {
            "a.yaml": entry("a"),
            "a.tf": 'kind = "Gateway"\n',
            "b.tf": 'labels = {"networking.istio.io/exportTo" = "."}\n',
            "vendor/istio/a.libsonnet": kinds,
            "chart/Chart.yaml": "name: chart\n",
            "chart/files/a.jsonnet": kinds,
        },
    )
    assert {path for path, _, _ in spots(read(["."]))} == {"chart"}


def test_a_policy_for_what_pods_send_does_not_count_where_no_cluster_is(repo: Path) -> None:
    policy = entry("p", "NetworkPolicy", "networking.k8s.io/") + "spec: {policyTypes: [Egress]}\n"
    write(repo, {"clusters/prod/a.yaml": entry("a"), "clusters/prod/p.yaml": policy, "shared/p.yaml": policy})
    loaded = read(["."])
    assert (names(loaded), spots(loaded)) == (["a", "p"], [])


def test_a_file_that_is_asked_for_is_read_whatever_its_name(repo: Path) -> None:
    write(repo, {"a.yaml.j2": entry("a")})
    assert (names(read(["a.yaml.j2"])), spots(read(["a.yaml.j2"]))) == (["a"], [])


def test_files_that_are_none_are_blind_spots(repo: Path) -> None:
    write(repo, {"a.yaml": entry("a")})
    os.mkfifo(repo / "pipe.yaml")
    (repo / "linked.yaml").symlink_to("pipe.yaml")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.yaml")
        loaded = read(["."])
    (repo / os.fsdecode(b"latin-\xe9.yaml")).write_text(entry("b"))
    assert [path for path, _, _ in spots(loaded)] == ["linked.yaml", "pipe.yaml", "socket.yaml"]
    assert (
        BlindSpot("the name of this file is not UTF-8, so it is not read", "latin-\ufffd.yaml", 0, "repo")
        in read(["."]).documents.blind_spots
    )
    assert names(read(["."])) == ["a"]
    assert spots(read(["pipe.yaml"])) == [("pipe.yaml", 0, "repo")]


@pytest.fixture
def unprivileged(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of a user who may not read everything; the superuser becomes one for the test."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        monkeypatch.setenv("HOME", name)
        monkeypatch.chdir(root)
        superuser = os.geteuid() == 0
        if superuser:
            os.chown(root, 65534, 65534)
            os.seteuid(65534)
        try:
            yield root
        finally:
            if superuser:
                os.seteuid(0)


@pytest.mark.parametrize("versioned", [False, True], ids=["folder", "work tree"])
def test_what_may_not_be_read_is_a_blind_spot(unprivileged: Path, versioned: bool) -> None:
    write(unprivileged, {"a.yaml": entry("a"), "closed.yaml": entry("b"), "shut/c.yaml": entry("c"), "kept/d.yaml": entry("d")})
    if versioned:
        git(unprivileged, "init", "--quiet")
        git(unprivileged, "add", "kept")
    (unprivileged / "closed.yaml").chmod(0)
    (unprivileged / "shut").chmod(0)
    (unprivileged / "kept").chmod(0)
    try:
        loaded = read(["."])
    finally:
        (unprivileged / "shut").chmod(0o700)
        (unprivileged / "kept").chmod(0o700)
    assert names(loaded) == ["a"]
    assert {Path(path).parts[0] for path, _, _ in spots(loaded)} == {"closed.yaml", "shut", "kept"}


def test_lists_are_unfolded_and_all_objects_counted(repo: Path) -> None:
    items = ["---\napiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Service\n  metadata: {name: a}\n"]
    items += ["---\napiVersion: v1\nkind: ServiceList\nitems: [{apiVersion: v1, kind: Service, metadata: {name: b}}]\n"]
    items += ["---\n" + entry("c"), "---\n" + entry("d", "ConfigMap", ""), "---\n- no object\n", "---\nkind: half\n"]
    items += ["---\n" + entry("e", "Gateway", "gateway.networking.k8s.io/"), "---\n" + entry("f", "Service", "serving.knative.dev/")]
    write(repo, {"a.yaml": "".join(items), "values.yaml": "a: 1\n"})
    documents = read(["."]).documents
    assert sorted(manifest.name for manifest in documents.clusters["repo"].manifests()) == ["a", "b", "c", "e"]
    assert (documents.files, documents.documents) == (2, 6)


def test_a_list_of_aliases_does_not_explode(repo: Path) -> None:
    levels = "".join(f"- &l{n} {{apiVersion: v1, kind: List, items: [{', '.join([f'*l{n - 1}'] * 9)}]}}\n" for n in range(1, 30))
    write(repo, {"a.yaml": f"apiVersion: v1\nkind: List\nitems:\n- &l0 {{apiVersion: v1, kind: List, items: []}}\n{levels}"})
    assert spots(read(["."])) == [("a.yaml", 5, "repo")]


def test_what_is_broken_is_a_fault_where_it_matters_else_a_blind_spot(repo: Path) -> None:
    write(repo, {"a.yaml": "apiVersion: networking.istio.io/v1\nkind: VirtualService\nspec: [\n"})
    write(repo, {"b.yaml": "kind: ConfigMap\ndata: [\n", "c.yaml": entry("c") + "spec: {{ .Values.spec }}\n"})
    write(repo, {"d.yaml": "apiVersion: serving.knative.dev/v1\nkind: Service\nspec: [\n", "e.json": '{"kind": "Gateway", "spec": [}'})
    documents = read(["."]).documents
    assert [(fault.place.path, fault.cluster) for fault in documents.faults] == [("a.yaml", "repo"), ("e.json", "repo")]
    assert [(spot.path, spot.line) for spot in documents.blind_spots] == [("b.yaml", 2), ("c.yaml", 4), ("d.yaml", 3)]


def test_settings_of_other_programs_are_none_of_ours_though_they_are_no_sound_json(repo: Path) -> None:
    write(repo, {"a.yaml": entry("a"), "tsconfig.json": '{\n  // for the tests\n  "strict": true,\n}\n'})
    write(repo, {"b.json": '{"x": [, "kin\\u0064": 1}', "c.yaml": "{{ all }}\nx\n"})
    assert [spot.path for spot in read(["."]).documents.blind_spots] == ["b.json", "c.yaml"]


CIPHER = "ENC[AES256_GCM,data:YWJj,iv:YQ==,tag:Yg==,type:str]"
ENTRY = "apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: stage}\n"
WORKLOAD = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop}\n"
SOPS = f"sops:\n  mac: {CIPHER}\n"
ENCRYPTED = {
    "an object": (f"{ENTRY}spec:\n  hosts:\n  - {CIPHER}\n{SOPS}", "a.yaml:6 ServiceEntry default/stage is encrypted"),
    "an item of a list": (
        f"apiVersion: v1\nkind: List\nitems:\n- {{{ENTRY.replace(chr(10), ', ')}spec: {{hosts: ['{CIPHER}']}}}}\n{SOPS}",
        "a.yaml:4 ServiceEntry default/stage is encrypted",
    ),
    "a number of pods": (f"{WORKLOAD}spec:\n  replicas: {CIPHER}\n{SOPS}", "a.yaml:5 Deployment default/shop is encrypted"),
    "what tells of others": (
        f"apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: r}}\nspec: {{values: {{host: '{CIPHER}'}}}}\n{SOPS}",
        "a.yaml:4 HelmRelease default/r is encrypted",
    ),
}


@pytest.mark.parametrize(("text", "message"), ENCRYPTED.values(), ids=ENCRYPTED)
def test_what_is_encrypted_is_a_blind_spot(repo: Path, text: str, message: str) -> None:
    write(repo, {"a.yaml": text})
    documents = read(["."]).documents
    assert [manifest for cluster in documents.clusters.values() for manifest in cluster.manifests()] == []
    assert [f"{spot.path}:{spot.line} {spot.message}" for spot in documents.blind_spots] == [message]
    assert not documents.faults


CLEAR = {
    "nothing but what sops keeps": f"{ENTRY}spec: {{hosts: [a.example.com]}}\n{SOPS}",
    "the environment of a workload": f"{WORKLOAD}spec: {{template: {{spec: {{containers: [{{env: ['{CIPHER}']}}]}}}}}}\n{SOPS}",
    "a certificate": f"apiVersion: v1\nkind: Secret\nmetadata: {{name: c}}\ntype: kubernetes.io/tls\ndata: {{tls.crt: '{CIPHER}'}}\n{SOPS}",
}


@pytest.mark.parametrize("text", CLEAR.values(), ids=CLEAR)
def test_what_is_not_asked_for_may_be_encrypted(repo: Path, text: str) -> None:
    write(repo, {"a.yaml": text})
    documents = read(["."]).documents
    assert len([manifest for cluster in documents.clusters.values() for manifest in cluster.manifests()]) == 1
    assert documents.blind_spots == ()


def test_variables_leave_what_is_encrypted_a_blind_spot(repo: Path) -> None:
    applied = "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps, namespace: flux-system}\n"
    applied += (
        "spec:\n  path: apps\n  sourceRef: {kind: GitRepository, name: flux-system}\n  postBuild: {substitute: {HOST: a.example.com}}\n"
    )
    both = f"{ENTRY}spec:\n  hosts: ['{CIPHER}', '${{HOST}}']\n{SOPS}"
    write(repo, {"clusters/prod/apps.yaml": applied, "apps/a.yaml": both})
    documents = read(["."]).documents
    assert [spot.message for spot in documents.blind_spots] == ["ServiceEntry default/stage is encrypted"]
    assert documents.clusters["prod"].of("ServiceEntry") == []


def test_texts_need_no_files() -> None:
    loaded = read_texts(
        {"source": entry("a"), "target": "kind: Gateway\nspec: [\n---\n{{ x }}: [\n"}, ingress={"target": ["gw.example.com"]}
    )
    assert names(loaded) == ["a"]
    assert next(iter(loaded.documents.clusters["source"].manifests())).node.place.path == "<source>"
    assert [fault.place.path for fault in loaded.documents.faults] == ["<target>"]
    assert spots(loaded) == [("<target>", 4, "target")]
    assert loaded.documents.clusters["target"].settings.ingress.addresses == ("gw.example.com",)


def test_clusters_by_name_need_no_discovery(repo: Path) -> None:
    write(repo, {"a/1.yaml": entry("a1"), "b/2.yaml": entry("b2"), "c.manifest": entry("c")})
    ingress = {"target": {"addresses": ["gw"], "namespace": "", "labels": {"istio": "x"}, "ports": {80: 8080}}}
    mesh = {"source": {"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}}, "other": {}}
    loaded = read_mapping({"source": repo / "a", "target": ["b/", "c.manifest"]}, ingress, mesh)
    assert {name: names_of(loaded, name) for name in loaded.documents.clusters} == {"source": ["a1"], "target": ["b2", "c"]}
    assert loaded.documents.clusters["target"].settings.ingress == (("gw",), "", {"istio": "x"}, {80: 8080})
    assert loaded.documents.clusters["source"].settings.mesh == mesh["source"]
    assert [spot.message for spot in loaded.documents.blind_spots] == ["there is no cluster `other`, so what was said of it is not used"]
    assert read_mapping({}).documents.clusters == {}


@pytest.mark.parametrize("paths", [["gone"], ["a.yaml", "gone"], ["prod=gone"], ["a=b=c"]])
def test_a_path_that_is_not_there_is_an_error(repo: Path, paths: list[str]) -> None:
    write(repo, {"a.yaml": entry("a")})
    with pytest.raises(FileNotFoundError, match="there is no such file or folder"):
        read(paths)


def test_what_git_was_asked_for_nothing_is_given_up(tmp_path: Path) -> None:
    git(tmp_path, "init")
    with begun([str(tmp_path)] * 2):
        assert listing(str(tmp_path)) is not None
    with begun([str(tmp_path)]):
        pass
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
