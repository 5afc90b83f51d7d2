"""The command line."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from mirrorlint import __version__
from mirrorlint.cli.check import check
from mirrorlint.cli.contracts import contract
from mirrorlint.cli.group import DefaultGroup, rule_names
from mirrorlint.cli.plugin import argocd
from mirrorlint.cli.shared import COLOR, CONFIG, ISTIO, PATHS, check_names, colored, judge, load, usage_errors, write

if TYPE_CHECKING:
    from mirrorlint.fixing import Change

_HELP = """\
Follow every mirrored request from one cluster into the other, and say where it is lost.

Without a command it lints; without a path that is the working directory.

\b
Examples:
  mirrorlint repo/                    a repository with all clusters
  mirrorlint prod=../prod stage=.     a path for each cluster
  mirrorlint . stage=stage.json       another cluster by its contract
  mirrorlint --istio 1.28 repo/       as after an upgrade of the source
"""


@click.group(
    cls=DefaultGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=_HELP,
    options_metavar="[COMMAND]",
    subcommand_metavar="[OPTIONS] [[NAME=]PATH]...",
    epilog="Exit codes: 0 no errors, 1 errors, 2 wrong usage or settings, 3 a bug of mirrorlint. `mirrorlint COMMAND --help` has more.",
)
@click.version_option(__version__, prog_name="mirrorlint", message="%(prog)s %(version)s")
def cli() -> None:
    """The program."""


cli.add_command(check)


def _source(_: click.Context, __: click.Parameter, said: str | None) -> str:
    """A namespace, which may have its cluster before it; "" where none is said."""
    if said is not None and not all(part.strip() for part in said.rsplit("/", 1)):
        raise click.BadParameter(f"`{said}` is no namespace, and no CLUSTER/NS")
    return said or ""


def _host(_: click.Context, __: click.Parameter, said: str | None) -> str:
    """A host; "" where none is said."""
    if said is not None and not said.strip():
        raise click.BadParameter(f"`{said}` is no host")
    return said or ""


def _headers(_: click.Context, __: click.Parameter, said: Sequence[str]) -> dict[str, str]:
    """Headers by their names."""
    found = {}
    for header in said:
        name, colon, value = (part.strip() for part in header.partition(":"))
        if not name or not colon:
            raise click.BadParameter(f"`{header}` is no header such as `x-user: me`")
        found[name] = value
    return found


def _path(_: click.Context, __: click.Parameter, said: str) -> str:
    if not said.startswith("/"):
        raise click.BadParameter(f"`{said}` is no path, which begins with a slash")
    return said


def _method(_: click.Context, __: click.Parameter, said: str) -> str:
    if not said.isascii() or not said.replace("-", "").isalpha():
        raise click.BadParameter(f"`{said}` is no method such as GET")
    return said


def _check_every(context: click.Context) -> None:
    """A usage error for what is said of a call where every one is followed."""
    given = [each for each in context.command.params if context.get_parameter_source(each.name or "") is ParameterSource.COMMANDLINE]
    said = [f"`{each.opts[0]}`" for each in given if each.name in ("source", "gateway", "port", "path", "method", "headers")]
    if said:
        raise click.UsageError(f"{', '.join(said)} {'asks' if len(said) == 1 else 'ask'} for a call, whose `--host` is not said")


@cli.command(short_help="Follow a call's shadows hop by hop.")
@PATHS
@click.option("--from", "source", metavar="NS", callback=_source, help="Namespace of the calling pod, or CLUSTER/NS.")
@click.option("--gateway", is_flag=True, help="The request enters at the ingress gateway in that namespace.")
@click.option("--host", callback=_host, help="Host that is called; without it every caller of every mirror is followed.")
@click.option("--port", type=click.IntRange(1, 65535), default=80, show_default=True, help="Port that is called.")
@click.option("--path", default="/", show_default=True, callback=_path, help="Path of the request.")
@click.option("--method", default="GET", show_default=True, callback=_method, help="Method of the request.")
@click.option("--header", "headers", multiple=True, metavar="K:V", callback=_headers, help="A header of the request; repeatable.")
@ISTIO
@CONFIG
@COLOR
def trace(paths: tuple[str, ...], **options: Any) -> None:
    """Follow a call's shadows hop by hop (exit 1 when one is lost).

    Of two objects that claim the same the first by name counts as older, as for `check`, unless they have a creationTimestamp.
    """
    from mirrorlint import tracing

    if not options["host"]:
        _check_every(click.get_current_context())
    loaded = load(paths, options["config"])
    with usage_errors():
        traces = tracing.traces(loaded.documents, options)
    from mirrorlint.report.trace import render

    write("", render(traces, color=colored(options["color"], to_terminal=True)))
    sys.exit(1 if tracing.any_lost(traces) else 0)


@cli.command(short_help="Draw who mirrors to whom, through what.")
@PATHS
@click.option(
    "--format", "kind", type=click.Choice(["mermaid", "dot", "json"]), default="mermaid", show_default=True, help="Of the drawing."
)
@ISTIO
@CONFIG
def graph(paths: tuple[str, ...], kind: str, istio: str, config: str) -> None:
    """Draw the links between mirrors, ServiceEntry hosts, gateway hosts, VirtualService hosts and services."""
    from mirrorlint import graph as drawing
    from mirrorlint import tracing

    ways = tracing.distinct_ways(load(paths, config).documents, istio)
    write("", drawing.render(drawing.build(ways), kind))


@cli.command(short_help="Mend what can be mended without a doubt.")
@PATHS
@click.option("--diff", is_flag=True, help="Print a patch that `git apply` takes (exit 1), and write nothing.")
@ISTIO
@CONFIG
def fix(paths: tuple[str, ...], diff: bool, istio: str, config: str) -> None:
    """Mend what can be mended without a doubt; every byte outside of an edit stays."""
    from mirrorlint import fixing

    told: list[str] = []

    def find() -> list[Change]:
        return list(fixing.changes(judge(load(paths, config), istio).findings))

    def tell(said: str) -> None:
        told.append(said)
        click.echo(said)

    try:
        found = find() if diff else fixing.mend(find, tell)
    except fixing.UnwritableError as error:
        raise click.UsageError(str(error)) from error
    for change in (change for change in found if change.patch):
        if change.repository:  # never written to, and no part of what `git apply` gets here
            click.echo(f"{change.path} is not in this repository; for `git apply` in {change.repository}:", err=diff)
            click.echo(change.patch, err=diff, nl=False)
        else:
            write("", change.patch)
    for place in (place for change in found for place in change.left):
        click.echo(f"not fixed: {place}", err=True)
    if not found and not told:
        click.echo("there is nothing that can be mended without a doubt", err=True)
    sys.exit(1 if diff and any(change.patch for change in found) else 0)


@cli.command(short_help="Which folders belong to which cluster, and why.")
@PATHS
@CONFIG
def clusters(paths: tuple[str, ...], config: str) -> None:
    """Say which folders belong to which cluster and why, where its ingress is reached, what is known of its Istio, what is left out."""
    from mirrorlint.report.table import render
    from mirrorlint.tracing import ingresses

    loaded = load(paths, config)
    write("", render(loaded.assignments, ingresses(loaded.documents), loaded.documents))


cli.add_command(contract)


@cli.command(short_help="Print a rule's page.")
@click.argument("rule", shell_complete=rule_names)
def explain(rule: str) -> None:
    """Print a rule's page: why, bad, good, fix, when to ignore it."""
    from mirrorlint.book import page

    check_names([rule])
    write("", page(rule))


