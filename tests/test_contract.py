"""A contract instead of manifests: the same verdicts, the same places, nothing that is not needed."""

from __future__ import annotations

import json
import sys
from collections import Counter
from importlib.resources import files
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pair import PROD, SECURE, STAGE
from peers import contract_of, loaded, published, without, written
from scenarios import fleet_of, scenarios

from mirrorlint import engine, loads
from mirrorlint.contract.export import export
from mirrorlint.contract.verify import verify
from mirrorlint.fleet import Cluster, Documents
from mirrorlint.istio.certificates import WITHHELD
from mirrorlint.loading.contracts import read_contract
from mirrorlint.loading.packing import pack, unpack
from mirrorlint.source import Node, parse

SCHEMA = jsonschema.Draft202012Validator(json.loads((files("mirrorlint.loading") / "contract.schema.json").read_text()))
KNOWN = {"prod": {"addresses": ["gateway.prod.example"]}, "stage": {"addresses": ["stage-gateway.example.com"]}}


def documents(prod: str = PROD, stage: str = STAGE) -> Documents:
    return loads({"prod": prod, "stage": stage}, ingress=KNOWN).loaded.documents


def exported(cluster: str, **texts: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(export(documents(**texts), cluster, "mirrorlint 0.1.0"))
    return found


def test_exporting_twice_gives_the_same_bytes_that_meet_the_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA.schema)
    for cluster in ("prod", "stage"):
        first = export(documents(), cluster, "mirrorlint 0.1.0")
        assert export(documents(), cluster, "mirrorlint 0.1.0") == first
        SCHEMA.validate(json.loads(first))
    for scenario in [*scenarios("truth"), *scenarios("gateway-api")][::60]:
        found = fleet_of(scenario).loaded.documents
        for cluster in ("source", "target"):
            SCHEMA.validate(json.loads(export(found, cluster, "mirrorlint 0.1.0")))


def test_every_value_keeps_its_place() -> None:
    found = documents()
    originals = {str(manifest): manifest.node for manifest in found.clusters["stage"].manifests()}
    for manifest in contract_of(found, "stage").manifests:
        assert _places(manifest.node, "stage://") == _places(originals[str(manifest)])


def _places(node: Node, peer: str = "") -> dict[str, str]:
    """Where the scalars of the pair's objects stand, all of which are published."""
    found = {"": str(node.place).removeprefix(peer)} if node.is_scalar else {}
    for key, value in node.entries():
        found |= {f".{key.text}{path}": place for path, place in _places(value, peer).items()}
        found[f".{key.text}="] = str(node.key(key.text).place).removeprefix(peer)
    for index, item in enumerate(node):
        found |= {f"[{index}]{path}": place for path, place in _places(item, peer).items()}
    return found


_TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=8)
_SCALARS = st.none() | st.booleans() | st.integers(-99999, 99999) | _TEXTS
_VALUES = st.recursive(_SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4), max_leaves=12)


@given(_VALUES, st.sampled_from([None, 1, 3]))
def test_what_is_packed_is_unpacked_where_it_stood(value: Any, indent: int | None) -> None:
    node = parse(json.dumps({"it": value}, indent=indent).encode(), "f").documents[0]["it"]
    kept, places = pack(node, None)
    again = unpack(kept, places, "f", node.place.line, node.place.column)
    assert kept == value
    assert again is not None
    assert again.plain() == value
    assert _places(again) == _places(node)


@given(_VALUES, _TEXTS)
def test_places_that_are_not_an_objects_own_are_told(value: Any, places: str) -> None:
    found = unpack(value, places, "f", 1, 1)
    assert found is None or found.plain() == value


HEADERS = STAGE.replace(
    "  - route: [{destination: {host: shop}}]",
    "  - headers: {request: {set: {x-key: hidden, host: ''}}}\n"
    "    route: [{destination: {host: shop}, headers: {request: {add: {y-key: hidden}}}}]\n"
    "  - directResponse: {status: 200, body: {string: hidden}}",
)
WORKLOAD = """\
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, annotations: {note: hidden}}
spec:
  replicas: 0
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: shop, image: hidden, env: [{name: KEY, value: hidden}]}]}
---
apiVersion: v1
kind: Secret
metadata: {name: shop}
type: kubernetes.io/tls
data: {tls.crt: hidden, tls.key: hidden}
---
apiVersion: v1
kind: Service
metadata: {name: hidden}
spec: {ports: [{port: 80}]}
"""


