"""The plugin as Argo CD runs it: each case by a stand-in, and by the real argocd-cmp-server that MIRRORLINT_CMP_SERVER names."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cmp import Real, Server, StandIn, SyncError
from repositories import LOST_AT, MIRROR_AT, RULE, edit
from test_cli import EXAMPLES, ROOT

BIN = Path(sys.executable).parent
PLUGIN = ROOT / "argocd" / "plugin.yaml"
REAL = os.environ.get("MIRRORLINT_CMP_SERVER", "")
APP = "clusters/stage"
KINDS = ["Gateway", "Service", "VirtualService"]

Start = Callable[..., Server]


@pytest.fixture(params=["stand-in", pytest.param("real", marks=pytest.mark.skipif(not REAL, reason="MIRRORLINT_CMP_SERVER names none"))])
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Start]:
    """Starts a sidecar with an environment of its own; a socket's path must be short."""
    servers: list[Real] = []
    with tempfile.TemporaryDirectory(prefix="cmp") as short:

        def started(**env: str) -> Server:
            around = {"PATH": f"{BIN}:{os.environ['PATH']}", "XDG_CACHE_HOME": str(tmp_path / "cache"), **env}
            if request.param == "stand-in":
                return StandIn(PLUGIN, tmp_path / "work", around)
            servers.append(Real(REAL, PLUGIN, Path(short), around))
            return servers[-1]

        yield started
        for server in servers:
            server.close()


@pytest.fixture
def lost(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLES / "as-first-written", tmp_path / "repo"))


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLES / "sound", tmp_path / "sound"))


def generate(server: Server, root: Path, app: str = APP, **env: str) -> list[dict[str, Any]]:
    said = {"ARGOCD_APP_NAME": "shop", "ARGOCD_APP_NAMESPACE": "shop", "ARGOCD_APP_SOURCE_PATH": app, "ARGOCD_APP_PARAMETERS": "null"}
    return server.generate(root, app, {**said, **env}, deadline=60)


def kinds(manifests: list[dict[str, Any]]) -> list[str]:
    return [manifest["kind"] for manifest in manifests]


def refusal(server: Server, root: Path, app: str = APP, **env: str) -> str:
    with pytest.raises(SyncError) as failed:
        generate(server, root, app, **env)
    return str(failed.value)


def concatenated(*edits: str) -> str:
    """A renderer that prints the three files of the target as one."""
    return shlex.join(["sed", "-s", "-e", "$a---", *edits, "gateway.yaml", "httpbin.yaml", "virtual-service.yaml"])


def asked(**parameters: str) -> dict[str, str]:
    return {"ARGOCD_APP_PARAMETERS": json.dumps([{"name": name.replace("_", "-"), "string": word} for name, word in parameters.items()])}


def test_a_sound_application_is_what_was_rendered(start: Start, sound: Path) -> None:
    assert kinds(generate(start(), sound)) == KINDS


def test_lost_shadows_stop_the_sync_with_both_ends(start: Start, lost: Path) -> None:
    said = refusal(start(), lost)
    assert f"error[{RULE}]" in said
    assert f"{LOST_AT}:10:7" in said
    assert f"{MIRROR_AT}:17:15" in said


def test_the_other_end_stops_too_and_an_application_without_a_part_in_it_does_not(start: Start, lost: Path) -> None:
    (lost / "apps").mkdir()
    (lost / "apps" / "config.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
    server = start()
    assert f"error[{RULE}]" in refusal(server, lost, "clusters/prod")
    assert kinds(generate(server, lost, "apps")) == ["ConfigMap"]


def test_the_sidecar_may_only_warn_and_an_application_may_ask_for_more(start: Start, lost: Path) -> None:
    server = start(MIRRORLINT_MODE="warn")
    assert kinds(generate(server, lost)) == KINDS
    assert f"error[{RULE}]" in refusal(server, lost, **asked(mode="enforce"))


def test_an_application_can_not_ask_for_less(start: Start, lost: Path) -> None:
    assert f"error[{RULE}]" in refusal(start(), lost, **asked(mode="warn"))


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        pytest.param('[{"name": "mod", "string": "warn"}]', "there is no parameter `mod`", id="an unknown name"),
        pytest.param('[{"name": "mode", "string": "of"}]', "the parameter `mode` is `of`", id="an unknown word"),
        pytest.param('[{"name": "values", "array": ["../../../x"]}]', "which is no file of the repository", id="a file outside"),
        pytest.param("{", "`ARGOCD_APP_PARAMETERS`", id="no JSON"),
    ],
)
def test_parameters_that_are_none_stop_the_sync(start: Start, sound: Path, parameters: str, words: str) -> None:
    assert words in refusal(start(), sound, ARGOCD_APP_PARAMETERS=parameters)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        pytest.param("true", "there is nothing in it", id="nothing"),
        pytest.param("echo '# a comment'", "there is nothing in it", id="a comment"),
        pytest.param("echo '['", "its line 1 is no YAML: `[` is never closed", id="no YAML"),
        pytest.param("echo hello", "its document at line 1 has no `kind`", id="text"),
        pytest.param("echo '[{kind: A}]'", "its document at line 1 has no `kind`", id="a list"),
        pytest.param(r"printf 'kind: A\n---\nname: b\n'", "its document at line 3 has no `kind`", id="an object without a kind"),
        pytest.param(r"printf '\377'", "byte 0 is not UTF-8", id="bytes"),
        pytest.param("no-such-renderer .", "can't be run: No such file or directory", id="no program"),
        pytest.param("sh -c 'echo kind: A; echo broken chart >&2; exit 3'", "ended with status 3:\nbroken chart", id="an error"),
        pytest.param("echo 'a", "is no command", id="no command"),
    ],
)
def test_what_is_no_manifests_stops_the_sync_with_the_reason(start: Start, sound: Path, command: str, words: str) -> None:
    assert words in refusal(start(MIRRORLINT_RENDER_CMD=command), sound)


