"""Reading files: values as Kubernetes reads them, places that exist, and faults that cost no other document."""

from __future__ import annotations

import gc
import json
import marshal
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import assume, example, given
from hypothesis import strategies as st

from mirrorlint import source
from mirrorlint.source import Broken, Node, parse, pieces, tree
from mirrorlint.source.scalars import plain as read_plain


def read(text: str) -> Node:
    """The one document of a text that has no fault."""
    parsed = parse(text.encode(), "f.yaml")
    assert not parsed.broken
    (document,) = parsed.documents
    return document


def fault(text: str) -> Broken:
    """The one fault of a text."""
    (broken,) = parse(text.encode(), "f.yaml").broken
    return broken


def plains(data: bytes) -> list[Any]:
    return [document.plain() for document in parse(data, "f.yaml").documents]


def nodes(node: Node) -> Iterator[Node]:
    yield node
    for item in node:
        yield from nodes(item)
    for key, value in node.entries():
        yield key
        yield from nodes(value)


def assert_exists(place: source.Place, lines: list[str]) -> None:
    for line, column in ((place.line, place.column), (place.end_line, place.end_column)):
        assert 1 <= line <= len(lines)
        assert 1 <= column <= len(lines[line - 1]) + 1
    assert (place.line, place.column) <= (place.end_line, place.end_column)


def editor_lines(text: str) -> list[str]:
    """Lines as an editor shows them; what a last line break ends is no line of its own."""
    lines = re.split("\r\n|[\n\r]", text)
    return lines[:-1] if len(lines) > 1 and not lines[-1] else lines


SERVICE_ENTRY = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata:
  name: stage  # of the other cluster
spec:
  hosts:
  - stage.example.com
  - "*.example.org"
  ports:
  - {number: 80, name: 'http'}
  location:
