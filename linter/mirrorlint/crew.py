"""Work on all cores: plain processes, forked early, that share it with this one; pools and threads take longer than they save."""

from __future__ import annotations

import contextlib
import marshal
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, BinaryIO, NamedTuple, Self

# Below this many items this process ends sooner by itself; for so many each, further ones are started.
LEAST, SHARE = 60, 1000
# Items are taken so many at once, or more where the numbers of all heaps of them would not fit into the smallest pipe.
_FEW, _MOST_HEAPS, _NUMBER = 8, 1000, 4
# So many heaps' results are handed over at once, behind the number of their bytes, so that not all of them are in memory in two forms.
_SLICE, _SIZE = 60, 8

Task = Callable[[str], Any]
Heaps = Sequence[Sequence[str]]


def cores() -> int:
    """How many processes can run at once; one where forking is not possible or not safe."""
    threads = sys.modules.get("threading")
    if not hasattr(os, "fork") or (threads and threads.active_count() > 1):
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Worker(NamedTuple):
    """A process, and the ends of the pipes by which it gets its orders and gives results."""

    process: int
    orders: BinaryIO
    results: BinaryIO


class Crew:
    """Processes that wait for work; they end with it, or with this one."""

    def __init__(self, others: int, prepare: Callable[[], Callable[..., Task]], meanwhile: Callable[[], object]) -> None:
        """Up to so many others work: each calls `prepare`, which imports what makes a task, and waits; the first one starts at once.

        `meanwhile` is what this process does while they begin to work.
        """
        self._others, self._prepare, self._meanwhile = others, prepare, meanwhile
        self._parent = os.getpid()
        self._pipes: list[BinaryIO] = []
        self._workers: list[_Worker] = []
        self._beside: list[int] = []
        if others > 0:
            self._left, self._numbers = self._pipe(buffering=0)
            self._start(1)

    def work(self, items: Sequence[str], task: Task, *arguments: Any) -> Iterator[tuple[str, Any]]:
        """Each item with what `task` gives for it, as soon as this process has it; all this is done once.

        The others make their task of the arguments; these, and what it gives, must be what `marshal` can store.
        """
        if not self._workers or len(items) < LEAST:
            yield from ((item, task(item)) for item in items)
            return
        size = max(_FEW, -(-len(items) // _MOST_HEAPS))
        heaps = [items[first : first + size] for first in range(0, len(items), size)]
        order, waiting = marshal.dumps((heaps, arguments)), list(self._workers)
        self._start(min(self._others, len(items) // SHARE), order)
        self._numbers.write(b"".join(number.to_bytes(_NUMBER, "big") for number in range(len(heaps))))
        self._numbers.close()
        for worker in self._workers:
            _send(worker.orders, order if worker in waiting else b"")
        self._meanwhile()
        missing = set(range(len(heaps)))
        for number in self._taken():
            missing.remove(number)
            yield from ((item, task(item)) for item in heaps[number])
        while self._workers:
            for number, results in _finished(self._workers[-1]):
                missing.remove(number)
                yield from zip(heaps[number], results, strict=True)
            _ended(self._workers.pop().process)
        yield from ((item, task(item)) for number in missing for item in heaps[number])

    def beside(self, task: Callable[[], object]) -> None:
        """Do something in a process of its own, for which this one need not wait; what comes of it is not told."""
        process = _fork(task) if self._others > 0 and cores() > 1 else 0
        if process:
            self._beside.append(process)
        else:
            task()

    def dismiss(self) -> None:
        """End the others that are left, whatever they do."""
        while self._workers:
            worker = self._workers.pop()
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker.process, signal.SIGKILL)
            _ended(worker.process)
        for pipe in self._pipes:
            pipe.close()

    def __enter__(self) -> Self:
        """Have them until the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Wait for what is done beside this process, so that nothing is left to run."""
        self.dismiss()
        while self._beside:
            _ended(self._beside.pop())

    def _pipe(self, buffering: int = -1) -> tuple[BinaryIO, BinaryIO]:
        reading, writing = os.pipe()
        ends = open(reading, "rb", buffering), open(writing, "wb", buffering)  # noqa: SIM115 (`dismiss` closes them)
        self._pipes += ends
        return ends

    def _taken(self) -> Iterator[int]:
        """Numbers that no other process takes."""
        while number := self._left.read(_NUMBER):
            yield int.from_bytes(number, "big")

    def _start(self, count: int, order: bytes = b"") -> None:
        """Have at least so many others, if they can be had; those that are started with an order wait for none."""
        for _ in range(len(self._workers), count):
            (waiting, orders), (results, writing) = self._pipe(), self._pipe()
            process = _fork(partial(self._serve, waiting, writing, order))
            waiting.close()
            writing.close()
            if process:
                self._workers.append(_Worker(process, orders, results))

    def _serve(self, waiting: BinaryIO, writing: BinaryIO, order: bytes) -> None:
        """Be a worker."""
        for pipe in self._pipes:
            if pipe not in (waiting, writing, self._left):
                pipe.close()
        make = self._prepare()
        data = order or waiting.read()
        if data:
            heaps, arguments = marshal.loads(data)  # noqa: S302 (our own process wrote it)
            with writing:
                writing.writelines(len(part).to_bytes(_SIZE, "big") + part for part in self._done(heaps, make(*arguments)))

    def _done(self, heaps: Heaps, task: Task) -> list[bytes]:
        """The results for what this process takes, ready to be written: there is nobody yet who reads."""
        done: list[bytes] = []
        part: list[tuple[int, list[Any]]] = []
        for number in self._taken():
            if os.getppid() != self._parent:
                break  # nobody waits for it any more
            part.append((number, [task(item) for item in heaps[number]]))
            if len(part) == _SLICE:
                done.append(marshal.dumps(part))
                part.clear()
        return [*done, marshal.dumps(part)]


def _fork(task: Callable[[], object]) -> int:
    """Do something in another process, of which only its end is seen; 0 where there can be none.

    It holds no standard streams: whoever reads them waits for all that do.
    """
    try:
        process = os.fork()
    except OSError:
        return 0
    if process:
        return process
    try:
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(nowhere, stream)
        task()
        os._exit(0)
    finally:
        os._exit(1)


def _ended(process: int) -> None:
    """Wait for a process; where the system does it for us (SIGCHLD is ignored), there is none to wait for."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(process, 0)


def _send(orders: BinaryIO, data: bytes) -> None:
    """Tell a worker what there is to do; one that has died takes nothing."""
    with contextlib.suppress(OSError), orders:
        orders.write(data)


def _finished(worker: _Worker) -> Iterator[tuple[int, list[Any]]]:
    """What a worker writes before it ends."""
    with worker.results as pipe:
        while size := int.from_bytes(pipe.read(_SIZE), "big"):
            data = pipe.read(size)
            if len(data) == size:
                yield from marshal.loads(data)  # noqa: S302 (our own process wrote it)


# This process by itself.
ALONE = Crew(0, lambda: lambda: str, lambda: None)
