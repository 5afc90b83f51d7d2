"""What the sidecars of a destination's pods make of a shadow that the target's gateway sends there: mutual TLS, and policies.

Source: pilot/pkg/security/authn/policy_applier.go (PeerAuthentication), pilot/pkg/networking/core/cluster_tls.go (auto mTLS). Only pods
that the manifests show are judged.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache, partial
from typing import NamedTuple

from mirrorlint.delivery.ending import gateway_destination
from mirrorlint.delivery.follow import Delivery, authorities
from mirrorlint.delivery.gateway import GatewayScope
from mirrorlint.delivery.judged import Judged, arrivals
from mirrorlint.delivery.mesh import Mesh
from mirrorlint.delivery.policy import Arriving, Client, Verdict, may_be_met, verdict
from mirrorlint.delivery.scope import Scope
from mirrorlint.delivery.upstream import MUTUAL, PLAINTEXT, TLS, Upstream
from mirrorlint.delivery.way import End, Way, reached
from mirrorlint.fleet import Manifest
from mirrorlint.istio.listeners import NAME_LABEL
from mirrorlint.istio.routing import Backend
from mirrorlint.istio.services import Service
from mirrorlint.istio.workloads import asks_for_sidecar, has_sidecar, injected, is_past_sidecar, pod_of
from mirrorlint.kinds import SECURITY
from mirrorlint.source import Node

_LOCAL = "cluster.local"  # in policies this stands for the mesh's own trust domain, whatever it is called (trustdomain/bundle.go)
STRICT, DISABLE = "STRICT", "DISABLE"
_UNSET = "UNSET"


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
    """What policies of the pods behind a service say of a shadow as it comes to them, and whether these have a sidecar for certain.

    `plain` is what has the gateway send plain text, if something says so.
    """

    service: Service
    shadow: Arriving
    verdict: Verdict
    certain: bool
    plain: Mode | None


class _Receiver(NamedTuple):
    """Pods behind a service, as the proxy that they may have, the container port that is reached (0: not known), and if they have one."""

    workload: Manifest
    scope: Scope
    port: int
    sidecar: bool | None


class _Behind(NamedTuple):
    """What a gateway sends to, and the pods there; none where it can't be told how connections come to some of them."""

    upstream: Upstream
    receivers: list[_Receiver]


