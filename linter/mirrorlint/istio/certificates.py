"""The certificates that listeners of the Gateway API name (pilot/pkg/config/kube/gateway/conversion.go:buildTLS)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from mirrorlint.fleet import Manifest
from mirrorlint.istio.references import GATEWAY, SECRET, Grants, read_reference
from mirrorlint.source import Node

_PEM = "-----BEGIN"
SOME_PEM = base64.b64encode(_PEM.encode()).decode()
WITHHELD = "none"  # a value that is there and not told; in base64 it is no certificate


def refusal(gateway: Manifest, node: Node, grants: Grants, secrets: Mapping[tuple[str, str], Manifest]) -> str:
    """Why Istio doesn't take a `certificateRefs` entry ("" when it does); a Secret that is not in the manifests is taken to be fine."""
    reference = read_reference(node, gateway.namespace, SECRET)
    if reference.kind != SECRET:
        return "a certificate is a Secret"
    secret = secrets.get((reference.namespace, reference.name))
    if secret and not holds_pem(secret):
        return f"{secret} holds no certificate and key in PEM"
    return "" if grants.allow(GATEWAY, gateway.namespace, reference) else f"no ReferenceGrant in {reference.namespace} allows it"


def holds_pem(secret: Manifest) -> bool:
    """Whether a Secret may hold a certificate and its key; what is encrypted or filled in later may."""
    return all(may_be_pem(secret.node["data"][key].text) for key in ("tls.crt", "tls.key") if secret.node["data"][key])


def may_be_pem(text: str) -> bool:
    """Whether a value of a Secret's `data`, in base64, may be PEM."""
    return _PEM in _decoded(text)


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode(errors="replace") if text else _PEM
    except binascii.Error:
        return _PEM