@cli.command(short_help="List the rules, with level and purpose.")
def rules() -> None:
    """List the rules with the level of each, unless settings say otherwise, and what it finds."""
    from mirrorlint.book import level_of, rule_book, summary

    width = max(map(len, rule_book()))
    write("", "".join(f"{name:{width}}  {level_of(name):7}  {summary(name)}\n" for name in rule_book()))


@cli.command(short_help="Write a commented .mirrorlint.yaml.")
@click.argument("path", default=".", type=click.Path())
def init(path: str) -> None:
    """Write a commented .mirrorlint.yaml from what is found in a repository."""
    from mirrorlint import book, initial, tracing
    from mirrorlint.level import OFF
    from mirrorlint.loading.settings import FILE

    file = os.path.join(path, FILE)
    if os.path.lexists(file):
        raise click.UsageError(f"{file} is there already")
    loaded = load([path], "")
    informing = {name: book.summary(name) for name in book.rule_book() if book.level_of(name) == OFF}
    ways = [way for _, way in tracing.every_way(loaded.documents, "")]
    write(file, initial.render(os.path.abspath(path), loaded.groups, loaded.documents, ways, informing))
    click.echo(f"wrote {file}")


cli.add_command(argocd)


def main(args: Iterable[str]) -> None:
    """Run; a bug of ours exits 3 and says so. What a run makes it needs to its end, so no garbage is looked for."""
    from mirrorlint.cache.runs import Session

    gc.disable()
    session = Session(tuple(args), time.time_ns())
    try:
        cli.main(args=list(session.arguments), standalone_mode=True, obj=session)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception:  # noqa: BLE001
        import traceback

        traceback.print_exc()
        sys.stderr.write("mirrorlint: this is a bug of mirrorlint: please report it, with the lines above and what was being read\n")
        sys.exit(3)
