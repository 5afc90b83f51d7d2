"""What could not be judged of the objects at hand: blind spots that reports list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from mirrorlint.delivery import reason
from mirrorlint.delivery.follow import Delivery
from mirrorlint.delivery.inbound import looking_at_tokens, receptions
from mirrorlint.delivery.ingress import inner_scopes
from mirrorlint.delivery.judged import Judged
from mirrorlint.delivery.policy import may_be_met
from mirrorlint.delivery.way import End, reached
from mirrorlint.delivery.waypoints import between, missing
from mirrorlint.delivery.worlds import number_of
from mirrorlint.fleet import ANYTHING, GATEWAYS, NOTHING, BlindSpot, Cluster, Documents, Manifest
from mirrorlint.istio.listeners import CONTROLLER, NOT_PROGRAMMED, is_istios
from mirrorlint.istio.names import MESH
from mirrorlint.istio.parents import is_of_a_set
from mirrorlint.kinds import BACKEND_TLS_POLICY, GATEWAY_API, KUBERNETES_NETWORKING, LISTENER_SETS, SECURITY
from mirrorlint.likeness import TYPO, suggestion
from mirrorlint.rule import few
from mirrorlint.source import Node, Place

_PATCHED = frozenset(
    {"HTTP_ROUTE", "VIRTUAL_HOST", "ROUTE_CONFIGURATION", "CLUSTER", "LISTENER", "FILTER_CHAIN", "HTTP_FILTER", "NETWORK_FILTER"}
)


def objects(documents: Documents) -> Iterator[BlindSpot]:
    """Blind spots for each cluster at hand: objects of the Gateway API that may change or take shadows."""
    for name, cluster in documents.own().items():
        for found, why, holds in _at_gateways(cluster):
            yield from _of(found, why, name, holds)


def _of(found: Sequence[Manifest], why: str, cluster: str = "", holds: str = ANYTHING) -> Iterator[BlindSpot]:
    """A blind spot for some objects of a kind, where there are any."""
    if found:
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        yield BlindSpot.at(found[0].node.place, f"{found[0]}{more}: {why}", cluster, holds)


def _at_gateways(cluster: Cluster) -> Iterator[tuple[list[Manifest], str, str]]:
    """What of the Gateway API and of Ingresses is not judged, why, and what it may hold."""
    classes = cluster.of("GatewayClass", GATEWAY_API)
    gateways = [m for m in cluster.of("Gateway", GATEWAY_API) if m.node["spec"]["gatewayClassName"].text not in NOT_PROGRAMMED]
    foreign = [manifest for manifest in gateways if not is_istios(manifest, classes)]
    istio = cluster.settings.istio
    routes = cluster.of("HTTPRoute", GATEWAY_API) + cluster.of("GRPCRoute", GATEWAY_API)
    asked = dict.fromkeys(manifest.node["spec"]["gatewayClassName"].text for manifest in foreign)
    own = ["istio", *(each.name for each in classes if each.node["spec"]["controllerName"].text == CONTROLLER)]
    named = ", ".join(f"`{name}`{suggestion(name, own, TYPO)}" for name in asked)
    yield _served_by_istio(cluster), "what Istio's ingress gateway takes for it is not judged", GATEWAYS
    yield foreign, f"nothing tells that Istio programs Gateways of class {named}", GATEWAYS
    of_sets = [m for group, kind in LISTENER_SETS for m in cluster.of(kind, group)] + list(filter(is_of_a_set, routes))
    yield of_sets, "listeners outside of Gateways are not judged", GATEWAYS
    if istio and number_of(istio) < (1, 28):
        started = f"Istio {istio} starts the TLS only if PILOT_ENABLE_ALPHA_GATEWAY_API is set, which it is taken to be"
        yield cluster.of(BACKEND_TLS_POLICY, GATEWAY_API), started, NOTHING


def _served_by_istio(cluster: Cluster) -> list[Manifest]:
    """The Ingresses that Istio's ingress gateway serves (kube/ingress: shouldProcessIngressWithClass, with the default meshConfig)."""
    every = cluster.of("IngressClass", KUBERNETES_NETWORKING)
    classes = {"istio", *(each.name for each in every if each.node["spec"]["controller"].text == "istio.io/ingress-controller")}
    found = []
    for manifest in cluster.of("Ingress", KUBERNETES_NETWORKING):
        annotated = manifest.node["metadata"]["annotations"]["kubernetes.io/ingress.class"]
        if annotated.text == "istio" if annotated else manifest.node["spec"]["ingressClassName"].text in classes:
            found.append(manifest)
    return found


