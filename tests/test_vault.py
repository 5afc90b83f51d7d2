"""What is kept between runs: whatever becomes of the files, a run goes on as if there were none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mirrorlint.cache import vault

VALUE = {"a": [1, ("b", None)], "c": b"\x00"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "mirrorlint"


def test_what_is_kept_comes_back_under_its_name() -> None:
    assert vault.get("one") is None
    vault.put("one", VALUE)
    vault.put("two", [2])
    assert (vault.get("one"), vault.get("two"), vault.get("three")) == (VALUE, [2], None)


def test_only_the_user_may_read_it(folder: Path) -> None:
    vault.put("one", VALUE)
    assert {file.stat().st_mode & 0o077 for file in (folder, *folder.iterdir())} == {0}


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 200), junk=st.binary(max_size=50))
def test_a_damaged_file_is_as_none_and_removed(folder: Path, cut: int, junk: bytes) -> None:
    vault.put("one", VALUE)
    whole = (folder / "one").read_bytes()
    damaged = whole[:cut] + junk
    (folder / "one").write_bytes(damaged)
    assert vault.get("one") == (VALUE if damaged == whole else None)
    assert (folder / "one").exists() == (damaged == whole)


def test_a_file_of_another_name_user_or_version_is_as_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vault.put("one", VALUE)
    (folder / "two").write_bytes((folder / "one").read_bytes())
    assert vault.get("two") is None
    key = (folder / "key").read_bytes()
    (folder / "key").write_bytes(bytes(32))
    assert vault.get("one") is None
    (folder / "key").write_bytes(key)
    vault.put("one", VALUE)
    monkeypatch.setattr(vault, "_stamp", lambda: [("cli.py", 1, 1)])
    assert vault.get("one") is None


@pytest.mark.parametrize("key", [b"", b"short", bytes(33)])
def test_a_torn_key_is_made_anew(folder: Path, key: bytes) -> None:
    vault.put("one", VALUE)
    (folder / "key").write_bytes(key)
    assert vault.get("one") is None
    vault.put("one", VALUE)
    assert vault.get("one") == VALUE


def test_a_folder_that_others_may_write_to_is_not_used(folder: Path) -> None:
    vault.put("one", VALUE)
    folder.chmod(0o777)
    assert vault.get("one") is None
    vault.put("two", VALUE)
    assert not (folder / "two").exists()


def test_where_nothing_can_be_kept_nothing_is(folder: Path) -> None:
    folder.parent.write_text("no folder")
    vault.put("one", VALUE)
    assert vault.get("one") is None


def test_what_was_not_used_for_longest_makes_room(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault, "MOST_BYTES", 3000)
    for number in range(3):
        vault.put(f"{number}", bytes(900))
        os.utime(folder / f"{number}", (number + 1, number + 1))
    assert vault.get("0") == bytes(900)
    vault.put("3", bytes(900))
    assert {file.name for file in folder.iterdir()} == {"key", "0", "2", "3"}
    vault.put("4", bytes(9000))
    assert vault.get("4") == bytes(9000)


def test_processes_that_write_at_once_leave_whole_files(folder: Path) -> None:
    children = []
    for number in range(6):
        child = os.fork()
        if not child:
            try:
                for _ in range(20):
                    vault.put("one", [number] * 5000)
                    vault.get("one")
            finally:
                os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    vault.put("two", VALUE)
    assert vault.get("one") in [None, *([number] * 5000 for number in range(6))]
    assert {file.name for file in folder.iterdir()} <= {"one", "two", "key"}
