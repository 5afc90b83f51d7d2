"""Work on all cores: plain processes that are forked, each with its share, since pools and threads take longer than they save."""

from __future__ import annotations

import marshal
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

# Below this many items the other process would start later than this one ends.
LEAST = 150
# So many results are handed over at once, behind the number of their bytes, so that not all of them are in memory in two forms.
_SLICE, _SIZE = 500, 8


class _Worker(NamedTuple):
    process: int
    pipe: int


def cores() -> int:
    """How many processes can run at once; one where forking is not possible or not safe."""
    threads = sys.modules.get("threading")
    if not hasattr(os, "fork") or (threads and threads.active_count() > 1):
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def work(task: Callable[[str], Any], items: Sequence[str], jobs: int) -> Iterator[tuple[str, Any]]:
    """Each item with what `task` gives for it, from so many processes, as soon as this one has it; it must be what `marshal` can store."""
    jobs = max(1, min(jobs, len(items) // LEAST))
    workers = [_start(task, items[number::jobs]) for number in range(1, jobs)]
    yield from ((item, task(item)) for item in items[::jobs])
    for number, worker in enumerate(workers, 1):
        share = _finish(worker)
        own = items[number::jobs]
        yield from ((item, task(item)) for item in own) if share is None else zip(own, share, strict=True)


def _start(task: Callable[[str], Any], items: Sequence[str]) -> _Worker:
    reading, writing = os.pipe()
    process = os.fork()
    if process:
        os.close(writing)
        return _Worker(process, reading)
    try:
        os.close(reading)
        done = [task(item) for item in items]
        with open(writing, "wb") as pipe:
            for first in range(0, len(done), _SLICE):
                data = marshal.dumps(done[first : first + _SLICE])
                pipe.write(len(data).to_bytes(_SIZE, "big") + data)
        os._exit(0)
    finally:
        os._exit(1)


def _finish(worker: _Worker) -> list[Any] | None:
    """What a worker wrote; None when it ended before."""
    share: list[Any] = []
    with open(worker.pipe, "rb") as pipe:
        while size := int.from_bytes(pipe.read(_SIZE), "big"):
            data = pipe.read(size)
            if len(data) == size:
                share += marshal.loads(data)  # noqa: S302 (our own process wrote it)
    _, status = os.waitpid(worker.process, 0)
    return None if status else share
