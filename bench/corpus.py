"""Writes a repository of two clusters with so many documents; the same number gives the same bytes. Every mirror in it arrives.

    corpus.py DOCUMENTS FOLDER

Of 100 documents about 6 are Istio's. Teams have a namespace with an entry point, their applications a folder with a file for each concern.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

NAMES = (
    "basket",
    "billing",
    "courier",
    "depot",
    "fleet",
    "gift",
    "hotel",
    "ivory",
    "jacket",
    "kiosk",
    "lobby",
    "market",
    "office",
    "parcel",
)
Chance = random.Random


def head(version: str, kind: str, name: str, namespace: str) -> str:
    """What every document opens with."""
    return f"apiVersion: {version}\nkind: {kind}\nmetadata:\n  name: {name}\n  namespace: {namespace}\n"


def served(chance: Chance, app: str, team: str) -> str:
    """The container that serves."""
    variables = "".join(
        f'        - name: SETTING_{n}\n          value: "{chance.randrange(10**6)}"\n' for n in range(chance.randint(4, 14))
    )
    return f"""      - name: {app}
        image: registry.example.org/{team}/{app}:{chance.randint(1, 9)}.{chance.randint(0, 50)}  # set by the pipeline
        ports:
        - containerPort: 8080
          name: web
        env:
{variables}        readinessProbe:
          httpGet: {{path: /healthz, port: web}}
        livenessProbe:
          httpGet:
            path: /alive
            port: web
          periodSeconds: {chance.randint(5, 30)}
        resources:
          requests:
            cpu: {chance.randint(1, 9)}00m
            memory: {chance.randint(1, 9)}00Mi
          limits:
            memory: {chance.randint(10, 19)}00Mi
        volumeMounts:
        - name: settings
          mountPath: /etc/settings
"""


def deployment(chance: Chance, app: str, team: str) -> str:
    """A workload with one container or two."""
    container = served(chance, app, team)
    return f"""{head("apps/v1", "Deployment", app, team)}  labels:
    app.kubernetes.io/name: {app}
    app.kubernetes.io/part-of: {team}
spec:
  replicas: {chance.randint(1, 9)}
  selector:
    matchLabels:
      app: {app}
  strategy:
    rollingUpdate:
      maxUnavailable: 0
  template:
    metadata:
      labels:
        app: {app}
        version: v{chance.randint(1, 3)}
    spec:
      serviceAccountName: {app}
      containers:
{container * chance.randint(1, 2)}      volumes:
      - name: settings
        configMap:
          name: {app}
