"""What `.mirrorlint.yaml` may say, and how it is told what it may not; the schema says the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from mirrorlint.fleet import ClusterSettings, Ingress
from mirrorlint.loading import read_texts, settings
from mirrorlint.loading.settings import ClusterSection, Settings, SettingsError, check_rules, parse_settings
from mirrorlint.source import parse

SCHEMA = json.loads((Path(settings.__file__).parent / "settings.schema.json").read_text(encoding="utf-8"))

FULL = """
clusters:
  prod:
    paths: [clusters/prod, ./base]
    istio: 1.30
    shadow_suffix: true
    mesh: {outboundTrafficPolicy: {mode: REGISTRY_ONLY}, rootNamespace: istio-config, anything: [1, {a: b}]}
    domain: example.org
    external: [collector.example.net]
    complete: false
  stage:
    ingress: [stage-gateway.example.com, 203.0.113.10]
  test:
    ingress: {addresses: [gw], namespace: istio-system, labels: {istio: ingressgateway}, ports: {80: 8080, "443": 8443}}
    path: ../test-repo
rules: {one: off, two: false, three: "off", four: warning, five: error}
"""

GOOD = {
    "full": FULL,
    "empty": "",
    "only a comment": "# nothing yet\n",
    "empty mappings": "clusters:\nrules: {}\n",
    "an empty cluster": "clusters: {prod: , stage: {}}\n",
    "a quoted version": "clusters: {prod: {istio: '1.27.3-alpha.1'}}\n",
    "a version with a v": "clusters: {prod: {istio: v1.27}}\n",
    "a peer's contract": "clusters: {prod: {contract: x.json}}\n",
    "a peer": "clusters: {prod: {path: ../x}}\n",
    "an empty mesh": "clusters: {prod: {mesh: {}}}\n",
    "a mesh with null": "clusters: {prod: {mesh: {outboundTrafficPolicy: }}}\n",
    "other addresses": "clusters: {prod: {ingress: ['2001:db8::1', 'a.example.com:80']}}\n",
    "selectors of a mesh": (
        "clusters: {a: {mesh: {discoverySelectors: [{matchLabels: {a: ''}}, {}, "
        "{matchExpressions: [{key: a, operator: In, values: [b]}, {key: a, operator: Exists}]}]}}}\n"
    ),
    "another policy of a mesh": "clusters: {a: {mesh: {defaultTrafficPolicy: {outlierDetection: {}}}}}\n",
    "other fields of a mesh": "clusters: {a: {mesh: {inboundTrafficPolicy: {mode: x}, outboundTrafficPolicy: {egressProxy: x}}}}\n",
    "empty lists": "clusters: {prod: {paths: [], external: [], ingress: []}}\n",
    "an empty ingress": "clusters: {prod: {ingress: {labels: , ports: }}}\n",
}

# Each with the beginning of its messages.
BAD = {
    "a list": ("- a\n", ["1:1: a settings file must be a mapping (of `clusters`, `rules`)"]),
    "an unknown key": ("cluster: {}\n", ["1:1: a settings file has no `cluster` (did you mean `clusters`?)"]),
    "an unknown key of a cluster": ("clusters:\n  prod:\n    isto: 1.27\n", ["3:5: a cluster has no `isto` (did you mean `istio`?)"]),
    "an unknown key of an ingress": (
        "clusters: {a: {ingress: {address: [x]}}}\n",
        ["1:26: `ingress` has no `address` (did you mean `addresses`?)"],
    ),
    "a key that is not near": ("zzz: 1\n", ["1:1: a settings file has no `zzz`"]),
    "clusters as a list": ("clusters: [prod]\n", ["1:11: `clusters` must be a mapping"]),
    "a cluster as a text": ("clusters: {prod: x}\n", ["1:18: a cluster must be a mapping"]),
    "one path": ("clusters: {prod: {paths: x}}\n", ["1:26: this must be a list"]),
    "paths that are none": (
        "clusters: {prod: {paths: [1, '', {}]}}\n",
        ["1:27: `1` is no text until it is quoted", "1:30: this must be a text", "1:34: this must be a text"],
    ),
    "no paths": ("clusters: {prod: {paths: }}\n", ["1:26: this must be a list"]),
    "a version that is none": ("clusters: {prod: {istio: latest}}\n", ["1:26: `latest` is not an Istio version such as 1.27"]),
    "half a version": ("clusters: {prod: {istio: 1}}\n", ["1:26: `1` is not an Istio version"]),
    "a quoted boolean": (
        "clusters: {prod: {complete: 'true', shadow_suffix: 1}}\n",
        ["1:29: this must be true or false, without quotes", "1:52: this must be true or false, without quotes"],
    ),
    "a mesh as a list": ("clusters: {prod: {mesh: []}}\n", ["1:25: this must be a mapping"]),
    "an unknown mode": (
        "clusters: {prod: {mesh: {outboundTrafficPolicy: {mode: REGISTRY_ONLI}}}}\n",
        ["1:56: `REGISTRY_ONLI` is not one of ALLOW_ANY, REGISTRY_ONLY, ALLOW_ANY_DYNAMIC_DNS (did you mean `REGISTRY_ONLY`?)"],
    ),
    "a policy as a text": (
        "clusters: {prod: {mesh: {outboundTrafficPolicy: REGISTRY_ONLY}}}\n",
        ["1:49: `outboundTrafficPolicy` must be a mapping"],
    ),
    "an export as a text": ("clusters: {prod: {mesh: {defaultServiceExportTo: '*'}}}\n", ["1:50: this must be a list"]),
    "selectors as a mapping": ("clusters: {a: {mesh: {discoverySelectors: {matchLabels: {a: b}}}}}\n", ["1:43: this must be a list"]),
    "selectors that are none": (
        "clusters: {a: {mesh: {discoverySelectors: [a, {matchLabel: {}}, {matchLabels: {a: true}}]}}}\n",
        [
            "1:44: this must be a label selector",
            "1:48: a label selector has no `matchLabel` (did you mean `matchLabels`?)",
            "1:83: `true` is no text until it is quoted",
        ],
    ),
    "expressions that are none": (
        "clusters: {a: {mesh: {discoverySelectors: [{matchExpressions: "
        "[{operator: Exists}, {key: a, operator: in, values: [b]}, {key: a, operator: In}, {key: a, operator: Exists, values: [b]}]}]}}}\n",
        [
            "1:64: this must be a text",
            "1:103: `in` is not one of In, NotIn, Exists, DoesNotExist",
            "1:121: `In` takes some `values`",
            "1:180: `Exists` takes no `values`",
        ],
    ),
    "a root namespace as a list": ("clusters: {prod: {mesh: {rootNamespace: [a]}}}\n", ["1:41: this must be a text"]),
    "an address": ("clusters: {prod: {ingress: a.example.com}}\n", ["1:28: `ingress` must be a list of addresses, or a mapping"]),
    "ports": (
        "clusters: {prod: {ingress: {ports: {0: 1, 80: 0, 443: '8443', x: 70000, 65536: 1}}}}\n",
        ["1:37: `0` is not the", "1:47: this must be the", "1:55: this must be the", "1:66: this must be the", "1:73: `65536` is not the"],
    ),
    "labels": ("clusters: {prod: {ingress: {labels: {a: 1}}}}\n", ["1:41: `1` is no text until it is quoted"]),
    "a misspelt key": ("clusters: {prod: {pahts: [x]}}\n", ["1:19: a cluster has no `pahts` (did you mean `paths`?)"]),
    "a contract beside a peer": (
        "clusters: {prod: {path: ../x, contract: x.json}}\n",
        ["1:41: a cluster is read from its `paths`, a peer's `path` or its `contract`: `path` is there as well"],
    ),
    "a peer as a list": ("clusters: {prod: {path: [../x]}}\n", ["1:25: this must be a text"]),
    "paths and a peer": (
        "clusters: {prod: {paths: [.], path: b}}\n",
        ["1:37: a cluster is read from its `paths`, a peer's `path` or its `contract`: `paths` is there as well"],
    ),
    "more than hosts": (
        "clusters: {prod: {ingress: [http://a.example.com, a.example.com/x], external: [a.example.com/]}}\n",
        [
            "1:29: `http://a.example.com` is more than a host: the host name or the IP address stands here alone",
            "1:51: `a.example.com/x` is more",
            "1:80: `a.example.com/` is more",
        ],
    ),
    "more than an address": ("clusters: {prod: {ingress: {addresses: [10.0.0.0/8]}}}\n", ["1:41: `10.0.0.0/8` is more"]),
    "an unknown level": ("rules: {a: warn}\n", ["1:12: `warn` is not one of off, warning, error (did you mean `warning`?)"]),
    "a level that is true": ("rules: {a: on, b: }\n", ["1:12: `on` is not one of", "1:19: this must be one of off, warning, error"]),
}


@pytest.fixture(autouse=True)
def _folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The paths that the settings name are there, beside them and below `conf/`."""
    for folder in ("clusters/prod", "base", "conf/clusters/prod", "conf/base"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)