def on_the_way(documents: Documents, delivery: Delivery, judged: Sequence[Judged]) -> Iterator[BlindSpot]:
    """Blind spots for what may change or refuse a shadow on its way."""
    yield from of_ingress(documents, delivery)
    yield from _policies(delivery, judged)
    yield from _tokens(delivery, judged)
    yield from _ingresses(judged)
    yield from _passed_on(judged)
    yield from _sent_on(delivery, judged)
    yield from _unplaced(judged)
    yield from _ambient(delivery, judged)
    yield from _behind_waypoints(delivery, judged)


def of_ingress(documents: Documents, delivery: Delivery) -> Iterator[BlindSpot]:
    """Blind spots for what of clusters' gateways is not judged at all."""
    yield from _filters(documents, delivery)
    yield from _authentications(documents, delivery)
    yield from _undecided(delivery)
    yield from _presumed(documents, delivery)


def _undecided(delivery: Delivery) -> Iterator[BlindSpot]:
    """Blind spots for objects that are taken to be admitted, and are not by newer versions of Istio."""
    for name, mesh in delivery.meshes.items():
        for manifest, refusal in mesh.admission.undecided:
            message = f"Istio refuses {manifest} from {refusal.since} on: {refusal.message}; `istio:` says which version {name} runs"
            yield BlindSpot.at(refusal.node.place, message, name, NOTHING)


def _presumed(documents: Documents, delivery: Delivery) -> Iterator[BlindSpot]:
    """Blind spots for listeners that are taken to let routes of a namespace in although no manifest shows its labels."""
    for name in documents.own():
        mesh = delivery.meshes[name]
        for listener in (one for found in mesh.gateway_api.listeners.values() for one in found if one.presumed):
            bound = {service.namespace for service in mesh.virtual_services if listener.gateway.name in service.gateways}
            for namespace in sorted(bound & listener.presumed):
                place = listener.server.node["allowedRoutes"]["namespaces"]["selector"].place
                message = f"{listener.server.title}: whether it takes routes of `{namespace}` depends on labels that no manifest shows"
                yield BlindSpot.at(place, message, name, NOTHING)


def _filters(documents: Documents, delivery: Delivery) -> Iterator[BlindSpot]:
    """A blind spot for each cluster with EnvoyFilters that may change the way of shadows: for its ingress, and for callers of mirrors."""
    for name, cluster in documents.own().items():
        mirrors = any(rule.mirrors for service in delivery.meshes[name].virtual_services for rule in service.rules)
        patches = ((m, patch) for m in cluster.of("EnvoyFilter") for patch in m.node["spec"]["configPatches"])
        every = dict.fromkeys(m for m, patch in patches if patch["applyTo"].text in _PATCHED and not _is_inbound(patch))
        found = [manifest for manifest in every if mirrors or may_be_met(manifest, delivery.ingress(name))]
        yield from _of(found, "what is changed of routes, listeners and clusters is not judged")


def _is_inbound(patch: Node) -> bool:
    """Whether a patch is for what comes to sidecars, which is past the way that is followed."""
    return patch["match"]["context"].text == "SIDECAR_INBOUND"


