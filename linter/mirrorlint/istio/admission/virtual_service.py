"""VirtualServices (pkg/config/validation/validation.go:ValidateVirtualService)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from mirrorlint.istio.admission import names
from mirrorlint.istio.admission.headers import is_claim
from mirrorlint.istio.admission.http_route import HTTP_ROUTE, conflicts
from mirrorlint.istio.admission.routes import gateway_names, l4_match, route_destination, weights
from mirrorlint.istio.admission.shape import ANY_TEXT, TEXTS, Refusal, each, given, message, required
from mirrorlint.istio.names import MESH, is_ip, overlaps, serves_mesh, subset_of
from mirrorlint.source import Node


def _delegate_without_gateways(spec: Node) -> Iterator[Refusal]:
    if given(spec, "hosts"):
        return
    for name in ("gateways", "tls", "tcp"):
        if given(spec, name):
            yield Refusal(spec.key(name), f"a VirtualService without `hosts` is a delegate, and those have no `{name}`")


def _hosts(spec: Node) -> Iterator[Refusal]:
    mesh = serves_mesh(spec["gateways"].texts)
    sni = any(given(match, "sniHosts") for route in spec["tls"] for match in route["match"])
    wrong = False
    for host in spec["hosts"]:
        check = names.sni_host if sni and not mesh else names.host
        if complaint := _host(host.text, check(host.text), mesh=mesh):
            wrong = True
            yield Refusal(host, f"`hosts: {host.text}` {complaint}")
    if not wrong:
        yield from _overlapping(spec["hosts"])


def _host(host: str, complaint: str, *, mesh: bool) -> str:
    if complaint:
        return "" if is_ip(host) else complaint
    return "is not allowed without gateways, nor beside the gateway `mesh`" if mesh and host == "*" else ""


def _overlapping(hosts: Node) -> Iterator[Refusal]:
    for first, second in combinations(hosts, 2):
        if overlaps(first.text, second.text):
            yield Refusal(second, f"`hosts: {second.text}` overlaps with `{first.text}` of the same VirtualService")


def _claims_at_gateways_only(spec: Node) -> Iterator[Refusal]:
    if not serves_mesh(spec["gateways"].texts):
        return
    for match in (match for route in spec["http"] for match in route["match"]):
        for name, _ in (*match["headers"].entries(), *match["withoutHeaders"].entries()):
            if is_claim(name.text):
                yield Refusal(name, f"`{name.text}` works at gateways only, and this one serves the mesh")


def _conflicts(spec: Node) -> Iterator[Refusal]:
    delegate = not given(spec, "hosts")
    for route in spec["http"]:
        yield from conflicts(route, delegate=delegate)


def _sni_hosts(spec: Node) -> Iterator[Refusal]:
    check = names.host if MESH in spec["gateways"].texts else names.sni_host
    for host in (host for route in spec["tls"] for match in route["match"] for host in match["sniHosts"]):
        if wrong := check(host.text):
            if not is_ip(host.text):
                yield Refusal(host, f"`sniHosts: {host.text}` {wrong}")
        elif not any(subset_of(host.text, covering) for covering in spec["hosts"].texts):
            yield Refusal(host, f"`sniHosts: {host.text}` is covered by none of the `hosts`")


_TLS_MATCH = l4_match(required("a match of a TLS rule needs `sniHosts`", "sniHosts"), sniHosts=TEXTS, sourceNamespace=ANY_TEXT)
_TLS_ROUTE = message(
    {
        "match": each(_TLS_MATCH),
        "route": each(route_destination()),
    },
    required("a TLS rule needs a `match`", "match"),
    required("a TLS rule needs a `route`", "route"),
    weights,
)
_TCP_ROUTE = message(
    {
        "match": each(l4_match(sourceSubnet=ANY_TEXT, sourceNamespace=ANY_TEXT)),
        "route": each(route_destination()),
    },
    required("a TCP rule needs a `route`", "route"),
    weights,
)

SPEC = message(
    {
        "hosts": TEXTS,
        "gateways": TEXTS,
        "http": each(HTTP_ROUTE),
        "tls": each(_TLS_ROUTE),
        "tcp": each(_TCP_ROUTE),
        "exportTo": TEXTS,
    },
    required("the VirtualService has neither `http` nor `tls` nor `tcp` rules", "http", "tls", "tcp"),
    _delegate_without_gateways,
    gateway_names,
    _hosts,
    _claims_at_gateways_only,
    _conflicts,
    _sni_hosts,
)
