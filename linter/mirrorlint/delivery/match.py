"""The one route matcher, for both ends: which of a virtual host's routes takes a request (route.go:TranslateRouteMatch)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl

from mirrorlint.istio.matches import Match, StringMatch
from mirrorlint.istio.re2 import compiled
from mirrorlint.istio.routing import Rule, VirtualService

_JWT = "@request.auth.claims"


class Request(NamedTuple):
    """A request on its way; header names are in lower case, the path holds its query."""

    host: str
    path: str
    method: str
    headers: Mapping[str, str]


def accepts_string(condition: StringMatch, text: str, fold: bool = False) -> bool:
    """Whether a string meets a condition; regexes match the whole string."""
    if condition.kind == "regex":
        pattern = compiled(condition.value)
        return bool(pattern and pattern.fullmatch(text))
    value = condition.value
    if fold:
        text, value = text.lower(), value.lower()
    if condition.kind == "exact":
        return text == value
    if condition.kind == "path-prefix":
        return text == value or text.startswith(f"{value}/")
    return condition.kind != "prefix" or text.startswith(value)


def _accepts_value(condition: StringMatch, values: Mapping[str, str], name: str) -> bool:
    return name in values and accepts_string(condition, values[name])


class Route:
    """A route of a virtual host: one `match` block of a rule, or a rule without any (`match` is None)."""

    __slots__ = ("_trivial", "catch_all", "match", "rule", "service")

    def __init__(self, service: VirtualService, rule: Rule, match: Match | None) -> None:
        """Note what can be told before any request is seen."""
        self.service, self.rule, self.match = service, rule, match
        self.catch_all = match is None or is_catch_all(match)
        self._trivial = self.catch_all and (match is None or match.uri.kind != "regex")

    def accepts(self, request: Request) -> bool:
        """Whether the request meets all conditions."""
        return self._trivial or self.match is None or meets(request, self.match)

    def sent_path(self, path: str) -> str:
        """The path after the rule's `rewrite`; the query stays."""
        rewrite, (bare, mark, query) = self.rule.rewrite, path.partition("?")
        bare = bare or "/"
        if rewrite.pattern:
            bare = _substituted(rewrite.pattern, rewrite.substitution, bare)
        elif rewrite.uri:
            bare = self._with_prefix(rewrite.uri, bare)
        return bare + mark + query

    def _with_prefix(self, prefix: str, path: str) -> str:
        kind = self.match.uri.kind if self.match else ""
        if kind == "regex":
            return path
        if kind == "exact":
            return prefix
        return prefix + path[len(self.match.uri.value) if self.match and kind in ("prefix", "path-prefix") else 1 :]


def meets(request: Request, match: Match) -> bool:
    """Whether a request meets all conditions of a block."""
    path, _, query = request.path.partition("?")
    return (
        (not match.uri.kind or accepts_string(match.uri, path or "/", fold=match.ignore_case))
        and (not match.method.kind or accepts_string(match.method, request.method))
        and (not match.authority.kind or accepts_string(match.authority, request.host))
        and (not match.scheme.kind or accepts_string(match.scheme, "http"))
        and (not match.headers or all(_accepts_headers(match.headers, request)))
        and (not match.without_headers or not any(_accepts_headers(match.without_headers, request)))
        and (not match.query or _accepts_query(match.query, query))
    )


def _accepts_headers(conditions: Mapping[str, StringMatch], request: Request) -> Iterator[bool]:
    """For each condition whether the request meets it; claims of a token are not seen here and left out."""
    pseudo = {":authority": request.host, "host": request.host, ":method": request.method, ":path": request.path, ":scheme": "http"}
    headers = {**request.headers, **pseudo}
    return (_accepts_value(c, headers, name.lower()) for name, c in conditions.items() if not name.startswith(_JWT))


def _accepts_query(conditions: Mapping[str, StringMatch], query: str) -> bool:
    values: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        values.setdefault(name, value)
    return all(_accepts_value(condition, values, name) for name, condition in conditions.items())


def _substituted(regex: str, substitution: str, path: str) -> str:
    pattern = compiled(regex)
    if pattern is None:
        return path

    def fill(found: re.Match[str]) -> str:
        return re.sub(r"\\(\d)", lambda group: (found.group(int(group[1])) or "") if int(group[1]) <= pattern.groups else "", substitution)

    return pattern.sub(fill, path)


def is_catch_all(match: Match) -> bool:
    """Whether it takes every request (route.go:IsCatchAllRoute)."""
    uri = match.uri
    every_path = uri.kind in ("", "present") or (uri.kind, uri.value) in (("prefix", "/"), ("regex", ".*"))
    others = match.method.kind or match.authority.kind or match.scheme.kind
    return every_path and not (others or match.headers or match.without_headers or match.query)


def routes_of(service: VirtualService) -> tuple[tuple[Route, ...], ...]:
    """For each rule its routes, one a `match` block."""
    return tuple(tuple(Route(service, rule, match) for match in rule.matches) or (Route(service, rule, None),) for rule in service.rules)


def bound_routes(
    rules: Iterable[tuple[Route, ...]], port: int, gateways: frozenset[str], namespace: str, labels: Mapping[str, str]
) -> tuple[Route, ...]:
    """The routes that a proxy gets for a listener, up to the first that takes everything (route.go:BuildHTTPRoutesForVirtualService)."""
    return tuple(_until_catch_all(route for rule in rules for route in rule if _bound(route.match, port, gateways, namespace, labels)))


def _until_catch_all(routes: Iterable[Route]) -> Iterator[Route]:
    for route in routes:
        yield route
        if route.catch_all:
            return


def _bound(match: Match | None, port: int, gateways: frozenset[str], namespace: str, labels: Mapping[str, str]) -> bool:
    """Whether the block is for this proxy and listener (route.go:TranslateRoute, sourceMatchHTTP)."""
    if match is None:
        return True
    if match.port not in (0, port):
        return False
    if match.gateways:
        return not gateways.isdisjoint(match.gateways)
    return match.source_labels.items() <= labels.items() and match.source_namespace in ("", namespace)


def first_match(routes: Iterable[Route], request: Request) -> Route | None:
    """The first route that takes the request."""
    return next((route for route in routes if route.accepts(request)), None)