def test_nothing_is_published_that_is_secret_or_not_needed() -> None:
    text = export(documents(stage=HEADERS + WORKLOAD), "stage", "mirrorlint 0.1.0")
    assert "hidden" not in text
    objects = [each["object"] for each in json.loads(text)["accepts"]["objects"]]
    assert [each["kind"] for each in objects] == ["Gateway", "VirtualService", "Service"]
    assert objects[1]["spec"]["http"][0]["headers"] == {"request": {"set": {"x-key": WITHHELD, "host": ""}}}


def test_of_a_workload_labels_and_replicas_are_published_where_a_service_has_no_pods() -> None:
    found = exported("stage", stage=STAGE.replace("spec: {ports", "spec: {selector: {app: shop}, ports") + WORKLOAD)["accepts"]["objects"]
    (workload,) = [each["object"] for each in found if each["object"]["kind"] == "Deployment"]
    assert workload["spec"] == {"replicas": 0, "template": {"metadata": {"labels": {"app": "shop"}}, "spec": {}}}
    running = STAGE.replace("spec: {ports", "spec: {selector: {app: shop}, ports") + WORKLOAD.replace("replicas: 0", "replicas: 1")
    assert "Deployment" not in [each["object"]["kind"] for each in exported("stage", stage=running)["accepts"]["objects"]]


def test_credentials_of_requests_are_withheld() -> None:
    prod = PROD.replace("    mirror:", "    headers: {request: {set: {authorization: hidden, x-team: red}}}\n    mirror:")
    (expectation,) = exported("prod", prod=prod)["expects"]
    assert [request["headers"] for request in expectation["requests"]] == [{"authorization": "(withheld)", "x-team": "red"}]


def test_an_expectation_has_what_is_sent_and_the_place_of_the_mirror() -> None:
    prod = PROD.replace("number: 80", "number: 443") + SECURE.replace("SIMPLE", "SIMPLE, sni: stage-gateway.example.com")
    prod = prod.replace("stage-gateway.example.com\n---", "stage-gateway.example.com\n      port: {number: 443}\n---")
    stage = STAGE.replace("number: 80, name: http, protocol: HTTP", "number: 443, name: https, protocol: HTTPS")
    stage = stage.replace('hosts: ["*"]', 'hosts: ["*"]\n    tls: {mode: SIMPLE, credentialName: c}')
    (expectation,) = exported("prod", prod=prod, stage=stage)["expects"]
    assert (expectation["at"], expectation["object"], expectation["to"]) == ("<prod>:22:13", "VirtualService default/shop", "stage")
    assert expectation["endpoints"] == [{"host": "stage-gateway.example.com", "port": 443}]
    assert expectation["tls"] == {"mode": "SIMPLE", "sni": "stage-gateway.example.com"}
    assert expectation["requests"] == [{"method": "GET", "path": "/", "headers": {}, "hosts": {"1.27": ["shop.default-shadow"]}}]


def test_each_host_that_a_rules_destinations_write_is_expected() -> None:
    writing = [f"{{destination: {{host: shop}}, weight: 50, headers: {{request: {{set: {{Host: {name}.example.org}}}}}}}}" for name in "ab"]
    prod = PROD.replace("{destination: {host: shop}}", ", ".join(writing))
    both = STAGE.replace("shop.default-shadow", "a.example.org-shadow, b.example.org-shadow")
    for stage, taken in ((both, "ab"), (STAGE.replace("shop.default", "b.example.org"), "b")):
        found = documents(prod, stage)
        (expectation,) = exported("prod", prod=prod, stage=stage)["expects"]
        assert [request["hosts"] for request in expectation["requests"]] == [{"1.27": [f"{name}.example.org-shadow" for name in taken]}]
        contract = contract_of(found, "prod")
        assert not verify(loaded(without(found, "prod"), contract)).findings
        changed = documents(prod, stage.replace("b.example.org", "c.example.org"))
        (finding,) = verify(loaded(without(changed, "prod"), contract)).findings
        assert (finding.rule, finding.level) == ("shadow-host-not-accepted", "error")
        assert "`b.example.org-shadow`" in finding.message


def test_what_istio_refuses_is_left_out_and_said() -> None:
    stage = STAGE.replace("number: 80, name", "number: 80000, name")
    found = exported("stage", stage=stage)["accepts"]
    assert [each["object"]["kind"] for each in found["objects"]] == ["VirtualService", "Service"]
    (spot,) = found["blind_spots"]
    assert spot["message"].startswith("Gateway default/stage is left out, since it is refused")
    assert (spot["path"], spot["line"]) == ("<stage>", 6)


