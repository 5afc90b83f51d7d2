"""A service of the target that takes the shadow, but nothing is behind it: 503."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.delivery.ending import gateway_destination, service_at
from mirrorlint.delivery.pods import Lack
from mirrorlint.delivery.way import End, reached
from mirrorlint.istio.routing import Destination
from mirrorlint.istio.services import NONE, Service
from mirrorlint.level import WARNING
from mirrorlint.rule import Flaw, Remark, Subject
from mirrorlint.source import Node

LEVEL = WARNING


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at the labels that the Service or the subset asks for, at the name of its port, or at the number of replicas."""
    asked: set[tuple[object, ...]] = set()
    said: set[Node] = set()
    for judged, _, end in subject.arrivals():
        remark = Remark(judged.mirror.destination.host_node, "the shadows of this mirror go there", judged.cluster)
        entrance, lacks = (end.cluster, id(end.scope), end.address), []
        if entrance not in asked:
            lacks = [(lack, f"the shadows come to no gateway of {end.cluster}") for lack in _closed(end)]
        asked.add(entrance)
        for destination in (backend.destination for backend in reached(end.route).rule.used):
            key = (end.cluster, id(end.scope), gateway_destination(end, destination)[0], destination.subset)
            if key not in asked:
                fate = f"{end.cluster}'s gateway takes the shadows and answers them 503"
                lacks += [(lack, fate) for lack in _empty(end, destination)]
            asked.add(key)
        for (node, owner, what, why), fate in lacks:
            if node not in said:
                yield Flaw(node.place, f"no pod is behind {what}, so {fate}: {why}", end.cluster, str(owner), (remark,), doubtful=True)
            said.add(node)


def _closed(end: End) -> Iterator[Lack]:
    """Why no pod is behind the Service at which shadows enter; a port that has a name leads to the pods' port of that name alone.

    For what is in front of one pod in several ways the manifests don't tell which is taken.
    """
    scope, address = reached(end.scope), reached(end.address)
    service = scope.mesh.entrances.service(address.host) or (scope.front.services[0] if len(scope.front.services) == 1 else None)
    if service is None or not service.kubernetes or not service.selector:
        return
    yield from scope.mesh.workloads.lacking(service)
    for port in scope.front.unexplained(service, address.port):
        written = (each["targetPort"] for each in service.manifest.node["spec"]["ports"])
        node = next(target for target in written if target.text == port.target_name)
        why = f"none of their containers has a port `{port.target_name}`"
        yield Lack(node, service.manifest, f"port {port.number} of {service.manifest}", why)


def _empty(end: End, destination: Destination) -> Iterator[Lack]:
    """Why no pod is behind a destination."""
    service, scope = reached(service_at(end, destination)), reached(end.scope)
    if not service.kubernetes:
        yield from _unaddressed(end, destination, service)
    else:
        yield from scope.mesh.workloads.lacking(service, destination.subset, scope.rule_for(service))


def _unaddressed(end: End, destination: Destination, service: Service) -> Iterator[Lack]:
    """Why an entry leads nowhere: at a gateway `resolution: NONE` gives no endpoint either (endpoint_builder.go)."""
    upstream = reached(end.scope).upstream(*gateway_destination(end, destination), destination.subset)
    if upstream and not upstream.addresses and not service.selects:
        owner = service.manifest
        why = "`resolution: NONE`" if service.resolution == NONE else "no endpoint that fits"
        yield Lack(owner.node["spec"]["resolution"] or service.node, owner, str(owner), f"it has {why}")