"""


class TestNavigation:
    def test_reaches_values_by_key_and_index(self) -> None:
        spec = read(SERVICE_ENTRY)["spec"]
        assert spec["hosts"].texts == ("stage.example.com", "*.example.org")
        assert [port["number"].number for port in spec["ports"]] == [80]
        assert spec["ports"].at(0)["name"].text == "http"
        assert [key.text for key, _ in spec.entries()] == ["hosts", "ports", "location"]
        assert len(spec) == 3
        assert len(spec["hosts"]) == 2

    def test_absent_values_stand_at_the_nearest_parent_that_is_there(self) -> None:
        document = read(SERVICE_ENTRY)
        absent = document["spec"]["ports"].at(0)["targetPort"]["deep"].at(3)
        assert not absent
        assert not absent.present
        assert absent.place == document["spec"]["ports"].at(0).place
        assert (absent.text, absent.value, absent.number, absent.decimal, absent.truth) == ("", None, 0, 0.0, False)
        assert (absent.texts, len(absent), list(absent), list(absent.entries())) == ((), 0, [], [])
        assert absent.plain() is None

    def test_null_is_present_but_not_true(self) -> None:
        spec = read(SERVICE_ENTRY)["spec"]
        assert "location" in spec
        assert spec["location"].present
        assert spec["location"].is_scalar
        assert not spec["location"]
        assert "resolution" not in spec

    @pytest.mark.parametrize("text", ["{}", "[]", '""', "0", "false"], ids=["{}", "[]", "empty text", "0", "false"])
    def test_what_is_empty_is_there(self, text: str) -> None:
        assert read(f"a: {text}")["a"]

    @pytest.mark.parametrize("index", [-1, 2])
    def test_an_index_outside_the_list_is_absent(self, index: int) -> None:
        assert not read("[a, b]").at(index).present

    def test_wrong_kinds_are_absent(self) -> None:
        document = read("a: text\nb: [1]\nc: {d: 1}\n")
        assert not document["a"]["x"].present
        assert not document["a"].key("x").present
        assert not document["b"]["x"].present
        assert not document["c"].at(0).present
        assert "t" not in document["a"]
        assert (list(document["c"]), list(document["b"].entries())) == ([], [])
        assert document["c"].is_mapping
        assert document["b"].is_sequence

    def test_nodes_are_equal_by_kind_and_place(self) -> None:
        assert read(SERVICE_ENTRY)["spec"] == read(SERVICE_ENTRY)["spec"]
        assert len({read(SERVICE_ENTRY)["spec"], read(SERVICE_ENTRY)["spec"]}) == 1
        assert read(SERVICE_ENTRY)["spec"] != read(SERVICE_ENTRY)["kind"]
        assert read("a: 1") != "a: 1"

    def test_raw_survives_marshal(self) -> None:
        document = read(SERVICE_ENTRY)
        copy = Node(marshal.loads(marshal.dumps(document.raw)), document.path)  # noqa: S302 - what was just written
        assert copy.plain() == document.plain()
        assert [node.place for node in nodes(copy)] == [node.place for node in nodes(document)]

    def test_shows_its_place_in_a_debugger(self) -> None:
        assert repr(read("a: 1")["a"]) == "Node(f.yaml:1:4, str)"


class TestPlaces:
    @pytest.mark.parametrize(
        ("text", "path", "expected"),
        [
            pytest.param("a: b", "a", (1, 4, 1, 5), id="scalar"),
            pytest.param('a: "b c"  # d', "a", (1, 4, 1, 9), id="quoted, with its quotes"),
            pytest.param("a:\n  b: 1\n  c: 23\n\n# end\n", "a", (2, 3, 3, 8), id="mapping ends at its last value"),
            pytest.param("a:\n- x\n- yy\n\nb: 1", "a", (2, 1, 3, 5), id="list begins at its dash"),
            pytest.param("a: [x,\n  y]\nb: 1", "a", (1, 4, 2, 5), id="flow list with its brackets"),
            pytest.param("a: {}\n", "a", (1, 4, 1, 6), id="empty mapping"),
            pytest.param("a: |\n  x\n  yz\n\nb: 1", "a", (1, 4, 3, 5), id="block scalar ends at its text"),
            pytest.param("a: |\n", "a", (1, 4, 1, 5), id="empty block scalar"),
            pytest.param("a:\nb: 1", "a", (1, 3, 1, 3), id="null behind its colon"),
            pytest.param("? a\n", "a", (1, 4, 1, 4), id="null behind its key"),
            pytest.param("é: 'ü'\n", "é", (1, 4, 1, 7), id="characters, not bytes"),
            pytest.param("\ufeffa: b", "a", (1, 4, 1, 5), id="byte order mark is no column"),
            pytest.param("a: &x b", "a", (1, 7, 1, 8), id="anchor is no part of the value"),
            pytest.param("a: &x\n  b: 1", "a", (2, 3, 2, 7), id="anchor on a line of its own"),
            pytest.param("b: &x 1\na: *x", "a", (2, 4, 2, 6), id="alias where it is used"),
            pytest.param("a: !!str 5", "a", (1, 10, 1, 11), id="tag is no part of the value"),
            pytest.param("b: 1\r\na: c\r\n", "a", (2, 4, 2, 5), id="CRLF"),
            pytest.param("b: 1\ra: c\r", "a", (2, 4, 2, 5), id="CR"),
            pytest.param("# \u2028\na: 'b\u2028 c'\n", "a", (2, 4, 2, 10), id="breaks that only YAML 1.1 knows"),
        ],
    )
    def test_value(self, text: str, path: str, expected: tuple[int, ...]) -> None:
        assert tuple(read(text)[path].place[1:]) == expected

    def test_key(self) -> None:
        assert tuple(read(SERVICE_ENTRY)["spec"].key("ports").place) == ("f.yaml", 9, 3, 9, 8)

    def test_prints_as_path_line_column(self) -> None:
        assert str(read(SERVICE_ENTRY)["spec"]["hosts"].at(1).place) == "f.yaml:8:5"


# What sigs.k8s.io/yaml v1.6.0 (YAMLToJSON) makes of `v: <text>`.
KUBERNETES_VALUES = """
y => true
yes => true
on => true
Y => true
Yes => true
YES => true
On => true
ON => true
n => false
no => false
off => false
true => true
True => true
TRUE => true
tRUE => "tRUE"
false => false
oN => "oN"
~ => null
null => null
Null => null
NULL => null
nULL => "nULL"
0 => 0
-0 => 0
+1 => 1
007 => 7
0777 => 511
08 => 8
0o17 => 15
0O17 => 15
0o8 => "0o8"
-017 => -15
0x1F => 31
0X1f => 31
-0x1F => -31
0xg => "0xg"
0b101 => 5
-0b101 => -5
0b102 => "0b102"
-0b-1 => "-0b-1"
0B1 => 1
1_000 => 1000
1__0 => 10
1_ => 1
_1 => "_1"
0x_1F => 31
0_7 => 7
12:30 => "12:30"
12:30:45 => "12:30:45"
190:20:30 => "190:20:30"
1.5 => 1.5
1. => 1
.5 => 0.5
+.5 => 0.5
-.5 => -0.5
. => "."
.. => ".."
._5 => "._5"
.5_5 => 0.55
.5e3 => 500
1_0.5 => 10.5
1e3 => 1000
1E3 => 1000
1e+3 => 1000
1e-3 => 0.001
1e999 => "1e999"
.1e999 => ".1e999"
-1e999 => "-1e999"
1e => "1e"
.e5 => ".e5"
inf => "inf"
nan => "nan"
0x1p4 => "0x1p4"
9223372036854775807 => 9223372036854775807
9223372036854775808 => 9223372036854775808
-9223372036854775808 => -9223372036854775808
-9223372036854775809 => -9223372036854776000
18446744073709551615 => 18446744073709551615
18446744073709551616 => 18446744073709552000
123456789012345678901234567890 => 1.2345678901234568e+29
2001-12-14 => "2001-12-14"
2001-12-14T21:59:43Z => "2001-12-14T21:59:43Z"
-- => "--"
+ => "+"
1.2.3 => "1.2.3"
1,000 => "1,000"
0. => 0
00 => 0
0.0 => 0
-0.0 => 0
80.0 => 80
1.10 => 1.1
6e2 => 600
= => "="
<< => "<<"
! => ""
0o => "0o"
0x => "0x"
0b => "0b"
0e0 => 0
.0 => 0
1e22 => 1e+22
1e21 => 1e+21
1e20 => 100000000000000000000
100000000000000000000 => 100000000000000000000
0.000001 => 1e-06
0.0000001 => 1e-07
 => null
