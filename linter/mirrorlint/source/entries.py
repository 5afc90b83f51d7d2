"""The entries of a mapping as Kubernetes reads them: names of keys, merges, repeats."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.source.failure import RefusedError
from mirrorlint.source.node import Raw
from mirrorlint.source.scalars import STANDARD, key_name, plain, typed

Entries = dict[str, tuple[Raw, Raw]]

SPECIAL_KEY = "<<\0"
_MOST_NAMES = 10_000
_MERGE_TAG = STANDARD + "merge"


class Names(dict[str, str]):
    """Plain keys as Kubernetes reads them; those that need care are `SPECIAL_KEY`."""

    def __missing__(self, text: str) -> str:
        """Read a key that is met for the first time."""
        if len(self) >= _MOST_NAMES:
            self.clear()
        try:
            name = SPECIAL_KEY if text == "<<" else key_name(plain(text))
        except ValueError:
            name = SPECIAL_KEY
        self[text] = name
        return name


# Keys that were met, in whatever file.
NAMES = Names()


def key_of(key: Raw) -> str:
    """The name of any key; raises RefusedError for one that Kubernetes does not take."""
    if type(key[0]) is not str:
        raise RefusedError("a key is a text, not a mapping or a list", key[2], key[3])
    if key[0] == "<<" and key[1] == _MERGE_TAG:
        return SPECIAL_KEY
    try:
        return key_name(typed(key[0], key[1]))
    except ValueError:
        raise RefusedError("a key is null", key[2], key[3]) from None


def untangle(items: list[Raw], repeated: list[tuple[Raw, Raw]]) -> Entries:
    """Read a mapping with merges or repeated keys.

    As in go-yaml (decode.go:merge) what is written last wins, merged or not.
    """
    content: Entries = {}
    own: dict[str, Raw] = {}
    pairs = iter(items)
    for key, value in zip(pairs, pairs, strict=True):
        if key[0] == "<<" and key[1] in (True, _MERGE_TAG):
            for merged in _merged(value):
                content.update(merged)
            continue
        name = key_of(key)
        if name in own:
            repeated.append((key, own[name]))
        own.setdefault(name, key)
        content[name] = (key, value)
    return content


def _merged(value: Raw) -> Iterator[Entries]:
    """The mappings behind a `<<`, the one that wins last."""
    sources = reversed(value[0]) if type(value[0]) is list else [value]
    for source in sources:
        if type(source[0]) is not dict:
            raise RefusedError("`<<` merges mappings, and this is none", source[2], source[3])
        yield source[0]
