"""`tunedrop check` among the other commands: for their list, and to complete its options."""

from typing import Any

import typer
from typer.core import TyperCommand

from tunedrop.cli import check as command


class Handed(TyperCommand):
    """A command that takes all its arguments as they are, `--help` too: it has its own parser."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Leave the arguments to the command."""
        ctx.args = args
        return []

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """What may stand next: an option, or one of the values that the option before takes."""
        from typer._click.shell_completion import CompletionItem  # pyright: ignore[reportPrivateUsage]

        from tunedrop_check.command import options

        known = options.by_name()
        before = known.get(ctx.args[-1]) if ctx.args else None
        if before is not None and before.choices is not None:
            fitting = {str(choice): "" for choice in before.choices}
        elif incomplete.startswith("-"):
            fitting = {name: action.help or "" for name, action in known.items()}
        else:
            return []  # the shell's own: files
        return [
            CompletionItem(name, help=told)
            for name, told in fitting.items()
            if name.startswith(incomplete)
        ]


def check(context: typer.Context) -> None:
    """Validate fine-tuning examples and count their tokens. Exit code 2 where a file has errors."""
    raise typer.Exit(command.main(context.args))