class Inbound:
    """What the sidecars of a cluster's pods let in from its gateways."""

    def __init__(self, mesh: Mesh) -> None:
        """What is asked of one mesh; what is behind a backend of a route is found once."""
        self._mesh = mesh
        self._authentications: dict[str, list[Manifest]] = {}
        for policy in mesh.admitted("PeerAuthentication", SECURITY):
            self._authentications.setdefault(policy.namespace, []).append(policy)
        self._namespaces = {m.name: m.node["metadata"]["labels"].named_texts for m in mesh.cluster.of("Namespace", "")}
        self._found: dict[tuple[int, int, int], _Behind] = {}
        self._client = cache(self._shown)
        self._of_gateways = {frozenset(gateway.selector.items()) for gateway in mesh.gateways if gateway.selector}

    def reception(self, end: End, host: str, backend: Backend, gateway: GatewayScope) -> Reception | None:
        """How a shadow that a gateway's pods send with a Host is received behind a backend: policies deny it if those of all pods do.

        Path, method and headers are left open, so that what only some requests meet is not told. None where no policies are asked.
        """
        upstream, receivers = self._behind(end, backend)
        if upstream.tls == TLS or any(receiver.sidecar is False for receiver in receivers) or self.mismatch(end, backend):
            return None
        written = authorities(reached(end.route))
        host = (written[0][0] if len(written) == 1 else backend.headers.authority) or host
        found = [self._received(upstream, receiver, host, gateway) for receiver in receivers]
        return next((one for allowed in (True, None) for one in found if one.verdict.allowed is allowed), found[0] if found else None)

    def _received(self, upstream: Upstream, receiver: _Receiver, host: str, gateway: GatewayScope) -> Reception:
        """What the policies of some pods say; without a sidecar they are not in force."""
        sent, why = self._sent(upstream, receiver)
        shadow = Arriving(host, receiver.port, self._client(gateway) if sent == MUTUAL else None)
        found = verdict(receiver.scope, shadow)
        certain = receiver.sidecar is True
        judged = found if certain or found.allowed else found._replace(allowed=None)
        return Reception(upstream.service, shadow, judged, certain, why if sent == PLAINTEXT else None)

    def looking_at_tokens(self, end: End, backend: Backend) -> list[Manifest]:
        """The RequestAuthentications for pods behind a backend (authentication.go:GetJwtPoliciesForWorkload)."""
        scopes = [each.scope for each in self._behind(end, backend).receivers if each.sidecar is not False]
        near = {namespace for scope in scopes for namespace in (scope.namespace, self._mesh.root_namespace)}
        found = (policy for namespace in sorted(near) for policy in self._mesh.cluster.within(namespace, "RequestAuthentication", SECURITY))
        return [policy for policy in found if may_be_met(policy, scopes)]

    def mismatch(self, end: End, backend: Backend) -> Mismatch | None:
        """Why no pods behind a backend take the connection."""
        upstream, receivers = self._behind(end, backend)
        found = [self._mismatch(upstream, receiver) for receiver in receivers]
        return found[0] if all(found) and found else None

    def _mismatch(self, upstream: Upstream, receiver: _Receiver) -> Mismatch | None:
        sent, why = self._sent(upstream, receiver)
        taken = self._taken(receiver) if receiver.sidecar else None
        mode = (taken.node.text if taken else "") if receiver.sidecar else DISABLE
        refused = (mode == STRICT and sent != MUTUAL) or (mode == DISABLE and sent == MUTUAL)
        if not refused or receiver.sidecar is None or upstream.client_tls["mode"].text == "MUTUAL":  # with certificates that may be Istio's
            return None
        return Mismatch(upstream.service, receiver.workload, sent, why if upstream.client_tls else None, taken)

    def _sent(self, upstream: Upstream, receiver: _Receiver) -> tuple[str, Mode | None]:
        """What the gateway opens a connection with, and what says so; by itself Istio's mutual TLS unless that is turned off (auto mTLS).

        That is `DISABLE` for the service's namespace (push_context.go:BestEffortInferServiceMTLSMode) or for the pods' own port
        (xds/endpoints/mtls_checker.go), or that they have no sidecar.
        """
        if upstream.client_tls:
            return upstream.tls, Mode(upstream.client_tls["mode"], reached(upstream.rule).manifest)
        if self._mesh.config.get("enableAutoMtls") is False or receiver.sidecar is False:
            return PLAINTEXT, None
        modes = (self._said(upstream.service.namespace, {}, 0), self._taken(receiver))
        off = next((mode for mode in modes if mode and mode.node.text == DISABLE), None)
        return PLAINTEXT if off else MUTUAL, off

    def _behind(self, end: End, backend: Backend) -> _Behind:
        key = (id(end.scope), id(end.route), id(backend))
        if key not in self._found:
            target, subset = gateway_destination(end, backend.destination), backend.destination.subset
            upstream = reached(reached(end.scope).upstream(*target, subset))
            self._found[key] = _Behind(upstream, self._receivers(upstream, subset))
        return self._found[key]

    def _receivers(self, upstream: Upstream, subset: str) -> list[_Receiver]:
        service, port = upstream.service, upstream.port
        number = 0 if port.target_name else port.target or port.number
        namespace = self._namespaces.get(service.namespace, {})
        found = []
        for workload, labels in self._mesh.workloads.behind(service, subset, upstream.rule).items():
            pod = pod_of(self._mesh.cluster, workload)
            if workload.kind == "WorkloadEntry" or self._is_gateway(labels) or is_past_sidecar(pod, labels, namespace, number):
                return []
            scope, sidecar = Scope(self._mesh, service.namespace, injected(workload, labels)), has_sidecar(pod, labels, namespace)
            found.append(_Receiver(workload, scope, number, self._presumed(scope) if sidecar is None else sidecar))
        return found

    def _is_gateway(self, labels: Mapping[str, str]) -> bool:
        """Whether pods are a gateway's: no PeerAuthentication is for its ports, and others start no mutual TLS to it by themselves."""
        return NAME_LABEL in labels or any(selector <= labels.items() for selector in self._of_gateways)

    def _presumed(self, scope: Scope) -> bool | None:
        """Whether pods of which no label tells it have a sidecar: they are taken to where policies of their namespace are for them.

        None where nothing speaks for it, or where others of the namespace ask for theirs.
        """
        namespace = scope.namespace
        if namespace in self._mesh.sidecarless:
            return False
        near = (*self._mesh.policies_for(namespace), *self._authentications.get(namespace, ()))
        own = any(policy.namespace == namespace != self._mesh.root_namespace and may_be_met(policy, (scope,)) for policy in near)
        return True if own and not any(map(asks_for_sidecar, self._mesh.workloads.labels(namespace))) else None

    def _taken(self, receiver: _Receiver) -> Mode | None:
        """What the pods' port takes; None for both, plain text and mutual TLS, and where that can't be told."""
        return self._said(receiver.scope.namespace, receiver.scope.labels, receiver.port)

    def _said(self, namespace: str, labels: Mapping[str, str], port: int) -> Mode | None:
        """The mode of the policy that selects the pods, else of the one for their namespace, else of the mesh's.

        Of several on one level the oldest counts; where manifests don't tell which that is, and they differ, there is nothing to be told.
        """
        for policies in self._levels(namespace, labels):
            modes = [_mode(policy, port) for policy in policies if policy.created == policies[0].created]
            if len({mode.node.text or _UNSET for mode in modes}) > 1 or any(not port and _by_port(mode.owner) for mode in modes):
                return None
            if modes and modes[0].node.text not in ("", _UNSET):
                return modes[0]
        return None

    def _levels(self, namespace: str, labels: Mapping[str, str]) -> Iterator[list[Manifest]]:
        """The policies on each level, the oldest first; one of the root namespace that selects pods counts nowhere."""
        root = self._mesh.root_namespace
        near = self._authentications.get(namespace, []) if namespace != root else []
        yield [policy for policy in near if (wanted := _selector(policy)) and wanted.items() <= labels.items()]
        for each in dict.fromkeys((namespace, root)):
            yield [policy for policy in self._authentications.get(each, ()) if not _selector(policy)]

    def _shown(self, scope: GatewayScope) -> Client:
        """Who a gateway's pods are to those that they send to."""
        pods = [pod["spec"] for _, pod in self._mesh.selected_pods(scope.namespace, scope.labels)] if scope.labels else []
        accounts = {pod["serviceAccountName"].text or pod["serviceAccount"].text or "default" for pod in pods}
        account = accounts.pop() if len(accounts) == 1 else ""
        said = (self._mesh.config.get("trustDomain"), *(self._mesh.config.get("trustDomainAliases") or ()))
        return Client(scope.namespace, account, (_LOCAL, *filter(None, said)))


