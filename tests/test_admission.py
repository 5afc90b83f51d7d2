"""Refused is what Istio's own ValidateConfig refuses: the tables hold istiod's answers, and the CRDs' where they say so."""

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirrorlint.istio.admission import Refusal, judged
from mirrorlint.istio.admission.values import regex
from mirrorlint.source import Node, parse

TRUTH = Path(__file__).parent / "truth"

# What only one kind is told, in Istio's words, to see that the right object is refused.
SAID_OF = {
    "server": "Gateway",
    "short names": "Gateway",
    "HTTP route": "VirtualService",
    "wildcard host": "VirtualService",
    "authority header": "VirtualService",
    "top level domain": "VirtualService",
    "exportTo ~": "VirtualService",
    "endpoint": "ServiceEntry",
}

ROUTE = "route: [{destination: {host: b}}]"
SPECS = {
    "VirtualService": ("VirtualService", "{" + f"http: [{{{ROUTE}}}], " + "%s}"),
    "VirtualService alone": ("VirtualService", "{%s}"),
    "rule": ("VirtualService", "{hosts: [a.example.com], http: [{" + ROUTE + ", %s}]}"),
    "rule alone": ("VirtualService", "{hosts: [a.example.com], http: [{%s}]}"),
    "match": ("VirtualService", "{hosts: [a.example.com], http: [{match: [{%s}], " + ROUTE + "}]}"),
    "retries": ("VirtualService", "{hosts: [a.example.com], http: [{retries: {%s}, " + ROUTE + "}]}"),
    "TLS rule": ("VirtualService", "{hosts: ['*.example.com'], tls: [{%s}]}"),
    "ServiceEntry": ("ServiceEntry", "{ports: [{number: 80, name: http, protocol: HTTP}], %s}"),
    "ServiceEntry alone": ("ServiceEntry", "{%s}"),
    "Gateway": ("Gateway", "{%s}"),
    "server": ("Gateway", "{servers: [{hosts: ['*'], port: {number: 80, name: web, protocol: HTTP}, %s}]}"),
    "TLS server": ("Gateway", "{servers: [{hosts: ['*'], port: {number: 443, name: tls, protocol: HTTPS}, %s}]}"),
    "server host": ("Gateway", "{servers: [{hosts: [%s], port: {number: 80, name: web, protocol: HTTP}}]}"),
    "server port": ("Gateway", "{servers: [{hosts: ['*'], port: {%s}}]}"),
    "DestinationRule": ("DestinationRule", "{host: b, %s}"),
    "DestinationRule alone": ("DestinationRule", "{%s}"),
    "policy": ("DestinationRule", "{host: b, trafficPolicy: {%s}}"),
    "Sidecar": ("Sidecar", "{%s}"),
    "WorkloadEntry": ("WorkloadEntry", "{%s}"),
    "egress": ("Sidecar", "{egress: [{%s}]}"),
    "egress host": ("Sidecar", "{egress: [{hosts: [%s]}]}"),
    "ingress alone": ("Sidecar", "{ingress: [{%s}]}"),
    "ingress": ("Sidecar", "{ingress: [{port: {number: 80, name: web, protocol: HTTPS}, %s}]}"),
    "AuthorizationPolicy": ("AuthorizationPolicy", "{%s}"),
    "policy rule": ("AuthorizationPolicy", "{rules: [{%s}]}"),
    "source": ("AuthorizationPolicy", "{rules: [{from: [{source: {%s}}]}]}"),
    "operation": ("AuthorizationPolicy", "{rules: [{to: [{operation: {%s}}]}]}"),
    "condition": ("AuthorizationPolicy", "{rules: [{when: [{%s}]}]}"),
    "target": ("AuthorizationPolicy", "{targetRefs: [{%s}]}"),
    "PeerAuthentication": ("PeerAuthentication", "{%s}"),
    "mode": ("PeerAuthentication", "{mtls: {%s}}"),
    "selecting": ("PeerAuthentication", "{selector: {matchLabels: {a: b}}, %s}"),
}

