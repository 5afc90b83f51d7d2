"""Where the command line begins: what is known from the last run needs none of the program."""

from __future__ import annotations

import os
import sys

from mirrorlint.cache.runs import Outcome, replay

_COMPLETE = "_MIRRORLINT_COMPLETE"


def program() -> None:
    """Run as a program, which ends at once: to take apart what a run has built would take as long as much of the run."""
    _check_streams()
    try:
        main()
    except SystemExit as ended:
        sys.stdout.flush()
        sys.stderr.flush()
        if isinstance(ended.code, int):
            os._exit(ended.code)
        raise


def _check_streams() -> None:
    """Have a standard error to write to, and no run whose report would go nowhere: Python has None for what is closed."""
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w")
    if sys.stdout is None:
        sys.stderr.write("Error: standard output is closed\n")
        sys.exit(2)


def main() -> None:
    """Say again what the same run said, or run; a shell that asks for completion has no arguments, and wants no report."""
    arguments = sys.argv[1:]
    try:
        outcome = None if _COMPLETE in os.environ else replay(arguments)
        if outcome is not None:
            _write(outcome)
            sys.exit(outcome.code)
    except OSError:
        pass  # the run itself will say what is wrong
    from mirrorlint.cli import main as run

    run(arguments)


def _write(outcome: Outcome) -> None:
    for file, data in outcome.written:
        if file:
            with open(file, "wb") as target:
                target.write(data)
    sys.stdout.buffer.write(b"".join(data for file, data in outcome.written if not file))
    sys.stdout.flush()
