"""How commands are found: the one that is meant where none is named, the order of help, and what a shell offers to complete."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_OWN = ("-h", "--help", "--version")


class DefaultGroup(click.Group):
    """A group whose command is `check` where none is named, so that `mirrorlint repo/` works."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `check` in front of what is no command; a shell that completes the first word may still mean one."""
        named = bool(args) and (args[0] in self.commands or args[0] in _OWN)
        if not named and (args or not ctx.resilient_parsing):
            self._check_word(ctx, args[0] if args else "")
            args = ["check", *args]
        return super().parse_args(ctx, args)

    def _check_word(self, ctx: click.Context, word: str) -> None:
        """Suggest the command that a word is nearly, unless there is such a file or folder."""
        if not word.isalpha() or os.path.lexists(word) or ctx.resilient_parsing:
            return
        from mirrorlint.likeness import suggestion

        near = suggestion(word, self.commands)
        if near:
            ctx.fail(f"`{word}` is no command{near}, and there is no such file or folder")

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's own signature)
        """In the order in which people meet them, which is that of the source."""
        return list(self.commands)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands, and what `check` takes."""
        check = self.commands["check"]
        own = super().shell_complete(ctx, incomplete)
        if incomplete.startswith("-"):
            return own + [item for item in check.shell_complete(click.Context(check), incomplete) if item.value not in _OWN]
        return own or click.Path().shell_complete(ctx, check.params[0], incomplete)


def rule_names(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The rules that begin like this, with what they find."""
    from click.shell_completion import CompletionItem

    from mirrorlint.book import rule_book, summary

    return [CompletionItem(name, help=summary(name)) for name in rule_book() if name.startswith(incomplete)]


def format_names(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The formats of a report that begin like this."""
    from mirrorlint.outputs import FORMATS

    return [name for name in FORMATS if name.startswith(incomplete)]