REFUSED = {
    "VirtualService": [
        "hosts: ['*']",
        "hosts: ['*'], gateways: [mesh, gw]",
        "hosts: [a_b.com]",
        "hosts: [a.example.com, '*.example.com']",
        "hosts: ['*.svc-shadow', '*.frontend.svc-shadow']",
        "hosts: [httpbin, httpbin]",
        "hosts: ['']",
        "hosts: [a..b]",
        "hosts: ['a.*.com']",
        "hosts: ['a:80']",
        "hosts: ['999.1.1.1']",
        "hosts: httpbin",
        "hosts: [1]",
        "hosts: [yes]",
        "hosts: [a], gateways: [a_b]",
        "hosts: [a], gateways: [ns/a.b]",
        "hosts: [a], gateways: [./gw]",
        "hosts: [a], gateways: [ns/]",
        "hosts: [a], gateways: ['']",
        "hosts: [a], exportTo: ['~']",
        "hosts: [a], exportTo: ['*', other]",
        "hosts: [a], exportTo: [., default]",
        "hosts: [a], exportTo: [other, other]",
        "hosts: [a], exportTo: [a.b]",
        "hosts: [a], exportTo: '*'",
        "gateways: [gw]",
    ],
    "VirtualService alone": [
        "",
        "hosts: [a]",
        "hosts: [a], http: []",
        "hosts: [a], http: {}",
        "hosts: [a], tcp: [{}]",
        "hosts: [a], tcp: [{match: [{port: 70000}], route: [{destination: {host: b}}]}]",
        "hosts: [a], tcp: [{match: [{destinationSubnets: [10.0.0.0/33]}], route: [{destination: {host: b}}]}]",
        "http: [{delegate: {name: d}, route: [{destination: {host: b}}]}]",
        "http: [{delegate: {name: d}}]",
    ],
    "rule": [
        "mirror: {host: m}, mirrors: [{destination: {host: m}}]",
        "mirror: {host: '*'}",
        "mirror: {host: 203.0.113.10}",
        "mirror: {host: 'fe80::1'}",
        "mirror: {host: ''}",
        "mirror: {}",
        "mirror: m",
        "mirror: {host: m:80}",
        "mirror: {host: m, port: 80}",
        "mirror: {host: m, port: {}}",
        "mirror: {host: m, port: {number: 0}}",
        "mirror: {host: m, port: {number: 65536}}",
        "mirror: {host: m, port: {number: http}}",
        "mirror: {host: m, subset: v.1}",
        "mirror: {host: 10}",
        "mirrors: [{}]",
        "mirrors: [{percentage: {value: 1}}]",
        "mirrors: [{destination: {host: m}, percentage: {value: 101}}]",
        "mirrors: [{destination: {host: m}, percentage: 50}]",
        "mirrors: {destination: {host: m}}",
        "mirrorPercentage: {value: 100.1}",
        "mirrorPercentage: {value: -1}",
        "mirrorPercentage: 50",
        "mirrorPercent: 101",
        "mirrorPercent: -1",
        "mirrorPercent: 0.5",
        "redirect: {authority: x.com}",
        "directResponse: {status: 200}",
        "delegate: {name: d}",
        "rewrite: {}",
        "rewrite: {uri: ''}",
        "rewrite: {uri: /a, uriRegexRewrite: {match: a, rewrite: b}}",
        "rewrite: {uriRegexRewrite: {match: a}}",
        "rewrite: {uriRegexRewrite: {match: (, rewrite: b}}",
        "rewrite: {authority: x.com}, headers: {request: {set: {Host: y.com}}}",
        "headers: {request: {set: {':authority': x.com, host: y.com}}}",
        "headers: {request: {add: {':path': /x}}}",
        "headers: {request: {set: {x-a: 50%}}}",
        "headers: {request: {set: {x-a: '%START_TIME%%'}}}",
        "headers: {request: {set: {x-a: 1}}}",
        "headers: {request: {remove: [host]}}",
        "headers: {request: {remove: [':path']}}",
        "headers: {request: {remove: ['']}}",
        'headers: {request: {set: {x-a: "\\x01"}}}',
        "headers: {response: {set: {Host: x}}}",
        "timeout: 5",
        "timeout: 5 s",
        "timeout: 0s",
        "timeout: 1.5ms",
        "timeout: ''",
        "fault: {}",
        "fault: {abort: {httpStatus: 100}}",
        "fault: {abort: {grpcStatus: not_found}}",
        "fault: {delay: {fixedDelay: 5s, percentage: {value: 0.00001}}}",
        "fault: {delay: {exponentialDelay: 5s}}",
        "corsPolicy: {allowOrigins: [{}]}",
        "corsPolicy: {allowOrigins: ['*']}",
        "corsPolicy: {allowMethods: [get]}",
        "corsPolicy: {allowHeaders: ['a b']}",
        "corsPolicy: {maxAge: 1.5s}",
        "corsPolicy: {unmatchedPreflights: forward}",
    ],
    "rule alone": [
        "",
        "mirror: {host: m}",
        "route: [{}]",
        "route: [{destination: {port: {number: 80}}}]",
        "route: [{destination: {host: b}, weight: 0}, {destination: {host: c}}]",
        "route: [{destination: {host: b}, weight: -1}]",
        "route: [{destination: {host: b}, weight: 50%}]",
        "route: {destination: {host: b}}",
        "delegate: {name: d}, redirect: {uri: /x}",
        "redirect: {}",
        "redirect: {uri: /a, prefixRewrite: /b}",
        "redirect: {uri: /a, redirectCode: 200}",
        "redirect: {scheme: ftp}",
        "redirect: {port: 70000}",
        "redirect: {derivePort: from_request_port}",
        "redirect: {prefixRewrite: /b}, match: [{uri: {exact: /a}}]",
        "redirect: {uri: /a}, rewrite: {uri: /b}",
        "redirect: {uri: /a}, fault: {abort: {httpStatus: 500}}",
        "redirect: {uri: /a}, directResponse: {status: 200}",
        "directResponse: {status: 199}",
        "directResponse: {status: 200, body: {bytes: '?'}}",
        "directResponse: {}",
    ],
    "match": [
        "uri: /a",
        "uri: {exact: 1}",
        "uri: {regex: ''}",
        "uri: {regex: '(?!a)'}",
        "method: {prefix: ''}",
        "headers: {x y: {exact: a}}",
        "headers: {'': {exact: a}}",
        "headers: {x-env: stage}",
        "headers: {'@request.auth.claims.sub': {exact: a}}",
        "queryParams: {q: {regex: '['}}",
        "port: 65536",
        "gateways: [a_b]",
        "sourceNamespace: a.b",
        "sourceLabels: {app: a b}",
        "sourceLabels: {a/b/c: x}",
        "sourceLabels: {app: 1}",
    ],
    "retries": [
        "attempts: -1",
        "attempts: 0, perTryTimeout: 2s",
        "retryOn: 5xx",
        "attempts: 1, retryOn: '5xx, 503'",
        "attempts: 1, retryOn: foo",
        "attempts: 1, retryOn: '299'",
        "attempts: 1, perTryTimeout: 0s",
    ],
    "TLS rule": [
        f"{ROUTE}",
        f"match: [{{}}], {ROUTE}",
        "match: [{sniHosts: [a.example.com]}]",
        f"match: [{{sniHosts: [a.com]}}], {ROUTE}",
        f"match: [{{sniHosts: ['*']}}], {ROUTE}",
        f"match: [{{sniHosts: [a_b.example.com]}}], {ROUTE}",
    ],
    "WorkloadEntry": [
        "address: 198.51.1007",
        "address: 300.1.1.1",
        "address: a_b",
        "address: ''",
        "labels: {app: shop}",
        "address: unix://relative",
        "address: unix:///run/a.sock, ports: {http: 80}",
        "address: 10.0.0.1, ports: {http: 99999}",
        "address: 10.0.0.1, labels: {app: a b}",
    ],
    "ServiceEntry": [
        "hosts: []",
        "hosts: ['*']",
        "hosts: [a_b]",
        "hosts: ['*.example.com'], resolution: DNS",
        "hosts: ['*.example.com'], resolution: DNS_ROUND_ROBIN",
        "hosts: ['stage.10'], resolution: DNS",
        "hosts: [a.com], resolution: dns",
        "hosts: [a.com], resolution: LOGICAL_DNS",
        "hosts: [a.com], location: mesh_external",
        "hosts: [a.com], endpoints: [{address: 10.0.0.1}]",
        "hosts: [a.com], resolution: NONE, endpoints: [{address: 10.0.0.1}]",
        "hosts: [a.com], resolution: STATIC, endpoints: [{address: stage.example.com}]",
        "hosts: [a.com], resolution: STATIC, endpoints: [{}]",
        "hosts: [a.com], resolution: STATIC, endpoints: ['10.0.0.1']",
        "hosts: [a.com], resolution: STATIC, endpoints: [{address: 'unix://x'}]",
        "hosts: [a.com], resolution: STATIC, endpoints: [{address: 'unix:///x', ports: {http: 80}}]",
        "hosts: [a.com], resolution: DNS, endpoints: [{}]",
        "hosts: [a.com], resolution: DNS, endpoints: [{address: '*.b.com'}]",
        "hosts: [a.com], resolution: DNS, endpoints: [{address: 'b.com:80'}]",
        "hosts: [a.com], resolution: DNS, endpoints: [{address: b.com, ports: {web: 80}}]",
        "hosts: [a.com], resolution: DNS, endpoints: [{address: b.com, ports: {80: 8080}}]",
        "hosts: [a.com], resolution: DNS, endpoints: [{address: b.com, ports: {http: 0}}]",
        "hosts: [a.com], resolution: DNS, endpoints: [{address: b.com, labels: {a: b c}}]",
        "hosts: [a.com], resolution: DNS_ROUND_ROBIN, endpoints: [{address: b.com}, {address: c.com}]",
        "hosts: [a.com], resolution: DNS, addresses: [10.0.0.0/8]",
        "hosts: [a.com], addresses: [10.0.0.0/33]",
        "hosts: [a.com], addresses: [10.0.0.1/255.0.0.0]",
        "hosts: [a.com], addresses: [b.com]",
        "hosts: [a.com], resolution: DYNAMIC_DNS",
        "hosts: ['*.a.com'], resolution: DYNAMIC_DNS, addresses: [10.0.0.1]",
        "hosts: ['*.a.com'], resolution: DYNAMIC_DNS, endpoints: [{address: b.com}]",
        "hosts: [a.com], resolution: STATIC, workloadSelector: {labels: {a: b}}, endpoints: [{address: 10.0.0.1}]",
        "hosts: [a.com], workloadSelector: {labels: {a: '*'}}",
        "hosts: [a.com], workloadSelector: {labels: {'': b}}",
        "hosts: [a.com], exportTo: ['~', other]",
        "hosts: [a.com], exportTo: ['*', '~']",
    ],
    "ServiceEntry alone": [
        "",
        "hosts: [a.com], ports: [{number: 80, name: http}, {number: 81, name: http}]",
        "hosts: [a.com], ports: [{number: 80, name: http}, {number: 80, name: web}]",
        "hosts: [a.com], ports: [{number: 80, name: a.b}]",
        "hosts: [a.com], ports: [{number: 80}]",
        "hosts: [a.com], ports: [{name: http}]",
        "hosts: [a.com], ports: [{number: 80, name: http, protocol: FOO}]",
        "hosts: [a.com], ports: [{number: 80, name: http, targetPort: 70000}]",
        "hosts: [a.com], ports: [80]",
        "hosts: [a.com, b.com], resolution: DNS, ports: [{number: 80, name: tcp, protocol: TCP}]",
        "hosts: [a.com, b.com], resolution: DNS, ports: [{number: 80, name: any}]",
        "hosts: ['*.a.com'], resolution: DYNAMIC_DNS, ports: [{number: 443, name: https, protocol: HTTPS}]",
        "hosts: [a.com], resolution: STATIC, endpoints: [{address: 'unix:///x'}]",
    ],
    "Gateway": [
        "",
        "selector: {istio: ingressgateway}",
        "servers: [{hosts: ['*']}]",
        "servers: [{port: {number: 80, name: web, protocol: HTTP}}]",
        "servers: [{hosts: [], port: {number: 80, name: web, protocol: HTTP}}]",
        "servers: [{hosts: [a.b], port: &port {number: 80, name: a, protocol: HTTP}}, {hosts: [c.d], port: *port}]",
        "selector: {app: 1}, servers: [{hosts: ['*'], port: {number: 80, name: a, protocol: HTTP}}]",
        "servers: [{hosts: ['*'], port: {number: 80, name: a, protocol: TCP}, tls: {httpsRedirect: true}}]",
    ],
    "server": [
        "tls: {mode: SIMPLE, credentialName: c}",
        "tls: {mode: ISTIO_MUTUAL}",
        "tls: {httpsRedirect: true, mode: SIMPLE}",
        "tls: {httpsRedirect: true, privateKey: /k}",
        "bind: foo",
        "bind: 'unix:///x'",
    ],
    "TLS server": [
        "name: x",
        "tls: {mode: simple, credentialName: c}",
        "tls: {mode: SIMPLE}",
        "tls: {mode: SIMPLE, privateKey: /k}",
        "tls: {mode: SIMPLE, credentialName: c, credentialNames: [d]}",
        "tls: {mode: SIMPLE, serverCertificate: /c, privateKey: /k, caCrl: /r}",
        "tls: {mode: MUTUAL, serverCertificate: /c, privateKey: /k}",
        "tls: {mode: ISTIO_MUTUAL, credentialName: c}",
        "tls: {mode: PASSTHROUGH, credentialName: c, caCrl: /r}",
        "tls: {mode: SIMPLE, tlsCertificates: [{serverCertificate: /c}]}",
        "tls: {credentialName: c, httpsRedirect: 'true'}",
        "tls: {minProtocolVersion: '1.2'}",
    ],
    "server host": [
        "httpbin",
        "'*-shadow'",
        "'*foo.com'",
        "'a_b.com'",
        "'ns/httpbin'",
        "'ns/'",
        "'/a.com'",
        "'~/*'",
        "'a.b/*'",
        "'a.com:80'",
        "'fe80::1'",
    ],
    "server port": [
        "number: 80, protocol: HTTP",
        "number: 80, name: ''",
        "number: 80, name: web",
        "number: 80, name: web, protocol: FOO",
        "number: 80, name: web, protocol: FOO}, tls: {mode: SIMPLE, credentialName: c",
        "number: 0, name: web, protocol: HTTP",
        "number: 70000, name: web, protocol: HTTP",
        "number: 80, name: web, protocol: HTTP, targetPort: 8080",
    ],
    "DestinationRule alone": ["", "host: ''", "host: a_b", "host: 10.0.0.1"],
    "DestinationRule": [
        "subsets: [{name: v1}, {name: v1}]",
        "subsets: [{labels: {a: b}}]",
        "subsets: [{name: v1.0}]",
        "subsets: [{name: v1, labels: {version: 1}}]",
        "subsets: [{name: v1, labels: {a b: c}}]",
        "subsets: [{name: v1, trafficPolicy: {}}]",
        "trafficPolicy: {}",
        "trafficPolicy: {portLevelSettings: []}",
        "exportTo: ['~']",
        "workloadSelector: {matchLabels: {a: b}}, exportTo: ['*']",
        "workloadSelector: {matchLabels: {a: '*'}}",
    ],
    "policy": [
        "tls: {mode: simple}",
        "tls: {mode: PASSTHROUGH}",
        "tls: {mode: MUTUAL}",
        "tls: {mode: MUTUAL, clientCertificate: /c}",
        "tls: {mode: SIMPLE, credentialName: c, caCertificates: /ca}",
        "tls: {mode: SIMPLE, insecureSkipVerify: true, subjectAltNames: [a]}",
        "tls: {mode: SIMPLE, credentialName: 'configmap://other/c'}",
        "tls: {mode: SIMPLE, subjectAltNames: a}",
        "portLevelSettings: [{tls: {mode: DISABLE}}]",
        "portLevelSettings: [{port: {number: 80}}]",
        "portLevelSettings: [{port: 80, tls: {mode: DISABLE}}]",
        "loadBalancer: {simple: round_robin}",
        "loadBalancer: {consistentHash: {httpCookie: {ttl: 0s}}}",
        "loadBalancer: {consistentHash: {httpCookie: {name: c, attributes: [{name: a}, {name: a}]}}}",
        "loadBalancer: {consistentHash: {minimumRingSize: 1, ringHash: {}}}",
        "loadBalancer: {consistentHash: {maglev: {tableSize: 4}}}",
        "loadBalancer: {localityLbSetting: {distribute: [{from: a, to: {b: 50}}]}}",
        "loadBalancer: {localityLbSetting: {distribute: [{from: a, to: {b: 101, c: -1}}]}}",
        "loadBalancer: {localityLbSetting: {distribute: [{from: a, to: {b: 100, c: 0}}]}}",
        "loadBalancer: {localityLbSetting: {distribute: [{from: 'a*b', to: {b: 100}}]}}",
        "loadBalancer: {localityLbSetting: {distribute: [{from: a//b, to: {b: 100}}]}}",
        "loadBalancer: {localityLbSetting: {distribute: [{from: a, to: {b: 100}}], failover: [{from: a, to: b}]}}",
        "loadBalancer: {localityLbSetting: {failover: [{from: a, to: a}]}}",
        "loadBalancer: {localityLbSetting: {failover: [{from: a/b, to: c}]}}",
        "loadBalancer: {localityLbSetting: {failover: [{from: a, to: b}], failoverPriority: [topology.kubernetes.io/zone]}}",
        "loadBalancer: {zoneAwareLbSetting: {failoverPriority: [topology.kubernetes.io/zone]}}",
        "loadBalancer: {localityLbSetting: {}, zoneAwareLbSetting: {}}",
        "loadBalancer: {warmup: {}}",
        "loadBalancer: {warmup: {duration: 1s, aggression: 0}}",
        "loadBalancer: {warmup: {duration: 1s, minimumPercent: 101}}",
        "connectionPool: {}",
        "connectionPool: {tcp: {maxConnections: -1}}",
        "connectionPool: {tcp: {connectTimeout: 10}}",
        "connectionPool: {tcp: {idleTimeout: 1.5ms}}",
        "connectionPool: {http: {h2UpgradePolicy: UPGRADE, useClientProtocol: true}}",
        "connectionPool: {http: {http2KeepAlive: {interval: 1s}}}",
        "outlierDetection: {maxEjectionPercent: 101}",
        "outlierDetection: {consecutiveLocalOriginFailures: 1}",
        "outlierDetection: {interval: 5}",
        "tunnel: {targetHost: a.com}",
        "tunnel: {targetHost: '*', targetPort: 80}",
        "tunnel: {targetHost: a.com, targetPort: 80, protocol: GET}",
        "tunnel: {targetHost: a.com, targetPort: 80}, proxyProtocol: {}",
    ],
    "Sidecar": [
        "",
        "workloadSelector: {labels: {a: b}}",
        "egress: [{hosts: [./*]}], workloadSelector: {labels: {a: '*'}}",
        "egress: [{hosts: [./*]}, {hosts: [other/*]}]",
        "egress: [{port: {number: 80}, hosts: [./*]}, {port: {number: 80}, hosts: [./*]}]",
        "outboundTrafficPolicy: {mode: registry_only}",
        "outboundTrafficPolicy: {mode: ALLOW_ANY, egressProxy: {host: a.com}}",
        "outboundTrafficPolicy: {mode: ALLOW_ANY, egressProxy: {host: '*.a.com', port: {number: 80}}}",
        "outboundTrafficPolicy: {egressProxy: {host: a.com, port: {number: 80}}}",
        "inboundConnectionPool: {}",
    ],
    "egress": [
        "",
        "hosts: []",
        "port: {number: 70000}, hosts: [./*]",
        "port: {number: 80, protocol: FOO}, hosts: [./*]",
        "port: {number: 80, name: a.b}, hosts: [./*]",
        "port: {number: 80, targetPort: 80}, hosts: [./*]",
        "port: {number: 80}, bind: x, hosts: [./*]",
        "port: {protocol: HTTP}, hosts: [./*]",
        "port: {protocol: HTTP}, bind: /x, hosts: [./*]",
        "port: {protocol: HTTP}, bind: 'unix://x', hosts: [./*]",
        "port: {protocol: HTTP}, bind: 'unix:///x', captureMode: IPTABLES, hosts: [./*]",
    ],
    "egress host": ["'*'", "httpbin.org", "./httpbin", "ns/", "/a.com", "'a.b/*'", "'ns/*foo.com'", "ns/10.0.0.1", "~~/*"],
    "ingress": [
        "defaultEndpoint: '127.0.0.1'",
        "defaultEndpoint: '10.0.0.1:80'",
        "defaultEndpoint: '[::2]:80'",
        "defaultEndpoint: '127.0.0.1:0'",
        "defaultEndpoint: 'unix://x'",
        "bind: 'unix:///x'",
        "tls: {mode: ISTIO_MUTUAL}",
        "tls: {mode: SIMPLE, credentialName: c}",
        "tls: {mode: SIMPLE, serverCertificate: /c, privateKey: /k, httpsRedirect: true}",
        "tls: {mode: SIMPLE, serverCertificate: /c, privateKey: /k, subjectAltNames: [a]}",
    ],
    "ingress alone": [
        "",
        "port: {protocol: HTTP}",
        "port: {number: 80, protocol: HTTP}, tls: {mode: SIMPLE, serverCertificate: /c, privateKey: /k}",
        "port: {number: 80, protocol: HTTP}}, {port: {number: 80, protocol: HTTP}",
    ],
    "AuthorizationPolicy": [
        "action: deny, rules: [{}]",
        "action: DENY",
        "action: DENY, rules: []",
        "action: CUSTOM, rules: [{}]",
        "action: CUSTOM, provider: {}, rules: [{}]",
        "action: CUSTOM, provider: {name: x}",
        "provider: {name: x}",
        "action: DENY, provider: {name: x}, rules: [{}]",
        "rules: {}",
        "rules: [[]]",
        "selector: {matchLabels: {a: '*'}}",
        "selector: {matchLabels: {'': b}}",
        "selector: {matchLabels: {a: 1}}",
        "selector: {matchLabels: {a: b}}, targetRefs: [{kind: Service, name: g}]",
        "selector: {}, targetRef: {kind: Service, name: g}",
        "targetRef: {kind: Service, name: g}, targetRefs: [{kind: Service, name: g}]",
        "targetRefs: {kind: Service, name: g}",
    ],
    "PeerAuthentication": [
        "mtls: [STRICT]",
        "mtls: STRICT",
        "portLevelMtls: {8080: {mode: STRICT}}",
        "selector: {}, portLevelMtls: {8080: {mode: STRICT}}",
        "selector: {matchLabels: {}}, portLevelMtls: {8080: {mode: DISABLE}}",
        "selector: {matchLabels: {a: '*'}}",
        "selector: {matchLabels: {'': b}}",
        "selector: {matchLabels: {a: 1}}",
    ],
    "mode": ["mode: strict", "mode: MUTUAL", "mode: ''", "mode: true"],
    "selecting": [
        "portLevelMtls: {}",
        "portLevelMtls: [8080]",
        "portLevelMtls: {0: {mode: STRICT}}",
        "portLevelMtls: {65536: {mode: STRICT}}",
        "portLevelMtls: {'080': {mode: STRICT}}",
        "portLevelMtls: {http: {mode: STRICT}}",
        "portLevelMtls: {8080: STRICT}",
        "portLevelMtls: {8080: {mode: on}}",
    ],
    "policy rule": ["from: [{}]", "to: [{}]"],
    "source": [
        "",
        "principals: []",
        "principals: ['']",
        "ipBlocks: [10.0.0.0/33]",
        "notRemoteIpBlocks: [a]",
    ],
    "operation": [
        "",
        "methods: []",
        "methods: GET",
        "notPaths: ['']",
        "ports: [80]",
        "ports: [http]",
        "notPorts: ['65536']",
    ],
    "condition": [
        "",
        "values: [a]",
        "key: 'request.headers[a]'",
        "key: 'request.headers[a]', values: ['']",
        "key: request.headers, values: [b]",
        "key: 'request.headers[]', values: [b]",
        "key: request.auth.claims, notValues: [b]",
        "key: destination.port, notValues: [http]",
    ],
    "target": [
        "kind: Gateway, name: g",
        "kind: Gateway, group: gateway.networking.k8s.io",
        "name: g",
        "kind: Service, name: g, namespace: b",
    ],
}

