"""Reads a peer's contract: a cluster from the file that its repository published (contract.schema.json), or where that is damaged."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from mirrorlint.delivery.worlds import WORLDS
from mirrorlint.fleet import ANYTHING, GATEWAYS, NOTHING, BlindSpot, ClusterSettings, Fault, Manifest, peer_path
from mirrorlint.loading.fields import FieldError, Fields, one_of, port, text
from mirrorlint.loading.packing import unpack
from mirrorlint.loading.settings import read_section
from mirrorlint.source import Node, Place, parse

VERSION = 1
_TOP = ("contract", "tool", "cluster", "commit", "time", "accepts", "expects", "digest")
_ACCEPTS = ("settings", "objects", "blind_spots")
_SETTINGS = ("istio", "domain", "complete", "mesh", "ingress")
_EXPECTATION = ("at", "object", "to", "host", "port", "endpoints", "tls", "requests")
_OPTIONAL = ("commit", "time", "to", "tls")
_AT = re.compile(r"(?s:(.+)):([1-9][0-9]{0,8}):([1-9][0-9]{0,8})")


class Expectation(NamedTuple):
    """What a cluster sends by one mirror: whose it is, where it stands, the cluster that takes it all ("" where that was not known).

    `endpoints` are hosts with ports, `tls` is a DestinationRule's (empty: plain text), `requests` are what is sent in each world.
    """

    owner: str
    at: Place
    to: str
    host: str
    port: int
    endpoints: tuple[tuple[str, int], ...]
    tls: Mapping[str, Any]
    requests: tuple[Request, ...]

    def sent(self) -> Iterator[tuple[Request, str, str]]:
        """Each request with a world and the Host that it has there."""
        yield from ((request, world, host) for request in self.requests for world, hosts in request.hosts.items() for host in hosts)


class Request(NamedTuple):
    """Requests that differ in their Host alone; `hosts` has those of each world."""

    method: str
    path: str
    headers: Mapping[str, str]
    hosts: Mapping[str, tuple[str, ...]]


class Contract(NamedTuple):
    """A contract that was read; one that can't be used has `faults` or blind spots alone, and is not `usable`."""

    cluster: str
    path: str
    usable: bool
    time: Node
    manifests: tuple[Manifest, ...]
    settings: ClusterSettings
    expectations: tuple[Expectation, ...]
    faults: tuple[Fault, ...]
    blind_spots: tuple[BlindSpot, ...]


