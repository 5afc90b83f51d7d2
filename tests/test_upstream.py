"""What a proxy sends shadows to; of each case the control plane of Istio was asked."""

from __future__ import annotations

import pytest
from pair import PROD, STAGE
from peers import published

from mirrorlint import Call, Fleet, loads

SOURCE = PROD.replace("spec: {ports: [{port: 80,", "spec: {clusterIP: 10.96.0.10, ports: [{port: 8000,") + "      port: {number: 80}\n"
SECURE = SOURCE.replace("number: 80", "number: 443").replace("protocol: HTTP", "protocol: HTTPS")
PAY = "---\napiVersion: v1\nkind: Service\nmetadata: {name: pay}\nspec: {clusterIP: 10.96.0.11, ports: [{port: 80, name: http}]}\n"
SERVER = '  servers:\n  - port: {number: 80, name: http, protocol: HTTP}\n    hosts: ["*"]\n'
TARGET = STAGE.replace("shop.default-shadow", '"*"')
HOST = "stage-gateway.example.com"
PASSTHROUGH = "loadBalancer: {simple: PASSTHROUGH}"


def reasons(more: str = "", source: str = SOURCE, host: str = "shop") -> list[str]:
    """What becomes of the shadows of a call to `host`, with more objects in the source."""
    ingress = {"target": {"addresses": [HOST], "ports": {80: 80}}}
    fleet = loads({"source": source + more, "target": TARGET}, ingress=ingress)
    return [shadow.reason for shadow in fleet.follow(Call(cluster="source", namespace="default", host=host, port=8000), istio="1.28")]


def rule(host: str, policy: str, more: str = "") -> str:
    return (
        "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: rule}\n"
        f"spec: {{host: '{host}'{f', trafficPolicy: {{{policy}}}' if policy else ''}{more}}}\n"
    )


@pytest.mark.parametrize(
    ("host", "policy", "reason"),
    [
        (HOST, PASSTHROUGH, "original-destination"),
        ("*.com", PASSTHROUGH, "original-destination"),
        ("*", PASSTHROUGH, "original-destination"),
        (HOST, f"{PASSTHROUGH}, tls: {{mode: SIMPLE}}", "original-destination"),
        (HOST, "loadBalancer: {simple: ROUND_ROBIN}", "arrives"),
        (HOST, f"portLevelSettings: [{{port: {{number: 80}}, {PASSTHROUGH}}}]", "original-destination"),
        (HOST, f"portLevelSettings: [{{port: {{number: 81}}, {PASSTHROUGH}}}]", "arrives"),
        (HOST, f"{PASSTHROUGH}, portLevelSettings: [{{port: {{number: 80}}, loadBalancer: {{simple: RANDOM}}}}]", "arrives"),
        (HOST, f"{PASSTHROUGH}, portLevelSettings: [{{port: {{number: 80}}, connectionPool: {{}}}}]", "arrives"),
        ("shop", PASSTHROUGH, "arrives"),
    ],
)
def test_a_load_balancer_may_leave_shadows_without_an_address(host: str, policy: str, reason: str) -> None:
    assert reasons(rule(host, policy)) == [reason]


@pytest.mark.parametrize(
    ("policy", "subset", "reason"),
    [
        ("", f", trafficPolicy: {{{PASSTHROUGH}}}", "original-destination"),
        (PASSTHROUGH, "", "original-destination"),
        (PASSTHROUGH, ", trafficPolicy: {loadBalancer: {simple: ROUND_ROBIN}}", "original-destination"),
        (PASSTHROUGH, ", labels: {nobody: has}", "original-destination"),
        ("", "", "arrives"),
    ],
)
def test_a_subset_does_not_take_back_what_the_rule_around_it_says(policy: str, subset: str, reason: str) -> None:
    source = SOURCE.replace(f"host: {HOST}", f"host: {HOST}\n      subset: v1")
    assert reasons(rule(HOST, policy, f", subsets: [{{name: v1{subset}}}]"), source) == [reason]


def test_a_service_of_the_source_is_balanced_in_the_same_way() -> None:
    to_pay = SOURCE.replace(f"host: {HOST}", "host: pay") + PAY
    assert reasons(source=to_pay) == ["stays"]
    assert reasons(rule("pay", PASSTHROUGH), to_pay) == ["original-destination"]


TLS, PLAIN, NEITHER = "trafficPolicy: {tls: {mode: SIMPLE}}", "trafficPolicy: {tls: {mode: DISABLE}}", "subsets: [{name: v1}]"
OTHERS, OWN, TWO, ALL = "workloadSelector: {matchLabels: {app: other}}", "exportTo: ['.']", "exportTo: ['.', web]", "exportTo: ['*']"


