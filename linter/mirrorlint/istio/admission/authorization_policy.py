"""AuthorizationPolicies (pkg/config/validation/validation.go:ValidateAuthorizationPolicy).

What only some versions of Istio refuse, path templates and service accounts, is taken, as are attributes that are not known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mirrorlint.istio.admission import names, values
from mirrorlint.istio.admission.routes import SELECTOR_LABELS
from mirrorlint.istio.admission.shape import ANY_TEXT, Refusal, Rule, Shape, choice, each, given, message, one_of, required, text
from mirrorlint.kinds import GATEWAY_API
from mirrorlint.source import Node

_is_port = re.compile(r"[0-9]{1,18}").fullmatch
_is_keyed = re.compile(r"[^\[]+\[.+\]").fullmatch
_KEYED = ("request.headers", "request.auth.claims")
_NAMES = ("principals", "requestPrincipals", "namespaces", "serviceAccounts", "trustDomains")


def _port(number: str) -> str:
    return "" if _is_port(number) and int(number) <= 65535 else "is not a number between 0 and 65535"


def _either_way(item: Shape, *fields: str) -> dict[str, Shape]:
    """Lists of what is asked for, and of what is not to be: `hosts` and `notHosts`."""
    return {name: each(item) for field in fields for name in (field, f"not{field[0].upper()}{field[1:]}")}


def _filled(what: str) -> Rule:
    def rule(node: Node) -> Iterator[Refusal]:
        if not any(given(node, name) for name, _ in node.items()):
            yield Refusal(node, f"{what} asks for nothing")

    return rule


def _attribute(when: Node) -> Iterator[Refusal]:
    """A header or claim is named in brackets, and a port is a number (pkg/config/security/security.go:ValidateAttribute)."""
    key = when["key"]
    if key.text.startswith(_KEYED) and not _is_keyed(key.text):
        yield Refusal(key, f"`key: {key.text}` is not of the form `{key.text.partition('[')[0]}[name]`")
    for value in (*when["values"], *when["notValues"]) if key.text == "destination.port" else ():
        yield from text(_port).refusals(value, "destination.port")


def _reference(target: Node) -> Iterator[Refusal]:
    """What a policy is for is in its own namespace, and a Gateway is one of the Gateway API (validatePolicyTargetReference)."""
    group, namespace = target["group"], target["namespace"]
    if namespace.text:
        yield Refusal(namespace, f"`namespace: {namespace.text}` is not allowed: a policy is for objects of its own namespace")
    if target["kind"].text == "Gateway" and group.text != GATEWAY_API:
        yield Refusal(group, f"the `group` of a Gateway is `{GATEWAY_API}` here")


def _action(spec: Node) -> Iterator[Refusal]:
    """DENY and CUSTOM have rules, and only CUSTOM has a provider."""
    action, provider = spec["action"], spec["provider"]
    if action.text in ("DENY", "CUSTOM") and not given(spec, "rules"):
        yield Refusal(action, f"`action: {action.text}` without `rules` is for no request: the rule `{{}}` is for all")
    elif action.text == "CUSTOM" and not provider["name"].text:
        yield Refusal(action, "`action: CUSTOM` needs a `provider` with a `name`")
    elif action.text != "CUSTOM" and provider:
        yield Refusal(spec.key("provider"), "`provider` is for `action: CUSTOM` alone")


_TARGET = message(
    {"group": ANY_TEXT, "kind": text(values.filled), "name": text(values.filled), "namespace": ANY_TEXT},
    required("a target needs a `kind`", "kind"),
    required("a target needs a `name`", "name"),
    _reference,
)
_SOURCE = message(
    {**_either_way(text(values.filled), *_NAMES), **_either_way(text(names.subnet), "ipBlocks", "remoteIpBlocks")},
    _filled("`source`"),
)
_OPERATION = message(
    {**_either_way(text(values.filled), "hosts", "methods", "paths"), **_either_way(text(_port), "ports")},
    _filled("`operation`"),
)
_CONDITION = message(
    {"key": text(values.filled), **_either_way(text(values.filled), "values")},
    required("a condition needs a `key`", "key"),
    required("a condition needs `values` or `notValues`", "values", "notValues"),
    _attribute,
)
_RULE = message(
    {
        "from": each(message({"source": _SOURCE}, required("an item of `from` needs a `source`", "source"))),
        "to": each(message({"operation": _OPERATION}, required("an item of `to` needs an `operation`", "operation"))),
        "when": each(_CONDITION),
    }
)
SPEC = message(
    {
        "action": choice("ALLOW", "DENY", "AUDIT", "CUSTOM"),
        "provider": message({"name": ANY_TEXT}),
        "rules": each(_RULE),
        "selector": message({"matchLabels": SELECTOR_LABELS}),
        "targetRef": _TARGET,
        "targetRefs": each(_TARGET),
    },
    one_of("selector", "targetRef", "targetRefs"),
    _action,
)