ACCEPTED = {
    "VirtualService": [
        "hosts: ['*'], gateways: [gw]",
        "hosts: ['*-shadow']",
        "hosts: ['*a.com', b.com]",
        "hosts: [A.Example.com]",
        "hosts: [a.example.com.]",
        "hosts: [10.0.0.1]",
        "hosts: ['fe80::1']",
        "hosts: ['123']",
        "hosts: [a], gateways: [mesh, a_b/c.d]",  # nothing behind the first name without a namespace is looked at
        "hosts: [a], gateways: [gw.ns.svc.cluster.local, ns/gw]",
        "hosts: [a], gateways: []",
        "hosts: [a], exportTo: [.]",
        "hosts: [a], exportTo: ['*']",
        "hosts: [a], exportTo: [., other]",
        "hosts: [a], exportTo: []",
        "hosts: []",
        "hosts: null",
    ],
    "VirtualService alone": [
        "http: [{delegate: null, route: [{destination: {host: b}}]}]",
        "hosts: [a], http: [{delegate: {}}]",
        "hosts: [a], http: [{delegate: {name: d, namespace: ns}, route: []}]",
        "hosts: [a], tcp: [{route: [{destination: {host: b}}]}]",
        "hosts: ['*.example.com'], gateways: [gw], tls: [{match: [{sniHosts: [a.example.com]}], route: [{destination: {host: b}}]}]",
        "hosts: ['*'], gateways: [gw], tls: [{match: [{sniHosts: [outbound_.80_._.b.com]}], route: [{destination: {host: b}}]}]",
    ],
    "rule": [
        "mirror: {host: m}, mirrors: []",
        "mirror: {host: '*.m.com'}",
        "mirror: {host: M.example.com., port: {number: 80}, subset: V1}",
        "mirror: {host: m, subset: ''}",
        "mirror: null, mirrorPercentage: null",
        "mirrors: [{destination: {host: m}}, {destination: {host: m}, percentage: {}}]",
        "mirrorPercentage: {value: 0.00001}",
        "mirrorPercentage: {value: 100}",
        "mirrorPercentage: {}",
        "mirrorPercent: 0",
        "rewrite: {authority: x.com}, headers: {request: {set: {x-a: '%REQ(x-b)%', x-c: 100%%}}}",
        "rewrite: {uri: /a}",
        "rewrite: {uriRegexRewrite: {match: /a, rewrite: /b}}",
        "headers: {request: {set: {Host: x.com}}}",
        "headers: {request: {set: {a b: c}}}",
        "headers: {request: {remove: [x-a]}, response: {remove: [x-a]}}",
        "timeout: 1h30m",
        "timeout: 1.5s",
        "fault: {abort: {}}",
        "fault: {delay: {fixedDelay: 5s, percentage: {value: 0}}}",
        "corsPolicy: {allowOrigins: [{exact: '*'}], allowMethods: ['*'], allowHeaders: ['*'], maxAge: 24h}",
        "corsPolicy: {allowHeaders: ['a,b']}",
    ],
    "rule alone": [
        "route: [{destination: {host: b}, weight: 0}]",
        "route: [{destination: {host: b}, weight: 10}, {destination: {host: c}}]",
        "redirect: {port: 443}",
        "redirect: {uri: /a, redirectCode: 0}",
        "redirect: {uri: /a, redirectCode: 301}, match: [{uri: {exact: /a}}]",
        "redirect: {derivePort: FROM_REQUEST_PORT}",
        "redirect: {prefixRewrite: /b}, match: [{uri: {prefix: /a}}, {port: 80}]",
        "redirect: {uri: /a}, mirror: {host: m}",
        "directResponse: {status: 600}",
        "directResponse: {status: 503, body: {string: down}}",
        "directResponse: {status: 503, body: {bytes: ZG93bg==}}",
    ],
    "match": [
        "uri: {prefix: ''}",
        "uri: {}",
        "uri: {regex: '(?i)/a/[^/]+\\.html'}",
        "headers: {':method': {exact: GET}, x-a: {}}",
        "headers: {x-a: null}",
        "withoutHeaders: {x-a: {regex: '*'}}",
        "port: 0",
        "sourceNamespace: ''",
        "sourceLabels: {app.kubernetes.io/name: a, b: ''}",
    ],
    "retries": ["", "attempts: 0", "attempts: 3, retryOn: '5xx,503,+505'", "attempts: 3, retryOn: ''", "attempts: 0, retryOn: ''"],
    "TLS rule": [
        f"match: [{{sniHosts: [a.example.com], port: 443}}], {ROUTE}",
        f"match: [{{sniHosts: [10.0.0.1]}}], {ROUTE}",
    ],
    "WorkloadEntry": [
        "address: 10.0.0.1, ports: {http: 8080}, labels: {app: shop}, serviceAccount: shop",
        "address: vm.example.com",
        "address: '2001:db8::1'",
        "address: unix:///run/a.sock",
        "network: west",
    ],
    "ServiceEntry": [
        "hosts: [a.com]",
        "hosts: ['*.example.com']",
        "hosts: ['*.example.com'], resolution: DNS, endpoints: [{address: b.com}]",
        "hosts: ['*.a.com'], resolution: DYNAMIC_DNS, location: MESH_INTERNAL",
        "hosts: [httpbin], resolution: DNS",
        "hosts: [a.com], resolution: DNS, endpoints: [{address: b.com, ports: {http: 8080}}]",
        "hosts: [a.com], resolution: DNS, endpoints: [{address: 10.0.0.1}, {address: 'fe80::1'}]",
        "hosts: [a.com], resolution: DNS_ROUND_ROBIN, endpoints: [{address: b.com}]",
        "hosts: [a.com], resolution: STATIC",
        "hosts: [a.com], resolution: STATIC, endpoints: [{network: other}]",
        "hosts: [a.com], resolution: STATIC, endpoints: [{address: 'unix:///x'}]",
        "hosts: [a.com], resolution: STATIC, endpoints: [{address: 'unix://@x'}]",
        "hosts: [a.com], resolution: STATIC, addresses: [10.0.0.0/8, 10.0.0.1/8, '2001:db8::/32']",
        "hosts: [a.com], resolution: STATIC, workloadSelector: {labels: {a: b}}",
        "hosts: [a.com], workloadSelector: {}, endpoints: null",
        "hosts: [a.com], exportTo: ['~']",
        "hosts: [a.com], exportTo: [., other]",
        "hosts: [a.com], workloadSelector: {labels: {a: b}}, exportTo: [other]",
    ],
    "ServiceEntry alone": [
        "hosts: [a.com]",
        "hosts: [a.com], ports: [{number: 80, name: HTTP, protocol: grpc-web, targetPort: 0}]",
        "hosts: [a.com, b.com], ports: [{number: 80, name: tcp, protocol: TCP}]",
        "hosts: [a.com, b.com], resolution: DNS, ports: [{number: 443, name: tls, protocol: TLS}]",
    ],
    "Gateway": [
        "servers: [{hosts: ['*'], port: {number: 80, name: web, protocol: HTTP}}]",
        "servers: [{hosts: ['*'], bind: 'unix:///x', port: {name: web, protocol: HTTP}}]",
    ],
    "server": [
        "tls: {httpsRedirect: true}",
        "tls: {}",
        "tls: {mode: PASSTHROUGH, credentialName: c}",
        "tls: null",
        "bind: 0.0.0.0",
        "bind: ''",
        "defaultEndpoint: anything",
    ],
    "TLS server": [
        "tls: {mode: SIMPLE, credentialName: c}",
        "tls: {mode: SIMPLE, credentialNames: [c, d]}",
        "tls: {mode: SIMPLE, serverCertificate: /c, privateKey: /k}",
        "tls: {mode: SIMPLE, tlsCertificates: [{serverCertificate: /c, privateKey: /k}]}",
        "tls: {mode: MUTUAL, serverCertificate: /c, privateKey: /k, caCertificates: /ca}",
        "tls: {mode: ISTIO_MUTUAL}",
        "tls: {}",
        "tls: {cipherSuites: [none]}",
        "tls: {mode: MUTUAL, credentialName: c, caCrl: /r}",
    ],
    "server host": ["'*.example.com'", "'*/*'", "'./*'", "ns/a.com", "203.0.113.10", "'::ffff:1.2.3.4'", "'ns/*'", "'*.a'"],
    "server port": ["number: 80, name: A.b, protocol: http", "number: 80, name: web, protocol: HTTP, targetPort: 0"],
    "DestinationRule alone": ["host: '*'", "host: '*.b.com'"],
    "DestinationRule": [
        "subsets: [{name: V1}]",
        "subsets: [{name: v1, labels: {a: ''}}]",
        "trafficPolicy: null",
        "exportTo: [other]",
        "workloadSelector: {matchLabels: {a: b}}, exportTo: [.]",
        "workloadSelector: {matchLabels: {a: b}}, exportTo: [default]",
    ],
    "policy": [
        "tls: {}",
        "tls: {mode: SIMPLE}",
        "tls: {mode: SIMPLE, insecureSkipVerify: true, sni: a}",
        "tls: {mode: MUTUAL, credentialName: c}",
        "tls: {mode: MUTUAL, clientCertificate: /c, privateKey: /k}",
        "tls: {mode: SIMPLE, credentialName: 'configmap://default/c'}",
        "tls: {mode: DISABLE, credentialName: c, caCertificates: /ca}",
        "portLevelSettings: [{port: {number: 0}, tls: {mode: DISABLE}}]",
        "loadBalancer: {simple: LEAST_CONN}",
        "loadBalancer: {consistentHash: {maglev: {tableSize: 65537}}}",
        "loadBalancer: {localityLbSetting: {distribute: [{from: a/*, to: {b: 80, c/d: 20}}]}}",
        "loadBalancer: {localityLbSetting: {failover: [{from: a, to: b}], failoverPriority: [x]}}",
        "loadBalancer: {warmup: {duration: 1s, aggression: 1.5, minimumPercent: 10}}",
        "connectionPool: {tcp: {idleTimeout: 0s, connectTimeout: 30ms}}",
        "outlierDetection: {consecutiveLocalOriginFailures: 1, splitExternalLocalOriginErrors: true}",
        "tunnel: {targetHost: 10.0.0.1, targetPort: 80}",
        "proxyProtocol: {version: V2}",
        "retryBudget: {percent: 20}",
    ],
    "Sidecar": [
        "outboundTrafficPolicy: {}",
        "outboundTrafficPolicy: {mode: ALLOW_ANY, egressProxy: {host: a.com, port: {number: 80}}}",
        "egress: [{port: {number: 80}, hosts: [./*]}, {hosts: [./*]}]",
        "egress: [{hosts: [./*]}], workloadSelector: {}",
        "egress: [{port: {number: 80}, hosts: [./*]}, {port: {number: 81}, hosts: [./*]}]",
        "egress: [{port: {protocol: HTTP}, bind: 'unix:///x', hosts: [./*]}, {port: {protocol: HTTP}, bind: 'unix:///y', hosts: [./*]}]",
    ],
    "egress": [
        "hosts: [./*], bind: x",
        "port: {number: 80, protocol: '', name: ''}, bind: 127.0.0.1, hosts: [./*]",
        "port: {protocol: HTTP}, bind: 'unix:///x', hosts: [./*]",
    ],
    "egress host": ["./*", "'*/*'", "istio-system/*", "'~/*'", "'~ns/*'", "'*/*.example.com'", "ns/httpbin.ns.svc.cluster.local"],
    "ingress": [
        "defaultEndpoint: '127.0.0.1:8080'",
        "defaultEndpoint: '0.0.0.0:8080'",
        "defaultEndpoint: ':8080'",
        "defaultEndpoint: '[::1]:8080'",
        "defaultEndpoint: 'unix:///x'",
        "defaultEndpoint: ''",
        "tls: {mode: SIMPLE, serverCertificate: /c, privateKey: /k, credentialName: '', subjectAltNames: []}",
    ],
    "ingress alone": ["port: {number: 80, name: web, protocol: HTTP}"],
    "AuthorizationPolicy": [
        "",
        "action: AUDIT, rules: [{}]",
        "action: ALLOW, rules: []",
        "action: DENY, rules: [{}]",
        "action: CUSTOM, provider: {name: x}, rules: [{}]",
        "selector: {}",
        "selector: {matchLabels: {a: b c}}, targetRefs: []",
    ],
    "PeerAuthentication": ["", "mtls: {}", "mtls: null, portLevelMtls: null", "selector: {}, mtls: {mode: PERMISSIVE}"],
    "mode": ["", "mode: UNSET", "mode: STRICT"],
    "selecting": ["portLevelMtls: {8080: {mode: DISABLE}, 1: {}}", "portLevelMtls: {8080: null}"],
    "policy rule": ["from: [], to: [], when: []"],
    "source": [
        "ipBlocks: [10.0.0.1/8, 'fe80::/10', 10.0.0.1]",
        "serviceAccounts: [a/b]",
        "trustDomains: [a]",
        "notRequestPrincipals: ['*']",
    ],
    "operation": ["methods: [get], hosts: ['a b'], paths: ['/a/{*}'], ports: ['0', '080']"],
    "condition": [
        "key: 'request.headers[a]', notValues: [b]",
        "key: 'request.auth.claims[a][b]', values: [b]",
        "key: 'experimental.envoy.filters.a[b]', values: [x]",
        "key: connection.sni, values: [a]",
        "key: destination.port, values: ['80']",
    ],
    "target": [
        "kind: Gateway, group: gateway.networking.k8s.io, name: g, namespace: ''",
        "kind: Service, group: core, name: g",
        "kind: ServiceEntry, group: networking.istio.io, name: g",
        "kind: GatewayClass, group: gateway.networking.k8s.io, name: g",
    ],
}

