"""The command line."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import click

from mirrorlint import __version__
from mirrorlint.cli_argocd import argocd
from mirrorlint.cli_group import DefaultGroup, format_names, rule_names

if TYPE_CHECKING:
    from mirrorlint.fixing import Change
    from mirrorlint.loading import Loaded
    from mirrorlint.loading.index import Index
    from mirrorlint.rule import Finding, Report

_PATHS = click.argument("paths", nargs=-1, type=click.Path(), metavar="[[NAME=]PATH]...")
_CONFIG = click.option(
    "--config", default="", type=click.Path(), metavar="FILE", help="Settings file instead of the repository's .mirrorlint.yaml."
)
_ISTIO = click.option("--istio", default="", metavar="VERSION", help="Version of the source's control plane, such as 1.27.")
_COLOR = click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colour on a terminal.", show_default=True
)

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


@cli.command(short_help="Lint: report each mirrored request that does not arrive.")
@_PATHS
@click.option(
    "--format",
    "formats",
    multiple=True,
    metavar="FORMAT[=FILE]",
    shell_complete=format_names,
    help="text, json, sarif, github, gitlab or junit, and a file for it; repeatable.",
)
@click.option("--output", default="", type=click.Path(), metavar="FILE", help="Write the report to a file.")
@_ISTIO
@_CONFIG
@click.option("--rule", "only", multiple=True, metavar="NAME", shell_complete=rule_names, help="Only this rule; repeatable.")
@click.option("--skip", multiple=True, metavar="NAME", shell_complete=rule_names, help="Not this rule; repeatable.")
@click.option("--strict", is_flag=True, help="Warnings and blind spots fail as well.")
@click.option("--require-peer", is_flag=True, help="A peer of the settings that is not here is wrong usage, not a blind spot.")
@click.option("--staged", is_flag=True, help="Lint what is staged for the next commit, not the working tree.")
@click.option("--only-changed", is_flag=True, help="Only findings at a file that differs from the last commit, at either end.")
@click.option("--baseline", default="", type=click.Path(), metavar="FILE", help="Leave out the findings that this file accepts.")
@click.option("--write-baseline", is_flag=True, help="Accept all findings of this run: write them to the baseline first.")
@click.option("--no-cache", is_flag=True, help="Neither use nor keep what runs find out.")
@click.option("-q", "--quiet", is_flag=True, help="One line a finding.")
@click.option("-v", "--verbose", is_flag=True, help="A line for each mirror, too, and on stderr what is known and what files cost.")
@_COLOR
def check(paths: tuple[str, ...], **options: Any) -> None:
    """Lint: report each mirrored request that does not arrive (exit 1), with the line at both ends."""
    from mirrorlint import outputs
    from mirrorlint.cache import runs
    from mirrorlint.rule import ERROR, OFF, WARNING

    if options["write_baseline"] and not options["baseline"]:
        raise click.UsageError("`--write-baseline` writes the file that `--baseline FILE` names")
    index = _index(paths) if options["staged"] else None
    session = None if options["no_cache"] or options["verbose"] else click.get_current_context().obj
    loaded = _load(paths, options["config"], cached=not options["no_cache"], verbose=options["verbose"], index=index)
    if options["require_peer"]:
        _require_peers(loaded)
    chosen = _chosen(options["only"], options["skip"])
    try:
        targets = outputs.outputs(options["formats"], options["output"])
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    report = _report(loaded, options["istio"], chosen)
    if options["baseline"]:
        off = [rule for rule, level in {**loaded.settings.rules, **chosen}.items() if level == OFF]
        report = _accepted(report, options["baseline"], off, write=options["write_baseline"])
    if options["only_changed"]:
        report = _touched(report, index)
    fixes = _patches(report, loaded.staged) if "json" in dict(targets) else {}
    written = []
    for kind, file in targets:
        look = outputs.Look(_colored(options["color"], to_terminal=not file), options["quiet"], options["verbose"], loaded.staged)
        written.append((file, _write(file, outputs.render(kind, report, __version__, look, fixes))))
    failing = report.count(ERROR) + (report.count(WARNING) + len(report.blind_spots) if options["strict"] else 0)
    code = 1 if failing else 0
    if session and not (options["baseline"] or options["only_changed"] or index):  # what these depend on is not in the trail
        plain = loaded.trail.plain and not fixes  # a patch shows lines around an object, too
        runs.record(session, loaded.trail._replace(plain=plain), runs.Outcome(tuple(written), code))
    sys.exit(code)


@cli.command(short_help="Follow a call's shadows hop by hop.")
@_PATHS
@click.option("--from", "source", default="", metavar="NS", help="Namespace of the calling pod, or CLUSTER/NS.")
@click.option("--gateway", is_flag=True, help="The request enters at the ingress gateway in that namespace.")
@click.option("--host", default="", help="Host that is called; without it every caller of every mirror is followed.")
@click.option("--port", type=int, default=80, show_default=True, help="Port that is called.")
@click.option("--path", default="/", show_default=True, help="Path of the request.")
@click.option("--method", default="GET", show_default=True, help="Method of the request.")
@click.option("--header", "headers", multiple=True, metavar="K:V", help="A header of the request; repeatable.")
@_ISTIO
@_CONFIG
@_COLOR
def trace(paths: tuple[str, ...], **options: Any) -> None:
    """Follow a call's shadows hop by hop (exit 1 when one is lost)."""
    from mirrorlint import tracing

    loaded = _load(paths, options["config"])
    try:
        traces = tracing.traces(loaded.documents, options)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    from mirrorlint.report.trace import render

    _write("", render(traces, color=_colored(options["color"], to_terminal=True)))
    sys.exit(1 if tracing.any_lost(traces) else 0)


