"""Requests that meet conditions: one for a `match` block, so that each rule at either end is tried."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, product
from typing import NamedTuple

from mirrorlint.delivery.match import Request, Route, accepts_string, is_catch_all, meets
from mirrorlint.delivery.worlds import SUFFIX
from mirrorlint.istio.matches import Match, StringMatch
from mirrorlint.istio.names import is_wild, subset_of, without_port
from mirrorlint.istio.re2 import examples

_HOST = re.compile(r"\w(?:[-.\w]*\w)?(?::[0-9]+)?", re.ASCII)
_ODD = ("unasked", "Un-asked_.~/1")
_METHODS = ("PATCH", "POST", "PUT", "DELETE", "HEAD", "OPTIONS")
_TEXTS = 6  # at most so many are made up for one condition
_PATHS = 9  # with so many it is tried to avoid what other blocks take
_CHOICES = 400  # in so many combinations with headers, queries and methods


class Sample(NamedTuple):
    """The part of a request that conditions look at besides the Host."""

    path: str = "/"
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()


PLAIN = Sample()


class Asked:
    """A block, and the route whose rewrite changes the path before the block sees it.

    `conditions` is the block without what is the caller's place: its Host and scheme.
    """

    __slots__ = ("behind", "catch_all", "conditions", "headers", "methods", "paths")

    def __init__(self, match: Match, behind: Route | None = None) -> None:
        """Sort its conditions by what they are on."""
        self.behind, self.catch_all = behind, is_catch_all(match)
        self.conditions = match._replace(authority=match.authority._replace(kind=""), scheme=match.scheme._replace(kind=""))
        self.paths = [each for each in (match.uri, *_pseudo(match, ":path")) if each.kind]
        self.methods = [each for each in (match.method, *_pseudo(match, ":method")) if each.kind]
        self.headers = _own(match.headers)

    def takes_path(self, path: str) -> bool:
        """Whether a path without query meets its conditions."""
        seen = self.behind.sent_path(path) if self.behind else path
        return all(accepts_string(each, seen, fold=self.conditions.ignore_case) for each in self.paths)


def _takers(blocks: Iterable[Asked], sample: Sample) -> Iterator[bool]:
    """For each block whether it takes a request, whatever its Host and scheme are."""
    sent: dict[Route | None, Request] = {}
    for block in blocks:
        if block.behind not in sent:
            path = block.behind.sent_path(sample.path) if block.behind else sample.path
            sent[block.behind] = Request("", path, sample.method, dict(sample.headers))
        yield meets(sent[block.behind], block.conditions)


def meeting(match: Match) -> Sample:
    """A request that meets a block's conditions on path, query, method and headers, as far as one can be made up."""
    return sought([Asked(match)], [])


def sought(wanted: Sequence[Asked], avoided: Sequence[Asked], base: Sample = PLAIN) -> Sample:
    """A request like `base` that meets all wanted blocks and, as far as one can be made up, none of those to be avoided."""
    search = _search(wanted, base)
    first = search.first()
    others = [each for each in avoided if not is_catch_all(each.conditions)]
    takers = [each for each, takes in zip(others, _takers(others, first), strict=True) if takes]
    if not takers or any(each.catch_all for each in avoided) or not all(_takers(wanted, first)):
        return first
    fitting = (each for each in islice(search.variations(takers, others), _CHOICES) if all(_takers(wanted, each)))
    return next((each for each in fitting if not any(_takers(takers + others, each))), first)


class _Named(NamedTuple):
    """Conditions on what has names, headers or a query: those to be met, those never to be met, and those better not met.

    `base` are values that are tried first, and stay where nothing is wanted.
    """

    wanted: Sequence[Mapping[str, StringMatch]]
    base: Mapping[str, str]
    excluded: Sequence[Mapping[str, StringMatch]] = ()
    avoided: Sequence[Mapping[str, StringMatch]] = ()

    def values(self) -> dict[str, str]:
        """`base` with a value for each name that is wanted."""
        return {**self.base, **{name: self._value(name) for each in self.wanted for name in each}}

    def _value(self, name: str) -> str:
        """What meets all conditions, and none of the avoided ones where such is found; "1" where none is."""
        conditions, excluded, avoided = (
            [each[name] for each in some if name in each] for some in (self.wanted, self.excluded, self.avoided)
        )
        texts = [text for condition in conditions for text in islice(_texts(condition), _TEXTS)]
        joined = (f"{one}{between}{other}" for between in ("", "; ") for one in texts for other in texts if one != other)
        base = [self.base[name]] if name in self.base else []
        tried = (*base, "1", *texts, *joined, *(f"{text}unasked" for text in texts), "unasked")
        meeting_all = (each for each in tried if all(accepts_string(condition, each) for condition in conditions))
        fitting = [each for each in meeting_all if not any(accepts_string(condition, each) for condition in excluded)]
        unavoided = (each for each in fitting if not any(accepts_string(condition, each) for condition in avoided))
        return next(unavoided, (fitting or ["1"])[0])


