"""What routes of the Gateway API attach to: listeners, Services, ServiceEntries (pilot/pkg/config/kube/gateway/conversion.go)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from mirrorlint.fleet import Manifest
from mirrorlint.istio.listeners import Listener
from mirrorlint.istio.names import MESH, is_wild, overlaps, subset_of
from mirrorlint.istio.references import GATEWAY, SERVICE, SERVICE_ENTRY, Reference, read_reference
from mirrorlint.istio.routing import Host, Unbound
from mirrorlint.kinds import KUBERNETES_NETWORKING, LISTENER_SETS
from mirrorlint.likeness import TYPO, suggestion
from mirrorlint.source import Node

_KINDS = (GATEWAY, SERVICE, SERVICE_ENTRY)
_CORE = '""'
_OTHER = -1  # how far a route gets at a listener of another name than the one that it names
_GROUPS = ("", "core", "v1", KUBERNETES_NETWORKING, *(kind.group for kind in _KINDS))  # those that have no kinds of others called alike


class Parents(NamedTuple):
    """What there is to attach to: the listeners of each Gateway, Services and ServiceEntries, all by namespace and name.

    `foreign` are the Gateways of other controllers.
    """

    domain: str
    listeners: Mapping[tuple[str, str], Sequence[Listener]]
    foreign: Collection[tuple[str, str]]
    services: Collection[tuple[str, str]]
    entries: Mapping[tuple[str, str], Manifest]


class Attachment(NamedTuple):
    """A route at one parent: the gateway (or `mesh`), the hosts that it gets there, the mesh port that it is for (0 for any).

    Istio merges what has one key and host.
    """

    gateway: str
    key: str
    hosts: tuple[Host, ...]
    port: int
    node: Node


class Denial(NamedTuple):
    """Why a route doesn't attach to a parent; `foreign` when the parent is another controller's."""

    reason: Unbound
    foreign: bool = False


def attach(route: Manifest, parents: Parents) -> Iterator[Attachment | Denial]:
    """What becomes of each of a route's `parentRefs` (extractParentReferenceInfo)."""
    for node in route.node["spec"]["parentRefs"]:
        reference = read_reference(node, route.namespace, GATEWAY)
        if reference.kind == GATEWAY:
            yield from _to_listeners(route, reference, parents)
        elif reference.kind in (SERVICE, SERVICE_ENTRY):
            yield _to_mesh(route, reference, parents)
        else:
            yield _to_nothing(route, reference)


def _to_nothing(route: Manifest, reference: Reference) -> Denial:
    """What is of no kind that Istio takes: a slip, or another project's (toInternalParentReference)."""
    said, node = reference.kind, reference.node
    meant = next((kind for kind in _KINDS if get_close_matches(said.name, [kind.name], cutoff=TYPO)), None)
    if meant is None or not get_close_matches(said.group, _GROUPS, n=1, cutoff=TYPO):
        return Denial(Unbound(node["kind"], f"a parent of kind {said.name} is none of Istio's", route), foreign=True)
    if said.name != meant.name:
        return Denial(Unbound(node["kind"], f"routes have no parents of kind `{said.name}` (did you mean `{meant.name}`?)", route))
    needed, has = (f"`group: {group or _CORE}`" for group in (meant.group, said.group))
    why = f"a parent of kind {said.name} needs {needed}, and has {has if node['group'] else 'no `group`'}"
    return Denial(Unbound(node["group" if node["group"] else "kind"], why, route))


def _to_mesh(route: Manifest, reference: Reference, parents: Parents) -> Attachment | Denial:
    place = (reference.namespace, reference.name)
    named = reference.node["name"]
    known = parents.services if reference.kind == SERVICE else parents.entries
    if place not in known:
        near = suggestion(reference.name, sorted(name for namespace, name in known if namespace == reference.namespace), TYPO)
        return Denial(Unbound(named, f"there is no {reference.kind.name} {'/'.join(place)}{near}", route))
    if reference.kind == SERVICE:
        hosts: tuple[Host, ...] = (Host(f"{reference.name}.{reference.namespace}.svc.{parents.domain}", named),)
    else:
        hosts = tuple(Host(host.text, host) for host in parents.entries[place].node["spec"]["hosts"])
    port = reference.node["port"].number
    return Attachment(MESH, f"{route.namespace}/{port}" if port else route.namespace, hosts, port, named)


def _to_listeners(route: Manifest, reference: Reference, parents: Parents) -> Iterator[Attachment | Denial]:
    place = (reference.namespace, reference.name)
    listeners = parents.listeners.get(place, ())
    if not listeners:
        why = f"there is no Gateway {'/'.join(place)} with listeners"
        yield Denial(Unbound(reference.node["name"], why, route), place in parents.foreign)
        return
    denials = {listener.name: _denial(route, reference, listener) for listener in listeners}
    taken = [listener for listener in listeners if denials[listener.name] is None]
    for listener in taken:
        hosts = tuple(host for host in hostnames(route) if _served(host.name, listener, listeners))
        yield Attachment(listener.gateway.name, listener.gateway.name, hosts, 0, reference.node["name"])
    if not taken:
        got, nearest = max((found for found in denials.values() if found), key=lambda found: found[0])
        yield Denial(nearest if got > _OTHER else _no_listener(route, reference.node["sectionName"], listeners))


def hostnames(route: Manifest) -> list[Host]:
    """A route's hostnames as they are, `*` when it has none."""
    hostnames = route.node["spec"]["hostnames"]
    return [Host(node.text, node) for node in hostnames] or [Host("*", hostnames)]


