"""Why no request reaches a mirror's rule: what takes them before, or what its VirtualService is not bound to."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator

from mirrorlint.delivery.callers import shown_namespaces
from mirrorlint.delivery.discovery import left_out
from mirrorlint.delivery.follow import Delivery
from mirrorlint.delivery.judged import Judged, takers
from mirrorlint.delivery.match import Route, accepts_string
from mirrorlint.delivery.mesh import Mesh
from mirrorlint.delivery.samples import eludes, meeting
from mirrorlint.delivery.sidecar import SidecarScope
from mirrorlint.delivery.way import AnyScope, Call
from mirrorlint.fleet import Manifest
from mirrorlint.istio.gateway import Gateway
from mirrorlint.istio.matches import Match
from mirrorlint.istio.names import MESH, overlaps
from mirrorlint.istio.services import Service
from mirrorlint.likeness import TYPO, slip, suggestion
from mirrorlint.rule import REFUSED, Obstacle, Remark, cause_of, quoted
from mirrorlint.source import Node

_ANSWERS = {
    "redirect": "its rule answers requests itself (`redirect`)",
    "direct-response": "its rule answers requests itself (`directResponse`)",
    "abort": "its rule answers requests itself (`fault`)",
}
_ANSWERS_OF_GATEWAY_API = {
    "redirect": "its rule answers requests itself (`requestRedirect`)",
    "direct-response": "no backend of its rule has a weight, so requests are answered 500",
}


def obstacle(judged: Judged, delivery: Delivery) -> Obstacle | None:
    """What keeps requests away from a mirror that none reaches, in each object that delegates to it; None where that is not certain."""
    if is_uncertain(judged, delivery):
        return None
    found: dict[Manifest, Obstacle] = {}
    for each in judged.for_each():
        if each.service.manifest not in found:
            found[each.service.manifest] = next(_obstacles(each, delivery))
    (_, first), *others = sorted(found.items(), key=lambda one: bool(one[1].cause))
    more = (Remark(each.node, f"{root} has it, too: {each.why}", judged.cluster) for root, each in others)
    return first._replace(remarks=(*first.remarks, *more), certain=all(each.certain for each in found.values()))


def _obstacles(judged: Judged, delivery: Delivery) -> Iterator[Obstacle]:
    """What may keep requests away, the plainest first; the last one always may."""
    mesh = delivery.meshes[judged.cluster]
    yield from _answering(judged)
    yield from _unbound(judged, mesh)
    yield from _unheard(judged, delivery)
    yield from _unserved(judged, mesh)
    yield from _taken(judged, delivery)
    yield from _hidden(judged, delivery)
    yield from _narrow(judged, mesh)
    yield from _unseen(judged, mesh)


def overlooked(mesh: Mesh) -> Iterator[tuple[Manifest, Node, Obstacle]]:
    """Mirrors that the control plane does not look at, or not at what delegates to them: the object, the mirror's host, and why."""
    for service in mesh.unlimited.virtual_services if mesh.discovery.limited else ():
        for rule in (rule for rule in service.rules if rule.mirrors):
            for manifest in (each for each in dict.fromkeys((rule.owner, service.manifest)) if not mesh.discovery.takes(each)):
                found = Obstacle(manifest.node["metadata"]["namespace"], f"{manifest} {left_out(manifest)}")
                yield from ((mirror.owner, mirror.destination.host_node, found) for mirror in rule.mirrors)


def is_uncertain(judged: Judged, delivery: Delivery) -> bool:
    """Whether what takes its requests is its own object, written elsewhere, or one that may be younger; or some could not be made up."""
    return any(_is_uncertain(each, delivery) for each in judged.for_each())


def _is_uncertain(judged: Judged, delivery: Delivery) -> bool:
    own = judged.service.manifest
    if any(map(eludes, judged.rule.matches)):
        return True
    calls = list(takers(delivery, judged))
    if any(_is_bound(delivery.scope(call)) for call, _ in calls):
        return True
    taken = ((call.gateway, route.service.manifest) for call, route in calls if route)
    others = {(gateway, other) for gateway, other in taken if other is not own}
    return any(other.identity == own.identity or (gateway and other.created == own.created) for gateway, other in others)