def time_of(text: str) -> datetime | None:
    """A commit's time, as contracts have it; None for what is none."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def _time(node: Node) -> str:
    if time_of(node.text) is None:
        raise FieldError(node, "this must be a time, such as 2026-01-31T12:00:00Z")
    return node.text


def digest(contract: Mapping[str, Any]) -> str:
    """What the rest of a contract amounts to."""
    rest = {key: value for key, value in contract.items() if key != "digest"}
    return "sha256:" + hashlib.sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def read_contract(data: bytes, path: str, name: str = "") -> Contract:
    """Read a contract file; `name` is what the cluster is called here, unless that is its own name. Never raises."""
    parsed = parse(data, path)
    node = parsed.documents[0] if parsed.documents else parse(b"{}", path).documents[0]
    name = name or node["cluster"].text or path.rpartition("/")[2].removesuffix(".json")
    unusable = Contract(name, path, False, node["time"], (), ClusterSettings(), (), (), ())
    if parsed.broken:
        said = "this contract can't be read"
        return unusable._replace(faults=tuple(Fault(b.place, f"{said}: {b.message}", b.hint, name) for b in parsed.broken))
    if node["contract"].number > VERSION:
        return unusable._replace(blind_spots=(_newer(node, name),))
    reader = _Reader(name)
    found = reader.contract(node, unusable)
    if reader.wrong:
        anew = "`mirrorlint contract export` writes it anew"
        return unusable._replace(faults=tuple(Fault(place, message, anew, name) for place, message in sorted(reader.wrong)))
    return found._replace(faults=_edited(node, name))


def _newer(node: Node, name: str) -> BlindSpot:
    said = node["contract"]
    message = f"this contract is in version {said.number} of the format and {VERSION} is read here: a newer mirrorlint is needed"
    return BlindSpot.at(said.place, message, name)


def _edited(node: Node, name: str) -> tuple[Fault, ...]:
    """A fault where the file is not as it was written."""
    said = node["digest"]
    if said.text == digest(node.plain()):
        return ()
    message = "this contract was changed after its export: it may not be what the cluster accepts"
    return (Fault(said.place, message, "export it anew", name),)


class _Reader(Fields):
    """Reads Nodes as parts of a contract of some cluster."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def contract(self, node: Node, unusable: Contract) -> Contract:
        fields = self._all(node, "a contract", _TOP)
        if not fields:
            return unusable
        if node["contract"].number != VERSION:
            self.wrong.append((node["contract"].place, "this must be the version of the format, a number"))
        accepts = self._all(fields["accepts"], "`accepts`", _ACCEPTS)
        settings = self.known(node["accepts"]["settings"], "`settings`", _SETTINGS)
        said = read_section(node["accepts"]["settings"], self.wrong) if settings else ClusterSettings()
        manifests = self.listed(accepts, "objects", self._manifest)
        spots = self.listed(accepts, "blind_spots", self._blind_spot)
        expectations = self.listed(fields, "expects", self._expectation)
        for name in ("tool", "cluster", "digest"):
            self.take(fields, name, text, "")
        self.take(fields, "time", _time, "")
        return unusable._replace(usable=True, manifests=manifests, settings=said, expectations=expectations, blind_spots=spots)

    def _all(self, node: Node, what: str, names: tuple[str, ...]) -> dict[str, Node]:
        """The fields of a mapping that has all of them but those that may be absent; nothing where it doesn't."""
        if not node.is_mapping:
            self.wrong.append((node.place, f"{what} is a mapping"))
            return {}
        fields = self.known(node, what, names)
        missing = [name for name in names if name not in fields and name not in _OPTIONAL]
        self.wrong += [(node.place, f"{what} has no `{name}`") for name in missing]
        return {} if missing else fields

    def _place(self, node: Node) -> Place:
        found = _AT.fullmatch(node.text)
        if found is None:
            raise FieldError(node, "this must be a place, `path:line:column`")
        line, column = int(found[2]), int(found[3])
        return Place(peer_path(self._name, found[1]), line, column, line, column)

    def _manifest(self, node: Node) -> Manifest:
        at = self._place(node["at"])
        found = unpack(node["object"].plain(), node["places"].text, at.path, at.line, at.column)
        if found is None or not found.text_at("kind"):
            raise FieldError(node, "this must be an object with its places")
        return Manifest(found)

    def _blind_spot(self, node: Node) -> BlindSpot:
        holds = one_of((ANYTHING, GATEWAYS, NOTHING))(node["holds"])
        path = peer_path(self._name, node["path"].text) if node["path"].text else ""
        return BlindSpot(text(node["message"]), path, node["line"].number, self._name, holds)

    def _expectation(self, node: Node) -> Expectation:
        if not self._all(node, "an expectation", _EXPECTATION):
            raise FieldError(node, "this is no expectation")
        endpoints = self.items(node["endpoints"], lambda one: (text(one["host"]), port(one["port"])))
        requests = self.items(node["requests"], self._request)
        if not requests or not endpoints:
            raise FieldError(node, "this must be an expectation with `endpoints` and `requests`")
        tls = node["tls"].plain() if node["tls"].is_mapping else {}
        at = self._place(node["at"])
        return Expectation(text(node["object"]), at, node["to"].text, text(node["host"]), port(node["port"]), endpoints, tls, requests)

    def _request(self, node: Node) -> Request:
        for key, _ in node["hosts"].entries():
            one_of(WORLDS)(key)
        hosts = {world: self.items(value, text) for world, value in node["hosts"].items()}
        if not any(hosts.values()):
            raise FieldError(node, "this must be a request, with its `hosts` for 1.27 and 1.28")
        return Request(text(node["method"]), text(node["path"]), node["headers"].named_texts, hosts)