class _Search(NamedTuple):
    """What requests that meet all wanted blocks are made of; `path` is tried first."""

    wanted: Sequence[Asked]
    path: str
    methods: Sequence[str]
    headers: _Named
    query: _Named

    def first(self) -> Sample:
        """The likeliest one."""
        return _sample(self.headers.values(), self.query.values(), self.methods[0], next(self._paths()))

    def variations(self, takers: Sequence[Asked], others: Sequence[Asked]) -> Iterator[Sample]:
        """Requests that differ from it in what `takers` have conditions on, the blocks of `others` that take it."""
        headers, queries, methods, paths = [self.headers.values()], [self.query.values()], self.methods[:1], [next(self._paths())]
        theirs = [each.headers for each in others]
        if any(each.headers or each.conditions.without_headers for each in takers):
            headers.append(self.headers._replace(avoided=theirs).values())
        if any(each.conditions.query for each in takers):
            queries.append(self.query._replace(avoided=[each.conditions.query for each in others]).values())
        if any(each.methods for each in takers):
            methods = self.methods
        if any(each.paths for each in takers):
            paths = list(islice(self._paths(), _PATHS))
        lacking = _Named([_own(each.conditions.without_headers) for each in takers], {}, self.headers.excluded, theirs).values()
        with_more = [{**each, **more} for each in headers for more in _some(lacking)]
        return (_sample(*each) for each in product(with_more, queries, methods, paths))

    def _paths(self) -> Iterator[str]:
        """Paths that all blocks take; at least `path`."""
        fitting = (each for each in _paths_for(self.wanted, self.path) if all(one.takes_path(each) for one in self.wanted))
        yield next(fitting, self.path)
        yield from fitting


def _search(wanted: Sequence[Asked], base: Sample) -> _Search:
    path, _, query = base.path.partition("?")
    asked = dict(part.partition("=")[::2] for part in query.split("&") if part)
    excluded = [each.conditions.without_headers for each in wanted]
    headers = _Named([each.headers for each in wanted], dict(base.headers), excluded)
    return _Search(wanted, path, _methods_for(wanted, base.method), headers, _Named([each.conditions.query for each in wanted], asked))


def _some(headers: Mapping[str, str]) -> list[Mapping[str, str]]:
    """No headers, all, and each alone."""
    return [{}, headers, *({name: value} for name, value in headers.items())] if headers else [{}]


def _methods_for(wanted: Sequence[Asked], method: str) -> list[str]:
    """Methods that all blocks take, the given one first; at least that."""
    conditions = [condition for each in wanted for condition in each.methods]
    named = (text for condition in conditions for text in _texts(condition))
    fitting = [each for each in (method, *named, *_METHODS) if all(accepts_string(condition, each) for condition in conditions)]
    return fitting or [method]


def _sample(headers: Mapping[str, str], query: Mapping[str, str], method: str, path: str) -> Sample:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    return Sample(f"{path}?{asked}" if asked else path, method, tuple(sorted(headers.items())))


