"""Work on all cores: plain processes that are forked and take from one heap, since pools and threads take longer than they save."""

from __future__ import annotations

import marshal
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

# Below this many items the other process would start later than this one ends.
LEAST = 150
# Items are taken so many at once, or more where there would be too many heaps of them for what a pipe holds.
_FEW, _MOST_HEAPS, _NUMBER = 8, 2000, 4
# So many heaps' results are handed over at once, behind the number of their bytes, so that not all of them are in memory in two forms.
_SLICE, _SIZE = 60, 8

_Task = Callable[[str], Any]


def idle() -> None:
    """Do nothing."""


class _Worker(NamedTuple):
    process: int
    pipe: int


def cores() -> int:
    """How many processes can run at once; one where forking is not possible or not safe."""
    threads = sys.modules.get("threading")
    if not hasattr(os, "fork") or (threads and threads.active_count() > 1):
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def work(task: _Task, items: Sequence[str], jobs: int, meanwhile: Callable[[], object] = idle) -> Iterator[tuple[str, Any]]:
    """Each item with what `task` gives for it, from so many processes, as soon as this one has it; it must be what `marshal` can store.

    This process does something else `meanwhile`, before it takes its share, unless there is too little to do for several.
    """
    jobs = max(1, min(jobs, len(items) // LEAST))
    if jobs == 1:
        yield from ((item, task(item)) for item in items)
        return
    size = max(_FEW, -(-len(items) // _MOST_HEAPS))
    heaps = [items[first : first + size] for first in range(0, len(items), size)]
    left = _numbers(len(heaps))
    workers = [_start(task, heaps, left) for _ in range(1, jobs)]
    meanwhile()
    missing = set(range(len(heaps)))
    for number in _taken(left):
        missing.remove(number)
        yield from ((item, task(item)) for item in heaps[number])
    os.close(left)
    for number, results in (done for worker in workers for done in _finish(worker)):
        missing.remove(number)
        yield from zip(heaps[number], results, strict=True)
    yield from ((item, task(item)) for number in missing for item in heaps[number])


def _numbers(count: int) -> int:
    """A pipe from which several processes can take numbers up to a count, each number once."""
    reading, writing = os.pipe()
    os.write(writing, b"".join(number.to_bytes(_NUMBER, "big") for number in range(count)))
    os.close(writing)
    return reading


def _taken(numbers: int) -> Iterator[int]:
    while number := os.read(numbers, _NUMBER):
        yield int.from_bytes(number, "big")


def _start(task: _Task, heaps: Sequence[Sequence[str]], left: int) -> _Worker:
    reading, writing = os.pipe()
    process = os.fork()
    if process:
        os.close(writing)
        return _Worker(process, reading)
    try:
        os.close(reading)
        done: list[bytes] = []
        part: list[tuple[int, list[Any]]] = []
        for number in _taken(left):
            part.append((number, [task(item) for item in heaps[number]]))
            if len(part) == _SLICE:
                done.append(marshal.dumps(part))
                part.clear()
        with open(writing, "wb") as pipe:
            pipe.writelines(len(data).to_bytes(_SIZE, "big") + data for data in (*done, marshal.dumps(part)))
        os._exit(0)
    finally:
        os._exit(1)


def _finish(worker: _Worker) -> Iterator[tuple[int, list[Any]]]:
    """What a worker wrote before it ended."""
    with open(worker.pipe, "rb") as pipe:
        while size := int.from_bytes(pipe.read(_SIZE), "big"):
            data = pipe.read(size)
            if len(data) == size:
                yield from marshal.loads(data)  # noqa: S302 (our own process wrote it)
    os.waitpid(worker.process, 0)