"""


def service(_chance: Chance, app: str, team: str) -> str:
    """A Service with one port."""
    ports = "  ports:\n  - name: http\n    port: 80\n    targetPort: web\n"
    return f"{head('v1', 'Service', app, team)}spec:\n  selector:\n    app: {app}\n{ports}"


def account(chance: Chance, app: str, team: str) -> str:
    """A ServiceAccount with a role."""
    return f'{head("v1", "ServiceAccount", app, team)}  annotations:\n    roles.example.org/number: "{chance.randrange(10**12)}"\n'


def settings(chance: Chance, app: str, team: str) -> str:
    """A ConfigMap: values, and now and then a whole file, some of them YAML with documents of its own."""
    lines = "".join(f'  SETTING_{n}: "{chance.randrange(10**6)}"\n' for n in range(chance.randint(3, 12)))
    form = chance.randrange(4)
    if form == 0:
        lines += "  app.properties: |\n" + "".join(
            f"    {chance.choice(NAMES)}.{n} = {chance.random()}\n" for n in range(chance.randint(10, 60))
        )
    if form == 1:
        rules = "".join(f"    - alert: {chance.choice(NAMES)}{n}\n      expr: rate(errors[5m]) > {chance.random():.2f}\n" for n in range(9))
        lines += f"  rules.yaml: |\n    groups:\n{rules}    ---\n    kind: Other\n"
    return f"{head('v1', 'ConfigMap', app, team)}data:\n{lines}"


def scaler(chance: Chance, app: str, team: str) -> str:
    """A HorizontalPodAutoscaler, which names a kind that matters."""
    target = f"  scaleTargetRef:\n    apiVersion: apps/v1\n    kind: Deployment\n    name: {app}\n"
    bounds = f"  minReplicas: {chance.randint(1, 3)}\n  maxReplicas: {chance.randint(4, 30)}\n"
    return f"{head('autoscaling/v2', 'HorizontalPodAutoscaler', app, team)}spec:\n{target}{bounds}"


def budget(chance: Chance, app: str, team: str) -> str:
    """A PodDisruptionBudget."""
    selector = f"  selector:\n    matchLabels:\n      app: {app}\n"
    return f"{head('policy/v1', 'PodDisruptionBudget', app, team)}spec:\n  maxUnavailable: {chance.randint(1, 3)}\n{selector}"


def job(chance: Chance, app: str, team: str) -> str:
    """A CronJob."""
    image = f"registry.example.org/{team}/{app}:job"
    pod = f"          restartPolicy: Never\n          containers:\n          - name: job\n            image: {image}\n"
    schedule = f'  schedule: "{chance.randrange(60)} {chance.randrange(24)} * * *"\n'
    template = "  jobTemplate:\n    spec:\n      template:\n        spec:\n"
    return f"{head('batch/v1', 'CronJob', app, team)}spec:\n{schedule}{template}{pod}"


def route(_chance: Chance, app: str, team: str, side: str) -> str:
    """A VirtualService at the entry point; in the source it mirrors to the target's."""
    host = f"{app}.{team}.shop.example.org"
    hosts = f"  - {host}\n" + (f"  - {host}-shadow\n" if side == "stage" else "")
    mirror = f"    mirror:\n      host: ingress.{team}.stage.example.org\n      port:\n        number: 80\n" if side == "prod" else ""
    backend = f"    - destination:\n        host: {app}.{team}.svc.cluster.local\n        port:\n          number: 80\n"
    virtual = head("networking.istio.io/v1", "VirtualService", app, team)
    return f"{virtual}spec:\n  hosts:\n{hosts}  gateways:\n  - entry\n  http:\n  - route:\n{backend}{mirror}    timeout: 9s\n"


def entry(team: str, side: str) -> list[str]:
    """A team's Gateway, and in the source the ServiceEntry of the target's."""
    hosts = f'    - "*.{team}.shop.example.org"\n' + (f'    - "*.{team}.shop.example.org-shadow"\n' if side == "stage" else "")
    server = f"  servers:\n  - port:\n      number: 80\n      name: http\n      protocol: HTTP\n    hosts:\n{hosts}"
    gateway = f"{head('networking.istio.io/v1', 'Gateway', 'entry', team)}spec:\n  selector:\n    istio: ingressgateway\n{server}"
    if side == "stage":
        return [gateway]
    spec = f"spec:\n  hosts:\n  - ingress.{team}.stage.example.org\n  location: MESH_EXTERNAL\n  resolution: DNS\n"
    ports = "  ports:\n  - number: 80\n    name: http\n    protocol: HTTP\n"
    return [gateway, f"{head('networking.istio.io/v1', 'ServiceEntry', 'target', team)}{spec}{ports}"]


CONCERNS: dict[str, tuple[Callable[[Chance, str, str], str], ...]] = {
    "app": (deployment, service, account),
    "settings": (settings, settings),
    "scaling": (scaler, budget),
}


def files(side: str) -> Iterator[tuple[str, list[str]]]:
    """The files of a cluster without end; both clusters have the same applications."""
    number = 0
    while True:
        shape, values = Chance(number), Chance(f"{side} {number}")
        team = f"{shape.choice(NAMES)}-{number}"
        yield f"clusters/{side}/{team}/entry.yaml", entry(team, side)
        for app in (f"{shape.choice(NAMES)}-{n}" for n in range(10)):
            for name, makers in CONCERNS.items():
                yield f"clusters/{side}/{team}/{app}/{name}.yaml", [maker(values, app, team) for maker in makers]
            if shape.random() < 0.4:
                yield f"clusters/{side}/{team}/{app}/job.yaml", [job(values, app, team)]
            if shape.random() < 0.35:
                yield f"clusters/{side}/{team}/{app}/traffic.yaml", [route(values, app, team, side)]
        number += 1


def write(count: int, folder: Path) -> None:
    """Write so many documents, half of them for each cluster."""
    for side in ("prod", "stage"):
        left = count // 2
        for path, documents in files(side):
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("---\n".join(documents[:left]), encoding="utf-8")
            left -= len(documents)
            if left <= 0:
                break


if __name__ == "__main__":
    write(int(sys.argv[1]), Path(sys.argv[2]))
