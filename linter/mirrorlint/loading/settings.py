"""What `.mirrorlint.yaml` says, or where it is wrong: all of it at once, with line, column and the likely meaning."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from mirrorlint.fleet import DISCOVERY, ClusterSettings, Ingress
from mirrorlint.level import LEVELS, OFF
from mirrorlint.likeness import suggestion
from mirrorlint.loading import files
from mirrorlint.loading.fields import FieldError, Fields, boolean, host, label, one_of, port, text, version
from mirrorlint.source import Node, Place, parse

FILE, MISNAMED = ".mirrorlint.yaml", ".mirrorlint.yml"

_TOP = ("clusters", "rules")
_SECTION = ("paths", "istio", "shadow_suffix", "mesh", "domain", "external", "complete", "ingress", "path", "contract")
_INGRESS = ("addresses", "namespace", "labels", "ports")
EXPORTS = ("defaultServiceExportTo", "defaultVirtualServiceExportTo", "defaultDestinationRuleExportTo")
_POLICY = "outboundTrafficPolicy"
TRUST = ("trustDomain", "trustDomainAliases", "enableAutoMtls")
_MESH = ("rootNamespace", *EXPORTS, _POLICY, *TRUST, DISCOVERY)
_LIKE_MESH = ("inboundTrafficPolicy", "defaultTrafficPolicy")  # fields of Istio's that nothing here asks for
_POLICIES = ("ALLOW_ANY", "REGISTRY_ONLY", "ALLOW_ANY_DYNAMIC_DNS")
_WITH_VALUES, _WITHOUT = ("In", "NotIn"), ("Exists", "DoesNotExist")
_PORT = re.compile(r"[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]")


class SettingsError(Exception):
    """Settings that can't be used; `messages` are all faults, each as `path:line:column: text`."""

    def __init__(self, messages: Iterable[str]) -> None:
        """Keep the messages, and show one a line."""
        self.messages = tuple(messages)
        super().__init__("\n".join(self.messages))


class ClusterSection(NamedTuple):
    """A cluster as settings describe it: its files and folders, or the peer repository or contract that it is read from.

    Paths are from the working directory.
    """

    paths: tuple[str, ...] = ()
    peer: str = ""
    settings: ClusterSettings = ClusterSettings()
    contract: str = ""


class Settings(NamedTuple):
    """What a settings file says; `path` is "" when there is none, `places` tell where each rule is named."""

    clusters: Mapping[str, ClusterSection] = {}
    rules: Mapping[str, str] = {}
    path: str = ""
    places: Mapping[str, Place] = {}


def read(path: str) -> Settings:
    """Read a settings file; SettingsError for one that can't be read as well."""
    data = files.read(path)
    if isinstance(data, files.Unread):
        raise SettingsError([f"{path}:1:1: the settings can't be read ({data.reason})"])
    return parse_settings(data, path)


def parse_settings(data: bytes, path: str) -> Settings:
    """Read the text of a settings file, whose paths must exist; only a peer may be absent. Raises SettingsError."""
    parsed = parse(data, path)
    reader = _Reader(os.path.dirname(path))
    for broken in parsed.broken:
        reader.wrong.append((broken.place, f"{broken.message} ({broken.hint})" if broken.hint else broken.message))
    for surplus in parsed.documents[1:]:
        reader.wrong.append((surplus.place, "settings are one document, and this is another"))
    settings = reader.settings(parsed.documents[0], path) if parsed.documents else Settings(path=path)
    reader.finish()
    return settings


def said_ingress(said: Mapping[str, Any] | Iterable[str]) -> Ingress:
    """An ingress that a program gives, a list of addresses or a mapping; what is empty is not said. Raises SettingsError."""
    reader = _Reader()
    plain = {key: value for key, value in said.items() if value} if isinstance(said, Mapping) else said
    numbers = plain.pop("ports") if isinstance(plain, dict) and _are_numbers(plain.get("ports")) else None
    ingress = reader.take({"ingress": _node(plain, "<ingress>")}, "ingress", reader.ingress, Ingress())
    reader.finish()
    return ingress if numbers is None else ingress._replace(ports=dict(numbers))


def _are_numbers(ports: object) -> bool:
    """Whether a program gave ports as they are kept, so that they need no reading: it may well give all 65,535."""
    if not isinstance(ports, Mapping) or not ports:
        return False
    numbers = {*ports, *ports.values()}
    return {type(number) for number in numbers} == {int} and min(numbers) > 0 and max(numbers) < 65536


def read_section(node: Node, wrong: list[tuple[Place, str]]) -> ClusterSettings:
    """What a mapping says of a cluster, in the words of a settings file; what is wrong is added to the list."""
    reader = _Reader()
    found = reader.cluster(dict(node.items()))
    wrong += reader.wrong
    return found


def said_mesh(said: Mapping[str, Any]) -> Mapping[str, Any]:
    """A meshConfig that a program gives. Raises SettingsError."""
    reader = _Reader()
    mesh = reader.take({"mesh": _node(said, "<mesh>")}, "mesh", reader.mesh, said)
    reader.finish()
    return mesh


def usable_mesh(node: Node) -> Mapping[str, Any]:
    """What can be used of a meshConfig in manifests, where nothing has checked it: fields of a wrong type are as none."""
    found: dict[str, Any] = {}
    for key, value in node.items():
        reader = _Reader()
        one = Node(({key: (node.key(key).raw, value.raw)}, *node.raw[1:]), node.path)
        said = reader.take({"mesh": one}, "mesh", reader.mesh, {})
        found |= {} if reader.wrong else said
    return found


