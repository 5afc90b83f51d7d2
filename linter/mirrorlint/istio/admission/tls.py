"""TLS settings of servers (Gateway, Sidecar) and of clients (DestinationRule)."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.istio.admission.shape import ANY_TEXT, FLAG, TEXTS, Refusal, choice, each, given, message
from mirrorlint.istio.gateway import PASSTHROUGH
from mirrorlint.source import Node

_USELESS_UNVERIFIED = {
    "SIMPLE": ("caCertificates", "credentialName", "subjectAltNames"),
    "MUTUAL": ("caCertificates", "subjectAltNames"),
}
_MUTUAL = ("MUTUAL", "OPTIONAL_MUTUAL")
_VERSIONS = choice("TLS_AUTO", "TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3")
_CERTIFICATES = (
    "serverCertificate",
    "privateKey",
    "caCertificates",
    "tlsCertificates",
    "credentialName",
    "credentialNames",
)


def mode(tls: Node) -> str:
    """A server's mode; PASSTHROUGH is the enum's first name, and so the default."""
    return tls["mode"].text or "PASSTHROUGH"


def is_set(tls: Node, name: str) -> bool:
    """Whether Istio sees a field: an empty text is an absent one."""
    return given(tls, name) and (not tls[name].is_scalar or tls[name].text != "")


def _istio_certificates(tls: Node) -> Iterator[Refusal]:
    for name in _CERTIFICATES if mode(tls) == "ISTIO_MUTUAL" else ():
        if is_set(tls, name):
            yield Refusal(tls.key(name), f"`{name}` is set although ISTIO_MUTUAL brings its own certificates")


def _one_source(tls: Node) -> Iterator[Refusal]:
    """Since 1.27 there is one source (validateTLSOptions); before, `credentialName` won over files that old manifests name beside it."""
    if mode(tls) == "ISTIO_MUTUAL":
        return
    sources = [name for name in ("credentialName", "credentialNames", "tlsCertificates") if is_set(tls, name)]
    if is_set(tls, "serverCertificate") and is_set(tls, "privateKey"):
        sources.append("serverCertificate")
    if len(sources) > 1:
        why = f"`{sources[1]}` stands beside `{sources[0]}`: a certificate has one source"
        yield Refusal(tls.key(sources[1]), why, since="1.27")


def _complete(tls: Node) -> Iterator[Refusal]:
    current = mode(tls)
    if current not in ("SIMPLE", *_MUTUAL) or is_set(tls, "credentialName") or is_set(tls, "credentialNames"):
        return
    if current in _MUTUAL and not is_set(tls, "caCertificates"):
        yield Refusal(tls, f"TLS mode {current} has neither `credentialName` nor `caCertificates` to check clients with")
    for holder in tls["tlsCertificates"] if is_set(tls, "tlsCertificates") else (tls,):
        for name in ("serverCertificate", "privateKey"):
            if not is_set(holder, name):
                yield Refusal(holder, f"TLS mode {current} has neither `credentialName` nor `{name}` to show")


def _revocation(tls: Node) -> Iterator[Refusal]:
    if not is_set(tls, "caCrl"):
        return
    credential = is_set(tls, "credentialName")
    if mode(tls) == "SIMPLE" and not credential and not is_set(tls, "credentialNames"):
        yield Refusal(tls["caCrl"], "`caCrl` is set although TLS mode SIMPLE checks no client certificates")
    elif mode(tls) in PASSTHROUGH and credential:
        yield Refusal(tls["caCrl"], "`caCrl` stands beside `credentialName`: the credential itself holds the list")


SERVER_TLS = message(
    {
        "mode": choice("PASSTHROUGH", "SIMPLE", "MUTUAL", "AUTO_PASSTHROUGH", "ISTIO_MUTUAL", "OPTIONAL_MUTUAL"),
        "httpsRedirect": FLAG,
        "insecureSkipVerify": FLAG,
        "credentialName": ANY_TEXT,
        "credentialNames": TEXTS,
        "serverCertificate": ANY_TEXT,
        "privateKey": ANY_TEXT,
        "caCertificates": ANY_TEXT,
        "caCertCredentialName": ANY_TEXT,
        "caCrl": ANY_TEXT,
        "tlsCertificates": each(message({"serverCertificate": ANY_TEXT, "privateKey": ANY_TEXT, "caCertificates": ANY_TEXT})),
        "subjectAltNames": TEXTS,
        "verifyCertificateSpki": TEXTS,
        "verifyCertificateHash": TEXTS,
        "minProtocolVersion": _VERSIONS,
        "maxProtocolVersion": _VERSIONS,
        "cipherSuites": TEXTS,
    },
    _istio_certificates,
    _one_source,
    _complete,
    _revocation,
)


def _unverified(tls: Node) -> Iterator[Refusal]:
    if not tls["insecureSkipVerify"].truth:
        return
    for name in _USELESS_UNVERIFIED.get(tls["mode"].text, ()):
        if is_set(tls, name):
            yield Refusal(tls.key(name), f"`{name}` is set although `insecureSkipVerify` turns the check off")


def _one_client_source(tls: Node) -> Iterator[Refusal]:
    current = tls["mode"].text
    if current not in ("SIMPLE", "MUTUAL"):
        return
    if is_set(tls, "credentialName"):
        for name in ("clientCertificate", "privateKey", "caCertificates", "caCrl"):
            if is_set(tls, name):
                yield Refusal(tls.key(name), f"`{name}` stands beside `credentialName`: the certificate has one source")
    elif current == "MUTUAL":
        for name in ("clientCertificate", "privateKey"):
            if not is_set(tls, name):
                yield Refusal(tls, f"TLS mode MUTUAL has neither `credentialName` nor `{name}` to show")


CLIENT_TLS = message(
    {
        "mode": choice("DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"),
        "clientCertificate": ANY_TEXT,
        "privateKey": ANY_TEXT,
        "caCertificates": ANY_TEXT,
        "caCrl": ANY_TEXT,
        "credentialName": ANY_TEXT,
        "subjectAltNames": TEXTS,
        "sni": ANY_TEXT,
        "insecureSkipVerify": FLAG,
    },
    _unverified,
    _one_client_source,
)
