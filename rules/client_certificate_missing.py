"""TLS without a client certificate to a server of the target that asks for one: the handshake fails."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.delivery.way import reached
from mirrorlint.level import OFF
from mirrorlint.rule import Flaw, Remark, Subject

LEVEL = OFF


def check(subject: Subject) -> Iterator[Flaw]:
    """Point at the server's mode."""
    said = set()
    for judged, way, end in subject.arrivals():
        server, mode = reached(end.chain).servers[0], reached(way.upstream).client_tls["mode"]
        if server.mode == "MUTUAL" and mode.text == "SIMPLE" and (server.node, mode) not in said:
            said.add((server.node, mode))
            message = f"this server asks for a client certificate, and {judged.cluster} shows none (`mode: SIMPLE`): the connection fails"
            mirror = Remark(judged.mirror.destination.host_node, "this mirror sends its shadows there", judged.cluster)
            remarks = (mirror, Remark(mode, "the source's TLS brings no certificate", judged.cluster))
            yield Flaw(server.node["tls"]["mode"].place, message, end.cluster, str(server.gateway.manifest), remarks)