def _is_bound(scope: AnyScope) -> bool:
    """Whether callers may call a listener of their proxy by its own address, which no Service has (`bind`, `captureMode: NONE`)."""
    sidecar = scope.sidecar if isinstance(scope, SidecarScope) else None
    egress = sidecar.manifest.node["spec"]["egress"] if sidecar else ()
    return any(each["bind"] and each["captureMode"].text == "NONE" for each in egress)


def _answering(judged: Judged) -> Iterator[Obstacle]:
    answers = _ANSWERS_OF_GATEWAY_API if judged.service.gateway_semantics else _ANSWERS
    if judged.rule.action in answers:
        yield Obstacle(judged.rule.answer, answers[judged.rule.action], certain=True)


def _unbound(judged: Judged, mesh: Mesh) -> Iterator[Obstacle]:
    """What is bound to gateways alone, of which none is there or serves its hosts."""
    service, cluster = judged.service, judged.cluster
    if service.unbound:
        yield Obstacle(service.unbound.node, service.unbound.why, owner=service.unbound.owner)
    if MESH in service.gateways:
        return
    bound = [gateway for gateway in mesh.gateways if gateway.name in service.gateways]
    missing = next((name for name in service.gateways if name not in {gateway.name for gateway in bound}), "")
    for gateway in (gateway.manifest for gateway in mesh.unlimited.gateways if gateway.name == missing):
        remark = Remark(gateway.node["metadata"]["namespace"], "the Gateway's namespace", cluster)
        yield Obstacle(service.bindings[missing], f"{gateway} {left_out(gateway)}", (remark,))
    if missing:
        gateways = ((f"{m.namespace}/{m.name}", reasons) for m, reasons in mesh.admission.refused.items() if m.kind == "Gateway")
        refused = next((reasons for name, reasons in gateways if name == missing), ())
        why = f"Istio refuses Gateway `{missing}`" if refused else f"no Gateway `{missing}` is in {cluster}{_elsewhere(missing, mesh)}"
        yield Obstacle(service.bindings[missing], why, cause=cause_of(REFUSED, refused[0].node.place) if refused else "")
    yield from _not_served(judged, bound)


def _not_served(judged: Judged, bound: Iterable[Gateway]) -> Iterator[Obstacle]:
    service = judged.service
    servers = [server for gateway in bound for server in gateway.servers]
    serving = [server for server in servers if server.shared(service)]
    if servers and not serving:
        served = Remark(servers[0].host_node, f"{servers[0].gateway.manifest} serves {quoted(servers[0].hosts)}", judged.cluster)
        why = f"the Gateway that its {service.manifest.kind} is bound to does not serve {quoted(host.name for host in service.hosts)}"
        yield Obstacle(service.hosts[0].node, why, (served,))
    elif serving and not any(server.plain_http or server.terminates for server in serving):
        remark = Remark(serving[0].protocol_node, "the server's protocol", judged.cluster)
        yield Obstacle(
            service.bindings[serving[0].gateway.name],
            f"the Gateway that its {service.manifest.kind} is bound to reads no HTTP for its hosts",
            (remark,),
        )


def _unheard(judged: Judged, delivery: Delivery) -> Iterator[Obstacle]:
    """Gateways whose servers get no listener, or send all to HTTPS."""
    service = judged.service
    scopes = delivery.ingress(judged.cluster)
    servers = [server for scope in scopes for name in service.gateways for _, _, server in scope.http_servers.get(name, ())]
    if MESH in service.gateways or not all(server.redirects for server in servers):
        return
    bound = f"the Gateway that its {service.manifest.kind} is bound to"
    if servers:
        redirect, gateway = servers[0].node["tls"]["httpsRedirect"], servers[0].gateway.manifest
        yield Obstacle(redirect, f"{bound} redirects all requests to HTTPS", owner=gateway)
    else:
        why = "has no listener at the gateway's pods: its `selector`, `bind` or port is in the way"
        yield Obstacle(service.bindings[service.gateways[0]], f"{bound} {why}")


