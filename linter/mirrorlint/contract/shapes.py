"""Which fields of an object a contract holds: those that the delivery reads at a target, and none whose values may be secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mirrorlint.delivery.addresses import ASKED, BEHIND, CERTIFICATE, ENCRYPTING, HOSTNAME, TARGET, TLS_PORTS
from mirrorlint.delivery.front import UNTRANSLATED
from mirrorlint.delivery.policy import DRY_RUN
from mirrorlint.fleet import Manifest
from mirrorlint.istio.listeners import MODE_OPTION, NAME_OVERRIDE
from mirrorlint.istio.routing import is_authority
from mirrorlint.istio.services import EXPORT_ANNOTATION
from mirrorlint.istio.workloads import OF_SIDECARS
from mirrorlint.kinds import GATEWAY_API, KUBERNETES_NETWORKING, NETWORKING, OF_TEMPLATES, SECURITY
from mirrorlint.loading.packing import Shape
from mirrorlint.source import Node

ALL: Shape = None
NAMED: Shape = {}  # that there is something, but not what

_METADATA: dict[str, Any] = {"name": ALL, "namespace": ALL, "creationTimestamp": ALL}
_BALANCER = {CERTIFICATE: NAMED, TLS_PORTS: ALL, BEHIND: ALL}
_ADDRESSED = {"annotations": dict.fromkeys((*HOSTNAME, *TARGET, *ASKED, EXPORT_ANNOTATION, NAME_OVERRIDE), ALL) | _BALANCER}
_BALANCED = {"loadBalancer": {"ingress": {"ip": ALL, "hostname": ALL}}}


def _told(header: str) -> Shape:
    """Of the headers that a route sets the values are not told, but for the Host."""
    return ALL if is_authority(header) else NAMED


def _headers(node: Node) -> dict[str, Shape]:
    return {name: _told(name) for name, _ in node.items()}


def _header(node: Node) -> dict[str, Shape]:
    return {"name": ALL, "value": _told(node["name"].text)}


_HEADERS = {"request": {"set": _headers, "add": _headers, "remove": ALL}}
_DESTINATION = {"host": ALL, "subset": ALL, "port": {"number": ALL}}
_RULE = {
    "match": ALL,
    "route": {"destination": _DESTINATION, "weight": ALL, "headers": _HEADERS},
    "headers": _HEADERS,
    "redirect": NAMED,
    "directResponse": NAMED,
    "fault": {"abort": {"percentage": ALL, "httpStatus": ALL, "grpcStatus": ALL}},
    "delegate": ALL,
    "rewrite": ALL,
    "mirror": _DESTINATION,
    "mirrorPercentage": ALL,
    "mirrorPercent": ALL,
    "mirror_percent": ALL,
    "mirrors": {"destination": _DESTINATION, "percentage": ALL},
}
_VIRTUAL_SERVICE = {
    "hosts": ALL,
    "gateways": ALL,
    "exportTo": ALL,
    "http": _RULE,
    "tcp": {"match": {"port": ALL}, "route": NAMED},
    "tls": {"match": {"sniHosts": ALL}},
}
_TLS = {"mode": ALL, "httpsRedirect": ALL, "credentialName": ALL}
_GATEWAY = {
    "selector": ALL,
    "servers": {"port": {"number": ALL, "name": ALL, "protocol": ALL}, "bind": ALL, "hosts": ALL, "tls": _TLS},
}
_OF_PORT = {"tls": {"mode": ALL, "sni": ALL, "subjectAltNames": ALL, "insecureSkipVerify": ALL}, "loadBalancer": {"simple": ALL}}
_POLICY = {**_OF_PORT, "portLevelSettings": {"port": ALL, **_OF_PORT}}
_DESTINATION_RULE = {
    "host": ALL,
    "exportTo": ALL,
    "workloadSelector": ALL,
    "trafficPolicy": _POLICY,
    "subsets": {"name": ALL, "labels": ALL, "trafficPolicy": _POLICY},
}
_ENDPOINT = {"address": ALL, "labels": ALL, "ports": ALL}
_SERVICE_ENTRY = {
    "hosts": ALL,
    "addresses": ALL,
    "ports": ALL,
    "location": ALL,
    "resolution": ALL,
    "exportTo": ALL,
    "subjectAltNames": ALL,
    "endpoints": _ENDPOINT,
    "workloadSelector": ALL,
}
_SERVICE = {
    "type": ALL,
    "externalName": ALL,
    "clusterIP": ALL,
    "ports": ALL,
    "selector": ALL,
    "externalIPs": ALL,
    "loadBalancerIP": ALL,
}
_LISTENER = {
    "name": ALL,
    "hostname": ALL,
    "port": ALL,
    "protocol": ALL,
    "tls": {"mode": ALL, "certificateRefs": ALL, "options": {MODE_OPTION: ALL}},
    "allowedRoutes": ALL,
}
_API_GATEWAY = {
    "gatewayClassName": ALL,
    "listeners": _LISTENER,
    "addresses": ALL,
    "infrastructure": {"labels": ALL, **_ADDRESSED},
    "tls": {"frontend": ALL},
}
_MODIFIER = {"type": ALL, "requestHeaderModifier": {"set": _header, "add": _header, "remove": ALL}}
_FILTER = {**_MODIFIER, "urlRewrite": ALL, "requestMirror": ALL, "requestRedirect": NAMED}
_ROUTE = {
    "parentRefs": ALL,
    "hostnames": ALL,
    "rules": {
        "matches": ALL,
        "filters": _FILTER,
        "backendRefs": {"group": ALL, "kind": ALL, "name": ALL, "namespace": ALL, "port": ALL, "weight": ALL, "filters": _MODIFIER},
    },
}
_CONTAINER = {"name": ALL, "ports": {"name": ALL, "containerPort": ALL, "hostPort": ALL}}
_PROXY = {
    "hostNetwork": ALL,
    "serviceAccountName": ALL,
    "serviceAccount": ALL,
    "containers": _CONTAINER,
    "initContainers": {"ports": {"name": ALL, "containerPort": ALL}},
}


def _object(spec: Shape, **more: Any) -> dict[str, Any]:
    return {"metadata": {**_METADATA, **more}, "spec": spec}


def _workloads(pod: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """The shapes of what has pods, of whose `spec` this is kept."""
    metadata = {"labels": ALL, "annotations": dict.fromkeys(OF_SIDECARS, ALL)}
    of_template = _object({"replicas": ALL, "workloadRef": ALL, "template": {"metadata": metadata, "spec": pod}})
    return {("", "Pod"): {"metadata": {**_METADATA, **metadata}, "spec": pod}, **dict.fromkeys(OF_TEMPLATES, of_template)}


_SHAPES: Mapping[tuple[str, str], dict[str, Any]] = {
    (NETWORKING, "VirtualService"): _object(_VIRTUAL_SERVICE),
    (NETWORKING, "Gateway"): _object(_GATEWAY),
    (NETWORKING, "DestinationRule"): _object(_DESTINATION_RULE),
    (NETWORKING, "ServiceEntry"): _object(_SERVICE_ENTRY, labels=ALL),
    (NETWORKING, "WorkloadEntry"): _object(_ENDPOINT, labels=ALL),
    (SECURITY, "AuthorizationPolicy"): _object(
        {"selector": ALL, "action": ALL, "rules": ALL, "targetRef": ALL, "targetRefs": ALL}, annotations={DRY_RUN: ALL}
    ),
    (SECURITY, "PeerAuthentication"): _object({"selector": ALL, "mtls": ALL, "portLevelMtls": ALL}),
    (SECURITY, "RequestAuthentication"): _object({"selector": ALL, "targetRef": ALL, "targetRefs": ALL}),
    (GATEWAY_API, "HTTPRoute"): _object(_ROUTE),
    (GATEWAY_API, "GRPCRoute"): _object(_ROUTE),
    (GATEWAY_API, "TLSRoute"): _object({"parentRefs": ALL, "hostnames": ALL}),
    (GATEWAY_API, "TCPRoute"): _object({"parentRefs": ALL}),
    (GATEWAY_API, "Gateway"): {
        "metadata": {**_METADATA, "labels": ALL, **_ADDRESSED},
        "spec": _API_GATEWAY,
        "status": {"addresses": ALL},
    },
    (GATEWAY_API, "GatewayClass"): _object({"controllerName": ALL}),
    (GATEWAY_API, "ReferenceGrant"): _object({"from": ALL, "to": ALL}),
    ("", "Service"): {
        "metadata": {**_METADATA, "labels": {UNTRANSLATED: ALL}, **_ADDRESSED},
        "spec": _SERVICE,
        "status": _BALANCED,
    },
    (KUBERNETES_NETWORKING, "Ingress"): {
        "metadata": {**_METADATA, "annotations": dict.fromkeys((*HOSTNAME, *TARGET, *ENCRYPTING), ALL)},
        "spec": {"defaultBackend": ALL, "rules": ALL},
        "status": _BALANCED,
    },
    ("", "Namespace"): {"metadata": {**_METADATA, "labels": ALL}},
    ("", "Secret"): {"metadata": _METADATA, "data": {"tls.crt": NAMED, "tls.key": NAMED}},
    ("cert-manager.io", "Certificate"): _object({"secretName": ALL, "dnsNames": ALL, "ipAddresses": ALL}),
    ("keda.sh", "ScaledObject"): _object({"scaleTargetRef": {"name": ALL, "kind": ALL}}),
    **_workloads({"hostNetwork": ALL}),
}
_PROXIES = _workloads(_PROXY)


def shape_of(manifest: Manifest, *, proxy: bool) -> Shape:
    """What is kept of an object, its identity above all; of pods their containers' ports as well where they may be a gateway's proxies."""
    identity = manifest.group, manifest.kind
    return {"apiVersion": ALL, "kind": ALL, **(_PROXIES if proxy else _SHAPES)[identity]}
