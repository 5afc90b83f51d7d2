"""What commands share: options, and how they read, judge and write; what is wrong with any of it is a usage error."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

import click

from mirrorlint import __version__

if TYPE_CHECKING:
    from mirrorlint.crew import Task
    from mirrorlint.loading import Loaded
    from mirrorlint.loading.index import Index
    from mirrorlint.loading.means import Means
    from mirrorlint.outputs import Look
    from mirrorlint.rule import Finding, Report

PATHS = click.argument("paths", nargs=-1, type=click.Path(), metavar="[[NAME=]PATH]...")
CONFIG = click.option(
    "--config", default="", type=click.Path(), metavar="FILE", help="Settings file instead of the repository's .mirrorlint.yaml."
)


def checked_version(_context: click.Context, _parameter: click.Parameter, version: str) -> str:
    """A version of Istio, or "" for none; anything else is wrong usage."""
    from mirrorlint.delivery.worlds import number_of

    try:
        if version:
            number_of(version)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    return version


ISTIO = click.option(
    "--istio", default="", metavar="VERSION", callback=checked_version, help="Version of the source's control plane, such as 1.27."
)
COLOR = click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto", help="Colour on a terminal.", show_default=True
)


@contextmanager
def usage_errors(kind: type[Exception] = ValueError) -> Iterator[None]:
    """Make usage errors of an exception that says what is wrong with what was asked for, and of files that can't be opened."""
    try:
        yield
    except OSError as error:
        raise click.UsageError(f"{error.filename}: {error.strerror}") from error
    except kind as error:
        raise click.UsageError(str(error)) from error


def load(paths: Sequence[str], config: str, *, cached: bool = True, verbose: bool = False, index: Index | None = None) -> Loaded:
    """Read everything, with what earlier runs of the program kept, and with word of it on a terminal.

    What is wrong with arguments or settings is a usage error.
    """
    here()
    from mirrorlint import git
    from mirrorlint.crew import Crew, cores

    folders = [os.path.abspath(path) for path in map(unnamed, paths or ["."]) if os.path.isdir(path)]
    crew = click.get_current_context().with_resource(Crew(cores() - 1, _reader, _prepare))
    with git.begun(() if index else folders):
        from mirrorlint.loading.means import Means
        from mirrorlint.loading.watch import Watch, unwatched

        watch = Watch(_progress if sys.stderr.isatty() else None)
        spent = watch.spent if verbose or sys.stderr.isatty() else unwatched
        loaded = _read(paths or ["."], config, Means(crew, cached and click.get_current_context().obj is not None, spent, index))
    crew.dismiss()
    for fact in loaded.documents.facts if verbose else ():
        click.echo(f"mirrorlint: {fact.cluster}: {fact.message}, as {fact.place} says", err=True)
    for line in watch.dearest(10) if verbose else ():
        click.echo(f"mirrorlint: {line}", err=True)
    return loaded


def _read(paths: Sequence[str], config: str, means: Means) -> Loaded:
    from mirrorlint import loading
    from mirrorlint.loading.settings import SettingsError, check_rules

    try:
        with usage_errors(SettingsError):
            loaded = loading.read(paths, config, means=means)
            if loaded.settings.rules:
                from mirrorlint.book import rule_book

                check_rules(loaded.settings, rule_book())
    finally:
        if sys.stderr.isatty():
            _progress("")
    return loaded


def _reader() -> Callable[..., Task]:
    """What a process that only reads needs."""
    for module in ("source.tree", "istio.admission"):
        import_module(f"mirrorlint.{module}")
    from mirrorlint.loading.batch import reader

    return reader


def _prepare() -> None:
    """Import what judges, rules too, which takes as long as reading hundreds of files."""
    for module in ("engine", "outputs"):
        import_module(f"mirrorlint.{module}")
    from mirrorlint.book import rule_book

    rule_book()


def here() -> str:
    """The working directory; a usage error when it is gone."""
    try:
        return os.getcwd()
    except FileNotFoundError as error:
        raise click.UsageError("the working directory is gone: change to one that is there") from error


def unnamed(argument: str) -> str:
    """The path of an argument, which may have a name before it."""
    return argument if os.path.exists(argument) else argument.partition("=")[2]


def judge(loaded: Loaded, istio: str, levels: Mapping[str, str] = MappingProxyType({})) -> Report:
    """Lint what was read."""
    from mirrorlint import engine

    return engine.lint(loaded.documents, {**loaded.settings.rules, **levels}, istio)


def check_names(names: Sequence[str]) -> None:
    """A usage error for the first name that is no rule's."""
    from mirrorlint.book import rule_book
    from mirrorlint.likeness import suggestion

    for name in names:
        if name not in rule_book():
            raise click.UsageError(f"`{name}` is no rule{suggestion(name, rule_book())}")


def colored(choice: str, *, to_terminal: bool) -> bool:
    """Whether to colour: as asked for, else NO_COLOR and FORCE_COLOR, else on a terminal."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (to_terminal and sys.stdout.isatty())


def write(file: str, text: str) -> bytes:
    """Write a text to a file, or to standard output ("")."""
    data = text.encode("utf-8", "replace")
    if file:
        try:
            with open(file, "wb") as target:
                target.write(data)
        except OSError as error:
            raise click.UsageError(f"{file}: {error.strerror}") from error
        return data
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # which takes what is left to be written
        raise click.UsageError(f"standard output: {error.strerror}") from error
    return data


def write_report(
    report: Report, targets: Iterable[tuple[str, str]], color: str, look: Look, fixes: Mapping[Finding, str]
) -> tuple[tuple[str, bytes], ...]:
    """Write a report in some formats, each to its file, coloured as asked for; what was written, by file."""
    from mirrorlint import outputs

    looks = ((kind, file, look._replace(color=colored(color, to_terminal=not file))) for kind, file in targets)
    return tuple((file, write(file, outputs.render(kind, report, __version__, each, fixes))) for kind, file, each in looks)


def _progress(text: str) -> None:
    """Put a line in the place of the last one."""
    from mirrorlint.report import clean

    sys.stderr.write(f"\r\x1b[K{clean(text)[:100]}")
    sys.stderr.flush()
