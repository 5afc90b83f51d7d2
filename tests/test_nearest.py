"""What is noted beside a host, a port or a subset that is missing."""

from __future__ import annotations

import pytest
from pair import PROD, STAGE, judged, only

from mirrorlint.rule import Finding

ELSEWHERE = PROD.replace("{name: stage}", "{name: stage, namespace: egress}").replace("{name: shop}", "{name: shop, namespace: shop}")
SIDECAR = """\
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default, namespace: shop}
spec:
  egress:
"""
AT_8080 = "  - port: {number: 8080, name: http, protocol: HTTP}\n    hosts:\n    - "
DOWN = ELSEWHERE.replace("{port: 80, name: http}", "{port: 8080, name: http}") + "      port: {number: 80}\n" + SIDECAR
ANY_HOST = STAGE.replace("shop.default-shadow]", "'*']")


def noted(finding: Finding, source: str) -> list[tuple[str, str]]:
    lines = source.splitlines()
    return [(lines[note.place.line - 1][note.place.column - 1 :], note.message) for note in finding.notes if note.cluster == "prod"]


@pytest.mark.parametrize(
    ("egress", "note"),
    [
        (f"{AT_8080}./*\n", ("./*", "Sidecar shop/default does not import it")),
        (f"{AT_8080}'*/*'\n", ("8080, name: http, protocol: HTTP}", "Sidecar shop/default imports it for port 8080 alone")),
    ],
)
def test_a_sidecar_that_hides_an_exported_entry_is_noted(egress: str, note: tuple[str, str]) -> None:
    prod = DOWN + egress
    finding = only(prod, ANY_HOST)
    assert "`stage-gateway.example.com` is not visible in namespace `shop`" in finding.message
    assert noted(finding, prod) == [note]


def test_a_port_that_an_entry_lacks_is_not_the_sidecars_fault() -> None:
    prod = ELSEWHERE + "      port: {number: 81}\n" + SIDECAR + "  - hosts: [./*]\n"
    finding = only(prod, ANY_HOST)
    assert "`stage-gateway.example.com` has no port 81, only 80: " in finding.message
    assert noted(finding, prod) == [("80, name: http, protocol: HTTP}]", "ServiceEntry egress/stage has 80")]


SECURED = (
    PROD
    + """\
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: stage}
spec:
  host: stage-gateway.example.com
  trafficPolicy: {tls: {mode: SIMPLE, sni: shop.example.com}}
  subsets: [{name: v1}, {name: canary}]
"""
)
HTTPS = STAGE.replace("protocol: HTTP}", "protocol: HTTPS}\n    tls: {mode: SIMPLE, credentialName: cert}").replace(
    '"*"', "shop.example.org"
)


def of_tls(prod: str, stage: str = HTTPS) -> list[tuple[str, str]]:
    finding = only(prod, stage)
    assert finding.rule in ("sni-without-server", "tls-mismatch")
    return [(start, message) for start, message in noted(finding, prod) if "Rule" in message]


@pytest.mark.parametrize(
    ("old", "new", "start", "said"),
    [
        ("", "", "shop.example.com}}", "DestinationRule default/stage decides TLS and SNI"),
        ("SIMPLE", "DISABLE", "DISABLE, ", "DestinationRule default/stage decides TLS and SNI"),
        (", sni: shop.example.com", "", "SIMPLE}}", "DestinationRule default/stage decides TLS and SNI"),
        (
            "tls: {mode: SIMPLE, sni: shop.example.com}",
            "portLevelSettings: [{port: {number: 443}, tls: {mode: SIMPLE}}]",
            "443}, tls",
            "DestinationRule default/stage has TLS for port 443, and the mirror is for port 80",
        ),
        (
            "host: stage-gateway.example.com\n  traffic",
            "host: stage-gatway.example.com\n  traffic",
            "stage-gatway.example.com",
            "DestinationRule default/stage is for `stage-gatway.example.com`, which is no host here",
        ),
        (
            "metadata: {name: stage}\nspec:\n  host: stage",
            "metadata: {name: stage, namespace: other}\nspec:\n  exportTo: [a]\n  host: stage",
            "a]",
            "DestinationRule other/stage is for it, but does not count in namespace `default`",
        ),
    ],
)
def test_what_decides_tls_or_was_meant_to_is_noted(old: str, new: str, start: str, said: str) -> None:
    ((found, message),) = of_tls(SECURED.replace(old, new))
    assert found.startswith(start)
    assert message == said


def test_the_mode_is_noted_where_the_server_takes_plain_text() -> None:
    ((found, _),) = of_tls(SECURED, STAGE)
    assert found.startswith("SIMPLE")


def test_a_rule_for_another_host_is_no_near_miss() -> None:
    other = SECURED.replace("hosts: [stage-gateway.example.com]", "hosts: [stage-gateway.example.com, stage-gateways.example.com]")
    assert of_tls(other.replace("host: stage-gateway.example.com\n  traffic", "host: stage-gateways.example.com\n  traffic")) == []


