"""Plays two repositories that can't see each other, from a commit to Argo CD, with the real programs: story.py [--cmp-server PATH].

The input is `story/`. Needed are Git, pre-commit and a package index (it installs the hook of this repository's last commit), kubectl or
kustomize, and helm (scripts/renderers.py). PATH, or MIRRORLINT_CMP_SERVER, is an argocd-cmp-server; else the tests' stand-in plays it.
Ends with 1 at the first step that is not as expected.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn, Self

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from cmp import Real, StandIn, SyncError
from repositories import IDENTITY, edit

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
PEERS = ".mirrorlint/peers"
MIRRORING = "apps/orders/mirroring.yaml"
ROUTES = "mesh/orders.yaml"
HELM = ("helm", "template", "payments", ".", "--include-crds", "--namespace", "shop")
HOOK = """\
repos:
  - repo: {root}
    rev: {rev}
    hooks:
      - id: mirrorlint
"""
RENDERER = """\
apiVersion: argoproj.io/v1alpha1
kind: ConfigManagementPlugin
metadata: {{name: mirrorlint}}
spec:
  generate:
    command: {command}
"""


def fail(said: str) -> NoReturn:
    """End the story: something is not as expected."""
    sys.exit(f"NOT AS EXPECTED: {said}")


def expect(truth: object, said: str) -> None:
    """Go on if it is so."""
    if not truth:
        fail(said)
    print(f"  ok: {said}", flush=True)


def title(said: str) -> None:
    """Begin a chapter."""
    print(f"\n=== {said}", flush=True)


class Repository:
    """A Git repository with a part of the input; what is typed in it is shown with what comes of it."""

    def __init__(self, folder: Path, name: str) -> None:
        """Make it in a folder."""
        self.name = name
        self.root = Path(shutil.copytree(ROOT / "bench" / "story" / name, folder / name))
        self.types("git init --quiet --initial-branch=main", 0)

    def types(self, line: str, code: int) -> str:
        """Run a command line, which must end with a code, and return what it says."""
        print(f"\n{self.name}$ {line}", flush=True)
        words = shlex.split(line)
        words[1:1] = IDENTITY if words[0] == "git" else ()
        done = subprocess.run(words, cwd=self.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        print("".join(f"  | {each}\n" for each in done.stdout.splitlines()), end="")
        if done.returncode != code:
            fail(f"it ends with {done.returncode}, not {code}")
        if code:
            print(f"  (exit code {code})")
        return done.stdout

    def commits(self, said: str, code: int = 0, *, hooks: bool = True) -> str:
        """Stage everything and commit it."""
        self.types("git add .", 0)
        return self.types(f"git commit --quiet -m {shlex.quote(said)}{'' if hooks else ' --no-verify'}", code)

    def edits(self, file: str, old: str, new: str) -> None:
        """Change a file."""
        print(f"\n{self.name}: in {file} `{old}` becomes `{new}`")
        edit(self.root / file, old, new)

    def line(self, file: str, text: str) -> int:
        """The number of the first line of a file that has a text."""
        lines = (self.root / file).read_text(encoding="utf-8").splitlines()
        return next(number for number, line in enumerate(lines, 1) if text in line)


def contracts(prod: Repository, stage: Repository) -> None:
    """Each publishes its contract, and commits the other's."""
    title("contracts: stage says what it accepts, prod what it sends")
    for repository in (prod, stage):
        repository.commits("what is there")
        (repository.root / PEERS).mkdir(parents=True)
    for repository, peer in ((stage, prod), (prod, stage)):
        repository.types(f"mirrorlint contract export --output ../{peer.name}/{PEERS}/{repository.name}.json", 0)
        peer.commits(f"the contract of {repository.name}")
    said = prod.types("mirrorlint --verbose", 0)
    expect("1 mirror arrives" in said, "with stage's contract alone prod knows that its mirror arrives")
    expect("1 mirror arrives" in stage.types("mirrorlint contract verify", 0), "stage keeps what prod expects")


def commit(prod: Repository, stage: Repository) -> None:
    """Prod's hook stops a commit that loses shadows at stage, and lets a sound one through."""
    title("a commit in prod: the real pre-commit, with the hook of this repository")
    rev = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    (prod.root / ".pre-commit-config.yaml").write_text(HOOK.format(root=ROOT, rev=rev), encoding="utf-8")
    prod.types("pre-commit install", 0)
    prod.commits("judge each commit")
    prod.edits(MIRRORING, "/v2/", "/v3/")
    said = prod.commits("mirror version 3", 1)
    expect("error[shadow-matches-no-route]" in said, "the commit is stopped: stage has no rule for /v3/")
    expect(f"stage://{ROUTES}:{stage.line(ROUTES, 'authority')}" in said, "it names the rule of stage, which takes /v2/ alone")
    expect(f"{MIRRORING}:{prod.line(MIRRORING, 'host: shadows')}" in said, "it names the mirror in prod")
    prod.edits(MIRRORING, "/v3/", "/v2/")
    prod.edits(MIRRORING, "value: 25", "value: 50")
    prod.commits("mirror half of it")
    expect("mirror half of it" in prod.types("git log -1 --oneline", 0), "the sound change is committed")


