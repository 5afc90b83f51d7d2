"""Runs kustomize and helm, each render once: side by side, within a deadline, and kept by the hash of all that it depends on.

Nothing of a repository is executed: plugins and functions are off, and what would be fetched is found before. The renderers get no
network as far as they allow that: no program but themselves is on their path, and proxies lead nowhere.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from mirrorlint.cache import vault
from mirrorlint.loading import files
from mirrorlint.loading.paths import joined
from mirrorlint.sieve import KUSTOMIZATIONS

DEADLINE = 45.0
WORKERS = 4
MAX_OUTPUT = 64 << 20
MAX_MEMORY = 4 << 30
_SHOWN = 300
# kubectl logs the error of its kustomize.
_LOGGED = re.compile(r'^E\d{4} .*? "command failed" err="(.*)"$')
# What kustomize says of a file that it can't read, behind the reason: it then takes it for a folder.
_NO_FOLDER = re.compile(r"(?<='): must build at directory: '[^']*': file is not directory$")
# What helm says of its own options behind an error.
_ADVICE = re.compile(r"\s*Use --debug flag to render out invalid YAML$")
# The last folder that kustomize came to, and what is wrong there, quoted as often as it was handed on.
_REACHED = re.compile(r"^.*recursed accumulation of path '([^']*)': (?:accumulating \w+: |accumulateDirectory: |\\?\")*(.*?)(?:\\?\")*$")
_ESCAPED, _QUOTE = '\\"', '"'
# What differs from run to run.
_POINTER = re.compile(r"\b0x[0-9a-f]+\b")
# An output that is not kept.
_SECRET = re.compile(rb"\bkind[\"']?\s*:\s*[\"']?Secret\b")
_NOWHERE = "http://127.0.0.1:9"


class Render(NamedTuple):
    """What to render: the program, the absolute folder that is its target, and the files that it reads.

    For kustomize, `resources` are what the target is made of when it has no kustomization of its own, and `options` are fields of one put
    over it, as JSON. `arguments` are helm's, `values` texts that go over the files named in them, and `release` is what it calls the
    target. `parts` are folders of charts that the target, then a copy, is to have within it, each behind its path there.
    """

    program: tuple[str, ...]
    target: str
    files: tuple[str, ...]
    resources: tuple[str, ...] = ()
    options: str = ""
    arguments: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    release: str = ""
    parts: tuple[tuple[str, str], ...] = ()

    @property
    def patches(self) -> list[str]:
        """The files that the options patch with."""
        every = json.loads(self.options).get("patches") if self.options else ()
        named = filter(None, map(_file, every if isinstance(every, list) else ()))
        return [joined(self.target, name) for name in named]

    @property
    def kustomizations(self) -> list[str]:
        """The kustomizations among its files."""
        return [file for file in self.files if os.path.basename(file) in KUSTOMIZATIONS]

    @property
    def rendered(self) -> str:
        """The file that what it makes is taken to stand in."""
        return os.path.join(self.target, "-")

    @property
    def is_chart(self) -> bool:
        """Whether helm renders it."""
        return self.program[-1] == "template"


class Output(NamedTuple):
    """What a renderer wrote, or why it did not, in its own words; and how long that took in seconds."""

    text: bytes
    error: str = ""
    seconds: float = 0.0


@cache
def program(name: str) -> tuple[str, ...]:
    """The command that renders for `kustomize` or `helm`; () when there is none. `kubectl` has a kustomize of its own."""
    found = shutil.which(name)
    if found:
        return (found, "build") if name == "kustomize" else (found, "template")
    kubectl = shutil.which("kubectl") if name == "kustomize" else None
    return (kubectl, "kustomize") if kubectl else ()


def places(name: str) -> list[str]:
    """Where the program that renders for `kustomize` or `helm` may be."""
    names = (name, "kubectl") if name == "kustomize" else (name,)
    return [os.path.join(os.path.abspath(folder), each) for folder in os.get_exec_path() for each in names]


def run(renders: Iterable[Render], deadline: float, *, cached: bool) -> dict[Render, Output]:
    """Render what is not kept; `deadline` is in seconds of `time.monotonic`."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - most runs render nothing

    names = {render: _name(render) if cached else "" for render in renders}
    found = {render: Output(kept) for render, name in names.items() if name and (kept := vault.get(name)) is not None}
    missing = [render for render in names if render not in found]
    with ThreadPoolExecutor(WORKERS) as pool:
        made = dict(zip(missing, pool.map(lambda render: _timed(render, deadline), missing), strict=True))
    for render, output in made.items():
        if names[render] and not output.error and not _SECRET.search(output.text):
            vault.put(names[render], output.text)
    return found | made


def _timed(render: Render, deadline: float) -> Output:
    start = time.perf_counter()
    return _rendered(render, deadline)._replace(seconds=time.perf_counter() - start)


def _name(render: Render) -> str:
    """What a render is kept as: all that it depends on, the renderer included; "" where that can't be read.

    Origins in it are relative to where temporary folders are made.
    """
    try:
        stamp = os.stat(render.program[0])
        hashes = [_hash(file) for file in render.files]
    except OSError:
        return ""
    return vault.name_of("render", *render, stamp.st_size, stamp.st_mtime_ns, tempfile.gettempdir(), hashes)


