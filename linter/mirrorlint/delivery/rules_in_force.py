"""Which of a cluster's DestinationRules a proxy applies to a service (push_context.go:destinationRule, sidecar.go:DestinationRule)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from mirrorlint.istio.destination_rule import DestinationRule
from mirrorlint.istio.names import most_specific
from mirrorlint.istio.services import Service

_Index = dict[str, dict[str, list[DestinationRule]]]  # by namespace and host


class RulesInForce:
    """A cluster's DestinationRules, merged, by namespace and host."""

    def __init__(self, rules: Sequence[DestinationRule], root_namespace: str, exports: frozenset[str]) -> None:
        """`rules` are in order of age, those with a workloadSelector first; `exports` is the mesh's defaultDestinationRuleExportTo."""
        self._rules, self._root_namespace, self._exports = rules, root_namespace, exports

    @cached_property
    def _local(self) -> _Index:
        """For each namespace its own rules."""
        return _merged(r for r in self._rules if not r.export_to or r.export_to & {"*", ".", r.namespace})

    @cached_property
    def _exported(self) -> _Index:
        return _merged(r for r in self._rules if not self._is_private(r))

    @cached_property
    def _every(self) -> _Index:
        return _merged(self._rules)

    def _is_private(self, rule: DestinationRule) -> bool:
        exports = rule.export_to or self._exports & {"."}
        return len(exports) == 1 and bool(exports & {".", rule.namespace})

    def rule_for(self, service: Service, namespace: str, labels: Mapping[str, str]) -> DestinationRule | None:
        """The rule that counts for a proxy; for a gateway whose namespace is not known each of the service's own namespace may."""
        candidates = self._candidates(service, namespace)
        fitting = [r for r in candidates if r.selective and r.namespace == namespace and r.selector.items() <= labels.items()]
        general = [r for r in candidates if not r.selective]
        return fitting[0] if fitting else general[-1] if general else None

    def _candidates(self, service: Service, namespace: str) -> list[DestinationRule]:
        local = self._local.get(namespace, {})
        if namespace == self._root_namespace:
            private = ((host, [r for r in rules if self._is_private(r)]) for host, rules in local.items())
            local = {host: rules for host, rules in private if rules}
        found = most_specific(service.host, local)
        if found is not None:
            return found
        exported = self._exported if namespace else self._every
        for owner in (service.namespace, self._root_namespace):
            rules = most_specific(service.host, exported.get(owner, {})) or ()
            seen = [r for r in rules if not namespace or not r.export_to or r.export_to & {"*", namespace}]
            if seen:
                return seen
        return []


def _merged(rules: Iterable[DestinationRule]) -> _Index:
    """Rules by namespace and host, each merged into every earlier one that it joins (destination_rule.go:mergeDestinationRule).

    Whether it stands for itself as well is decided by the last of those.
    """
    index: _Index = {}
    for rule in rules:
        same_host, apart = index.setdefault(rule.namespace, {}).setdefault(rule.host, []), True
        for i, known in enumerate(same_host):
            joins = _for_same(known, rule) and not (known.selective and rule.selective and known.selector != rule.selector)
            apart = not joins or (known.selective != rule.selective and known.export_to != rule.export_to)
            if joins:
                same_host[i] = known.merged(rule)
        if apart:
            same_host.append(rule)
    return index


def _for_same(known: DestinationRule, rule: DestinationRule) -> bool:
    """Whether a rule is for the namespaces of an earlier one: the same list, or one that holds all of it."""
    return known.export_to == rule.export_to or (bool(known.export_to) and known.export_to < rule.export_to)
