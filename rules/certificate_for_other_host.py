"""A TLS server of the target whose certificate is not for the name that the source verifies: the handshake fails."""

from __future__ import annotations

from mirrorlint.delivery import reason
from mirrorlint.delivery.way import reached
from mirrorlint.rule import Flaw, Loss, Remark

REASONS = (reason.CERTIFICATE_MISMATCH,)


def check(loss: Loss) -> Flaw:
    """Point at the certificate's first name."""
    certificate, upstream = reached(loss.end.certificate), reached(loss.way.upstream)
    names, rule = upstream.verified(loss.shadow.host), upstream.rule
    wanted = " or ".join(f"`{name}`" for name in names)
    if names == (upstream.sni_for(loss.shadow.host),) and not upstream.sni:
        wanted += ", the shadow's Host"
    message = f"{loss.source} verifies that {loss.end.cluster}'s certificate is for {wanted}, and it is not: the connection fails"
    notes = (Remark(rule.host_node, f"{rule.manifest} decides what is verified", loss.source),) if rule else ()
    return loss.at_target(certificate.manifest.node["spec"]["dnsNames"].at(0), message, certificate.manifest, *notes)