# The API server checks types by the CRDs' schemas; istiod's decoder alone would let these pass (quoted numbers, enums as numbers, ...).
REFUSED_BY_SCHEMA = {
    "rule": [
        "mirror: {host: m, port: {number: '80'}}",
        "mirrorPercentage: {value: '50'}",
        "mirrorPercentage: {value: .nan}",
        "mirrorPercent: '50'",
        "mirror_percent: a",
        "timeout: null, match: [null]",
    ],
    "rule alone": ["redirect: {port: 443, derivePort: FROM_REQUEST_PORT}"],
    "match": ["uri: {exact: /a, prefix: /b}"],
    "ServiceEntry": ["hosts: [a.com], resolution: 2"],
    "policy rule": ["from: [null]", "when: [null], to: [null]"],
    "mode": ["mode: 3"],
    "policy": ["loadBalancer: {simple: RANDOM, consistentHash: {useSourceIp: true}}"],
}


# It also drops what the schemas do not know, such as the snake case that istiod's decoder would read.
DROPPED_BY_SCHEMA = {
    "VirtualService": ["hosts: [a], unknown: {a: b}", "hosts: [a], export_to: ['~']"],
    "rule": ["mirror_percentage: {value: 101}", "mirror: {host: m, ports: x}"],
    "AuthorizationPolicy": ["unknown: {a: b}"],
    "PeerAuthentication": ["mTLS: {mode: strict}"],
    "mode": ["mode: STRICT, unknown: 1"],
}