def receptions(delivery: Delivery, judged: Iterable[Judged]) -> Iterator[tuple[Judged, End, Reception]]:
    """How the pods that mirrors' shadows are sent to receive them, in clusters with AuthorizationPolicies; what is alike counts once.

    Where it can't be told which gateway a shadow comes to, those count that are let in.
    """
    inbound = {name: Inbound(mesh) for name, mesh in delivery.meshes.items() if mesh.authorization_policies}
    for each, way, end, backend in _backends(judged, inbound):
        received = partial(inbound[end.cluster].reception, end, end.authority, backend)
        found = received(reached(end.scope))
        if found and found.verdict.allowed is False:
            others = (received(scope) for scope in delivery.takers(way, end))
            found = next((other for other in others if other and other.verdict.allowed is not False), found)
        if found:
            yield each, end, found


def looking_at_tokens(delivery: Delivery, judged: Iterable[Judged]) -> Iterator[tuple[str, Manifest]]:
    """The RequestAuthentications for pods that mirrors' shadows are sent to, with their clusters."""
    inbound = {name: Inbound(mesh) for name, mesh in delivery.meshes.items() if mesh.cluster.of("RequestAuthentication", SECURITY)}
    for _, _, end, backend in _backends(judged, inbound):
        yield from ((end.cluster, policy) for policy in inbound[end.cluster].looking_at_tokens(end, backend))


def mismatches(delivery: Delivery, judged: Iterable[Judged]) -> Iterator[tuple[Judged, End, Mismatch]]:
    """What pods that mirrors' shadows are sent to do not take of the gateway's connections; what is alike counts once."""
    inbound = {name: Inbound(mesh) for name, mesh in delivery.meshes.items() if _may_differ(mesh)}
    for each, _, end, backend in _backends(judged, inbound):
        found = inbound[end.cluster].mismatch(end, backend)
        if found:
            yield each, end, found


def _may_differ(mesh: Mesh) -> bool:
    """Whether something has pods take, or gateways start, other TLS than what each finds out of the other by itself."""
    return bool(mesh.admitted("PeerAuthentication", SECURITY)) or any(rule.starts_mutual_tls for rule in mesh.destination_rules)


def _backends(judged: Iterable[Judged], clusters: Collection[str]) -> Iterator[tuple[Judged, Way, End, Backend]]:
    """To which backends shadows are sent in some clusters, with each Host once."""
    asked: set[tuple[object, ...]] = set()
    for each, way, end in arrivals(judged) if clusters else ():
        for backend in reached(end.route).rule.used if end.cluster in clusters else ():
            key = (end.cluster, id(end.scope), id(end.route), id(backend), end.authority)
            if key not in asked:
                asked.add(key)
                yield each, way, end, backend


def _mode(policy: Manifest, port: int) -> Mode:
    """The mode of a policy for a port of the pods that it selects (policy_applier.go:ComposePeerAuthentication)."""
    own = _by_port(policy)[str(port)]["mode"]
    return Mode(policy.node["spec"]["mtls"]["mode"] if own.text in ("", _UNSET) else own, policy)


def _by_port(policy: Manifest) -> Node:
    return policy.node["spec"]["portLevelMtls"]


def _selector(policy: Manifest) -> Mapping[str, str]:
    return policy.node["spec"]["selector"]["matchLabels"].named_texts
