"""The waypoints before Services: what mirrors what ambient pods send, and what gateways may send shadows through.

Source: pilot/pkg/serviceregistry/ambient (waypoints.go: fetchWaypointForService, services.go: ingressUseWaypointFromLabels).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mirrorlint.delivery.ending import gateway_destination
from mirrorlint.delivery.follow import Delivery
from mirrorlint.delivery.judged import Judged, arrivals
from mirrorlint.delivery.mesh import Mesh
from mirrorlint.delivery.way import reached
from mirrorlint.fleet import Manifest
from mirrorlint.istio.services import Service
from mirrorlint.istio.workloads import AMBIENT
from mirrorlint.kinds import GATEWAY_API
from mirrorlint.source import Node

_USED, _ITS_NAMESPACE, _FOR = "istio.io/use-waypoint", "istio.io/use-waypoint-namespace", "istio.io/waypoint-for"
_FROM_GATEWAYS, _TRUE = "istio.io/ingress-use-waypoint", ("1", "t", "T", "true", "TRUE", "True")  # strconv.ParseBool
_OF_SERVICES = ("", "service", "all")


def between(delivery: Delivery, judged: Iterable[Judged]) -> Iterator[tuple[str, Service, Node]]:
    """The Services of ambient namespaces that gateways send shadows to through their waypoints, with their clusters and what says so."""
    ambient = {name for name, mesh in delivery.meshes.items() if any(map(_is_ambient, mesh.cluster.of("Namespace", "")))}
    asked: set[tuple[int, int]] = set()
    for end in (end for _, _, end in arrivals(judged) if end.cluster in ambient) if ambient else ():
        key = (id(end.scope), id(end.route))
        for destination in (backend.destination for backend in reached(end.route).rule.used) if key not in asked else ():
            service = reached(reached(end.scope).upstream(*gateway_destination(end, destination), destination.subset)).service
            label = _through_waypoint(delivery.meshes[end.cluster], service)
            if label:
                yield end.cluster, service, label
        asked.add(key)


def _through_waypoint(mesh: Mesh, service: Service) -> Node | None:
    """What has gateways send to a Service of an ambient namespace through its waypoint."""
    around = _around(mesh, service)
    if around is None or missing(mesh, service):
        return None
    labels = (service.manifest.node["metadata"]["labels"], around)
    label = next((each[_FROM_GATEWAYS] for each in labels if _FROM_GATEWAYS in each), None)
    return label if label is not None and label.text in _TRUE else None


def missing(mesh: Mesh, service: Service) -> tuple[Node, str] | None:
    """Where and why a Service of an ambient namespace has no waypoint; None where it has one, or where its namespace is not ambient.

    What the Service's own label says counts before that of its namespace.
    """
    around, own = _around(mesh, service), service.manifest.node["metadata"]["labels"]
    if around is None:
        return None
    labels = own if own[_USED].text else around
    used, place = labels[_USED], labels[_ITS_NAMESPACE].text or service.namespace
    if used.text in ("", "none"):
        return used or around[AMBIENT], f"no `{_USED}` names its waypoint"
    gateway = next((m for m in mesh.cluster.of("Gateway", GATEWAY_API) if (m.namespace, m.name) == (place, used.text)), None)
    if gateway is None:
        return used, f"its waypoint, Gateway {place}/{used.text}, is not here"
    traffic = gateway.node["metadata"]["labels"][_FOR]
    return None if traffic.text in _OF_SERVICES else (traffic, f"its waypoint, {gateway}, is for `{traffic.text}`")


def _around(mesh: Mesh, service: Service) -> Node | None:
    """The labels of the ambient namespace that a Service is in; None where it is in no such."""
    every = mesh.cluster.of("Namespace", "") if service.kubernetes else ()
    return next((each.node["metadata"]["labels"] for each in every if each.name == service.namespace and _is_ambient(each)), None)


def _is_ambient(namespace: Manifest) -> bool:
    return namespace.node["metadata"]["labels"][AMBIENT].text == "ambient"