'' => ""
"" => ""
'on' => "on"
"5" => "5"
!!str 5 => "5"
!!str on => "on"
!!str ~ => "~"
!!str => ""
!!int '5' => 5
!!int 0x10 => 16
!!float 5 => 5
!!float '1.5' => 1.5
!!bool yes => true
!!bool 'no' => false
!!null '' => null
!!null ~ => null
!!binary aGVsbG8= => "hello"
!foo 5 => "5"
!foo ~ => "~"
! 5 => "5"
!!timestamp 2001-01-01 => "2001-01-01"
&a 5 => 5
!!map {a: 1} => {"a": 1}
!!set {a} => {"a": null}
!!omap [a: 1] => [{"a": 1}]
!!seq [1] => [1]
!<tag:yaml.org,2002:int> 7 => 7
!!float 1_0 => 10
"""

# The same for keys: `<key>: v`.
KUBERNETES_KEYS = {
    "on": "true",
    "y": "true",
    "1": "1",
    "0x10": "16",
    "010": "8",
    "1.5": "1.5",
    "1.10": "1.1",
    "1e6": "1e+06",
    "100000.5": "100000.5",
    "1234567.5": "1.2345675e+06",
    "1e5": "100000",
    "0.0001": "0.0001",
    "0.00001": "1e-05",
    ".inf": ".inf",
    "-.inf": "-.inf",
    ".nan": ".nan",
    "1e300": ".inf",
    "1e21": "1e+21",
    "16777217.0": "1.6777216e+07",
    "0.1": "0.1",
    "''": "",
    "2001-01-01": "2001-01-01",
    "12:30": "12:30",
    "!!int '7'": "7",
    "!!str 7": "7",
    "1_000": "1000",
    "08": "8",
    "-0.0": "-0",
    "123456789.0": "1.2345679e+08",
    "'<<'": "<<",
    "!!binary aGk=": "hi",
    "true": "true",
    "!!float 7": "7",
    "3.14159265358979": "3.1415927",
}

# Documents that hold merges and aliases, and what the same program makes of them.
KUBERNETES_MERGES = {
    "own key behind the merge wins": ("b: &x {a: 1, c: 2}\nd:\n  <<: *x\n  a: 3\n", {"a": 3, "c": 2}),
    "merge behind the own key wins": ("b: &x {a: 1, c: 2}\nd:\n  a: 3\n  <<: *x\n", {"a": 1, "c": 2}),
    "first of a list wins": ("b: &x {a: 1}\nc: &y {a: 2, e: 5}\nd:\n  <<: [*x, *y]\n", {"a": 1, "e": 5}),
    "last of two merges wins": ("b: &x {a: 1}\nc: &y {a: 2}\nd:\n  <<: *x\n  <<: *y\n", {"a": 2}),
    "mapping in place": ("d:\n  <<: {a: 1}\n  b: 2\n", {"a": 1, "b": 2}),
    "mappings in place": ("d:\n  <<: [{a: 1}, {a: 2, b: 3}]\n", {"a": 1, "b": 3}),
    "quoted is a key": ("d:\n  '<<': {a: 1}\n", {"<<": {"a": 1}}),
    "merge tag": ("d:\n  !!merge '<<': {a: 1}\n", {"a": 1}),
    "merge of a merge": ("b: &x {a: 1}\nc: &y {<<: *x, b: 2}\nd: {<<: *y, z: 1}\n", {"a": 1, "b": 2, "z": 1}),
    "as a value": ("d: <<\n", "<<"),
    "anchor set anew": ("a: &a 1\nb: &a 2\nd: *a\n", 2),
    "alias as a key": ("a: &x on\nd: {*x : 2}\n", {"true": 2}),
}


def integer(text: str) -> int | float:
    """Return what Go's json.Marshal wrote: an integer that fits no machine word was a float."""
    return int(text) if -(2**63) <= int(text) < 2**64 else float(text)


def rows(table: str) -> list[Any]:
    parts = (line.rpartition(" => ") for line in table.strip("\n").split("\n"))
    return [pytest.param(text, json.loads(value, parse_int=integer), id=text or "empty") for text, _, value in parts]


class TestKubernetesReading:
    @pytest.mark.parametrize(("text", "expected"), rows(KUBERNETES_VALUES))
    def test_value(self, text: str, expected: Any) -> None:
        value = read(f"v: {text}")["v"]
        assert value.plain() == expected
        assert isinstance(value.plain(), bool) == isinstance(expected, bool)

    @pytest.mark.parametrize(("text", "expected"), [(".inf", "inf"), ("-.INF", "-inf"), (".nan", "nan")])
    def test_floats_that_json_does_not_know(self, text: str, expected: str) -> None:
        assert str(read(f"v: {text}")["v"].value) == expected

    @pytest.mark.parametrize(("text", "expected"), KUBERNETES_KEYS.items(), ids=KUBERNETES_KEYS)
    def test_key(self, text: str, expected: str) -> None:
        document = read(f"{text}: v")
        assert document[expected].text == "v"
        assert [key.text for key, _ in document.entries()] == [expected]
        assert document.key(expected).value == expected

    @pytest.mark.parametrize(("text", "expected"), KUBERNETES_MERGES.values(), ids=KUBERNETES_MERGES)
    def test_merge(self, text: str, expected: Any) -> None:
        assert read(text)["d"].plain() == expected

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("v: !!int 5.0", "`5.0` is not of type int"),
            ("v: !!int ''", "`` is not of type int"),
            ("v: !!float foo", "`foo` is not of type float"),
            ("v: !!bool 1", "`1` is not of type bool"),
            ("v: !!null x", "`x` is not of type null"),
            ("v: !!binary '*'", "`*` is not of type binary"),
            ("~: v", "a key is null"),
            ("{b: 1, ~ : v, b: 2}", "a key is null"),
            ("[a]: v", "a key is a text, not a mapping or a list"),
            ("d: {<<: 5}", "`<<` merges mappings, and this is none"),
            ("d: {<<: [1]}", "`<<` merges mappings, and this is none"),
            ("a: &a [*a]", "`*a` stands inside the value it refers to"),
            ("a: &a 1\nb: &a [*a]", "`*a` stands inside the value it refers to"),
        ],
    )
    def test_refuses_what_kubernetes_refuses(self, text: str, message: str) -> None:
        assert fault(text).message == message
        assert fault(text).dropped

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("80", 80),
            ("'80'", 80),
            ("0x50", 80),
            ("80.0", 80),
            ("-1", -1),
            ("80.5", 0),
            ("'080'", 0),
            ("'x'", 0),
            ("true", 0),
            ("~", 0),
            ("[1]", 0),
        ],
    )
    def test_number(self, text: str, expected: int) -> None:
        assert read(f"v: {text}")["v"].number == expected

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            *(("50", 50.0), ("0.5", 0.5), ("'1e1'", 10.0), ("'x'", 0.0), ("on", 0.0)),
            *((".nan", 0.0), (".inf", 0.0), ("-.inf", 0.0), ("'1e999'", 0.0)),
        ],
    )
    def test_decimal(self, text: str, expected: float) -> None:
        assert read(f"v: {text}")["v"].decimal == expected

    @pytest.mark.parametrize(("text", "expected"), [("on", True), ("'on'", False), ("off", False), ("1", False)])
    def test_truth(self, text: str, expected: bool) -> None:
        assert read(f"v: {text}")["v"].truth is expected

    def test_text_is_as_written(self) -> None:
        document = read('a: 0x10\nb: on\nc: ~\nd: "a\\tb"\ne: >\n  x\n  y\nf: []\n')
        assert [value.text for _, value in document.entries()] == ["0x10", "on", "", "a\tb", "x y\n", ""]

    def test_what_aliases_repeat_is_shared(self) -> None:
        value = read("a: &x [1]\nb: *x\n").plain()
        assert value["a"] is value["b"]