@pytest.mark.parametrize(
    ("specs", "reason"),
    [
        ([(TLS, OWN), (PLAIN, TWO)], "tls-mismatch"),
        ([(NEITHER, OWN), (TLS, TWO)], "tls-mismatch"),
        ([(PLAIN, TWO), (TLS, OWN)], "tls-mismatch"),
        ([(PLAIN, OWN), (TLS, ALL), (PLAIN, OWN)], "arrives"),
        ([(TLS, OWN), (PLAIN, ALL), (NEITHER, OWN)], "arrives"),
        ([(NEITHER, OWN), (PLAIN, ALL), (TLS, OWN)], "tls-mismatch"),
        ([(TLS, OTHERS), (TLS, OWN)], "arrives"),
        ([(PLAIN, OTHERS), (TLS, TWO)], "tls-mismatch"),
        ([(PLAIN, OTHERS), (TLS, ALL)], "tls-mismatch"),
    ],
)
def test_rules_for_one_host_are_merged_by_whom_they_are_for(specs: list[tuple[str, str]], reason: str) -> None:
    rules = (rule(HOST, "", f", {', '.join(spec)}").replace("name: rule", f"name: rule-{i}") for i, spec in enumerate(specs))
    assert reasons("".join(rules)) == [reason]


def port_of(kind: str, spec: str) -> str:
    group = "networking.istio.io/v1" if kind in ("ServiceEntry", "Sidecar") else "v1"
    return f"---\napiVersion: {group}\nkind: {kind}\nmetadata: {{name: aaa}}\nspec: {{{spec}}}\n"


@pytest.mark.parametrize("protocol", ["MONGO", "MYSQL"])
@pytest.mark.parametrize(
    "more", ["resolution: NONE", "resolution: NONE, addresses: [10.96.0.0/24]", "resolution: DNS", "resolution: STATIC"]
)
def test_a_port_that_a_service_has_for_http_is_kept_from_server_first_protocols(protocol: str, more: str) -> None:
    ports = f"ports: [{{number: 8000, name: p, protocol: {protocol}}}]"
    assert reasons(port_of("ServiceEntry", f"hosts: [aaa.example.org], {ports}, {more}")) == ["arrives"]


@pytest.mark.parametrize(
    ("created", "host", "found"),
    [
        ("01", "zzz.example.org", []),
        ("02", "aaa.example.org", []),
        ("02", "zzz.example.org", ["arrives"]),
        ("03", "aaa.example.org", ["arrives"]),
    ],
)
def test_a_server_first_protocol_keeps_a_port_from_younger_services(created: str, host: str, found: list[str]) -> None:
    entry = port_of("ServiceEntry", f"hosts: [{host}], ports: [{{number: 8000, name: p, protocol: MYSQL}}], resolution: DNS")
    entry = entry.replace("aaa}", f"aaa, creationTimestamp: '2024-01-01T00:00:{created}Z'}}")
    source = SOURCE.replace("kind: Service\nmetadata: {", "kind: Service\nmetadata: {creationTimestamp: '2024-01-01T00:00:02Z', ")
    assert reasons(entry, source) == found


def test_a_listener_of_a_sidecar_that_says_http_takes_it_whatever_services_have_the_port() -> None:
    entry = port_of("ServiceEntry", "hosts: [db.example.org], ports: [{number: 8000, name: p, protocol: MYSQL}], exportTo: ['.']")
    sidecar = port_of("Sidecar", 'egress: [{port: {number: 8000, protocol: HTTP, name: x}, hosts: ["*/*"]}, {hosts: ["*/*"]}]')
    assert reasons(entry) == []
    assert reasons(entry + sidecar) == ["arrives"]


@pytest.mark.parametrize(("first", "second", "found"), [("MYSQL", "HTTP", []), ("HTTP", "MYSQL", ["arrives"])])
def test_of_two_entries_for_a_host_the_older_ones_protocol_has_the_port(first: str, second: str, found: list[str]) -> None:
    made = [f"hosts: [db.example.org], ports: [{{number: 8000, name: p, protocol: {each}}}], resolution: DNS" for each in (first, second)]
    older, younger = (
        port_of("ServiceEntry", spec).replace("aaa}", f"{name}, creationTimestamp: '2024-01-01T00:00:0{age}Z'}}")
        for spec, name, age in zip(made, "ab", (1, 2), strict=True)
    )
    source = SOURCE.replace("kind: Service\nmetadata: {", "kind: Service\nmetadata: {creationTimestamp: '2024-01-01T00:00:03Z', ")
    assert reasons(older + younger, source) == found