def is_of_a_set(route: Manifest) -> bool:
    """Whether a route names a parent with listeners outside of Gateways."""
    references = (read_reference(node, route.namespace, GATEWAY) for node in route.node["spec"]["parentRefs"])
    return any(reference.kind in LISTENER_SETS for reference in references)


def _denial(route: Manifest, reference: Reference, listener: Listener) -> tuple[int, Unbound] | None:
    """Why a listener doesn't take a route, and how far it got; None when it does (referenceAllowed)."""
    node, gateway, called = reference.node, listener.gateway.manifest, listener.phrase
    section, port = node["sectionName"].text, node["port"].number
    if section not in ("", listener.name):
        return _OTHER, Unbound(node["sectionName"], f"it is not for {called}", route)
    if port not in (0, listener.server.number):
        return 0, Unbound(node["port"], f"{called} has port {listener.server.number}, not {port}", route)
    hosts = hostnames(route)
    if not any(overlaps(listener.hostname or "*", host.name) for host in hosts):
        return 2, Unbound(hosts[0].node, f"{called} is for `{listener.hostname}`, which covers none of the route's hostnames", route)
    if not listener.server.hosts_for(route.namespace):
        place, lacks = _allowed(listener.server.node["allowedRoutes"]["namespaces"])
        return 1, Unbound(place, f"{called} takes no routes of namespace {route.namespace}{lacks}", gateway)
    return None if route.kind in listener.kinds else (1, _other_kinds(route, listener))


def _no_listener(route: Manifest, section: Node, listeners: Sequence[Listener]) -> Unbound:
    named = ", ".join(f"`{listener.name}`" for listener in listeners)
    return Unbound(section, f"{listeners[0].gateway.manifest} has no listener `{section.text}`, only {named}", route)


def _other_kinds(route: Manifest, listener: Listener) -> Unbound:
    """Why a listener takes no routes of a kind."""
    if listener.fault:
        return _unprogrammed(listener, listener.fault)
    kinds = listener.server.node["allowedRoutes"]["kinds"]
    where = kinds.at(0)["kind"] if len(kinds) else listener.server.protocol_node
    return Unbound(where, f"{listener.phrase} takes no {route.kind}", listener.gateway.manifest)


def _unprogrammed(listener: Listener, fault: tuple[Node, str]) -> Unbound:
    return Unbound(fault[0], f"Istio does not program {listener.phrase}: {fault[1]}", listener.gateway.manifest)


def unserved(route: Manifest, gateway: Manifest, name: str, parents: Parents) -> Unbound | None:
    """What keeps a route's hostname, which covers `name`, from the listeners of a Gateway that the route names."""
    references = [read_reference(node, route.namespace, GATEWAY) for node in route.node["spec"]["parentRefs"]]
    named = [one for one in references if one.kind == GATEWAY and (one.namespace, one.name) == (gateway.namespace, gateway.name)]
    listeners = parents.listeners[gateway.namespace, gateway.name]
    covering = sorted((one for one in listeners if subset_of(name, one.hostname or "*")), key=lambda one: -len(one.hostname))
    if not covering:
        return Unbound(listeners[0].server.host_node, f"{gateway} has no listener for it", gateway)
    for listener in covering:
        if listener.fault:
            return _unprogrammed(listener, listener.fault)
        denials = [_denial(route, reference, listener) for reference in named]
        narrower = _narrower(name, listener, listeners)
        if None in denials and narrower:
            why = f"{narrower.phrase} is for `{narrower.hostname}` and keeps it from listener `{listener.name}`"
            return Unbound(narrower.server.host_node, why, gateway)
        for denial in denials:
            if denial and denial[0] > _OTHER:
                return denial[1]
    sections = [node for node in (one.node["sectionName"] for one in named) if node.text]
    known = next((node for node in sections if node.text in {one.name for one in listeners}), None)
    if known:
        return Unbound(known, f"it is for listener `{known.text}` alone, and {covering[0].phrase} has this Host", route)
    return _no_listener(route, sections[0], listeners) if sections else None


def _allowed(namespaces: Node) -> tuple[Node, str]:
    """Where a listener says whose routes it takes, and the labels that a namespace which it does not take lacks."""
    selector = namespaces["selector"]
    labels = list(selector["matchLabels"].entries())
    if namespaces["from"].text != "Selector" or not labels or len(selector["matchExpressions"]):
        return namespaces["from"], ""
    named = ", ".join(f"`{key.text}: {value.text}`" for key, value in labels)
    return labels[0][1], f", which lacks {'one of ' if len(labels) > 1 else ''}{named}"


def _served(host: str, listener: Listener, listeners: Sequence[Listener]) -> bool:
    """Whether a listener has a host, and no narrower one keeps it to itself."""
    own = listener.hostname
    return not is_wild(own or "*") or ((not own or overlaps(host, own)) and _narrower(host, listener, listeners) is None)


def _narrower(host: str, listener: Listener, listeners: Sequence[Listener]) -> Listener | None:
    """The narrower listener of the same port and protocol that keeps a host to itself (hostnameAllowedByIsolation)."""
    own = listener.hostname
    if own and not is_wild(own):
        return None
    alike = (o for o in listeners if (o.server.number, o.server.protocol) == (listener.server.number, listener.server.protocol))
    narrower = (o for o in alike if len(o.hostname) >= len(own) and o.hostname != own and subset_of(host, o.hostname))
    return next(narrower, None)
