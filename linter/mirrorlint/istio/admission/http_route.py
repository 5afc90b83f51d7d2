"""HTTP rules of a VirtualService (pkg/config/validation/virtualservice.go)."""

from __future__ import annotations

from collections.abc import Iterator

from mirrorlint.istio.admission import headers, values
from mirrorlint.istio.admission.http_match import MATCH, ORIGIN
from mirrorlint.istio.admission.routes import DESTINATION, route_destination, weights
from mirrorlint.istio.admission.shape import (
    ANY_TEXT,
    COUNT,
    FLAG,
    INTEGER,
    NATURAL,
    PERCENT,
    PORT_OR_ZERO,
    TEXTS,
    Complaint,
    Refusal,
    among,
    choice,
    each,
    given,
    message,
    number,
    one_of,
    or_empty,
    required,
    text,
    whole,
)
from mirrorlint.source import Node

_MEGABYTE = 1 << 20
_METHODS = frozenset(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE", "*"])
_RETRY_ON = frozenset(
    [
        "5xx",
        "gateway-error",
        "reset",
        "reset-before-request",
        "connect-failure",
        "retriable-4xx",
        "refused-stream",
        "retriable-status-codes",
        "retriable-headers",
        "envoy-ratelimited",
        "http3-post-connect-failure",
        "cancelled",
        "deadline-exceeded",
        "internal",
        "resource-exhausted",
        "unavailable",
    ]
)
_GRPC_STATUSES = frozenset(
    [
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    ]
)
# With an action of its own a rule routes nothing and changes nothing on the way (validateHTTPRouteConflict).
_EXCLUDED = ("route", "fault", "rewrite", "directResponse")


def conflicts(route: Node, *, delegate: bool) -> Iterator[Refusal]:
    """Fields that exclude each other; `delegate` says that the VirtualService has no hosts."""
    delegating = given(route, "delegate")
    if delegating and not delegate:
        for name in ("redirect", "route"):
            if given(route, name):
                yield Refusal(route.key(name), f"`{name}` stands beside `delegate`, which leaves the rest to another")
        return
    if delegating:
        yield Refusal(route.key("delegate"), "a delegate cannot delegate again: this VirtualService has no `hosts`")
    action = next((name for name in ("redirect", "directResponse") if given(route, name)), "")
    if not action and not given(route, "route"):
        yield Refusal(route, "the rule has neither `route` nor `redirect` nor `directResponse`")
    for name in _EXCLUDED if action else ():
        if name != action and given(route, name):
            yield Refusal(route.key(name), f"`{name}` stands beside `{action}`: a rule has only one of them")
    if given(route, "mirrors") and given(route, "mirror"):
        yield Refusal(route.key("mirrors"), "`mirrors` stands beside `mirror`: a rule has only one of them")


def _is_status(text: str) -> bool:
    from http import HTTPStatus  # noqa: PLC0415 - as dear as a large module, and hardly anybody retries on a status

    return text in {str(status.value) for status in HTTPStatus}


def _retry_on(text: str) -> str:
    for policy in text.split(",") if text else ():
        if policy not in _RETRY_ON and not _is_status(policy.removeprefix("+").lstrip("0")):
            return f"names `{policy}`, which is no condition to retry on"
    return ""


def _redirect_all_prefixes(route: Node) -> Iterator[Refusal]:
    if not route["redirect"]["prefixRewrite"].text:
        return
    for match in route["match"]:
        if match["uri"] and not match["uri"]["prefix"]:
            yield Refusal(match["uri"], "`prefixRewrite` needs a `prefix` here: every match on `uri` has to be one")


def _redirect_somewhere(redirect: Node) -> Iterator[Refusal]:
    texts = [redirect[name].text for name in ("uri", "prefixRewrite", "authority", "scheme")]
    if not any(texts) and not redirect["port"] and not redirect["derivePort"]:
        yield Refusal(redirect, "the redirect changes neither `uri` nor `authority` nor `scheme` nor `port`")
    if texts[0] and texts[1]:
        yield Refusal(redirect.key("prefixRewrite"), "`prefixRewrite` stands beside `uri`: only one of them is allowed")
    code = redirect["redirectCode"]
    if code.number and not 300 <= code.number <= 399:
        yield Refusal(code, f"`redirectCode: {code.text}` is no redirect: those are 300 to 399")


def _rewrite_something(rewrite: Node) -> Iterator[Refusal]:
    uri, expression = rewrite["uri"].text, rewrite["uriRegexRewrite"]
    if uri and expression:
        yield Refusal(expression, "`uriRegexRewrite` stands beside `uri`: only one of them is allowed")
    elif not uri and not expression and not rewrite["authority"].text:
        yield Refusal(rewrite, "the rewrite has neither `uri` nor `uriRegexRewrite` nor `authority`")
    if expression and not (expression["match"].text and expression["rewrite"].text):
        yield Refusal(expression, "`uriRegexRewrite` needs both `match` and `rewrite`")


def _retries_off(retries: Node) -> Iterator[Refusal]:
    if retries["attempts"].number:
        return
    for name in ("perTryTimeout", "retryOn", "retryRemoteLocalities"):
        if retries[name] and (name != "retryOn" or retries[name].text):
            yield Refusal(retries.key(name), f"`{name}` is set although `attempts` is 0, which turns retries off")


def _small_body(response: Node) -> Iterator[Refusal]:
    text, data = response["body"]["string"], response["body"]["bytes"]
    if len(text.text.encode()) > _MEGABYTE or len(data.text) * 3 // 4 > _MEGABYTE:
        yield Refusal(text or data, "the body of the direct response is larger than 1 MB")


def _not_supported(name: str) -> Complaint:
    return lambda _: f"is not supported: Istio never implemented `{name}`"


_FRACTION = message({"value": number(0, 100, least=0.0001)})
_SHARE = message({"value": number(0, 100)})
_STATUS = whole(200, 600)
_CORS = message(
    {
        "allowOrigin": TEXTS,
        "allowOrigins": each(ORIGIN),
        "allowMethods": each(text(among(_METHODS, "is not a method that CORS knows"))),
        "allowHeaders": each(text(headers.cors)),
        "exposeHeaders": each(text(headers.cors)),
        "maxAge": text(values.whole_seconds),
        "allowCredentials": FLAG,
        "unmatchedPreflights": choice("UNSPECIFIED", "FORWARD", "IGNORE"),
    }
)
_ABORT = message(
    {
        "percentage": _FRACTION,
        "httpStatus": _STATUS,
        "grpcStatus": text(among(_GRPC_STATUSES, "is not a gRPC status such as `NOT_FOUND`")),
        "http2Error": text(_not_supported("http2Error")),
    },
    one_of("httpStatus", "grpcStatus", "http2Error"),
)
_DELAY = message(
    {
        "percent": INTEGER,
        "percentage": _FRACTION,
        "fixedDelay": text(values.duration),
        "exponentialDelay": text(_not_supported("exponentialDelay")),
    },
    one_of("fixedDelay", "exponentialDelay"),
)
_FAULT = message({"abort": _ABORT, "delay": _DELAY}, required("`fault` has neither `abort` nor `delay`", "abort", "delay"))
_REDIRECT = message(
    {
        "uri": ANY_TEXT,
        "prefixRewrite": ANY_TEXT,
        "authority": ANY_TEXT,
        "scheme": text(among(("", "http", "https"), "is neither `http` nor `https`")),
        "port": PORT_OR_ZERO,
        "derivePort": choice("FROM_PROTOCOL_DEFAULT", "FROM_REQUEST_PORT"),
        "redirectCode": NATURAL,
    },
    _redirect_somewhere,
    one_of("port", "derivePort"),
)
_REWRITE = message(
    {
        "uri": ANY_TEXT,
        "authority": ANY_TEXT,
        "uriRegexRewrite": message({"match": text(or_empty(values.regex)), "rewrite": ANY_TEXT}),
    },
    _rewrite_something,
)
_DIRECT_RESPONSE = message(
    {
        "status": _STATUS,
        "body": message({"string": ANY_TEXT, "bytes": text(values.base64)}, one_of("string", "bytes")),
    },
    required("a direct response needs a `status`", "status"),
    _small_body,
)
_RETRIES = message(
    {
        "attempts": COUNT,
        "perTryTimeout": text(values.duration),
        "backoff": text(values.duration),
        "retryOn": text(_retry_on),
        "retryRemoteLocalities": FLAG,
        "retryIgnorePreviousHosts": FLAG,
    },
    _retries_off,
)
_MIRROR = message(
    {"destination": DESTINATION, "percentage": _SHARE},
    required("an item of `mirrors` needs a `destination`", "destination"),
)

HTTP_ROUTE = message(
    {
        "name": ANY_TEXT,
        "match": each(MATCH),
        "route": each(route_destination(headers=headers.HEADERS)),
        "redirect": _REDIRECT,
        "directResponse": _DIRECT_RESPONSE,
        "delegate": message({"name": ANY_TEXT, "namespace": ANY_TEXT}),
        "rewrite": _REWRITE,
        "timeout": text(values.duration),
        "retries": _RETRIES,
        "fault": _FAULT,
        "mirror": DESTINATION,
        "mirrors": each(_MIRROR),
        "mirrorPercent": PERCENT,
        "mirror_percent": PERCENT,
        "mirrorPercentage": _SHARE,
        "corsPolicy": _CORS,
        "headers": headers.HEADERS,
    },
    weights,
    headers.authority_set_twice,
    _redirect_all_prefixes,
)
