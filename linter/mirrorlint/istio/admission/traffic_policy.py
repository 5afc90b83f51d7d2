"""Traffic policies of DestinationRules, and the connection pools that Sidecars have as well (validateTrafficPolicy)."""

from __future__ import annotations

from collections.abc import Iterator
from math import isqrt

from mirrorlint.istio.admission import names, values
from mirrorlint.istio.admission.shape import (
    ANY_TEXT,
    COUNT,
    FLAG,
    INTEGER,
    NATURAL,
    PERCENT,
    PORT,
    TEXTS,
    Refusal,
    Rule,
    among,
    choice,
    distinct,
    each,
    given,
    message,
    number,
    one_of,
    required,
    table,
    text,
    whole,
)
from mirrorlint.istio.admission.tls import CLIENT_TLS
from mirrorlint.source import Node

_UINT64 = whole(0, 2**64 - 1)
_SPAN = text(values.duration)
_LARGEST_TABLE = 5000011
_TOPOLOGY = ("topology.kubernetes.io/region", "topology.kubernetes.io/zone", "topology.istio.io/subzone")


def _local_failures_split(outlier: Node) -> Iterator[Refusal]:
    failures = outlier["consecutiveLocalOriginFailures"]
    if failures.number and not outlier["splitExternalLocalOriginErrors"].truth:
        yield Refusal(failures, "`consecutiveLocalOriginFailures` needs `splitExternalLocalOriginErrors: true`")


def _upgrade_or_client_protocol(http: Node) -> Iterator[Refusal]:
    if http["h2UpgradePolicy"].text == "UPGRADE" and http["useClientProtocol"].truth:
        yield Refusal(http["useClientProtocol"], "`useClientProtocol` stands beside `h2UpgradePolicy: UPGRADE`")


def _one_hash(consistent: Node) -> Iterator[Refusal]:
    ring = consistent["minimumRingSize"]
    if ring.number and (consistent["ringHash"] or consistent["maglev"]):
        yield Refusal(ring, "`minimumRingSize` stands beside `ringHash` or `maglev`: only one of them is allowed")


def _maglev(maglev: Node) -> Iterator[Refusal]:
    size = maglev["tableSize"].number
    prime = size > 1 and (size < 4 or (size % 2 == 1 and all(size % factor for factor in range(3, isqrt(size) + 1, 2))))
    if size >= _LARGEST_TABLE or not (prime or size == 1):
        yield Refusal(maglev["tableSize"], f"`tableSize: {size}` is not a prime number less than {_LARGEST_TABLE}")


def _distribution(locality: Node) -> Iterator[Refusal]:
    for item in locality["distribute"]:
        shares = [share for _, share in item["to"].items()]
        for share in shares:
            if not 1 <= share.number <= 100:
                yield Refusal(share, f"the share `{share.text}` does not lie between 1 and 100")
        if (total := sum(share.number for share in shares)) != 100:
            yield Refusal(item["to"], f"the shares of `{item['from'].text}` add up to {total}, not to 100")


def _no_topology(*, beside_failover: bool) -> Rule:
    def rule(setting: Node) -> Iterator[Refusal]:
        if beside_failover and not given(setting, "failover"):
            return
        for priority in setting["failoverPriority"]:
            if priority.text in _TOPOLOGY:
                yield Refusal(priority, f"`failoverPriority: {priority.text}` is what locality balancing does by itself")

    return rule


def _regions(setting: Node) -> Iterator[Refusal]:
    for item in setting["failover"]:
        origin, refuge = item["from"].text, item["to"].text
        if origin == refuge:
            yield Refusal(item["to"], f"`failover` from `{origin}` leads to the same region")
        elif any(mark in origin + refuge for mark in "/*"):
            yield Refusal(item["to"], f"`failover` from `{origin}` to `{refuge}` names more than plain regions")


def _growing(warmup: Node) -> Iterator[Refusal]:
    aggression = warmup["aggression"]
    if aggression and aggression.decimal <= 0:
        yield Refusal(aggression, f"`aggression: {aggression.text}` is not more than 0")


def _tunnel_target(tunnel: Node) -> Iterator[Refusal]:
    host = tunnel["targetHost"]
    if names.fqdn(host.text) and names.ip(host.text):
        yield Refusal(host, f"`targetHost: {host.text}` is neither a host name nor an IP address")


