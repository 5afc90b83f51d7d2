"""For all layouts: an edit changes no value but the intended one and keeps every comment, a second run changes nothing, patches apply."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mirrorlint.fix import Fixed, fixed
from mirrorlint.patch import patch
from mirrorlint.rule import ENTRY, ITEMS, REPLACE, Edit
from mirrorlint.source import Node, parse

WORDS = st.sampled_from(["shop", "a.example.com", "*.b.example.com", "80", "on", "x-1", "null", "été.example"])
HOSTS = st.lists(WORDS, min_size=1, max_size=4, unique=True)


@st.composite
def scalars(draw: st.DrawFn, value: str) -> str:
    """A text as a person may write it."""
    styles = ["'{}'", '"{}"'] + (["{}"] if value not in ("80", "on", "null") and value[0] != "*" else [])
    return draw(st.sampled_from(styles)).format(value)


@st.composite
def comments(draw: st.DrawFn) -> str:
    return draw(st.sampled_from(["", "", " # why, [not]: {that}", "   #"]))


@st.composite
def lines_of_items(draw: st.DrawFn, values: list[str]) -> list[str]:
    """The lines of `hosts`, in some layout."""
    written = [draw(scalars(value)) for value in values]
    layout = draw(st.sampled_from(["block", "block", "line", "lines"]))
    if layout == "line":
        blank = draw(st.sampled_from(["", " "]))
        return [f"hosts: [{blank}{f',{blank}'.join(written)}{draw(st.sampled_from(['', ' ', ',']))}]{draw(comments())}"]
    lead = " " * draw(st.integers(0 if layout == "block" else 1, 4))
    if layout == "lines":
        return ["hosts: [", *(f"{lead}{each},{draw(comments())}" for each in written[:-1]), f"{lead}{written[-1]}{draw(comments())}", " ]"]
    dash = "-" + " " * draw(st.integers(1, 3))
    items = [f"{lead}{dash}{each}{draw(comments())}" for each in written]
    between = draw(st.lists(st.sampled_from(["", "# between", f"{lead}# lower"]), max_size=1))
    return ["hosts:" + draw(comments()), *items[:1], *between, *items[1:]]


@st.composite
def files(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A file, and the items of `hosts` in its second document."""
    values = draw(HOSTS)
    body = [
        "kind: A" + draw(comments()),
        *draw(lines_of_items(values)),
        *draw(st.lists(st.sampled_from(["# end", "z: {b: [c]}"]), unique=True)),
    ]
    before = draw(st.sampled_from([[], ["# first", "---"], ["hosts: [no]", "---"], ["t: |", "  - x", "  # text", "", "---"]]))
    after = draw(st.sampled_from([[], ["---", "hosts: [other]"], ["..."], [""]]))
    indent = draw(st.sampled_from(["", "  "]))
    nested = ["spec:", *(indent + "  " + line if line else line for line in body)]
    text = draw(st.sampled_from(["\n", "\r\n"])).join([*before, *nested, *after, *draw(st.sampled_from([[], [""]]))])
    return draw(st.sampled_from(["", "\ufeff"])) + text, values


def object_of(text: str) -> Node:
    return next(node for node in parse(text.encode(), "f").documents if "spec" in node)["spec"]


def values_of(text: str) -> list[Any]:
    parsed = parse(text.encode(), "f")
    assert not parsed.broken
    return [node.plain() for node in parsed.documents]


def assert_only(text: str, result: Fixed, intended: dict[str, Any]) -> None:
    """The `spec` has what was intended, all else and all comments are as they were."""
    expected = [{**one, "spec": {**one["spec"], **intended}} if "spec" in one else one for one in values_of(text)]
    assert result.left == ()
    assert values_of(result.text) == expected
    old, new = iter(text.splitlines()), result.text.splitlines()
    assert [line.partition("#")[1:] for line in new if "#" in line] == [line.partition("#")[1:] for line in old if "#" in line]
    assert result.text.count("\n") - result.text.count("\r\n") in (0, result.text.count("\n"))


@settings(max_examples=300, deadline=None)
@given(file=files(), more=HOSTS)
def test_adding_items_changes_nothing_else(file: tuple[str, list[str]], more: list[str]) -> None:
    text, values = file
    result = fixed(text, [Edit(ITEMS, object_of(text)["hosts"], tuple(more))])
    assert_only(text, result, {"hosts": [*values, *(each for each in more if each not in values)]})
    assert fixed(result.text, [Edit(ITEMS, object_of(result.text)["hosts"], tuple(more))]) == result


@settings(max_examples=200, deadline=None)
@given(file=files(), more=HOSTS, number=st.integers(0, 3))
def test_items_in_the_place_of_one_change_nothing_else(file: tuple[str, list[str]], more: list[str], number: int) -> None:
    text, values = file
    place = number % len(values)
    new = tuple(each for each in more if each not in values) or ("new.example.com",)
    edit = Edit(ITEMS, object_of(text)["hosts"], new, (values[place],))
    result = fixed(text, [edit])
    assert_only(text, result, {"hosts": [*values[:place], *new, *values[place + 1 :]]})
    assert fixed(result.text, [edit._replace(node=object_of(result.text)["hosts"])]) == result


@settings(max_examples=200, deadline=None)
@given(file=files(), value=st.one_of(WORDS, st.integers(1, 65535)), number=st.integers(0, 3))
def test_a_scalar_changes_alone(file: tuple[str, list[str]], value: str | int, number: int) -> None:
    text, values = file
    place = number % len(values)
    node = object_of(text)["hosts"].at(place)
    result = fixed(text, [Edit(REPLACE, node, (value,))])
    kept = str(value) if node.raw[1] is False else value
    assert_only(text, result, {"hosts": [*values[:place], kept, *values[place + 1 :]]})


@settings(max_examples=100, deadline=None)
@given(file=files(), value=st.one_of(WORDS, st.integers(1, 65535)))
def test_an_entry_changes_nothing_else(file: tuple[str, list[str]], value: str | int) -> None:
    text, _ = file
    result = fixed(text, [Edit(ENTRY, object_of(text)["kind"], ("port", "number", value))])
    assert_only(text, result, {"port": {"number": value}})


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(file=files(), more=HOSTS, name=st.sampled_from(["a.yaml", "b c.yaml", 'q"\\t.yaml', "é.yaml", "d/e.yaml"]))
def test_git_applies_the_patch_and_gets_the_same_bytes(file: tuple[str, list[str]], more: list[str], name: str, tmp_path: Path) -> None:
    text, _ = file
    after = fixed(text, [Edit(ITEMS, object_of(text)["hosts"], (*more, "new.example.com"))]).text
    (tmp_path / "d").mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(text.encode())
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    subprocess.run(["git", "apply", "-"], cwd=tmp_path, env=environment, input=patch(name, text, after).encode(), check=True)
    assert (tmp_path / name).read_bytes() == after.encode()


@pytest.mark.parametrize("text", ["", "a: 1\n", "a: 1"])
def test_nothing_changed_is_no_patch(text: str) -> None:
    assert patch("a.yaml", text, text) == ""
