"""Rules of HTTPRoutes and GRPCRoutes in Istio's form: one for each match, in order of precedence (kube/gateway/conversion.go)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mirrorlint.fleet import Manifest
from mirrorlint.istio import filters
from mirrorlint.istio.backends import Registry, Resolved, Resolver
from mirrorlint.istio.matches import Match
from mirrorlint.istio.route_match import read_matches
from mirrorlint.istio.routing import Action, Backend, Mirror, Rule
from mirrorlint.source import Node


class Converted(NamedTuple):
    """A route's rules; `dropped` says why Istio drops the whole route, and where (None when it doesn't)."""

    rules: tuple[Rule, ...]
    dropped: tuple[Node, str] | None


def convert(manifest: Manifest, registry: Registry, *, at_gateway: bool) -> Converted:
    """The rules of a route, for its gateways or for the mesh; the mirrors of a dropped route are all left out."""
    resolver = Resolver(registry, manifest.kind, manifest.namespace, at_gateway)
    rules = [_Fields(node, manifest, resolver) for node in manifest.node["spec"]["rules"] or [manifest.node["spec"]["rules"]]]
    dropped = next((fault for rule in rules for fault in rule.faults()), None)
    found = tuple(rule for fields in rules for rule in fields.rules())
    if dropped:
        why = f"{dropped[1]}, for which Istio drops all of {manifest}"
        found = tuple(r._replace(mirrors=(), left_out=tuple(m._replace(why=why) for m in (*r.mirrors, *r.left_out))) for r in found)
    return Converted(found, dropped)


def in_precedence(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Rules in the order of the Gateway API; those of equal standing stay in order (sortHTTPRoutes)."""
    return tuple(sorted(rules, key=lambda rule: (_is_last(rule), *_standing(rule.matches[0]))))


def _is_last(rule: Rule) -> bool:
    """Whether a rule has no `matches`, which for an HTTPRoute the API server fills in."""
    return rule.owner.kind == "GRPCRoute" and not len(rule.node["matches"])


def _standing(match: Match) -> tuple[int, ...]:
    rank = {"exact": 3, "path-prefix": 2, "prefix": 2, "regex": 1, "present": 1}.get(match.uri.kind, -1)
    return (-rank, -len(match.uri.value), not match.method.kind, -len(match.headers), -len(match.query))


class _Fields:
    """An entry of `rules`."""

    def __init__(self, node: Node, manifest: Manifest, resolver: Resolver) -> None:
        self.node, self._manifest = node, manifest
        self._filters = tuple(node["filters"])
        self._mirrors = [(policy, resolver.resolve(policy["backendRef"])) for policy in filters.mirrors(node)]
        weighted = [backend for backend in node["backendRefs"] if filters.weight(backend)]
        self._backends = [(backend, resolver.resolve(backend)) for backend in weighted]

    def faults(self) -> Iterator[tuple[Node, str]]:
        """What costs the whole route; in a GRPCRoute also a mirror that Istio doesn't take."""
        unknown = filters.unknown(self._manifest.kind, self.node)
        if unknown:
            home = " (it belongs into the `filters` of the rule)" if unknown.text == filters.MIRROR else ""
            yield unknown, f"`type: {unknown.text}` is no filter that Istio takes here{home}"
        strict = self._mirrors if self._manifest.kind == "GRPCRoute" else []
        yield from ((node, found.destination.why) for node, found in strict if found.destination.why)
        yield from (
            (node, f"its backend `{node['name'].text}` is none that Istio takes: {found.fatal}")
            for node, found in self._backends
            if found.fatal
        )

    def rules(self) -> Iterator[Rule]:
        """One rule for each match."""
        action, answer = self._action()
        mirrors = [self._mirror(node, found) for node, found in self._mirrors]
        for match in read_matches(self._manifest.kind, self.node):
            yield Rule(
                node=self.node,
                owner=self._manifest,
                action=action,
                answer=answer,
                matches=(match,),
                backends=tuple(
                    Backend(found.destination, filters.weight(node), filters.read_headers(node["filters"]))
                    for node, found in self._backends
                ),
                mirrors=tuple(m for m in mirrors if not m.why and m.percent > 0),
                rewrite=filters.read_rewrite(self._filters, match),
                headers=filters.read_headers(self._filters),
                left_out=tuple(m for m in mirrors if m.why),
                switched_off=tuple(m for m in mirrors if m.percent <= 0),
            )

    def _action(self) -> tuple[Action, Node]:
        """What is done with a request, and the Node that says so: without a backend that has a weight the answer is 500."""
        redirects = filters.of_type(self._filters, filters.REDIRECT)
        if redirects:
            return "redirect", redirects[-1]["requestRedirect"]
        return "route" if self._backends else "direct-response", self.node["backendRefs"]

    def _mirror(self, node: Node, found: Resolved) -> Mirror:
        share = filters.mirror_share(node, self._manifest)
        return Mirror(found.destination, share, node["backendRef"], self._manifest, found.destination.why)