class TestStreams:
    @pytest.mark.parametrize(
        ("data", "expected"),
        [
            pytest.param(b"", [], id="empty"),
            pytest.param(b"# a\n---\n# b\n---\n~\n...\n", [], id="comments and nulls"),
            pytest.param(b"a: 1\n---\nb: 2\n", [{"a": 1}, {"b": 2}], id="two"),
            pytest.param(b"--- {a: 1}\n...\n---\nb: 2\n", [{"a": 1}, {"b": 2}], id="with an end"),
            pytest.param(b'{"a": [1, "\\u00e9", {"b": null}]}', [{"a": [1, "é", {"b": None}]}], id="JSON"),
            pytest.param(b"a: 1\r\n---\r\nb: 2\r\n", [{"a": 1}, {"b": 2}], id="CRLF"),
            pytest.param(b"\xef\xbb\xbfa: 1\n", [{"a": 1}], id="byte order mark"),
            pytest.param(b"a: 1\n---\n\xef\xbb\xbfb: 2\nc: 3\n", [{"a": 1}, {"b": 2, "c": 3}], id="byte order mark of a document"),
            pytest.param("a: é\n".encode("utf-16"), [{"a": "é"}], id="UTF-16"),
            pytest.param(b"\xfe\xff" + "a: é\n".encode("utf-16-be"), [{"a": "é"}], id="UTF-16, big end first"),
            pytest.param(b"%YAML 1.1\n---\na: 1\n", [{"a": 1}], id="directive"),
            pytest.param(b"text", ["text"], id="scalar"),
        ],
    )
    def test_documents(self, data: bytes, expected: list[Any]) -> None:
        assert plains(data) == expected
        assert parse(data, "f.yaml").broken == []

    @pytest.mark.parametrize(
        ("middle", "line"),
        [
            pytest.param(b"b: [", 3, id="open bracket"),
            pytest.param(b'b: "x', 3, id="open quote"),
            pytest.param(b"b: \xff", 3, id="not UTF-8"),
            pytest.param(b"b: \0", 3, id="NUL"),
            pytest.param(b"b: *x", 3, id="alias"),
            pytest.param("# \u2028\nb: 'x".encode(), 4, id="behind a break that only YAML 1.1 knows"),
        ],
    )
    def test_a_broken_document_costs_no_other(self, middle: bytes, line: int) -> None:
        data = b"a: 1\n---\n" + middle + b"\n---\nc: 3\n--- \nd: 4\n"
        parsed = parse(data, "f.yaml")
        assert [document.plain() for document in parsed.documents] == [{"a": 1}, {"c": 3}, {"d": 4}]
        assert [broken.place.line for broken in parsed.broken] == [line]
        assert parsed.broken[0].text == f"---\n{middle.decode('utf-8', 'replace')}\n"
        last = len(data.decode("utf-8", "replace").split("\n")) - 1
        assert str(parsed.documents[2]["d"].place) == f"f.yaml:{last}:4"

    def test_places_behind_a_fault_follow_aliases(self) -> None:
        shared = parse(b"[\n---\na: &x [p]\nb: *x\n", "f.yaml").documents[0]
        assert [str(shared[key].at(0).place) for key in "ab"] == ["f.yaml:3:8"] * 2
        value = shared.plain()
        assert value["a"] is value["b"]

    def test_a_directive_stays_with_its_document(self) -> None:
        data = b"a: [\n%TAG !k! tag:yaml.org,2002:\n---\nb: !k!str 5\n"
        assert plains(data) == [{"b": "5"}]

    def test_a_byte_that_is_no_utf8_is_named(self) -> None:
        (broken,) = parse("é: ü".encode() + b"\xff", "f.yaml").broken
        assert broken.message == "byte 0xff is not UTF-8"
        assert tuple(broken.place) == ("f.yaml", 1, 5, 1, 6)
        assert broken.text == "é: ü\ufffd"

    def test_cut_utf16(self) -> None:
        (broken,) = parse("a: b".encode("utf-16") + b"c", "f.yaml").broken
        assert broken.place[1:3] == (1, 5)

    def test_a_value_behind_an_end(self) -> None:
        parsed = parse(b"a: 1\n---\nb: 2\n... \n}\n---\nc: 3\n", "f.yaml")
        assert [document.plain() for document in parsed.documents] == [{"a": 1}, {"b": 2}, {"c": 3}]
        assert [str(broken.place) for broken in parsed.broken] == ["f.yaml:5:1"]

    def test_a_value_behind_a_document_costs_only_itself(self) -> None:
        parsed = parse(b'{"a": 1}\n{"b": 2}\n---\nc: 3\n', "f.yaml")
        assert [document.plain() for document in parsed.documents] == [{"a": 1}, {"c": 3}]
        assert parsed.broken[0].message == '`{"b": 2}` stands behind the end of the document'
        assert str(parsed.broken[0].place) == "f.yaml:2:1"


