"""Objects of which operators make others that are not read: Flux Operator's ResourceSet, and the App of kapp-controller.

Sources: fluxoperator.dev (ResourceSet API reference), carvel.dev (kapp-controller, App CR spec).
"""

from __future__ import annotations

from mirrorlint.fleet import Manifest
from mirrorlint.kinds import GATEWAY_API, MATTERS, NETWORKING, TELLS
from mirrorlint.loading.units import Gap
from mirrorlint.source import Node

RESOURCE_SET, APP = "ResourceSet", "App"
_MARKS = (NETWORKING, GATEWAY_API, *TELLS)


def gap(manifest: Manifest) -> Gap | None:
    """What is not read of such an object; None where what it makes can't matter."""
    node, spec = manifest.node, manifest.node["spec"]
    if manifest.kind == APP:
        return Gap(node, f"{manifest}: what kapp-controller fetches for it is not read", APP)
    brought = next((each for each in spec["resources"] if _matters(each)), None)
    template = spec["resourcesTemplate"]
    if brought is None and any(mark in template.text for mark in _MARKS):
        brought = template
    return None if brought is None else Gap(brought, f"{manifest}: what Flux Operator makes of it is not read", RESOURCE_SET)


def _matters(resource: Node) -> bool:
    """Whether a resource is of a kind that matters, or brings others."""
    group = resource["apiVersion"].text.rpartition("/")[0]
    return any(resource["kind"].text in kinds.get(group, ()) for kinds in (MATTERS, TELLS))
