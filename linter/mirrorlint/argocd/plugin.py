"""One call of the plugin: the rendered manifests whole, or nothing and a reason; never a part of them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mirrorlint.argocd import AUTO, CLOSED, PLAIN, WARN, parameters, place, rendering
from mirrorlint.argocd.parameters import ParameterError, Policy
from mirrorlint.argocd.place import Place
from mirrorlint.argocd.rendering import Application, RenderError
from mirrorlint.loading.paths import within

# -P: nothing is imported from the working directory, which is the application's repository.
_JUDGE = (sys.executable, "-P", "-m", "mirrorlint", "argocd", "judge")
# What `judge` ends with: nothing to stop for, lost shadows, settings that can't be used.
FINE, LOST, WRONG = 0, 1, 2


class Options(NamedTuple):
    """What the plugin's owner says: how to render and to judge, what to do about it, and in how many seconds."""

    render: str = AUTO
    command: str = ""
    policy: Policy = Policy()
    seconds: float = 45.0
    judge: tuple[str, ...] = ()


class Outcome(NamedTuple):
    """What is printed, what is said, and the exit code: nothing is printed unless it is 0."""

    manifests: bytes
    said: str
    code: int


def generate(folder: str, environment: Mapping[str, str], options: Options) -> Outcome:
    """Render the application in a folder, judge it, and decide; `environment` is what Argo CD's plugin server gives."""
    until = time.monotonic() + options.seconds
    where = place.find(folder, environment.get("ARGOCD_APP_SOURCE_PATH", ""))
    try:
        asked = parameters.read(environment)
        _check_values(asked.values, folder, where.root)
        application = Application(folder, environment, asked.values)
        manifests = rendering.render(application, options.render, options.command, until - time.monotonic())
    except (ParameterError, RenderError) as error:
        return Outcome(b"", f"mirrorlint: {error}\n", LOST)
    said, code = _judged(_command(options, where, folder, environment), where.root, manifests, until - time.monotonic())
    if where.partial:
        said += f"mirrorlint: only a part of the repository is here, as the annotation `manifest-generate-paths` says: {where.path}\n"
    return _decided(manifests, said, code, asked.over(options.policy))


def _command(options: Options, where: Place, folder: str, environment: Mapping[str, str]) -> Sequence[str]:
    """The judge's command line; what is rendered counts unless it is the folder's own files, whose places are better ones."""
    plain = not options.command and options.render in (AUTO, PLAIN) and rendering.way(folder) == PLAIN
    words = (*options.judge, f"--namespace={environment.get('ARGOCD_APP_NAMESPACE', '')}", *(["--as-is"] if plain else []))
    return (*_JUDGE, *words, "--", where.path)


def _check_values(values: Sequence[str], folder: str, root: str) -> None:
    """An application names files of its own repository, and none of the plugin's."""
    for value in values:
        path = os.path.realpath(os.path.join(folder, value))
        if not (within(path, os.path.realpath(root)) and os.path.isfile(path)):
            raise ParameterError(f"the parameter `values` names `{value}`, which is no file of the repository")


def _judged(command: Sequence[str], root: str, manifests: bytes, seconds: float) -> tuple[str, int]:
    """What the judge says and ends with; it is a process of its own, so that nothing it meets keeps us from an answer."""
    try:
        done = subprocess.run(  # noqa: S603 (our own program)
            command,
            cwd=root,
            input=manifests,
            capture_output=True,
            timeout=max(seconds, 0),
            check=False,
            env={**os.environ, "NO_COLOR": "1"},
        )
    except subprocess.TimeoutExpired:
        return "mirrorlint: there was no time left to follow the shadows\n", -1
    except OSError as error:
        return f"mirrorlint can't be run: {error.strerror}\n", -1
    return (done.stdout + done.stderr).decode("utf-8", "replace"), done.returncode


def _decided(manifests: bytes, said: str, code: int, policy: Policy) -> Outcome:
    if code == FINE:
        return Outcome(manifests, said, 0)
    if code in (LOST, WRONG):
        return Outcome(manifests, said, 0) if policy.mode == WARN else Outcome(b"", said, LOST)
    if policy.on_failure == CLOSED:
        return Outcome(b"", f"{said}mirrorlint failed, and the plugin fails closed\n", LOST)
    return Outcome(manifests, f"{said}mirrorlint failed: these manifests were not judged, since the plugin fails open\n", 0)