def test_a_route_that_its_crd_refuses_is_left_out_and_said() -> None:
    route = "---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: shop}\nspec: {parentRefs: [{name: a}], %s}\n"
    sound, refused = (exported("stage", stage=STAGE + route % hosts)["accepts"] for hosts in ("hostnames: [a]", "hostnames: a"))
    kinds = [[each["object"]["kind"] for each in found["objects"]] for found in (sound, refused)]
    assert ["HTTPRoute" in found for found in kinds] == [True, False]
    assert refused["blind_spots"][0]["message"].startswith("HTTPRoute default/shop is left out, since it is refused")


BREAKING = {
    "the host": ("shop.default-shadow", "shop.other", "shadow-host-not-accepted", 13),
    "the port": ("number: 80,", "number: 81,", "ingress-without-listener", 6),
    "the destination": ("destination: {host: shop}", "destination: {host: shopp}", "target-route-to-unknown-host", 16),
}


@pytest.mark.parametrize(("old", "new", "rule", "line"), BREAKING.values(), ids=BREAKING)
def test_verify_names_both_ends_of_what_a_change_breaks(old: str, new: str, rule: str, line: int) -> None:
    contract = contract_of(documents(), "prod")
    changed = without(documents(stage=STAGE.replace(old, new)), "prod")
    (finding,) = verify(loaded(changed, contract)).findings
    assert (finding.rule, finding.level, finding.place.path, finding.place.line) == (rule, "error", "<stage>", line)
    assert "prod://<prod>:22:13" in [str(note.place) for note in finding.notes]
    assert finding.fix == ()  # `fix` sees no mirror here


def test_verify_tells_of_an_address_that_is_given_up() -> None:
    contract = contract_of(documents(), "prod")
    moved = loads({"stage": STAGE}, ingress={"stage": {"addresses": ["new.example.com"]}}).loaded.documents
    (finding,) = verify(loaded(moved, contract)).findings
    assert finding.message.startswith("`stage-gateway.example.com` is no address of stage's ingress any more")
    assert str(finding.place) == "prod://<prod>:22:13"


def test_what_was_never_seen_to_arrive_is_broken_when_all_is_lost() -> None:
    """Exported without the target at hand, all forms of the Host are expected: a part that is lost is a warning, as it is for `check`."""
    alone = loads({"prod": PROD}, mesh={}).loaded.documents
    contract = contract_of(alone, "prod")
    assert [each.to for each in contract.expectations] == [""]
    (finding,) = verify(loaded(without(documents(stage=STAGE.replace("shop.default-shadow", "shop.default")), "prod"), contract)).findings
    assert (finding.level, finding.worlds) == ("error", ("1.27",))
    both = STAGE.replace("[shop.default-shadow]", "[shop.default, shop.default-shadow]")
    (finding,) = verify(loaded(without(documents(stage=both), "prod"), contract)).findings
    assert finding.level == "warning"


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        pytest.param('hosts: ["*"]', 'hosts: ["*"]\n    tls: {mode: SIMPLE, credentialName: a}', "refused-by-istio", id="refused"),
        pytest.param("servers:", "servers: [", "broken-document", id="unreadable"),
    ],
)
def test_verify_names_the_object_that_is_to_blame(old: str, new: str, rule: str) -> None:
    contract = contract_of(documents(), "prod")
    (finding,) = verify(loaded(without(documents(stage=STAGE.replace(old, new, 1)), "prod"), contract)).findings
    assert (finding.rule, finding.place.path) == (rule, "<stage>")
    assert [f"{note.place}: {note.message}" for note in finding.notes] == ["prod://<prod>:22:13: so the shadows of this mirror are lost"]


COOKIE = "  - match: [{headers: {cookie: {regex: '.*shadow=1.*'}}}]\n    route: [{des"
TOKEN = PROD.replace("    mirror:", "    headers: {request: {set: {authorization: Bearer a}}}\n    mirror:")
GUARD = """---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: a, namespace: istio-system}
spec: {action: %s, rules: [{when: [{key: "request.headers[authorization]", %s: ["%s"]}]}]}
"""


