"""Feeds broken repositories to reading, discovery and delivery: `fuzz.py SECONDS [SEED]`. It stops at the first crash and keeps the input.

Each round takes the examples and some scenarios of the tests, changes bytes, lines, words and files of them, and lints what comes out. A
crash is an exception, a place that no file has, or a round of more than a minute.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from mirrorlint import check, load
from mirrorlint.loading.settings import SettingsError

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from scenarios import scenarios

EXAMPLES = Path(__file__).parent.parent / "examples"
SLOW = 60.0
WORDS = [
    b"{{",
    b"}}",
    b"${A}",
    b"&a ",
    b"*a",
    b"<<: ",
    b"---\n",
    b"- ",
    b": ",
    b"[",
    b"{",
    b"|",
    b">",
    b"\x00",
    b"\xff",
    b"\xe2\x80\xa8",
    b"../",
]
Change = Callable[[random.Random, bytes, bytes], bytes]


class CrashError(Exception):
    """What is no exception of the program's, and just as bad."""


def flipped(chance: random.Random, data: bytes, _: bytes) -> bytes:
    """Another byte somewhere."""
    at = chance.randrange(len(data) or 1)
    return data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]


def cut(chance: random.Random, data: bytes, _: bytes) -> bytes:
    """Without a stretch."""
    first, last = sorted(chance.randrange(len(data) + 1) for _ in range(2))
    return data[:first] + data[last:]


def spliced(chance: random.Random, data: bytes, other: bytes) -> bytes:
    """The start of one, the end of another."""
    return data[: chance.randrange(len(data) + 1)] + other[chance.randrange(len(other) + 1) :]


def sprinkled(chance: random.Random, data: bytes, _: bytes) -> bytes:
    """With a word of YAML or of a template in it."""
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice(WORDS) * chance.choice([1, 1, 1, 500]) + data[at:]


def mixed(chance: random.Random, data: bytes, other: bytes) -> bytes:
    """With a line of another in the place of one."""
    lines, more = data.split(b"\n"), other.split(b"\n")
    lines[chance.randrange(len(lines))] = chance.choice(more)
    return b"\n".join(lines)


def valued(chance: random.Random, data: bytes, other: bytes) -> bytes:
    """With the value of one line in another."""
    lines = data.split(b"\n")
    at = chance.randrange(len(lines))
    key, colon, _ = lines[at].partition(b":")
    lines[at] = key + colon + b" " + chance.choice(other.split(b"\n")).partition(b":")[2].strip()
    return b"\n".join(lines)


CHANGES: list[Change] = [flipped, cut, spliced, sprinkled, mixed, mixed, valued, valued, valued]


def sources() -> list[dict[str, bytes]]:
    """The repositories to start from, by the paths of their files."""
    examples = sorted({file.parent for file in EXAMPLES.rglob("clusters")} | set(EXAMPLES.glob("*/*")))
    found = [{str(file.relative_to(top)): file.read_bytes() for file in sorted(top.rglob("*.yaml"))} for top in examples if top.is_dir()]
    chosen = list(scenarios())[::25]
    return found + [{f"clusters/{side}/all.yaml": one[side].encode() for side in ("source", "target")} for one in chosen]


def broken(chance: random.Random, files: dict[str, bytes]) -> dict[str, bytes]:
    """A repository with some files changed."""
    found = dict(files)
    for _ in range(chance.choice([1, 1, 2, 5])):
        name = chance.choice(sorted(found))
        found[name] = chance.choice(CHANGES)(chance, found[name], found[chance.choice(sorted(found))])
    if chance.random() < 0.1:
        found[".mirrorlint.yaml"] = chance.choice(sorted(found.values()))
    return found


def lint(files: dict[str, bytes], root: Path) -> None:
    """Lint a repository; CrashError for a place that there is not, and for what takes long."""
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    start = time.monotonic()
    try:
        report = check(load(root))
    except SettingsError:
        return
    if time.monotonic() - start > SLOW:
        raise CrashError("this round was slow")
    for place in [*(finding.place for finding in report.findings), *(note.place for finding in report.findings for note in finding.notes)]:
        lines = Path(place.path).read_bytes().count(b"\n") + 2
        if not 0 < place.line <= lines or place.column < 1:
            raise CrashError(f"there is no {place}")


def main(seconds: float, seed: int) -> int:
    """Go on until the time is up; 1 when something crashed."""
    start = time.monotonic()
    every, rounds = sources(), 0
    while time.monotonic() - start < seconds:
        chance = random.Random(f"{seed}.{rounds}")  # noqa: S311 - rounds are to be repeated
        root = Path(tempfile.mkdtemp(prefix="fuzz-"))
        try:
            lint(broken(chance, chance.choice(every)), root)
        except Exception:  # noqa: BLE001 - whatever it is, it is what is looked for
            traceback.print_exc()
            print(f"round {rounds} of seed {seed} crashed; its input is in {root}")
            return 1
        shutil.rmtree(root)
        rounds += 1
    print(f"{rounds} rounds, no crash")
    return 0


if __name__ == "__main__":
    os.environ["PATH"] = os.environ.get("FUZZ_PATH", "/usr/bin:/bin")
    sys.exit(main(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0))