def documents(text: str) -> list[Node]:
    parsed = parse(text.encode(), "a.yaml")
    assert not parsed.broken, parsed.broken
    return parsed.documents


def manifest(spec: str, *, kind: str = "VirtualService", metadata: str = "name: x, namespace: default", group: str = "") -> str:
    group = group or ("security.istio.io" if kind in ("AuthorizationPolicy", "PeerAuthentication") else "networking.istio.io")
    return f"apiVersion: {group}/v1\nkind: {kind}\nmetadata: {{{metadata}}}\nspec: {spec}\n"


def refusals(document: Node) -> list[Refusal]:
    return [found for found in judged(document, document["metadata"]["namespace"].text or "default") if not found.pruned]


def refused(text: str) -> list[Refusal]:
    (document,) = documents(text)
    return refusals(document)


def cases(table: dict[str, list[str]]) -> list[object]:
    return [pytest.param(SPECS[name], text, id=f"{name}: {text}") for name, texts in table.items() for text in texts]


@pytest.mark.parametrize(("shape", "text"), cases(REFUSED) + cases(REFUSED_BY_SCHEMA))
def test_refused(shape: tuple[str, str], text: str) -> None:
    assert refused(manifest(shape[1] % text, kind=shape[0]))


@pytest.mark.parametrize(("shape", "text"), cases(ACCEPTED) + cases(DROPPED_BY_SCHEMA))
def test_accepted(shape: tuple[str, str], text: str) -> None:
    assert not refused(manifest(shape[1] % text, kind=shape[0]))


