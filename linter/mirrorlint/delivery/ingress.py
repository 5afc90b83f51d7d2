"""Which cluster an endpoint belongs to, and which pods its ingress gateway is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import NamedTuple

from mirrorlint.delivery.gateway import GatewayScope
from mirrorlint.delivery.mesh import Mesh
from mirrorlint.istio.gateway import Gateway
from mirrorlint.istio.listeners import pod_labels
from mirrorlint.istio.names import known_as
from mirrorlint.istio.services import Service

ISTIO = "istio"  # the label by which Istio's installers tell their gateways apart (manifests/charts/gateway/templates/_helpers.tpl)
Pod = tuple[str, frozenset[tuple[str, str]]]  # namespace and labels


class Landing(NamedTuple):
    """The cluster that an endpoint is the ingress of ("" for none); `assumed` when no address proves it, not `known` when none tells.

    `why` says what else than the address of a Service, or settings, proves it.
    """

    cluster: str
    assumed: bool = False
    known: bool = True
    why: str = ""


def landing(meshes: Mapping[str, Mesh], source: str, address: str, host: str) -> Landing:
    """Where an endpoint's address, of a mirror target `host`, leads.

    An address that settings call external, or that differs from the known ones where all are, leads elsewhere. If none is known, the one
    other cluster that has Gateways is assumed.
    """
    others = {name: mesh for name, mesh in meshes.items() if name != source}
    if meshes[source].is_external(address, host):
        return Landing("")
    owner = _owner(meshes, others, address)
    if owner is not None:
        return Landing(owner)
    named = [(name, why) for name, mesh in others.items() if (why := _naming(mesh, address, host))]
    if len(named) == 1:
        return Landing(named[0][0], why=named[0][1])
    if any(mesh.entrances.addresses for mesh in others.values()):
        return Landing("", known=not any(mesh.entrances.hidden for mesh in others.values()))
    with_gateways = [n for n, mesh in others.items() if mesh.meant_gateways or mesh.gateway_api.gateways or mesh.cluster.of("Gateway")]
    return Landing(with_gateways[0], assumed=True, known=False) if len(with_gateways) == 1 else Landing("", known=False)


def _naming(mesh: Mesh, address: str, host: str) -> str:
    """What names an endpoint in a cluster whose ingress has not that address, in words; "" for nothing."""
    if host in mesh.server_hosts:
        return "a Gateway server there names the host"
    ingresses = mesh.entrances.ingresses
    found = ingresses.get(address) or ingresses.get(known_as(host))
    return f"{found.manifest} there is reached at it" if found else ""


def _owner(meshes: Mapping[str, Mesh], others: Mapping[str, Mesh], address: str) -> str | None:
    """The cluster that has an address for its ingress; "" for one of an application's own Service, None where no cluster shows it.

    A wildcard counts where nothing has the very address, and never for the source's own ingress: the DNS may know better of a name.
    """
    exact = next((name for name, mesh in meshes.items() if address in mesh.entrances.addresses), None)
    shown = ((name, mesh, mesh.entrances.others.get(address)) for name, mesh in others.items())
    owners = (name if mesh.entrances.leads_to_proxy(service) else "" for name, mesh, service in shown if service)
    owner = next(owners, None) if exact is None else exact
    wild = ((len(mesh.entrances.known(address)), name) for name, mesh in others.items())
    closeness, other = max(wild, key=itemgetter(0), default=(0, ""))
    return other if owner is None and closeness else owner


def ingress_scopes(mesh: Mesh, address: str) -> tuple[GatewayScope, ...]:
    """The gateway pods that a cluster's ingress may be: as settings say, else what is behind an address, else what Gateways select."""
    ingress = mesh.cluster.settings.ingress
    if ingress.labels:
        return (GatewayScope(mesh, ingress.namespace, ingress.labels, ingress),)
    service = mesh.entrances.service(address)
    pods = _behind(mesh, service) if service else _selected(mesh)
    if ingress.namespace:
        near = [(ingress.namespace, labels) for namespace, labels in pods if namespace in ("", ingress.namespace)]
        pods = near or [(ingress.namespace, frozenset())]
    return tuple(GatewayScope(mesh, namespace, dict(labels), ingress) for namespace, labels in dict.fromkeys(pods))


