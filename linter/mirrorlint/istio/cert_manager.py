"""cert-manager's Certificates: the one kind of manifest that tells which names a server's certificate has."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from mirrorlint.fleet import Manifest


class Certificate(NamedTuple):
    """A Certificate: the Secret that it fills, and the names that it is for."""

    manifest: Manifest
    secret: str
    names: tuple[str, ...]

    def is_for(self, wanted: Iterable[str]) -> bool:
        """Whether it has one of some names; `*.example.com` stands for one label more (RFC 6125, 6.4.3)."""
        names = {name.lower() for name in self.names}
        return any({name.lower(), f"*.{name.lower().partition('.')[2]}"} & names for name in wanted)


def read_certificate(manifest: Manifest) -> Certificate:
    """A `cert-manager.io` Certificate."""
    spec = manifest.node["spec"]
    names = (name for kind in ("dnsNames", "ipAddresses", "uris", "emailAddresses") for name in spec[kind].texts)
    return Certificate(manifest, spec["secretName"].text, tuple(names))
