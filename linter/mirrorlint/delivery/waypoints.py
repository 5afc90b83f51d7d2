"""The waypoints that mirror what ambient pods send (pilot/pkg/serviceregistry/ambient/waypoints.go: fetchWaypointForService)."""

from __future__ import annotations

from mirrorlint.delivery.mesh import Mesh
from mirrorlint.istio.services import Service
from mirrorlint.istio.workloads import AMBIENT
from mirrorlint.kinds import GATEWAY_API
from mirrorlint.source import Node

_USED, _ITS_NAMESPACE, _FOR = "istio.io/use-waypoint", "istio.io/use-waypoint-namespace", "istio.io/waypoint-for"
_OF_SERVICES = ("", "service", "all")


def missing(mesh: Mesh, service: Service) -> tuple[Node, str] | None:
    """Where and why a Service of an ambient namespace has no waypoint; None where it has one, or where its namespace is not ambient.

    What the Service's own label says counts before that of its namespace.
    """
    namespaces = (m.node["metadata"]["labels"] for m in mesh.cluster.of("Namespace", "") if m.name == service.namespace)
    around = next((labels for labels in namespaces if labels[AMBIENT].text == "ambient"), None)
    if around is None or not service.kubernetes:
        return None
    labels = next((each for each in (service.manifest.node["metadata"]["labels"], around) if each[_USED].text), around)
    used, place = labels[_USED], labels[_ITS_NAMESPACE].text or service.namespace
    if used.text in ("", "none"):
        return used or around[AMBIENT], f"no `{_USED}` names its waypoint"
    gateway = next((m for m in mesh.cluster.of("Gateway", GATEWAY_API) if (m.namespace, m.name) == (place, used.text)), None)
    if gateway is None:
        return used, f"its waypoint, Gateway {place}/{used.text}, is not here"
    traffic = gateway.node["metadata"]["labels"][_FOR]
    return None if traffic.text in _OF_SERVICES else (traffic, f"its waypoint, {gateway}, is for `{traffic.text}`")
