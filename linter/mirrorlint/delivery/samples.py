"""Requests that meet conditions: one for a `match` block, so that each rule at either end is tried."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import NamedTuple

from mirrorlint.delivery.match import Request, Route, accepts_string, is_catch_all, meets
from mirrorlint.istio.matches import Match, StringMatch
from mirrorlint.istio.names import is_wild, subset_of, without_port
from mirrorlint.istio.re2 import examples

_ODD = ("unasked", "Un-asked_.~/1")
_METHODS = ("PATCH", "POST", "PUT", "DELETE", "HEAD", "OPTIONS")


class Sample(NamedTuple):
    """The part of a request that conditions look at besides the Host."""

    path: str = "/"
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()


PLAIN = Sample()


def meeting(match: Match, base: Sample = PLAIN) -> Sample:
    """A request like `base` that meets a block's conditions on path, query, method and headers, as far as one can be made up."""
    path, _, query = base.path.partition("?")
    for condition in (match.uri, *_pseudo(match, ":path")):
        if condition.kind and not accepts_string(condition, path, fold=match.ignore_case):
            path = _path(condition, path)
    query = "&".join(part for part in (query, *_asked(match.query)) if part)
    method = base.method
    for condition in (match.method, *_pseudo(match, ":method")):
        method = method if accepts_string(condition, method) else _text(condition, method)
    headers = dict(base.headers) | _headers(match.headers, [match.without_headers])
    return Sample(f"{path}?{query}" if query else path, method, tuple(sorted(headers.items())))


def against(match: Match, base: Sample = PLAIN) -> Sample:
    """A request like `base` that has the headers which a block excludes."""
    return base._replace(headers=tuple(sorted((dict(base.headers) | _headers(match.without_headers)).items())))


def unasked(base: Sample) -> tuple[Sample, ...]:
    """Requests like `base` with a path or a method that no condition names."""
    path, mark, query = base.path.partition("?")
    odd = f"{path.rstrip('/')}/{_ODD[0]}{mark}{query}"
    return base._replace(method="PATCH"), base._replace(path=odd), base._replace(path=odd, method="PATCH")


def folded(match: Match) -> Sample:
    """A request that meets a block's conditions, its path in lower case where case doesn't count."""
    sample = meeting(match)
    return sample._replace(path=sample.path.lower()) if match.ignore_case else sample


def rewritten(route: Route, base: Sample, sample: Sample) -> Iterator[Sample]:
    """Requests whose paths a route's `rewrite` turns into a sample's: the path of `base`, which it takes, and the end of that behind it.

    Not that path twice: who asks for it at the target thinks of requests as callers send them.
    """
    rewrite, (path, mark, query) = route.rule.rewrite, sample.path.partition("?")
    if not rewrite.uri and not rewrite.pattern:
        return
    taken = base.path.partition("?")[0].rstrip("/")
    heads = (taken, *(text.rpartition("/")[0] for text in examples(rewrite.pattern)))
    ends = [path[place:] for place, letter in enumerate(path) if letter == "/"]
    for tried in dict.fromkeys(f"{head}{end}" for head in heads for end in ends):
        if route.sent_path(tried) == path and not (taken and tried.startswith(f"{taken}{taken}")):
            yield sample._replace(path=f"{tried}{mark}{query}")


def avoiding(match: Match | None, earlier: Sequence[Match], base: Sample) -> Sample:
    """A request like `base`, which a block is for (None: a rule without any), that no earlier block takes; `base` where none was found."""
    blocks = [block for block in map(_anyones, earlier) if not is_catch_all(block)]
    if any(map(is_catch_all, earlier)) or not any(meets(_request(base), block) for block in blocks):
        return base
    own = [match] if match else []
    path, _, query = base.path.partition("?")
    paths = [path, *(f"{path.rstrip('/')}/{odd}" for odd in _ODD), *(text for each in own for text in _paths(each.uri))]
    queries = [query, *("&".join(_asked(each.query, [block.query for block in blocks])) for each in own)]
    headers = [dict(base.headers) | each for each in [{}, *(_headers(each.headers, [block.headers for block in blocks]) for each in own)]]
    headers += [each | _headers(block.without_headers) for each in headers for block in blocks if block.without_headers]
    tried = product(headers, dict.fromkeys(queries), (base.method, *_METHODS), paths)
    samples = (Sample(f"{p}?{q}" if q else p, method, tuple(sorted(found.items()))) for found, q, method, p in tried)
    fitting = (each for each in samples if all(meets(_request(each), _anyones(one)) for one in own))
    return next((each for each in fitting if not any(meets(_request(each), block) for block in blocks)), base)


