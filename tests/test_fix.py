"""Edits in texts: what is added or replaced looks like what stands around it."""

from __future__ import annotations

import pytest

from mirrorlint.fix import Fixed, fixed
from mirrorlint.rule import DOCUMENT, ENTRY, ITEMS, REPLACE, Edit
from mirrorlint.source import Node, parse

OBJECT = '{"kind": "ServiceEntry", "spec": {"hosts": ["a.b"], "endpoints": [{"address": "203.0.113.9"}]}}'


def documents(text: str) -> list[Node]:
    parsed = parse(text.encode(), "file.yaml")
    assert not parsed.broken
    return parsed.documents


def with_hosts(text: str, *values: str, dropped: tuple[str, ...] = ()) -> Fixed:
    return fixed(text, [Edit(ITEMS, documents(text)[-1]["hosts"], values, dropped)])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("hosts: [a]\n", 'hosts: [a, b, "*"]\n', id="in brackets"),
        pytest.param("hosts: ['a', ]\n", "hosts: ['a', 'b', '*', ]\n", id="with a comma behind the last"),
        pytest.param("x: 'q'\nhosts: []\n", "x: 'q'\nhosts: [b, '*']\n", id="empty, quoted as elsewhere"),
        pytest.param("hosts:\n- a # c\n# d\nx: 1", 'hosts:\n- a # c\n- b\n- "*"\n# d\nx: 1', id="dashes below the key, comments"),
        pytest.param('hosts:\r\n  -   "a"', 'hosts:\r\n  -   "a"\r\n  -   "b"\r\n  -   "*"', id="indented, CRLF, no final break"),
        pytest.param("hosts: [\n  a,\n  c\n]", 'hosts: [\n  a,\n  c,\n  b,\n  "*"\n]', id="brackets over lines"),
        pytest.param("hosts: [\n  c,\n  a # x\n]", 'hosts: [\n  c,\n  a, b, "*" # x\n]', id="a comment stays with its item"),
        pytest.param('{"hosts": []}', '{"hosts": ["b", "*"]}', id="empty, JSON"),
        pytest.param("\ufeffhosts: [a]\n---\nhosts: [a]", '\ufeffhosts: [a]\n---\nhosts: [a, b, "*"]', id="byte order mark, two documents"),
        pytest.param("x: {{ no }\n---\nhosts: [a]", 'x: {{ no }\n---\nhosts: [a, b, "*"]', id="behind a broken document"),
    ],
)
def test_items_are_added_in_the_style_of_those_before(before: str, after: str) -> None:
    node = parse(before.encode(), "x").documents[-1]["hosts"]
    assert fixed(before, [Edit(ITEMS, node, ("b", "*"))]) == Fixed(after, ())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("hosts: [a, '*-x', b]\n", "hosts: [a, '*', b]\n"),
        ("hosts: ['*-x', a, c, b]\n", "hosts: ['*', b]\n"),
        ("hosts:\n- '*-x' # all\n- a\n\n# why\n- c\n- b", "hosts:\n- '*' # all\n\n# why\n- b"),
        ("hosts:\r\n- a\r\n- c\r\nx: 1", 'hosts:\r\n- "*"\r\nx: 1'),
    ],
)
def test_items_take_the_place_of_others(before: str, after: str) -> None:
    dropped = ("*-x", "c", "a") if before.count("c") else ("*-x",)
    assert with_hosts(before, "*", dropped=dropped) == Fixed(after, ())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("x: &x\n  hosts: [a]\ny: *x\nhosts: [a]", "", id="an alias elsewhere"),
        pytest.param("x: &x {hosts: [a]}\n<<: *x\n", "an anchor", id="a merged mapping"),
        pytest.param("spec: &x\n  hosts: [a]\ny: *x", "an anchor", id="an anchored mapping"),
        pytest.param("hosts: [a, &b b]\nx: *b", "layout", id="an anchored item"),
        pytest.param("x: &x [a]\nhosts: *x", "layout", id="an alias"),
        pytest.param("hosts: [!!str a]", "layout", id="a tag"),
        pytest.param("hosts:\n- >-\n  a\n", "layout", id="an item over lines"),
        pytest.param("hosts: [{}]", "layout", id="an item that is no text"),
    ],
)
def test_what_can_not_be_edited_safely_is_left_with_the_reason(text: str, why: str) -> None:
    root = documents(text)[0]
    result = fixed(text, [Edit(ITEMS, (root["spec"] or root)["hosts"], ("b.c",))])
    assert (result.text == text) == bool(why)
    assert [why in said for _, said in result.left] == ([True] if why else [])


