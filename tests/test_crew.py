"""Work on several cores: the same results from any number of processes, whatever becomes of them."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from ways import several

from mirrorlint import crew
from mirrorlint.crew import Crew, cores
from mirrorlint.loading import read
from mirrorlint.loading.means import Means

MANY = [str(number) for number in range(1000)]


def idle() -> None:
    pass


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "LEAST", 2)
    monkeypatch.setattr(crew, "SHARE", 3)
    monkeypatch.setattr(crew, "cores", lambda: 2)


def tell(file: Path) -> None:
    file.write_text(str(os.getpid()))


def times(factor: int) -> Callable[[str], int]:
    return lambda item: int(item) * factor


@pytest.mark.parametrize("others", [0, 1, 2, 7])
@pytest.mark.parametrize("count", [0, 1, 2, 23, 1000])
def test_each_item_has_its_result_from_any_number_of_processes(others: int, count: int) -> None:
    with Crew(others, lambda: times, idle) as workers:
        assert dict(workers.work(MANY[:count], times(3), 3)) == {item: 3 * int(item) for item in MANY[:count]}


@pytest.mark.skipif(not hasattr(fcntl, "F_SETPIPE_SZ"), reason="only Linux makes pipes smaller")
def test_as_many_items_as_there_are_are_told_to_the_smallest_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    def small() -> tuple[int, int]:
        reading, writing = pipe()
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
        return reading, writing

    pipe = os.pipe
    monkeypatch.setattr(os, "pipe", small)
    items = [str(number) for number in range(20_000)]
    with Crew(2, lambda: times, idle) as workers:
        assert dict(workers.work(items, times(1), 1)) == {item: int(item) for item in items}


def test_large_results_do_not_block() -> None:
    def longer(item: str) -> str:
        return item * 10_000

    with Crew(2, lambda: lambda: longer, idle) as workers:
        assert dict(workers.work(MANY, longer)) == {item: item * 10_000 for item in MANY}


def test_others_begin_while_this_process_does_something_else() -> None:
    reading, writing = os.pipe()

    def task(_item: str) -> int:
        os.write(writing, b".")
        return os.getpid()

    with Crew(1, lambda: lambda: task, lambda: os.read(reading, 1)) as workers:  # which waits for what another one writes
        assert set(dict(workers.work(MANY, task)).values()) - {os.getpid()}


def test_the_work_of_a_process_that_dies_is_done_again() -> None:
    parent = os.getpid()

    def task(item: str) -> str:
        if os.getpid() != parent:
            os._exit(3)
        return item

    with Crew(2, lambda: lambda: task, idle) as workers:
        assert dict(workers.work(MANY, task)) == {item: item for item in MANY}


def test_a_process_that_never_comes_to_work_is_done_without() -> None:
    def prepare() -> Callable[[], Callable[[str], str]]:
        raise ImportError

    with Crew(1, prepare, idle) as workers:
        assert dict(workers.work(MANY, str)) == {item: item for item in MANY}


def test_what_is_done_beside_this_process_is_done_in_the_end(tmp_path: Path) -> None:
    for others in (0, 1):
        file = tmp_path / str(others)
        with Crew(others, lambda: times, idle) as workers:
            workers.beside(partial(tell, file))
        assert (int(file.read_text()) == os.getpid()) == (others == 0)


def test_what_fails_beside_this_process_stops_nothing() -> None:
    with Crew(1, lambda: times, idle) as workers:
        workers.beside(lambda: 1 // 0)
        assert dict(workers.work(MANY, times(1), 1)) == {item: int(item) for item in MANY}


def test_whoever_stops_in_the_middle_leaves_nothing_behind() -> None:
    with Crew(2, lambda: times, idle) as workers:
        next(workers.work(MANY, times(1), 1))
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@pytest.mark.parametrize("allowed", [0, 1, 2])
def test_where_there_can_be_no_further_process_this_one_does_it(allowed: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refused() -> int:
        left.append(0)
        if len(left) > allowed:
            raise BlockingIOError
        return fork()

    left: list[int] = []
    fork = os.fork
    monkeypatch.setattr(os, "fork", refused)
    with Crew(2, lambda: times, idle) as workers:
        assert dict(workers.work(MANY, times(1), 1)) == {item: int(item) for item in MANY}
        workers.beside(partial(tell, tmp_path / "file"))
    assert (tmp_path / "file").read_text()


def test_children_may_be_nobody_s_business() -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        with Crew(2, lambda: times, idle) as workers:
            assert dict(workers.work(MANY, times(1), 1)) == {item: int(item) for item in MANY}
        with Crew(2, lambda: times, idle) as workers:
            workers.beside(idle)
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_nobody_waits_for_a_worker_that_is_not_waited_for() -> None:
    program = """
import os, time
from mirrorlint.crew import Crew
Crew(1, lambda: time.sleep(60), lambda: None)
print("said", flush=True)
os._exit(0)
"""
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True).stdout == "said\n"


def test_no_process_is_left_behind() -> None:
    with Crew(3, lambda: times, idle):
        pass
    with Crew(3, lambda: times, idle) as workers:
        list(workers.work(MANY, times(1), 1))
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_one_process_where_forking_is_not_safe(monkeypatch: pytest.MonkeyPatch) -> None:
    stop = threading.Event()
    other = threading.Thread(target=stop.wait)
    other.start()
    try:
        assert cores() == 1
    finally:
        stop.set()
        other.join()
    assert cores() >= 1
    monkeypatch.delattr(os, "fork")
    assert cores() == 1


def test_a_repository_reads_the_same_in_any_number_of_processes() -> None:
    with several(3) as workers:
        one, shared = read(["examples/as-first-written"]), read(["examples/as-first-written"], means=Means(workers))
    for name, cluster in one.documents.clusters.items():
        assert [m.node.raw for m in cluster.manifests()] == [m.node.raw for m in shared.documents.clusters[name].manifests()]
    assert one.documents.blind_spots == shared.documents.blind_spots
    assert one.documents.documents == shared.documents.documents
