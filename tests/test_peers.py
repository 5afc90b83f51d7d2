"""Contracts on the disk: two repositories that can't see each other, and the command line between them."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from pair import PROD, STAGE
from repositories import git, write
from test_cli import Result, run

from mirrorlint.loading.contracts import digest

SOUND = STAGE.replace("[shop.default-shadow]", '["*"]')


def commit(folder: Path, date: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    environment = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date, "PATH": "/usr/bin:/bin", "HOME": str(folder)}
    for command in (("init", "-q"), ("add", "-A"), (*identity, "commit", "-q", "-m", "x")):
        subprocess.run(["git", *command], cwd=folder, check=True, env=environment)


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    """The repositories `prod` and `stage`, with the contract of each in the other one."""
    for name, text in (("prod", PROD), ("stage", SOUND)):
        (tmp_path / name / ".mirrorlint/peers").mkdir(parents=True)
        (tmp_path / name / "k8s").mkdir()
        (tmp_path / name / "k8s/m.yaml").write_text(text)
        settings = f"clusters: {{{name}: {{paths: [k8s], istio: 1.27, ingress: [{name}-gateway.example.com]}}}}\n"
        (tmp_path / name / ".mirrorlint.yaml").write_text(settings)
        commit(tmp_path / name, "2026-01-31T12:00:00+01:00")
    exported(tmp_path, "stage", "prod")
    exported(tmp_path, "prod", "stage")
    return tmp_path


def exported(pair: Path, cluster: str, other: str) -> Path:
    file = pair / other / f".mirrorlint/peers/{cluster}.json"
    result = run("contract", "export", "--output", file, cwd=pair / cluster)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    return file


def words(result: Result) -> str:
    return " ".join(result.stdout.split())


def test_a_contract_has_the_commit_with_its_time_and_paths_from_the_root(pair: Path) -> None:
    found = json.loads((pair / "prod/.mirrorlint/peers/stage.json").read_text())
    assert found["time"] == "2026-01-31T11:00:00Z"
    assert len(found["commit"]) == 40
    assert found["accepts"]["settings"] == {"istio": "1.27", "ingress": {"addresses": ["stage-gateway.example.com"]}}
    assert {each["at"] for each in found["accepts"]["objects"]} == {"k8s/m.yaml:1:1", "k8s/m.yaml:9:1", "k8s/m.yaml:18:1"}


def test_the_same_bytes_come_from_any_folder(pair: Path) -> None:
    first = run("contract", "export", ".", cwd=pair / "stage")
    assert run("contract", "export", pair / "stage", cwd=pair).stdout == first.stdout
    assert (pair / "prod/.mirrorlint/peers/stage.json").read_text() == first.stdout


def test_check_takes_a_contract_for_the_cluster(pair: Path) -> None:
    result = run(cwd=pair / "prod")
    assert (result.returncode, result.stdout) == (0, "1 mirror arrives. No findings (1 file, 3 documents).\n")
    (pair / "stage/k8s/m.yaml").write_text(STAGE.replace("shop.default-shadow", "shop.other"))
    exported(pair, "stage", "prod")
    result = run(cwd=pair / "prod")
    assert result.returncode == 1
    assert "--> stage://k8s/m.yaml:13:11 (stage, VirtualService default/shop)" in result.stdout
    assert "--> k8s/m.yaml:22:13 (prod)" in result.stdout


def test_a_contract_may_be_an_argument(pair: Path) -> None:
    (pair / "stage/k8s/m.yaml").write_text(STAGE.replace("shop.default-shadow", "shop.other"))
    file = exported(pair, "stage", "prod").rename(pair / "stage.json")
    for argument in ("stage=stage.json", "stage.json"):
        result = run("prod/k8s", argument, cwd=pair)
        assert (result.returncode, "--> stage://k8s/m.yaml:13:11 (stage, " in result.stdout) == (1, True)
    assert "a contract named as an argument" in run("clusters", "prod=prod", "stage=stage.json", cwd=pair).stdout
    file.write_text(json.dumps(json.loads(file.read_text()), sort_keys=True))
    assert run("prod=prod", "stage=stage.json", cwd=pair).returncode == 1
    file.write_text(file.read_text().replace("stage-gateway", "other-gateway"))
    assert "this contract was changed after its export" in words(run("prod=prod", "stage=stage.json", cwd=pair))


ROUTED = """\
apiVersion: v1
kind: Namespace
metadata: {name: other, labels: {open: "no"}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: stage}
spec:
  gatewayClassName: istio
  listeners:
  - name: http
    port: 80
    protocol: HTTP
    allowedRoutes: {namespaces: {from: Selector, selector: {matchLabels: {open: "yes"}}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop}
spec: {parentRefs: [{name: stage}], rules: [{backendRefs: [{name: shop, port: 80}]}]}
---
"""
PLACED = {
    "a namespace": (SOUND.replace("{host: shop}", "{host: shop.edge.svc.cluster.local}"), "1 mirror arrives. No findings"),
    "the name of a Namespace": (ROUTED + STAGE.rpartition("---\n")[2], "error[shadow-host-not-accepted]"),
    "an object without a name": (SOUND + "---\n" + ROUTED.split("---\n")[1].replace("metadata: {name: stage}\n", ""), "1 mirror arrives"),
}


@pytest.mark.parametrize(("stage", "said"), PLACED.values(), ids=PLACED)
def test_a_contract_has_what_a_kustomization_puts_objects_into(pair: Path, stage: str, said: str) -> None:
    write(pair / "stage/k8s", {"m.yaml": stage, "kustomization.yaml": "namespace: edge\nresources: [m.yaml]\n"})
    exported(pair, "stage", "prod")
    assert said in words(run(cwd=pair / "prod"))


def test_contracts_are_read_as_they_are_staged(pair: Path) -> None:
    prod, file = pair / "prod", pair / "prod/.mirrorlint/peers/stage.json"
    assert "followed to the endpoint only" in words(run("--staged", cwd=prod))  # nobody has staged it
    git(prod, "add", ".")
    assert "1 mirror arrives. No findings" in words(run("--staged", cwd=prod))
    (pair / "stage/k8s/m.yaml").write_text(STAGE.replace("shop.default-shadow", "shop.other"))
    exported(pair, "stage", "prod")
    assert (run(cwd=prod).returncode, run("--staged", cwd=prod).returncode) == (1, 0)
    git(prod, "add", ".")
    file.write_text("{")
    result = run("--staged", cwd=prod)
    assert (result.returncode, "shadow-host-not-accepted" in result.stdout, "broken-document" in result.stdout) == (1, True, False)


def test_a_contract_of_the_settings_that_is_not_staged_is_told(pair: Path) -> None:
    prod = pair / "prod"
    (prod / ".mirrorlint.yaml").write_text("clusters: {prod: {paths: [k8s]}, stage: {contract: .mirrorlint/peers/stage.json}}\n")
    git(prod, "add", ".mirrorlint.yaml")
    assert "the contract of `stage` can't be read" in words(run("--staged", cwd=prod))


def test_a_contract_may_be_required(pair: Path) -> None:
    settings = pair / "prod/.mirrorlint.yaml"
    settings.write_text("clusters: {prod: {paths: [k8s]}, stage: {contract: .mirrorlint/peers/stage.json}}\n")
    assert run("--require-peer", cwd=pair / "prod").returncode == 0
    (pair / "prod/.mirrorlint/peers/stage.json").unlink()
    assert run(cwd=pair / "prod").returncode == 0
    result = run("--require-peer", cwd=pair / "prod")
    assert (result.returncode, "there is no `.mirrorlint/peers/stage.json`" in result.stderr) == (2, True)


def test_verifying_nothing_is_told(pair: Path) -> None:
    for name in ("prod", "stage"):
        (pair / name / ".mirrorlint/peers").rename(pair / name / "peers")
    result = run("contract", "verify", "prod=prod/k8s", "stage=prod/peers/stage.json", cwd=pair)
    assert (result.returncode, "nothing is verified" in result.stderr) == (0, True)


def test_a_snapshot_in_json_is_no_contract(pair: Path) -> None:
    (pair / "stage.json").write_text('{"apiVersion": "v1", "kind": "List", "items": []}\n')
    assert "named as an argument" in run("clusters", "prod=prod", "stage=stage.json", cwd=pair).stdout
    assert "a contract" not in run("clusters", "prod=prod", "stage=stage.json", cwd=pair).stdout


def test_a_pull_request_shows_the_end_that_it_has(pair: Path) -> None:
    (pair / "stage/k8s/m.yaml").write_text(STAGE.replace("shop.default-shadow", "shop.other"))
    exported(pair, "stage", "prod")
    result = run("--format", "github", cwd=pair / "prod")
    assert result.stdout.startswith("::error file=k8s/m.yaml,line=22")
    assert "stage://k8s/m.yaml:13: found here" in result.stdout
    sarif = json.loads(run("--format", "sarif", cwd=pair / "prod").stdout)
    ends = sarif["runs"][0]["results"][0]["relatedLocations"]
    assert "stage%3A//k8s/m.yaml" in [end["physicalLocation"]["artifactLocation"]["uri"] for end in ends]


def test_no_edit_is_offered_in_a_peers_repository(pair: Path) -> None:
    (pair / "stage/k8s/m.yaml").write_text(STAGE.replace("shop.default-shadow", "shop.default"))
    exported(pair, "stage", "prod")
    assert run("fix", "--diff", cwd=pair / "prod") == Result(0, "", "there is nothing that can be mended without a doubt\n")


def rows(folder: Path, *paths: str) -> list[list[str]]:
    """The rows of the table that `clusters` prints."""
    return [re.split(r" {2,}", line) for line in run("clusters", *paths, cwd=folder).stdout.splitlines()]


def test_clusters_tells_where_a_cluster_is_from(pair: Path) -> None:
    told = rows(pair / "prod")
    assert ["stage", ".mirrorlint/peers/stage.json", "a contract in `.mirrorlint/peers/`"] in told
    assert ["stage: its ingress is stage-gateway.example.com (settings)"] in told


def test_settings_name_a_contract_and_go_before_it(pair: Path) -> None:
    (pair / "prod/.mirrorlint/peers/stage.json").rename(pair / "prod/accepted.json")
    settings = pair / "prod/.mirrorlint.yaml"
    settings.write_text("clusters:\n  prod: {paths: [k8s], istio: 1.27}\n  other: {contract: accepted.json}\n")
    assert ["other", "accepted.json", "a contract named in the settings"] in rows(pair / "prod")
    settings.write_text("clusters:\n  prod: {paths: [k8s], istio: 1.27}\n  other: {contract: accepted.json, ingress: [a.example]}\n")
    assert "other: its ingress is a.example (settings)" in run("clusters", cwd=pair / "prod").stdout
    settings.write_text("clusters:\n  prod: {paths: [k8s], istio: 1.27}\n  other: {contract: gone.json}\n")
    result = run(cwd=pair / "prod")
    assert result.returncode == 0
    assert "the contract of `other` can't be read, so what it accepts is not known" in words(result)


def test_a_folder_below_has_the_contracts_of_its_repository(pair: Path) -> None:
    assert ["stage", ".mirrorlint/peers/stage.json", "a contract in `.mirrorlint/peers/`"] in rows(pair / "prod", "k8s")
    (pair / "prod/k8s/.mirrorlint/peers").mkdir(parents=True)
    assert "stage.json" not in run("clusters", "k8s", cwd=pair / "prod").stdout


def test_a_contract_is_not_used_for_a_cluster_at_hand(pair: Path) -> None:
    own = pair / "stage/.mirrorlint/peers/stage.json"
    own.write_bytes((pair / "prod/.mirrorlint/peers/stage.json").read_bytes())
    assert run("--strict", cwd=pair / "stage").returncode == 0
    assert ["(none)", ".mirrorlint/peers/stage.json", "not used: the cluster `stage` is known without it"] in rows(pair / "stage")


def test_two_repositories_that_are_called_alike_are_told(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"a/repo/m.yaml": PROD, "b/repo/m.yaml": STAGE, "a/repo/.mirrorlint/peers/.keep": "", "b/repo/.mirrorlint/peers/.keep": ""},
    )
    for name, other in (("a", "b"), ("b", "a")):
        run("contract", "export", "--output", f"../../{other}/repo/.mirrorlint/peers/repo.json", cwd=tmp_path / name / "repo")
    assert ".mirrorlint/peers/repo.json: this contract is not used, since the cluster here is called `repo` as well" in words(
        run(cwd=tmp_path / "a/repo")
    )
    result = run("contract", "verify", cwd=tmp_path / "b/repo")
    assert (result.returncode, "what `repo` expects is not verified, since a cluster here is called so as well" in result.stderr) == (
        2,
        True,
    )
    (tmp_path / "b/repo/.mirrorlint.yaml").write_text("clusters: {stage: {paths: [.]}}\n")
    assert run("contract", "verify", cwd=tmp_path / "b/repo").returncode == 1


def test_a_contract_is_not_used_where_clusters_are_named(pair: Path) -> None:
    said = "not used: the clusters are named as arguments"
    assert [row for row in rows(pair / "prod", ".", "stage=../stage") if row[-1] == said] == [
        ["(none)", "../stage/.mirrorlint/peers/prod.json", said],
        ["(none)", ".mirrorlint/peers/stage.json", said],
    ]


def test_an_old_contract_is_a_blind_spot(pair: Path) -> None:
    commit(pair / "prod", "2026-04-30T12:00:00+02:00")
    assert words(run(cwd=pair / "prod")).startswith("1 mirror arrives.")
    (pair / "prod/k8s/m.yaml").write_text(PROD + "# a change\n")
    commit(pair / "prod", "2026-05-02T13:00:00+02:00")
    result = run("--strict", cwd=pair / "prod")
    assert result.returncode == 1
    assert "this contract is 91 days older than the last commit here" in words(result)
    assert ".mirrorlint/peers/stage.json:6" in result.stdout


def test_a_damaged_contract_is_an_error_with_its_line(pair: Path) -> None:
    file = pair / "prod/.mirrorlint/peers/stage.json"
    whole = file.read_text()
    file.write_text(whole.replace('"number": 80', '"number": 81'))
    result = run("--format", "json", cwd=pair / "prod")
    rules = {finding["rule"]: finding for finding in json.loads(result.stdout)["findings"]}
    assert result.returncode == 1
    assert (rules["broken-document"]["path"], rules["broken-document"]["line"]) == (".mirrorlint/peers/stage.json", whole.count("\n") - 1)
    assert "ingress-without-listener" in rules
    file.write_text(whole[: len(whole) // 2])
    result = run(cwd=pair / "prod")
    assert result.returncode == 1
    assert words(result).startswith("error[broken-document]: this contract can't be read:")


def test_verify_fails_for_a_change_that_breaks_what_a_peer_expects(pair: Path) -> None:
    result = run("contract", "verify", cwd=pair / "stage")
    assert result.returncode == 0
    assert "1 mirror arrives. No findings" in words(result)
    (pair / "stage/k8s/m.yaml").write_text(SOUND.replace("number: 80,", "number: 81,"))
    result = run("contract", "verify", cwd=pair / "stage")
    assert result.returncode == 1
    assert "--> k8s/m.yaml:6:20 (stage, Gateway default/stage)" in result.stdout
    assert "--> prod://k8s/m.yaml:22:13 (prod)" in result.stdout
    run("contract", "verify", "--format", f"json={pair}/report.json", cwd=pair / "stage")
    assert json.loads((pair / "report.json").read_text())["summary"]["errors"] == 1


def test_a_run_without_mirrors_names_the_command_for_what_peers_send(pair: Path) -> None:
    hint = "`mirrorlint contract verify` follows what the contracts of peers say that they send.\n"
    said = run(cwd=pair / "stage").stdout
    assert said.startswith("no mirrors found. ")
    assert said.endswith(f".\n{hint}")
    assert hint not in run(cwd=pair / "prod").stdout
    (pair / "stage/.mirrorlint/peers/prod.json").unlink()
    assert hint not in run(cwd=pair / "stage").stdout


def test_verify_without_a_contract_is_wrong_usage(pair: Path) -> None:
    file = pair / "stage/.mirrorlint/peers/prod.json"
    said = json.loads(file.read_text())
    said["expects"][0]["to"] = "qa"
    file.write_text(json.dumps({**said, "digest": digest(said)}))
    result = run("contract", "verify", cwd=pair / "stage")
    assert result.returncode == 2
    assert "no cluster here is called so" in result.stderr
    file.unlink()
    result = run("contract", "verify", cwd=pair / "stage")
    assert result.returncode == 2
    assert "there is no contract of a peer: put it into .mirrorlint/peers/" in result.stderr
    (pair / "stage/.mirrorlint.yaml").write_text("clusters: {prod: {contract: gone.json}}\n")
    result = run("contract", "verify", cwd=pair / "stage")
    assert result.returncode == 2
    assert "there is no contract of a peer: `gone.json` can't be read, which the settings name" in result.stderr


def test_export_asks_which_cluster(pair: Path) -> None:
    (pair / "stage/.mirrorlint.yaml").write_text("clusters: {stage: {paths: [k8s]}, qa: {paths: [k8s]}}\n")
    result = run("contract", "export", cwd=pair / "stage")
    assert result.returncode == 2
    assert "which cluster is meant is not said: `--cluster` with one of stage, qa" in result.stderr
    assert "`prod` is no cluster here: stage, qa" in run("contract", "export", "--cluster", "prod", cwd=pair / "stage").stderr
    assert json.loads(run("contract", "export", "--cluster", "qa", cwd=pair / "stage").stdout)["cluster"] == "qa"
    assert run("contract", "export", "--cluster", "qa", "--istio", "new", cwd=pair / "stage").returncode == 2


def test_a_repository_gets_its_folder_for_contracts_but_none_is_made_up(tmp_path: Path) -> None:
    write(tmp_path, {"stage/all.yaml": STAGE, "prod/all.yaml": PROD})
    assert run("contract", "export", "--output", "../prod/.mirrorlint/peers/stage.json", cwd=tmp_path / "stage").returncode == 0
    assert (tmp_path / "prod/.mirrorlint/peers/stage.json").is_file()
    assert run("contract", "export", "--output", "../pord/.mirrorlint/peers/stage.json", cwd=tmp_path / "stage").returncode == 2
    assert not (tmp_path / "pord").exists()
