"""Work on several cores: the same results from any number of processes, whatever becomes of them."""

from __future__ import annotations

import os
import threading

import pytest

from mirrorlint.loading import crew, read
from mirrorlint.loading.crew import cores, work
from mirrorlint.loading.means import Means


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew, "LEAST", 2)


@pytest.mark.parametrize("jobs", [0, 1, 2, 3, 50])
def test_each_item_has_its_result_from_any_number_of_processes(jobs: int) -> None:
    items = [str(number) for number in range(23)]
    assert dict(work(int, items, jobs)) == dict(zip(items, range(23), strict=True))
    assert list(work(int, [], jobs)) == []


def test_large_results_do_not_block() -> None:
    assert dict(work(lambda item: item * 100_000, list("abcd"), 2)) == {item: item * 100_000 for item in "abcd"}


def test_the_work_of_a_process_that_dies_is_done_again() -> None:
    parent = os.getpid()

    def task(item: str) -> str:
        if os.getpid() != parent:
            os._exit(3)
        return item

    assert dict(work(task, list("abcd"), 2)) == {item: item for item in "abcd"}


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
    one, several = (read(["examples/as-first-written"], means=Means(jobs)) for jobs in (1, 3))
    for name, cluster in one.documents.clusters.items():
        assert [m.node.raw for m in cluster.manifests()] == [m.node.raw for m in several.documents.clusters[name].manifests()]
    assert one.documents.blind_spots == several.documents.blind_spots
    assert one.documents.documents == several.documents.documents