CAUSES = [
    pytest.param(
        "spec:\n  ports:\n  - number: 80\n        name: http\n        protocol: HTTP\n",
        "4:9",
        "`name: http` is indented under `number: 80`, which already has a value",
        "move it from column 9 to column 5, under `number`",
        id="key deeper than its sibling",
    ),
    pytest.param(
        "http:\n  - route:\n        - destination:\n            host: a\n        mirror:\n          host: b\n",
        "5:9",
        "`mirror:` stands among the items of the list that begins in line 3",
        "move it to column 5, beside `route`",
        id="key in the column of list items",
    ),
    pytest.param(
        "spec:\n  http:\n    - route:\n        - destination: {host: a}\n    mirror: {host: b}\n",
        "5:5",
        "`mirror: {host: b}` stands among the items of the list that begins in line 3",
        "move it to column 7, beside `route`",
        id="key in the column of its own item's dash",
    ),
    pytest.param(
        "spec:\n  http:\n    - match:\n      - uri: {prefix: /}\n     route: []\n",
        "5:6",
        "`route: []` stands among the items of the list that begins in line 3",
        "move it to column 7, beside `match`",
        id="key between its item's dash and keys",
    ),
    pytest.param(
        "spec:\n  http:\n  - route: []\n   timeout: 1s\n",
        "4:4",
        "`timeout: 1s` in column 4 lines up with nothing above it",
        "move it to column 5, beside `route`",
        id="key between the dash and keys of an item that is not indented",
    ),
    pytest.param(
        "spec:\n  ports:\n    - port: 80\n    selector: {app: a}\n",
        "4:5",
        "`selector: {app: a}` stands among the items of the list that begins in line 3",
        "move it to column 7, beside `port`, or to column 3, beside `ports`",
        id="key of an item or of what has the list",
    ),
    pytest.param(
        "spec:\n  gateways:\n    - a\n    hosts: [b]\n",
        "4:5",
        "`hosts: [b]` stands among the items of the list that begins in line 3",
        "move it to column 3, beside `gateways`",
        id="key among texts",
    ),
    pytest.param(
        "- a\nb: 1\n",
        "2:1",
        "`b: 1` stands among the items of the list that begins in line 1",
        "an item of the list begins with a dash",
        id="key among the items of the whole document",
    ),
    pytest.param(
        "a:\n    b: 1\n  c: 2\n",
        "3:3",
        "`c: 2` in column 3 lines up with nothing above it",
        "the keys of the mapping that begins in line 1 stand in column 1",
        id="key between two levels",
    ),
    pytest.param(
        "a:\n    b: 1\n  c: '2 # 3'  # why\n",
        "3:3",
        "`c: '2 # 3'` in column 3 lines up with nothing above it",
        "the keys of the mapping that begins in line 1 stand in column 1",
        id="comment behind what is quoted",
    ),
    pytest.param(
        "a:\n  b: 1\n  - c\n",
        "3:3",
        "`- c` in column 3 lines up with nothing above it",
        "the items of a list begin in one column",
        id="item among keys",
    ),
    pytest.param(
        "a:\n  b: {user}/c:v1\n  d: e\n",
        "2:12",
        "`/c:v1` stands behind the `}` that ends its value",
        "quote it: '{user}/c:v1'",
        id="text behind a bracket",
    ),
    pytest.param(
        "a:\n  b: [c] d  # e\n",
        "2:10",
        "`d` stands behind the `]` that ends its value",
        "quote it: '[c] d'",
        id="word behind a bracket",
    ),
    pytest.param(
        "a:\n  b: [c]]\n",
        "2:9",
        "`]` closes nothing that is open",
        "remove it, or open what it closes",
        id="bracket too many",
    ),
    pytest.param(
        "http:\n- route:\n  - destination: {host: a}\n  -mirror:\n      host: b\n  - x: y\n",
        "4:3",
        "`-mirror:` is a key that begins with a dash, not an item of a list",
        "put a space behind the dash: `- mirror:`",
        id="dash without a space",
    ),
    pytest.param(
        "a:\n\tb: 1\n",
        "2:1",
        "a tab indents `b: 1`, and YAML indents with spaces only",
        "replace the tab with spaces",
        id="tab",
    ),
    pytest.param(
        "hosts:\n- *.example.com\n",
        "2:3",
        "`*.example.com` reads as a YAML alias, not as a text",
        "quote it: '*.example.com'",
        id="wildcard host",
    ),
    pytest.param("hosts: [*]", "1:9", "`*` reads as a YAML alias, not as a text", "quote it: '*'", id="wildcard"),
    pytest.param(
        "host: *shop",
        "1:7",
        "`*shop` reads as an alias of an anchor, and this document has no `&shop`",
        "quote it: '*shop'",
        id="unknown alias",
    ),
    pytest.param(
        "host: &shop shop.example.com # c\n---\nhost: *shop\n",
        "3:7",
        "`*shop` reads as an alias of `&shop` in line 1, and anchors end with their document",
        "write what is meant: `shop.example.com`",
        id="alias of another document",
    ),
    pytest.param(
        "a: {b: &b {c: 1}}\n---\nd: *b\n---\ne: &b 1",
        "3:4",
        "`*b` reads as an alias of `&b` in line 1, and anchors end with their document",
        "write what is meant",
        id="alias of a mapping of another document",
    ),
    pytest.param(
        "a: *b\n---\nc: &b 1",
        "1:4",
        "`*b` reads as an alias of an anchor, and this document has no `&b`",
        "quote it: '*b'",
        id="alias before another document",
    ),
    pytest.param('a: "x\nb: 1\n', "1:4", "the quote before `x` is never closed", "close it on this line", id="open quote"),
    pytest.param(
        'a: "x\nb: 1\nc: "y"\n',
        "1:4",
        "the quote before `x` is only closed in line 3",
        "close it on this line",
        id="open quote that swallows lines",
    ),
    pytest.param(
        "a: 'don't'\n",
        "1:9",
        "`t'` stands behind the closing quote of its value",
        "let the quotes hold the whole value, and double a single quote inside it",
        id="text behind a quote",
    ),
    pytest.param(
        "don't: 'x' y",
        "1:12",
        "`y` stands behind the closing quote of its value",
        "let the quotes hold the whole value, and double a single quote inside it",
        id="text behind a quote, and an apostrophe before it",
    ),
    pytest.param('a: "\\xg"', "1:7", "did not find expected hexdecimal number while parsing a quoted scalar", "", id="half an escape"),
    pytest.param("[']',", "1:6", "did not find expected node content while parsing a flow node", "", id="bracket in quotes"),
    pytest.param('a: "\\d"', "1:5", "`\\d` is no escape of double quotes", "use single quotes", id="escape"),
    pytest.param("a: [1, 2\nb: 3\n", "1:4", "`[1, 2` opens a `[` that is never closed", "close it with `]`", id="open bracket"),
    pytest.param("a: [1,\n", "1:4", "`[1,` opens a `[` that is never closed", "close it with `]`", id="open bracket, comma"),
    pytest.param("a: [", "1:4", "`[` is never closed", "close it with `]`", id="open bracket at the end"),
    pytest.param(
        'a: [1, "b" c]',
        "1:12",
        '`c]` has no place within `[1, "b" c]`',
        "a comma is missing, or quotes are",
        id="no comma",
    ),
    pytest.param("a: b: c", "1:5", "`b: c` is one value with a second `: ` in it", "quote it: 'b: c'", id="two colons"),
    pytest.param(
        "a:\n  host:foo\n  port: 80\n",
        "2:3",
        "`host:foo` has no space behind its colon, so it is a text and not a key",
        "write `host: foo`",
        id="colon without a space",
    ),
    pytest.param("a: 1\nfoo\nb: 2\n", "2:1", "`foo` is neither a key with its `: ` nor an item of a list", "", id="no colon"),
    pytest.param("a: @x", "1:4", "`@x` begins with `@`, which YAML keeps for itself", "quote it: '@x'", id="reserved"),
    pytest.param(
        "a: - b",
        "1:4",
        "`- b` begins a list where none can begin",
        "put it on the next line, or quote it",
        id="list on the line of its key",
    ),
    pytest.param("a: !x!y z", "1:4", "found undefined tag handle while parsing a node", "", id="anything else"),
    pytest.param("%YAML 9.1\n---\n", "1:1", "found incompatible YAML document", "", id="unknown version"),
]