def check_rules(settings: Settings, known_names: Collection[str]) -> None:
    """Raise SettingsError when the settings name a rule that there is not."""
    unknown = [name for name in settings.rules if name not in known_names]
    if unknown:
        raise SettingsError(f"{settings.places[name]}: there is no rule `{name}`{suggestion(name, known_names)}" for name in unknown)


def _node(value: object, name: str) -> Node:
    data = json.dumps(value, default=lambda other: dict(other) if isinstance(other, Mapping) else list(other))
    return parse(data.encode(), name).documents[0]


class _Reader(Fields):
    """Reads Nodes as settings."""

    def __init__(self, folder: str = "") -> None:
        """`folder` is the one that paths start from."""
        super().__init__()
        self._folder = folder

    def finish(self) -> None:
        if self.wrong:
            raise SettingsError(f"{place}: {message}" for place, message in sorted(self.wrong))

    def settings(self, node: Node, path: str) -> Settings:
        fields = self.known(node, "a settings file", _TOP)
        clusters, rules = self.named(fields, "clusters", self._section), self.named(fields, "rules", _level)
        spelled = {fields["clusters"].spelling(name): section for name, section in clusters.items()}
        return Settings(spelled, rules, path, {name: fields["rules"].key(name).place for name in rules})

    def _section(self, node: Node) -> ClusterSection:
        fields = self.known(node, "a cluster", _SECTION)
        sources = [name for name in ("paths", "path", "contract") if name in fields]
        if len(sources) > 1:
            said = f"a cluster is read from its `paths`, a peer's `path` or its `contract`: `{sources[0]}` is there as well"
            self.wrong.append((fields[sources[1]].place, said))
        peer, contract = (self.take(fields, name, lambda node: self._joined(text(node)), "") for name in ("path", "contract"))
        paths = self.listed(fields, "paths", self._path)
        return ClusterSection(paths, peer, self.cluster(fields), contract)

    def cluster(self, fields: Mapping[str, Node]) -> ClusterSettings:
        """What fields say of a cluster."""
        return ClusterSettings(
            istio=self.take(fields, "istio", version, ""),
            shadow_suffix=self.take(fields, "shadow_suffix", boolean, None),
            mesh=self.take(fields, "mesh", self.mesh, {}),
            domain=self.take(fields, "domain", text, ClusterSettings().domain),
            external=self.listed(fields, "external", host),
            complete=self.take(fields, "complete", boolean, True),
            ingress=self.take(fields, "ingress", self.ingress, Ingress()),
        )

    def ingress(self, node: Node) -> Ingress:
        if node.is_sequence:
            return Ingress(self.items(node, host))
        if not node.is_mapping:
            raise FieldError(node, "`ingress` must be a list of addresses, or a mapping")
        fields = self.known(node, "`ingress`", _INGRESS)
        ports = self.named(fields, "ports", port)
        for name in [name for name in ports if not _PORT.fullmatch(name)]:
            self.wrong.append((fields["ports"].key(name).place, f"`{name}` is not the number of a port"))
            del ports[name]
        return Ingress(
            self.listed(fields, "addresses", host),
            self.take(fields, "namespace", text, ""),
            self.named(fields, "labels", text),
            {int(name): number for name, number in ports.items()},
        )

    def mesh(self, node: Node) -> Mapping[str, Any]:
        """Istio's meshConfig; of its many fields those are judged that are used."""
        if not node.is_mapping:
            raise FieldError(node, "this must be a mapping, with the fields of Istio's meshConfig")
        self.near(node, "`mesh`", _MESH, _LIKE_MESH)
        self.near(node[_POLICY], f"`{_POLICY}`", ("mode",))
        fields = dict(node.items())
        self.take(fields, "rootNamespace", text, "")
        self.take(fields, "trustDomain", text, "")
        self.take(fields, "enableAutoMtls", boolean, True)
        for name in (*EXPORTS, "trustDomainAliases"):
            self.listed(fields, name, text)
        modes = self.named(fields, _POLICY, lambda value: value)
        self.take(modes, "mode", one_of(_POLICIES), "")
        self.listed(fields, DISCOVERY, self._selector)
        plain: dict[str, Any] = node.plain()
        return plain

    def _selector(self, node: Node) -> None:
        """A label selector; where one is wrong Istio looks at all namespaces (pkg/kube/namespace/filter.go:selectorsChanged)."""
        if not node.is_mapping:
            raise FieldError(node, "this must be a label selector, with `matchLabels` or `matchExpressions`")
        fields = self.known(node, "a label selector", ("matchLabels", "matchExpressions"))
        self.named(fields, "matchLabels", label)
        self.listed(fields, "matchExpressions", self._expression)

    def _expression(self, node: Node) -> None:
        """A condition for a label (apimachinery, pkg/labels/selector.go:NewRequirement)."""
        fields = self.known(node, "an expression", ("key", "operator", "values"))
        text(node["key"])
        operator = one_of((*_WITH_VALUES, *_WITHOUT))(node["operator"])
        values = self.listed(fields, "values", label)
        if bool(values) != (operator in _WITH_VALUES):
            raise FieldError(node["values"], f"`{operator}` takes {'no' if values else 'some'} `values`")

    def _path(self, node: Node) -> str:
        path = self._joined(text(node))
        if not os.path.exists(path):
            raise FieldError(node, f"there is no `{node.text}` here")
        return path

    def _joined(self, path: str) -> str:
        return os.path.normpath(os.path.join(self._folder, path))


def _level(node: Node) -> str:
    return OFF if node.value is False else one_of(LEVELS)(node)
