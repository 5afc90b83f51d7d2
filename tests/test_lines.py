"""Plain documents read line by line: just what libyaml's events give, or nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streams import FRAGMENTS, stream

from mirrorlint.source import parse
from mirrorlint.source.lines import documents
from mirrorlint.source.tree import Composer

SERVICE = """\
# A Service.
apiVersion: v1
kind: Service
metadata:
  name: "web" # quoted
  annotations:

spec:
  ports:
  - name: 'http'
    port: 80
  - 443
---
on: http://a.example:80/x#y
"""
WORDS = (
    *("a", "kind", "x-y/z.w", "on", "null", "_1", "a b", "80", "-1", "~", "1:2", "http://a:80/b#c", "a#b"),
    *("'q'", '"q"', "'it''s'", '"\\x41"', '""'),
    *("[]", "{}", "[a]", "[ a, 'b' ,\"c\"]", "{a: b}", "{ on: -1, x-y/z.w: 'q' }", "[80, ~, 1.5]"),
)
ODD = (
    *WORDS,
    *("- a", "---", "...", "-", "--- a", "|", ">-", "&a b", "*a", "!t a", "? a", "a: b", "a :b", "%x"),
    *(
        "[a,b]",
        "[a b]",
        "[a: b]",
        "[a, ]",
        "[[a]]",
        "[a",
        "a]",
        "{a:b}",
        "{a}",
        "{a: b, a: c}",
        "{a: }",
        "{<<: a}",
        "{null: a}",
        "[a:80]",
        "[a]b",
        "['a'b]",
    ),
    *("[*]", "[-]", "[&a b]", "[a#b]", "[a #b]", "[?]", "[|]", "[!a]", "{'a': b}", "{a: b,c: d}", "{a: 'b'c}"),
    *("\t", "é", "<<", ""),
)
CHANGES = (*"-: #'\"\n\tax{&", "", "\n---\n")
LINES = st.builds(
    "{}{}{}{}{}\n".format,
    st.sampled_from(["", "", "  ", " ", "    "]),
    st.sampled_from(["", "", "- ", "-  ", "- - ", "-"]),
    st.sampled_from(["", "a: ", "b: ", "c:", "d :", "'e': ", "on: ", "~: ", "1: "]),
    st.sampled_from(ODD),
    st.sampled_from(["", "", " ", " # c", "# c", "\t", ":", "\r"]),
)
TREES = st.recursive(
    st.sampled_from(WORDS),
    lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, min_size=1, max_size=3),
    max_leaves=12,
)


def written(tree: Any, indent: int) -> str:
    """A tree as lines of block style."""
    blanks = " " * indent
    if isinstance(tree, dict):
        return "".join(f"{blanks}{key}:{below(value, indent + 2)}" for key, value in tree.items())
    return "".join(f"{blanks}- {written(item, indent + 2).lstrip() if isinstance(item, dict) else item}\n" for item in tree)


def below(value: Any, indent: int) -> str:
    """What stands behind a key's colon."""
    return f" {value}\n" if isinstance(value, str) else f"\n{written(value, indent)}"


def assert_alike(text: str) -> bool:
    """Whether a text was read, which must have given what libyaml's events give."""
    found = documents(text)
    if found is not None:
        composed = Composer().compose(text)
        assert (found, composed.failure, composed.repeats) == (composed.documents, None, [])
    return found is not None


def test_a_plain_file_is_read_by_lines_as_by_events() -> None:
    assert assert_alike(SERVICE)
    service, other = parse(SERVICE.encode(), "f").documents
    assert str(service["spec"]["ports"].at(0)["port"].place) == "f:11:11"
    assert not service["metadata"]["annotations"]
    assert other["true"].text == "http://a.example:80/x#y"


@settings(max_examples=500, deadline=None)
@given(lines=st.lists(LINES, max_size=8))
def test_any_lines_mean_the_same(lines: list[str]) -> None:
    assert_alike("".join(lines))


@settings(max_examples=500, deadline=None)
@given(tree=TREES.filter(lambda tree: not isinstance(tree, str)), at=st.integers(0, 200), other=st.sampled_from(CHANGES))
def test_any_tree_means_the_same_with_a_character_changed_or_not(tree: Any, at: int, other: str) -> None:
    text = written(tree, 0)
    assert_alike(text)
    assert_alike(text[:at] + other + text[at + 1 :])
    assert_alike(text[:at] + other + text[at:])


@settings(max_examples=500, deadline=None)
@given(lines=st.lists(st.sampled_from(FRAGMENTS), max_size=8))
def test_hard_lines_mean_the_same(lines: list[str]) -> None:
    assert_alike("".join(lines))


@settings(max_examples=500, deadline=None)
@given(seed=st.integers(0, 1 << 32))
def test_hard_streams_mean_the_same(seed: int) -> None:
    assert_alike(stream(seed).decode())


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("a: 1\na: 2\n", id="a key that is repeated"),
        pytest.param("a: 1\n  b: 2\n", id="a value and keys below it"),
        pytest.param("a:\n    b: 1\n  c: 2\n", id="an indentation between two"),
        pytest.param("a: b\n  c\n", id="a scalar of two lines"),
        pytest.param("null: 1\n", id="a key that is null"),
        pytest.param("a: 'b\n", id="an open quote"),
        pytest.param("".join(f"{' ' * n}a:\n" for n in range(150)), id="too deep"),
        pytest.param("- a\n" * (1 << 19), id="too long"),
    ],
)
def test_what_is_not_plain_is_left_to_libyaml(text: str) -> None:
    assert documents(text) is None
