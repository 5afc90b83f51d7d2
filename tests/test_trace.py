"""The trace as it is printed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pair import CALL, PROD, STAGE, ways
from repositories import write
from scenarios import call_of, fleet_of, scenarios
from test_cli import run

from mirrorlint.delivery.way import Call
from mirrorlint.report.trace import Trace, render

WORLDS = ("1.27", "1.28")
ANSI = re.compile(r"\x1b\[[\d;]*m")


def printed(prod: str = PROD, stage: str = STAGE, worlds: tuple[str, ...] = WORLDS, **others: Any) -> str:
    call = others.get("call", CALL)
    return render([Trace(call, {world: ways(prod, stage, world, **others) for world in worlds})])


def rows(text: str) -> list[str]:
    """The lines without the sentences: indentation, kind of hop, place."""
    return [re.sub(r"(:\d+) .*", r"\1", line) for line in text.splitlines()]


def test_hops_that_both_worlds_share_are_shown_once() -> None:
    assert rows(printed()) == [
        "GET / to `shop.default`, port 80, from default in prod",
        "  called host     prod   <prod>:18",
        "  route           prod   <prod>:20",
        "  mirror          prod   <prod>:22",
        "  Istio up to 1.27",
        "    shadow        prod   <prod>:18",
        "  Istio 1.28 and later",
        "    shadow        prod   <prod>:18",
        "  registry        prod   <prod>:5",
        "  endpoint        prod   <prod>:5",
        "  server          stage  <stage>:6",
        "  Istio up to 1.27",
        "    virtual host  stage  <stage>:13",
        "    route         stage  <stage>:16",
        "    destination   stage  <stage>:16",
        "    arrives       stage  <stage>:20",
        "  Istio 1.28 and later",
        "    lost          stage  <stage>:13",
        "  => arrives with Istio up to 1.27; lost (no-virtual-host) with Istio 1.28 and later",
    ]


def test_sentences_stand_in_one_column() -> None:
    hops = [line for line in printed().splitlines() if "<" in line]
    starts = {re.match(r" +[a-z ]+? +(?:prod|stage) +\S+ +", line).end() for line in hops}  # type: ignore[union-attr]
    assert len(starts) == 1


def test_worlds_that_agree_are_not_told_apart() -> None:
    text = printed(PROD.replace("stage-gateway.example.com\n", "gone.example.com\n"))
    assert text.count("mirror ") == 1
    assert text.splitlines()[-1] == "  => lost (unknown-target)"


def test_one_world_needs_no_label() -> None:
    text = printed(worlds=("1.27",))
    assert "Istio" not in text
    assert text.splitlines()[-1] == "  => arrives"


def test_a_call_that_mirrors_nothing_says_so() -> None:
    call = CALL._replace(host="other.default")
    assert printed(call=call) == "GET / to `other.default`, port 80, from default in prod\n  mirrors nothing\n"


def test_no_call_says_so() -> None:
    assert render([]) == "no mirror was found\n"


def test_what_is_not_known_is_not_called_elsewhere() -> None:
    text = printed(stage="", worlds=("1.27",))
    assert text.splitlines()[-1] == "  => unknown"
    assert rows(text)[-2] == "  unknown      prod  <prod>:5"


def test_each_mirror_of_a_route_is_followed() -> None:
    two = "    mirrors: [{destination: {host: stage-gateway.example.com}}, {destination: {host: shop}}]\n"
    text = printed(PROD[: PROD.index("    mirror:")] + two, worlds=("1.27",))
    assert [line for line in text.splitlines() if line.startswith("  =>")] == ["  => arrives", "  => stays"]
    assert text.count("\n\n") == 1


def test_the_title_says_what_is_special_of_a_call() -> None:
    call = Call("prod", "shops", "shop:80", 80, "/a", "POST", {"who": "me"}, {"app": "cart"})
    title = "POST /a to `shop:80`, port 80, from shops in prod (pod labels app=cart), who: me\n"
    assert printed(call=call).startswith(title)
    gateway = Call("prod", "istio-system", "shop", 80, labels={"istio": "ingressgateway"}, gateway=True)
    assert printed(call=gateway).startswith("GET / to `shop`, port 80, through prod's ingress gateway\n")


def test_colour_only_adds_to_the_text() -> None:
    trace = Trace(CALL, {world: ways(PROD, STAGE, world) for world in WORLDS})
    colored = render([trace], color=True)
    assert "\x1b[1;32marrives" in colored
    assert "\x1b[1;31mlost" in colored
    assert ANSI.sub("", colored) == render([trace])


def test_what_steers_a_terminal_is_shown() -> None:
    text = printed(call=CALL._replace(path="/\x1b[2J\u202e"))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert text.startswith("GET /␛[2J")


@pytest.mark.parametrize("color", [False, True], ids=["plain", "coloured"])
def test_each_scenario_of_the_control_plane_can_be_printed(*, color: bool) -> None:
    for scenario in list(scenarios())[::10]:
        delivery = fleet_of(scenario).delivery
        calls = [call_of(scenario, call) for call in scenario["calls"]]
        traces = [Trace(call, {world: delivery.follow(call, world) for world in WORLDS}) for call in calls]
        text = ANSI.sub("", render(traces, color=color))
        assert text.count("=>") == sum(max(map(len, trace.ways.values())) for trace in traces)


SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: a, namespace: shop}
spec: {ports: [{name: http, port: 80}, {name: more, port: 81}]}
---
"""
WEST = f"""{SERVICE}
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: a, namespace: shop}}
spec:
  hosts: [a]
  http:
    - match: [{{uri: {{exact: /}}}}]
      route: [{{destination: {{host: a}}}}]
      mirror: {{host: stage.example.com}}
    - match: [{{uri: {{exact: /own}}}}]
      route: [{{destination: {{host: a}}}}]
    - match: [{{uri: {{exact: /to}}}}]
      redirect: {{uri: /}}
      mirror: {{host: stage.example.com}}
"""
CORP = """
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: corp}
spec: {hosts: ['*.corp.example.org'], ports: [{number: 8080, name: http, protocol: HTTP}]}
"""
EAST = SERVICE + SERVICE.replace("name: a,", "name: b,").replace("{ports", "{clusterIP: 10.0.0.7, ports") + CORP


