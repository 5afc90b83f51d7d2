"""Sidecar resources: which pods they are for and what their egress listeners import (networking/v1alpha3/sidecar.proto)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mirrorlint.fleet import Manifest
from mirrorlint.istio.names import is_loopback
from mirrorlint.source import Node

EVERYTHING = ("*", "*")
SOCKET = -1
_ANYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared, never bound


class Egress(NamedTuple):
    """An egress listener: its port (0 for the one without, SOCKET at a Unix socket), its protocol, and imports as (namespace, host) pairs.

    One that does not capture listens at the pod's own address alone, so that calls to other addresses pass it by.
    """

    port: int
    protocol: str
    hosts: tuple[tuple[str, str], ...]
    captures: bool = True


class Sidecar(NamedTuple):
    """A Sidecar resource; `selective` when it has a workloadSelector."""

    manifest: Manifest
    selective: bool
    selector: Mapping[str, str]
    egress: tuple[Egress, ...]


DEFAULT_EGRESS = (Egress(0, "", (EVERYTHING,)),)


def read_sidecar(manifest: Manifest) -> Sidecar:
    """A Sidecar; without `egress` it imports everything (sidecar.go:initSidecarScopeInternalIndexes)."""
    spec = manifest.node["spec"]
    egress = tuple(_egress(node) for node in spec["egress"])
    return Sidecar(manifest, bool(spec["workloadSelector"]), spec["workloadSelector"]["labels"].named_texts, egress or DEFAULT_EGRESS)


def _egress(node: Node) -> Egress:
    pairs = tuple((owner, name) for owner, slash, name in (host.partition("/") for host in node["hosts"].texts) if slash)
    port = (node["port"]["number"].number or SOCKET) if node["port"] else 0
    return Egress(port, node["port"]["protocol"].text.upper(), pairs, port != SOCKET and _captures(node))


def _captures(node: Node) -> bool:
    """Whether calls to other addresses come to it: what it does not capture it may take at any address (buildSidecarOutboundListeners)."""
    bind = node["bind"].text
    return bind in _ANYWHERE if node["captureMode"].text == "NONE" else not is_loopback(bind)
