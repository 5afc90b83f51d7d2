"""Requests that meet conditions: one for a `match` block, so that each rule at either end is tried."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from mirrorlint.delivery.match import Route, accepts_string
from mirrorlint.istio.matches import Match, StringMatch
from mirrorlint.istio.names import subset_of, without_port
from mirrorlint.istio.re2 import examples


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
    asked = "&".join(f"{name}={_text(condition, '1')}" for name, condition in match.query.items())
    query = "&".join(part for part in (query, asked) if part)
    method = base.method
    for condition in (match.method, *_pseudo(match, ":method")):
        method = method if accepts_string(condition, method) else _text(condition, method)
    headers = dict(base.headers) | _headers(match.headers)
    return Sample(f"{path}?{query}" if query else path, method, tuple(sorted(headers.items())))


def against(match: Match, base: Sample = PLAIN) -> Sample:
    """A request like `base` that has the headers which a block excludes."""
    return base._replace(headers=tuple(sorted((dict(base.headers) | _headers(match.without_headers)).items())))


def unasked(base: Sample) -> tuple[Sample, ...]:
    """Requests like `base` with a path or a method that no condition names."""
    path, mark, query = base.path.partition("?")
    odd = f"{path.rstrip('/')}/unasked{mark}{query}"
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


def hosts(match: Match, wild: str) -> Iterator[str]:
    """Hosts that a block asks for, as they are written, or else below a wildcard host."""
    for text in (text for condition in (match.authority, *_pseudo(match, ":authority", "host")) for text in _texts(condition)):
        yield text
        if not subset_of(without_port(text), wild):
            yield f"{text.rstrip('.')}{wild[1:] or '.example'}"


def eludes(match: Match) -> bool:
    """Whether a block may take requests of which none could be made up: for an expression, HTTPS, or what headers must not be."""
    conditions = (match.uri, match.method, match.authority, *match.headers.values(), *match.query.values())
    expressions = (condition for condition in conditions if condition.kind == "regex")
    headers = _headers(match.headers)
    return (
        any(not any(accepts_string(each, text) for text in examples(each.value)) for each in expressions)
        or any(accepts_string(each, headers[name.lower()]) for name, each in match.without_headers.items() if name.lower() in headers)
        or (accepts_string(match.scheme, "https") and not accepts_string(match.scheme, "http"))
    )


def _pseudo(match: Match, *names: str) -> list[StringMatch]:
    """Conditions on headers that stand for other parts of a request."""
    return [condition for name, condition in match.headers.items() if name.lower() in names]


def _headers(conditions: Mapping[str, StringMatch]) -> dict[str, str]:
    own = ((name.lower(), condition) for name, condition in conditions.items() if not name.startswith(":"))
    return {name: _text(condition, "1") for name, condition in own if name != "host"}


def _text(condition: StringMatch, default: str) -> str:
    """A string that meets a condition; `default` when any does or none can be made up."""
    return next((text for text in (default, *_texts(condition)) if accepts_string(condition, text)), default)


def _path(condition: StringMatch, default: str) -> str:
    """Like `_text`, for a path: it begins with a slash."""
    texts = (path for text in _texts(condition) for path in (text, f"/{text}", f"/{text[1:]}", f"/{text.partition('/')[2]}"))
    return next((path for path in texts if path.startswith("/") and accepts_string(condition, path)), default)


def _texts(condition: StringMatch) -> Iterable[str]:
    if condition.kind == "regex":
        return examples(condition.value)
    return (condition.value,) if condition.kind in ("exact", "prefix", "path-prefix") else ()