def inner_scopes(mesh: Mesh, service: Service) -> tuple[GatewayScope, ...]:
    """The pods behind a Service of the callers' own cluster, where a Gateway opens ports of them, or is meant to; none behind others."""
    named = any(service.host in gateway.services for gateway in mesh.gateways)
    labelled = any(gateway.selector.items() & service.selector.items() or _strays(mesh, gateway, service) for gateway in mesh.gateways)
    pods = _behind(mesh, service) if named or (labelled and mesh.entrances.leads_to_proxy(service)) else ()
    return tuple(GatewayScope(mesh, namespace, dict(labels)) for namespace, labels in dict.fromkeys(pods))


def _strays(mesh: Mesh, gateway: Gateway, service: Service) -> bool:
    """Whether a Gateway's selector, with a value of Istio's own label that differs from a Service's, is that of nothing at hand."""
    return ISTIO in gateway.selector and ISTIO in service.selector and not is_of_some(mesh, gateway.selector)


def is_of_some(mesh: Mesh, selector: Mapping[str, str]) -> bool:
    """Whether a selector is that of pods, or of a Service, that are at hand."""
    fronts = (service.selector.items() for service in mesh.services if service.kubernetes)
    return bool(mesh.selected_pods("", selector)) or any(selector.items() <= labels for labels in fronts)


def _behind(mesh: Mesh, service: Service) -> list[Pod]:
    """The pods behind a Service: those that Istio deploys for a Gateway, or workloads'.

    Else such with what it selects, and what Gateways select that goes with it.
    """
    if service.manifest.kind == "Gateway":
        return [(service.namespace, frozenset(pod_labels(service.manifest).items()))]
    selector = frozenset(service.selector.items())
    deployed = _deployed(mesh, selector, service.namespace)
    wider = [selector | gateway.selector.items() for gateway in mesh.gateways]
    return deployed or [(service.namespace, frozenset(labels)) for labels in (selector, *wider) if len(dict(labels)) == len(labels)]


def _selected(mesh: Mesh) -> list[Pod]:
    """The pods that Gateways are for: by label, or, with the Gateway API, by Service."""
    named = [(gateway.manifest.namespace, host) for gateway in mesh.gateways for host in gateway.services]
    found: list[Pod] = []
    for namespace, host in dict.fromkeys(named):
        service = mesh.owner(host, namespace)
        found += _behind(mesh, service) if service else [(namespace, frozenset())]
    labelled = [frozenset(gateway.selector.items()) for gateway in mesh.gateways if not gateway.services]
    if not any(labelled) and (labelled or not found):
        return found + _by_label(mesh, frozenset())
    for selector in sorted(set(filter(None, labelled)), key=sorted):
        found += _by_label(mesh, selector)
    return found


def _by_label(mesh: Mesh, selector: frozenset[tuple[str, str]]) -> list[Pod]:
    """The pods of workloads that have some labels.

    Where there are none, pods with just these labels in the namespaces where Services or workload-selecting DestinationRules ask for one of
    them, or in one that is not known, and such as those rules ask for.
    """
    deployed = _deployed(mesh, selector)
    if deployed:
        return deployed
    rules = [(rule.namespace, rule.selector) for rule in mesh.destination_rules if rule.selective]
    asking = [*((s.namespace, s.selector) for s in mesh.kubernetes_services), *rules]
    near = _joined(selector, ((namespace, labels) for namespace, labels in asking if labels.items() & selector))
    places = {namespace for namespace, _ in near}
    others = [pod for pod in _joined(selector, rules) if pod[0] in places or not near]
    return list(dict.fromkeys((*near, *others))) if near else [("", selector), *others]


def _joined(selector: frozenset[tuple[str, str]], others: Iterable[tuple[str, Mapping[str, str]]]) -> list[Pod]:
    """Pods that have the labels of a selector and of another one, where these go together."""
    pods = [(namespace, frozenset({*selector, *labels.items()})) for namespace, labels in others]
    return [(namespace, labels) for namespace, labels in pods if len(dict(labels)) == len(labels)]


def _deployed(mesh: Mesh, selector: frozenset[tuple[str, str]], namespace: str = "") -> list[Pod]:
    """Namespace and labels of the pods of a namespace, "" for any, that a selector picks; an empty one picks none."""
    pods = mesh.selected_pods(namespace, dict(selector)) if selector else []
    return [(own, frozenset(pod["metadata"]["labels"].named_texts.items())) for own, pod in pods]
