"""Istio Gateways: which pods they select and what each server says (networking/v1alpha3/gateway.proto)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mirrorlint.fleet import Manifest
from mirrorlint.istio.names import intersection, subset_of
from mirrorlint.istio.ports import HTTP, protocol
from mirrorlint.istio.routing import VirtualService
from mirrorlint.source import Node

ACROSS = "AUTO_PASSTHROUGH"
PASSTHROUGH = frozenset({"PASSTHROUGH", ACROSS})


class Server(NamedTuple):
    """An entry of `servers`, or a listener of the Gateway API.

    `hosts` are as Istio compares them: bare, or `namespace/host`; `host_nodes`, `number_node` and `protocol_node` are where it says so.
    """

    gateway: Gateway
    node: Node
    number: int
    protocol: str
    bind: str
    hosts: tuple[str, ...]
    tls: bool
    mode: str
    redirects: bool
    host_nodes: tuple[Node, ...]
    number_node: Node
    protocol_node: Node

    @property
    def noun(self) -> str:
        """What its API calls it."""
        return "listener" if self.gateway.services else "server"

    @property
    def title(self) -> str:
        """What messages call it."""
        name = f" `{self.node['name'].text}`" if self.noun == "listener" else ""
        return f"{self.gateway.manifest}, {self.noun}{name}"

    @property
    def phrase(self) -> str:
        """What messages call it as a subject."""
        return f"{self.gateway.manifest}'s {self.noun}"

    @property
    def host_node(self) -> Node:
        """Its first host."""
        return self.host_nodes[0]

    def host_node_for(self, name: str) -> Node:
        """Its host that covers a name, else its first."""
        return next((node for node in self.host_nodes if subset_of(name, node.text.rpartition("/")[2].lower())), self.host_node)

    @property
    def plain_http(self) -> bool:
        """Whether it takes HTTP without TLS."""
        return self.protocol in HTTP

    @property
    def terminates(self) -> bool:
        """Whether it takes HTTP inside TLS (gateway.go:IsHTTPSServerWithTLSTermination)."""
        return self.protocol == "HTTPS" and self.tls and self.mode not in PASSTHROUGH

    def sni_hosts(self) -> tuple[str, ...]:
        """The names of its filter chain (model/gateway.go:GetSNIHostsForServer)."""
        return tuple(dict.fromkeys(host.rpartition("/")[2] for host in self.hosts))

    def hosts_for(self, namespace: str) -> list[str]:
        """The hosts that VirtualServices of a namespace may bind to (host/names.go:NamesForNamespace)."""
        pairs = (host.rpartition("/") for host in self.hosts)
        return [name for owner, slash, name in pairs if not slash or owner in (namespace, "*")]

    def shared(self, service: VirtualService) -> list[str]:
        """The hosts under which it has the rules of a VirtualService (core/gateway.go:buildGatewayHTTPRouteConfig)."""
        return intersection(self.hosts_for(service.namespace), (host.name for host in service.hosts))


class Gateway(NamedTuple):
    """An Istio Gateway, which has a selector (an empty one means every gateway pod), or a listener of the Gateway API.

    The latter configures the pods behind `services`, hosts of its own namespace.
    """

    manifest: Manifest
    name: str
    selector: Mapping[str, str]
    servers: tuple[Server, ...]
    services: tuple[str, ...] = ()


def read_gateway(manifest: Manifest) -> Gateway:
    """A Gateway; its `name` is `namespace/name`, as VirtualServices refer to it."""
    spec = manifest.node["spec"]
    bare = Gateway(manifest, f"{manifest.namespace}/{manifest.name}", spec["selector"].named_texts, ())
    return bare._replace(servers=tuple(_server(bare, node) for node in spec["servers"]))


def _server(gateway: Gateway, node: Node) -> Server:
    tls, port = node["tls"], node["port"]
    return Server(
        gateway=gateway,
        node=node,
        number=port["number"].number,
        protocol=protocol(port["protocol"].text),
        bind=node["bind"].text,
        hosts=_server_hosts(node["hosts"].texts, gateway.manifest.namespace),
        tls=bool(tls),
        mode=tls["mode"].text or "PASSTHROUGH" if tls else "",
        redirects=tls["httpsRedirect"].truth,
        host_nodes=tuple(node["hosts"]) or (node["hosts"],),
        number_node=port["number"],
        protocol_node=port["protocol"],
    )


def _server_hosts(hosts: tuple[str, ...], namespace: str) -> tuple[str, ...]:
    """`./h` is the Gateway's namespace, `*/h` every namespace, `*/*` everything (model/gateway.go:sanitizeServerHostNamespace)."""
    if "*/*" in hosts:
        return ("*",)
    split = (host.rpartition("/") for host in hosts)
    return tuple(name if owner == "*" or not slash else f"{namespace if owner == '.' else owner}/{name}" for owner, slash, name in split)
