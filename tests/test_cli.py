"""The command line as a user meets it: what is printed, and with which exit code."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner

from mirrorlint.cli import cli

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples"


class Result(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


def run(*args: object, cwd: Path = ROOT, **env: str) -> Result:
    with contextlib.chdir(cwd):
        result = CliRunner().invoke(cli, [*map(str, args)], env={"NO_COLOR": None, "FORCE_COLOR": None, **env}, prog_name="mirrorlint")
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return Result(result.exit_code, result.stdout, result.stderr)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLES / "as-first-written", tmp_path / "repo"))


def test_the_article_as_first_written_names_the_host_and_the_line() -> None:
    result = run("examples/as-first-written")
    assert result.returncode == 1
    assert "`httpbin.frontend.svc.cluster.local-shadow`" in result.stdout.replace("\n", " ")
    assert "examples/as-first-written/clusters/stage/virtual-service.yaml:10:7" in result.stdout
    assert "examples/as-first-written/clusters/prod/virtual-service.yaml:17:15" in result.stdout


def test_the_article_as_published_breaks_with_the_upgrade() -> None:
    assert run("examples/as-published", "--istio", "1.27").returncode == 0
    upgraded = run("examples/as-published", "--istio", "1.28")
    assert upgraded.returncode == 1
    assert "shadow-host-not-accepted" in upgraded.stdout


def test_the_sound_example_is_silent_and_says_what_arrives() -> None:
    result = run("examples/sound", "--strict")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("1 mirror arrives.")


def test_check_is_the_default_command_and_the_working_directory_the_default_path(repo: Path) -> None:
    assert run(cwd=repo).stdout == run("check", ".", cwd=repo).stdout
    assert "clusters/stage/virtual-service.yaml:10:7" in run(cwd=repo).stdout


def test_a_path_for_each_cluster() -> None:
    result = run("source=examples/as-first-written/clusters/prod", "target=examples/as-first-written/clusters/stage")
    assert result.returncode == 1
    assert "no virtual host of target's gateway accepts" in result.stdout.replace("\n    ", " ")


def test_one_cluster_is_followed_to_the_endpoint_and_says_so() -> None:
    result = run("examples/sound/clusters/prod")
    assert result.returncode == 0
    assert "not judged: examples/sound/clusters/prod/virtual-service.yaml" in result.stdout
    assert run("examples/sound/clusters/prod", "--strict").returncode == 1


def test_json_goes_to_a_file_and_text_to_the_terminal(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    result = run("examples/as-first-written", "--format", "text", "--format", f"json={file}")
    report = json.loads(file.read_text())
    assert report["findings"][0]["rule"] == "shadow-host-not-accepted"
    assert (report["findings"][0]["line"], report["findings"][0]["column"]) == (10, 7)
    assert report["mirrors"][0]["delivery"] == {"1.27": "none", "1.28": "none"}
    assert "error[shadow-host-not-accepted]" in result.stdout


@pytest.mark.parametrize("words", [("--output", "-"), ("--format", "text=-"), ("contract", "export", "--cluster", "prod", "--output", "-")])
def test_a_dash_is_standard_output(repo: Path, words: tuple[str, ...]) -> None:
    plainly = run(*words[:-2], cwd=repo).stdout
    assert plainly
    assert run(*words, cwd=repo).stdout == plainly
    assert not (repo / "-").exists()


def test_quiet_is_one_line_a_finding() -> None:
    lines = run("-q", "examples/as-first-written").stdout.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("examples/as-first-written/clusters/stage/virtual-service.yaml:10:7: error[shadow-host-not-accepted]: ")


def test_a_run_that_fails_says_why_even_when_quiet(repo: Path) -> None:
    (repo / "chart").mkdir()
    (repo / "chart" / "Chart.yaml").write_text("name: a\n")
    done = run("-q", "--strict", cwd=repo)
    assert (done.returncode, "not judged: " in done.stdout) == (1, True)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        pytest.param(("nowhere/",), "nowhere", id="a path that is missing"),
        pytest.param(("prod=",), "Error: prod=: there is no such file or folder", id="a name without a path"),
        pytest.param(("chek", "."), "`chek` is no command (did you mean `check`?)", id="a misspelt command"),
        pytest.param(("trace", "--port", "81", "--gateway", "."), "`--gateway`, `--port` ask for a call, whose `--host`", id="no host"),
        pytest.param(("--istio", "latest", "examples/sound"), "`latest` is not an Istio version", id="a version that is none"),
        pytest.param(("--format", "xml", "examples/sound"), "`xml` is no format", id="an unknown format"),
        pytest.param(("--rule", "shadow-denie", "examples/sound"), "did you mean `shadow-denied`", id="a misspelt rule"),
        pytest.param(
            ("--output", "no/such/folder/report", "examples/sound"), "no/such/folder/report", id="an output that cannot be written"
        ),
        pytest.param(
            ("--output", "a", "--format", "json=b", "examples/sound"),
            "`--output a` is for a format that names no file",
            id="no use of a file",
        ),
        pytest.param(("--wrong", "examples/sound"), "--wrong", id="an unknown option"),
        pytest.param(("trace", "examples/sound", "--host", "httpbin", "--port", "65536"), "65536", id="a port that is none"),
        pytest.param(("trace", "examples/sound", "--host", "httpbin", "--header", "x-user"), "`x-user` is no header", id="no header"),
        pytest.param(("trace", "examples/sound", "--host", "httpbin", "--header", ":me"), "`:me` is no header", id="no name of a header"),
        pytest.param(("trace", "examples/sound", "--host", "httpbin", "--path", "status"), "`status` is no path", id="no path"),
        pytest.param(("trace", "examples/sound", "--host", "httpbin", "--method", "get it"), "`get it` is no method", id="no method"),
        pytest.param(("trace", "examples/sound", "--host", "httpbin", "--path", ""), "`` is no path", id="an empty path"),
        pytest.param(("trace", "examples/sound", "--host", "httpbin", "--method", ""), "`` is no method", id="an empty method"),
        pytest.param(("trace", "examples/sound", "--host", ""), "'--host': `` is no host", id="an empty host"),
        pytest.param(("trace", "examples/sound", "--host", "httpbin", "--from", ""), "'--from': `` is no namespace", id="no namespace"),
        pytest.param(("trace", "examples/sound", "--host", "httpbin", "--from", "prod/"), "`prod/` is no namespace", id="a cluster alone"),
    ],
)
def test_wrong_usage_exits_2(args: tuple[str, ...], words: str) -> None:
    result = run(*args)
    assert result.returncode == 2
    assert words in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("words", [["clusters/prod"], ["prod=clusters/prod", "stage=clusters/stage"]])
def test_a_path_is_no_misspelt_command(repo: Path, words: list[str]) -> None:
    assert run(*words, cwd=repo) == run("check", *words, cwd=repo)


def test_settings_with_an_unknown_key_exit_2_with_its_place(repo: Path) -> None:
    (repo / ".mirrorlint.yaml").write_text("clusters:\n  prod:\n    pahts: [clusters/prod]\n")
    result = run(cwd=repo)
    assert result.returncode == 2
    assert ".mirrorlint.yaml:3:5" in result.stderr
    assert "`paths`" in result.stderr


def test_settings_change_a_level_and_options_choose_rules(repo: Path) -> None:
    (repo / ".mirrorlint.yaml").write_text("rules: {shadow-host-not-accepted: warning}\n")
    assert run(cwd=repo).returncode == 0
    assert run("--strict", cwd=repo).returncode == 1
    assert "warning[shadow-host-not-accepted]" in run(cwd=repo).stdout
    assert "shadow-host-not-accepted" not in run("--skip", "shadow-host-not-accepted", cwd=repo).stdout
    assert "shadow-host-not-accepted" not in run("--rule", "tls-mismatch", cwd=repo).stdout


def test_a_known_version_leaves_one_world(repo: Path) -> None:
    (repo / ".mirrorlint.yaml").write_text('clusters: {prod: {paths: [clusters/prod], istio: "1.28"}, stage: {paths: [clusters/stage]}}\n')
    report = json.loads(run("--format", "json", cwd=repo).stdout)
    assert report["mirrors"][0]["delivery"] == {"1.28": "none"}


def test_an_incomplete_cluster_makes_absence_a_warning(repo: Path) -> None:
    settings = "clusters: {prod: {paths: [clusters/prod]}, stage: {paths: [clusters/stage], complete: false}}\n"
    (repo / ".mirrorlint.yaml").write_text(settings)
    result = run(cwd=repo)
    assert result.returncode == 0
    assert "unless it is among the objects of stage that live elsewhere" in " ".join(result.stdout.split())


def test_a_chart_that_is_not_rendered_is_said_and_makes_absence_a_warning(repo: Path) -> None:
    chart = repo / "clusters" / "stage" / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: ingress\nversion: 1.0.0\n")
    (chart / "templates" / "virtual-service.yaml").write_text("kind: VirtualService\nmetadata: {{ .Values.meta }}\n")
    result = run(cwd=repo)
    assert result.returncode == 0
    assert "not judged: clusters/stage/chart" in result.stdout
    assert "warning[shadow-host-not-accepted]" in result.stdout


def test_a_broken_document_is_a_finding_and_the_rest_is_judged(repo: Path) -> None:
    (repo / "clusters" / "prod" / "broken.yaml").write_text(
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nspec:\n\thosts: []\n"
    )
    result = run(cwd=repo)
    assert "clusters/prod/broken.yaml:4:1" in result.stdout
    assert "error[broken-document]" in result.stdout
    assert "error[shadow-host-not-accepted]" in result.stdout


def test_colour_is_for_terminals_unless_forced() -> None:
    assert "\x1b[" not in run("examples/as-first-written").stdout
    assert "\x1b[" in run("examples/as-first-written", FORCE_COLOR="1").stdout
    assert "\x1b[" not in run("examples/as-first-written", FORCE_COLOR="1", NO_COLOR="1").stdout
    assert "\x1b[" in run("examples/as-first-written", "--color", "always", NO_COLOR="1").stdout


def test_trace_follows_one_call_hop_by_hop() -> None:
    result = run("trace", "examples/as-published", "--from", "frontend", "--host", "httpbin", "--port", 8000)
    assert result.returncode == 1
    for place in ("prod/virtual-service.yaml:8", "prod/service-entry.yaml:8", "stage/gateway.yaml:"):
        assert f"examples/as-published/clusters/{place}" in result.stdout
    assert "httpbin-shadow" in result.stdout
    assert run("trace", "examples/sound", "--from", "frontend", "--host", "httpbin", "--port", 8000).returncode == 0


def test_trace_without_a_host_follows_every_caller() -> None:
    result = run("trace", "examples/sound", "--istio", "1.28")
    assert result.returncode == 0
    for host in ("httpbin", "httpbin.frontend", "httpbin.frontend.svc", "httpbin.frontend.svc.cluster.local", "httpbin:8000"):
        assert re.search(rf"\b{re.escape(host)}\b", result.stdout)


def test_trace_sends_the_headers_that_are_asked_for(repo: Path) -> None:
    file = repo / "clusters" / "prod" / "virtual-service.yaml"
    file.write_text(file.read_text().replace("- route:", "- match: [{headers: {x-user: {exact: 'a: b'}}}]\n      route:"))
    assert "copies 100%" in run("trace", repo, "--from", "frontend", "--host", "httpbin", "--port", 8000, "--header", "x-user: a: b").stdout
    assert "copies" not in run("trace", repo, "--from", "frontend", "--host", "httpbin", "--port", 8000, "--header", "x-user: a").stdout


def test_trace_of_an_unknown_cluster_is_wrong_usage() -> None:
    result = run("trace", "examples/sound", "--from", "nowhere/default", "--host", "httpbin")
    assert result.returncode == 2
    assert "`nowhere` is no cluster here: prod, stage" in result.stderr


@pytest.mark.parametrize("kind", ["mermaid", "dot", "json"])
def test_graph_shows_both_ends(kind: str) -> None:
    result = run("graph", "--format", kind, "examples/as-first-written")
    assert result.returncode == 0
    assert "httpin.frontend.stage.eu.trv.cloud" in result.stdout
    assert "prod" in result.stdout
    assert "stage" in result.stdout


def test_clusters_says_why() -> None:
    result = run("clusters", "examples/sound")
    assert result.returncode == 0
    assert result.stdout.splitlines() == [
        "cluster  folder                         why",
        "prod     examples/sound/clusters/prod   a folder of `clusters/`",
        "stage    examples/sound/clusters/stage  a folder of `clusters/`",
        "stage: no address of its ingress is known",
    ]


def test_rules_lists_what_each_finds_and_explain_prints_its_page() -> None:
    lines = run("rules").stdout.splitlines()
    assert any(
        re.match(r"shadow-host-not-accepted +error +No virtual host of the target's gateway covers the Host", line) for line in lines
    )
    assert any(re.match(r"writes-mirrored +off ", line) for line in lines)
    for name in (line.split()[0] for line in lines):
        assert run("explain", name).stdout.startswith(f"# {name}\n")
    unknown = run("explain", "shadow-host-not-acepted")
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "did you mean `shadow-host-not-accepted`" in unknown.stderr


def test_version_and_help() -> None:
    assert re.fullmatch(r"mirrorlint \d+\.\d+\.\d+\n", run("--version").stdout)
    assert "check" in run("--help").stdout


def test_a_bug_of_ours_exits_3_and_says_so() -> None:
    code = "from mirrorlint.cli import cli, main\n@cli.command()\ndef broken(): raise RuntimeError('oh')\nmain(['broken'])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 3
    assert "RuntimeError: oh" in result.stderr
    assert "please report" in result.stderr


def test_a_rule_that_is_off_is_switched_on_by_its_name() -> None:
    assert "writes-mirrored" not in run("-q", "examples/sound").stdout
    named = run("-q", "--rule", "writes-mirrored", "examples/sound")
    assert (named.returncode, "warning[writes-mirrored]" in named.stdout) == (0, True)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("more", [[], ["--no-cache"]])
def test_a_full_disk_is_no_bug(more: list[str]) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "mirrorlint", str(EXAMPLES / "sound"), *more],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr.splitlines()[-1]) == (2, "Error: standard output: No space left on device")


def shell(script: str, *words: str) -> Result:
    """What a shell's script has of the program, which is `"$@"` in it."""
    called = ["sh", "-c", script, "sh", sys.executable, "-m", "mirrorlint", *words]
    done = subprocess.run(called, cwd=ROOT, capture_output=True, text=True, check=False)
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("words", [["--no-cache", "examples/sound"], ["rules"], ["--help"]])
def test_a_closed_standard_output_is_wrong_usage(words: list[str]) -> None:
    assert shell('"$@" >&-', *words) == (2, "", "Error: standard output is closed\n")