def _anyones(match: Match) -> Match:
    """A block without what is the entry's: its Host and scheme."""
    return match._replace(authority=match.authority._replace(kind=""), scheme=match.scheme._replace(kind=""))


def _request(sample: Sample) -> Request:
    return Request("", sample.path, sample.method, dict(sample.headers))


def hosts(match: Match, host: str) -> Iterator[str]:
    """Hosts that a block asks for: as they are written, what begins like them, and else what is like that below a wildcard host."""
    for text in (text for condition in (match.authority, *_pseudo(match, ":authority", "host")) for text in _texts(condition)):
        yield text
        if host.startswith(text.lower()):
            yield text + host[len(text) :]
        elif is_wild(host) and not subset_of(without_port(text), host):
            yield f"{text.rstrip('.')}{host[1:] or '.example'}"


def eludes(match: Match) -> bool:
    """Whether a block may take requests of which none could be made up: for an expression, or HTTPS."""
    conditions = (match.uri, match.method, match.authority, *match.headers.values(), *match.query.values())
    expressions = (condition for condition in conditions if condition.kind == "regex")
    beyond_us = any(not any(accepts_string(each, text) for text in examples(each.value)) for each in expressions)
    return beyond_us or (accepts_string(match.scheme, "https") and not accepts_string(match.scheme, "http"))


def _pseudo(match: Match, *names: str) -> list[StringMatch]:
    """Conditions on headers that stand for other parts of a request."""
    return [condition for name, condition in match.headers.items() if name.lower() in names]


def _headers(conditions: Mapping[str, StringMatch], earlier: Iterable[Mapping[str, StringMatch]] = ()) -> dict[str, str]:
    values = ((name.lower(), value) for name, value in _values(conditions, earlier).items() if not name.startswith(":"))
    return {name: value for name, value in values if name != "host"}


def _asked(conditions: Mapping[str, StringMatch], earlier: Iterable[Mapping[str, StringMatch]] = ()) -> list[str]:
    return [f"{name}={value}" for name, value in _values(conditions, earlier).items()]


def _values(conditions: Mapping[str, StringMatch], earlier: Iterable[Mapping[str, StringMatch]]) -> dict[str, str]:
    """Values that meet conditions, and none of the earlier ones for the same names where such are found."""
    earlier = tuple(earlier)
    return {name: _text(condition, "1", [each[name] for each in earlier if name in each]) for name, condition in conditions.items()}


def _text(condition: StringMatch, default: str, earlier: Iterable[StringMatch] = ()) -> str:
    """A string that meets a condition, and no earlier one; `default` when any does or none can be made up."""
    texts = (default, *_texts(condition), f"{condition.value}unasked", "unasked") if earlier else (default, *_texts(condition))
    return next((t for t in texts if accepts_string(condition, t) and not any(accepts_string(each, t) for each in earlier)), default)


def _path(condition: StringMatch, default: str) -> str:
    """Like `_text`, for a path."""
    return next((path for path in _paths(condition) if accepts_string(condition, path)), default)


def _paths(condition: StringMatch) -> Iterator[str]:
    """Texts that may meet a condition on the path, which begins with a slash."""
    texts = (path for text in _texts(condition) for path in (text, f"/{text}", f"/{text[1:]}", f"/{text.partition('/')[2]}"))
    return (path for path in texts if path.startswith("/"))


def _texts(condition: StringMatch) -> Iterable[str]:
    if condition.kind == "regex":
        return examples(condition.value)
    return (condition.value,) if condition.kind in ("exact", "prefix", "path-prefix") else ()
