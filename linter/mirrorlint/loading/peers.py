"""The contracts of peers: those that arguments or settings name, and those in the repository's `.mirrorlint/peers/`."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from mirrorlint import git
from mirrorlint.fleet import NOTHING, BlindSpot
from mirrorlint.loading import files
from mirrorlint.loading.clusters import Assignment
from mirrorlint.loading.files import Unread
from mirrorlint.loading.paths import CONTRACTS, is_contract, upwards
from mirrorlint.loading.settings import ClusterSection

if TYPE_CHECKING:
    from mirrorlint.loading.contracts import Contract
    from mirrorlint.loading.index import Index

NAMED = "`clusters:` in .mirrorlint.yaml names them"
_OLD = 90  # days
_UNSTAGED = "not staged"
_BEGINS = re.compile(rb'\s*\{\s*"(contract|accepts)"\s*:')  # as `contract export` writes it, or with sorted keys
_HEAD = 256


def holds_contract(path: str) -> bool:
    """Whether a file is a contract by its place, or by how it begins: no object of Kubernetes does so."""
    if is_contract(path):
        return True
    try:
        with open(path, "rb") as file:
            return path.endswith(".json") and _BEGINS.match(file.read(_HEAD)) is not None
    except OSError:
        return False


def with_contracts(sections: Mapping[str, ClusterSection]) -> Mapping[str, ClusterSection]:
    """What settings say of the clusters; a peer whose `path` is a contract is read from that."""
    return {
        name: section._replace(peer="", contract=section.peer) if holds_contract(section.peer) else section
        for name, section in sections.items()
    }


class Peers:
    """The contracts of a run; a cluster whose manifests are at hand needs none.

    `probes` are the absolute paths that they depend on, `staged` is what those hold that are read from the index.
    """

    def __init__(self, root: str, arguments: Iterable[str], named: Mapping[str, str], known: Collection[str], index: Index | None) -> None:
        """`root` is what was asked for, or `arguments` are the paths of clusters that were.

        `named` are the contracts that settings name for the one, or arguments beside the others, `known` the clusters that are here, and
        `index` has the files of its repository.
        """
        self.staged: dict[str, bytes] = {}
        self._index = index
        self.probes: set[str] = set()
        self.contracts: tuple[Contract, ...] = ()
        self.blind_spots: list[BlindSpot] = []
        self.assignments: list[Assignment] = []
        self._top = files.repository(root) if root else ""
        for name, path in named.items():
            self._add(path, name, f"a contract named {'in the settings' if root else 'as an argument'}")
        for path in self._found(root) if root else ():
            self._add(path, "", f"a contract in `{CONTRACTS}/`", known)
        self.blind_spots += self._namesakes(known)
        for path in dict.fromkeys(path for start in arguments for path in self._found(start)):
            self.assignments.append(Assignment(files.shown(path), (), "not used: the clusters are named as arguments"))

    def _found(self, start: str) -> list[str]:
        """The files of the nearest folder for contracts, from a path up to its repository's root; not those that are named."""
        top = files.repository(start)
        for above in upwards(start):
            folder = os.path.join(above, *CONTRACTS.split("/"))
            self.probes.add(folder)
            if os.path.isdir(folder):
                files_there = (os.path.join(folder, name) for name in sorted(os.listdir(folder)))
                return [path for path in files_there if is_contract(path) and path not in self.probes]
            if above == top:
                break
        return []

    def _add(self, path: str, name: str, why: str, known: Collection[str] = ()) -> None:
        from mirrorlint.loading.contracts import read_contract

        self.probes.add(path)
        data = self._read(path)
        if isinstance(data, Unread) and data.reason == _UNSTAGED and not name:
            return
        if isinstance(data, Unread):
            said = f"the contract of `{name}` can't be read, so what it accepts is not known" if name else data.message
            self.blind_spots.append(BlindSpot(said, files.shown(path), 0, name))
            return
        contract = read_contract(data, files.shown(path), name)
        if contract.cluster in {*known, *(other.cluster for other in self.contracts)}:
            why = f"not used: the cluster `{contract.cluster}` is known without it"
            contract = contract._replace(usable=False)
        else:
            self.blind_spots += [*contract.blind_spots, *self._old(contract)]
        self.contracts += (contract,)
        self.assignments.append(Assignment(contract.path, (contract.cluster,) if contract.usable else (), why))

    def _namesakes(self, known: Collection[str]) -> Iterator[BlindSpot]:
        """The contracts that are not used for their names, where no other cluster is at hand: whose they are may be another one."""
        if len(known) == 1 and not any(contract.usable for contract in self.contracts):
            for contract in (each for each in self.contracts if each.cluster in known):
                message = f"this contract is not used, since the cluster here is called `{contract.cluster}` as well: {NAMED}"
                yield BlindSpot(message, contract.path, 0, "", NOTHING)

    def _read(self, path: str) -> bytes | Unread:
        """What a file holds, in the index's repository what is staged of it."""
        index = files.index_of(path, self._index)
        if index is None:
            return files.read(path)
        staged = index.read(path)
        if staged is None:
            return Unread(path, f"this contract is {_UNSTAGED}", _UNSTAGED)
        self.staged[path] = staged
        return staged

    def _old(self, contract: Contract) -> Iterator[BlindSpot]:
        """A blind spot for a contract that is much older than what is checked out here."""
        from mirrorlint.loading.contracts import time_of

        written = time_of(contract.time.text)
        if not self._top or not written:
            return
        self.probes.add(os.path.join(self._top, ".git", "logs", "HEAD"))
        head = git.head(self._top)
        here = time_of(head[1]) if head else None
        if here and (here - written).days > _OLD:
            since = f"{(here - written).days} days older than the last commit here, so {contract.cluster} may accept something else by now"
            yield BlindSpot.at(contract.time.place, f"this contract is {since}", contract.cluster, NOTHING)