@pytest.mark.parametrize(("host", "found"), [("shop", []), ("shop.default", ["arrives"]), ("Shop", [])])
def test_a_short_form_that_is_an_entrys_host_is_the_entrys(host: str, found: list[str]) -> None:
    entry = port_of("ServiceEntry", f"hosts: [{host}], ports: [{{number: 8000, name: http, protocol: HTTP}}], resolution: DNS")
    assert reasons(entry) == found


def test_an_entry_for_tcp_takes_no_short_form_of_a_service() -> None:
    assert reasons(port_of("ServiceEntry", "hosts: [shop], ports: [{number: 8000, name: tcp, protocol: TCP}], resolution: DNS")) == [
        "arrives"
    ]


@pytest.mark.parametrize(
    ("entry", "host", "more", "found"),
    [
        ("api.example.com", "'*.example.com'", "", ["arrives"]),
        ("Api.example.com", "'*.example.com'", "", []),
        ("Api.example.com", "api.example.com", "", ["arrives"]),
        ("Api.example.com", "'*.example.com'", "hosts: [api.example.com], ports: [{number: 81, name: http, protocol: HTTP}]", ["arrives"]),
    ],
)
def test_a_wildcard_takes_hosts_that_are_spelled_in_lower_case(entry: str, host: str, more: str, found: list[str]) -> None:
    called = port_of("ServiceEntry", f"hosts: [{entry}], ports: [{{number: 8000, name: http, protocol: HTTP}}], resolution: DNS")
    twin = port_of("ServiceEntry", more).replace("aaa", "bbb") if more else ""
    assert reasons(called + twin, SOURCE.replace("hosts: [shop]", f"hosts: [{host}]"), "api.example.com") == found


def test_what_is_exported_to_single_namespaces_comes_first() -> None:
    ports = "ports: [{number: 8000, name: p, protocol: MONGO}]"
    assert reasons(port_of("ServiceEntry", f"hosts: [aaa.example.org], {ports}, resolution: NONE, exportTo: ['.']")) == []


def test_a_headless_service_has_a_listener_for_each_pod() -> None:
    assert reasons(port_of("Service", "clusterIP: None, ports: [{name: mongo, port: 8000}]")) == ["arrives"]


@pytest.mark.parametrize(
    ("egress", "found"),
    [
        ('{captureMode: NONE, hosts: ["*/*"]}', []),
        ('{port: {number: 8000, protocol: HTTP, name: x}, captureMode: NONE, hosts: ["*/*"]}', []),
        ('{port: {number: 8000, protocol: HTTP, name: x}, captureMode: NONE, bind: 127.0.0.1, hosts: ["*/*"]}', []),
        ('{captureMode: DEFAULT, hosts: ["*/*"]}', ["arrives"]),
        ('{captureMode: IPTABLES, hosts: ["*/*"]}', ["arrives"]),
        ('{port: {number: 8000, protocol: TCP, name: x}, bind: 127.0.0.1, hosts: ["*/*"]}', []),
        ('{port: {number: 8000, protocol: TCP, name: x}, bind: 127.0.0.1, hosts: ["*/*"]}, {hosts: ["*/*"]}', ["arrives"]),
        ('{port: {number: 8000, protocol: TCP, name: x}, captureMode: NONE, hosts: ["*/*"]}, {hosts: ["*/*"]}', ["arrives"]),
        ('{port: {number: 8000, protocol: TCP, name: x}, hosts: ["*/*"]}, {hosts: ["*/*"]}', []),
        ('{port: {number: 8000, protocol: HTTP, name: x}, bind: 127.0.0.1, hosts: ["*/*"]}, {hosts: ["gone/*"]}', []),
    ],
)
def test_calls_are_mirrored_at_ports_that_a_capturing_listener_opens(egress: str, found: list[str]) -> None:
    assert reasons(port_of("Sidecar", f"egress: [{egress}]")) == found


ACROSS = '{port: {number: 443, name: tls, protocol: TLS}, hosts: ["%s"], tls: {mode: AUTO_PASSTHROUGH}}'
BESIDE = '{port: {number: 443, name: https, protocol: HTTPS}, hosts: ["*"], tls: {mode: SIMPLE, credentialName: c}}'


