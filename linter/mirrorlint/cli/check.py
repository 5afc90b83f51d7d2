"""The command `check`, with all that its options add to a report or take from it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from mirrorlint.cli.group import format_names, rule_names
from mirrorlint.cli.shared import COLOR, CONFIG, ISTIO, PATHS, check_names, here, judge, load, unnamed, usage_errors, write, write_report

if TYPE_CHECKING:
    from mirrorlint.changed import Judge
    from mirrorlint.loading import Loaded
    from mirrorlint.loading.index import Index
    from mirrorlint.rule import Finding, Report


@click.command(short_help="Lint: report each mirrored request that does not arrive.")
@PATHS
@click.option(
    "--format",
    "formats",
    multiple=True,
    metavar="FORMAT[=FILE]",
    shell_complete=format_names,
    help="text, json, sarif, github, gitlab or junit, and a file for it; repeatable.",
)
@click.option("--output", default="", type=click.Path(), metavar="FILE", help="Write the report to a file.")
@ISTIO
@CONFIG
@click.option("--rule", "only", multiple=True, metavar="NAME", shell_complete=rule_names, help="Only this rule; repeatable.")
@click.option("--skip", multiple=True, metavar="NAME", shell_complete=rule_names, help="Not this rule; repeatable.")
@click.option("--strict", is_flag=True, help="Warnings and blind spots fail as well.")
@click.option("--require-peer", is_flag=True, help="A peer of the settings that is not here is wrong usage, not a blind spot.")
@click.option("--staged", is_flag=True, help="Lint what is staged for the next commit, not the working tree.")
@click.option("--only-changed", is_flag=True, help="Only findings that the last commit does not have, or at a changed file, at either end.")
@click.option("--baseline", default="", type=click.Path(), metavar="FILE", help="Leave out the findings that this file accepts.")
@click.option("--write-baseline", is_flag=True, help="Accept all findings of this run: write them to the baseline first.")
@click.option("--no-cache", is_flag=True, help="Neither use nor keep what runs find out.")
@click.option("-q", "--quiet", is_flag=True, help="One line a finding.")
@click.option("-v", "--verbose", is_flag=True, help="Each mirror and each blind spot, and on stderr what is known and what files cost.")
@COLOR
def check(paths: tuple[str, ...], **options: Any) -> None:
    """Lint: report each mirrored request that does not arrive (exit 1), with the line at both ends."""
    if options["write_baseline"] and not options["baseline"]:
        raise click.UsageError("`--write-baseline` writes the file that `--baseline FILE` names")
    index = _index(paths) if options["staged"] else None
    session = None if options["no_cache"] or options["verbose"] else click.get_current_context().obj
    loaded = load(paths, options["config"], cached=not options["no_cache"], verbose=options["verbose"], index=index)
    if options["require_peer"]:
        _require_peers(loaded)
    from mirrorlint import outputs
    from mirrorlint.cache import runs
    from mirrorlint.level import ERROR, OFF, WARNING

    chosen = _chosen(options["only"], options["skip"])
    with usage_errors():
        targets = outputs.outputs(options["formats"], options["output"])
    report = judge(loaded, options["istio"], chosen)
    if options["baseline"]:
        off = [rule for rule, level in {**loaded.settings.rules, **chosen}.items() if level == OFF]
        report = _accepted(report, options["baseline"], off, renew=options["write_baseline"])
    if options["only_changed"]:
        report = _touched(
            report, index, [options[name] for name in ("config", "baseline") if options[name]], _finder(paths, options, chosen)
        )
    fixes = _patches(report, loaded.staged) if "json" in dict(targets) else {}
    expected = any(contract.usable and contract.expectations for contract in loaded.contracts)
    look = outputs.Look(
        quiet=options["quiet"], verbose=options["verbose"], strict=options["strict"], staged=loaded.staged, expected=expected
    )
    written = write_report(report, targets, options["color"], look, fixes)
    failing = report.count(ERROR) + (report.count(WARNING) + len(report.blind_spots) if options["strict"] else 0)
    code = 1 if failing else 0
    if session and not (options["baseline"] or options["only_changed"]):  # what these depend on is not in the trail
        plain = loaded.trail.plain and not fixes  # a patch shows lines around an object, too
        runs.record(session, loaded.trail._replace(plain=plain), runs.Outcome(written, code))
    sys.exit(code)


def _index(paths: Sequence[str]) -> Index:
    """The index of the repository that the working directory is in; a usage error when none of the paths is in it, or Git can't read it."""
    from mirrorlint import git
    from mirrorlint.loading import files
    from mirrorlint.loading.index import of_commit

    home = files.repository(here())
    asked = map(unnamed, paths or ["."])
    inside = os.path.lexists(os.path.join(home, ".git"))
    if not inside or home not in map(files.repository, asked):
        why = "no path is in that one" if inside else "it is in none"
        raise click.UsageError(f"`--staged` reads the index of the Git repository that the working directory is in, and {why}")
    index = of_commit(home)
    try:
        git.check(home, index.file)
    except git.RefusedError as error:
        raise click.UsageError(f"`--staged` asks Git what is staged: {error}") from error
    return index


