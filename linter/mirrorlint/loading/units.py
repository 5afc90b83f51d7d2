"""What GitOps objects apply to clusters: sources, in one form for Argo CD and Flux."""

from __future__ import annotations

from typing import NamedTuple

from mirrorlint.source import Node

FOLDER, ARGO, FLUX, HELM = "folder", "argo", "flux", "helm"


class Gap(NamedTuple):
    """What was asked for and is not read: where and why; those of one cluster that are alike (not "") are told as one."""

    node: Node
    message: str
    alike: str = ""


class Values(NamedTuple):
    """What a chart is rendered with: the release, files in order, and texts (each with the node that has it) that go over them."""

    release: str = ""
    files: tuple[str, ...] = ()
    texts: tuple[tuple[str, Node], ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()


class Source(NamedTuple):
    """A folder, and how what is in it becomes objects of a cluster; `path` is absolute.

    `how`: `folder` takes all that is below; `argo` and `flux` do as those would; `helm` renders a chart. `namespace` is where objects
    without one go, `variables` are filled in after a build, `options` are fields of a kustomization put over the folder's own, as JSON.
    """

    path: str
    how: str = FOLDER
    owner: Node | None = None
    namespace: str = ""
    recurse: bool = False
    include: str = ""
    exclude: str = ""
    variables: tuple[tuple[str, str], ...] = ()
    substituted: bool = False
    options: str = ""
    values: Values = Values()


class Unit(NamedTuple):
    """What a GitOps object applies: its node and the file that has it, the cluster it names ("": the one that holds it), sources, gaps."""

    node: Node
    name: str
    file: str
    cluster: str
    sources: tuple[Source, ...]
    gaps: tuple[Gap, ...] = ()
