"""What an application's folder becomes: the renderer's own bytes, whole or not at all."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from mirrorlint.argocd import AUTO, HELM, KUSTOMIZE, PLAIN
from mirrorlint.loading.paths import CHART
from mirrorlint.sieve import KUSTOMIZATIONS, SUFFIXES, sift
from mirrorlint.source import Node, Parsed, parse

_SHOWN = 4000
_MISSING = "found in Chart.yaml, but missing in charts/ directory"


class RenderError(Exception):
    """What could not be rendered, and why, in the renderer's own words."""


class Application(NamedTuple):
    """An application: its absolute folder, what Argo CD says of it (`ARGOCD_APP_NAME` and others), and its files of Helm values."""

    folder: str
    environment: Mapping[str, str]
    values: tuple[str, ...] = ()


def way(folder: str) -> str:
    """How Argo CD would render a folder (Argo CD, user-guide/tool_detection)."""
    if os.path.isfile(os.path.join(folder, CHART)):
        return HELM
    kustomized = any(os.path.isfile(os.path.join(folder, name)) for name in KUSTOMIZATIONS)
    return KUSTOMIZE if kustomized else PLAIN


def render(application: Application, how: str, command: str, seconds: float) -> bytes:
    """Render a folder by a command, or in one of WAYS, within a time; RenderError when that is not done, or gives no manifests."""
    how = way(application.folder) if how == AUTO else how
    words = _split(command) if command else _command(application, how)
    if words and not command and how == HELM:
        printed = _with_dependencies(words, application.folder, seconds)
    else:
        printed = _run(words, application.folder, seconds) if words else _plain(application.folder)
    wrong = _fault(printed)
    if wrong:
        raise RenderError(f"{f'`{shlex.join(words)}`' if words else 'the folder'} gives no manifests: {wrong}")
    return printed


def _split(command: str) -> Sequence[str]:
    try:
        return shlex.split(command)
    except ValueError as error:
        raise RenderError(f"`{command}` is no command: {error}") from error


def _command(application: Application, how: str) -> Sequence[str]:
    if how == KUSTOMIZE:
        return ["kustomize", "build", "."] if shutil.which("kustomize") else ["kubectl", "kustomize", "."]
    return list(_helm(application)) if how == HELM else ()


def _helm(application: Application) -> Iterator[str]:
    """As Argo CD's repo-server calls it (util/helm/cmd.go)."""
    said = application.environment
    yield from ("helm", "template", said.get("ARGOCD_APP_NAME") or "release", ".", "--include-crds")
    if said.get("ARGOCD_APP_NAMESPACE"):
        yield from ("--namespace", said["ARGOCD_APP_NAMESPACE"])
    if said.get("KUBE_VERSION"):
        yield from ("--kube-version", said["KUBE_VERSION"])
    yield from (f"--api-versions={version}" for version in said.get("KUBE_API_VERSIONS", "").split(",") if version)
    yield from (f"--values={file}" for file in application.values)


def _with_dependencies(words: Sequence[str], folder: str, seconds: float) -> bytes:
    """What helm prints; where it misses charts that a chart depends on they are built first, as Argo CD does.

    (Argo CD, reposerver/repository/repository.go: helmTemplate; util/helm/helm.go: IsMissingDependencyErr.) They are taken away again: that
    they are packed would hide where their lines are written.
    """
    ends = time.monotonic() + seconds
    try:
        return _run(words, folder, seconds)
    except RenderError as error:
        if _MISSING not in str(error):
            raise
    before = _dependencies(folder)
    try:
        _run(["helm", "dependency", "build"], folder, ends - time.monotonic())
        return _run(words, folder, ends - time.monotonic())
    finally:
        for path in sorted(_dependencies(folder) - before, reverse=True):
            (shutil.rmtree if os.path.isdir(path) else os.remove)(path)