TEMPLATES = {
    "value": ("a: 1\nb: {{ .Values.x }}\n", "2:4", "{{ .Values.x }}"),
    "part of a value": ("a: {{ .Values.x }}.example.com\n", "1:4", "{{ .Values.x }}"),
    "condition": ("{{- if .Values.x }}\na: 1\n{{- end }}\n", "1:1", "{{- if .Values.x }}"),
    "condition that reads as a mapping": ("{{ if x }}\na: 1\n", "1:1", "{{ if x }}"),
    "block": ("a:\n  b: 1\n  {{- toYaml . | nindent 2 }}\n", "3:3", "{{- toYaml . | nindent 2 }}"),
    "comment over lines": ("{{- /* a: b: c\n*/ -}}\na: 1\n", "1:1", "{{- /* a: b: c"),
    "Jinja": ("{% if x %}\na: 1\n", "1:1", "{% if x %}"),
}


class TestFaults:
    @pytest.mark.parametrize(("text", "place", "message", "hint"), CAUSES)
    def test_cause_and_cure(self, text: str, place: str, message: str, hint: str) -> None:
        broken = fault(text)
        assert (str(broken.place), broken.message, broken.hint) == (f"f.yaml:{place}", message, hint)
        assert broken.dropped
        assert not broken.template

    @pytest.mark.parametrize(("text", "place", "words"), TEMPLATES.values(), ids=TEMPLATES)
    def test_template(self, text: str, place: str, words: str) -> None:
        broken = fault(text)
        assert str(broken.place) == f"f.yaml:{place}"
        assert broken.message == f"`{words}` waits for a template engine: this is no YAML yet"
        assert broken.template

    def test_a_quoted_template_is_no_cause(self) -> None:
        assert not fault('a: "{{ $labels.x }}"\nb: c: d\n').template

    @pytest.mark.parametrize(
        ("key", "hint"),
        [
            ("mirror", "several mirrors are a list under `mirrors:`"),
            ("host", "keep one `host`, or indent the second under the object it belongs to"),
        ],
    )
    def test_a_repeated_key_is_told_and_the_last_wins(self, key: str, hint: str) -> None:
        parsed = parse(f"x: 0\n---\na:\n  {key}: 1\n  b: 2\n  {key}: 3\n---\nz: 0\n".encode(), "f.yaml")
        assert [document.plain() for document in parsed.documents] == [{"x": 0}, {"a": {key: 3, "b": 2}}, {"z": 0}]
        (broken,) = parsed.broken
        assert tuple(broken.place) == ("f.yaml", 6, 3, 6, 3 + len(key))
        assert broken.message == (f"`{key}` is already a key of this mapping (line 4): readers of YAML refuse it or keep only the last")
        assert (broken.hint, broken.dropped) == (hint, False)
        assert f"{key}: 3" in broken.text

    def test_keys_are_repeated_when_kubernetes_reads_them_alike(self) -> None:
        assert fault("1: a\n'1': b\n").message.startswith("`1` is already a key")


