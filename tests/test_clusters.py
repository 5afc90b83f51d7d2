"""Which cluster a file belongs to, and what of a kustomization or a chart is judged."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import repositories

from mirrorlint.loading import Loaded, read
from mirrorlint.loading.clusters import Assignment
from mirrorlint.loading.settings import SettingsError
from mirrorlint.report import cells, table

KUSTOMIZE = pytest.mark.skipif(not (shutil.which("kustomize") or shutil.which("kubectl")), reason="neither kustomize nor kubectl is here")
PLAIN = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n"


def entry(name: str, kind: str = "ServiceEntry", group: str = "networking.istio.io/") -> str:
    return f"apiVersion: {group}v1\nkind: {kind}\nmetadata: {{name: {name}}}\n"


def write(root: Path, *files: str, **texts: str) -> Path:
    """Write a ServiceEntry, named by its path, to each of `files`; `texts` are further files with their content."""
    return repositories.write(root, {**{file: entry(file.removesuffix(".yaml").replace("/", ".")) for file in files}, **texts})


def found(loaded: Loaded) -> dict[str, list[str]]:
    return {name: sorted(m.name for m in cluster.manifests()) for name, cluster in loaded.documents.clusters.items()}


def spots(loaded: Loaded) -> list[tuple[str, int, str]]:
    return [(spot.path, spot.line, spot.cluster) for spot in loaded.documents.blind_spots]


def messages(loaded: Loaded) -> list[str]:
    return [spot.message for spot in loaded.documents.blind_spots]


def test_several_paths_are_a_cluster_each(repo: Path) -> None:
    write(repo, "prod/a.yaml", "stage/b.yaml", "more/c.yaml")
    loaded = read(["prod", "test=stage", "test=more/c.yaml", "test=stage"])
    assert found(loaded) == {"prod": ["prod.a"], "test": ["more.c", "stage.b"]}
    assert loaded.assignments == (
        Assignment("more/c.yaml", ("test",), "named as an argument"),
        Assignment("prod", ("prod",), "named as an argument"),
        Assignment("stage", ("test",), "named as an argument"),
    )


def test_one_path_with_a_name_is_that_cluster(repo: Path) -> None:
    write(repo, "clusters/a/1.yaml", "clusters/b/2.yaml")
    assert found(read(["all=."])) == {"all": ["clusters.a.1", "clusters.b.2"]}


def test_folders_that_are_called_alike_are_told_apart(repo: Path) -> None:
    write(repo, "prod/manifests/a.yaml", "stage/manifests/b.yaml", "stage/manifests/c.yaml")
    loaded = read(["prod/manifests", "stage/manifests/b.yaml", "stage/manifests/c.yaml"])
    assert found(loaded) == {"prod/manifests": ["prod.manifests.a"], "stage/manifests": ["stage.manifests.b", "stage.manifests.c"]}


def test_a_folder_may_hold_an_equals_sign(repo: Path) -> None:
    write(repo, "a=b/c.yaml", "d/e.yaml")
    assert set(found(read(["a=b", "d"]))) == {"a=b", "d"}


CONVENTIONS = {
    "clusters": (["clusters/prod/a.yaml", "clusters/stage/b.yaml"], {"prod": 1, "stage": 1}),
    "environments": (["environments/prod/a.yaml", "environments/stage/deep/b.yaml"], {"prod": 1, "stage": 1}),
    "envs": (["deploy/envs/prod/a.yaml"], {"prod": 1}),
    "overlays of several services": (["x/y/overlays/prod/a.yaml", "z/overlays/prod/b.yaml", "z/overlays/eu/c.yaml"], {"prod": 2, "eu": 1}),
    "too deep, so siblings": (["p/q/r/clusters/prod/a.yaml", "s/b.yaml"], {"p": 1, "s": 1}),
    "clusters go first": (["envs/dev/a.yaml", "clusters/prod/b.yaml", "clusters/prod/clusters/c/d.yaml"], {"prod": 2}),
    "siblings beside what is tried out": (["east/a.yaml", "west/b.yaml", "docs/c.yaml", "tests/d.yaml"], {"east": 1, "west": 1}),
    "no siblings beside what is tried out": (["east/a.yaml", "examples/b.yaml"], {"east": 1, "examples": 1}),
    "siblings of which one is for tests": (["prod/a.yaml", "stage/b.yaml", "test/c.yaml"], {"prod": 1, "stage": 1, "test": 1}),
    "overlays of clusters": (["clusters/overlays/prod/a.yaml", "clusters/overlays/stage/b.yaml"], {"prod": 1, "stage": 1}),
    "environments of clusters": (["clusters/eu/a.yaml", "clusters/environments/prod/b.yaml"], {"eu": 1, "prod": 1}),
    "siblings": (["east/a.yaml", "west/b.yaml", "c.yaml"], {"east": 1, "west": 1}),
    "one": (["east/a.yaml", "b.yaml"], {"repo": 2}),
}


@pytest.mark.parametrize(("files", "expected"), CONVENTIONS.values(), ids=CONVENTIONS)
def test_folders_are_found_by_convention(repo: Path, files: list[str], expected: dict[str, int]) -> None:
    write(repo, *files, **{"docs/d.yaml": entry("d", "ConfigMap", "")})
    assert {name: len(manifests) for name, manifests in found(read(["."])).items()} == expected


def test_a_convention_without_istio_is_none(repo: Path) -> None:
    write(repo, "apps/overlays/prod/a.yaml", **{"clusters/prod/flux.yaml": entry("f", "Kustomization", "kustomize.toolkit.fluxcd.io/")})
    assert found(read(["."])) == {"prod": ["apps.overlays.prod.a"]}


def test_what_is_in_no_clusters_folder_is_left_out_and_said(repo: Path) -> None:
    write(repo, "clusters/prod/a.yaml", "shared/b.yaml", **{"docs/c.yaml": entry("c", "ConfigMap", ""), "docs/d.yaml": "a: [\n"})
    loaded = read(["."])
    assert spots(loaded) == [("docs/d.yaml", 1, ""), ("shared/b.yaml", 0, "")]
    assert Assignment("shared", (), "in the folder of no cluster") in loaded.assignments
    assert (loaded.documents.files, loaded.documents.documents) == (1, 1)


def test_a_single_file_is_a_cluster(repo: Path) -> None:
    write(repo, "a.yaml", "b.yaml")
    assert found(read(["a.yaml"])) == {"repo": ["a"]}


def test_a_chart_is_one_blind_spot(repo: Path) -> None:
    write(repo, "clusters/prod/a.yaml", "clusters/prod/app/templates/b.yaml", "clusters/prod/app/charts/sub/c.yaml", "charts/x/d.yaml")
    write(
        repo,
        **dict.fromkeys(("clusters/prod/app/Chart.yaml", "clusters/prod/app/charts/sub/Chart.yaml", "charts/x/Chart.yaml"), "name: x\n"),
    )
    loaded = read(["."])
    assert found(loaded) == {"prod": ["clusters.prod.a"]}
    assert spots(loaded) == [("charts/x", 0, ""), ("clusters/prod/app", 0, "prod")]


def test_a_base_counts_for_each_overlay_and_is_no_cluster(repo: Path) -> None:
    write(repo, "envs/base/gateway.yaml", "envs/base/deep/entry.yaml", "envs/prod/a.yaml", "envs/stage/b.yaml", "common/c.yaml")
    write(repo, **{"envs/base/kustomization.yaml": PLAIN + "- gateway.yaml\n- deep\n- ../../common/c.yaml\n"})
    write(repo, **{"envs/base/deep/kustomization.yml": PLAIN + "- entry.yaml\n- ../../base\n"})
    write(repo, **{f"envs/{name}/Kustomization": f"resources: [../base, {own}.yaml]\n" for name, own in (("prod", "a"), ("stage", "b"))})
    loaded = read(["."])
    base = ["common.c", "envs.base.deep.entry", "envs.base.gateway"]
    assert found(loaded) == {"prod": [*base, "envs.prod.a"], "stage": [*base, "envs.stage.b"]}
    assert spots(loaded) == []
    assert Assignment("envs/base", ("prod", "stage"), "listed by a kustomization") in loaded.assignments
    prod, stage = loaded.documents.clusters.values()
    assert set(prod.manifests()) & set(stage.manifests())
    assert loaded.documents.files == 7


def test_bases_in_parts_are_no_cluster_either(repo: Path) -> None:
    write(repo, "envs/base/x/a.yaml", "envs/prod/b.yaml")
    write(
        repo, **{"envs/base/x/kustomization.yaml": PLAIN + "- a.yaml\n", "envs/prod/kustomization.yaml": PLAIN + "- ../base/x\n- b.yaml\n"}
    )
    assert found(read(["."])) == {"prod": ["envs.base.x.a", "envs.prod.b"]}


def test_folders_that_list_each_other_stay(repo: Path) -> None:
    write(repo, "envs/a/1.yaml", "envs/b/2.yaml")
    write(repo, **{"envs/a/kustomization.yaml": PLAIN + "- ../b\n- 1.yaml\n", "envs/b/kustomization.yaml": PLAIN + "- ../a\n- 2.yaml\n"})
    assert found(read(["."])) == {"a": ["envs.a.1", "envs.b.2"], "b": ["envs.a.1", "envs.b.2"]}


@pytest.mark.usefixtures("no_renderers")
def test_a_kustomization_that_does_more_hides_its_folder_and_what_it_lists(repo: Path) -> None:
    write(repo, "base/a.yaml", "clusters/prod/b.yaml", "clusters/prod/patched/c.yaml", "clusters/prod/patched/patches/d.yaml")
    write(repo, "clusters/prod/patched/own/e.yaml", "clusters/stage/f.yaml")
    write(repo, **{"base/kustomization.yaml": PLAIN + "- a.yaml\n", "clusters/prod/patched/own/kustomization.yaml": PLAIN + "- e.yaml\n"})
    write(
        repo,
        **{
            "clusters/prod/patched/kustomization.yaml": PLAIN
            + "- c.yaml\n- ../../../base\nimages: []\nnamespace: x\npatches:\n- path: patches/d.yaml\n"
        },
    )
    write(repo, **{"clusters/stage/kustomization.yaml": PLAIN + "- ../../base\n- f.yaml\n"})
    loaded = read(["."])
    assert found(loaded) == {"prod": ["clusters.prod.b", "clusters.prod.patched.own.e"], "stage": ["base.a", "clusters.stage.f"]}
    assert spots(loaded) == [("clusters/prod/patched/kustomization.yaml", 8, "prod")]
    assert "`patches`" in messages(loaded)[0]


@pytest.mark.usefixtures("no_renderers")
def test_a_base_that_does_more_is_hidden_for_its_overlays(repo: Path) -> None:
    write(repo, "base/a.yaml", "clusters/prod/b.yaml")
    write(
        repo,
        **{
            "base/kustomization.yaml": PLAIN + "- a.yaml\nnamePrefix: x-\n",
            "clusters/prod/kustomization.yaml": PLAIN + "- ../../base\n- b.yaml\n",
        },
    )
    loaded = read(["."])
    assert found(loaded) == {"prod": ["clusters.prod.b"]}
    assert spots(loaded) == [("base/kustomization.yaml", 5, "prod")]


@pytest.mark.usefixtures("no_renderers")
def test_overlays_of_which_nothing_is_judged_are_clusters_still(repo: Path) -> None:
    write(repo, "base/a.yaml", **{"base/kustomization.yaml": PLAIN + "- a.yaml\n"})
    write(repo, **{f"overlays/{name}/kustomization.yaml": PLAIN + "- ../../base\nnamePrefix: x\n" for name in ("prod", "stage")})
    loaded = read(["."])
    assert found(loaded) == {"prod": [], "stage": []}
    assert [cluster for _, _, cluster in spots(loaded)] == ["prod", "stage"]


def test_what_no_kustomization_lists_beside_it_counts_for_nothing_and_is_said(repo: Path) -> None:
    write(repo, *(f"clusters/prod/{name}.yaml" for name in ("a", "b", "c", "mesh/d", "mesh/e", "other/f")))
    write(repo, **{"clusters/prod/kustomization.yaml": PLAIN + "- a.yaml\n- mesh/d.yaml\n", "clusters/prod/values.yaml": "x: 1\n"})
    loaded = read(["."])
    assert found(loaded) == {"prod": ["clusters.prod.a", "clusters.prod.mesh.d", "clusters.prod.other.f"]}
    assert spots(loaded) == [("clusters/prod", 0, ""), ("clusters/prod/mesh/e.yaml", 0, "")]
    assert messages(loaded) == [
        "2 files here are listed by no kustomization, so their objects are not judged",
        "this file is listed by no kustomization, so its objects are not judged",
    ]
    assert (loaded.documents.files, loaded.documents.documents) == (5, 4)


@pytest.mark.parametrize("fields", ["", "namespace: x\n", pytest.param("namePrefix: x-\n", marks=KUSTOMIZE)])
@pytest.mark.parametrize("sync", ["", entry("prod", "Application", "argoproj.io/").replace("v1", "v1alpha1")])
def test_what_is_listed_nowhere_does_not_depend_on_what_else_a_kustomization_says(repo: Path, fields: str, sync: str) -> None:
    source = "spec: {source: {repoURL: 'https://git.example.com/a/b', path: clusters/prod}, destination: {name: prod}}\n"
    write(repo, "clusters/prod/a.yaml", "clusters/prod/b.yaml", **({"argocd/prod.yaml": sync + source} if sync else {}))
    write(repo, **{"clusters/prod/kustomization.yaml": PLAIN + "- a.yaml\n" + fields})
    for arguments in (["."], ["prod=."]):
        loaded = read(arguments)
        assert set(found(loaded)["prod"]) <= {"clusters.prod.a", "x-clusters.prod.a"}
        assert ("clusters/prod/b.yaml", 0, "") in spots(loaded)


def test_what_another_kustomization_lists_is_not_listed_nowhere(repo: Path) -> None:
    write(repo, "clusters/prod/a.yaml", "clusters/prod/b.yaml", "clusters/stage/c.yaml")
    write(repo, **{"clusters/prod/kustomization.yaml": PLAIN + "- a.yaml\n"})
    write(repo, **{"clusters/stage/kustomization.yaml": PLAIN + "- c.yaml\n- ../prod/b.yaml\n"})
    loaded = read(["."])
    assert found(loaded) == {"prod": ["clusters.prod.a"], "stage": ["clusters.prod.b", "clusters.stage.c"]}
    assert spots(loaded) == []


def test_a_kustomization_that_lists_nothing_leaves_the_files_beside_it(repo: Path) -> None:
    write(repo, "clusters/prod/a.yaml", **{"clusters/prod/kustomization.yaml": PLAIN})
    assert found(read(["."])) == {"prod": ["clusters.prod.a"]}


def test_what_a_kustomization_above_does_not_list_is_applied_by_something_else(repo: Path) -> None:
    write(repo, "clusters/prod/apps/a.yaml", "clusters/prod/flux-system/b.yaml", "clusters/prod/infra/c.yaml")
    write(repo, **{"clusters/prod/kustomization.yaml": PLAIN + "- infra\n", "clusters/prod/infra/kustomization.yaml": PLAIN + "- c.yaml\n"})
    write(repo, **{"clusters/prod/flux-system/kustomization.yaml": PLAIN + "- b.yaml\n"})
    loaded = read(["."])
    assert found(loaded) == {"prod": ["clusters.prod.apps.a", "clusters.prod.flux-system.b", "clusters.prod.infra.c"]}
    assert spots(loaded) == []


def test_what_tells_of_istio_may_be_for_another_program_than_kustomize(repo: Path) -> None:
    operator = entry("istio", "IstioOperator", "install.istio.io/") + "spec: {tag: 1.27.1}\n"
    write(repo, "clusters/prod/a.yaml", **{"clusters/prod/kustomization.yaml": PLAIN + "- a.yaml\n", "clusters/prod/istio.yaml": operator})
    loaded = read(["."])
    assert [fact.place.path for fact in loaded.documents.facts] == ["clusters/prod/istio.yaml"]
    assert spots(loaded) == []


def test_what_a_kustomization_lists_and_is_not_there_is_a_blind_spot(repo: Path, tmp_path: Path) -> None:
    write(tmp_path, "outside/a.yaml")
    lines = "- https://example.com/a.yaml\n- github.com/org/repo//deploy?ref=v1\n- gone\n- ../../../outside\n- {a: b}\n"
    write(repo, "clusters/prod/a.yaml", **{"clusters/prod/kustomization.yaml": PLAIN + "- a.yaml\n" + lines})
    loaded = read(["."])
    assert found(loaded) == {"prod": ["clusters.prod.a"]}
    assert spots(loaded) == [("clusters/prod/kustomization.yaml", line, "prod") for line in (5, 6, 7, 8, 9)]
    texts = ("not in this repository", "not in this repository", "leads to no file", "outside of the repository", "the path of")
    assert all(text in message for text, message in zip(texts, messages(loaded), strict=True))


def test_an_argument_reaches_a_base_beside_it(repo: Path) -> None:
    write(repo, "base/a.yaml", "overlays/prod/b.yaml", **{"base/kustomization.yaml": PLAIN + "- a.yaml\n"})
    write(repo, **{"overlays/prod/kustomization.yaml": PLAIN + "- ../../base\n- b.yaml\n"})
    assert (
        found(read(["overlays/prod"])) == found(read(["prod=overlays/prod/kustomization.yaml"])) == {"prod": ["base.a", "overlays.prod.b"]}
    )


def test_a_kustomization_that_cannot_be_read_says_so(repo: Path) -> None:
    write(repo, "a.yaml", **{"kustomization.yaml": "resources: [\n"})
    loaded = read(["."])
    assert found(loaded) == {"repo": ["a"]}
    assert spots(loaded) == [("kustomization.yaml", 1, "repo")]


def test_settings_name_clusters_that_share_folders(repo: Path) -> None:
    write(repo, "here/a.yaml", "there/b.yaml", "base/c.yaml", "clusters/x/d.yaml")
    sections = "prod: {paths: [here, base], istio: 1.30}, stage: {paths: [there, ./base/c.yaml], complete: false}"
    write(repo, **{".mirrorlint.yaml": f"clusters: {{{sections}}}\nrules: {{some-rule: off}}\n"})
    loaded = read(["."])
    assert found(loaded) == {"prod": ["base.c", "here.a"], "stage": ["base.c", "there.b"]}
    assert loaded.documents.clusters["prod"].settings.istio == "1.30"
    assert not loaded.documents.clusters["stage"].settings.complete
    assert loaded.settings.rules == {"some-rule": "off"}
    assert spots(loaded) == [("clusters/x/d.yaml", 0, "")]
    assert Assignment("base", ("prod",), "named in the settings") in loaded.assignments


def test_settings_further_up_hold_for_the_folders_they_speak_of(repo: Path) -> None:
    write(repo, "prod/a.yaml", "stage/b.yaml", "examples/clusters/x/c.yaml")
    write(repo, **{".mirrorlint.yaml": "clusters: {one: {paths: [prod]}, two: {paths: [stage]}}\n"})
    assert set(found(read(["prod"]))) == {"one", "two"}
    assert set(found(read(["examples"]))) == {"x"}
    assert (read(["examples"]).settings.path, spots(read(["examples"]))) == (".mirrorlint.yaml", [])


def test_settings_without_paths_describe_what_is_found(repo: Path) -> None:
    write(repo, "clusters/prod/a.yaml", **{".mirrorlint.yaml": "clusters: {prod: {istio: 1.27}, stage: {istio: 1.28}}\n"})
    loaded = read(["."])
    assert loaded.documents.clusters["prod"].settings.istio == "1.27"
    assert messages(loaded) == ["the settings speak of a cluster `stage`, but no folder of it was found"]


def test_settings_hold_for_arguments_of_the_name(repo: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "other", "b.yaml", **{".mirrorlint.yaml": "clusters: {prod: {istio: 1.20}}\n"})
    write(repo, "a.yaml", **{".mirrorlint.yaml": "clusters: {prod: {istio: 1.27, paths: [a.yaml]}}\n"})
    loaded = read([f"prod={other}", "stage=."])
    assert loaded.documents.clusters["prod"].settings.istio == "1.27"
    assert found(loaded) == {"prod": ["b"], "stage": ["a"]}
    assert spots(loaded) == []


@pytest.mark.parametrize("arguments", [["prod=us", "eu"], ["us", "stage=eu"], ["prod=us/k8s", "eu=eu/k8s"], ["us/k8s", "x=eu/k8s/"]])
def test_arguments_are_known_as_their_own_repositories_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    monkeypatch.chdir(tmp_path)
    for name, section in (("us", "prod: {istio: 1.27, paths: [k8s]}"), ("eu", "stage: {ingress: [stage.example.com]}")):
        subprocess.run(["git", "init", "--quiet", name], check=True)
        write(tmp_path / name, "k8s/a.yaml", "docs/b.yaml", **{".mirrorlint.yaml": f"clusters: {{{section}, other: {{path: ../x}}}}\n"})
    loaded = read(arguments)
    second, first = sorted(loaded.documents.clusters.values(), key=lambda cluster: cluster.settings.istio)
    assert (first.settings.istio, second.settings.ingress.addresses, spots(loaded)) == ("1.27", ("stage.example.com",), [])
    assert [manifest.name for manifest in first.manifests()] == ["k8s.a"]


def test_repositories_in_one_folder_are_known_as_their_own_settings_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "us/k8s/a.yaml", "us/docs/b.yaml", **{"us/.mirrorlint.yaml": "clusters: {prod: {istio: 1.27, paths: [k8s]}}\n"})
    write(
        tmp_path,
        "eu/c.yaml",
        **{"eu/.mirrorlint.yaml": "clusters: {stage: {ingress: [stage.example.com]}}\nrules: {broken-document: off}\n"},
    )
    loaded = read(["."])
    assert found(loaded) == {"us": ["us.k8s.a"], "eu": ["eu.c"]}
    clusters = loaded.documents.clusters
    assert (clusters["us"].settings.istio, clusters["eu"].settings.ingress.addresses) == ("1.27", ("stage.example.com",))
    why = "the `rules` of these settings are not used, since the run is over more than their repository"
    assert messages(loaded)[:1] == [why]
    write(tmp_path, "eu/overlays/test/d.yaml", "us/overlays/live/e.yaml", "us/overlays/perf/f.yaml", "eu/overlays/more/g.yaml")
    clusters = read(["."]).documents.clusters
    assert {name: cluster.settings.ingress.addresses for name, cluster in clusters.items()} == dict.fromkeys(
        ("live", "perf", "test", "more"), ()
    )


def test_a_peer_whose_settings_call_it_otherwise_is_told(repo: Path, tmp_path: Path) -> None:
    write(repo, "a.yaml", **{".mirrorlint.yaml": "clusters: {prod: {paths: [a.yaml]}, eu: {path: ../eu}}\n"})
    write(tmp_path, "eu/b.yaml", **{"eu/.mirrorlint.yaml": "clusters: {stage: , dev: }\n"})
    assert messages(read(["."])) == [
        "nothing that these settings say of `stage`, `dev` is used: no cluster of this run has such a name or paths of theirs"
    ]


def test_what_the_settings_of_arguments_say_and_nothing_uses_is_told(repo: Path, tmp_path: Path) -> None:
    write(tmp_path / "other", "b.yaml", "c.yaml", **{".mirrorlint.yaml": "clusters: {one: , two: }\nrules: {broken-document: off}\n"})
    write(repo, "a.yaml", **{".mirrorlint.yaml": "clusters: {prod: {istio: 1.27}}\n"})
    loaded = read(["prod=.", "stage=../other"])
    assert messages(loaded) == [
        "nothing that these settings say of `one`, `two` is used: no cluster of this run has such a name or paths of theirs",
        "the `rules` of these settings are not used, since those of `.mirrorlint.yaml` are",
    ]
    write(tmp_path, **{"other/.mirrorlint.yaml": "clusters: [\n"})
    message, _ = messages(read(["prod=.", "stage=../other"]))
    assert message.startswith("these settings of `stage` can't be used, so what they say is not known: ../other/.mirrorlint.yaml:1:")


def test_settings_that_are_given_stand_in_for_those_of_the_working_directory(repo: Path, tmp_path: Path) -> None:
    write(tmp_path / "other", "b.yaml", **{".mirrorlint.yaml": "clusters: {stage: {ingress: [stage.example.com]}}\n"})
    write(repo, "a.yaml", **{".mirrorlint.yaml": "clusters: {prod: {istio: 1.27}}\n", "ci.yaml": "clusters: {prod: }\n"})
    clusters = read(["prod=.", "stage=../other"], "ci.yaml").documents.clusters
    assert (clusters["prod"].settings.istio, clusters["stage"].settings.ingress.addresses) == ("", ("stage.example.com",))


def test_settings_may_be_elsewhere(repo: Path) -> None:
    write(repo, "x/a.yaml", **{"conf/m.yaml": "clusters: {prod: {paths: [../x]}}\n"})
    assert found(read(["."], "conf/m.yaml")) == {"prod": ["x.a"]}
    with pytest.raises(SettingsError, match=r"^gone\.yaml:1:1: the settings can't be read"):
        read(["."], "gone.yaml")


@pytest.mark.parametrize("known", [{}, {".mirrorlint.yaml": "rules: {}\n"}], ids=["alone", "beside settings"])
def test_settings_of_another_ending_are_said_not_to_be_used(repo: Path, known: dict[str, str]) -> None:
    write(repo, "x/a.yaml", **{".mirrorlint.yml": "clusters: {prod: {paths: [x]}}\n", **known})
    loaded = read(["x"])
    assert (set(found(loaded)), spots(loaded)) == ({"x"}, [(".mirrorlint.yml", 0, "")])
    assert messages(loaded) == ["settings are read from `.mirrorlint.yaml`, so nothing of what this file says is used"]


def test_paths_in_settings_must_exist(repo: Path) -> None:
    write(repo, "a.yaml", **{".mirrorlint.yaml": "clusters:\n  prod:\n    paths: [a.yaml, gone]\n"})
    with pytest.raises(SettingsError, match=r"^\.mirrorlint\.yaml:3:21: there is no `gone` here$"):
        read(["."])


def test_a_peer_is_read_as_that_cluster(repo: Path, tmp_path: Path) -> None:
    section = "{path: ../stage-repo, istio: 1.28}"
    write(repo, "clusters/prod/a.yaml", "clusters/stage/old.yaml", **{".mirrorlint.yaml": f"clusters:\n  stage: {section}\n"})
    assert spots(read(["."])) == [("../stage-repo", 0, "stage"), ("clusters/stage/old.yaml", 0, "")]
    write(tmp_path, "stage-repo/b.yaml")
    loaded = read(["."])
    assert found(loaded) == {"prod": ["clusters.prod.a"], "stage": ["stage-repo.b"]}
    assert loaded.documents.clusters["stage"].settings.istio == "1.28"


def spec(kind: str, text: str) -> str:
    return entry("x", kind) + f"spec: {text}\n"


@pytest.mark.parametrize(
    ("one", "other", "clusters"),
    [
        ("{hosts: [a], http: [{mirror: {host: eu.example}}]}", spec("ServiceEntry", "{hosts: [eu.example]}"), {"repo"}),
        ("{hosts: [a], http: [{mirrors: [{destination: {host: eu.example}}]}]}", spec("ServiceEntry", "{hosts: [eu.example]}"), {"repo"}),
        ("{hosts: [a], http: [{mirror: {host: eu.example}}]}", spec("ServiceEntry", "{hosts: [us.example]}"), {"one", "two"}),
        (
            "{hosts: [a], http: [{mirror: {host: eu.example}}]}\n---\n" + spec("ServiceEntry", "{hosts: [eu.example]}"),
            spec("ServiceEntry", "{hosts: [eu.example]}"),
            {"one", "two"},
        ),
        ("{hosts: [a], gateways: [x]}", spec("Gateway", "{}"), {"repo"}),
        ("{hosts: [a], gateways: [x]}", spec("Gateway", "{}") + "---\n" + spec("VirtualService", "{}"), {"one", "two"}),
        (
            "{hosts: [a], http: [{mirror: {host: eu.example}}]}",
            spec("ServiceEntry", "{hosts: [eu.example]}") + "---\n" + spec("VirtualService", "{}"),
            {"one", "two"},
        ),
        (
            "{hosts: [a], gateways: [x], http: [{mirror: {host: a}}]}",
            spec("Gateway", "{}") + "---\n" + entry("a", "Service", ""),
            {"one", "two"},
        ),
    ],
)
def test_two_folders_of_which_one_has_what_the_other_needs_are_one_cluster(repo: Path, one: str, other: str, clusters: set[str]) -> None:
    write(repo, **{"one/a.yaml": spec("VirtualService", one), "two/b.yaml": other})
    assert set(found(read(["."]))) == clusters


@pytest.mark.parametrize("folder", ["clusters", "environments", "envs"])
def test_environments_of_regions_that_have_the_same_objects_are_a_cluster_each(repo: Path, folder: str) -> None:
    service = entry("shop", "Service", "").replace("{name: shop}", "{name: shop, namespace: shop}")
    texts = {f"{region}/{folder}/{name}/a.yaml": service for region in ("us", "eu") for name in ("prod", "stage")}
    write(repo, *(path.replace("a.yaml", "b.yaml") for path in texts), **texts)
    assert set(found(read(["."]))) == {"us-prod", "us-stage", "eu-prod", "eu-stage"}
    write(repo, **{path: entry("shop", "Service", "") for path in texts})  # its namespace may be another in each
    assert set(found(read(["."]))) == {"prod", "stage"}
    write(repo, **{f"x/us/{folder}/prod/a.yaml": service, **texts})
    assert set(found(read(["."]))) == {"prod", "us-stage", "eu-stage"}


def test_folders_of_one_cluster_are_not_taken_for_clusters(repo: Path) -> None:
    route = (
        "spec: {hosts: [shop], gateways: [mesh, edge/public], http: [{route: [{destination: {host: shop.default.svc.cluster.local}}]}]}\n"
    )
    write(repo, "mesh/entry.yaml", "more/entry.yaml", **{"routes/a.yaml": entry("a", "VirtualService") + route})
    assert set(found(read(["."]))) == {"mesh", "more", "routes"}
    write(repo, **{"apps/shop.yaml": entry("shop", "Service", "")})
    assert set(found(read(["."]))) == {"repo"}
    write(repo, **{"routes/shop.yaml": entry("shop", "Service", "")})
    assert set(found(read(["."]))) == {"mesh", "more", "routes"}
    write(repo, **{"edge/gateway.yaml": entry("public", "Gateway")})
    assert set(found(read(["."]))) == {"repo"}


def test_a_service_without_a_namespace_may_be_where_a_route_needs_it(repo: Path) -> None:
    route = "spec: {hosts: [shop], http: [{route: [{destination: {host: shop}}]}]}\n"
    placed = entry("a", "VirtualService").replace("{name: a}", "{name: a, namespace: shop}") + route
    write(repo, **{"a.yaml": placed, "b.yaml": entry("shop", "Service", "")})
    said = "Service default/shop names no namespace and is taken to be in `default`, but a route needs it in `shop`"
    assert messages(read(["."])) == [said]
    write(repo, **{"c.yaml": entry("shop", "Service", "").replace("{name: shop}", "{name: shop, namespace: shop}")})
    assert messages(read(["."])) == []


def test_routes_for_services_that_are_not_here_tell_of_others(repo: Path) -> None:
    def route(name: str, more: str = "") -> str:
        return entry(name, "VirtualService") + f"spec: {{hosts: [{name}], http: [{{route: [{{destination: {{host: {name}}}}}]{more}}}]}}\n"

    mirror = ", mirror: {host: stage.example.com}"
    write(repo, **{"a.yaml": route("shop", mirror)})
    assert messages(read(["."])) == []
    write(repo, **{"b.yaml": route("cart")})
    said = "VirtualService default/shop routes to `shop`, and others to `cart`, but no such Services are here: they seem to live elsewhere"
    assert messages(read(["."])) == [said]
    assert not read(["."]).documents.clusters["repo"].settings.complete
    write(repo, **{"c.yaml": entry("cart", "Service", "")})
    assert messages(read(["."])) == []
    write(repo, **{"b.yaml": route("card"), "a.yaml": route("shop")})
    assert messages(read(["."])) == []


@pytest.mark.parametrize("more", [[], ["Service"]])
def test_a_repository_without_any_service_leaves_them_to_another_one(repo: Path, more: list[str]) -> None:
    def route(name: str) -> str:
        spec = f"spec: {{hosts: ['{name}.example.com'], gateways: [edge], http: [{{route: [{{destination: {{host: {name}}}}}]}}]}}\n"
        return entry(name, "VirtualService") + spec

    write(repo, **{"a.yaml": route("shop"), "b.yaml": route("cart"), **{f"{kind}.yaml": entry("other", kind, "") for kind in more}})
    assert messages(read(["."])) == []
    assert read(["."]).documents.clusters["repo"].settings.complete == bool(more)


def test_overlays_of_a_part_are_no_clusters(repo: Path) -> None:
    write(repo, "store/overlays/small/entry.yaml", "store/overlays/large/entry.yaml")
    assert set(found(read(["."]))) == {"small", "large"}
    write(repo, "mesh/one/a.yaml", "mesh/two/b.yaml", "mesh/three/c.yaml")
    assert not {"small", "large"} & set(found(read(["."])))
    write(repo, **{f"store/overlays/{name}/kustomization.yaml": "resources: [../../../mesh/one]\n" for name in ("small", "large")})
    assert set(found(read(["."]))) == {"small", "large"}


def test_folders_that_are_called_as_their_namespaces_are_parts_of_one_cluster(repo: Path) -> None:
    for name in ("shop", "cart", "web"):
        write(repo, **{f"{name}/entry.yaml": entry(name).replace("{name: ", f"{{namespace: {name}, name: ")})
    assert set(found(read(["."]))) == {"repo"}
    write(repo, **{f"{name}/entry.yaml": entry(name) for name in ("shop", "cart")})
    assert set(found(read(["."]))) == {"shop", "cart", "web"}


@pytest.mark.parametrize(
    ("uids", "expected"),
    [
        (("1", "2"), {"prod": 1, "stage": 1}),
        (("1", "1"), {"repo": 2}),  # of one cluster, taken twice
        (("1", ""), {"repo": 2}),
    ],
)
def test_snapshots_of_several_clusters_are_told_apart_by_uids(repo: Path, uids: tuple[str, str], expected: dict[str, int]) -> None:
    listed = f"apiVersion: v1\nkind: List\nitems:\n- {{{entry('e').strip().replace(chr(10), ', ')}}}\n"
    for name, uid in zip(("prod", "stage"), uids, strict=True):
        text = listed.replace("{name: e}", f"{{name: e, uid: '{uid}'}}, spec: {{hosts: [{name}.io]}}")
        repositories.write(repo, {f"snapshots/{name}.yaml": text})
    clusters = read(["."]).documents.clusters
    assert {name: len(cluster.of("ServiceEntry")) for name, cluster in clusters.items()} == expected


def test_a_peer_is_known_as_its_own_repository_says(repo: Path, tmp_path: Path) -> None:
    write(repo, "clusters/prod/a.yaml", **{".mirrorlint.yaml": "clusters:\n  stage: {path: ../stage-repo, istio: 1.28}\n"})
    theirs = "clusters:\n  eu: {paths: [k8s], istio: 1.27, ingress: [stage.example.com]}\n  prod: {contract: prod.json}\n"
    write(tmp_path, "stage-repo/k8s/b.yaml", "stage-repo/docs/c.yaml", **{"stage-repo/.mirrorlint.yaml": theirs})
    loaded = read(["."])
    stage = loaded.documents.clusters["stage"].settings
    assert found(loaded)["stage"] == ["stage-repo.k8s.b"]
    assert (stage.istio, stage.ingress.addresses) == ("1.28", ("stage.example.com",))
    write(tmp_path, **{"stage-repo/.mirrorlint.yaml": "clusters: [\n"})
    loaded = read(["."])
    assert found(loaded)["stage"] == ["stage-repo.docs.c", "stage-repo.k8s.b"]
    message = messages(loaded)[0]
    assert message.startswith(
        "these settings of the peer `stage` can't be used, so what they say is not known: ../stage-repo/.mirrorlint.yaml:1:"
    )


def test_columns_stand_below_each_other_whatever_takes_two_of_a_terminals(repo: Path) -> None:
    loaded = read([str(write(repo, "clusters/生产/a.yaml", "clusters/stage/b.yaml"))])
    rows = table.render(loaded.assignments, (), loaded.documents).splitlines()
    assert len({cells(row[: row.index(word)]) for row, word in zip(rows, ("folder", "clusters/", "clusters/"), strict=True)}) == 1
