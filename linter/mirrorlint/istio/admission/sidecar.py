"""Sidecars (pkg/config/validation/validation.go:ValidateSidecar)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mirrorlint.istio.admission import names, values
from mirrorlint.istio.admission.gateway import PORT_FIELDS, no_target_port
from mirrorlint.istio.admission.routes import DESTINATION, SELECTOR_LABELS
from mirrorlint.istio.admission.shape import (
    ANY_TEXT,
    PORT,
    Refusal,
    choice,
    each,
    message,
    or_empty,
    required,
    text,
)
from mirrorlint.istio.admission.tls import SERVER_TLS, is_set, mode
from mirrorlint.istio.admission.traffic_policy import CONNECTION_POOL
from mirrorlint.istio.ports import protocol
from mirrorlint.source import Node

_BIND = text(or_empty(names.ip))
_LOCAL = ("", "127.0.0.1", "0.0.0.0", "::1", "::")  # noqa: S104 - compared, never bound
_endpoint = re.compile(r"(?:\[([^\[\]]*)\]|([^:\[\]]*)):([0-9]+)").fullmatch
_NOT_INGRESS = ("subjectAltNames", "credentialName", "credentialNames", "tlsCertificates")
_NOTHING = "the Sidecar has neither `egress` nor `ingress` nor `outboundTrafficPolicy` nor `inboundConnectionPool`"


def _default_endpoint(text: str) -> str:
    if text.startswith(names.UNIX):
        return names.unix_path(text)
    match = _endpoint(text)
    if not match or (match[1] or match[2] or "") not in _LOCAL or not 1 <= int(match[3]) <= 65535:
        return "is neither `127.0.0.1:PORT`, `0.0.0.0:PORT`, `[::1]:PORT`, `[::]:PORT` nor `unix://PATH`"
    return ""


def _ingress_tls(listener: Node) -> Iterator[Refusal]:
    port, tls = listener["port"]["protocol"], listener["tls"]
    if not tls:
        return
    if protocol(port.text) not in ("HTTPS", "TLS"):
        yield Refusal(listener.key("tls"), f"`tls` is set on a listener that speaks `{port.text}`, not HTTPS or TLS")
    if mode(tls) in ("ISTIO_MUTUAL", "AUTO_PASSTHROUGH"):
        yield Refusal(tls["mode"], f"`mode: {mode(tls)}` is not for the ingress of a Sidecar")
    if tls["httpsRedirect"].truth:
        yield Refusal(tls["httpsRedirect"], "`httpsRedirect` is not for the ingress of a Sidecar")
    for name in _NOT_INGRESS:
        if is_set(tls, name):
            yield Refusal(tls.key(name), f"`{name}` is not for the ingress of a Sidecar")


def _egress_bind(listener: Node) -> Iterator[Refusal]:
    port, bind = listener["port"], listener["bind"]
    if not port:
        return
    if port["number"].number:
        yield from _BIND.refusals(bind, "bind")
        if port["number"].number > 65535:
            yield Refusal(port["number"], f"`number: {port['number'].text}` does not lie between 1 and 65535")
        return
    if not bind.text.startswith(names.UNIX) or names.unix_path(bind.text):
        yield Refusal(port, "a listener's port without `number` needs a Unix socket as `bind`")
    if listener["captureMode"].text not in ("", "DEFAULT", "NONE"):
        yield Refusal(listener["captureMode"], f"`captureMode: {listener['captureMode'].text}` is not for Unix sockets")


def _catch_all_last(spec: Node) -> Iterator[Refusal]:
    for listener in list(spec["egress"])[:-1]:
        if not listener["port"]:
            yield Refusal(listener, "an egress listener without `port` catches all the rest, so it comes last")


def _distinct_listeners(spec: Node) -> Iterator[Refusal]:
    for side in ("ingress", "egress"):
        seen: set[str] = set()
        for listener in (one for one in spec[side] if one["port"]):
            number = listener["port"]["number"]
            taken = str(number.number) if number.number else listener["bind"].text
            if taken in seen:
                yield Refusal(number, f"`{taken}` is taken by another {side} listener of this Sidecar")
            seen.add(taken)


def _egress_proxy(policy: Node) -> Iterator[Refusal]:
    proxy = policy["egressProxy"]
    if not proxy:
        return
    if policy["mode"].text != "ALLOW_ANY":
        yield Refusal(policy.key("egressProxy"), "`egressProxy` needs `mode: ALLOW_ANY`")
    yield from text(names.fqdn).refusals(proxy["host"], "host")
    if not proxy["port"]:
        yield Refusal(proxy, "`egressProxy` needs a `port`")


_CAPTURE = choice("DEFAULT", "IPTABLES", "NONE")
_PORT = {**PORT_FIELDS, "name": text(or_empty(names.label)), "protocol": text(or_empty(values.protocol))}
_INGRESS = message(
    {
        "port": message({**_PORT, "number": PORT}, required("an ingress port needs a `number`", "number"), no_target_port),
        "bind": _BIND,
        "captureMode": _CAPTURE,
        "defaultEndpoint": text(or_empty(_default_endpoint)),
        "tls": SERVER_TLS,
        "connectionPool": CONNECTION_POOL,
    },
    required("an ingress listener needs a `port`", "port"),
    _ingress_tls,
)
_EGRESS = message(
    {
        "port": message(_PORT, no_target_port),
        "bind": ANY_TEXT,
        "captureMode": _CAPTURE,
        "hosts": each(text(names.egress_host)),
    },
    required("an egress listener needs `hosts`", "hosts"),
    _egress_bind,
)

SPEC = message(
    {
        "workloadSelector": message({"labels": SELECTOR_LABELS}),
        "ingress": each(_INGRESS),
        "egress": each(_EGRESS),
        "inboundConnectionPool": CONNECTION_POOL,
        "outboundTrafficPolicy": message({"mode": choice("REGISTRY_ONLY", "ALLOW_ANY"), "egressProxy": DESTINATION}, _egress_proxy),
    },
    required(_NOTHING, "ingress", "egress", "outboundTrafficPolicy", "inboundConnectionPool"),
    _catch_all_last,
    _distinct_listeners,
)