def peer(prod: Repository, stage: Repository) -> None:
    """A change in stage that would break prod fails in stage's own CI."""
    title("a change in stage that prod would not survive")
    stage.edits(ROUTES, "{prefix: orders}", "{exact: orders.shop.svc.cluster.local}")
    said = stage.types("mirrorlint contract verify", 1)
    expect("`orders.shop.svc.cluster.local-shadow`" in said, "it names the Host that comes with Istio 1.27")
    expect(f"{ROUTES}:{stage.line(ROUTES, 'exact')}" in said, "it names the rule that was changed")
    expect(f"prod://{MIRRORING}:{prod.line(MIRRORING, 'host: shadows')}" in said, "it names the line of prod's mirror")
    stage.edits(ROUTES, "{exact: orders.shop.svc.cluster.local}", '{regex: "orders[.].*"}')
    said = stage.types("mirrorlint contract verify", 1)
    expect("lost for 2 of 8 Hosts" in said, "the short name, by which pods call in orders' own namespace, is still missed")
    stage.edits(ROUTES, "orders[.].*", "orders.*")
    stage.types("mirrorlint contract verify", 0)
    stage.commits("take every name of orders")


def sync(prod: Repository, stage: Repository, server: str, folder: Path) -> None:
    """Argo CD refuses what was committed past the hook, and gets a sound state as the renderer has it."""
    title(f"Argo CD syncs prod: the plugin under {server or 'the stand-in of tests/cmp.py, since no argocd-cmp-server was named'}")
    prod.edits(MIRRORING, "/v2/", "/v3/")
    prod.commits("mirror version 3, in a hurry", hooks=False)
    with Sidecar(server, folder / "p", ROOT / "argocd" / "plugin.yaml") as plugin:
        said = plugin.refuses(prod, "apps/orders")
        expect("error[shadow-matches-no-route]" in said, "the sync of orders is stopped with the reason")
        mirror = prod.line(MIRRORING, "host: shadows")
        expect(f"stage://{ROUTES}:" in said and f"{MIRRORING}:{mirror}" in said, "both ends are named, where they are written")
        is_as_rendered(prod, "apps/payments", plugin, folder / "h", HELM)
        prod.types("git revert --no-edit HEAD", 0)
        kustomize = ["kustomize", "build", "."] if shutil.which("kustomize") else ["kubectl", "kustomize", "."]
        is_as_rendered(prod, "apps/orders", plugin, folder / "k", kustomize)
        title("Argo CD syncs stage")
        stage.edits(ROUTES, "orders.*", "nobody.*")
        expect(f"prod://{MIRRORING}:{mirror}" in plugin.refuses(stage, "mesh"), "what prod expects by its contract stops the sync of stage")
        stage.types("git checkout --quiet .", 0)
        kinds = [each["kind"] for each in plugin.renders(stage, "mesh")]
        expect(kinds == ["Gateway", "VirtualService"], "the sound state is synced")


def is_as_rendered(repository: Repository, app: str, plugin: Sidecar, folder: Path, command: Sequence[str]) -> None:
    """An application is what its renderer prints alone: the plugin's bytes, and what Argo CD makes of them."""

    def printed(words: Sequence[str]) -> bytes:
        around = {**os.environ, **about(app)}
        return subprocess.run(words, cwd=repository.root / app, env=around, capture_output=True, check=True).stdout

    alone = printed(command)
    same = printed(["mirrorlint", "argocd", "generate"]) == alone
    expect(same, f"{app} is synced: the plugin prints the {len(alone)} bytes that `{shlex.join(command)}` prints")
    spec = folder.with_suffix(".yaml")
    spec.write_text(RENDERER.format(command=list(command)), encoding="utf-8")
    with Sidecar(plugin.server, folder, spec) as renderer:
        found = renderer.renders(repository, app)
    kinds = ", ".join(each["kind"] for each in found)
    expect(plugin.renders(repository, app) == found, f"{app}: Argo CD gets what it gets of the renderer alone ({kinds})")


def about(app: str) -> Mapping[str, str]:
    """What Argo CD says of an application."""
    said = {"NAME": Path(app).name, "NAMESPACE": "shop", "SOURCE_PATH": app, "PARAMETERS": "null"}
    return {f"ARGOCD_APP_{name}": value for name, value in said.items()}


class Sidecar:
    """A plugin server with a plugin."""

    def __init__(self, server: str, folder: Path, plugin: Path) -> None:
        """Start the server, "" for the stand-in, with a folder of its own."""
        folder.mkdir()
        self.server = server
        around = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        self._server = Real(server, plugin, folder, around) if server else StandIn(plugin, folder, around)

    def __enter__(self) -> Self:
        """Give it to a `with`."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the server."""
        if isinstance(self._server, Real):
            self._server.close()

    def renders(self, repository: Repository, app: str) -> list[dict[str, Any]]:
        """The manifests that Argo CD gets."""
        try:
            return self._server.generate(repository.root, app, about(app), deadline=60)
        except SyncError as error:
            fail(f"{app} is not rendered: {error}")

    def refuses(self, repository: Repository, app: str) -> str:
        """What Argo CD shows."""
        try:
            self._server.generate(repository.root, app, about(app), deadline=60)
        except SyncError as error:
            print("\nArgo CD shows:\n" + "".join(f"  | {line}\n" for line in str(error).splitlines()), end="")
            return str(error)
        fail(f"{app} is rendered")


def main(arguments: Sequence[str]) -> None:
    """Play it all in a temporary folder, whose path is short: a socket's must be."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cmp-server", default=os.environ.get("MIRRORLINT_CMP_SERVER", ""), metavar="PATH")
    server = parser.parse_args(arguments).cmp_server
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="story") as temporary:
        folder = Path(temporary)
        os.environ |= {"PATH": f"{BIN}:{os.environ['PATH']}", "XDG_CACHE_HOME": f"{folder}/cache", "PRE_COMMIT_HOME": f"{folder}/hooks"}
        prod, stage = Repository(folder, "prod"), Repository(folder, "stage")
        for chapter in (contracts, commit, peer):
            chapter(prod, stage)
        sync(prod, stage, server, folder)
    print("\nThe story went as expected.")


if __name__ == "__main__":
    main(sys.argv[1:])