def plain(text: str) -> object:
    documents = parse(text.encode(), "x").documents
    return documents[0].plain() if documents else None


def test_everything_is_read() -> None:
    mesh = {"outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"}, "rootNamespace": "istio-config", "anything": [1, {"a": "b"}]}
    prod = ClusterSettings("1.30", True, mesh, "example.org", ("collector.example.net",), complete=False)
    stage = ClusterSettings(ingress=Ingress(("stage-gateway.example.com", "203.0.113.10")))
    ingress = Ingress(("gw",), "istio-system", {"istio": "ingressgateway"}, {80: 8080, 443: 8443})
    said = parse_settings(FULL.encode(), "conf/.mirrorlint.yaml")
    assert said.path == "conf/.mirrorlint.yaml"
    assert said.rules == {"one": "off", "two": "off", "three": "off", "four": "warning", "five": "error"}
    assert said.clusters == {
        "prod": ClusterSection(("conf/clusters/prod", "conf/base"), "", prod),
        "stage": ClusterSection((), "", stage),
        "test": ClusterSection((), "test-repo", ClusterSettings(ingress=ingress)),
    }


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_what_is_right_is_right_for_the_schema_too(text: str) -> None:
    assert parse_settings(text.encode(), "s.yaml").path == "s.yaml"
    assert list(Draft202012Validator(SCHEMA).iter_errors(plain(text))) == []


