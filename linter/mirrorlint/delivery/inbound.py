"""What the sidecars of a destination's pods make of a shadow that the target's gateway sends there: mutual TLS, and policies.

Source: pilot/pkg/security/authn/policy_applier.go (PeerAuthentication), pilot/pkg/networking/core/cluster_tls.go (auto mTLS). Only pods
that the manifests show are judged.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import NamedTuple

from mirrorlint.delivery.callers import Judged, arrivals
from mirrorlint.delivery.ending import gateway_destination
from mirrorlint.delivery.follow import Delivery, authorities
from mirrorlint.delivery.gateway import GatewayScope
from mirrorlint.delivery.mesh import Mesh
from mirrorlint.delivery.pods import Pods
from mirrorlint.delivery.policy import Arriving, Client, Verdict, may_be_met, verdict
from mirrorlint.delivery.scope import Scope
from mirrorlint.delivery.upstream import MUTUAL, PLAINTEXT, TLS, Upstream
from mirrorlint.delivery.way import End, Way, reached
from mirrorlint.fleet import Manifest
from mirrorlint.istio.routing import Backend
from mirrorlint.istio.services import Service
from mirrorlint.istio.workloads import has_sidecar
from mirrorlint.kinds import SECURITY
from mirrorlint.source import Node

_LOCAL = "cluster.local"  # in policies this stands for the mesh's own trust domain, whatever it is called (trustdomain/bundle.go)
STRICT, PERMISSIVE, DISABLE = "STRICT", "PERMISSIVE", "DISABLE"


class Mode(NamedTuple):
    """A mode of TLS: where it is written, and in what."""

    node: Node
    owner: Manifest


class Mismatch(NamedTuple):
    """A connection that a gateway opens to a service, and a workload's pods do not take.

    `sent` is a constant of the module `upstream`, `asked` what a DestinationRule says of it, if one does, and `taken` what the pods take,
    None where they have no sidecar.
    """

    service: Service
    workload: Manifest
    sent: str
    asked: Mode | None
    taken: Mode | None

    @property
    def decided(self) -> Mode:
        """What decides it: the DestinationRule, else the PeerAuthentication."""
        return self.asked or reached(self.taken)


class Reception(NamedTuple):
    """What policies of the pods behind a service say of a shadow as it comes to them."""

    service: Service
    shadow: Arriving
    verdict: Verdict


class _Receiver(NamedTuple):
    """Pods behind a service: their labels, the container port that is reached (0: not known), and whether they have a sidecar."""

    workload: Manifest
    labels: Mapping[str, str]
    port: int
    sidecar: bool


class Inbound:
    """What the sidecars of a cluster's pods let in from its gateways."""

    def __init__(self, mesh: Mesh) -> None:
        """What is asked of one mesh."""
        self._mesh, self._pods = mesh, Pods(mesh.cluster)
        self._authentications = mesh.admitted("PeerAuthentication", SECURITY)
        self._namespaces = {m.name: m.node["metadata"]["labels"].named_texts for m in mesh.cluster.of("Namespace", "")}

    def reception(self, end: End, host: str, backend: Backend) -> Reception | None:
        """How a shadow with a Host is received behind a backend of the route: policies deny it if those of all pods do.

        Path, method and headers are left open, so that what only some requests meet is not told. None where no policies are asked.
        """
        upstream = self._upstream(end, backend)
        sent, receivers = self._sent(upstream), self._receivers(upstream, backend)
        if sent == TLS or not all(receiver.sidecar for receiver in receivers) or self.mismatch(end, backend):
            return None
        written = authorities(reached(end.route))
        host = (written[0][0] if len(written) == 1 else backend.headers.authority) or host
        client = self._client(reached(end.scope)) if sent == MUTUAL else None
        shadows = ((Scope(self._mesh, upstream.service.namespace, each.labels), Arriving(host, each.port, client)) for each in receivers)
        found = [Reception(upstream.service, shadow, verdict(scope, shadow)) for scope, shadow in shadows]
        return next((one for allowed in (True, None) for one in found if one.verdict.allowed is allowed), found[0] if found else None)

    def looking_at_tokens(self, end: End, backend: Backend) -> list[Manifest]:
        """The RequestAuthentications for pods behind a backend (authentication.go:GetJwtPoliciesForWorkload)."""
        upstream = self._upstream(end, backend)
        scopes = [Scope(self._mesh, upstream.service.namespace, each.labels) for each in self._receivers(upstream, backend) if each.sidecar]
        return [policy for policy in self._mesh.cluster.of("RequestAuthentication", SECURITY) if may_be_met(policy, scopes)]

    def mismatch(self, end: End, backend: Backend) -> Mismatch | None:
        """Why no pods behind a backend take the connection."""
        upstream = self._upstream(end, backend)
        found = [self._mismatch(upstream, receiver) for receiver in self._receivers(upstream, backend)]
        return found[0] if all(found) and found else None

    def _mismatch(self, upstream: Upstream, receiver: _Receiver) -> Mismatch | None:
        sent, node = self._sent(upstream), upstream.client_tls["mode"]
        taken = self._taken(upstream.service.namespace, receiver) if receiver.sidecar else None
        mode = (taken.node.text if taken else "") if receiver.sidecar else DISABLE
        refused = (mode == STRICT and sent != MUTUAL) or (mode == DISABLE and node.text == "ISTIO_MUTUAL")
        if not refused or node.text == "MUTUAL":  # with certificates that may be Istio's
            return None
        asked = Mode(node, upstream.rule.manifest) if upstream.rule and node else None
        return Mismatch(upstream.service, receiver.workload, sent, asked, taken)

    def _upstream(self, end: End, backend: Backend) -> Upstream:
        return reached(reached(end.scope).upstream(*gateway_destination(end, backend.destination), backend.destination.subset))

    def _sent(self, upstream: Upstream) -> str:
        """What the gateway opens a connection with; Istio's mutual TLS by itself unless something turns that off (auto mTLS)."""
        if upstream.client_tls:
            return upstream.tls
        automatic = self._mesh.config.get("enableAutoMtls") is not False
        said = self._said(upstream.service.namespace, {}) if automatic else None
        return MUTUAL if automatic and (said is None or said.node.text != DISABLE) else PLAINTEXT

    def _receivers(self, upstream: Upstream, backend: Backend) -> list[_Receiver]:
        """The pods behind a backend; none where it can't be told how connections come to some of them."""
        service, port = upstream.service, upstream.port
        number = 0 if port.target_name else port.target or port.number
        namespace = self._namespaces.get(service.namespace, {})
        found = []
        for workload, labels in self._pods.behind(service, backend.destination.subset, upstream.rule).items():
            sidecar = has_sidecar(workload, labels, namespace, injected=service.namespace not in self._mesh.sidecarless)
            if sidecar is None:
                return []
            found.append(_Receiver(workload, labels, number, sidecar))
        return found

    def _taken(self, namespace: str, receiver: _Receiver) -> Mode | None:
        """What the pods' port takes; None for both, plain text and mutual TLS."""
        own = self._selecting(namespace, receiver.labels)
        by_port = own.node["spec"]["portLevelMtls"] if own else None
        if own and by_port:
            mode = by_port[str(receiver.port)]["mode"]
            if mode.text in (STRICT, DISABLE, PERMISSIVE) or not receiver.port:
                return Mode(mode, own)
        return self._said(namespace, receiver.labels)

    def _said(self, namespace: str, labels: Mapping[str, str]) -> Mode | None:
        """The mode of the pods' own policy, else of their namespace's, else of the mesh's."""
        root = self._mesh.root_namespace
        own = self._selecting(namespace, labels)
        levels = (own, *(self._for_all(each) for each in dict.fromkeys((namespace, root))))
        modes = (Mode(policy.node["spec"]["mtls"]["mode"], policy) for policy in levels if policy)
        return next((mode for mode in modes if mode.node.text not in ("", "UNSET")), None)

    def _selecting(self, namespace: str, labels: Mapping[str, str]) -> Manifest | None:
        """The oldest policy of a namespace, not of the root one, that selects pods with some labels."""
        near = self._of(namespace) if namespace != self._mesh.root_namespace else []
        return next((policy for policy in near if (wanted := _selector(policy)) and wanted.items() <= labels.items()), None)

    def _for_all(self, namespace: str) -> Manifest | None:
        """The oldest policy for all pods of a namespace, or of the mesh where it is the root one."""
        return next((policy for policy in self._of(namespace) if not _selector(policy)), None)

    def _of(self, namespace: str) -> list[Manifest]:
        return [policy for policy in self._authentications if policy.namespace == namespace]

    def _client(self, scope: GatewayScope) -> Client:
        """Who the gateway is to the pods."""
        pods = [pod for _, pod in self._mesh.selected_pods(scope.namespace, scope.labels)] if scope.labels else []
        accounts = {pod["spec"]["serviceAccountName"].text or "default" for pod in pods}
        account = accounts.pop() if len(accounts) == 1 else ""
        said = (self._mesh.config.get("trustDomain"), *(self._mesh.config.get("trustDomainAliases") or ()))
        return Client(scope.namespace, account, (_LOCAL, *filter(None, said)))