@pytest.mark.parametrize("name", ["truth.jsonl.gz", "gateway-api.jsonl.gz"])
def test_agrees_with_the_control_plane(name: str) -> None:
    """Istio does not name the object that it refuses while reading, so its words tell the kind; there are as many as it refuses."""
    with gzip.open(TRUTH / name) as lines:
        scenarios = [json.loads(line) for line in lines]
    for scenario in scenarios:
        said = Counter((words.split(":")[0], next(k for w, k in SAID_OF.items() if w in words)) for words in scenario["rejected"])
        ours = Counter(
            (side, document["kind"].text) for side in ("source", "target") for document in documents(scenario[side]) if refusals(document)
        )
        assert ours == said, scenario["id"]


@pytest.mark.parametrize(
    ("text", "line", "column", "message"),
    [
        (
            "{hosts: [a], http: [{route: [{destination: {host: b}}],\n mirror: {host: stage_gw}}]}",
            5,
            17,
            "`host: stage_gw` is not a host name: its label `stage_gw` is not a DNS label",
        ),
        (
            "{hosts: [a], http: [{route: [{destination: {host: b}}],\n mirror: {host: m},\n mirrors: [{destination: {host: m}}]}]}",
            6,
            2,
            "`mirrors` stands beside `mirror`: a rule has only one of them",
        ),
        (
            "{hosts: [a], http: [{route: [{destination: {host: b}}],\n mirror: {destination: {host: m}}}]}",
            5,
            11,
            "here `host` and `port` are written directly, without `destination`",
        ),
        (
            "{hosts: [a], http: [{route: [{destination: {host: b}}],\n mirror: {port: {number: 80}}}]}",
            5,
            10,
            "a destination without `host` leads nowhere",
        ),
        (
            "{hosts: [a], http: [{route: [{destination: {host: b}}],\n mirrorPercentage: 50}]}",
            5,
            20,
            "`mirrorPercentage` is the number 50 where a mapping is meant",
        ),
        ("{hosts: [on], http: [{route: [{destination: {host: b}}]}]}", 4, 16, "an item of `hosts` is the boolean `on` where text is meant"),
        ("{hosts: [a], http: [{route: {}}]}", 4, 35, "`route` is a mapping where a list is meant"),
        ("{hosts: [a], http: [[]]}", 4, 27, "an item of `http` is a list where a mapping is meant"),
        ("{hosts: [a], http: [null]}", 4, 27, "an item of `http` is null where a mapping is meant"),
        ("[]", 4, 7, "`spec` is not a mapping"),
    ],
)
def test_says_what_and_where(text: str, line: int, column: int, message: str) -> None:
    refusal = refused(manifest(text))[0]
    assert (refusal.node.place.line, refusal.node.place.column, refusal.message) == (line, column, message)