@pytest.mark.parametrize(
    ("prod", "stage"),
    [
        pytest.param(PROD.replace("  - route: [{des", COOKIE), STAGE.replace("  - route: [{des", COOKIE), id="a rule"),
        pytest.param(TOKEN, STAGE.replace("  - route: [{des", "  - match: [{headers: {authorization: {}}}]\n    route: [{des"), id="any"),
        pytest.param(TOKEN, STAGE + GUARD % ("ALLOW", "values", "Bearer a"), id="a policy"),
        pytest.param(TOKEN, STAGE + GUARD % ("ALLOW", "values", "Bearer *"), id="a policy for a prefix"),
        pytest.param(TOKEN, STAGE + GUARD % ("DENY", "notValues", "Bearer a"), id="a policy that denies all others"),
        pytest.param(TOKEN, STAGE + GUARD % ("DENY", "values", "Basic *"), id="a policy that denies others"),
    ],
)
def test_what_arrives_by_a_withheld_value_still_does(prod: str, stage: str) -> None:
    known = documents(prod=prod, stage=stage)
    contract = contract_of(known, "prod")
    assert all("(withheld)" in request.headers.values() for each in contract.expectations for request in each.requests)
    report = verify(loaded(without(known, "prod"), contract))
    assert (report.findings, [mirror.delivery for mirror in report.mirrors]) == ((), [{"1.27": "all"}])


def test_what_depends_on_a_withheld_value_is_not_judged() -> None:
    prod, stage = (text.replace("  - route: [{des", COOKIE) for text in (PROD, STAGE))
    contract = contract_of(documents(prod=prod, stage=stage), "prod")
    other = stage.replace(".*shadow=1.*", "shadow=1\\B")
    report = verify(loaded(without(documents(stage=other), "prod"), contract))
    assert (report.findings, [mirror.delivery for mirror in report.mirrors]) == ((), [{"1.27": "unknown"}])
    assert ["sends `cookie`, on which the way depends here" in spot.message for spot in report.blind_spots] == [True]


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        pytest.param("cookie", "x-team", "shadow-matches-no-route", id="another header"),
        pytest.param("shop.default-shadow", "shop.other", "shadow-host-not-accepted", id="another host"),
    ],
)
def test_what_is_lost_by_something_else_is_told_for_withheld_values_too(old: str, new: str, rule: str) -> None:
    prod, stage = (text.replace("  - route: [{des", COOKIE) for text in (PROD, STAGE))
    contract = contract_of(documents(prod=prod, stage=stage), "prod")
    (finding,) = verify(loaded(without(documents(stage=stage.replace(old, new)), "prod"), contract)).findings
    assert finding.rule == rule


def test_expectations_of_other_clusters_are_not_ours() -> None:
    contract = contract_of(documents(), "prod")
    renamed = loads({"qa": STAGE}, ingress={"qa": KNOWN["stage"]}).loaded.documents
    with pytest.raises(ValueError, match=r"^peer\.json: what is expected of `stage` is not verified, since no cluster here is called so"):
        verify(loaded(renamed, contract))


DAMAGES: dict[str, tuple[Any, str]] = {
    "no JSON": ("{", "peer.json:1:1: this contract can't be read"),
    "an empty file": ("", "peer.json:1:1"),
    "a list": ("[]", "peer.json:1:1"),
    "no version": ({"contract": "x"}, "this must be the version of the format"),
    "a missing field": ({"accepts": {"settings": {}, "objects": []}}, "`accepts` has no `blind_spots`"),
    "an unknown field": ({"acepts": {}}, "a contract has no `acepts` (did you mean `accepts`?)"),
    "an object without its places": (
        {"accepts": {"settings": {}, "objects": [{"at": "f:1:1", "object": {"kind": "Gateway"}, "places": ". ."}], "blind_spots": []}},
        "this must be an object with its places",
    ),
    "a place that is none": (
        {"accepts": {"settings": {}, "objects": [{"at": "f", "object": {}, "places": "."}], "blind_spots": []}},
        "this must be a place, `path:line:column`",
    ),
    "an expectation without requests": ({"expects": [{"at": "f:1:1"}]}, "an expectation has no `object`"),
    "settings that are none": (
        {"accepts": {"settings": {"domain": 5}, "objects": [], "blind_spots": []}},
        "`5` is no text until it is quoted",
    ),
    "a time that is none": ({"time": "yesterday"}, "this must be a time, such as 2026-01-31T12:00:00Z"),
}


@pytest.mark.parametrize(("damage", "told"), DAMAGES.values(), ids=DAMAGES)
def test_damage_is_told_with_its_place(damage: Any, told: str) -> None:
    text = damage if isinstance(damage, str) else written({**exported("stage"), **damage})
    contract = read_contract(text.encode(), "peer.json")
    assert not contract.usable
    assert any(told in f"{fault.place}: {fault.message}" for fault in contract.faults), contract.faults


