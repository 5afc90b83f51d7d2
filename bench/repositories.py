"""What a folder of repositories costs and gives, one line each: `repositories.py FOLDER`; findings go to FOLDER.findings.

It downloads nothing. Each repository is linted in a process of its own, as a user would: seconds are those of the whole process, MB its
peak memory.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

COLUMNS = ("files", "documents", "mirrors", "clusters", "errors", "warnings", "blind spots", "seconds", "MB", "crash")
TIMEOUT = 600


class Run(NamedTuple):
    """A run: its report (None for none), how long it took, and how much memory it and its renderers took at the most."""

    report: dict[str, Any] | None
    seconds: float
    megabytes: int


def run(repository: Path) -> Run:
    """Lint a repository."""
    with tempfile.NamedTemporaryFile(suffix=".json") as output:
        command = [sys.executable, "-m", "mirrorlint", "check", "--format", f"json={output.name}", str(repository)]
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        text = Path(output.name).read_text(encoding="utf-8")
        usable = os.waitstatus_to_exitcode(status) in (0, 1) and text
        return Run(json.loads(text) if usable else None, seconds, usage.ru_maxrss >> 10)


def clusters(repository: Path) -> int:
    """How many clusters are found."""
    command = [sys.executable, "-m", "mirrorlint", "clusters", str(repository)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT)
    rows = done.stdout.partition("\n")[2].splitlines()
    table = [row for row in rows if "  " in row and not row.startswith(("not judged: ", "(none)"))]
    return len({row.partition("  ")[0] for row in table})


def row(repository: Path) -> tuple[list[str], list[dict[str, Any]]]:
    """A repository's line of the table, and its findings."""
    found = run(repository)
    if found.report is None:
        return ["", "", "", "", "", "", "", f"{found.seconds:.1f}", str(found.megabytes), "CRASH"], []
    summary = found.report["summary"]
    counts = [summary["files"], summary["documents"], summary["mirrors"], clusters(repository)]
    counts += [summary["errors"], summary["warnings"], summary["blind_spots"]]
    return [*map(str, counts), f"{found.seconds:.1f}", str(found.megabytes), ""], found.report["findings"]


def main(folder: Path) -> None:
    """Print the table."""
    resource.setrlimit(resource.RLIMIT_CPU, (TIMEOUT, TIMEOUT))
    print("| repository |", " | ".join(COLUMNS), "|")
    print("|---" * (len(COLUMNS) + 1) + "|")
    with folder.with_suffix(".findings").open("w", encoding="utf-8") as findings:
        for repository in sorted(path for path in folder.iterdir() if path.is_dir()):
            cells, found = row(repository)
            print(f"| {repository.name} |", " | ".join(cells), "|", flush=True)
            for one in found:
                findings.write(f"{one['path']}:{one['line']}: {one['level']}[{one['rule']}]: {one['message']}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