@cli.command(short_help="Draw who mirrors to whom, through what.")
@_PATHS
@click.option(
    "--format", "kind", type=click.Choice(["mermaid", "dot", "json"]), default="mermaid", show_default=True, help="Of the drawing."
)
@_ISTIO
@_CONFIG
def graph(paths: tuple[str, ...], kind: str, istio: str, config: str) -> None:
    """Draw the links between mirrors, ServiceEntry hosts, gateway hosts, VirtualService hosts and services."""
    from mirrorlint import graph as drawing
    from mirrorlint import tracing

    loaded = _load(paths, config)
    try:
        ways = tracing.every_way(loaded.documents, istio)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    _write("", drawing.render(drawing.build(ways), kind))


@cli.command(short_help="Mend what can be mended without a doubt.")
@_PATHS
@click.option("--diff", is_flag=True, help="Print a patch that `git apply` takes (exit 1), and write nothing.")
@_ISTIO
@_CONFIG
def fix(paths: tuple[str, ...], diff: bool, istio: str, config: str) -> None:
    """Mend what can be mended without a doubt; every byte outside of an edit stays."""
    from mirrorlint import fixing

    def find() -> list[Change]:
        return list(fixing.changes(_report(_load(paths, config), istio).findings))

    try:
        found = find() if diff else fixing.mend(find, click.echo)
    except fixing.UnwritableError as error:
        raise click.UsageError(str(error)) from error
    for change in (change for change in found if change.patch):
        if change.repository:  # never written to, and no part of what `git apply` gets here
            click.echo(f"{change.path} is not in this repository; for `git apply` in {change.repository}:", err=diff)
            click.echo(change.patch, err=diff, nl=False)
        else:
            _write("", change.patch)
    for place in (place for change in found for place in change.left):
        click.echo(f"not fixed: {place}", err=True)
    sys.exit(1 if diff and any(change.patch for change in found) else 0)


@cli.command(short_help="Which folders belong to which cluster, and why.")
@_PATHS
@_CONFIG
def clusters(paths: tuple[str, ...], config: str) -> None:
    """Say which folders belong to which cluster and why, where its ingress is reached, what is known of its Istio, what is left out."""
    from mirrorlint.report.table import render
    from mirrorlint.tracing import ingresses

    loaded = _load(paths, config)
    _write("", render(loaded.assignments, ingresses(loaded.documents), loaded.documents))


@cli.group(short_help="What clusters of two repositories expect of each other.")
def contract() -> None:
    """Publish what a cluster accepts and expects, or check what peers expect of it."""


@contract.command(short_help="Write what a cluster accepts and expects.")
@_PATHS
@click.option("--cluster", default="", metavar="NAME", help="Which cluster, where there are several.")
@click.option("--output", default="", type=click.Path(), metavar="FILE", help="Write the contract to a file.")
@_ISTIO
@_CONFIG
def export(paths: tuple[str, ...], cluster: str, output: str, istio: str, config: str) -> None:
    """Write a cluster's contract, which the repository of its peer keeps in .mirrorlint/peers/."""
    from mirrorlint.contract import export as contracts

    documents = _load(paths, config).documents
    own = [name for name, each in documents.clusters.items() if not each.published]
    if (cluster and cluster not in own) or (not cluster and len(own) != 1):
        raise click.UsageError(f"`--cluster` names one of {', '.join(own)}")
    chosen = cluster or own[0]
    try:
        text = contracts.export(documents, chosen, f"mirrorlint {__version__}", istio)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    _write(output, text)


