"""ServiceEntries and WorkloadEntries (pkg/config/validation/validation.go:ValidateServiceEntry, ValidateWorkloadEntry)."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.istio.admission import names, values
from mirrorlint.istio.admission.routes import LABELS, SELECTOR_LABELS
from mirrorlint.istio.admission.shape import (
    ANY_TEXT,
    NATURAL,
    PORT,
    PORT_OR_ZERO,
    TEXTS,
    Refusal,
    choice,
    distinct,
    each,
    given,
    message,
    one_of,
    or_empty,
    required,
    table,
    text,
)
from mirrorlint.istio.names import is_ip, is_wild
from mirrorlint.istio.ports import HTTP, protocol
from mirrorlint.source import Node

_BY_NAME = ("DNS", "DNS_ROUND_ROBIN")
_FORWARDED = ("HTTP", "TLS", "GRPC", "HTTP2")
_TOLD_APART = HTTP | {"HTTPS", "TLS"}


def _blocks(spec: Node) -> Iterator[Refusal]:
    if _resolution(spec) in ("NONE", "STATIC"):
        return
    for address in spec["addresses"]:
        if "/" in address.text:
            yield Refusal(address, f"`{address.text}` is a CIDR block: resolution {_resolution(spec)} takes none")


def _hosts_to_resolve(spec: Node) -> Iterator[Refusal]:
    if _resolution(spec) not in _BY_NAME or given(spec, "endpoints"):
        return
    for host in spec["hosts"]:
        if wrong := names.fqdn(host.text):
            yield Refusal(host, f"`hosts: {host.text}` {wrong}, so without `endpoints` DNS has no name to resolve")


def _endpoint_count(spec: Node) -> Iterator[Refusal]:
    endpoints = spec["endpoints"]
    resolution = _resolution(spec)
    if resolution == "NONE" and len(endpoints):
        yield Refusal(endpoints.at(0), "resolution NONE takes no `endpoints`: it sends to where the caller connects")
    elif resolution == "DNS_ROUND_ROBIN" and len(endpoints) > 1:
        yield Refusal(endpoints.at(1), "resolution DNS_ROUND_ROBIN takes one endpoint at most")


def _addresses(spec: Node) -> Iterator[Refusal]:
    resolution = _resolution(spec)
    if resolution != "STATIC" and resolution not in _BY_NAME:
        return
    for endpoint in spec["endpoints"]:
        address = endpoint["address"]
        wrong = _static(endpoint) if resolution == "STATIC" else _name_or_ip(address.text)
        if wrong:
            yield Refusal(address, f"the endpoint's `address: {address.text}` {wrong}")


def _static(endpoint: Node) -> str:
    address = endpoint["address"].text
    if not address:
        return "" if endpoint["network"].text else "is empty"
    if address.startswith(names.UNIX):
        return "is a Unix socket, which has no `ports`" if len(endpoint["ports"]) else names.unix_path(address)
    return "" if is_ip(address) else "is not an IP address, and resolution STATIC takes nothing else"


def _address(workload: Node) -> Iterator[Refusal]:
    address = workload["address"]
    wrong = _name_or_ip(address.text) if address.text and not address.text.startswith(names.UNIX) else _static(workload)
    if wrong:
        yield Refusal(address, f"its `address: {address.text}` {wrong}")


def _name_or_ip(address: str) -> str:
    return "" if is_ip(address) or not names.fqdn(address) else "is neither a host name nor an IP address"


def _endpoint_ports(spec: Node) -> Iterator[Refusal]:
    declared = {port["name"].text for port in spec["ports"]}
    for endpoint in spec["endpoints"]:
        for name, _ in endpoint["ports"].entries():
            if name.text not in declared:
                known = ", ".join(f"`{port}`" for port in sorted(declared)) or "none"
                yield Refusal(name, f"the endpoint's port `{name.text}` is none of the ServiceEntry's, which are {known}")
        if endpoint["address"].text.startswith(names.UNIX) and _resolution(spec) == "STATIC" and len(declared) != 1:
            yield Refusal(endpoint["address"], "a Unix socket as endpoint needs a ServiceEntry with exactly one port")


def _dynamic(spec: Node) -> Iterator[Refusal]:
    if _resolution(spec) != "DYNAMIC_DNS":
        return
    for host in spec["hosts"]:
        if not is_wild(host.text):
            yield Refusal(host, f"`hosts: {host.text}` is no wildcard, and resolution DYNAMIC_DNS takes nothing else")
    for field in ("addresses", "endpoints"):
        if given(spec, field):
            yield Refusal(spec.key(field), f"resolution DYNAMIC_DNS takes no `{field}`: the request's host is resolved")
    for said in (port["protocol"] for port in spec["ports"]):
        if protocol(said.text) not in _FORWARDED:
            yield Refusal(said, f"resolution DYNAMIC_DNS takes {', '.join(_FORWARDED)} only, not `{said.text}`")


def _told_apart(spec: Node) -> Iterator[Refusal]:
    if len(spec["hosts"]) < 2 or _resolution(spec) == "NONE":
        return
    for port in spec["ports"]:
        if protocol(port["protocol"].text) not in _TOLD_APART:
            yield Refusal(port["protocol"], "several `hosts` need HTTP or TLS ports: nothing else tells them apart")
            return


def _resolution(spec: Node) -> str:
    return spec["resolution"].text or "NONE"


_PORT = message(
    {
        "number": PORT,
        "name": text(names.label),
        "protocol": text(or_empty(values.protocol)),
        "targetPort": PORT_OR_ZERO,
    },
    required("a port of a ServiceEntry needs a `number`", "number"),
    required("a port of a ServiceEntry needs a `name`", "name"),
)
_WORKLOAD = {
    "address": ANY_TEXT,
    "ports": table(PORT, key=names.label),
    "labels": LABELS,
    "network": ANY_TEXT,
    "locality": ANY_TEXT,
    "weight": NATURAL,
    "serviceAccount": ANY_TEXT,
}
WORKLOAD = message(_WORKLOAD, _address)

SPEC = message(
    {
        "hosts": each(text(names.entry_host)),
        "addresses": each(text(names.subnet)),
        "ports": each(_PORT),
        "location": choice("MESH_EXTERNAL", "MESH_INTERNAL"),
        "resolution": choice("NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN", "DYNAMIC_DNS"),
        "endpoints": each(message(_WORKLOAD)),
        "workloadSelector": message({"labels": SELECTOR_LABELS}),
        "exportTo": TEXTS,
        "subjectAltNames": TEXTS,
    },
    required("the ServiceEntry has no `hosts`", "hosts"),
    one_of("endpoints", "workloadSelector"),
    distinct("ports", "name", what="port"),
    distinct("ports", "number", what="port"),
    _blocks,
    _hosts_to_resolve,
    _endpoint_count,
    _addresses,
    _endpoint_ports,
    _dynamic,
    _told_apart,
)


def no_waypoint(document: Node, _: str) -> Iterator[Refusal]:
    """A waypoint does not resolve the hosts of the mesh itself."""
    waypoint = document["metadata"]["labels"]["istio.io/use-waypoint"].text
    location = document["spec"]["location"]
    if waypoint.lower() in ("", "none") or location.text != "MESH_INTERNAL":
        return
    if _resolution(document["spec"]) == "DYNAMIC_DNS":
        yield Refusal(location, f"resolution DYNAMIC_DNS takes no MESH_INTERNAL hosts behind the waypoint `{waypoint}`")