class TestBounds:
    @pytest.mark.parametrize(
        "text",
        [
            pytest.param("[" * 50_000, id="brackets"),
            pytest.param("{a: " * 50_000, id="braces"),
            pytest.param("- " * 50_000, id="dashes"),
            pytest.param("\n".join(" " * depth + "a:" for depth in range(1000)), id="indentation"),
            pytest.param("\n".join(f"a{n}: &a{n} [{f'*a{n - 1}' if n else ''}]" for n in range(200)), id="aliases"),
        ],
    )
    def test_depth(self, text: str) -> None:
        assert fault(text).message == f"values are nested deeper than {tree.MAX_DEPTH} levels"

    def test_what_is_deep_but_allowed_is_read(self) -> None:
        depth = tree.MAX_DEPTH
        document = parse(b"[\n---\n" + b"[" * depth + b"]" * depth, "f.yaml").documents[0]
        assert json.dumps(document.plain()) == "[" * depth + "]" * depth

    @pytest.mark.parametrize("item", ["*a{0}", "{{<<: *a{0}}}"], ids=["aliases", "merges"])
    def test_bomb(self, item: str) -> None:
        lines = ["a0: &a0 {k: v}"]
        lines += [f"a{n + 1}: &a{n + 1} {{b: [{', '.join([item.format(n)] * 9)}]}}" for n in range(30)]
        broken = fault("\n".join(lines))
        assert broken.message == f"aliases stand for more than {tree.MAX_ALIASED:,} values"

    def test_aliases_that_share_much_are_read(self) -> None:
        text = "a: &a {k: v}\nb: [" + "*a, " * 1000 + "]\n"
        assert len(read(text)["b"]) == 1000

    def test_large_file(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(source, "MAX_BYTES", 1 << 20)
        parsed = parse(b"kind: x\n" * (1 << 18), "f.yaml")
        assert parsed.documents == []
        assert parsed.broken[0].message == "the file is larger than 1 MiB and is not read"
        assert parsed.broken[0].text.startswith("kind: x")

    def test_many_values(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tree, "MAX_EVENTS", 100)
        parsed = parse(b"a: 1\n---\n- [" + b"1, " * 200 + b"]\n---\nb: [\n", "f.yaml")
        assert [document.plain() for document in parsed.documents] == [{"a": 1}]
        (broken,) = parsed.broken
        assert broken.message == "the file holds more than 100 values, and the rest is not read"
        assert broken.place.line == 3

    def test_many_values_behind_a_fault(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tree, "MAX_EVENTS", 100)
        broken = parse(b"]\n---\n- [" + b"1, " * 200 + b"]\n---\nb: [\n", "f.yaml").broken
        assert len(broken) == 2

    def test_no_values_at_all_are_allowed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tree, "MAX_EVENTS", 0)
        assert fault("[a]").place.line == 1

    def test_many_faults(self) -> None:
        parsed = parse(b"---\n[\n" * 3000, "f.yaml")
        assert len(parsed.broken) == pieces.MAX_BROKEN + 1
        assert parsed.broken[-1].message == "1000 faults stand above; what follows is not read"

    @pytest.mark.parametrize("running", [True, False])
    def test_leaves_the_collector_as_it_was(self, running: bool) -> None:
        before = gc.isenabled()
        try:
            (gc.enable if running else gc.disable)()
            parse(b"a: 1", "f.yaml")
            assert gc.isenabled() is running
        finally:
            (gc.enable if before else gc.disable)()


@pytest.fixture
def pure_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "EVENT_PARSER", tree.PurePython)


@pytest.mark.usefixtures("pure_python")
class TestWithoutLibyaml:
    def test_gives_the_same_tree(self, monkeypatch: pytest.MonkeyPatch) -> None:
        text = SERVICE_ENTRY + "more: |\n  a\n  b\nlast: ! 5\n"
        found = read(text)
        monkeypatch.undo()
        assert found.raw == read(text).raw

    @pytest.mark.parametrize(("text", "place", "message", "hint"), CAUSES[:6])
    def test_gives_the_same_faults(self, text: str, place: str, message: str, hint: str) -> None:
        self_found = fault(text)
        assert (str(self_found.place), self_found.message, self_found.hint) == (f"f.yaml:{place}", message, hint)

    @pytest.mark.parametrize("data", [b"a: \0", b"a: \xff"], ids=["NUL", "not UTF-8"])
    def test_names_what_it_can_not_read(self, data: bytes) -> None:
        (broken,) = parse(data, "f.yaml").broken
        assert str(broken.place) == "f.yaml:1:4"