@pytest.mark.parametrize(
    ("servers", "reason"),
    [
        (ACROSS % "*.local", "no-filter-chain"),
        (ACROSS % "*", "no-filter-chain"),
        (ACROSS % "*.example.com", "no-listener"),
        (f"{ACROSS % '*.local'}, {BESIDE}", "arrives"),
        (f"{BESIDE}, {ACROSS % '*.local'}", "arrives"),
    ],
)
def test_a_server_for_other_clusters_of_the_mesh_takes_no_shadow(servers: str, reason: str) -> None:
    source = SECURE + rule(HOST, "tls: {mode: SIMPLE}")
    target = TARGET.replace(SERVER, f"  servers: [{servers}]\n")
    fleet = loads({"source": source, "target": target}, ingress={"target": {"addresses": [HOST], "ports": {443: 443}}})
    call = Call(cluster="source", namespace="default", host="shop.default.svc.cluster.local", port=8000)
    assert [shadow.reason for shadow in fleet.follow(call, istio="1.28")] == [reason]


ENTRY = "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: pay}\nspec: {hosts: [pay.local], %s}\n"


@pytest.mark.parametrize(
    ("more", "sni", "reason"),
    [
        ("", "80_._.shop.default.svc.cluster.local", "no-route"),
        ("", "8000_._.shop.default.svc.cluster.local", "no-filter-chain"),
        ("", "80_.v1_.shop.default.svc.cluster.local", "no-filter-chain"),
        (rule("shop", "", ", subsets: [{name: v1}]"), "80_.v1_.shop.default.svc.cluster.local", "no-route"),
        (
            port_of("Service", "ports: [{port: 80}]") + rule("aaa", "", ", subsets: [{name: v1}]"),
            "80_.v1_.aaa.default.svc.cluster.local",
            "no-route",
        ),
        (rule("shop", "", ", subsets: [{name: v1}]"), "80_._.shop.default.svc.cluster.local", "no-route"),
        (ENTRY % "location: MESH_INTERNAL, ports: [{number: 80, name: http, protocol: HTTP}]", "80_._.pay.local", "no-route"),
        (ENTRY % "location: MESH_EXTERNAL, ports: [{number: 80, name: http, protocol: HTTP}]", "80_._.pay.local", "no-filter-chain"),
        (ENTRY % "ports: [{number: 80, name: http, protocol: HTTP}]", "80_._.pay.local", "no-filter-chain"),
        (ENTRY % "location: MESH_INTERNAL, ports: [{number: 80, name: udp, protocol: UDP}]", "80_._.pay.local", "no-filter-chain"),
        (
            port_of("Service", "type: ExternalName, externalName: a.com, ports: [{port: 80}]"),
            "80_._.aaa.default.svc.cluster.local",
            "no-filter-chain",
        ),
    ],
)
def test_a_server_for_other_clusters_takes_the_names_of_services_of_the_mesh(more: str, sni: str, reason: str) -> None:
    source = SECURE + rule(HOST, f"tls: {{mode: ISTIO_MUTUAL, sni: outbound_.{sni}}}")
    target = TARGET.replace(SERVER, f"  servers: [{ACROSS % '*.local'}]\n") + more
    fleet = loads({"source": source, "target": target}, ingress={"target": {"addresses": [HOST], "ports": {443: 443}}})
    by_contract = Fleet(fleet.loaded._replace(documents=published(fleet.loaded.documents, "target")))
    call = Call(cluster="source", namespace="default", host="shop.default.svc.cluster.local", port=8000)
    assert [[shadow.reason for shadow in each.follow(call, istio="1.28")] for each in (fleet, by_contract)] == [[reason], [reason]]


CART = "---\napiVersion: v1\nkind: Service\nmetadata: {name: cart, namespace: web}\nspec: {ports: [{port: 80, name: http}]}\n"
CARTS = (
    "---\napiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: carts}\n"
    "spec: {hosts: ['*.example.com', '*.cart.example.com'], ports: [{number: 80, name: http, protocol: HTTP}], resolution: NONE}\n"
    "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: carts}\n"
    "spec: {hosts: ['*.cart.example.com'], http: [{match: [{port: 81}], route: [{destination: {host: cart.web.svc.cluster.local}}]}]}\n"
)


@pytest.mark.parametrize(
    ("wildcard", "host", "mirrored"),
    [
        ("*.web", "cart.web", False),
        ("*.web", "cart.web:80", False),
        ("*.web", "basket.web", True),
        ("*.example.com", "a.cart.example.com", False),
        ("*.example.com", "a.basket.example.com", True),
    ],
)
def test_a_services_own_name_stands_before_a_wildcard_that_mirrors(wildcard: str, host: str, *, mirrored: bool) -> None:
    source = SOURCE.replace("  hosts: [shop]", f"  hosts: ['{wildcard}']") + CART + CARTS
    shadows = loads({"source": source, "target": TARGET}).follow(Call("source", "default", host, 80), istio="1.28")
    assert len(shadows) == mirrored