def test_a_closed_standard_error_changes_nothing_else() -> None:
    arrives = shell('"$@" 2>&-', "--no-cache", "examples/sound")
    assert (arrives.returncode, arrives.stdout[:17]) == (0, "1 mirror arrives.")
    assert shell('"$@" 2>&-', "explain", "no-such-rule") == (2, "", "")


@pytest.mark.parametrize(
    "command",
    [
        "",
        "--staged",
        "trace",
        "graph",
        "fix",
        "clusters",
        "init",
        "contract export",
        "contract verify",
        "argocd generate",
        str(EXAMPLES / "sound"),
    ],
)
def test_a_working_directory_that_is_gone_is_wrong_usage(command: str, tmp_path: Path) -> None:
    result = shell(f'cd "{tmp_path}" && mkdir gone && cd gone && rmdir ../gone && exec "$@"', *command.split())
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.endswith("Error: the working directory is gone: change to one that is there\n")


@pytest.mark.parametrize("command", ["check", "trace", "graph", "fix", "fix --diff", "contract export --cluster prod"])
def test_a_version_that_is_none_is_wrong_usage(command: str) -> None:
    result = run(*command.split(), "examples/sound", "--istio", "newest")
    assert (result.returncode, result.stdout) == (2, "")
    assert "`newest` is not an Istio version such as 1.27" in result.stderr


