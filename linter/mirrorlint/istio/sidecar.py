"""Sidecar resources: which pods they are for and what their egress listeners import (networking/v1alpha3/sidecar.proto)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mirrorlint.fleet import Manifest
from mirrorlint.source import Node

EVERYTHING = ("*", "*")


class Egress(NamedTuple):
    """An egress listener: its port (0 for the one without), its port's protocol, and what it imports as (namespace, host) pairs.

    One that does not capture listens at the pod's own address alone, so that calls to other addresses pass it by (`captureMode: NONE`).
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
    return Egress(node["port"]["number"].number, node["port"]["protocol"].text.upper(), pairs, node["captureMode"].text != "NONE")