def _authentications(documents: Documents, delivery: Delivery) -> Iterator[BlindSpot]:
    """A blind spot for each cluster whose ingress gateway looks at tokens: a copied one may not be valid there."""
    for name, cluster in documents.own().items():
        every = cluster.of("RequestAuthentication", SECURITY) if delivery.meshes[name].gateways else []
        found = [manifest for manifest in every if may_be_met(manifest, delivery.ingress(name))]
        yield from _of(found, "whether the gateway takes the shadows' tokens is not judged")


def _tokens(delivery: Delivery, judged: Sequence[Judged]) -> Iterator[BlindSpot]:
    """A blind spot for each RequestAuthentication of pods that shadows are sent on to, but for those of the gateway itself."""
    for cluster, policy in dict.fromkeys(looking_at_tokens(delivery, judged)):
        if not may_be_met(policy, delivery.ingress(cluster)):
            yield BlindSpot.at(policy.node.place, f"{policy}: whether the pods take the shadows' tokens is not judged", cluster)


def _met(judged: Iterable[Judged]) -> Iterator[End]:
    """All that decides what becomes of shadows."""
    return (end for each in judged for way in each.every_way() for end in way.met)


def _policies(delivery: Delivery, judged: Sequence[Judged]) -> Iterator[BlindSpot]:
    """A blind spot for each policy of which manifests can't tell whether it lets shadows through that would arrive."""
    unsure = {end.policy.policy: end.cluster for end in _met(judged) if end.policy and end.policy.policy and end.reason == reason.ARRIVES}
    for policy, cluster in unsure.items():
        message = f"{policy}: whether it lets shadows through depends on what manifests don't tell, such as tokens and addresses"
        yield BlindSpot.at(policy.node.place, message, cluster)
    received = [(found, end.cluster) for _, end, found in receptions(delivery, judged) if found.verdict.allowed is None]
    for undecided, (found, cluster) in {reached(found.verdict.policy): (found, cluster) for found, cluster in received}.items():
        left = "what manifests don't tell, such as paths, tokens, the number of a named port or the gateway's service account"
        depends = left if found.certain else "whether the pods there have sidecars, which no manifest tells"
        message = f"{undecided}: whether it lets shadows in at {found.service.manifest} depends on {depends}"
        yield BlindSpot.at(undecided.node.place, message, cluster)


def _ingresses(judged: Iterable[Judged]) -> Iterator[BlindSpot]:
    """A blind spot for each Kubernetes Ingress that shadows come through."""
    for balancer, cluster in {end.balancer: end.cluster for end in _met(judged) if end.balancer and end.balancer.service}.items():
        message = f"{balancer.manifest}: which hosts and paths its controller lets through to the gateway is not judged"
        yield BlindSpot.at(balancer.node.place, message, cluster, NOTHING)


def _passed_on(judged: Iterable[Judged]) -> Iterator[BlindSpot]:
    """A blind spot for each server that passes shadows on as they come, so that no rule for requests decides what takes them."""
    found = {
        end.chain.servers[0].node: (end.chain.servers[0], end.cluster)
        for end in _met(judged)
        if end.reason == reason.PASSED_ON and end.chain
    }
    for server, cluster in found.values():
        message = f"{server.phrase} passes connections on as they come: whether what takes them serves the shadows is not judged"
        yield BlindSpot.at(server.number_node.place, message, cluster, NOTHING)


def _sent_on(delivery: Delivery, judged: Iterable[Judged]) -> Iterator[BlindSpot]:
    """A blind spot for each gateway of their own cluster that mirrors lead to, which may send shadows on to another one."""
    ways = (way for each in judged for way in each.every_way() if way.reason == reason.STAYS and not way.first)
    reached = {way.upstream.service.manifest: (way, way.upstream.service) for way in ways if way.upstream}
    for way, service in reached.values():
        cluster = way.call.cluster
        if inner_scopes(delivery.meshes[cluster], service):
            message = f"{service.manifest} is a gateway of {cluster} itself: where that sends shadows on to is not judged"
            yield BlindSpot.at(way.mirror.destination.host_node.place, message, cluster, NOTHING)