def test_callers_whose_shadows_fare_alike_are_traced_once(repo: Path) -> None:
    def titles() -> list[str]:
        return [line for line in run("trace", repo, "--istio", "1.27").stdout.splitlines() if line.startswith("GET")]

    assert len(titles()) == 1
    target = repo / "clusters/stage/virtual-service.yaml"
    target.write_text(target.read_text().replace("'*.frontend.stage.eu.trv.cloud'", "httpbin.frontend-shadow"))
    assert len(titles()) == 2  # `httpbin.frontend` is taken, other names are not


def test_a_request_enters_at_the_ingress_gateway_of_the_namespace_that_is_asked_for(tmp_path: Path) -> None:
    host = "{{apiVersion: networking.istio.io/v1, kind: {}, metadata: {{name: {}, namespace: {}}}, spec: {{{}}}}}\n---\n"
    text = ""
    for name in ("a", "b"):
        server = (
            f"selector: {{edge: {name}}}, servers: [{{port: {{number: 80, name: http, protocol: HTTP}}, hosts: ['{name}.example.com']}}]"
        )
        route = f"http: [{{route: [{{destination: {{host: {name}}}}}], mirror: {{host: gone.example.com}}}}]"
        text += host.format("Gateway", name, name, server)
        text += host.format("VirtualService", name, name, f"hosts: ['{name}.example.com'], gateways: [{name}], {route}")
        for kind, spec in (
            ("Service", "selector: {edge: " + name + "}, ports: [{name: http, port: 80}]"),
            ("Deployment", "template: {metadata: {labels: {edge: " + name + "}}}"),
        ):
            version = "v1" if kind == "Service" else "apps/v1"
            text += host.format(kind, name, name, spec).replace("networking.istio.io/v1", version)
    (tmp_path / "all.yaml").write_text(text)
    for name, source in (("a", ("--from", "a")), ("b", ("--from", "b")), ("a", ()), ("b", ())):
        result = run("trace", "--gateway", *source, "--host", f"{name}.example.com", tmp_path)
        assert result.stdout.startswith(f"GET / to `{name}.example.com`, port 80, through")
        assert "copies 100% to `gone.example.com" in result.stdout
    asked = run("trace", "--gateway", "--from", "c", "--host", "a.example.com", tmp_path)
    assert asked.returncode == 2
    assert "is in the namespace `c`" in asked.stderr