def test_an_item_with_a_comment_is_not_dropped() -> None:
    text = "hosts:\n- a\n- b # why\n"
    assert with_hosts(text, "*", dropped=("a", "b")).text == text
    text = "hosts: [a, # why\n b]\n"
    assert with_hosts(text, "*", dropped=("a", "b")).text == text
    assert with_hosts("hosts: [a, b]", "b", dropped=("a",)).text == "hosts: [a, b]"


def test_scalars_and_keys_keep_their_quotes() -> None:
    text = "a: 'x' # c\n\"b\": {c: 80}\nd: y\n"
    root = documents(text)[0]
    edits = [Edit(REPLACE, root["a"], ("z",)), Edit(REPLACE, root.key("b"), ("e",)), Edit(REPLACE, root["b"]["c"], (81,))]
    assert fixed(text, [*edits, Edit(REPLACE, root["d"], ("on",))]).text == "a: 'z' # c\n\"e\": {c: 81}\nd: 'on'\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("m: {host: x}", "m: {host: x, port: {number: 80}}"),
        ('{"m": {"host": "x" }}', '{"m": {"host": "x", "port": {"number": 80} }}'),
        ("m:\r\n    host: x # c\r\n\r\n# d", "m:\r\n    host: x # c\r\n    port:\r\n      number: 80\r\n\r\n# d"),
        ("a:\n- b: 1\nm:\n  host: 'x'\n  subset: y\n", "a:\n- b: 1\nm:\n  host: 'x'\n  port:\n    number: 80\n  subset: y\n"),
    ],
)
def test_an_entry_follows_another(before: str, after: str) -> None:
    node = documents(before)[0]["m"]["host"]
    assert fixed(before, [Edit(ENTRY, node, ("port", "number", 80))]) == Fixed(after, ())


def test_edits_of_one_sequence_are_joined_and_those_that_clash_wait() -> None:
    text = "hosts: [a]\n"
    node = documents(text)[0]["hosts"]
    both = [Edit(ITEMS, node, ("b",)), Edit(ITEMS, node, ("c", "b")), Edit(ITEMS, node, ("b",))]
    assert fixed(text, both) == Fixed("hosts: [a, b, c]\n", ())
    clash = fixed(text, [Edit(REPLACE, node.at(0), ("z",)), Edit(ITEMS, node, ("*",), ("a",))])
    assert clash.text == "hosts: [z]\n"
    assert ["run `mirrorlint fix` again" in why for _, why in clash.left] == [True]


@pytest.mark.parametrize("ending", ["", "\n", "\n...\n", "\n# end\n", "\n---\nb: 1\n"])
@pytest.mark.parametrize("text", ["y: 0\nx: 1", "x:\n  - 1", "x:\n- 1", "x: |+\n  text\n\n"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_document_is_added_behind_the_one_that_asks_for_it(text: str, ending: str, newline: str) -> None:
    before = (text + ending).replace("\n", newline)
    after = fixed(before, [Edit(DOCUMENT, documents(before)[0]["x"], (OBJECT,))]).text
    old, new = documents(before), documents(after)
    entry = {"kind": "ServiceEntry", "spec": {"hosts": ["a.b"], "endpoints": [{"address": "203.0.113.9"}]}}
    assert [node.plain() for node in new] == [old[0].plain(), entry, *(node.plain() for node in old[1:])]
    assert after.count("\n") == after.count(newline)
    assert after.endswith("\n") == before.endswith("\n")
    assert ("\n    - a.b" in after) == ("\n  - " in text)


def test_a_json_file_gets_no_second_document() -> None:
    text = '{"x": 1}'
    result = fixed(text, [Edit(DOCUMENT, documents(text)[0], (OBJECT,))])
    assert (result.text, result.left[0][1]) == (text, "a JSON file has room for one object only")