def kubernetes_reads_alike(text: str) -> bool:
    """Whether PyYAML, which writes, takes an unquoted text for a string only if Kubernetes, which reads, does."""
    resolver: Any = yaml.resolver.Resolver()
    resolved = resolver.resolve(yaml.ScalarNode, text, (True, False))
    return bool(resolved != "tag:yaml.org,2002:str" or read_plain(text) == text)


TEXTS = st.text().filter(kubernetes_reads_alike)
SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
JSON_LIKE = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=20)
YAML_PIECES = st.lists(
    st.sampled_from(
        [
            *"ab:-?[]{},&*!|>'\"%@`~#\\\t\r\n \0\x85\u2028\ufeffé1",
            *("- ", "? ", ": ", "<<: *a", "&a ", "*a", "!!int ", "!t ", "{{", "}}", "--- ", "..."),
            *("\n- ", "\na: ", "\n  b: ", "\n---\n", "\n%TAG ! x\n", "|\n  x\n"),
        ]
    ),
    max_size=25,
).map("".join)


def assert_sound(data: bytes, text: str) -> None:
    parsed = parse(data, "f.yaml")
    lines = editor_lines(text)
    for document in parsed.documents:
        for node in nodes(document):
            assert_exists(node.place, lines)
            assert node.text == node.text.encode().decode()
            hash(node.value)
        document.plain()
        marshal.dumps(document.raw)
    for broken in parsed.broken:
        assert_exists(broken.place, lines)
        (broken.message + broken.hint + broken.text).encode()


@given(st.binary() | YAML_PIECES.map(lambda text: text.encode("utf-16")))
@example(b"\xff\xfe\xff\xfe\r\x00{\x00}\x00\x00\x01\r\x00")
def test_any_bytes_are_read(data: bytes) -> None:
    utf16 = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    text = data.decode("utf-16", "replace") + "\0" if utf16 else data.decode("utf-8", "surrogateescape")
    assert_sound(data, text.lstrip("\ufeff"))


@given(YAML_PIECES)
def test_any_text_is_read(text: str) -> None:
    assert_sound(text.encode(), text.removeprefix("\ufeff"))


@given(JSON_LIKE, st.sampled_from([None, True, False]), st.booleans())
def test_what_pyyaml_writes_is_read_back(data: Any, flow: bool | None, unicode: bool) -> None:
    assume(not (unicode and set("\x85\u2028\u2029") & set(json.dumps(data, ensure_ascii=False))))  # written unescaped
    text = yaml.safe_dump({"v": data}, default_flow_style=flow, allow_unicode=unicode)
    assert read(text).plain() == {"v": data}


@pytest.mark.parametrize("keys", [("a",), ("a", "b"), ("c",), ("c", "d"), ("e",), ("f",), ("f", "g"), ("none",), ()])
def test_the_text_at_the_end_of_keys_is_that_of_the_node_there(keys: tuple[str, ...]) -> None:
    (document,) = parse(b'a: {b: "0x10"}\nc: null\ne: 1\nf: [g]\n', "f").documents
    node = document
    for key in keys:
        node = node[key]
    assert document.text_at(*keys) == node.text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: [1.2.3.4, 2001:db8::]\n", ["1.2.3.4", "2001:db8::"]),
        ("a: [2001:db8::, fe80::, b]\n", ["2001:db8::", "fe80::", "b"]),
        ("a: [{b: 2001:db8::}]\n", [{"b": "2001:db8::"}]),
        ("a: {b:, c: 1}\n", {"b:": None, "c": 1}),
        ("a: {b:: c, d: e::}\n", {"b:": "c", "d": "e::"}),
        ("a: [x::]\n---\nb: ['y::', \"z:\"]\n", ["x::"]),
    ],
)
def test_a_word_in_a_flow_sequence_may_end_in_a_colon_as_for_kubernetes(text: str, value: object) -> None:
    parsed = parse(text.encode(), "a.yaml")
    assert parsed.broken == []
    assert parsed.documents[0]["a"].plain() == value


def test_a_mapping_with_another_value_stands_where_it_stood() -> None:
    tree = read("spec:\n  name: a\n  ports: [1, {b: c}]\nrest: d\n")
    changed = tree["spec"].having("name", "x").having("port", 80).having("hosts", ("y", "z"))
    assert changed.plain() == {"name": "x", "ports": [1, {"b": "c"}], "port": 80, "hosts": ["y", "z"]}
    assert changed["name"].place == tree["spec"]["name"].place
    assert changed["port"].place == tree["spec"].place
    assert tree.holding(changed).plain() == {"spec": changed.plain(), "rest": "d"}
    inner = tree["spec"]["ports"].at(1).having("b", 2)
    assert tree.holding(inner)["spec"]["ports"].plain() == [1, {"b": 2}]
    assert tree["spec"]["name"].text == "a"


def test_uses_of_an_alias_stay_as_they_are() -> None:
    tree = read("a: &x {b: c}\nd: *x\n")
    assert tree.holding(tree["a"].having("b", "e")).plain() == {"a": {"b": "e"}, "d": {"b": "c"}}


def test_a_text_with_such_a_colon_keeps_its_places() -> None:
    (document,) = parse(b"a: [x::, &b y]\nc: *b\n", "a.yaml").documents
    assert [str(item.place) for item in document["a"]] == ["a.yaml:1:5", "a.yaml:1:13"]
    assert document["c"].text == "y"
