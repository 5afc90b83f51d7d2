"""What a followed call is made of: the call, the hops of each of its shadows, and how they end."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from mirrorlint.delivery import reason
from mirrorlint.delivery.addresses import Balancer
from mirrorlint.delivery.gateway import Chain, GatewayScope
from mirrorlint.delivery.match import Request, Route
from mirrorlint.delivery.policy import Verdict
from mirrorlint.delivery.sidecar import SidecarScope
from mirrorlint.delivery.upstream import Address, Upstream
from mirrorlint.delivery.virtual_host import VirtualHost
from mirrorlint.istio.cert_manager import Certificate
from mirrorlint.istio.names import without_port
from mirrorlint.istio.routing import Destination, Mirror

AnyScope = SidecarScope | GatewayScope
LOST, SOME = "lost", "some"
_NOTHING: Mapping[str, str] = MappingProxyType({})
_Hop = TypeVar("_Hop")


def reached(hop: _Hop | None) -> _Hop:
    """A hop that a way has by the reason of its end; AssertionError where it is missing, which is a bug of ours."""
    if hop is None:
        raise AssertionError("the way lacks a hop that it has by the reason of its end")
    return hop


class Call(NamedTuple):
    """A request as the caller sends it.

    `namespace` and `labels` are those of the calling pod, `port` the one it calls. With `gateway` the request enters at that ingress
    gateway pod, at its listener `port`.
    """

    cluster: str
    namespace: str
    host: str
    port: int
    path: str = "/"
    method: str = "GET"
    headers: Mapping[str, str] = _NOTHING
    labels: Mapping[str, str] = _NOTHING
    gateway: bool = False


class Taken(NamedTuple):
    """The proxy that handles a call, the virtual host and the route that take it there, and the request that they see."""

    scope: AnyScope
    called: VirtualHost
    route: Route
    request: Request


class End(NamedTuple):
    """Where one endpoint of a mirror leads: each hop that was reached, None from where the way breaks.

    `authority` is the Host with which a shadow comes to `address`; both are empty where it comes to none.
    `assumed` and `named` tell why it is taken for the ingress of `cluster` where no address says so (Landing).
    `policy` is what AuthorizationPolicies say where they don't plainly let the shadow through, `certificate` one for other names, `alike`
    filter chains that take the same, for which Envoy refuses their listener (filter_chain_manager_impl.cc:addFilterChains), `balancer` one
    that ends TLS before the gateway. `partial` tells that other destinations of the route take a share of the shadows all the same.
    """

    reason: str
    address: Address | None = None
    authority: str = ""
    cluster: str = ""
    assumed: bool = False
    named: str = ""
    scope: GatewayScope | None = None
    chain: Chain | None = None
    host: VirtualHost | None = None
    route: Route | None = None
    destination: Destination | None = None
    policy: Verdict | None = None
    certificate: Certificate | None = None
    alike: tuple[Chain, ...] = ()
    balancer: Balancer | None = None
    partial: bool = False

    def seen(self, request: Request) -> Request:
        """A shadow as the target's gateway sees it."""
        return request._replace(scheme=self.chain.scheme) if self.chain else request

    @property
    def domain(self) -> str:
        """The domain that took a shadow; where none did, its Host as domains are compared with it."""
        return self.host.domain if self.host else without_port(self.authority).lower()

    @property
    def outcome(self) -> str:
        """arrives, lost, stays or elsewhere."""
        return reason.OUTCOMES.get(self.reason, LOST)


class Way(NamedTuple):
    """One shadow's way through both clusters; `upstream` is None when the mirror names none that the proxy has.

    A route whose backends write several Hosts sends one of them each time: `host` is the first, `ends` are those of all.

    Where a gateway of the source itself sends the shadow on, such as an egress gateway, `first` is the way up to there, and `scope`,
    `target`, `host`, `request`, `upstream` and `ends` are those from there on.
    """

    call: Call
    scope: AnyScope
    called: VirtualHost
    route: Route
    mirror: Mirror
    target: tuple[str, int]
    host: str
    request: Request
    upstream: Upstream | None
    ends: tuple[End, ...]
    first: Way | None = None

    @property
    def met(self) -> tuple[End, ...]:
        """Its ends, and the one at the gateway that sends it on."""
        return (*self.ends, *self.first.ends) if self.first else self.ends

    def shadow(self, end: End) -> Request:
        """The shadow as what it meets at one of its ends sees it."""
        return end.seen(self.request._replace(host=end.authority or self.host))

    def sent_by(self, call: Call, scope: AnyScope) -> Way:
        """The same way of another caller that sees what this one does."""
        if self.first is None:
            return self._replace(call=call, scope=scope)
        return self._replace(call=call, first=self.first.sent_by(call, scope))

    def asks(self, destination: Destination) -> tuple[str, int]:
        """Host and port to which the calling proxy sends for a destination of the called route."""
        return self.scope.address(destination, self.called.port or self.call.port, self.route.service)

    @property
    def outcome(self) -> str:
        """arrives, lost, stays, elsewhere, or some when the endpoints' fates differ."""
        return self.ends[0].outcome if self._agree() else SOME

    @property
    def reason(self) -> str:
        """Why; `mixed` when the endpoints' fates differ."""
        return self.ends[0].reason if self._agree() else reason.MIXED

    def _agree(self) -> bool:
        first = self.ends[0].reason
        return all(end.reason == first for end in self.ends)
