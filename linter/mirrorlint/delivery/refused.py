"""What admission says of a cluster's objects: which are refused, by some versions of Istio alone, and which fields are dropped."""

from __future__ import annotations

from functools import cached_property

from mirrorlint.delivery.worlds import number_of
from mirrorlint.fleet import Cluster, Manifest
from mirrorlint.istio.admission import KINDS, Refusal, judged


class Admission:
    """The answers of Istio's webhook and of the API server, which are asked when they are first needed."""

    def __init__(self, cluster: Cluster, let_in: frozenset[Manifest]) -> None:
        """`let_in` are let through whatever is found."""
        self._cluster, self._let_in = cluster, let_in

    @cached_property
    def _judged(self) -> list[tuple[Manifest, tuple[Refusal, ...]]]:
        """The objects that admission says something of; it has seen those of a contract."""
        if self._cluster.published:
            return []
        asked = (m for group, kind in KINDS for m in self._cluster.of(kind, group) if not m.faultless)
        every = ((m, tuple(judged(m.node, m.namespace))) for m in asked)
        return [(manifest, said) for manifest, said in every if said]

    @cached_property
    def refused(self) -> dict[Manifest, tuple[Refusal, ...]]:
        """The objects that Istio's admission or a CRD refuses, with the reasons; the control plane never sees them."""
        reasons = ((manifest, tuple(one for one in said if not one.pruned and self._is_refused(one))) for manifest, said in self._judged)
        return {manifest: why for manifest, why in reasons if why and manifest not in self._let_in}

    def _is_refused(self, refusal: Refusal) -> bool:
        istio = self._cluster.settings.istio
        return not refusal.since or (bool(istio) and number_of(istio) >= number_of(refusal.since))

    @property
    def undecided(self) -> list[tuple[Manifest, Refusal]]:
        """What only some versions of Istio refuse, where nothing tells which one the cluster runs."""
        if self._cluster.settings.istio:
            return []
        return [(manifest, one) for manifest, said in self._judged for one in said if one.since and manifest not in self.refused]

    @property
    def pruned(self) -> list[tuple[Manifest, Refusal]]:
        """The misspelt fields that the API server drops, with their objects."""
        return [(manifest, one) for manifest, said in self._judged for one in said if one.pruned]
