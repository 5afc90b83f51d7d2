"""How long whole runs take beside other programs on the same files, one after the other in each round.

    speed.py [--rounds 5] [--sizes 1000,10000,100000] [--mirrorlint PROGRAM] [--folder FOLDER]

Ratios are medians of each round's own. `kubeconform` is run where it is installed. FOLDER keeps the corpora for the next time.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from corpus import write

CONFIG, OBJECT = "clusters/prod/*/*/settings.yaml", "clusters/prod/*/*/traffic.yaml"
CAT = ["sh", "-c", "find . -name '*.yaml' -print0 | xargs -0 cat"]
KUBECONFORM = ["kubeconform", "-schema-location", "./none", "-ignore-missing-schemas", "clusters"]


class Taken(NamedTuple):
    """Seconds and MB that a program took; MB are those of the largest of its processes."""

    seconds: float
    memory: float


def timed(command: list[str], folder: Path, cache: Path) -> Taken:
    """Run a program whose output does not matter; it must succeed."""
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, env={**os.environ, "XDG_CACHE_HOME": str(cache)})
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} exits {process.returncode}")
    return Taken(seconds, usage.ru_maxrss / 1024)


def corpus(folder: Path, count: int) -> Path:
    """A repository with so many documents, written unless it is there."""
    place = folder / str(count)
    if not place.exists():
        write(count, place)
        identity = ["-c", "user.name=bench", "-c", "user.email=bench@example.org"]
        for words in (["init", "--quiet"], ["add", "."], [*identity, "commit", "--quiet", "-m", "corpus"]):
            subprocess.run(["git", *words], cwd=place, check=True)
    return place


def changed(place: Path, pattern: str, old: str, new: str) -> None:
    """Change one line of the first file that has it; the last one that was changed is as it was."""
    subprocess.run(["git", "checkout", "--quiet", "."], cwd=place, check=True)
    file = next(file for file in sorted(place.glob(pattern)) if old in file.read_text())
    file.write_text(file.read_text().replace(old, new, 1))
    time.sleep(0.1)


def round_of(place: Path, program: str, number: int) -> dict[str, Taken]:
    """All programs once."""
    python = str(Path(program).parent / "python")
    with tempfile.TemporaryDirectory() as name:
        cache = Path(name)

        def run(*command: str) -> Taken:
            return timed(list(command), place, cache)

        subprocess.run(["git", "checkout", "--quiet", "."], cwd=place, check=True)
        steps: dict[str, Callable[[], Taken]] = {
            "cat": lambda: timed(CAT, place, cache),
            "kubeconform": lambda: timed(KUBECONFORM, place, cache),
            "pass": lambda: run(python if Path(python).exists() else sys.executable, "-c", "pass"),
            "no cache": lambda: run(program, "--no-cache", "."),
            "cold": lambda: run(program, "."),
            "warm": lambda: run(program, "."),
        }
        if not shutil.which("kubeconform"):
            del steps["kubeconform"]
        taken = {name: step() for name, step in steps.items()}
        changed(place, CONFIG, "SETTING_1:", f"SETTING_{number + 100}:")
        taken["one changed"] = run(program, ".")
        changed(place, OBJECT, "timeout: 9s", f"timeout: {number + 10}s")
        taken["one VirtualService changed"] = run(program, ".")
        changed(place, OBJECT, "timeout: 9s", "timeout: 9s ")
        return taken


def show(count: int, rounds: list[dict[str, Taken]]) -> None:
    """Print medians with their spread, and the ratios."""
    print(f"\n{count} documents, {len(rounds)} rounds\n")
    for name in rounds[0]:
        seconds = [each[name].seconds for each in rounds]
        memory = max(each[name].memory for each in rounds)
        middle, least, most = (1000 * each for each in (statistics.median(seconds), min(seconds), max(seconds)))
        print(f"{name:27} {middle:9.0f} ms ({least:.0f} to {most:.0f}) {memory:6.0f} MB")
    print()
    for name, base in (("cold", "kubeconform"), ("cold", "cat"), ("warm", "pass")):
        if base in rounds[0]:
            print(f"{name} / {base}: {statistics.median(each[name].seconds / each[base].seconds for each in rounds):.2f}")
    for name in ("one changed", "one VirtualService changed"):
        more = statistics.median(each[name].seconds - each["warm"].seconds for each in rounds)
        print(f"{name}: {more * 1000:.0f} ms more than warm")


def main() -> None:
    """Run all programs on all sizes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sizes", default="1000,10000,100000")
    parser.add_argument("--mirrorlint", default=str(Path(sys.executable).parent / "mirrorlint"))
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "mirrorlint-bench")
    options = parser.parse_args()
    for count in map(int, options.sizes.split(",")):
        place = corpus(options.folder, count)
        show(count, [round_of(place, options.mirrorlint, number) for number in range(options.rounds)])


main()
