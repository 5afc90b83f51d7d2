"""The commands of the Argo CD plugin."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from mirrorlint.argocd import AUTO, ENFORCE, FAILURES, MODES, OPEN, WAYS
from mirrorlint.cli.shared import checked_version, here

_DAY = 86400

_MODE = click.option("--mode", type=click.Choice(MODES), default=ENFORCE, envvar="MIRRORLINT_MODE", help="Whether errors stop the sync.")
_FAILURE = click.option(
    "--on-failure", type=click.Choice(FAILURES), default=OPEN, envvar="MIRRORLINT_ON_FAILURE", help="Whether it goes on unjudged."
)
_CLUSTER = click.option("--cluster", default="", metavar="NAME", envvar="MIRRORLINT_CLUSTER", help="Cluster that the application is for.")


def _peers(_context: click.Context, _parameter: click.Parameter, said: Sequence[str]) -> dict[str, str]:
    """The paths of peers by their names."""
    for peer in said:
        if not all(peer.partition("=")):
            raise click.BadParameter(f"`{peer}` is not NAME=PATH")
    return dict(peer.partition("=")[::2] for peer in said)


def _seconds(_context: click.Context, _parameter: click.Parameter, said: float) -> float:
    """A number of seconds that can be waited for."""
    if not 0 < said <= _DAY:
        raise click.BadParameter(f"{said:g} is not a number of seconds above 0 and up to {_DAY}")
    return said


_PEERS = click.option(
    "--peer",
    "peers",
    multiple=True,
    metavar="NAME=PATH",
    envvar="MIRRORLINT_PEERS",
    callback=_peers,
    help="Another cluster, by its folder or contract; repeatable.",
)
_ISTIO = click.option(
    "--istio",
    default="",
    metavar="VERSION",
    envvar="MIRRORLINT_ISTIO",
    callback=checked_version,
    help="Version of the source's control plane.",
)


@click.group(short_help="The config management plugin of Argo CD.")
def argocd() -> None:
    """The config management plugin of Argo CD: docs/argocd.md says how to install it."""


@argocd.command(short_help="Print an application's manifests, unless shadows are lost.")
@click.option(
    "--render",
    type=click.Choice(WAYS),
    default=AUTO,
    envvar="MIRRORLINT_RENDER",
    help="How manifests are made of the folder.",
)
@click.option("--render-cmd", "command", default="", metavar="COMMAND", envvar="MIRRORLINT_RENDER_CMD", help="A command that prints them.")
@_MODE
@_FAILURE
@click.option(
    "--timeout",
    "seconds",
    type=float,
    default=45.0,
    callback=_seconds,
    metavar="SECONDS",
    envvar="MIRRORLINT_TIMEOUT",
    help="For rendering and judging.",
)
@_CLUSTER
@_PEERS
@_ISTIO
def generate(render: str, command: str, mode: str, on_failure: str, seconds: float, **judge: Any) -> None:
    """Print the manifests of the application in the working directory, unless it loses shadows (exit 1)."""
    from mirrorlint.argocd.parameters import Policy
    from mirrorlint.argocd.plugin import Options, generate

    words = [f"--peer={name}={path}" for name, path in judge["peers"].items()]
    words += [f"--{name}={judge[name]}" for name in ("cluster", "istio")]
    outcome = generate(here(), os.environ, Options(render, command, Policy(mode, on_failure), seconds, tuple(words)))
    click.echo(outcome.said, err=True, nl=False)
    sys.stdout.buffer.write(outcome.manifests)
    sys.stdout.flush()
    sys.exit(outcome.code)


@argocd.command(short_help="Print what an application may set.")
@_MODE
@_FAILURE
def parameters(mode: str, on_failure: str) -> None:
    """Print the parameters that an application may set, for Argo CD's user interface."""
    from mirrorlint.argocd.parameters import Policy, announced
    from mirrorlint.loading.paths import CHART

    click.echo(announced(Policy(mode, on_failure), is_chart=os.path.isfile(CHART)))


@argocd.command(hidden=True)
@click.argument("path")
@click.option("--namespace", default="")
@click.option("--as-is", is_flag=True)
@_CLUSTER
@_PEERS
@_ISTIO
def judge(path: str, namespace: str, as_is: bool, cluster: str, peers: dict[str, str], istio: str) -> None:
    """Judge an application of the repository in the working directory; its rendered manifests are standard input."""
    from mirrorlint.argocd.verdict import Question, judge
    from mirrorlint.loading.settings import SettingsError

    rendered = None if as_is else sys.stdin.buffer.read()
    try:
        verdict = judge(Question(path, namespace, rendered, cluster, peers, istio))
    except (SettingsError, ValueError, OSError) as error:
        click.echo(f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else error)
        sys.exit(2)
    click.echo(verdict.text, nl=False)
    sys.exit(1 if verdict.errors else 0)
