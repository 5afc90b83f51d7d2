"""The commands for contracts, by which two repositories that can't see each other agree."""

from __future__ import annotations

import os
import sys

import click

from mirrorlint import __version__
from mirrorlint.cli.group import format_names
from mirrorlint.cli.shared import COLOR, CONFIG, ISTIO, PATHS, load, usage_errors, write, write_report


@click.group(short_help="What clusters of two repositories expect of each other.")
def contract() -> None:
    """Publish what a cluster accepts and expects, or check what peers expect of it."""


@contract.command(short_help="Write what a cluster accepts and expects.")
@PATHS
@click.option("--cluster", default="", metavar="NAME", help="Which cluster, where there are several.")
@click.option("--output", default="", type=click.Path(), metavar="FILE", help="Write the contract to a file.")
@ISTIO
@CONFIG
def export(paths: tuple[str, ...], cluster: str, output: str, istio: str, config: str) -> None:
    """Write a cluster's contract, which the repository of its peer keeps in .mirrorlint/peers/."""
    from mirrorlint.contract import export as contracts
    from mirrorlint.loading.paths import CONTRACTS
    from mirrorlint.outputs import STANDARD

    documents = load(paths, config).documents
    own = list(documents.own())
    if cluster and cluster not in own:
        raise click.UsageError(f"`{cluster}` is no cluster here: {', '.join(own)}")
    if not cluster and len(own) != 1:
        raise click.UsageError(f"which cluster is meant is not said: `--cluster` with one of {', '.join(own)}")
    chosen = cluster or own[0]
    text = contracts.export(documents, chosen, f"mirrorlint {__version__}", istio)
    if output in ("", STANDARD):
        write("", text)
        return
    folder = os.path.dirname(os.path.abspath(output))
    if os.path.isdir(os.path.dirname(os.path.dirname(folder))) and folder.replace(os.sep, "/").endswith(f"/{CONTRACTS}"):
        os.makedirs(folder, exist_ok=True)
    write(output, text)


@contract.command(short_help="Check that what peers expect still arrives.")
@PATHS
@click.option("--format", "formats", multiple=True, metavar="FORMAT[=FILE]", shell_complete=format_names, help="As of check.")
@CONFIG
@COLOR
def verify(paths: tuple[str, ...], formats: tuple[str, ...], config: str, color: str) -> None:
    """Follow what the contracts of peers say that they send (exit 1 when what arrived is lost)."""
    from mirrorlint import outputs
    from mirrorlint.contract.verify import verify as judged
    from mirrorlint.level import ERROR
    from mirrorlint.loading.paths import CONTRACTS

    loaded = load(paths, config)
    if not loaded.contracts:
        absent = [section.contract for section in loaded.settings.clusters.values() if section.contract]
        why = f"`{absent[0]}` can't be read, which the settings name" if absent else f"put it into {CONTRACTS}/, or name it in the settings"
        raise click.UsageError(f"there is no contract of a peer: {why} (`contract:`)")
    with usage_errors():
        report = judged(loaded)
        targets = outputs.outputs(formats, "")
    if not report.mirrors:
        click.echo(
            "mirrorlint: nothing is verified: no contract here expects anything (what was lost at its export is not expected)",
            err=True,
        )
    write_report(report, targets, color, outputs.Look(verbose=True), {})
    sys.exit(1 if report.count(ERROR) else 0)
