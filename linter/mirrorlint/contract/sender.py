"""The smallest cluster that sends what an expectation says, so that the delivery can be asked what becomes of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mirrorlint.delivery.worlds import unsuffixed
from mirrorlint.fleet import Manifest
from mirrorlint.kinds import NETWORKING
from mirrorlint.loading.contracts import Expectation
from mirrorlint.loading.packing import standing

SENDER_PORT = 80
_ZONE = "mirrorlint.invalid"


def sender(expectation: Expectation) -> list[Manifest]:
    """An entry for the mirror's target, one for callers, and for each Host a VirtualService that writes it; all stand at the mirror."""
    return [Manifest(standing(each, expectation.at)) for each in _objects(expectation)]


def caller(number: int) -> str:
    """The host under which the Host with this number is sent."""
    return f"caller-{number}.{_ZONE}"


def _objects(expectation: Expectation) -> Iterator[dict[str, Any]]:
    namespace, _, name = expectation.owner.partition(" ")[2].rpartition("/")
    hosts = [unsuffixed(host, world) for _, world, host in expectation.sent()]
    target = {"host": expectation.host, "port": {"number": expectation.port}}
    endpoints = [{"address": host, "ports": {"http": port}} for host, port in expectation.endpoints]

    def made(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
        return {"apiVersion": f"{NETWORKING}/v1", "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec}

    yield made(
        "ServiceEntry", {"hosts": [expectation.host], "ports": [_port(expectation.port)], "resolution": "DNS", "endpoints": endpoints}
    )
    yield made("ServiceEntry", {"hosts": [caller(number) for number in range(len(hosts))], "ports": [_port(SENDER_PORT)]})
    if expectation.tls:
        yield made("DestinationRule", {"host": expectation.host, "trafficPolicy": {"tls": expectation.tls}})
    for number, host in enumerate(hosts):
        rule = {"route": [{"destination": target}], "rewrite": {"authority": host}, "mirror": target}
        yield made("VirtualService", {"hosts": [caller(number)], "http": [rule]})


def _port(number: int) -> dict[str, Any]:
    return {"number": number, "name": "http", "protocol": "HTTP"}
