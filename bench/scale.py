"""How long judging takes as a fleet grows: mirrors, services, namespaces and clusters, each alone and then all.

    scale.py [--full]

Mirrors are sidecars': each namespace calls each host that it sees under all its names. Every shadow goes to another cluster's gateway.
"""

from __future__ import annotations

import argparse
import gc
import time

import mirrorlint

SERVICE = """\
apiVersion: v1
kind: Service
metadata: {{name: s{n}, namespace: n{ns}}}
spec: {{ports: [{{port: 8000, name: http}}]}}
"""
MIRROR = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: s{n}, namespace: n{ns}}}
spec:
  hosts: [s{n}]
  http:
  - route: [{{destination: {{host: s{n}}}}}]
    mirror: {{host: gateway.c{to}.example.org, port: {{number: 80}}}}
"""
ENTRY = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: c{to}, namespace: n0}}
spec:
  hosts: [gateway.c{to}.example.org]
  ports: [{{number: 80, name: http, protocol: HTTP}}]
  resolution: DNS
"""
GATEWAY = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: entry, namespace: n0}
spec:
  selector: {istio: ingressgateway}
  servers:
  - port: {number: 80, name: http, protocol: HTTP}
    hosts: ["*"]
"""
ACCEPT = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: all, namespace: n0}
spec:
  hosts: ["*"]
  gateways: [entry]
  http:
  - route: [{destination: {host: s0.n0.svc.cluster.local}}]
"""


def texts(mirrors: int, services: int, namespaces: int, clusters: int) -> dict[str, str]:
    """The manifests of so many clusters with so many of each in all; a cluster mirrors to the next one."""
    found = {}
    for cluster in range(clusters):
        to = (cluster + 1) % clusters
        numbers = range(cluster, services, clusters)
        documents = [GATEWAY, ACCEPT, ENTRY.format(to=to), SERVICE.format(n=0, ns=0)]
        documents += [SERVICE.format(n=n, ns=n % namespaces) for n in numbers if n]
        documents += [MIRROR.format(n=n, ns=n % namespaces, to=to) for n in list(numbers)[: mirrors // clusters]]
        found[f"c{cluster}"] = "---\n".join(documents)
    return found


def seconds(mirrors: int, services: int, namespaces: int, clusters: int) -> tuple[float, float]:
    """How long reading and judging take."""
    ingress = {f"c{cluster}": [f"gateway.c{cluster}.example.org"] for cluster in range(clusters)}
    manifests = texts(mirrors, services, namespaces, clusters)
    gc.collect()
    gc.freeze()
    start = time.perf_counter()
    fleet = mirrorlint.loads(manifests, ingress=ingress)
    read = time.perf_counter()
    report = mirrorlint.check(fleet)
    end = time.perf_counter()
    if report.findings or len(report.mirrors) != mirrors // clusters * clusters:
        raise SystemExit(f"{len(report.findings)} findings, {len(report.mirrors)} mirrors: {report.findings[:1]}")
    return read - start, end - read


def main() -> None:
    """Print a line for each size."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--full", action="store_true", help="the largest size, too")
    sizes = [(50, 500, 10, 2), *((200, services, 40, 5) for services in (1000, 2000, 4000, 8000))]
    sizes += [(100, 4000, 40, 5), (400, 4000, 40, 5), (200, 4000, 20, 5), (200, 4000, 80, 5)]
    sizes += [(1000, 10000, 100, 5)] if parser.parse_args().full else []
    gc.disable()
    print("mirrors services namespaces clusters  read s  judge s")
    for size in sizes:
        read, judged = seconds(*size)
        print("{:7} {:8} {:10} {:8}".format(*size), f"{read:7.2f} {judged:8.2f}", flush=True)


main()