def test_a_changed_contract_is_used_and_told() -> None:
    text = export(documents(), "stage", "mirrorlint 0.1.0").replace("shop.default-shadow", "shop.elsewhere")
    contract = read_contract(text.encode(), "peer.json")
    (fault,) = contract.faults
    assert contract.usable
    assert fault.message.startswith("this contract was changed after its export")
    assert fault.place.line == text.count("\n") - 1


def test_a_contract_of_a_newer_format_is_a_blind_spot() -> None:
    contract = read_contract(written({"contract": 2, "news": []}).encode(), "peer.json")
    assert (contract.usable, contract.faults) == (False, ())
    assert contract.blind_spots[0].message.endswith("a newer mirrorlint is needed")


@given(st.binary() | _VALUES.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_read(data: bytes) -> None:
    contract = read_contract(data, "peer.json")
    assert not contract.usable
    assert contract.faults or contract.blind_spots


def spots(value: Any) -> list[tuple[Any, Any]]:
    """Each part of a JSON value, as what holds it and its key there."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [spot for key in keys for spot in ((value, key), *spots(value[key]))]


BOTH = [export(documents(prod=PROD + SECURE), cluster, "mirrorlint 0.1.0") for cluster in ("prod", "stage")]


@given(st.sampled_from(BOTH), st.data())
def test_whatever_a_contract_says_is_read_and_judged(text: str, data: st.DataObject) -> None:
    said = json.loads(text)
    holder, key = data.draw(st.sampled_from(spots(said)))
    holder[key] = data.draw(_VALUES)
    contract = read_contract(written(said).encode(), "peer.json", "peer")
    assert contract.usable or contract.faults or contract.blind_spots
    known = documents()
    peer = Cluster("peer", contract.manifests, contract.settings, published=True)
    engine.lint(known._replace(clusters={"prod": known.clusters["prod"], "peer": peer}), {})
    verify(loaded(known, *([contract] if {each.to for each in contract.expectations} <= {"", *known.clusters} else [])))


def test_a_rule_of_a_contract_may_have_no_destination() -> None:
    stage = STAGE.replace("[shop.default-shadow]", "['*']").replace("route: [{destination: {host: shop}}]", "match: [{uri: {prefix: /}}]")
    known = documents(stage=stage)
    own = known.clusters["stage"]
    peer = Cluster("stage", list(own.manifests()), own.settings, published=True)
    report = engine.lint(known._replace(clusters={**known.clusters, "stage": peer}), {})
    assert "shadow-answered-by-gateway" in {finding.rule for finding in report.findings}


def test_what_a_contract_holds_is_not_linted_here() -> None:
    stage = STAGE.replace(
        "http:\n  - route: [{destination: {host: shop}}]",
        "http:\n  - route: [{destination: {host: shop}}]\n    mirrorPercentage: {value: 0}\n    mirror: {host: shop}",
    )
    own = documents(stage=stage)
    said = [{finding.rule for finding in engine.lint(each, {}).findings} for each in (own, published(own, "stage"))]
    assert ["mirror-switched-off" in rules for rules in said] == [True, False]


BEHIND = """\
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: NAME}
spec: {hosts: [NAME.example.com], gateways: [stage], http: [{route: [{destination: {host: NAME}}]}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: NAME}
spec: {host: NAME.default.svc.cluster.local, subsets: [{name: v1, labels: {version: v1}}]}
---
apiVersion: v1
kind: Service
metadata: {name: NAME}
spec: {ports: [{port: 80, name: http}], selector: {app: NAME}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME}
spec: {template: {metadata: {labels: {app: NAME, version: v1}}}}
"""


def steps_to_export(services: int) -> int:
    """How often functions are called until a contract with so many Services is written."""
    found = documents(stage=STAGE + "".join(BEHIND.replace("NAME", f"s{number}") for number in range(services)))
    counted: Counter[str] = Counter()
    sys.setprofile(lambda _frame, event, _arg: counted.update([event]))
    try:
        export(found, "stage", "mirrorlint 0.1.0")
    finally:
        sys.setprofile(None)
    return counted.total()


def test_twice_as_many_services_with_workloads_and_rules_take_twice_as_long() -> None:
    assert steps_to_export(200) < 2.1 * steps_to_export(100)
