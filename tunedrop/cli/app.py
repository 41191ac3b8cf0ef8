"""`tunedrop`: the commands, gathered."""

import sys

import typer

from tunedrop.cli import cancel, check, demo, drop, local, runs
from tunedrop.cli.output import Trouble, err, visible

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="From a data file to a fine-tuned, deployed and proven Azure OpenAI model.",
)
app.command("demo")(demo.demo)
app.command("local")(local.local)
app.command("drop")(drop.drop)
app.command("check", cls=check.Handed, add_help_option=False)(check.check)
app.command("runs")(runs.runs)
app.command("cancel")(cancel.cancel)


def main(arguments: list[str] | None = None) -> None:
    """Entry point of the console script: leaves with the exit code of docs/cli.md."""
    try:
        app(arguments, prog_name="tunedrop")
    except Trouble as trouble:
        err.print(f"[bold red]error[/]: {visible(trouble, lines=True)}")
        sys.exit(trouble.code)