@pytest.mark.parametrize(
    ("subset", "old", "new", "start", "said"),
    [
        ("canry", "", "", "canary}]", "did you mean `canary`?"),
        ("v9", "", "", "stage-gateway.example.com", "DestinationRule default/stage has `canary`, `v1`"),
        (
            "v1",
            "host: stage-gateway.example.com\n  traffic",
            "host: stage-gatway.example.com\n  traffic",
            "stage-gatway.example.com",
            "DestinationRule default/stage, which has subset `v1`, is for `stage-gatway.example.com`, which is no host here",
        ),
        ("v9", SECURED[SECURED.rindex("---") :], "", "stage-gateway.example.com]", "ServiceEntry default/stage defines the host"),
    ],
)
def test_a_subset_that_is_missing_is_noted_with_what_there_is(subset: str, old: str, new: str, start: str, said: str) -> None:
    prod = SECURED.replace(old, new).replace("      host: stage", f"      subset: {subset}\n      host: stage")
    finding = only(prod, ANY_HOST)
    assert f"no DestinationRule in force defines subset `{subset}`" in finding.message
    ((found, message),) = noted(finding, prod)
    assert found.startswith(start)
    assert message == said


@pytest.mark.parametrize("subsets", ["", ", subsets: [{name: v1}]"])
def test_a_rule_that_has_the_subset_is_shown_beside_the_one_that_counts(subsets: str) -> None:
    rule = "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: %s}\nspec: {host: '%s'%s}\n"
    close = rule % ("close", "stage-gateway.example.com", subsets)
    prod = f"{PROD}      subset: blue\n{close}{rule % ('wide', '*.example.com', ', subsets: [{name: blue}]')}"
    ((found, message),) = noted(only(prod, ANY_HOST), prod)
    assert found.startswith("'*.example.com'")
    assert message == (
        "DestinationRule default/wide, which has subset `blue`, is for it, but DestinationRule default/close counts in namespace `default`"
    )


def test_of_a_servers_hosts_the_one_that_is_kept_for_another_namespace_is_shown() -> None:
    stage = STAGE.replace('["*"]', '[a.example.com, "other/*"]').replace("[shop.default-shadow]", '["*"]')
    finding = only(PROD, stage)
    assert finding.rule == "shadow-host-not-accepted"
    assert stage.splitlines()[finding.place.line - 1][finding.place.column - 1 :].startswith('"other/*"')


def test_a_misspelt_external_name_is_noted_where_it_is_written() -> None:
    alias = (
        "---\napiVersion: v1\nkind: Service\nmetadata: {name: alias}\nspec: {type: ExternalName, externalName: %s, ports: [{port: 80}]}\n"
    )
    prod = PROD.replace("host: stage-gateway.example.com", "host: alias") + alias % "stage-gatway.example.com"
    finding = only(prod, ANY_HOST)
    assert (finding.rule, finding.place.line) == ("mirror-to-unknown-host", prod.splitlines().index("      host: alias") + 1)
    assert [(start.partition(",")[0].partition("]")[0], message) for start, message in noted(finding, prod)] == [
        ("stage-gatway.example.com", "Service default/alias stands for this name"),
        ("stage-gateway.example.com", "did you mean `stage-gateway.example.com`?"),
    ]


REWRITING = PROD.replace("    mirror:", "    rewrite: {authority: %s}\n    mirror:")
TAKING = STAGE.replace("[shop.default-shadow]", "%s")
MEANT = "the route writes this Host: did you mean `shop.example.com`, a host of stage's gateway?"


@pytest.mark.parametrize("hosts", ["[shop.example.com, other.example.com]", "[shop.example.com-shadow]"])
@pytest.mark.parametrize("written", ["shop.example.co", "Shops.example.com:80"])
def test_a_host_that_the_source_writes_and_may_have_misspelt_is_noted_and_not_listed(written: str, hosts: str) -> None:
    prod = REWRITING % written
    finding = only(prod, TAKING % hosts)
    assert (finding.rule, finding.fix) == ("shadow-host-not-accepted", ())
    assert [note for note in noted(finding, prod) if "route writes" in note[1]] == [(f"{written}}}", MEANT)]


@pytest.mark.parametrize("hosts", ["[shop.example.com]", "[shop.example.com-shadow]", "['*.example.com']", "[bar.example.com]"])
def test_a_host_that_the_source_writes_is_right_where_the_gateway_has_it_or_none_like_it(hosts: str) -> None:
    prod, route = REWRITING % "shop.example.com", (TAKING % hosts).split("---")[1]
    other = route.replace("{name: shop}", "{name: other}").replace(hosts, "[shops.example.com]") if "*" in hosts else ""
    finding = only(prod, f"{TAKING % hosts}---{other}")
    assert finding.rule == "shadow-host-not-accepted"
    assert not any("route writes" in message for _, message in noted(finding, prod))


def test_who_lists_a_host_that_a_broader_virtual_host_took_is_shown_where_it_is_bound() -> None:
    broad = STAGE.replace("hosts: [shop.default-shadow]", 'hosts: ["*"]').replace(
        "  - route:", "  - match: [{authority: {prefix: cart}}]\n    route:"
    )
    own = "  gateways: [stage]\n  http: [{route: [{destination: {host: shop.default.svc.cluster.local}}]}]\n"
    listing = "kind: VirtualService\nmetadata: {name: own, namespace: web}\nspec:\n  hosts: [shop.example]\n" + own
    lists = f"apiVersion: networking.istio.io/v1\n{listing}"
    prod = PROD.replace("  http:\n  - route:", "  http:\n  - rewrite: {authority: shop.example}\n    route:")
    (finding,) = judged(prod, f"{broad}---\n{lists}", "1.28").findings
    assert finding.rule == "shadow-matches-no-route"
    said = "VirtualService web/own would take it, but is bound to `web/stage`, not to `default/stage`"
    assert said in [note.message for note in finding.notes]