@pytest.mark.parametrize(
    ("kind", "spec", "field"),
    [
        ("VirtualService", "{hosts: [%s], http: [{route: [{destination: {host: b}}]}]}", "an item of `hosts`"),
        ("VirtualService", "{hosts: [a], gateways: [%s], http: [{route: [{destination: {host: b}}]}]}", "an item of `gateways`"),
        ("VirtualService", "{hosts: [a], exportTo: [%s], http: [{route: [{destination: {host: b}}]}]}", "an item of `exportTo`"),
        ("VirtualService", "{hosts: [a], http: [{route: [{destination: {host: b}}], mirror: {host: %s}}]}", "`host`"),
        ("VirtualService", "{hosts: [a], tls: [{match: [{sniHosts: [%s]}], route: [{destination: {host: b}}]}]}", "an item of `sniHosts`"),
        ("ServiceEntry", "{hosts: [%s], ports: [{number: 80, name: http}], resolution: DNS}", "an item of `hosts`"),
        ("ServiceEntry", "{hosts: [a.b], endpoints: [{address: %s}], ports: [{number: 80, name: http}], resolution: DNS}", "`address`"),
        ("Gateway", "{servers: [{hosts: [%s], port: {number: 80, name: web, protocol: HTTP}}]}", "an item of `hosts`"),
        ("Gateway", "{servers: [{hosts: ['*'], port: {number: 80, name: %s, protocol: HTTP}}]}", "`name`"),
    ],
)
@pytest.mark.parametrize(("value", "what"), [("{a: b}", "a mapping"), ("[a]", "a list"), ("5.5", "the number 5.5")])
def test_a_value_of_another_type_is_called_what_it_is_and_nothing_else(kind: str, spec: str, field: str, value: str, what: str) -> None:
    assert [each.message for each in refused(manifest(spec % value, kind=kind))] == [f"{field} is {what} where text is meant"]


@pytest.mark.parametrize("spec", ["{host: b, %s}", "{host: b, subsets: [{name: v1, %s}]}"])
@pytest.mark.parametrize("field", ["tls", "loadBalancer", "portLevelSettings"])
def test_a_field_of_the_traffic_policy_that_stands_beside_it_is_dropped(spec: str, field: str) -> None:
    (document,) = documents(manifest(spec % f"{field}: {{}}", kind="DestinationRule"))
    (refusal,) = judged(document, "default")
    said = f"Kubernetes drops `{field}`, which is no field here: it belongs below `trafficPolicy`"
    assert (refusal.node.text, refusal.pruned, refusal.message) == (field, True, said)