@contract.command(short_help="Check that what peers expect still arrives.")
@_PATHS
@click.option("--format", "formats", multiple=True, metavar="FORMAT[=FILE]", shell_complete=format_names, help="As of check.")
@_CONFIG
@_COLOR
def verify(paths: tuple[str, ...], formats: tuple[str, ...], config: str, color: str) -> None:
    """Follow what the contracts of peers say that they send (exit 1 when what arrived is lost)."""
    from mirrorlint import outputs
    from mirrorlint.contract.verify import verify as judged
    from mirrorlint.loading.paths import CONTRACTS
    from mirrorlint.rule import ERROR

    loaded = _load(paths, config)
    if not loaded.contracts:
        raise click.UsageError(f"there is no contract of a peer: put it into {CONTRACTS}/, or name it in the settings (`contract:`)")
    try:
        report = judged(loaded)
        targets = outputs.outputs(formats, "")
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if not report.mirrors:
        click.echo("mirrorlint: nothing is verified: no contract here that can be read expects anything", err=True)
    for kind, file in targets:
        look = outputs.Look(_colored(color, to_terminal=not file), verbose=True)
        _write(file, outputs.render(kind, report, __version__, look, {}))
    sys.exit(1 if report.count(ERROR) else 0)


@cli.command(short_help="Print a rule's page.")
@click.argument("rule", shell_complete=rule_names)
def explain(rule: str) -> None:
    """Print a rule's page: why, bad, good, fix, when to ignore it."""
    from mirrorlint.book import page

    _known([rule])
    _write("", page(rule))


@cli.command(short_help="List the rules, with level and purpose.")
def rules() -> None:
    """List the rules with the level of each, unless settings say otherwise, and what it finds."""
    from mirrorlint.book import level_of, rule_book, summary

    width = max(map(len, rule_book()))
    _write("", "".join(f"{name:{width}}  {level_of(name):7}  {summary(name)}\n" for name in rule_book()))


@cli.command(short_help="Write a commented .mirrorlint.yaml.")
@click.argument("path", default=".", type=click.Path())
def init(path: str) -> None:
    """Write a commented .mirrorlint.yaml from what is found in a repository."""
    from mirrorlint import book, initial, tracing
    from mirrorlint.loading.settings import FILE
    from mirrorlint.rule import OFF

    file = os.path.join(path, FILE)
    if os.path.lexists(file):
        raise click.UsageError(f"{file} is there already")
    loaded = _load([path], "")
    informing = {name: book.summary(name) for name in book.rule_book() if book.level_of(name) == OFF}
    ways = [way for _, way in tracing.every_way(loaded.documents, "")]
    _write(file, initial.render(os.path.abspath(path), loaded.groups, loaded.documents, ways, informing))
    click.echo(f"wrote {file}")


cli.add_command(argocd)


def _load(paths: Sequence[str], config: str, *, cached: bool = True, verbose: bool = False, index: Index | None = None) -> Any:
    """Read everything, with what earlier runs of the program kept, and with word of it on a terminal.

    What is wrong with arguments or settings is a usage error.
    """
    from mirrorlint import loading
    from mirrorlint.book import rule_book
    from mirrorlint.loading.crew import cores
    from mirrorlint.loading.reading import Means
    from mirrorlint.loading.settings import SettingsError, check_rules
    from mirrorlint.loading.watch import Watch, unwatched

    try:
        watch = Watch(_progress if sys.stderr.isatty() else None)
        spent = watch.spent if verbose or sys.stderr.isatty() else unwatched
        means = Means(cores(), cached and click.get_current_context().obj is not None, spent, index)
        loaded = loading.read(paths or ["."], config, means=means)
        check_rules(loaded.settings, rule_book())
    except SettingsError as error:
        raise click.UsageError("\n".join(error.messages)) from error
    except OSError as error:
        raise click.UsageError(f"{error.filename}: {error.strerror}") from error
    finally:
        if sys.stderr.isatty():
            _progress("")
    for fact in loaded.documents.facts if verbose else ():
        click.echo(f"mirrorlint: {fact.cluster}: {fact.message}, as {fact.place} says", err=True)
    for line in watch.dearest(10) if verbose else ():
        click.echo(f"mirrorlint: {line}", err=True)
    return loaded


def _index(paths: Sequence[str]) -> Index:
    """The index of the repository that the working directory is in; a usage error when none of the paths is in it."""
    from mirrorlint.loading import files
    from mirrorlint.loading.index import of_commit

    home = files.repository(os.getcwd())
    named = [path if os.path.exists(path) else path.partition("=")[2] for path in paths or ["."]]
    if not os.path.lexists(os.path.join(home, ".git")) or home not in map(files.repository, named):
        raise click.UsageError("`--staged` reads the index of the Git repository that the working directory is in, and no path is in one")
    return of_commit(home)