_OUTLIER_DETECTION = message(
    {
        "baseEjectionTime": _SPAN,
        "interval": _SPAN,
        "consecutiveErrors": INTEGER,
        "consecutive5xxErrors": NATURAL,
        "consecutiveGatewayErrors": NATURAL,
        "consecutiveLocalOriginFailures": NATURAL,
        "splitExternalLocalOriginErrors": FLAG,
        "outlierDetectionHttpErrorCodes": each(NATURAL),
        "maxEjectionPercent": PERCENT,
        "minHealthPercent": PERCENT,
    },
    _local_failures_split,
)
_KEEP_ALIVE = message(
    {"interval": _SPAN, "timeout": _SPAN},
    required("`http2KeepAlive` needs an `interval`", "interval"),
    required("`http2KeepAlive` needs a `timeout`", "timeout"),
)
_HTTP_POOL = message(
    {
        "http1MaxPendingRequests": COUNT,
        "http2MaxRequests": COUNT,
        "maxRequestsPerConnection": COUNT,
        "maxRetries": COUNT,
        "maxConcurrentStreams": COUNT,
        "idleTimeout": _SPAN,
        "useClientProtocol": FLAG,
        "h2UpgradePolicy": choice("DEFAULT", "DO_NOT_UPGRADE", "UPGRADE"),
        "http2KeepAlive": _KEEP_ALIVE,
    },
    _upgrade_or_client_protocol,
)
_TCP_POOL = message(
    {
        "maxConnections": COUNT,
        "connectTimeout": _SPAN,
        "maxConnectionDuration": _SPAN,
        "idleTimeout": text(values.duration_or_zero),
        "tcpKeepalive": message({"probes": NATURAL, "time": _SPAN, "interval": _SPAN}),
    }
)
CONNECTION_POOL = message(
    {"http": _HTTP_POOL, "tcp": _TCP_POOL},
    required("the connection pool has neither `http` nor `tcp`", "http", "tcp"),
)
_COOKIE_ATTRIBUTE = message({"name": text(values.filled), "value": ANY_TEXT}, required("an attribute of a cookie needs a `name`", "name"))
_COOKIE = message(
    {
        "name": text(values.filled),
        "path": ANY_TEXT,
        "ttl": text(values.readable_duration),
        "attributes": each(_COOKIE_ATTRIBUTE),
    },
    required("`httpCookie` needs a `name`", "name"),
    distinct("attributes", "name", what="attribute of this cookie"),
)
_CONSISTENT_HASH = message(
    {
        "httpHeaderName": ANY_TEXT,
        "httpQueryParameterName": ANY_TEXT,
        "useSourceIp": FLAG,
        "httpCookie": _COOKIE,
        "minimumRingSize": _UINT64,
        "ringHash": message({"minimumRingSize": _UINT64}),
        "maglev": message({"tableSize": _UINT64}, _maglev),
    },
    one_of("httpHeaderName", "httpCookie", "useSourceIp", "httpQueryParameterName"),
    one_of("ringHash", "maglev"),
    _one_hash,
)
_FAILOVER = each(message({"from": ANY_TEXT, "to": ANY_TEXT}))
_SHARES = message(
    {"from": text(names.locality), "to": table(NATURAL, key=names.locality)},
    required("an item of `distribute` needs a `from`", "from"),
)
_LOCALITY = message(
    {
        "distribute": each(_SHARES),
        "failover": _FAILOVER,
        "failoverPriority": TEXTS,
        "enabled": FLAG,
    },
    one_of("distribute", "failover"),
    _distribution,
    _regions,
    _no_topology(beside_failover=True),
)
_ZONE_AWARE = message(
    {"failover": _FAILOVER, "failoverPriority": TEXTS, "enabled": FLAG, "minClusterSize": NATURAL},
    _regions,
    _no_topology(beside_failover=False),
)
_WARMUP = message(
    {"duration": _SPAN, "minimumPercent": number(high=100), "aggression": number()},
    required("`warmup` needs a `duration`", "duration"),
    _growing,
)
_LOAD_BALANCER = message(
    {
        "simple": choice("UNSPECIFIED", "LEAST_CONN", "RANDOM", "PASSTHROUGH", "ROUND_ROBIN", "LEAST_REQUEST"),
        "consistentHash": _CONSISTENT_HASH,
        "localityLbSetting": _LOCALITY,
        "zoneAwareLbSetting": _ZONE_AWARE,
        "warmup": _WARMUP,
        "warmupDurationSecs": text(values.readable_duration),
    },
    one_of("simple", "consistentHash"),
    one_of("localityLbSetting", "zoneAwareLbSetting"),
)
_PER_PORT = {
    "loadBalancer": _LOAD_BALANCER,
    "connectionPool": CONNECTION_POOL,
    "outlierDetection": _OUTLIER_DETECTION,
    "tls": CLIENT_TLS,
}
_PORT_POLICY = message(
    {**_PER_PORT, "port": message({"number": NATURAL})},
    required("an item of `portLevelSettings` needs a `port`", "port"),
    required(f"an item of `portLevelSettings` has none of {', '.join(_PER_PORT)}", *_PER_PORT),
)
_TUNNEL = message(
    {"protocol": text(among(("", "CONNECT", "POST"), "is neither `CONNECT` nor `POST`")), "targetHost": ANY_TEXT, "targetPort": PORT},
    required("`tunnel` needs a `targetPort`", "targetPort"),
    _tunnel_target,
)
POLICY = {
    **_PER_PORT,
    "portLevelSettings": each(_PORT_POLICY),
    "tunnel": _TUNNEL,
    "proxyProtocol": message({"version": choice("V1", "V2")}),
    "retryBudget": message({"percent": number(), "minRetryConcurrency": NATURAL, "budgetInterval": text(values.readable_duration)}),
}
TRAFFIC_POLICY = message(
    POLICY,
    required(f"the traffic policy has none of {', '.join(POLICY)}", *POLICY),
    one_of("tunnel", "proxyProtocol"),
)