def receptions(delivery: Delivery, judged: Iterable[Judged]) -> Iterator[tuple[Judged, End, Reception]]:
    """How the pods that mirrors' shadows are sent to receive them, in clusters with AuthorizationPolicies; what is alike counts once."""
    inbound = {name: Inbound(mesh) for name, mesh in delivery.meshes.items() if mesh.authorization_policies}
    for each, way, end, backend in _backends(judged, inbound):
        found = inbound[end.cluster].reception(end, way.host, backend)
        if found:
            yield each, end, found


def looking_at_tokens(delivery: Delivery, judged: Iterable[Judged]) -> Iterator[tuple[str, Manifest]]:
    """The RequestAuthentications for pods that mirrors' shadows are sent to, with their clusters."""
    inbound = {name: Inbound(mesh) for name, mesh in delivery.meshes.items() if mesh.cluster.of("RequestAuthentication", SECURITY)}
    for _, _, end, backend in _backends(judged, inbound):
        yield from ((end.cluster, policy) for policy in inbound[end.cluster].looking_at_tokens(end, backend))


def mismatches(delivery: Delivery, judged: Iterable[Judged]) -> Iterator[tuple[Judged, End, Mismatch]]:
    """What pods that mirrors' shadows are sent to do not take of the gateway's connections; what is alike counts once."""
    inbound = {name: Inbound(mesh) for name, mesh in delivery.meshes.items()}
    for each, _, end, backend in _backends(judged, inbound):
        found = inbound[end.cluster].mismatch(end, backend)
        if found:
            yield each, end, found


def _backends(judged: Iterable[Judged], clusters: Container[str]) -> Iterator[tuple[Judged, Way, End, Backend]]:
    """To which backends shadows are sent in some clusters, with each Host once."""
    asked: set[tuple[object, ...]] = set()
    for each, way, end in arrivals(judged):
        for backend in reached(end.route).rule.used if end.cluster in clusters else ():
            key = (end.cluster, id(end.scope), id(end.route), id(backend), way.host)
            if key not in asked:
                asked.add(key)
                yield each, way, end, backend


def _selector(policy: Manifest) -> Mapping[str, str]:
    return policy.node["spec"]["selector"]["matchLabels"].named_texts