def _hash(file: str) -> str:
    with open(file, "rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def origin(path: str) -> str:
    """The absolute path of an origin that a rendered object names: it is relative to a temporary folder, whose own name is in none."""
    return os.path.normpath(os.path.join(os.path.realpath(tempfile.gettempdir()), "render", path))


def _rendered(render: Render, deadline: float) -> Output:
    left = deadline - time.monotonic()
    if left <= 0:
        return Output(b"", "there was no time left for it")
    with tempfile.TemporaryDirectory(prefix="mirrorlint-") as name:
        folder = os.path.realpath(name)
        try:
            arguments = _chart(render, folder) if render.is_chart else _overlay(render, folder)
        except OSError as error:
            return Output(b"", str(error))
        return _outcome([*render.program, *arguments], folder, left)


def _overlay(render: Render, folder: str) -> list[str]:
    """Put a kustomization over the target that makes kustomize say of each object which files and fields it comes from."""
    above = json.loads(render.options) if render.options else {}
    parts = [os.path.join(render.target, path) for path in above.get("components", ())]
    above |= {"resources": _seen(render.resources or (render.target,), folder), "components": _seen(parts, folder)}
    if render.patches:
        above["patches"] = [_moved(patch, render.target, folder) for patch in above["patches"]]
    above |= {"buildMetadata": ["originAnnotations", "transformerAnnotations"]}
    with open(os.path.join(folder, "kustomization.yaml"), "w", encoding="utf-8") as written:
        json.dump(above, written)
    return [folder, *(("--load-restrictor", "LoadRestrictionsNone") if render.resources or render.patches else ())]


def _file(patch: Any) -> str:
    """The file that a patch names; "" for none."""
    path = patch.get("path") if isinstance(patch, dict) else None
    return path if isinstance(path, str) else ""


def _moved(patch: Any, target: str, folder: str) -> Any:
    """A patch whose file is seen from another folder."""
    return {**patch, "path": _seen([os.path.join(target, _file(patch))], folder)[0]} if _file(patch) else patch


def _seen(paths: Iterable[str], folder: str) -> list[str]:
    """Paths as they are seen from a folder."""
    return [os.path.relpath(os.path.realpath(path), folder) for path in paths]


def _chart(render: Render, folder: str) -> list[str]:
    """Lay down the values that are no files, which go over those that are, and the chart where it lacks parts."""
    given: list[str] = []
    for number, text in enumerate(render.values):
        file = os.path.join(folder, f"{number}.yaml")
        with open(file, "w", encoding="utf-8", errors="replace") as written:
            written.write(text)
        given.append(f"--values={file}")
    chart = render.target
    if render.parts:
        chart = os.path.join(folder, "chart")
        for where, path in (("", render.target), *render.parts):
            shutil.copytree(path, os.path.join(chart, where), dirs_exist_ok=True, ignore=_uncopied)
    return [*render.arguments, *given, "--", render.release, chart]


def _uncopied(folder: str, names: Iterable[str]) -> set[str]:
    """Links to folders, which may go round, and what is neither a folder nor a file."""
    paths = {name: os.path.join(folder, name) for name in names}
    return {name for name, path in paths.items() if (os.path.islink(path) if os.path.isdir(path) else not os.path.isfile(path))}


def _outcome(command: Sequence[str], folder: str, left: float) -> Output:
    try:
        with open(os.path.join(folder, "output"), "w+b") as output:
            process = subprocess.Popen(  # noqa: S603
                command, cwd=folder, env=_environment(folder), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.PIPE
            )
            _bound(process.pid)
            error = _ended(process, left)
            output.seek(0)
            return Output(b"" if error else output.read(), error)
    except (OSError, ValueError) as error:
        return Output(b"", str(error))


def _ended(process: subprocess.Popen[bytes], left: float) -> str:
    """Wait for a renderer; what is wrong with its work, or ""."""
    try:
        _, stderr = process.communicate(timeout=left)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return f"it was not done after {left:.0f} seconds"
    return (_short(stderr) or f"it ended with status {process.returncode}") if process.returncode else ""


def _bound(process: int) -> None:
    """Limit what a renderer may write and hold, where the system can."""
    try:
        import resource  # noqa: PLC0415 - Unix alone has it

        resource.prlimit(process, resource.RLIMIT_FSIZE, (MAX_OUTPUT, MAX_OUTPUT))
        resource.prlimit(process, resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    except (ImportError, AttributeError, OSError, ValueError):
        return


def _environment(folder: str) -> Mapping[str, str]:
    """No other program to run, no settings, plugins or credentials of the user's, no network."""
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"), _NOWHERE)
    homes = ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME")
    return {**dict.fromkeys(homes, folder), **proxies, "PATH": folder, "KUBECONFIG": os.devnull, "TMPDIR": folder}


def _short(stderr: bytes) -> str:
    """The renderer's own error, on one line; of a long chain of causes the last ones, which say what is wrong."""
    lines = stderr.decode("utf-8", "replace").splitlines()
    text = " ".join(" ".join(line for line in lines if not line.startswith("# Warning")).split())
    logged = _LOGGED.search(text)
    text = logged[1].replace('\\"', '"').replace("\\\\", "\\") if logged else text
    text = _NO_FOLDER.sub("", _POINTER.sub("0x...", text))
    text = _ADVICE.sub("", text.removeprefix("Error: "))
    reached = _REACHED.match(text)
    text = f"{files.shown(reached[1])}: {reached[2].replace(_ESCAPED, _QUOTE)}" if reached else text
    starts = [0, *(cause.end() for cause in re.finditer(": ", text))]
    start = next((start for start in starts if len(text) - start <= _SHOWN), starts[-1])
    return ("... " if start else "") + text[start : start + _SHOWN] + (" ..." if len(text) - start > _SHOWN else "")