@pytest.mark.parametrize(
    ("rule", "dropped"),
    [
        ("mirrorPercentage: , value: 10", [("value", "mirrorPercentage")]),
        ("mirror: , host: b, port: {number: 80}", [("host", "mirror"), ("port", "mirror")]),
        ("mirrorPercentage: {value: 5}, value: 10", []),
        ("mirrorPercentage: , amount: 10", []),
    ],
)
def test_a_field_beside_the_empty_one_that_has_it_is_dropped(rule: str, dropped: list[tuple[str, str]]) -> None:
    (document,) = documents(manifest(f"{{hosts: [a], http: [{{route: [{{destination: {{host: b}}}}], {rule}}}]}}"))
    said = [
        f"Kubernetes drops `{name}`, which is no field here: it belongs into `{home}`, which is empty: indent it" for name, home in dropped
    ]
    assert [(one.pruned, one.message) for one in judged(document, "default")] == [(True, each) for each in said]


def test_a_choice_that_differs_in_case_is_told_the_right_one() -> None:
    (refusal,) = refused(manifest("{host: b, trafficPolicy: {tls: {mode: Simple}}}", kind="DestinationRule"))
    assert refusal.message.endswith("(did you mean `SIMPLE`?)")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (manifest("{}", kind="Service", group="networking.istio.io"), False),
        (manifest("{gatewayClassName: istio}", kind="Gateway", group="gateway.networking.k8s.io"), False),
        (manifest(SPECS["VirtualService"][1] % "hosts: [a]", group="example.com"), False),
        (manifest("{host: b}", kind="DestinationRule", metadata="name: x, annotations: {istio.io/dry-run: 'true'}"), True),
        (manifest("{host: b}", kind="DestinationRule", metadata="name: x, labels: {version: 1}"), True),
        (manifest("{host: b}", kind="DestinationRule", metadata="name: x, labels: {version: '1'}"), False),
        (manifest(SPECS["Gateway"][1] % ACCEPTED["Gateway"][0], kind="Gateway", metadata="name: a.b"), True),
        (manifest(SPECS["VirtualService"][1] % "hosts: [a], exportTo: [., b]", metadata="name: x, namespace: b"), True),
        (
            manifest(
                SPECS["ServiceEntry"][1] % "hosts: ['*.a.com'], resolution: DYNAMIC_DNS, location: MESH_INTERNAL",
                kind="ServiceEntry",
                metadata="name: x, labels: {istio.io/use-waypoint: w}",
            ),
            True,
        ),
    ],
)
def test_metadata_and_kind_count(text: str, *, expected: bool) -> None:
    assert bool(refused(text)) is expected


def test_what_is_said_stays_one_line() -> None:
    (refusal,) = refused(manifest(SPECS["rule"][1] % f'timeout: "{"a" * 500}\\nb"'))
    assert len(refusal.message) <= 300
    assert refused(manifest(SPECS["rule"][1] % 'timeout: "a\\nb"'))[0].message.startswith("`timeout: a b` is not a duration")


def test_a_direct_response_holds_a_megabyte() -> None:
    spec = "{hosts: [a], http: [{directResponse: {status: 200, body: {string: '%s'}}}]}"
    assert not refused(manifest(spec % ("x" * (1 << 20))))
    assert refused(manifest(spec % ("x" * ((1 << 20) + 1))))
    assert refused(manifest(spec.replace("string", "bytes") % ("eHh4" * (1 << 19))))


def test_names_have_a_greatest_length() -> None:
    spec = "{hosts: [%s], http: [{route: [{destination: {host: b}}]}]}"
    assert not refused(manifest(spec % ".".join(["x" * 63] * 3)))
    assert refused(manifest(spec % ("x" * 64)))
    assert refused(manifest(spec % ".".join(["x" * 63] * 4 + ["x"])))


@pytest.mark.parametrize(
    "expression",
    [
        *("", "(", "a)", "*", "a**", "a++", "a|*", "(?=a)", "(?<!a)", "(?P=n)", "(?#c)", "(?x)", r"\1", r"\8", r"\Z", r"\h", "\\"),
        *("a{2,1}", "a{1001}", "(a{100}){100}", "{2}", "[", "[b-a]", "[[:foo:]]", r"[a-\d]", r"[\b]", r"\x", r"\x{110000}", r"\p{"),
        *("(?<n>a)(?<n>b)", "x" * 1025),
    ],
)
def test_go_does_not_compile(expression: str) -> None:
    assert regex(expression)


@pytest.mark.parametrize(
    "expression",
    [
        *("a", "^$", ".*?", "a??", "^*", "(|a)", "(?i)a", "(?s-i:a)", "(?P<n>a)", "(?<n>a)", "a{,2}", "a{", "a{02}", "a{2}?", "x{1000}"),
        *("[]a]", "[^]a]", "[a-]", "[-a]", "[[:alpha:]]", "[[:^digit:]x]", r"[\w-a]", r"[\]\-]", "[[:x]", r"[\x41-\x{5A}]", r"[\a-\n]"),
        *(r"\/", r"\_", r"\ ", r"\12", r"\07", r"\Aa\z", r"\b\B", r"\pL", r"\p{Greek}", r"\Q(*\Ea", r"a\Q\E*", r"\Qa", "é+", "x" * 1024),
    ],
)
def test_go_compiles(expression: str) -> None:
    assert not regex(expression)


FIELDS = sorted(
    {
        "hosts",
        "http",
        "tls",
        "tcp",
        "match",
        "route",
        "mirror",
        "mirrors",
        "destination",
        "host",
        "port",
        "number",
        "name",
        "exportTo",
        "uri",
    }
    | {
        "regex",
        "headers",
        "request",
        "set",
        "timeout",
        "ports",
        "endpoints",
        "address",
        "resolution",
        "servers",
        "mode",
        "egress",
        "ingress",
    }
    | {"bind", "subsets", "trafficPolicy", "portLevelSettings", "loadBalancer", "localityLbSetting", "distribute", "from", "to", "redirect"}
    | {
        "parentRefs",
        "hostnames",
        "rules",
        "when",
        "key",
        "values",
        "action",
        "matches",
        "filters",
        "type",
        "requestMirror",
        "fraction",
        "backendRefs",
        "listeners",
        "path",
    }
)
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=8), st.sampled_from(FIELDS)
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=5), max_leaves=25
)


KINDS = [("networking.istio.io", kind) for kind in ("VirtualService", "ServiceEntry", "Gateway", "DestinationRule", "Sidecar")]
KINDS += [("security.istio.io", kind) for kind in ("AuthorizationPolicy", "PeerAuthentication")]
KINDS += [("gateway.networking.k8s.io", kind) for kind in ("HTTPRoute", "GRPCRoute", "Gateway")]


@settings(deadline=None)
@given(kind=st.sampled_from(KINDS), metadata=VALUES, spec=VALUES)
def test_any_object_is_judged(kind: tuple[str, str], metadata: object, spec: object) -> None:
    text = json.dumps({"apiVersion": f"{kind[0]}/v1", "kind": kind[1], "metadata": metadata, "spec": spec})
    for document in parse(text.encode(), "a.json").documents:
        for refusal in judged(document, "default"):
            assert refusal.node.place.path == "a.json"
            assert refusal.message
