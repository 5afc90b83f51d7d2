"""Streams of YAML that are hard to tell the kinds in: what the sieve is tested with."""

from __future__ import annotations

import random
from unittest import mock

from mirrorlint.fleet import Manifest
from mirrorlint.kinds import WORKLOADS
from mirrorlint.loading import objects
from mirrorlint.loading.objects import Content
from mirrorlint.sieve import Sifted
from mirrorlint.source import lines

# Lines and parts of lines: heads, what hides or spells a kind, what ends documents, lines and scalars.
FRAGMENTS = (
    *("apiVersion: v1\n", "apiVersion: networking.istio.io/v1\n", "apiVersion: apps/v1\n", "apiVersion: null\n", "apiVersion: v1 # c\r\n"),
    *(
        "kind: Service\n",
        "kind: ConfigMap\n",
        "kind: Gateway # c\n",
        "kind: Deployment\n",
        "kind: ServiceList\n",
        "kind: List\n",
        "kind: null\n",
    ),
    *(
        '"kind": Service\n',
        "'kind' : Service\n",
        '"\\x6bind": Service\n',
        '"ki\\\nnd": Service\n',
        "? kind\n: Service\n",
        "!!str kind: Service\n",
    ),
    *("!!binary a2luZA==: Service\n", "!<tag:yaml.org,2002:%62inary> a2luZA==: Service\n", "&k kind: ConfigMap\n", "*k : Service\n"),
    *(
        "&a {kind: Service}\n",
        "<<: *a\n",
        "x: &a\n  kind: Service\n",
        "kind:\n  Service\n",
        "kind: |\n  Service\n",
        "kind: Config\n  List\n",
    ),
    *(
        "kind: ConfigMap\n\n  List\n",
        "kind: ConfigMap\n# c\n",
        "kind:\tService\n",
        "  kind: Service\n",
        "kind: !!str Service\n",
        "kind: &b Service\n",
    ),
    *(
        '{"apiVersion": "v1", "kind": "Service"}\n',
        "{apiVersion: v1, kind: ConfigMap}\n",
        "{\n",
        "}\n",
        "items: [{apiVersion: v1, kind: Service}]\n",
    ),
    *(
        "---\n",
        "--- \n",
        "--- # c\n",
        "---\r\n",
        "...\n",
        "... # c\n",
        "--- |\n",
        "--- >-\n",
        "--- !x\n",
        "--- &d\n",
        '--- "\n',
        "---x\n",
        "---\t\n",
    ),
    *(
        "%YAML 1.1\n",
        "%TAG ! tag:yaml.org,2002:\n",
        "! binary a2luZA==: Service\n",
        "\ufeff",
        "\r",
        "\x85",
        "\u2028",
        "é: ü\n",
        "\x00",
        "{{ x }}\n",
    ),
    *(
        "metadata: {name: a, namespace: b}\n",
        "metadata:\n  name: c\n",
        "data:\n  x: |\n    ---\n    kind: Service\n",
        "data: |+\n  x\n\n\n",
    ),
    *(
        "x: '\n",
        "'\n",
        'x: "\n',
        '"\n',
        "- a\n",
        "-\n",
        "# mirrorlint: ignore[x] y\n",
        "#\n",
        "\n",
        " \n",
        "x: *k\n",
        "x: 1\n",
        "x: 1\n",
        "[\n",
        "]\n",
    ),
    *(
        "metadata: {name: istio}\n",
        'metadata: {"name": "\\x69stio"}\n',
        'metadata: {name: "is\\\n  tio-canary"}\n',
        "metadata: {name: other} # istio\n",
        "metadata: {labels: {argocd.argoproj.io/secret-type: cluster}}\n",
        "spec: {hosts: ['${HOST}']}\n",
        "spec: {hosts: ['ENC[AES256_GCM,data:a]']}\n",
        "sops: {mac: 'ENC[AES256_GCM,data:a]'}\n",
        "  replicas: ENC[AES256_GCM,data:a]\n",
        "        env: ENC[AES256_GCM,data:a]\n",
        "kind: IstioOperator\n",
        "apiVersion: install.istio.io/v1alpha1\n",
    ),
    *("spec:\n  replicas: 1\n  template:\n    metadata:\n      labels:\n        app: a\n    spec:\n      containers: []\n", "spec:\n"),
    *(
        "  template:\n",
        "    metadata:\n",
        "      labels: {app: b}\n",
        "        app: c\n",
        "    spec:\n",
        "      x: 1\n",
        "     y: |\n       z\n",
    ),
    *(
        "  template: {}\n",
        "  x: |\n",
        "  x: '\n",
        "      'a'\n",
        "status: {}\n",
        "  strategy: {}\n",
        "\t\n",
        "~\n",
        "\\x6b",
        "!!",
        "kind",
        "k\n",
        "  egress: []\n",
        '  "\\x65gress": []\n',
        '  x: "eg\\\n    ress"\n',
    ),
)

