"""A proxy's table of virtual hosts, and Envoy's choice among them: the exact domain, else the longest wildcard; the port is ignored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mirrorlint.delivery.match import Route
from mirrorlint.istio.names import without_port
from mirrorlint.istio.routing import VirtualService
from mirrorlint.source import Node


class VirtualHost(NamedTuple):
    """A domain with its routes.

    `services` are the VirtualServices it was made of, `node` is where the domain is written, `port` the number that a gateway's server
    declares (0 at a sidecar, where it is the called one).
    """

    domain: str
    routes: tuple[Route, ...]
    services: tuple[VirtualService, ...]
    requires_tls: bool
    node: Node
    port: int = 0


class Table:
    """Virtual hosts by domain."""

    def __init__(self, hosts: Iterable[tuple[str, VirtualHost]]) -> None:
        """Domains are in lower case; the first virtual host for a domain keeps it."""
        self._exact: dict[str, VirtualHost] = {}
        wild: dict[str, VirtualHost] = {}
        for domain, host in hosts:
            (wild if domain.startswith("*") else self._exact).setdefault(domain, host)
        self._wild = sorted(wild.items(), key=lambda item: -len(item[0]))

    def __iter__(self) -> Iterator[VirtualHost]:
        """All virtual hosts."""
        yield from dict.fromkeys(self._exact.values())
        yield from dict.fromkeys(host for _, host in self._wild)

    def pick(self, host: str) -> VirtualHost | None:
        """The virtual host for a request's Host."""
        name = without_port(host).lower()
        found = self._exact.get(name)
        if found is not None:
            return found
        return next((vhost for domain, vhost in self._wild if name.endswith(domain[1:]) and len(name) >= len(domain)), None)
