"""What regular expressions of RE2 match, and the texts that are made up for them; Go's regexp agrees with each line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pair import PROD, STAGE, judged

from mirrorlint import check, loads
from mirrorlint.istio.re2 import compiled, examples, matches


@pytest.mark.parametrize(
    ("expression", "matched", "unmatched"),
    [
        ("/(?i)api", ["/API", "/api"], ["/ap"]),
        ("a(?i)b|c", ["ab", "aB", "C"], ["Ab", "aC"]),
        ("(a(?i)b)c", ["aBc"], ["aBC"]),
        ("(?i:a)b", ["Ab"], ["AB"]),
        ("(?U)a+", ["aa"], ["b"]),
        ("(?i-s:A)", ["a"], ["b"]),
        ("[[:alpha:]]+", ["aZ"], ["1", ""]),
        ("[[:^digit:]1]", ["a", "1"], ["2"]),
        ("[[a]", ["[", "a"], ["b"]),
        ("[a&&b]", ["&", "b"], ["c"]),
        ("[--/]", ["-", ".", "/"], ["0"]),
        ("[]a]", ["]", "a"], ["b"]),
        (r"[\w-]", ["-", "_"], ["/"]),
        (r"a\z", ["a"], ["a\n"]),
        (r"\Q.*\E+", [".*", ".**"], ["ab"]),
        (r"\12", ["\n"], ["2"]),
        (r"\x{2f}\x2F", ["//"], ["/"]),
        (r"\pL\p{^L}", ["a1"], ["aa"]),
        (r"[\PLa]", ["1", "a"], ["b"]),
        (r"\p{Lu}\p{Latin}", ["Aa"], ["aa"]),
        (r"\p{Greek}?", [""], ["a"]),
        ("a{,2}", ["a{,2}"], ["aa", "a"]),
        ("^*a", ["a"], ["b"]),
        ("(?P<1>a)(?<n>b)", ["ab"], ["a"]),
        (r"\d\w\s", ["1a "], ["é"]),
        ("(?i-i:a)", ["a"], ["A"]),
    ],
)
def test_an_expression_matches_what_re2_does(expression: str, matched: list[str], unmatched: list[str]) -> None:
    pattern = compiled(expression)
    assert pattern
    assert [text for text in (*matched, *unmatched) if matches(expression, text)] == matched
    assert [text for text in (*matched, *unmatched) if pattern.fullmatch(text)] == matched


_REPETITIONS = st.sampled_from(["*", "+", "?", "*?", "{2}", "{0}", "{1,2}", "{1,}"])
_EXPRESSIONS = st.recursive(
    st.sampled_from(["a", "B", "/", ".", "[aB]", "[^/]", r"\d", "^", "$", r"\b", "(?i)"]),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map("".join),
        st.tuples(st.sampled_from(["(", "(?:", "(?i:"]), inner, inner).map(lambda parts: f"{parts[0]}{parts[1]}|{parts[2]})"),
        st.tuples(inner, _REPETITIONS).map(lambda parts: f"({parts[0]}){parts[1]}"),
    ),
    max_leaves=8,
)


@given(_EXPRESSIONS, st.text("aAbB/1", max_size=6))
def test_both_ways_to_match_agree(expression: str, text: str) -> None:
    pattern = compiled(expression)
    assert pattern is not None
    assert matches(expression, text) == bool(pattern.fullmatch(text))


def test_a_rewrite_by_such_an_expression_takes_no_longer() -> None:
    path = "/" + "a" * 60 + "!"
    rule = f"  - match: [{{uri: {{exact: {path}}}}}]\n    rewrite: {{uriRegexRewrite: {{match: '^/(a+)+$', rewrite: /b}}}}\n    route"
    assert not check(loads({"prod": PROD.replace("  - route", rule)})).findings


@pytest.mark.parametrize("expression", ["(a+)+b", "(a|aa)+b", "(a*)*b", "((a{1,3})+,?)+b"])
def test_an_expression_that_can_match_in_many_ways_takes_no_longer(expression: str) -> None:
    """Whoever tries all ways never comes to an end."""
    assert [matches(expression, "a" * 200 + end) for end in "bc"] == [True, False]


@pytest.mark.parametrize("expression", ["(?=a)", r"(a)\1", "a**", "["])
def test_what_re2_refuses_matches_nothing(expression: str) -> None:
    assert compiled(expression) is None
    assert list(examples(expression)) == []


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (r"^(.*;\s*)?user=jason(;.*)?$", ["user=jason"]),
        (r"/api/v[0-9]+/users/[0-9a-f]{4}", ["/api/v1/users/1111"]),
        (r"/api/[^/]*/items", ["/api/x/items"]),
        (r"/(en|de)?/shop.*", ["//shop"]),
        (r"(^|/)shop", ["/shop"]),
        (r"/x|/y", ["/x", "/y"]),
        (r"(?i)/Api", ["/Api"]),
        (r".*\.(js|css)$", [".js"]),
    ],
)
def test_a_text_is_made_up_for_each_alternative(expression: str, expected: list[str]) -> None:
    assert list(examples(expression))[: len(expected)] == expected


def test_others_are_made_up_for_what_may_be_taken_already() -> None:
    assert list(examples("/(api|shop)(/.*)?")) == ["/api", "/shop", "/api/", "/api/x"]
    found = list(examples("/api/v[0-9]+"))
    pattern = compiled("/api/v[0-9]+")
    assert pattern
    assert len(set(found)) == 3
    assert all(map(pattern.fullmatch, found))


@pytest.mark.parametrize(
    ("match", "fate"),
    [
        (r"{headers: {cookie: {regex: '^(.*;\s*)?user=jason(;.*)?$'}}}", "all"),
        (r"{uri: {regex: '/(?i)api.*'}}", "all"),
        (r"{uri: {regex: '/v\d{1,2}/[^/]+'}}", "all"),
        (r"{uri: {regex: '.*[.](js|css)'}}", "all"),
        (r"{uri: {regex: '[^/]*/b'}}", "all"),
        (r"{uri: {regex: 'api/.*'}}", "none"),
        (r"{uri: {prefix: api}}", "none"),
        (r"{headers: {x: {regex: '\bx\B'}}}", "unknown"),
    ],
)
def test_what_an_expression_takes_is_followed(match: str, fate: str) -> None:
    """Where no text can be made up nothing is said to be lost."""
    source = PROD.replace("  - route", f"  - match: [{match}]\n    route")
    report = judged(source, STAGE.replace("shop.default-shadow", "'*'"), ingress={"stage": {"addresses": ["stage-gateway.example.com"]}})
    assert [set(dict(mirror.delivery).values()) for mirror in report.mirrors] == [{fate}]
    assert [finding.message.rpartition(": ")[2] for finding in report.findings] == (
        ["no path is like that, since each begins with a slash"] if fate == "none" else []
    )
