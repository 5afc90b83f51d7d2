"""Whether what makes runs fast changes what they say: sieve, processes and cache, and callers that are followed once.

equal.py streams [COUNT] [SEED]      so many streams that are hard to tell the kinds in, sifted and whole
equal.py reports FOLDER...           the report of each folder with everything, without each one, and from the cache
equal.py callers                     the reports of all scenarios that the control plane judged
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from scenarios import fleet_of, scenarios
from streams import disagreement, stream
from ways import several

from mirrorlint import check
from mirrorlint.cache import vault
from mirrorlint.delivery.alike import Followed
from mirrorlint.engine import lint
from mirrorlint.loading import objects, read
from mirrorlint.loading.means import Means
from mirrorlint.rule import Report
from mirrorlint.sieve import Sifted, sift
from mirrorlint.source import lines


def streams(count: int, seed: int) -> int:
    """Print the streams that differ, and how many lost something to the sieve."""
    wrong = sifted = 0
    for number in range(seed, seed + count):
        data = stream(number)
        sifted += len(sift(data).data) < len(data)
        difference = disagreement(data)
        if difference:
            wrong += 1
            print(f"{number}: {difference}: {data!r}")
    print(f"{count:,} streams, {sifted:,} with something taken out, {wrong} that differ")
    return wrong


def reports(folders: list[str]) -> int:
    """Print the ways of reading that give another report."""
    wrong = 0
    for folder in folders:
        with tempfile.TemporaryDirectory() as cache, mock.patch.object(vault, "folder", lambda cache=cache: cache):

            def said(jobs: int, *, cached: bool = False, folder: str = folder) -> Report:
                with several(jobs) as crew:
                    return lint(read([folder], means=Means(crew, cached)).documents, {})

            ways: dict[str, Callable[[], Report]] = {
                "two processes": lambda: said(2),
                "three processes, into the cache": lambda: said(3, cached=True),
                "from the cache": lambda: said(1, cached=True),
            }
            with mock.patch.object(objects, "sift", lambda data: Sifted(data, 0)), mock.patch.object(lines, "documents", return_value=None):
                plain = said(1)
            different = [name for name, way in ways.items() if way() != plain]
        print(f"{folder}: {plain.documents:,} documents, {len(plain.findings)} findings, different: {', '.join(different) or 'none'}")
        wrong += len(different)
    return wrong


def callers() -> int:
    """Print the scenarios whose report differs when each caller is followed."""
    count = wrong = 0
    for name in ("truth", "more", "gateway-api"):
        for scenario in scenarios(name):
            fleet = fleet_of(scenario)
            together = check(fleet)
            with mock.patch.object(Followed, "follow", lambda self, call, world: self.delivery.follow(call, world)):
                differs = together != check(fleet)
            count, wrong = count + 1, wrong + differs
            if differs:
                print(scenario["id"])
    print(f"{count:,} scenarios, {wrong} that differ")
    return wrong


def main() -> None:
    """Exit 1 when something differs."""
    what, *rest = sys.argv[1:] or [""]
    if what == "streams":
        sys.exit(bool(streams(int(rest[0]) if rest else 100_000, int(rest[1]) if rest[1:] else 0)))
    if what == "reports":
        sys.exit(bool(reports(rest)))
    if what == "callers":
        sys.exit(bool(callers()))
    sys.exit(__doc__)


main()
