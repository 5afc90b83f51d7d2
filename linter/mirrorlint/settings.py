"""What `.mirrorlint.yaml` says, or where it is wrong: all of it at once, with line, column and the likely meaning."""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from mirrorlint.fleet import ClusterSettings, Ingress
from mirrorlint.rule import LEVELS, OFF
from mirrorlint.source import Node, Place, parse

FILE = ".mirrorlint.yaml"

_TOP = ("clusters", "rules")
_SECTION = ("paths", "istio", "shadow_suffix", "mesh", "domain", "external", "complete", "ingress", "path", "contract", "peer")
_PEER = ("path", "contract")
_INGRESS = ("addresses", "namespace", "labels", "ports")
_VERSION = re.compile(r"v?[0-9]+\.[0-9]+(\.[0-9]+)?([-+][0-9A-Za-z.+-]+)?")
_PORT = re.compile(r"[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]")
_HIGHEST_PORT = 65535

T = TypeVar("T")
D = TypeVar("D")


class SettingsError(Exception):
    """Settings that can't be used; `messages` are all faults, each as `path:line:column: text`."""

    def __init__(self, messages: Iterable[str]) -> None:
        """Keep the messages, and show one a line."""
        self.messages = tuple(messages)
        super().__init__("\n".join(self.messages))


class ClusterSection(NamedTuple):
    """A cluster as settings describe it: its files and folders, or the peer repository that it is read from, from the working directory."""

    paths: tuple[str, ...] = ()
    peer: str = ""
    settings: ClusterSettings = ClusterSettings()


class Settings(NamedTuple):
    """What a settings file says; `path` is "" when there is none, `places` tell where each rule is named."""

    clusters: Mapping[str, ClusterSection] = {}
    rules: Mapping[str, str] = {}
    path: str = ""
    places: Mapping[str, Place] = {}


def read(path: str) -> Settings:
    """Read a settings file, whose paths must exist; only a peer may be absent."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise SettingsError([f"{path}:1:1: the settings can't be read: {error.strerror}"]) from error
    return parse_settings(data, path, os.path.exists)


def parse_settings(data: bytes, path: str, exists: Callable[[str], bool] = lambda _: True) -> Settings:
    """Read the text of a settings file; `exists` tells whether there is such a file or folder."""
    parsed = parse(data, path)
    reader = _Reader(os.path.dirname(path), exists)
    reader.messages.extend(f"{broken.place}: {broken.message}{f' ({broken.hint})' if broken.hint else ''}" for broken in parsed.broken)
    reader.messages.extend(f"{surplus.place}: settings are one document, and this is another" for surplus in parsed.documents[1:])
    settings = reader.settings(parsed.documents[0], path) if parsed.documents else Settings(path=path)
    reader.finish()
    return settings


def ingress_of(value: object, name: str) -> Ingress:
    """An ingress said in Python, a list of addresses or a mapping, held to the same rules; `name` is what messages call it."""
    data = json.dumps(value, default=lambda other: dict(other) if isinstance(other, Mapping) else list(other))
    reader = _Reader("", os.path.exists)
    (node,) = parse(data.encode(), name).documents
    ingress = reader.ingress(node)
    reader.finish()
    return ingress


def check_rules(settings: Settings, known_names: Collection[str]) -> None:
    """Raise SettingsError when the settings name a rule that there is not."""
    unknown = [name for name in settings.rules if name not in known_names]
    if unknown:
        raise SettingsError(f"{settings.places[name]}: there is no rule `{name}`{_nearest(name, known_names)}" for name in unknown)


def _nearest(word: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(word, sorted(known), 1)
    return f" (did you mean `{near[0]}`?)" if near else ""


class _FieldError(Exception):
    """A value that can't be used, and why."""

    def __init__(self, node: Node, text: str) -> None:
        super().__init__(f"{node.place}: {text}")


