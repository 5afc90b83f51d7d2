"""For all set-ups: no shadow that arrives is moved by a fix, alone or with all others, and a mended mirror arrives where it is meant to."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_cli import EXAMPLES, run

from mirrorlint import Call, Fleet, check, load, loads
from mirrorlint.fix import fixed
from mirrorlint.rule import Finding

ENTRY = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: stage, namespace: shop}
spec: {hosts: [gateway.example.com], ports: [{number: 80, name: http, protocol: HTTP}], resolution: DNS}
"""
GATEWAY = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: ingress, namespace: shop}
spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: [%s]}]}
"""
SERVICE = """\
---
apiVersion: v1
kind: Service
metadata: {name: %s, namespace: %s}
spec: {ports: [{name: http, port: 80}]}
"""
MIRROR = """\
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: %(name)s, namespace: %(namespace)s}
spec:
  hosts: [%(name)s]
  http:
  - route: [{destination: {host: %(destination)s}}]
    %(mirror)s: {host: %(to)s, port: {number: 80}}
    rewrite: {uri: /%(rewrite)s}
"""
TAKER = """\
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: %(label)s, namespace: %(namespace)s}
spec:
  hosts: [%(hosts)s]
  gateways: [shop/ingress]
  http:
  - match: [{%(condition)s}]
    route: [{destination: {host: %(destination)s}}]
"""
FORMS = ("{name}", "{name}.{namespace}", "{name}.{namespace}.svc.cluster.local")
HOSTS = (
    "{name}.{namespace}.svc.cluster.local",
    "{name}.{namespace}.svc.cluster.local, {name}.{namespace}.svc.cluster.local-shadow",
    "'*-shadow'",
    "'*'",
    "{name}.example.com",
    "'*.example.com'",
)
CONDITIONS = ("", "uri: {{prefix: /}}", "authority: {{prefix: {name}}}", "authority: {{regex: .*}}", "uri: {{prefix: /api}}")


class Team(NamedTuple):
    """A service, its mirror in one cluster, and what takes its shadows in the other."""

    name: str
    namespace: str
    prod: str
    stage: str


@st.composite
def teams(draw: st.DrawFn, name: str, namespace: str) -> Team:
    slip = {"destination": name, "mirror": "mirror", "to": "gateway.example.com"} | draw(
        st.sampled_from([{}, {}, {}, {"destination": f"{name}x"}, {"mirror": "miror"}, {"to": "gatway.example.com"}])
    )
    words = {"name": name, "namespace": namespace}
    outside = draw(st.booleans())
    mirror = MIRROR % {**words, **slip, "rewrite": draw(st.sampled_from(["", "api"]))}
    if outside:
        mirror = mirror.replace("rewrite: {", f"rewrite: {{authority: {draw(st.sampled_from([name, 'www']))}.example.com, ")
    taker = TAKER % {
        **words,
        "label": draw(st.sampled_from(["a", "z"])) + name,
        "hosts": draw(st.sampled_from(HOSTS)).format(**words),
        "condition": draw(st.sampled_from(CONDITIONS)).format(**words),
        "destination": draw(st.sampled_from([name, name, name, f"{name}x", f"{name}.{namespace}.svc.cluster.local"])),
    }
    service = SERVICE % (name, namespace)
    return Team(name, namespace, service + mirror, service + taker)


@st.composite
def repositories(draw: st.DrawFn) -> tuple[dict[str, str], list[Team]]:
    """Two or three mirrors whose targets share a gateway; two services may have one name in two namespaces."""
    named = draw(
        st.sampled_from([[("cart", "shop"), ("pay", "shop")], [("cart", "shop"), ("cart", "team")], [("cart", "shop"), ("cartel", "shop")]])
    )
    found = [draw(teams(*each)) for each in (*named, *draw(st.sampled_from([(), (("user", "team"),)])))]
    gateway = GATEWAY % draw(st.sampled_from(["'*'", "'*'", "'*.example.com'", "'*.svc.cluster.local', '*.example.com'"]))
    return {"prod": ENTRY + "".join(each.prod for each in found), "stage": gateway + "".join(each.stage for each in found)}, found


def mended(texts: Mapping[str, str], findings: Iterable[Finding]) -> dict[str, str]:
    edits = [edit for finding in findings for edit in finding.fix]
    return {name: fixed(text, [edit for edit in edits if edit.node.path == f"<{name}>"]).text for name, text in texts.items()}


def fates(fleet: Fleet, found: Iterable[Team]) -> Iterator[tuple[tuple[object, ...], str, str]]:
    """For each call its service, and for the shadow what becomes of it and which object of the target has it last."""
    for team in found:
        for form in FORMS:
            for namespace in {"shop", "team", team.namespace} if "{namespace}" in form else {team.namespace}:
                for path in ("/", "/api/x"):
                    for istio in ("1.27", "1.28"):
                        host = form.format(name=team.name, namespace=team.namespace)
                        call = Call("prod", namespace, host, 80, path)
                        for shadow in fleet.follow(call, istio):
                            yield (team, call.host, namespace, path, istio), shadow.outcome, shadow.steps[-1].text


def assert_right(texts: Mapping[str, str], found: list[Team], findings: Iterable[Finding]) -> None:
    """What arrived arrives as before; what newly does is what its team's service is called."""
    before = {call: (outcome, last) for call, outcome, last in fates(loads(texts), found)}
    after = {call: (outcome, last) for call, outcome, last in fates(loads(mended(texts, findings)), found)}
    for call, (outcome, last) in before.items():
        assert outcome == "lost" or after[call] == (outcome, last)
    for call, (outcome, last) in after.items():
        team = call[0]
        assert isinstance(team, Team)
        right = f"Service {team.namespace}/{team.name} of stage takes it"
        assert outcome != "arrives" or before.get(call) == (outcome, last) or last == right


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(made=repositories())
def test_fixes_move_no_shadow_alone_or_together(made: tuple[dict[str, str], list[Team]]) -> None:
    texts, found = made
    findings = [finding for finding in check(loads(texts)).findings if finding.fix]
    for some in ([finding] for finding in findings):
        assert_right(texts, found, some)
    assert_right(texts, found, findings)
    again = check(loads(mended(texts, findings))).findings
    assert not {each[1:6] for each in findings} & {each[1:6] for each in again}


