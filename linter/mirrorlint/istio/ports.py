"""Port protocols: what a name or appProtocol says, and which of them carry HTTP (pkg/config/protocol, pkg/config/kube/conversion.go)."""

from __future__ import annotations

from typing import NamedTuple

from mirrorlint.source import Node

SNIFFED = ""
HTTP = frozenset({"HTTP", "HTTP2", "GRPC", "GRPC-WEB", "HTTP_PROXY"})
KNOWN = HTTP | {"HTTPS", "TLS", "TCP", "UDP", "MONGO", "REDIS", "MYSQL"}
_APP_PROTOCOLS = {"kubernetes.io/h2c": "HTTP2", "kubernetes.io/ws": "HTTP", "kubernetes.io/wss": "HTTPS"}
_NEVER_SNIFFED = frozenset({25, 53, 3306, 27017})


class Port(NamedTuple):
    """A port of a Service or ServiceEntry.

    `target` is the port behind it (0 for none or a name), `target_name` that name, `node_port` 0 when none is set.
    """

    number: int
    name: str
    protocol: str
    target: int
    node: Node
    node_port: int = 0
    target_name: str = ""

    @property
    def routes_http(self) -> bool:
        """Whether `http:` routes act on it: HTTP, or not declared and therefore sniffed (IsHTTPOrSniffed)."""
        return self.protocol in HTTP or self.protocol == SNIFFED


def protocol(text: str) -> str:
    """The protocol in upper case, or SNIFFED for one that Istio doesn't know (protocol.Parse)."""
    upper = text.upper()
    return upper if upper in KNOWN else SNIFFED


def service_protocol(port: Node, number: int) -> str:
    """The protocol of a Kubernetes Service port: UDP, else appProtocol, else the name's prefix (kube.ConvertProtocol)."""
    if port.text_at("protocol") == "UDP":
        return "UDP"
    name = port.text_at("name")
    if port["appProtocol"]:
        name = port["appProtocol"].text
        if name in _APP_PROTOCOLS:
            return _APP_PROTOCOLS[name]
    if name.lower().startswith("grpc-web"):
        return "GRPC-WEB"
    found = protocol(name.partition("-")[0])
    return "TCP" if found == SNIFFED and number in _NEVER_SNIFFED else found
