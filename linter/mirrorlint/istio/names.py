"""Host names as Istio reads them: short names, wildcards, specificity, exportTo (pkg/config/host, pilot/pkg/model/config.go)."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import TypeVar

MESH = "mesh"
PUBLIC = frozenset({"*"})

_T = TypeVar("_T")


def serves_mesh(gateways: Collection[str]) -> bool:
    """Whether a VirtualService with these `gateways` is for sidecars, too: one that names none is (virtual_service.proto)."""
    return not gateways or MESH in gateways


def is_wild(host: str) -> bool:
    """Whether Istio takes the host for a wildcard: it starts with `*` (host/name.go:IsWildCarded)."""
    return host.startswith("*")


def subset_of(host: str, other: str) -> bool:
    """Whether every name that `host` stands for is one that `other` stands for (host/name.go:SubsetOf)."""
    if not other.startswith("*"):
        return host == other
    if host.startswith("*"):
        return len(host) >= len(other) and host[1:].endswith(other[1:])
    return host.endswith(other[1:])


def overlaps(host: str, other: str) -> bool:
    """Whether one of the two covers the other (host/name.go:Matches)."""
    return subset_of(host, other) or subset_of(other, host)


def intersection(hosts: Iterable[str], others: Iterable[str]) -> list[str]:
    """The narrower of each overlapping pair, in the order of `hosts` (host/names.go:Intersection)."""
    others = tuple(others)
    narrow = ((a if subset_of(a, b) else b) for a in hosts for b in others if overlaps(a, b))
    return list(dict.fromkeys(narrow))


def most_specific(host: str, index: Mapping[str, _T]) -> _T | None:
    """The value of the exact key, else of the longest wildcard that covers `host` (config.go:MostSpecificHostMatch)."""
    if host in index:
        return index[host]
    name = host[1:] if is_wild(host) else host
    covering = [key for key in index if key.startswith("*") and name.endswith(key[1:])]
    return index[min(covering, key=lambda key: (-len(key), key))] if covering else None


@lru_cache(maxsize=4096)
def is_ip(host: str) -> bool:
    """Whether the name is an IPv4 or IPv6 literal."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether the name is an IP literal of the machine itself."""
    return is_ip(host) and ipaddress.ip_address(host).is_loopback


@lru_cache(maxsize=4096)
def known_as(address: str) -> str:
    """A name or an IP as it is compared: in lower case, without port and last dot, an IPv6 address in its short form."""
    name = without_port(address).lower().removesuffix(".")
    return str(ipaddress.ip_address(name)) if is_ip(name) else name


def expand(host: str, namespace: str, domain: str) -> str:
    """A short name's FQDN; anything with a dot, `*` and IP literals stay (config.go:ResolveShortnameToFQDN)."""
    if not host or host == "*" or "." in host or is_ip(host):
        return host
    return f"{host}.{namespace}.svc.{domain}"


def gateway_name(name: str, namespace: str) -> str:
    """`namespace/name` of a VirtualService's `gateways` entry; `mesh` stays (config.go:resolveGatewayName)."""
    if name == MESH:
        return name
    if "/" in name:
        owner, _, rest = name.partition("/")
        return f"{namespace}/{rest}" if owner == "." else name
    if "." in name:
        first, owner = name.split(".")[:2]
        return f"{owner}/{first}"
    return f"{namespace}/{name}"


def exported(export_to: frozenset[str], owner: str, namespace: str) -> bool:
    """Whether an object of namespace `owner` is visible in `namespace` (push_context.go:IsServiceVisible)."""
    return "*" in export_to or namespace in export_to or ("." in export_to and owner == namespace)


def without_port(host: str) -> str:
    """The Host without its port, which Envoy ignores when it looks for a virtual host (ignore_port_in_host_matching)."""
    name, colon, port = host.rpartition(":")
    if colon and port.isdigit() and (":" not in name or name.endswith("]")):
        return name
    return host