def team(name: str, *, to: str = "gateway.example.com", more: str = "", **taking: str) -> Team:
    words = {"name": name, "namespace": "shop", "label": name, "destination": name, "mirror": "mirror", "to": to, "rewrite": ""}
    mirror = (MIRROR % words).replace("rewrite: {", f"rewrite: {{{more}")
    return Team(name, "shop", SERVICE % (name, "shop") + mirror, SERVICE % (name, "shop") + TAKER % {**words, **taking})


def fixable(*found: Team) -> list[tuple[str, bool]]:
    """The findings' objects, and whether they have a fix."""
    prod, stage = ENTRY + "".join(each.prod for each in found), GATEWAY % "'*'" + "".join(each.stage for each in found)
    return [(finding.object, bool(finding.fix)) for finding in check(loads({"prod": prod, "stage": stage})).findings]


@pytest.mark.parametrize("condition", ["uri: {prefix: /}", "authority: {prefix: %s}"])
def test_two_behind_one_gateway_do_not_both_get_a_star(condition: str) -> None:
    both = [team(name, hosts=f"{name}.shop.svc.cluster.local", condition=condition.replace("%s", name)) for name in ("cart", "pay")]
    assert fixable(*both) == [("VirtualService shop/cart", False), ("VirtualService shop/pay", False)]


def test_a_star_beside_a_mirror_that_arrives_is_written() -> None:
    sound = team("pay", more="authority: pay.example.com, ", hosts="'*.example.com', '*.example.com-shadow'", condition="")
    picky = team("cart", hosts="cart.shop", condition="authority: {prefix: cart}")
    assert fixable(picky, sound) == [("VirtualService shop/cart", True)]


def test_a_host_that_two_would_list_is_listed_for_neither() -> None:
    both = [team(name, more="authority: www.example.com, ", hosts=f"{name}.example.com", condition="") for name in ("cart", "pay")]
    assert not any(fix for _, fix in fixable(*both))
    assert any(fix for _, fix in fixable(both[0], team("pay", hosts="pay", condition="")))


def test_a_mirror_is_not_brought_to_life_where_another_takes_its_shadows() -> None:
    sound = team("pay", hosts="'*'", condition="")
    silent = team("cart", hosts="cart.shop", condition="")
    for old, new in (("mirror:", "miror:"), ("gateway.example", "gatway.example")):
        assert fixable(silent._replace(prod=silent.prod.replace(old, new)), sound) == [("VirtualService shop/cart", False)]


@pytest.mark.parametrize("folder", sorted(path.parent for path in EXAMPLES.rglob("clusters")), ids=str)
def test_no_mirror_of_an_example_is_worse_off_for_being_fixed(folder: Path, tmp_path: Path) -> None:
    repo = Path(shutil.copytree(folder, tmp_path / "repo"))
    before = {mirror.place: mirror.delivery for mirror in check(load(repo)).mirrors}
    assert run("fix", cwd=repo).returncode == 0
    after = {mirror.place: mirror.delivery for mirror in check(load(repo)).mirrors}
    assert all(after[place] == delivery or set(after[place].values()) == {"all"} for place, delivery in before.items())
