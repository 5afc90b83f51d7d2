"""Sealed files in the user's cache folder: what is damaged, of another version or not our own is as if it were not there."""

from __future__ import annotations

import contextlib
import marshal
import os
import sys
from _blake2 import blake2b  # as `hashlib` has it, which loads OpenSSL as well; that takes longer than all else here
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any

# How much is kept; what was not written or used for longest goes first.
MOST_BYTES = 256 << 20
_SEAL = 32
_OTHERS_MAY_WRITE = 0o022


def folder() -> str:
    """Where everything is kept (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "mirrorlint")


def name_of(kind: str, *parts: object) -> str:
    """A file's name for what it is about."""
    return f"{kind}-{blake2b(repr(parts).encode('utf-8', 'surrogateescape'), digest_size=16).hexdigest()}"


def get(name: str) -> Any:
    """What was kept under a name; None for nothing. A file whose seal is broken is removed."""
    key, path = _key(), os.path.join(folder(), name)
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError:
        return None
    payload = memoryview(data)[_SEAL:]
    if not key or _seal(key, name, payload) != data[:_SEAL]:
        with contextlib.suppress(OSError):
            os.unlink(path)
        return None
    with contextlib.suppress(OSError):
        os.utime(path)
    return marshal.loads(payload)  # noqa: S302 (the seal shows that it is our own)


def put(name: str, value: Any) -> None:
    """Keep plain data under a name; where that is not possible nothing is kept."""
    with contextlib.suppress(OSError):
        os.makedirs(folder(), mode=0o700, exist_ok=True)
        key = _key() or _new_key()
        if key:
            payload = marshal.dumps(value)
            _write(name, _seal(key, name, payload), payload)
            _make_room()


def _seal(key: bytes, name: str, payload: bytes | memoryview) -> bytes:
    """A keyed digest: only data of this user and this very program is unpacked, since `marshal` trusts what it reads."""
    seal = blake2b(repr((name, sys.version, _stamp())).encode(), digest_size=_SEAL, key=key)
    seal.update(payload)
    return seal.digest()


@cache
def _stamp() -> list[tuple[str, int, int]]:
    """Names, sizes and times of the program's own files: a version that is being worked on has no number of its own."""
    own = os.path.dirname(os.path.dirname(__file__))
    return sorted(each for place in {own, *import_module("mirrorlint.rules").__path__} for each in _sources(place))


def _sources(place: str) -> Iterator[tuple[str, int, int]]:
    with os.scandir(place) as entries:
        for entry in entries:
            if entry.name.endswith(".py"):
                about = entry.stat()
                yield entry.name, about.st_size, about.st_mtime_ns
            elif entry.is_dir() and entry.name != "__pycache__":
                yield from _sources(entry.path)


def _key() -> bytes:
    """The user's secret; b"" where there is none, or where others may have written it."""
    try:
        about = os.stat(folder())
        if hasattr(os, "geteuid") and (about.st_uid != os.geteuid() or about.st_mode & _OTHERS_MAY_WRITE):
            return b""
        with open(os.path.join(folder(), "key"), "rb") as file:
            key = file.read(_SEAL + 1)
    except OSError:
        return b""
    return key if len(key) == _SEAL else b""


def _new_key() -> bytes:
    """Make the secret; of two processes that do so at once one has kept what nobody can read."""
    _write("key", os.urandom(_SEAL), b"")
    return _key()


def _write(name: str, seal: bytes, payload: bytes) -> None:
    """Put a file in its place at once, so that nobody reads half of it."""
    unfinished = os.path.join(folder(), f"{name}.{os.getpid()}")
    try:
        with open(unfinished, "wb", opener=lambda file, flags: os.open(file, flags, 0o600)) as file:
            file.write(seal)
            file.write(payload)
        os.replace(unfinished, os.path.join(folder(), name))
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(unfinished)
        raise


def _make_room() -> None:
    with os.scandir(folder()) as entries:
        kept = sorted(((entry.stat(), entry.path) for entry in entries if entry.name != "key"), key=lambda one: one[0].st_mtime_ns)
    total = sum(about.st_size for about, _ in kept)
    for about, path in kept[:-1]:
        if total <= MOST_BYTES:
            break
        os.unlink(path)
        total -= about.st_size