@pytest.mark.parametrize(
    ("call", "title", "why"),
    [
        ("a.shop --port 8080", "from default in west", "this host has no port 8080, but 80, 81"),
        ("a.shop --from shop --path /b", "from shop in west", "no rule with a mirror in west takes it"),
        ("b --from shop", "from shop in east", "no rule with a mirror in east takes it"),
        ("a", "from default in east", "east has no host of this name for a caller in default (did you mean `a.shop`?)"),
        ("b.shp", "from default in east", "east has no host of this name for a caller in default (did you mean `b.shop`?)"),
        ("zzz.test", "from default in east", "east has no host of this name for a caller in default"),
        ("x.corp.example.org --port 8080", "from default in east", "no rule with a mirror in east takes it"),
        ("x.corp.example.org", "from default in east", "this host has no port 80, but 8080"),
        ("10.0.0.7 --port 81", "from default in east", "no rule with a mirror in east takes it"),
        ("a.shop --path /own", "from default in west", "the rule that takes it, west/all.yaml:17, has no mirror"),
        ("a.shop --path /to", "from default in west", "the rule that takes it, west/all.yaml:19, answers it itself"),
        ("a.shop --gateway", "through east's ingress gateway", "no rule at east's ingress gateway takes it"),
    ],
)
def test_a_call_that_mirrors_nothing_is_said_why(tmp_path: Path, call: str, title: str, why: str) -> None:
    write(tmp_path, {"east/all.yaml": EAST, "west/all.yaml": WEST})
    result = run("trace", "east", "west", "--host", *call.split(), cwd=tmp_path)
    assert result.returncode == 0
    assert result.stdout.splitlines()[0].endswith(title)
    assert result.stdout.splitlines()[1:] == [f"  mirrors nothing: {why}"]


def test_of_two_objects_that_claim_the_same_the_first_by_name_is_taken_as_the_help_says(tmp_path: Path) -> None:
    other = "---\n" + PROD.rpartition("---\n")[2].partition("    mirror:")[0].replace("metadata: {name: shop}", "metadata: {name: a}")
    write(tmp_path, {"prod.yaml": PROD + other, "stage.yaml": STAGE})
    asked = ("--from", "prod/default", "--host", "shop.default")
    traced = run("trace", "prod=prod.yaml", "stage=stage.yaml", *asked, cwd=tmp_path).stdout
    assert "the rule that takes it, prod.yaml:30, has no mirror" in traced
    assert "the first by name counts as older, as for `check`" in " ".join(run("trace", "--help").stdout.split())