def _elsewhere(missing: str, mesh: Mesh) -> str:
    """The Gateway that was probably meant: one of that name in another namespace, or one of nearly that name."""
    name = missing.partition("/")[2]
    found = next((gateway.name for gateway in mesh.gateways if gateway.manifest.name == name), "")
    return f" (did you mean `{found}`?)" if found else suggestion(missing, (gateway.name for gateway in mesh.gateways), TYPO)


def _unserved(judged: Judged, mesh: Mesh) -> Iterator[Obstacle]:
    """A host of sidecars' routes that is no service, or one without an HTTP port."""
    service = judged.service
    owners = _owners(judged, mesh)
    if MESH not in service.gateways or any(port.routes_http for owner in owners for port in owner.ports):
        return
    hosts, host = quoted(h.node.text for h in service.hosts), service.hosts[0]
    if owners:
        first = owners[0].ports[:1]
        remarks = tuple(Remark(port.node, f"{owners[0].manifest} says {port.protocol or 'TCP'}", judged.cluster) for port in first)
        yield Obstacle(host.node, f"no port of {hosts} speaks HTTP, so `http` rules see none of it", remarks)
    else:
        why = f"{hosts} is no service of {judged.cluster}, and nothing there speaks HTTP on port 80"
        yield Obstacle(host.node, why, cause=cause_of("host-of-no-service", host.node.place))


def _owners(judged: Judged, mesh: Mesh) -> list[Service]:
    names = [host.name.lower() for host in judged.service.hosts]
    return [service for service in mesh.services if any(overlaps(service.host.lower(), name) for name in names)]


def _taken(judged: Judged, delivery: Delivery) -> Iterator[Obstacle]:
    """Another rule, or another VirtualService, that takes what the mirror's rule asks for."""
    for call, route in takers(delivery, judged):
        if route and route.service.manifest is not judged.service.manifest:
            remark = Remark(route.service.hosts[0].node, f"{route.service.manifest} is for it, too", judged.cluster)
            yield Obstacle(judged.service.hosts[0].node, f"{route.service.manifest} takes what is sent to `{call.host}`", (remark,))
        elif route and route.rule in judged.service.before(judged.rule):
            yield Obstacle((route.match or route.rule).node, f"this earlier rule takes {_what(call, route)} first", certain=True)


def _what(call: Call, route: Route) -> str:
    headers = "".join(f" with `{name}: {value}`" for name, value in call.headers.items())
    return "every request" if route.catch_all else f"`{call.method} {call.path}`{headers}"


def _hidden(judged: Judged, delivery: Delivery) -> Iterator[Obstacle]:
    """A Sidecar, where all proxies that the VirtualService is exported to have one that leaves it out, or captures nothing."""
    own = judged.service.manifest
    scopes = dict.fromkeys(delivery.scope(call) for call, _ in takers(delivery, judged) if not call.gateway)
    told = [scope for scope in scopes if any(each.manifest is own for each in scope.mesh.bound_to(MESH, scope.namespace))]
    sidecars = [(scope, scope.sidecar) for scope in told if isinstance(scope, SidecarScope) and scope.sidecar]
    if not sidecars or len(sidecars) < len(told):
        return
    sidecar = sidecars[0][1].manifest
    first = sidecar.node["spec"]["egress"].at(0)
    if not any(scope.imports(own) for scope, _ in sidecars):
        why = f"{sidecar} lets callers' proxies see {quoted(first['hosts'].texts)}, which leaves {own} out"
        yield Obstacle(first["hosts"].at(0), why, owner=sidecar)
    if not any(egress.captures for _, each in sidecars for egress in each.egress):
        said = "captureMode" if first["captureMode"].text == "NONE" else "bind"
        yield Obstacle(first[said], f"{sidecar} has callers' proxies capture no call (`{said}: {first[said].text}`)", owner=sidecar)


def _narrow(judged: Judged, mesh: Mesh) -> Iterator[Obstacle]:
    """Conditions that no caller can meet: a port that is not there, a gateway that it is not bound to, else all of the first block."""
    ports = {port.number for owner in _owners(judged, mesh) for port in owner.ports}
    asked = {match.port for match in judged.rule.matches}
    if judged.service.gateway_semantics and 0 not in asked and not asked & ports:
        why = f"`{judged.service.hosts[0].node.text}` has no port {_listed(asked)}, only {_listed(ports)}"
        yield Obstacle(_asked_port(judged, asked), why)
    served = {server.number for gateway in mesh.gateways if gateway.name in judged.service.gateways for server in gateway.servers}
    yield from _mute(judged, mesh, served)
    for match in judged.rule.matches:
        yield from _misplaced(match, judged, ports | served)
    for match in judged.rule.matches:
        yield from _unmet(match, mesh)


