"""Whole runs: what one printed is printed again while nothing has changed that it depended on."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from mirrorlint.cache import vault
from mirrorlint.cache.trail import State, Trail, again, grounds, index_of, is_settled, packed, state, unpacked
from mirrorlint.cache.untracked import Ground

NO_CACHE, STAGED = "--no-cache", "--staged"
_LOOK = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "PATH")


class Session(NamedTuple):
    """The arguments of a run, and when it began (in nanoseconds)."""

    arguments: tuple[str, ...]
    began: int


class Outcome(NamedTuple):
    """What a run wrote, by file ("" for standard output), and its exit code."""

    written: tuple[tuple[str, bytes], ...]
    code: int


def record(session: Session, trail: Trail, outcome: Outcome) -> None:
    """Keep a run, unless what it read changed meanwhile, or something else may come of it the next time.

    A run over what is staged is kept where the work tree has just that, since only then the files tell of a change.
    """
    arguments, began = session
    then = state({folder: listing.changes for folder, listing in trail.listings.items()}, trail.probes)
    if trail.lasting and is_settled(then, began) and (STAGED not in arguments or (_own_index() and _is_clean(then))):
        tracked = {folder: listing.tracked for folder, listing in trail.listings.items()} if trail.plain else {}
        vault.put(_name("index", arguments), tracked)
        ground = grounds(trail, began)
        if ground:
            vault.put(_name("ground", arguments), (began, ground))
        vault.put(_name("run", arguments), (began, packed(then), outcome.written, outcome.code))


def replay(arguments: Sequence[str]) -> Outcome | None:
    """What a run with these arguments comes to, if that is known without it."""
    kept = None if NO_CACHE in arguments or (STAGED in arguments and not _own_index()) else vault.get(_name("run", arguments))
    if kept is None:
        return None
    began, then, written, code = kept
    return Outcome(tuple(written), code) if _still_holds(Session(tuple(arguments), began), unpacked(then)) else None


def _still_holds(session: Session, then: State) -> bool:
    arguments, _ = session
    now = again(then, partial(_ground, session))
    if now is None or now == then:
        return now is not None
    if STAGED in arguments and not _is_clean(now):
        return False
    from mirrorlint.cache.harmless import is_harmless  # noqa: PLC0415 (where nothing has changed it is not asked)

    return is_harmless(then, now, vault.get(_name("index", arguments)) or {})


def _ground(session: Session) -> dict[str, Ground]:
    """The ground of a run; none where the one that is kept is another run's, which may have been at it at the same time."""
    began, ground = vault.get(_name("ground", session.arguments)) or (0, {})
    return ground if began == session.began else {}


def _is_clean(now: State) -> bool:
    return not any(changes.changed for changes in now.changes.values())


def _own_index() -> bool:
    """Whether the index that is to be committed is the repository's own: of some commits Git makes another one (`GIT_INDEX_FILE`)."""
    file = os.environ.get("GIT_INDEX_FILE")
    return file is None or os.path.realpath(file) == os.path.realpath(index_of(os.getcwd()))


def _name(kind: str, arguments: Sequence[str]) -> str:
    look = [os.environ.get(name) for name in _LOOK]
    terminal = os.get_terminal_size(1) if sys.stdout.isatty() else ()
    return vault.name_of(kind, os.getcwd(), list(arguments), look, tuple(terminal))
