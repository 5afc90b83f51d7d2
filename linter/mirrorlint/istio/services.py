"""The registry's services: Kubernetes Services and ServiceEntry hosts in one form (pilot/pkg/serviceregistry)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from mirrorlint.fleet import Manifest
from mirrorlint.istio.names import is_ip
from mirrorlint.istio.ports import Port, protocol, service_protocol
from mirrorlint.source import Node

STATIC, DNS, ROUND_ROBIN, NONE, ALIAS = "STATIC", "DNS", "DNS_ROUND_ROBIN", "NONE", "ALIAS"
EXPORT_ANNOTATION = "networking.istio.io/exportTo"


class Endpoint(NamedTuple):
    """An address of an entry; `ports` maps the entry's port names to this endpoint's own numbers."""

    address: str
    labels: Mapping[str, str]
    ports: Mapping[str, int]
    node: Node


class Service(NamedTuple):
    """A host of the registry.

    `resolution` is Istio's word for it, or ALIAS for type ExternalName; `kubernetes` tells a Service from a ServiceEntry;
    `alias_of` is the external name; `export_to` is empty when the mesh's default decides; `addresses` are the virtual IPs that manifests
    show; `selector` picks pods or WorkloadEntries when it `selects`; `node` is the ServiceEntry's host or the Service's name.
    """

    manifest: Manifest
    host: str
    namespace: str
    kubernetes: bool
    ports: tuple[Port, ...]
    resolution: str
    alias_of: str
    export_to: frozenset[str]
    addresses: tuple[str, ...]
    endpoints: tuple[Endpoint, ...]
    selector: Mapping[str, str]
    selects: bool
    node: Node

    def port(self, number: int) -> Port | None:
        """The port with this number; UDP doesn't count (model/service.go:PortList.GetByPort)."""
        return next((port for port in self.ports if port.number == number and port.protocol != "UDP"), None)

    @property
    def external(self) -> bool:
        """Whether it is outside the mesh, as an entry is that says nothing else (`MeshExternal` in kube and serviceentry/conversion.go)."""
        return bool(self.alias_of) if self.kubernetes else self.manifest.node["spec"]["location"].text != "MESH_INTERNAL"

    @property
    def numbered(self) -> tuple[Port, ...]:
        """The ports that say their number."""
        return tuple(port for port in self.ports if port.number > 0)

    @property
    def export_node(self) -> Node:
        """Where the object says to which namespaces it is exported, or where it would."""
        if self.kubernetes:
            return self.manifest.node["metadata"]["annotations"][EXPORT_ANNOTATION]
        return self.manifest.node["spec"]["exportTo"].at(0)


def read_service(manifest: Manifest, domain: str) -> Service:
    """A Kubernetes Service as the registry has it (kube/conversion.go:ConvertService)."""
    spec, metadata = manifest.node["spec"], manifest.node["metadata"]
    alias = spec.text_at("externalName") if spec.text_at("type") == "ExternalName" else ""
    ip = spec.text_at("clusterIP")
    headless = ip == "None"
    exports = metadata.text_at("annotations", EXPORT_ANNOTATION)
    selector = spec["selector"]
    return Service(
        manifest=manifest,
        host=f"{manifest.name}.{manifest.namespace}.svc.{domain}",
        namespace=manifest.namespace,
        kubernetes=True,
        ports=tuple(_port(p) for p in spec["ports"]),
        resolution=NONE if headless else ALIAS if alias else STATIC,
        alias_of=alias,
        export_to=frozenset(name.strip() for name in exports.split(",")) if exports else frozenset(),
        addresses=(ip,) if ip and not headless else (),
        endpoints=(),
        selector=selector.named_texts,
        selects=bool(selector),
        node=metadata["name"],
    )


def _port(node: Node) -> Port:
    port, target = node["port"], node["targetPort"]
    number, behind = port.number, target.number
    said = "" if behind else target.text
    return Port(number, node.text_at("name"), service_protocol(node, number), behind, port, node["nodePort"].number, said)


def read_endpoint(node: Node, labels: Mapping[str, str]) -> Endpoint:
    """An entry of `endpoints`, or a WorkloadEntry's spec."""
    return Endpoint(node["address"].text, labels, {name: value.number for name, value in node["ports"].items()}, node["address"])


def read_entry(manifest: Manifest) -> Iterator[Service]:
    """A ServiceEntry's hosts, one service each (serviceentry/conversion.go:convertServices); hosts are never expanded."""
    spec = manifest.node["spec"]
    ports = tuple(
        Port(p["number"].number, p["name"].text, protocol(p["protocol"].text), p["targetPort"].number, p["number"]) for p in spec["ports"]
    )
    ips = [address for address in spec["addresses"].texts if is_ip(address)]
    for host in spec["hosts"]:
        yield Service(
            manifest=manifest,
            host=host.text,
            namespace=manifest.namespace,
            kubernetes=False,
            ports=ports,
            resolution=spec["resolution"].text or NONE,
            alias_of="",
            export_to=frozenset(spec["exportTo"].texts),
            addresses=tuple(ips[-1:]),  # a service for each address, of which the last one keeps the name
            endpoints=tuple(read_endpoint(e, e["labels"].named_texts) for e in spec["endpoints"]),
            selector=spec["workloadSelector"]["labels"].named_texts,
            selects=bool(spec["workloadSelector"]),
            node=host,
        )


def final_host(host: str, target_of: Mapping[str, str]) -> str:
    """Where a chain of external names ends; a loop ends nowhere."""
    seen = set()
    while host in target_of and host not in seen:
        seen.add(host)
        host = target_of[host]
    return "" if host in seen else host