def _asked_port(judged: Judged, asked: Container[int]) -> Node:
    """The port that a parent of a route is named with, else the parent."""
    parent, parents = judged.service.hosts[0].node, judged.rule.owner.node["spec"]["parentRefs"]
    ports = [each["port"] for each in parents if each["port"].number in asked and each["name"].place == parent.place]
    return ports[0] if ports else parent


def _listed(ports: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(ports))) or "none"


def _misplaced(match: Match, judged: Judged, ports: Collection[int]) -> Iterator[Obstacle]:
    """A port that is none of some, or gateways of others."""
    if match.port and match.port not in ports:
        yield Obstacle(match.node["port"], f"its rule is for port {match.port}, and {judged.cluster} has {_listed(ports)} there")
    strange = [name for name in match.gateways if name not in judged.service.gateways]
    if strange and len(strange) == len(match.gateways):
        yield Obstacle(match.node["gateways"].at(0), f"its rule is for `{strange[0]}`, which its VirtualService is not bound to")


def _unmet(match: Match, mesh: Mesh) -> Iterator[Obstacle]:
    """Callers that there are not, a path that none is like, else the whole block."""
    if match.source_namespace or match.source_labels:
        node = match.node["sourceNamespace" if match.source_namespace else "sourceLabels"]
        if match.source_namespace in mesh.sidecarless:
            why = f"its rule is for callers in `{match.source_namespace}`, and the pods of `{match.source_namespace}` get no sidecar"
            yield Obstacle(node, why)
        why = "its rule asks for callers that there are not, or that don't come through its gateways"
        yield Obstacle(node, why + _meant([match.source_namespace], mesh))
    if match.uri.kind and not accepts_string(match.uri, meeting(match).path, fold=match.ignore_case):
        yield Obstacle(match.uri.node, "no path is like that, since each begins with a slash", certain=True)
    yield Obstacle(match.node, "no request of any caller meets these conditions")


def _meant(namespaces: Iterable[str], mesh: Mesh) -> str:
    """The namespace that was probably meant by one that nothing is in, as a question."""
    shown = shown_namespaces(mesh)
    meant = next((slip(name, shown) for name in namespaces if name not in shown), "")
    return f" (did you mean `{meant}`?)" if meant else ""


def _mute(judged: Judged, mesh: Mesh, served: Container[int]) -> Iterator[Obstacle]:
    """A rule for a port that does not speak HTTP, among others that do."""
    for match in judged.rule.matches:
        said = [port for owner in _owners(judged, mesh) for port in owner.ports if port.number == match.port]
        if said and match.port not in served and not any(port.routes_http for port in said):
            remark = Remark(said[0].node, f"this port is for {said[0].protocol}", judged.cluster)
            node = match.node["port"] or judged.service.hosts[0].node
            yield Obstacle(node, f"port {match.port} does not speak HTTP, so `http` rules see none of it", (remark,))


def _unseen(judged: Judged, mesh: Mesh) -> Iterator[Obstacle]:
    """What no caller's proxy has, for want of an export or since a Sidecar leaves it out."""
    service, exports = judged.service, judged.service.manifest.node["spec"]["exportTo"]
    if exports:
        where = "its own namespace" if exports.texts == (".",) else quoted(exports.texts)
        meant = _meant(exports.texts, mesh)
        yield Obstacle(exports.at(0), f"its VirtualService is exported to {where}, where no caller's proxy is{meant}")
    hosts = quoted(host.node.text for host in service.hosts)
    if MESH not in service.gateways:
        binding = service.bindings[service.gateways[0]]
        yield Obstacle(binding, f"nothing of what comes to its Gateway's listeners is for {hosts}")
    yield Obstacle(
        service.hosts[0].node,
        f"no caller's proxy sees {hosts} and this {service.manifest.kind}: an `exportTo` or a Sidecar keeps one of them away",
    )