def _unplaced(judged: Iterable[Judged]) -> Iterator[BlindSpot]:
    """A blind spot for each object that not all namespaces see, where the one of the gateway that mirrors to it is not known."""
    ways = (way for each in judged for ways in each.ways.values() for way in ways if way.call.gateway and not way.call.namespace)
    private = {way.upstream.service.manifest: (way.upstream.service, way.call.cluster) for way in ways if way.upstream}
    for service, cluster in (found for found in private.values() if found[0].export_to and "*" not in found[0].export_to):
        message = f"{service.manifest} is not for all namespaces, and nothing tells in which one {cluster}'s ingress gateway runs"
        yield BlindSpot.at(service.export_node.place, message, cluster, NOTHING)


def _ambient(delivery: Delivery, judged: Iterable[Judged]) -> Iterator[BlindSpot]:
    """A blind spot for what leaves Services of ambient namespaces without the waypoint that mirrors what ambient pods send to them."""
    found: dict[tuple[Place, str, str], dict[Manifest, None]] = {}
    for each in (each for one in judged for each in one.for_each() if MESH in each.service.gateways):
        mesh = delivery.meshes[each.cluster]
        for service in (service for host in each.service.hosts for service in mesh.services_by_name.get(host.name.lower(), ())):
            lack = missing(mesh, service)
            if lack:
                found.setdefault((lack[0].place, lack[1], each.cluster), {})[service.manifest] = None
    for (place, why, cluster), (first, *others) in found.items():
        more = f" and {len(others)} more" if others else ""
        message = f"{first}{more}: {why}, so whether what ambient pods send there is mirrored is not judged"
        yield BlindSpot.at(place, message, cluster, NOTHING)


def _behind_waypoints(delivery: Delivery, judged: Iterable[Judged]) -> Iterator[BlindSpot]:
    """A blind spot for each Service that gateways send shadows to through a waypoint."""
    found = {service.manifest: (label, cluster) for cluster, service, label in between(delivery, judged)}
    for service, (label, cluster) in found.items():
        message = f"{service}: what its waypoint, which the gateway sends shadows through, makes of them is not judged"
        yield BlindSpot.at(label.place, message, cluster, NOTHING)


def _whose(lost_sight: Iterable[Judged]) -> str:
    """Which addresses lead to a cluster that is not known."""
    ends = (end for judged in lost_sight for way in judged.every_way() for end in way.ends if end.reason == reason.UNKNOWN)
    addresses = dict.fromkeys(f"`{end.address.host}`" for end in ends if end.address)
    leads = "leads" if len(addresses) == 1 else "lead"
    return f"which cluster {few(addresses)} {leads} to is not known; `ingress:` settles it, or `external:` for what is no cluster's here"


def unknown_ways(judged: Iterable[Judged], documents: Documents) -> Iterator[BlindSpot]:
    """A blind spot for each cluster whose mirrors lead to no cluster at hand, unless it was said which one is missing."""
    if len(documents.clusters) == 1 and any(spot.cluster and spot.cluster not in documents.clusters for spot in documents.blind_spots):
        return
    for name in documents.clusters:
        lost_sight = [j for j in judged if j.cluster == name and any(e.reason == reason.UNKNOWN for way in j.every_way() for e in way.ends)]
        if lost_sight:
            what = "1 mirror is" if len(lost_sight) == 1 else f"{len(lost_sight)} mirrors are"
            why = "no other cluster is at hand" if len(documents.clusters) == 1 else _whose(lost_sight)
            place = lost_sight[0].mirror.destination.host_node.place
            yield BlindSpot.at(place, f"{what} followed to the endpoint only: {why}", name)