def _require_peers(loaded: Loaded) -> None:
    """A usage error for a peer of the settings that is not here."""
    from mirrorlint.loading.files import is_there

    for name, section in loaded.settings.clusters.items():
        path = section.peer or section.contract
        if path and name not in loaded.documents.clusters and not is_there(path):
            why = f"`{path}` is empty" if os.path.exists(path) else f"there is no `{path}`"
            raise click.UsageError(f"{loaded.settings.path}: the peer `{name}` is not here: {why}")


def _finder(paths: Sequence[str], options: Mapping[str, Any], levels: Mapping[str, str]) -> Judge:
    """What a run with these options finds in the files of an index: nothing where settings could not be used."""

    def find(index: Index) -> Sequence[Finding]:
        try:
            loaded = load(paths, options["config"], cached=not options["no_cache"], index=index)
            return judge(loaded, options["istio"], levels).findings
        except click.UsageError:
            return ()

    return find


def _touched(report: Report, index: Index | None, told: Sequence[str], judge: Judge) -> Report:
    """The report without the findings that have nothing to do with what is being changed; how many there are is said."""
    from mirrorlint import changed, git

    try:
        kept, far = changed.touching(report.findings, index, told, judge)
    except git.RefusedError as error:
        raise click.UsageError(f"`--only-changed` asks Git what has changed: {error}") from error
    if far:
        click.echo(f"mirrorlint: all findings are shown: {far} has changed, which any of them may come from", err=True)
    elif len(kept) < len(report.findings):
        click.echo(f"mirrorlint: not shown: {len(report.findings) - len(kept)} at files that have not changed", err=True)
    return report._replace(findings=kept)


def _chosen(only: Sequence[str], skip: Sequence[str]) -> dict[str, str]:
    """Levels for `--rule`, which switches on what is off by default, and `--skip`; an unknown name is a usage error."""
    from mirrorlint.book import level_of, rule_book
    from mirrorlint.level import OFF, WARNING

    check_names((*only, *skip))
    asked = {name: WARNING for name in only if level_of(name) == OFF}
    return {**asked, **{name: OFF for name in rule_book() if name in skip or (only and name not in only)}}


def _accepted(report: Report, file: str, off: Sequence[str], *, renew: bool) -> Report:
    """The report without the findings that a baseline accepts, once it is written anew; `off` are rules that did not run."""
    from mirrorlint import baseline
    from mirrorlint.outputs import checkout

    if renew:
        write(file, baseline.write(report.findings, checkout()))
    with usage_errors(), open(file, "rb") as written:
        entries = baseline.read(written.read(), file)
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