def _require_peers(loaded: Loaded) -> None:
    """A usage error for a peer of the settings that is not here."""
    for name, section in loaded.settings.clusters.items():
        path = section.peer or section.contract
        if path and name not in loaded.documents.clusters and not os.path.exists(path):
            raise click.UsageError(f"{loaded.settings.path}: the peer `{name}` is not here: there is no `{path}`")


def _touched(report: Report, index: Index | None) -> Report:
    """The report without the findings that touch nothing that is being changed; how many there are is said."""
    from mirrorlint import changed

    try:
        kept, far = changed.touching(report.findings, index)
    except changed.NoRepositoryError as error:
        raise click.UsageError("`--only-changed` asks Git what has changed, and the working directory is in no repository") from error
    if far:
        click.echo(f"mirrorlint: all findings are shown: {far} has changed, which any of them may come from", err=True)
    elif len(kept) < len(report.findings):
        click.echo(f"mirrorlint: not shown: {len(report.findings) - len(kept)} at files that have not changed", err=True)
    return report._replace(findings=kept)


def _progress(text: str) -> None:
    """Put a line in the place of the last one."""
    from mirrorlint.report import clean

    sys.stderr.write(f"\r\x1b[K{clean(text)[:100]}")
    sys.stderr.flush()


def _report(loaded: Loaded, istio: str, levels: Mapping[str, str] = MappingProxyType({})) -> Report:
    """Lint what was read; a version that is none is a usage error."""
    from mirrorlint import engine

    try:
        return engine.lint(loaded.documents, {**loaded.settings.rules, **levels}, istio)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _chosen(only: Sequence[str], skip: Sequence[str]) -> dict[str, str]:
    """Levels for `--rule`, which switches on what is off by default, and `--skip`; an unknown name is a usage error."""
    from mirrorlint.book import level_of, rule_book
    from mirrorlint.rule import OFF, WARNING

    _known((*only, *skip))
    asked = {name: WARNING for name in only if level_of(name) == OFF}
    return {**asked, **{name: OFF for name in rule_book() if name in skip or (only and name not in only)}}


def _known(names: Sequence[str]) -> None:
    """A usage error for the first name that is no rule's."""
    from difflib import get_close_matches

    from mirrorlint.book import rule_book

    for name in names:
        if name not in rule_book():
            near = get_close_matches(name, rule_book(), n=1)
            raise click.UsageError(f"`{name}` is no rule" + (f", did you mean `{near[0]}`?" if near else ""))


def _accepted(report: Report, file: str, off: Sequence[str], *, write: bool) -> Report:
    """The report without the findings that a baseline accepts; `off` are rules that did not run."""
    from mirrorlint import baseline
    from mirrorlint.outputs import checkout

    if write:
        _write(file, baseline.write(report.findings, checkout()))
    try:
        with open(file, "rb") as written:
            entries = baseline.read(written.read(), file)
    except OSError as error:
        raise click.UsageError(f"{file}: {error.strerror}") from error
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    accepted = baseline.accept(report, entries, checkout(), off)
    if accepted.stale:
        click.echo(f"mirrorlint: {baseline.told(accepted.stale, file)}", err=True)
    return accepted.report


def _patches(report: Report, staged: Mapping[str, bytes]) -> Mapping[Finding, str]:
    """The patches of findings in files that are staged as they are; what makes them is not loaded where there is none."""
    found = [finding for finding in report.findings if finding.fix and not any(edit.node.path in staged for edit in finding.fix)]
    if not found:
        return {}
    from mirrorlint import fixing

    return fixing.patches(found)


def _colored(choice: str, *, to_terminal: bool) -> bool:
    """Whether to colour: as asked for, else NO_COLOR and FORCE_COLOR, else on a terminal."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (to_terminal and sys.stdout.isatty())


def _write(file: str, text: str) -> bytes:
    data = text.encode("utf-8", "replace")
    if file:
        try:
            with open(file, "wb") as target:
                target.write(data)
        except OSError as error:
            raise click.UsageError(f"{file}: {error.strerror}") from error
        return data
    sys.stdout.buffer.write(data)
    sys.stdout.flush()
    return data


def main(args: Iterable[str] | None = None, run: Callable[..., Any] = cli.main) -> None:
    """Run; a bug of ours exits 3 and says so. What a run makes it needs to its end, so no garbage is looked for."""
    from mirrorlint.cache.runs import Session, clock

    gc.disable()
    session = Session(tuple(sys.argv[1:] if args is None else args), clock())
    try:
        run(args=list(session.arguments), standalone_mode=True, obj=session)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception:  # noqa: BLE001
        import traceback

        traceback.print_exc()
        sys.stderr.write("mirrorlint: this is a bug of mirrorlint: please report it, with the lines above and what was being read\n")
        sys.exit(3)
