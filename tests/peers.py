"""What tests of contracts share: a fleet in which one cluster is known by its contract alone."""

from __future__ import annotations

import json
from typing import Any

from mirrorlint import Fleet
from mirrorlint.contract.export import export
from mirrorlint.fleet import Cluster, Documents
from mirrorlint.loading import Loaded
from mirrorlint.loading.contracts import Contract, digest, read_contract
from mirrorlint.loading.settings import Settings


def contract_of(documents: Documents, cluster: str, path: str = "peer.json") -> Contract:
    return read_contract(export(documents, cluster, "mirrorlint 0.1.0").encode(), path)


def published(documents: Documents, cluster: str) -> Documents:
    """The documents with a cluster as its contract has it."""
    contract = contract_of(documents, cluster)
    found = Cluster(cluster, contract.manifests, contract.settings, published=True)
    others = [spot for spot in documents.blind_spots if spot.cluster != cluster]
    return documents._replace(
        clusters={**documents.clusters, cluster: found},
        faults=tuple(fault for fault in documents.faults if fault.cluster != cluster),
        blind_spots=(*others, *contract.blind_spots),
    )


def without(documents: Documents, cluster: str) -> Documents:
    return documents._replace(clusters={name: each for name, each in documents.clusters.items() if name != cluster})


def fleet(documents: Documents, *contracts: Contract) -> Fleet:
    return Fleet(loaded(documents, *contracts))


def loaded(documents: Documents, *contracts: Contract) -> Loaded:
    return Loaded(documents, Settings(), (), (), contracts)


def written(contract: dict[str, Any]) -> str:
    """A contract's text with the digest that fits."""
    return json.dumps({**contract, "digest": digest(contract)})
