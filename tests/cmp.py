"""Argo CD's side of a plugin: a stand-in for argocd-cmp-server, and a client of the real one."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import subprocess
import tarfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import yaml

COPIES = "_cmp_server"
_SERVICE = "/plugin.ConfigManagementPluginService/"
_GRACE = 0.1


class SyncError(Exception):
    """What Argo CD's user interface shows of a sync that a plugin stopped."""


class Server(Protocol):
    """A plugin server; `env` is what the repo-server adds for one application."""

    def generate(self, root: Path, app: str, env: Mapping[str, str], deadline: float) -> list[dict[str, Any]]: ...

    def parameters(self, root: Path, app: str, env: Mapping[str, str]) -> Any: ...


class StandIn:
    """Does what was observed of argocd-cmp-server 3.5: copies the repository, runs the plugin's command, splits what it prints."""

    def __init__(self, plugin: Path, folder: Path, env: Mapping[str, str]) -> None:
        self._spec = yaml.safe_load(plugin.read_text(encoding="utf-8"))["spec"]
        self._folder, self._env = folder / COPIES, env

    def generate(self, root: Path, app: str, env: Mapping[str, str], deadline: float) -> list[dict[str, Any]]:
        printed = self._run(self._spec["generate"]["command"], root, app, env, deadline)
        return [document for document in yaml.safe_load_all(printed) if document]

    def parameters(self, root: Path, app: str, env: Mapping[str, str]) -> Any:
        return json.loads(self._run(self._spec["parameters"]["dynamic"]["command"], root, app, env, 60))

    def _run(self, command: list[str], root: Path, app: str, env: Mapping[str, str], deadline: float) -> str:
        copy = self._folder / f"copy-{len(list(self._folder.glob('*')))}"
        copy.mkdir(parents=True)
        with tarfile.open(fileobj=io.BytesIO(packed(root)), mode="r:gz") as tar:
            tar.extraction_filter = getattr(tarfile, "tar_filter", None)  # unknown to Python 3.11.2
            tar.extractall(copy)  # noqa: S202 (packed above)
        pipe, around = subprocess.PIPE, {**self._env, **env}
        process = subprocess.Popen(
            command, cwd=copy / app, env=around, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True, start_new_session=True
        )
        try:
            printed, said = process.communicate(timeout=deadline - _GRACE)
        except subprocess.TimeoutExpired as error:
            os.killpg(process.pid, signal.SIGKILL)
            raise SyncError(process.communicate()[1]) from error
        if process.returncode:
            raise SyncError(f"`{' '.join(command)}` failed exit status {process.returncode}: {said}")
        return printed


class Real:
    """The real argocd-cmp-server, over its socket."""

    def __init__(self, program: str, plugin: Path, folder: Path, env: Mapping[str, str]) -> None:
        config = folder / "config"
        config.mkdir()
        (config / "plugin.yaml").write_bytes(plugin.read_bytes())
        around = {**env, "ARGOCD_PLUGINSOCKFILEPATH": str(folder / "plugins"), "ARGOCD_CMP_WORKDIR": str(folder / "work")}
        (folder / "plugins").mkdir()
        (folder / "work").mkdir()
        self._log = (folder / "log").open("wb")
        command = [program, "--config-dir-path", str(config)]
        self._process = subprocess.Popen(command, env=around, cwd=folder, stdout=self._log, stderr=self._log)
        socket = folder / "plugins" / "mirrorlint.sock"
        for _ in range(200):
            if socket.exists():
                break
            time.sleep(0.05)
        import grpc  # noqa: PLC0415 (only the real server needs it)

        sizes = ("grpc.max_receive_message_length", "grpc.max_metadata_size", "grpc.absolute_max_metadata_size")
        self._error = grpc.RpcError
        self._channel = grpc.insecure_channel(f"unix:{socket}", options=[(size, 64 << 20) for size in sizes])

    def close(self) -> None:
        """End the server; a first SIGTERM only takes its socket away."""
        self._channel.close()
        self._process.kill()
        self._process.wait()
        self._log.close()

    def generate(self, root: Path, app: str, env: Mapping[str, str], deadline: float) -> list[dict[str, Any]]:
        answer = self._ask("GenerateManifest", root, app, env, deadline)
        return [json.loads(value) for number, value in answer if number == 1]

    def parameters(self, root: Path, app: str, env: Mapping[str, str]) -> Any:
        names = {1: "name", 2: "title", 3: "tooltip", 6: "collectionType", 7: "string"}
        answer = self._ask("GetParametersAnnouncement", root, app, env, 60)
        return [{names[number]: value.decode() for number, value in fields(item)} for _, item in answer]

    def _ask(self, method: str, root: Path, app: str, env: Mapping[str, str], deadline: float) -> list[tuple[int, bytes]]:
        data = packed(root)
        about = field(1, b"shop") + field(2, app.encode()) + field(3, hashlib.sha256(data).hexdigest().encode()) + size(4, len(data))
        about += b"".join(field(5, field(1, name.encode()) + field(2, value.encode())) for name, value in env.items())
        sent = [field(1, about), *(field(2, field(1, data[start : start + 1024])) for start in range(0, len(data), 1024))]
        call: Any = self._channel.stream_unary(_SERVICE + method)
        try:
            return list(fields(call(iter(sent), timeout=deadline)))
        except self._error as error:
            raise SyncError(str(error.details())) from error


def packed(root: Path) -> bytes:
    """A repository as the repo-server sends it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for path in sorted(root.rglob("*")):
            tar.add(path, arcname=str(path.relative_to(root)), recursive=False)
    return out.getvalue()


def varint(number: int) -> bytes:
    """A number of a protocol buffer."""
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])


def field(number: int, value: bytes) -> bytes:
    """A field that has bytes."""
    return varint(number << 3 | 2) + varint(len(value)) + value


def size(number: int, value: int) -> bytes:
    """A field that has a number."""
    return varint(number << 3) + varint(value)


def fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The fields of a message that have bytes; those that have numbers are passed over."""
    at = 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        key, value = number(), number()
        if key & 7 == 2:
            yield key >> 3, data[at : at + value]
            at += value
