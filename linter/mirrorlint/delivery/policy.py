"""AuthorizationPolicies at a proxy: whether they let a shadow through, as far as manifests tell.

Source: pilot/pkg/security/authz/model (which part of a rule looks at what), pilot/pkg/model/authorization.go (which policies apply).
None stands for what can't be told: tokens, addresses, who a client certificate is for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import product
from typing import NamedTuple

from mirrorlint.delivery.match import Request, headers_of
from mirrorlint.delivery.samples import Sample
from mirrorlint.delivery.scope import Scope
from mirrorlint.fleet import Manifest
from mirrorlint.istio.listeners import NAME_LABEL
from mirrorlint.source import Node

DRY_RUN = "istio.io/dry-run"
_HEADER = "request.headers["
_PEER = ("principals", "namespaces", "serviceAccounts", "trustDomains")
_PEER_KEYS = {f"source.{field[:-1]}": field for field in _PEER}
_ALL = {"methods": ("*",), "paths": ("*", "/*")}  # what every request has
_LET_BY = {"ALLOW": ("values", "methods", "paths"), "DENY": ("notValues", "notMethods", "notPaths")}

Maybe = bool | None


class Client(NamedTuple):
    """Who shows a certificate: namespace and service account of its pods, "" where they are not known, and names of its trust domain."""

    namespace: str = ""
    account: str = ""
    domains: tuple[str, ...] = ()


class Arriving(NamedTuple):
    """A shadow at a proxy: its Host, the container port that it came to, 0 if that is not known, and what shows a certificate, if any.

    Without the request nothing is told of path, method and headers.
    """

    host: str
    port: int
    client: Client | None
    request: Request | None = None


class Verdict(NamedTuple):
    """Whether policies let a shadow through (None: can't be told), the policy that decides, and where it does."""

    allowed: Maybe
    policy: Manifest | None = None
    node: Node | None = None

    @property
    def lacks_allow(self) -> bool:
        """Whether it is denied since no ALLOW lets it through."""
        return self.allowed is False and self.policy is not None and _action(self.policy) == "ALLOW"


LET_THROUGH = Verdict(allowed=True)


def verdict(scope: Scope, shadow: Arriving) -> Verdict:
    """What the policies of a proxy's pods say: a match of a DENY denies; if there are ALLOWs, one of them has to match."""
    policies = [(policy, applies) for policy in scope.mesh.policies_for(scope.namespace) if (applies := is_for(policy, scope)) is not False]
    refusing = [(p, node, _both((applies, hit))) for p, applies in policies if _action(p) == "DENY" for node, hit in _hits(p, shadow)]
    found = next(((p, node) for p, node, hit in refusing if hit), None)
    if found:
        return Verdict(False, *found)
    allowing = sorted(
        ((p, applies) for p, applies in policies if _action(p) == "ALLOW"), key=lambda found: not found[0].node["spec"]["rules"]
    )
    hits = [(p, _both((applies, hit))) for p, applies in allowing for _, hit in _hits(p, shadow)]
    if any(applies for _, applies in allowing) and not any(hit is not False for _, hit in hits):
        return Verdict(False, allowing[0][0], _first_unmet(allowing[0][0], shadow))
    unsure = [p for p, _, hit in refusing if hit is None] + [p for p, _ in policies if _action(p) == "CUSTOM" and _may_hit(p, shadow)]
    if allowing and not any(hit for _, hit in hits):
        unsure.append(next((p for p, hit in hits if hit is None), allowing[0][0]))
    return Verdict(None, unsure[0]) if unsure else LET_THROUGH


def _may_hit(policy: Manifest, shadow: Arriving) -> bool:
    return any(hit is not False for _, hit in _hits(policy, shadow))


def allowed_by(scope: Scope, base: Sample) -> Iterator[Sample]:
    """Requests like `base` that have what the policies of a gateway's pods ask of those that they let through."""
    policies = (policy for policy in scope.mesh.policies_for(scope.namespace) if _action(policy) in _LET_BY)
    for policy in (policy for policy in policies if is_for(policy, scope) is not False):
        values, methods, paths = _LET_BY[_action(policy)]
        for rule in policy.node["spec"]["rules"]:
            asked = {_header(w["key"].text): w[values].at(0).text for w in rule["when"] if w["key"].text.startswith(_HEADER) and w[values]}
            headers = {**dict(base.headers), **{name: text.strip("*") or "1" for name, text in asked.items()}}
            for operation in [to["operation"] for to in rule["to"]] or [rule["to"].at(0)["operation"]]:
                wanted = [f"/{text.strip('*').removeprefix('/')}" for text in operation[paths].texts] or [base.path]
                by = product(wanted, operation[methods].texts or (base.method,))
                yield from (Sample(path, method, tuple(sorted(headers.items()))) for path, method in by)


def _header(key: str) -> str:
    return key.removeprefix(_HEADER).removesuffix("]").lower()


def _action(policy: Manifest) -> str:
    return policy.node["spec"]["action"].text or "ALLOW"


def is_for(policy: Manifest, scope: Scope) -> Maybe:
    """Whether a policy is for the pods, or an EnvoyFilter, which selects alike (push_context.go:getMatchedEnvoyFilters).

    One with `targetRefs` is for a Gateway of the Gateway API in its namespace (policyattachment.go).
    Where the pods' namespace is not known, a policy that selects just such pods is taken to be for them, and one for all pods of a
    namespace with Services and no Gateway not to be.
    """
    spec, root = policy.node["spec"], scope.mesh.root_namespace
    if policy.node["metadata"]["annotations"][DRY_RUN].text.lower() in ("true", "1", "t"):
        return False
    targets = tuple(spec["targetRefs"]) or ((spec["targetRef"],) if spec["targetRef"] else ())
    if targets:
        own = policy.namespace == scope.namespace
        return own and any(each["kind"].text == "Gateway" and each["name"].text == scope.labels.get(NAME_LABEL) for each in targets)
    selector = (spec["selector"]["matchLabels"] or spec["workloadSelector"]["labels"]).named_texts
    if not selector.items() <= scope.labels.items():
        return False
    if policy.namespace in (root, scope.namespace):
        return True
    return False if scope.namespace or (not selector and _is_of_applications(policy.namespace, scope)) else bool(selector) or None


def may_be_met(policy: Manifest, scopes: Iterable[Scope]) -> bool:
    """Whether a policy may be for some of the pods."""
    return any(is_for(policy, scope) is not False for scope in scopes)


def _is_of_applications(namespace: str, scope: Scope) -> bool:
    gateways = {gateway.manifest.namespace for gateway in scope.mesh.gateways}
    return namespace not in gateways and any(s.kubernetes and s.namespace == namespace for s in scope.mesh.services)


def _hits(policy: Manifest, shadow: Arriving) -> Iterator[tuple[Node, Maybe]]:
    """For each rule the first condition of what matches, and whether it does."""
    for rule in policy.node["spec"]["rules"]:
        sources = [_every(_source(each["source"], shadow, policy.namespace)) for each in rule["from"]]
        operations = [_every(_operation(each["operation"], shadow)) for each in rule["to"]]
        conditions = [_condition(each, shadow, policy.namespace) for each in rule["when"]]
        alternatives = (_either(found) for found in (sources, operations) if found)
        yield _first_condition(rule, operations, sources), _both((*alternatives, *conditions))


def _source(source: Node, shadow: Arriving, namespace: str) -> Iterator[tuple[Node, Maybe]]:
    """For each field of a policy of a namespace whether it means the client, whose address is not known."""

    def is_meant(field: str) -> Callable[[Node], Maybe]:
        return lambda value: _is_client(field, value.text, shadow.client, namespace)

    yield from ((values, _asked(name, values, is_meant)) for name, values in source.items())


def _is_client(field: str, text: str, client: Client | None, namespace: str) -> Maybe:
    """Whether a value of a field is the client's; one without a certificate has no identity.

    A principal is `<trust domain>/ns/<namespace>/sa/<account>`, a service account one of the policy's namespace unless it says which; of
    namespaces alone `*` stands for any part (authz/model/generator.go).
    """
    if field not in _PEER:
        return None
    if client is None:
        return False
    if text == "*" or not client.namespace or field == "trustDomains":
        return True if text == "*" else None
    if field == "namespaces":
        return re.fullmatch(".*".join(map(re.escape, text.split("*"))), client.namespace) is not None
    if field == "serviceAccounts":
        own, _, account = text.rpartition("/")
        return (own or namespace) == client.namespace and (account == client.account if client.account else None)
    return _is_principal(text, client)


def _is_principal(text: str, client: Client) -> Maybe:
    """Whether a principal that a policy asks for is the client's."""
    if client.account:
        names = [f"{domain}/ns/{client.namespace}/sa/{client.account}" for domain in (*client.domains, text.partition("/")[0])]
        fitting = [_fits(text, name) for name in names]
        return True if any(fitting[:-1]) else None if fitting[-1] else False
    named = text.partition("/ns/")[2].partition("/")
    return False if named[1] and named[0] != client.namespace else None


def _operation(operation: Node, shadow: Arriving) -> Iterator[tuple[Node, Maybe]]:
    """For each field whether it means the request."""
    request = shadow.request
    seen = {"hosts": shadow.host.lower()}
    if shadow.port:
        seen["ports"] = str(shadow.port)
    if request:
        seen |= {"methods": request.method, "paths": request.path.partition("?")[0]}

    def is_meant(field: str) -> Callable[[Node], Maybe]:
        if field not in seen:
            return lambda value: value.text in _ALL.get(field, ()) or None
        fold = field == "hosts"
        return lambda value: _fits(value.text.lower() if fold else value.text, seen[field])

    yield from ((values, _asked(name, values, is_meant)) for name, values in operation.items())


def _asked(name: str, values: Node, is_meant: Callable[[str], Callable[[Node], Maybe]]) -> Maybe:
    """What a field asks for: one of its values, or none of them where it is a `notHosts` or the like."""
    if name.startswith("not"):
        return _none_of(map(is_meant(name[3:4].lower() + name[4:]), values))
    return _either(map(is_meant(name), values))


def _condition(when: Node, shadow: Arriving, namespace: str) -> Maybe:
    key = when["key"].text
    name, headers = _header(key), headers_of(shadow.request) if shadow.request else None

    def is_meant(value: Node) -> Maybe:
        if key.startswith(_HEADER):
            return None if headers is None else name in headers and _fits(value.text, headers[name])
        if key == "destination.port":
            return value.text == str(shadow.port) if shadow.port else None
        return _is_client(_PEER_KEYS.get(key, ""), value.text, shadow.client, namespace)

    wanted = _either(map(is_meant, when["values"])) if when["values"] else True
    return _both((wanted, _none_of(map(is_meant, when["notValues"]))))


def _fits(pattern: str, text: str) -> Maybe:
    """Whether a string is exactly, begins (`x*`) or ends (`*x`) as asked; path templates are not judged."""
    if "{" in pattern:
        return None
    if pattern == "*":
        return bool(text)
    if pattern.startswith("*"):
        return text.endswith(pattern[1:])
    return text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern


def _first_condition(rule: Node, operations: Sequence[Maybe] = (), sources: Sequence[Maybe] = ()) -> Node:
    """The first value that a rule asks for, in those of its alternatives that match, else in the first ones; else the rule itself."""
    to = next((each for each, hit in zip(rule["to"], operations, strict=False) if hit), rule["to"].at(0))
    source = next((each for each, hit in zip(rule["from"], sources, strict=False) if hit), rule["from"].at(0))
    asked = (to["operation"], source["source"], rule["when"].at(0))
    lists = (values for fields in asked for _, values in fields.items() if values.is_sequence)
    return next((values.at(0) for values in lists), rule)


def _first_unmet(policy: Manifest, shadow: Arriving) -> Node:
    """The first value of what a policy asks for and the shadow does not have; what it asks for first where that can't be told."""
    rule = policy.node["spec"]["rules"].at(0)
    operations = (asked for each in rule["to"] for asked in _operation(each["operation"], shadow))
    sources = (asked for each in rule["from"] for asked in _source(each["source"], shadow, policy.namespace))
    conditions = ((each["values"] or each["notValues"], _condition(each, shadow, policy.namespace)) for each in rule["when"])
    found = (values.at(0) for values, hit in (*operations, *sources, *conditions) if hit is False)
    return next(found, _first_condition(rule))


def _every(fields: Iterable[tuple[Node, Maybe]]) -> Maybe:
    return _both(hit for _, hit in fields)


def _either(found: Iterable[Maybe]) -> Maybe:
    """True if one is, else None if one can't be told, else False."""
    known = list(found)
    return True if True in known else None if None in known else False


def _both(found: Iterable[Maybe]) -> Maybe:
    """False if one is, else None if one can't be told, else True."""
    known = list(found)
    return False if False in known else None if None in known else True


def _none_of(found: Iterable[Maybe]) -> Maybe:
    known = _either(found)
    return None if known is None else not known