def _paths_for(wanted: Sequence[Asked], path: str) -> Iterator[str]:
    """Paths that may meet all blocks: `path`, what they ask for, one of these with the end of another, and something odd behind one.

    So for the prefix `/api`, which is rewritten to `/`, and the path `/v1/users` behind that, among others: `/api`, `/v1/users`, then
    `/api/v1/users`, which meets both, and `/api/unasked`. But where `path` is `/api` itself no `/api/api`: who asks for `/api` behind the
    rewrite thinks of requests as callers send them.
    """
    rewrites = [each.behind.rule.rewrite for each in wanted if each.behind]
    rewritten = any(rewrite.uri or rewrite.pattern for rewrite in rewrites)
    texts = [path, *(text for each in wanted for condition in each.paths for text in islice(_paths(condition), _TEXTS))]
    yield from texts
    if rewritten or any(condition.kind == "regex" for each in wanted for condition in each.paths):
        heads = [*texts, *(text.rpartition("/")[0] for rewrite in rewrites for text in examples(rewrite.pattern))]
        ends = [text[place:] for text in texts for place, letter in enumerate(text) if letter == "/"]
        twice = path.rstrip("/") * 2 if rewritten else ""
        joined = (f"{head.rstrip('/')}{end}" for head in heads for end in ends)
        yield from (tried for tried in joined if not (twice and tried.startswith(twice)))
    yield from (f"{text.rstrip('/')}/{odd}" for text in texts for odd in _ODD)


def against(match: Match, base: Sample = PLAIN) -> Sample:
    """A request like `base` that has the headers which a block excludes."""
    headers = _Named([_own(match.without_headers)], dict(base.headers)).values()
    return base._replace(headers=tuple(sorted(headers.items())))


def unasked(base: Sample) -> tuple[Sample, ...]:
    """Requests like `base` with a path or a method that no condition names."""
    path, mark, query = base.path.partition("?")
    odd = f"{path.rstrip('/')}/{_ODD[0]}{mark}{query}"
    return base._replace(method="PATCH"), base._replace(path=odd), base._replace(path=odd, method="PATCH")


def folded(match: Match) -> Sample:
    """A request that meets a block's conditions, its path in lower case where case doesn't count."""
    sample = meeting(match)
    return sample._replace(path=sample.path.lower()) if match.ignore_case else sample


def hosts(match: Match, host: str) -> Iterator[str]:
    """Hosts that a block asks for: as they are written, what begins like them, and else what is like that below a wildcard host."""
    for text in (text for condition in (match.authority, *_pseudo(match, ":authority", "host")) for text in _hosts(condition)):
        yield text
        if host.startswith(text.lower()):
            yield text + host[len(text) :]
        elif is_wild(host) and not subset_of(without_port(text).removesuffix(SUFFIX), host):
            yield f"{text.rstrip('.')}{host[1:] or '.example'}"


def _hosts(condition: StringMatch) -> Iterator[str]:
    """Texts that meet a condition on the Host; of what an expression takes such as may be the name of a host."""
    for text in _texts(condition):
        tried = (text, f"any{text}", text.replace("!", "a")) if condition.kind == "regex" else (text,)
        yield next((each for each in tried if _HOST.fullmatch(each) and accepts_string(condition, each)), text)


def eludes(match: Match) -> bool:
    """Whether a block may take requests of which none could be made up: for an expression, or HTTPS."""
    conditions = (match.uri, match.method, match.authority, *match.headers.values(), *match.query.values())
    expressions = (condition for condition in conditions if condition.kind == "regex")
    beyond_us = any(not any(accepts_string(each, text) for text in examples(each.value)) for each in expressions)
    return beyond_us or (accepts_string(match.scheme, "https") and not accepts_string(match.scheme, "http"))


def _pseudo(match: Match, *names: str) -> list[StringMatch]:
    """Conditions on headers that stand for other parts of a request."""
    return [condition for name, condition in match.headers.items() if name.lower() in names]


def _own(conditions: Mapping[str, StringMatch]) -> dict[str, StringMatch]:
    """Conditions on headers that a caller may send: not on what stands for other parts of a request, nor on a token's claims."""
    return {name.lower(): each for name, each in conditions.items() if name[:1] not in (":", "@") and name.lower() != "host"}


def _paths(condition: StringMatch) -> Iterator[str]:
    """Texts that may meet a condition on the path, which begins with a slash."""
    texts = (path for text in _texts(condition) for path in (text, f"/{text}", f"/{text[1:]}", f"/{text.partition('/')[2]}"))
    return (path for path in texts if path.startswith("/"))


def _texts(condition: StringMatch) -> Iterable[str]:
    if condition.kind == "regex":
        return examples(condition.value)
    return (condition.value,) if condition.kind in ("exact", "prefix", "path-prefix") else ()
