"""Conditions that requests are held against, in the words of the API that they are written in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mirrorlint.delivery.match import Request, Unmet, closest, is_absolute
from mirrorlint.delivery.way import End, reached
from mirrorlint.fleet import Manifest
from mirrorlint.istio.matches import STRINGS, Match, StringMatch
from mirrorlint.source import Node

_OF_ISTIO: Mapping[str, str] = {}
_OF_GATEWAY_API = {
    "uri": "path",
    "exact": "Exact",
    "prefix": "PathPrefix",
    "path-prefix": "PathPrefix",
    "regex": "RegularExpression",
}
_TITLES = {"headers": "header", "withoutHeaders": "without header", "queryParams": "query"}
_ASKED = {"withoutHeaders": "no header"}


def conditions(match: Match, *, gateway_api: bool) -> Iterator[str]:
    """The conditions of a block."""
    words = _OF_GATEWAY_API if gateway_api else _OF_ISTIO
    for name in STRINGS:
        if getattr(match, name).kind:
            yield _said(words.get(name, name), getattr(match, name), words)
    for field, group in (("headers", match.headers), ("withoutHeaders", match.without_headers), ("queryParams", match.query)):
        yield from (_said(f"{_TITLES[field]} `{name}`", condition, words) for name, condition in group.items())


def _said(title: str, condition: StringMatch, words: Mapping[str, str]) -> str:
    kind = words.get(condition.kind, condition.kind)
    return f"{title} {kind}" + (f" `{condition.value}`" if condition.kind != "present" else "")


def missed(end: End, request: Request) -> tuple[Node, str, Manifest]:
    """What a request lacks for the nearest rule of the virtual host at its end: the first condition, all in words, and the rule's object.

    A virtual host that a server has for its `httpsRedirect` alone has no rules (core/gateway.go:buildGatewayHTTPRouteConfig).
    """
    host = reached(end.host)
    if not host.routes or not is_absolute(request.path):
        why = "its path does not begin with a slash" if host.routes else "no VirtualService has rules for it"
        return host.node, why, reached(end.chain).servers[0].gateway.manifest
    route, lacks = closest(host.routes, request)
    words = _OF_GATEWAY_API if route.service.gateway_semantics else _OF_ISTIO
    asked = " and ".join(_asked(each, words) for each in lacks)
    return lacks[0].condition.node, f"the nearest rule asks for {asked}", route.rule.owner


def _asked(unmet: Unmet, words: Mapping[str, str]) -> str:
    field, name, condition = unmet
    title = f"{_ASKED.get(field, _TITLES[field])} `{name}`" if name else words.get(field, field)
    return _said(title, condition, words)
