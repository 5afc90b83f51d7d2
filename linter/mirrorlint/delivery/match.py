"""The one route matcher, for both ends: which of a virtual host's routes takes a request (route.go:TranslateRouteMatch)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import SequenceMatcher
from typing import NamedTuple

from mirrorlint.istio.matches import Match, StringMatch
from mirrorlint.istio.re2 import compiled, matches
from mirrorlint.istio.routing import Rule, VirtualService

_JWT = "@request.auth.claims"


class Request(NamedTuple):
    """A request on its way; header names are in lower case, the path holds its query, the scheme is that of its connection."""

    host: str
    path: str
    method: str
    headers: Mapping[str, str]
    scheme: str = "http"


def accepts_string(condition: StringMatch, text: str, fold: bool = False) -> bool:
    """Whether a string meets a condition; regexes match the whole string."""
    if condition.kind == "regex":
        return matches(condition.value, text)
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
        if kind in ("exact", "regex"):
            return prefix  # an expression takes the whole path (envoy, source/common/router/config_impl.cc: RegexRouteEntryImpl)
        return prefix + path[len(self.match.uri.value) if self.match and kind in ("prefix", "path-prefix") else 1 :]


class Unmet(NamedTuple):
    """A condition of a block that a request does not meet: its field, the header or parameter that it is for ("" for others), itself."""

    field: str
    name: str
    condition: StringMatch


def meets(request: Request, match: Match) -> bool:
    """Whether a request meets all conditions of a block."""
    return next(unmet(request, match), None) is None


def unmet(request: Request, match: Match) -> Iterator[Unmet]:
    """The conditions of a block that a request does not meet; claims of a token are not seen here and left out."""
    path, _, query = request.path.partition("?")
    if match.uri.kind and not accepts_string(match.uri, path or "/", fold=match.ignore_case):
        yield Unmet("uri", "", match.uri)
    if match.method.kind and not accepts_string(match.method, request.method):
        yield Unmet("method", "", match.method)
    if match.authority.kind and not accepts_string(match.authority, request.host):
        yield Unmet("authority", "", match.authority)
    if match.scheme.kind and not accepts_string(match.scheme, request.scheme):
        yield Unmet("scheme", "", match.scheme)
    if match.headers or match.without_headers:
        headers = headers_of(request)
        yield from (Unmet("headers", *each) for each in _seen(match.headers) if not _accepts_value(each[1], headers, each[0].lower()))
        yield from (Unmet("withoutHeaders", *e) for e in _seen(match.without_headers) if _accepts_value(e[1], headers, e[0].lower()))
    if match.query:
        values = _values_of(query)
        yield from (Unmet("queryParams", *each) for each in match.query.items() if not _accepts_value(each[1], values, each[0]))


def headers_of(request: Request) -> Mapping[str, str]:
    """The headers as Envoy sees them, what stands for the Host, the method and the path among them."""
    pseudo = {":authority": request.host, "host": request.host, ":method": request.method, ":path": request.path, ":scheme": request.scheme}
    return {**request.headers, **pseudo}


def _seen(conditions: Mapping[str, StringMatch]) -> Iterator[tuple[str, StringMatch]]:
    return ((name, condition) for name, condition in conditions.items() if not name.startswith(_JWT))


def _values_of(query: str) -> Mapping[str, str]:
    from urllib.parse import parse_qsl  # noqa: PLC0415 - hardly any rule asks for parameters

    values: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        values.setdefault(name, value)
    return values


def _substituted(regex: str, substitution: str, path: str) -> str:
    pattern = compiled(regex) if matches(f"(?s:.*)(?:{regex})(?s:.*)", path) else None
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
    return match is None or next(foreign(match, port, gateways, namespace, labels), None) is None


def foreign(match: Match, port: int, gateways: frozenset[str], namespace: str, labels: Mapping[str, str]) -> Iterator[str]:
    """The fields by which a block is not for this proxy and listener (route.go:TranslateRoute, sourceMatchHTTP)."""
    if match.port not in (0, port):
        yield "port"
    if match.gateways:
        if gateways.isdisjoint(match.gateways):
            yield "gateways"
        return
    if not match.source_labels.items() <= labels.items():
        yield "sourceLabels"
    if match.source_namespace not in ("", namespace):
        yield "sourceNamespace"


def first_match(routes: Iterable[Route], request: Request) -> Route | None:
    """The first route that takes the request."""
    return next((route for route in routes if route.accepts(request)), None) if is_absolute(request.path) else None


def is_absolute(path: str) -> bool:
    """Whether Envoy routes a path, which is "/" where it is empty (conn_manager_impl.cc:decodeHeaders)."""
    return path[:1] in "/?"


def closest(routes: Iterable[Route], request: Request) -> tuple[Route, tuple[Unmet, ...]]:
    """Of routes none of which takes a request with an absolute path, the one that was probably meant to, and what it asks for in vain.

    It sends requests on and is for the request's Host, the fewest conditions are not met and the most are, and the first is most like it.
    """
    unfit = ((route, route.match, tuple(unmet(request, route.match))) for route in routes if route.match)
    route, _, lacks = min(unfit, key=lambda one: _distance(one[0], one[1], one[2], request))
    return route, lacks


def _distance(route: Route, match: Match, lacks: tuple[Unmet, ...], request: Request) -> tuple[float, ...]:
    first = lacks[0]
    sent = {"uri": request.path.partition("?")[0], "authority": request.host}.get(first.field, "")
    likeness = SequenceMatcher(None, sent, first.condition.value).ratio()
    return route.rule.action != "route", any(each.field == "authority" for each in lacks), len(lacks), -_asked(match), -likeness


def _asked(match: Match) -> int:
    """The number of a block's conditions."""
    single = (match.uri, match.method, match.authority, match.scheme)
    return sum(bool(each.kind) for each in single) + len(match.headers) + len(match.without_headers) + len(match.query)