class _Reader:
    """Reads Nodes as settings and notes what is wrong on the way; what is wrong reads as if it had not been said."""

    def __init__(self, folder: str, exists: Callable[[str], bool]) -> None:
        self.messages: list[str] = []
        self._folder = folder
        self._exists = exists

    def finish(self) -> None:
        if self.messages:
            raise SettingsError(self.messages)

    def settings(self, node: Node, path: str) -> Settings:
        fields = self._fields(node, "the settings", _TOP)
        clusters = self._named(fields, "clusters", self._section)
        rules = self._named(fields, "rules", _level)
        return Settings(clusters, rules, path, {name: fields["rules"].key(name).place for name in rules})

    def _section(self, node: Node) -> ClusterSection:
        fields = self._fields(node, "a cluster", _SECTION)
        said = ClusterSettings(
            istio=self._take(fields, "istio", _version, ""),
            shadow_suffix=self._take(fields, "shadow_suffix", _boolean, None),
            mesh=self._take(fields, "mesh", _mapping, {}),
            domain=self._take(fields, "domain", _string, ClusterSettings().domain),
            external=self._take(fields, "external", self._strings, ()),
            complete=self._take(fields, "complete", _boolean, True),
            ingress=self._take(fields, "ingress", self.ingress, Ingress()),
        )
        paths = self._take(fields, "paths", lambda node: self._items(node, self._path), ())
        return ClusterSection(paths, self._peer(fields), said)

    def _peer(self, fields: Mapping[str, Node]) -> str:
        """The peer repository; it may be absent, then that is a blind spot."""
        for key in ("path", "contract", "peer"):
            if key in fields and "paths" in fields:
                self.messages.append(f"{fields[key].place}: a cluster is read from `paths` or from a peer, not from both")
        if "peer" in fields:
            fields = self._fields(fields["peer"], "`peer`", _PEER)
        if "contract" in fields:
            self.messages.append(f"{fields['contract'].place}: a peer's contract is not supported yet, only its `path`")
        return self._take(fields, "path", lambda node: self._joined(_string(node)), "")

    def ingress(self, node: Node) -> Ingress:
        """A list of addresses, or a mapping."""
        if node.is_sequence:
            return Ingress(self._strings(node))
        if not node.is_mapping:
            raise _FieldError(node, "`ingress` is a list of addresses, or a mapping")
        fields = self._fields(node, "`ingress`", _INGRESS)
        ports = self._named(fields, "ports", _port)
        for name in [name for name in ports if not _PORT.fullmatch(name)]:
            self.messages.append(f"{fields['ports'].key(name).place}: `{name}` is not a port (a number up to 65535)")
            del ports[name]
        return Ingress(
            self._take(fields, "addresses", self._strings, ()),
            self._take(fields, "namespace", _string, ""),
            self._named(fields, "labels", _string),
            {int(name): number for name, number in ports.items()},
        )

    def _take(self, fields: Mapping[str, Node], key: str, read: Callable[[Node], T], default: D) -> T | D:
        if key not in fields:
            return default
        try:
            return read(fields[key])
        except _FieldError as wrong:
            self.messages.append(str(wrong))
            return default

    def _fields(self, node: Node, what: str, known: Collection[str]) -> dict[str, Node]:
        """The values of a mapping whose keys are given; nothing at all is an empty one."""
        if node and not node.is_mapping:
            self.messages.append(f"{node.place}: {what} is a mapping (of {', '.join(f'`{key}`' for key in known)})")
        fields = {key.text: value for key, value in node.entries()}
        for key in [key for key in fields if key not in known]:
            self.messages.append(f"{node.key(key).place}: {what} has no `{key}`{_nearest(key, known)}")
            del fields[key]
        return fields

    def _named(self, fields: Mapping[str, Node], key: str, read: Callable[[Node], T]) -> dict[str, T]:
        """The values of a mapping whose keys are free; nothing at all is an empty one."""
        node = fields.get(key)
        found: dict[str, T] = {}
        if node and not node.is_mapping:
            self.messages.append(f"{node.place}: `{key}` is a mapping")
        for name, value in node.entries() if node else ():
            try:
                found[name.text] = read(value)
            except _FieldError as wrong:
                self.messages.append(str(wrong))
        return found

    def _items(self, node: Node, read: Callable[[Node], T]) -> tuple[T, ...]:
        if not node.is_sequence:
            raise _FieldError(node, "this is a list")
        return tuple(self._each_item(node, read))

    def _each_item(self, node: Node, read: Callable[[Node], T]) -> Iterator[T]:
        for item in node:
            try:
                yield read(item)
            except _FieldError as wrong:
                self.messages.append(str(wrong))

    def _strings(self, node: Node) -> tuple[str, ...]:
        return self._items(node, _string)

    def _path(self, node: Node) -> str:
        path = self._joined(_string(node))
        if not self._exists(path):
            raise _FieldError(node, f"there is no `{node.text}` here")
        return path

    def _joined(self, path: str) -> str:
        return os.path.normpath(os.path.join(self._folder, path))


def _string(node: Node) -> str:
    value = node.value
    if not isinstance(value, str) or not value:
        hint = f'; `"{node.text}"` is one' if node.text else ""
        raise _FieldError(node, f"this is a text{hint}")
    return value


def _boolean(node: Node) -> bool:
    if not isinstance(node.value, bool):
        raise _FieldError(node, "this is true or false")
    return node.value


def _mapping(node: Node) -> Mapping[str, Any]:
    if not node.is_mapping:
        raise _FieldError(node, "this is a mapping, with the fields of Istio's meshConfig")
    plain: dict[str, Any] = node.plain()
    return plain


def _version(node: Node) -> str:
    if isinstance(node.value, bool) or not _VERSION.fullmatch(node.text):
        raise _FieldError(node, "this is an Istio version such as 1.27")
    return node.text


def _port(node: Node) -> int:
    if type(node.value) is not int or not 0 < node.value <= _HIGHEST_PORT:
        raise _FieldError(node, "this is a port, a number up to 65535")
    return node.value


def _level(node: Node) -> str:
    if node.value is False:
        return OFF
    if node.text not in LEVELS:
        raise _FieldError(node, f"`{node.text}` is not one of {', '.join(LEVELS)}{_nearest(node.text, LEVELS)}")
    return node.text
