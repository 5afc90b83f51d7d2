"""The graph of links: what is drawn, in which state, and that other programs can read it."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import chain
from typing import Any

import pytest
from pair import CALL, PROD, SECURE, STAGE, cluster, judged, ways
from scenarios import call_of, fleet_of, scenarios

from mirrorlint.delivery.follow import Delivery
from mirrorlint.delivery.way import Way
from mirrorlint.fleet import ClusterSettings, Ingress
from mirrorlint.graph import build, render

WORLDS = ("1.27", "1.28")
FORMATS = ("mermaid", "dot", "json")


def drawn(prod: str = PROD, stage: str = STAGE, worlds: Sequence[str] = WORLDS, **others: Any) -> list[tuple[str, Way]]:
    return [(world, way) for world in worlds for way in ways(prod, stage, world, **others)]


def links(found: list[tuple[str, Way]]) -> list[str]:
    """The edges in words, as the JSON has them."""
    content = json.loads(render(build(found), "json"))
    names = {node["id"]: f"{node['cluster']} {node['kind']} {node['label']}" for node in content["nodes"]}
    return [
        f"{names[e['source']]} | {e['relation']} | {names[e['target']]} | {e['state']} {e['reason']}".strip()
        for e in sorted(content["edges"], key=lambda e: (e["path"], e["line"], e["relation"]))
    ]


CALLED = "prod called host shop.default.svc.cluster.local"
TARGET = "prod mirror target stage-gateway.example.com:80"
ENTRY = "prod service entry stage-gateway.example.com"
HOST = "stage virtual service host shop.default-shadow"
SERVICE = "stage service shop.default.svc.cluster.local:80"


def test_a_way_that_holds_is_drawn_from_the_called_host_to_the_service() -> None:
    known = Ingress(addresses=("stage-gateway.example.com",))
    assert links(drawn(worlds=("1.27",), ingress=known)) == [
        f"{ENTRY} | leads to | stage gateway host *:80 | whole",
        f"{TARGET} | is | {ENTRY} | whole",
        f"{CALLED} | mirrors | {TARGET} | whole",
        f"stage gateway host *:80 | serves | {HOST} | whole",
        f"{HOST} | routes to | {SERVICE} | whole",
    ]


def test_a_mirror_is_drawn_where_reports_show_it() -> None:
    prod = PROD.replace("      host: stage", "      port: {number: 80}\n      host: stage")
    (target,) = (node for node in json.loads(render(build(drawn(prod)), "json"))["nodes"] if node["kind"] == "mirror target")
    (mirror,) = judged(prod, STAGE).mirrors
    assert (target["path"], target["line"]) == mirror.place[:2] == ("<prod>", len(prod.splitlines()))


BREAKS = {
    "mirrors": (
        (PROD.replace("{host: shop}", "{host: shopp}"), STAGE),
        f"{CALLED} | mirrors | prod nothing unknown-primary | broken unknown-primary",
    ),
    "is": (
        (PROD.replace("number: 80", "number: 81"), STAGE),
        f"{TARGET} | is | prod nothing unknown-target | broken unknown-target",
    ),
    "leads to": (
        (PROD + SECURE, STAGE),
        f"{ENTRY} | leads to | stage nothing tls-mismatch | broken tls-mismatch",
    ),
    "serves": (
        (PROD, STAGE.replace("shop.default-shadow", "other.example.com")),
        "stage gateway host *:80 | serves | stage nothing no-virtual-host | broken no-virtual-host",
    ),
    "routes to": (
        (PROD, STAGE.replace("destination: {host: shop}", "destination: {host: gone}")),
        f"{HOST} | routes to | stage nothing unknown-destination | broken unknown-destination",
    ),
}


@pytest.mark.parametrize(("manifests", "expected"), BREAKS.values(), ids=BREAKS)
def test_a_broken_link_points_to_nothing(manifests: tuple[str, str], expected: str) -> None:
    found = links(drawn(*manifests, worlds=("1.27",)))
    assert [link for link in found if "broken" in link] == [expected]


def test_an_assumed_ingress_is_an_assumed_link() -> None:
    found = links(drawn(worlds=("1.27",)))
    assert f"{ENTRY} | leads to | stage gateway host *:80 | assumed" in found
    assert sum("assumed" in link for link in found) == 1


def test_what_lies_beyond_the_clusters_is_no_break() -> None:
    beyond = " beyond stage-gateway.example.com:80"
    assert f"{ENTRY} | leads to | {beyond} | unknown unknown" in links(drawn(stage=""))
    external = drawn(external=("stage-gateway.example.com",))
    assert f"{ENTRY} | leads to | {beyond} | whole elsewhere" in links(external)
    own = drawn(PROD.replace("host: stage-gateway.example.com", "host: shop"))
    service = "shop.default.svc.cluster.local:80"
    assert f"prod mirror target {service} | is | prod service {service} | whole" in links(own)


def test_an_edge_knows_the_worlds_that_it_is_for() -> None:
    edges = json.loads(render(build(drawn()), "json"))["edges"]
    assert {edge["relation"]: edge["worlds"] for edge in edges if edge["state"] == "whole"} == {
        "mirrors": ["1.27", "1.28"],
        "is": ["1.27", "1.28"],
        "serves": ["1.27"],
        "routes to": ["1.27"],
    }
    assert [edge["worlds"] for edge in edges if edge["state"] == "broken"] == [["1.28"]]


def test_all_backends_of_the_last_route_are_drawn() -> None:
    two = "{weight: 50, destination: {host: shop}}, {weight: 50, destination: {host: pay}}"
    pay = STAGE[STAGE.rindex("---\n") :].replace("name: shop", "name: pay")
    found = links(drawn(stage=STAGE.replace("{destination: {host: shop}}", two) + pay, worlds=("1.27",)))
    assert {link.split(" | ")[2] for link in found if "routes to" in link} == {SERVICE, SERVICE.replace("shop", "pay")}


def test_mermaid_shows_clusters_and_states() -> None:
    text = render(build(drawn()), "mermaid")
    assert text.startswith("flowchart LR\n")
    assert '  subgraph c0["prod"]\n' in text
    assert '  subgraph c1["stage"]\n' in text
    assert re.search(r'n\d -\.->\|"leads to"\| n\d', text)
    arrows = [line for line in text.splitlines() if "->" in line]
    (broken,) = re.findall(r"linkStyle (\d+) stroke:red,stroke-dasharray", text)
    assert 'serves: no-virtual-host (1.28 and later)"' in arrows[int(broken)]


def test_dot_shows_clusters_and_states() -> None:
    text = render(build(drawn()), "dot")
    assert text.startswith("digraph mirrors {")
    assert re.search(r'subgraph cluster_0 \{\n    label="prod";', text)
    assert re.search(r'label="leads to", style=dotted', text)
    assert 'label="serves: no-virtual-host (1.28 and later)", color=red, fontcolor=red, style=dashed' in text


@pytest.mark.parametrize("kind", FORMATS)
def test_the_order_of_ways_changes_nothing(kind: str) -> None:
    found = drawn()
    assert render(build(found), kind) == render(build(reversed(found)), kind)


def test_what_a_format_takes_for_its_own_is_escaped() -> None:
    evil = 'a"]; \\ | \x1b <b>'
    manifests = {evil: PROD, "stage": STAGE}
    delivery = Delivery({name: cluster(name, text, ClusterSettings()) for name, text in manifests.items()})
    graph = build(("1.27", way) for way in delivery.follow(CALL._replace(cluster=evil), "1.27"))
    mermaid, dot = render(graph, "mermaid"), render(graph, "dot")
    assert '["a#34;#93;#59; #92; #124; #65533; #60;b#62;"]\n' in mermaid
    assert 'label="a\\"]; \\\\ | \N{REPLACEMENT CHARACTER} <b>";\n' in dot
    assert {node["cluster"] for node in json.loads(render(graph, "json"))["nodes"]} == {evil, "stage"}


def test_no_ways_make_an_empty_graph() -> None:
    assert [render(build([]), kind).split() for kind in ("mermaid", "json")] == [
        ["flowchart", "LR"],
        ["{", '"nodes":', "[],", '"edges":', "[]", "}"],
    ]


def test_each_scenario_of_the_control_plane_can_be_drawn() -> None:
    for scenario in list(scenarios())[::10]:
        delivery = fleet_of(scenario).delivery
        calls = [call_of(scenario, call) for call in scenario["calls"]]
        found = [(world, way) for world in WORLDS for call in calls for way in delivery.follow(call, world)]
        content = json.loads(render(build(found), "json"))
        lost = {end.reason for end in chain.from_iterable(way.ends for _, way in found) if end.outcome == "lost"}
        assert {edge["reason"] for edge in content["edges"] if edge["state"] == "broken"} == lost
        assert all(render(build(found), kind) for kind in FORMATS)


def test_calls_of_one_host_share_their_links() -> None:
    calls = (CALL, CALL._replace(host="shop"))
    both = [found for call in calls for found in drawn(worlds=("1.27",), call=call)]
    assert sum(" | mirrors | " in link for link in links(both)) == 1