HEADS = (
    *(
        "apiVersion: v1\nkind: ConfigMap\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio}\n",
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nspec: {policyTypes: [Egress]}\n",
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nspec:\n",
        "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\n",
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\n",
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n",
        "kind: Secret # c\napiVersion: v1\n",
        "# c\n\napiVersion: batch/v1\nkind: CronJob\n",
        "{kind: Job}\n",
    ),
    *(
        "apiVersion: v1\nkind: Service\n",
        "apiVersion: networking.istio.io/v1\nkind: Virtualservice\n",
        "apiVersion: networking.istio.io/v1\nkind: WorkloadGroup\n",
        "kind: HTTPRouts\napiVersion: gateway.networking.k8s.io/v1\n",
        "apiVersion: networking.istio.io/v2\nkind: Sidecar\n",
        "kind: VirtualService\nmetadata: {name: a}\nspec: {}\n",
        "kind: Gateway\napiVersion: networking.istio.io/v1\n",
        "metadata: {}\nkind: Pod\napiVersion: v1\n",
    ),
    *("apiVersion: apps/v1\nkind: Deployment\n", "apiVersion: apps/v1\nkind: StatefulSet\n", "x: &k kind\napiVersion: v1\n", "# c\n", ""),
)
ENDS = ("---\n", "--- # c\n", "---\r\n", "...\n---\n", "...\n", "--- ", "---\n---\n", "---")


def stream(seed: int) -> bytes:
    """Documents that mostly are YAML, with a few lines in each that may belong to another one, or to none."""
    chance = random.Random(seed)  # noqa: S311
    parts = []
    for _ in range(chance.randint(1, 4)):
        lines = [chance.choice(HEADS), *chance.choices(FRAGMENTS, k=chance.choice((0, 0, 1, 1, 2, 4)))]
        if chance.random() < 0.2:
            chance.shuffle(lines)
        parts += [*lines, chance.choice(ENDS)]
    return "".join(parts).encode()


def whole(data: bytes) -> Content:
    """What a file holds when all of it is read, by libyaml."""
    with mock.patch.object(objects, "sift", lambda data: Sifted(data, 0)), mock.patch.object(lines, "documents", return_value=None):
        return objects.content(data, "f")


def disagreement(data: bytes) -> str:
    """How what is read of a sifted file differs in what matters from what is read of the whole one; "" for not at all."""
    sifted, full = objects.content(data, "f"), whole(data)
    refused = {b for b in full.unclear if b not in sifted.unclear}
    for name in ("manifests", "tells", "waiting"):
        if [_identity(m) for m in getattr(sifted, name)] != [_identity(m) for m in getattr(full, name)]:
            return f"other objects among the {name}"
    if sifted.faults != full.faults and b"apps/v1" not in data:
        return "other faults"
    if not refused and sifted.faults == full.faults and sifted.objects != full.objects:
        return f"{sifted.objects} objects instead of {full.objects}"
    return "" if set(sifted.unclear) <= set(full.unclear) else "more that is unclear"


def _identity(manifest: Manifest) -> tuple[object, ...]:
    node = manifest.node
    labels = node["spec"]["template"]["metadata"]["labels"].plain()
    rest = node["spec"]["replicas"].raw[0] if manifest.kind in WORKLOADS else node.raw
    return (manifest.kind, manifest.group, manifest.namespace, manifest.name, node.raw[2:4], repr(labels), repr(rest))
