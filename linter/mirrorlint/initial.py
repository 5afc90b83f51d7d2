"""A first `.mirrorlint.yaml`: what was found, and as comments what a person may want to say."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from mirrorlint.delivery.reason import UNKNOWN
from mirrorlint.delivery.way import Way
from mirrorlint.fleet import Documents
from mirrorlint.istio.names import is_ip
from mirrorlint.loading.clusters import Group
from mirrorlint.source.scalars import plain

_PLAIN = re.compile(r"[A-Za-z_][\w./-]*")
_HEAD = """# Settings of mirrorlint: all of them are optional, and a comment shows what could be said.
clusters:
"""
_CLUSTER = """    # istio: "1.27"    # the control plane's version: up to 1.27 a shadow's Host ends in `-shadow`; without it both are judged
    # mesh: {{outboundTrafficPolicy: {{mode: REGISTRY_ONLY}}}}    # meshConfig, as Istio spells it
    # complete: false    # objects of {name} live elsewhere as well: what is missing here is a warning
"""
_PEER = """  # other:
  #   path: ../other-repository    # a cluster of another repository that is checked out; `contract: FILE` for one that is not
"""


def render(root: str, groups: Iterable[Group], documents: Documents, ways: Sequence[Way], informing: Mapping[str, str]) -> str:
    """The text of a settings file at `root`, an absolute path.

    `ways` are those of all mirrors' shadows, `informing` the rules that are off unless asked for, with what they find.
    """
    clusters = "".join("".join(_cluster(root, group, documents, ways)) for group in groups)
    rules = "".join(f"#   {name}: warning    # {finds}\n" for name, finds in informing.items())
    return f"{_HEAD}{clusters}{_PEER}# rules:    # off, warning or error; these only inform and are off\n{rules}"


def _cluster(root: str, group: Group, documents: Documents, ways: Iterable[Way]) -> Iterator[str]:
    """What settings may say of a cluster; its paths only where no objects of GitOps tell them, which change with the applications."""
    yield f"  {_quoted(group.name)}:    # {group.why}\n"
    if group.folders is None:
        yield f"    paths: [{', '.join(_quoted(os.path.relpath(path, root).replace(os.sep, '/')) for path in group.paths)}]\n"
    said = documents.clusters[group.name].settings.ingress.addresses
    if said:
        yield f"    ingress: [{', '.join(map(_quoted, said))}]\n"
    else:
        yield from _ingress(group.name, documents, ways)
    yield _CLUSTER.format(name=group.name)


def _ingress(cluster: str, documents: Documents, ways: Iterable[Way]) -> Iterator[str]:
    """What mirrors of other clusters lead here by, as far as that is known or taken for granted, or may lead here by."""
    ends = [end for way in ways for end in way.ends if end.address and way.call.cluster != cluster]
    own = [end for end in ends if end.cluster == cluster]
    reasons = {
        "found in the manifests": [end for end in own if not end.assumed],
        "taken for granted, since nothing says whose it is": [end for end in own if end.assumed],
        f"mirrors lead there, and nothing says whether it is that of {cluster}": [
            end for end in ends if end.reason == UNKNOWN and documents.clusters[cluster].of("Gateway")
        ],
    }
    for why, those in reasons.items():
        found = dict.fromkeys(_quoted(end.address.host) for end in those if end.address)
        if found:
            yield f"    # ingress: [{', '.join(found)}]    # where its ingress gateway is reached; {why}\n"


def _quoted(text: str) -> str:
    """A string as YAML takes it for one."""
    bare = (_PLAIN.fullmatch(text) and plain(text) == text) or (is_ip(text) and ":" not in text)
    return text if bare else json.dumps(text)