@pytest.mark.parametrize(("text", "expected"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_told_in_full_and_wrong_for_the_schema_too(text: str, expected: list[str]) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_settings(text.encode(), "s.yaml")
    assert len(caught.value.messages) == len(expected)
    for message, begin in zip(caught.value.messages, expected, strict=True):
        assert message.startswith(f"s.yaml:{begin}")
    assert not Draft202012Validator(SCHEMA).is_valid(plain(text))


def test_a_field_of_the_mesh_that_is_nearly_one_is_told() -> None:
    text = "clusters: {a: {mesh: {outboundTraficPolicy: {}, rootNamspace: b, outboundTrafficPolicy: {mdoe: ALLOW_ANY}}}}\n"
    with pytest.raises(SettingsError) as caught:
        parse_settings(text.encode(), "s.yaml")
    assert caught.value.messages == (
        "s.yaml:1:23: `mesh` has no `outboundTraficPolicy` (did you mean `outboundTrafficPolicy`?)",
        "s.yaml:1:49: `mesh` has no `rootNamspace` (did you mean `rootNamespace`?)",
        "s.yaml:1:90: `outboundTrafficPolicy` has no `mdoe` (did you mean `mode`?)",
    )


def test_a_cluster_is_called_as_it_is_written() -> None:
    assert list(parse_settings(b"clusters: {no: , y: , 'on': , 0x10: , 1.10: }\n", "s.yaml").clusters) == ["no", "y", "on", "0x10", "1.10"]


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rules: {\n", "s.yaml:1:8:"),
        ("rules: {a: off}\nrules: {b: off}\n", "s.yaml:2:1:"),
        ("rules: {}\n---\nrules: {}\n", "s.yaml:3:1: settings are one document"),
        ("\0", "s.yaml:1:1:"),
    ],
    ids=["broken", "a key twice", "two documents", "no text"],
)
def test_what_is_no_yaml_is_told(text: str, expected: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_settings(text.encode(), "s.yaml")
    assert caught.value.messages[0].startswith(expected)


def test_messages_stand_in_order_and_one_a_line() -> None:
    text = "rules: {a: x}\nclusters:\n  prod:\n    istio: no\n" + "".join(f"    k{n}: 1\n" for n in range(8))
    with pytest.raises(SettingsError) as caught:
        parse_settings(text.encode(), "s.yaml")
    assert [message.split(":")[1] for message in str(caught.value).split("\n")] == [str(line) for line in (1, *range(4, 13))]


def test_rules_that_there_are_not_are_told() -> None:
    said = parse_settings(b"rules:\n  mirror-to-unknown-hots: off\n  fine: error\n  zzz: off\n", "s.yaml")
    check_rules(said, ["mirror-to-unknown-hots", "fine", "zzz"])
    with pytest.raises(SettingsError) as caught:
        check_rules(said, ["mirror-to-unknown-host", "fine"])
    assert caught.value.messages == (
        "s.yaml:2:3: there is no rule `mirror-to-unknown-hots` (did you mean `mirror-to-unknown-host`?)",
        "s.yaml:4:3: there is no rule `zzz`",
    )
    check_rules(Settings(), [])


def test_what_a_program_says_is_held_to_the_same() -> None:
    with pytest.raises(SettingsError, match=r"^<ingress>:1:\d+: `ingress` has no `adresses` \(did you mean `addresses`\?\)$"):
        read_texts({"a": ""}, ingress={"a": {"adresses": ["x"]}})
    with pytest.raises(SettingsError, match=r"^<mesh>:1:\d+: `SOME` is not one of"):
        read_texts({"a": ""}, mesh={"a": {"outboundTrafficPolicy": {"mode": "SOME"}}})
    said = read_texts({"a": ""}, ingress={"a": ("x", "y")}).documents.clusters["a"].settings
    assert said.ingress.addresses == ("x", "y")