def _dependencies(folder: str) -> set[str]:
    """What there is of the charts that a chart depends on, and of their versions."""
    charts = os.path.join(folder, "charts")
    inside = (os.path.join(charts, name) for name in (os.listdir(charts) if os.path.isdir(charts) else ()))
    return {*inside, *filter(os.path.exists, (charts, os.path.join(folder, "Chart.lock")))}


def _run(command: Sequence[str], folder: str, seconds: float) -> bytes:
    """What a command prints; nothing of it is left behind, since Argo CD waits for whoever holds our output."""
    pipe, shown = subprocess.PIPE, f"`{shlex.join(command)}`"
    try:
        process = subprocess.Popen(  # noqa: S603 (it is what the plugin's owner asked for)
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, start_new_session=True
        )
    except OSError as error:
        raise RenderError(f"{shown} can't be run: {error.strerror}") from error
    try:
        printed, complaints = process.communicate(timeout=max(seconds, 0))
    except subprocess.TimeoutExpired as error:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise RenderError(f"{shown} was not done after {seconds:.0f} seconds") from error
    if process.returncode:
        said = complaints.decode("utf-8", "replace").strip()[-_SHOWN:]
        raise RenderError(f"{shown} ended with status {process.returncode}:\n{said}")
    return printed


def _plain(folder: str) -> bytes:
    """The manifests of a folder itself, as Argo CD takes them (`directory` without `recurse`); JSON as any YAML reader takes it."""
    found = {name: _bytes(os.path.join(folder, name)) for name in _files(folder)}
    parsed = {name: parse(data, name) for name, data in found.items()}
    kinds = {name for name, each in parsed.items() if any(node["kind"] for node in each.documents)}
    lacking = [_lacking(name, parsed[name]) for name, data in found.items() if name not in kinds and _is_readable(parsed[name], data)]
    if len(lacking) == len(found):
        raise RenderError(f"the folder gives no manifests: {'; '.join(lacking) or 'there is nothing in it'}")
    taken = {name: data for name, data in found.items() if name in kinds or parsed[name].broken}
    return b"".join(b"\n---\n" + (_compact(data, name) if name.endswith(".json") else data) for name, data in taken.items())


def _files(folder: str) -> list[str]:
    names = (name for name in sorted(os.listdir(folder)) if name.endswith(SUFFIXES) and not name.startswith("."))
    return [name for name in names if not os.path.isdir(os.path.join(folder, name))]


def _lacking(name: str, parsed: Parsed) -> str:
    """Why a file holds no object."""
    return f"{parsed.broken[0].place}: {parsed.broken[0].message}" if parsed.broken else f"{name} has no `kind`"


def _is_readable(parsed: Parsed, data: bytes) -> bool:
    """Whether it is known what a text holds: what is broken may hold an object if it says a kind."""
    return not parsed.broken or b"kind" not in data


def _bytes(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read().removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise RenderError(f"{os.path.basename(path)} can't be read: {error.strerror}") from error


def _compact(data: bytes, name: str) -> bytes:
    try:
        return json.dumps(json.loads(data)).encode()
    except ValueError as error:
        raise RenderError(f"{name} is not JSON: {error}") from error


def _fault(printed: bytes) -> str:
    """Why Argo CD would take this for no manifests at all, or refuse it with less to go by; "" when it will not."""
    try:
        printed.decode()
    except UnicodeDecodeError as error:
        return f"byte {error.start} is not UTF-8"
    left = sift(printed)
    found = parse(left.data if left.certain else printed, "")
    wrong = next(filter(_is_no_object, found.documents), None)
    if wrong is not None:
        return f"its document at line {wrong.place.line} has no `kind`"
    if found.documents or left.dropped or not _is_readable(found, printed):
        return ""
    return f"its line {found.broken[0].place.line} is no YAML: {found.broken[0].message}" if found.broken else "there is nothing in it"


def _is_no_object(node: Node) -> bool:
    return not (node.is_mapping and node["kind"])
