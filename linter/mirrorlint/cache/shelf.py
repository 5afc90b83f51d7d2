"""What files hold, kept by the id of their content: fresh clones, other branches and renamed files find it as well."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import count, takewhile
from typing import Any

from mirrorlint.cache import vault

# How many contents are kept that the last run did not meet.
_SPARE = 1000
# So many are packed at once, since packed they take memory a second time.
_PART = 10_000


class Shelf:
    """The contents of a repository's files, as plain data by their ids."""

    def __init__(self, repository: str) -> None:
        """What was kept for the repository of that name is taken when it is first asked for."""
        self.repository = repository
        self._name = vault.name_of("contents", repository)
        self._met: dict[str, Any] = {}
        self._fresh = False

    @cached_property
    def _kept(self) -> dict[str, Any]:
        return {blob: content for part in takewhile(bool, map(vault.get, self._parts())) for blob, content in part.items()}

    def get(self, blob: str) -> Any:
        """What is known of a content; None for nothing."""
        return self._kept.get(blob)

    def meet(self, blob: str, content: Any) -> None:
        """Note what a content that this run met holds; without an id it is none."""
        if blob:
            self._fresh |= blob not in self._kept
            self._met[blob] = content

    def keep(self) -> None:
        """Write what this run met, and what others did unless it is much more."""
        if self._fresh:
            others = self._kept if len(self._kept) <= 2 * len(self._met) + _SPARE else {}
            contents = list({**others, **self._met}.items())
            for first, name in zip(range(0, len(contents), _PART), self._parts(), strict=False):
                vault.put(name, dict(contents[first : first + _PART]))

    def _parts(self) -> Iterator[str]:
        """The names of the parts; one that an earlier run left behind the last is as good, since ids say what contents hold."""
        return (f"{self._name}-{number}" for number in count())


def blob_of(data: bytes) -> str:
    """The id that Git gives to a content."""
    import hashlib  # noqa: PLC0415 (most runs need none)

    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