def test_a_renderer_and_its_children_end_with_our_deadline(start: Start, sound: Path) -> None:
    said = refusal(start(MIRRORLINT_RENDER_CMD="sh -c 'sleep 50 & sleep 50'", MIRRORLINT_TIMEOUT="0.5"), sound)
    assert "was not done after" in said


@pytest.mark.parametrize("app", [APP, "clusters/prod"])
def test_without_time_to_judge_the_sidecar_decides(start: Start, lost: Path, app: str) -> None:
    assert len(generate(start(MIRRORLINT_TIMEOUT="0.02"), lost, app)) == 3


def test_without_time_to_judge_the_sidecar_or_the_application_may_fail_closed(start: Start, lost: Path) -> None:
    server = start(MIRRORLINT_TIMEOUT="0.02")
    assert "there was no time left to follow the shadows" in refusal(server, lost, **asked(on_failure="closed"))


def test_an_application_can_not_open_what_fails_closed(start: Start, lost: Path) -> None:
    server = start(MIRRORLINT_TIMEOUT="0.02", MIRRORLINT_ON_FAILURE="closed")
    assert "the plugin fails closed" in refusal(server, lost, **asked(on_failure="open"))


def test_wrong_settings_stop_the_sync_with_their_line(start: Start, sound: Path) -> None:
    (sound / ".mirrorlint.yaml").write_text("clusters:\n  prod:\n    pahts: [clusters/prod]\n")
    assert ".mirrorlint.yaml:3:5" in refusal(start(), sound)


def test_what_is_rendered_counts_and_not_what_is_beside_it(start: Start, lost: Path) -> None:
    edited = concatenated("-e", "s/'[*].frontend.stage.eu.trv.cloud'/'*'/")
    assert kinds(generate(start(MIRRORLINT_RENDER_CMD=edited), lost)) == KINDS


def test_findings_in_what_is_rendered_point_at_what_was_written(start: Start, lost: Path) -> None:
    said = refusal(start(MIRRORLINT_RENDER_CMD=concatenated()), lost)
    assert f"{LOST_AT}:10:7" in said
    assert f"{MIRROR_AT}:17:15" in said


def test_objects_without_a_namespace_are_in_that_of_the_destination(start: Start, sound: Path) -> None:
    edit(sound / "clusters/stage/httpbin.yaml", "  namespace: frontend\n", "")
    server = start()
    assert kinds(generate(server, sound, ARGOCD_APP_NAMESPACE="frontend")) == KINDS
    assert "target-route-to-unknown-host" in refusal(server, sound, ARGOCD_APP_NAMESPACE="other")


def test_istio_refuses_objects_as_they_are_in_that_of_the_destination(start: Start, sound: Path) -> None:
    for file in (sound / "clusters/prod").iterdir():
        edit(file, "  namespace: frontend\n", "")
    edit(sound / "clusters/prod/virtual-service.yaml", "spec:\n", "spec:\n  exportTo: ['.', frontend]\n")
    server = start()
    assert generate(server, sound, "clusters/prod", ARGOCD_APP_NAMESPACE="other")
    assert "error[refused-by-istio]" in refusal(server, sound, "clusters/prod", ARGOCD_APP_NAMESPACE="frontend")


def test_a_peer_is_read_from_a_path_of_the_sidecar(start: Start, lost: Path, tmp_path: Path) -> None:
    peer = shutil.move(lost / "clusters" / "stage", tmp_path / "peer")
    assert f"error[{RULE}]" in refusal(start(MIRRORLINT_PEERS=f"stage={peer}"), lost, "clusters/prod")


def test_a_peer_that_is_not_there_stops_the_sync(start: Start, sound: Path) -> None:
    assert "/no/such/peer" in refusal(start(MIRRORLINT_PEERS="other=/no/such/peer"), sound)


def test_a_part_of_the_repository_is_judged_as_far_as_it_goes(start: Start, lost: Path) -> None:
    part = {"ARGOCD_APP_SOURCE_PATH": "deploy/clusters/stage"}
    assert "only a part of the repository is here" in refusal(start(), lost, **part)


def test_the_parameters_are_announced_with_what_the_sidecar_says(start: Start, sound: Path) -> None:
    server = start(MIRRORLINT_MODE="warn")
    said = server.parameters(sound, APP, {"ARGOCD_APP_SOURCE_PATH": APP})
    assert [(each["name"], each["string"]) for each in said] == [("mode", "warn"), ("on-failure", "open")]
    (sound / APP / "Chart.yaml").write_text("apiVersion: v2\nname: a\nversion: 1.0.0\n")
    assert server.parameters(sound, APP, {})[-1]["collectionType"] == "array"


def test_nothing_of_the_applications_repository_is_run(start: Start, lost: Path, tmp_path: Path) -> None:
    for name in ("click.py", "mirrorlint.py", "yaml.py"):
        (lost / name).write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\nraise SystemExit(0)\n")
    assert f"error[{RULE}]" in refusal(start(), lost)
    assert not (tmp_path / "ran").exists()
