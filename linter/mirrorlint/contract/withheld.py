"""Headers whose values contracts don't tell: what they are is what the cluster asks for that gets them, if it asks at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice, product

from mirrorlint.delivery import reason
from mirrorlint.delivery.follow import Delivery
from mirrorlint.delivery.samples import meeting
from mirrorlint.delivery.way import Call, End, Way

WITHHELD = "(withheld)"
_CREDENTIALS = ("authorization", "cookie", "proxy-authorization")
_TRIED = 100  # combinations of values for one request
# Where a request's headers may have led it; what goes before is the same for all of them.
_BY_HEADERS = frozenset({reason.NO_ROUTE, reason.REDIRECT, reason.DIRECT_RESPONSE, reason.DENIED, reason.ABORT, reason.UNKNOWN_DESTINATION})


def told(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers of a request as a contract has them, by name."""
    return {name: WITHHELD if name in _CREDENTIALS else value for name, value in sorted(headers.items())}


def follow(delivery: Delivery, call: Call, world: str) -> tuple[tuple[Way, ...], tuple[str, ...]]:
    """A call's ways with values by which all arrives, if there are such; else the withheld headers that may be why it doesn't, as well."""
    ways = delivery.follow(call, world)
    ends = [end for way in ways for end in way.ends]
    hidden = {name: _asked(delivery, ends, name) for name in _CREDENTIALS if call.headers.get(name) == WITHHELD}
    names = tuple(name for name, values in hidden.items() if values)
    if not names or _arrive(ways):
        return ways, ()
    for values in islice(product(*(hidden[name] for name in names)), _TRIED):
        others = delivery.follow(call._replace(headers={**call.headers, **dict(zip(names, values, strict=True))}), world)
        if _arrive(others):
            return others, ()
    unclear = all(end.reason in _BY_HEADERS for end in ends if end.reason != reason.ARRIVES)
    return ways, names if unclear else ()


def _arrive(ways: tuple[Way, ...]) -> bool:
    return all(end.reason == reason.ARRIVES for way in ways for end in way.ends)


def _asked(delivery: Delivery, ends: list[End], name: str) -> tuple[str, ...]:
    """Values of a header that rules and policies ask for where a call ends, and last one that none does; nothing when none asks."""
    found = [*_by_rules(ends, name), *_by_policies(delivery, {end.cluster for end in ends}, name)]
    return (*dict.fromkeys(found), WITHHELD) if found else ()


def _by_rules(ends: list[End], name: str) -> Iterator[str]:
    for match in (route.match for end in ends if end.host for route in end.host.routes if route.match):
        headers = dict(meeting(match).headers)
        if name in headers:
            yield headers[name]
        if name in map(str.lower, match.without_headers):
            yield WITHHELD


def _by_policies(delivery: Delivery, clusters: set[str], name: str) -> Iterator[str]:
    policies = (policy for cluster in clusters & delivery.meshes.keys() for policy in delivery.meshes[cluster].authorization_policies)
    for condition in (when for policy in policies for rule in policy.node["spec"]["rules"] for when in rule["when"]):
        if condition["key"].text.lower() == f"request.headers[{name}]":
            yield from (text.strip("*") or "1" for text in (*condition["values"].texts, *condition["notValues"].texts))
