"""Gateways of networking.istio.io (pkg/config/validation/validation.go:ValidateGateway)."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.istio.admission import names, values
from mirrorlint.istio.admission.shape import (
    ANY_TEXT,
    NATURAL,
    Refusal,
    distinct,
    each,
    message,
    required,
    table,
    text,
)
from mirrorlint.istio.admission.tls import SERVER_TLS, mode
from mirrorlint.istio.gateway import PASSTHROUGH
from mirrorlint.istio.ports import HTTP, protocol
from mirrorlint.source import Node


def _number(server: Node) -> Iterator[Refusal]:
    number, bind = server["port"]["number"], server["bind"].text
    unix = bind.startswith(names.UNIX)
    if unix and number.number:
        yield Refusal(number, f"`number: {number.text}` stands beside the Unix socket `{bind}`, which has no port")
    elif not unix and server["port"] and not 1 <= number.number <= 65535:
        yield Refusal(number, f"`number: {number.number}` does not lie between 1 and 65535")


def _tls(server: Node) -> Iterator[Refusal]:
    said, tls = server["port"]["protocol"], server["tls"]
    spoken = protocol(said.text)
    if spoken in ("HTTPS", "TLS"):
        if not tls:
            yield Refusal(said, f"the server speaks `{said.text}` and has no `tls`")
    elif not spoken or not tls:
        return
    elif spoken not in HTTP:
        yield Refusal(server.key("tls"), f"`tls` is set on a server that speaks `{said.text}`, not HTTPS or TLS")
    elif mode(tls) not in PASSTHROUGH or _has_certificate(tls):
        why = f"`tls` is set on a server that speaks plain `{said.text}`, which takes `httpsRedirect` only"
        yield Refusal(server.key("tls"), why)


def _has_certificate(tls: Node) -> bool:
    return any(tls[name].text for name in ("caCertificates", "privateKey", "serverCertificate"))


def no_target_port(port: Node) -> Iterator[Refusal]:
    """A listener's port is the port of the pod itself."""
    if port["targetPort"].number:
        yield Refusal(port["targetPort"], "`targetPort` has no effect here, and Istio takes none")


PORT_FIELDS = {"number": NATURAL, "name": ANY_TEXT, "protocol": ANY_TEXT, "targetPort": NATURAL}
_PORT = message(
    {**PORT_FIELDS, "protocol": text(values.protocol), "name": text(values.filled)},
    required("the port of a server needs a `name`", "name"),
    required("the port of a server needs a `protocol`", "protocol"),
    no_target_port,
)
_SERVER = message(
    {
        "name": ANY_TEXT,
        "port": _PORT,
        "bind": text(names.bind),
        "hosts": each(text(names.gateway_host)),
        "tls": SERVER_TLS,
        "defaultEndpoint": ANY_TEXT,
    },
    required("a server needs `hosts`", "hosts"),
    required("a server needs a `port`", "port"),
    _number,
    _tls,
)

SPEC = message(
    {"servers": each(_SERVER), "selector": table(ANY_TEXT)},
    required("a Gateway needs `servers`", "servers"),
    distinct("servers", "port", "name", what="server of this Gateway"),
)


def label_name(document: Node, _: str) -> Iterator[Refusal]:
    """A Gateway's name has no dots, unlike those of other objects."""
    yield from text(names.label).refusals(document["metadata"]["name"], "name")
