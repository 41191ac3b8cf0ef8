"""`tunedrop`: the commands, gathered."""

import sys
from typing import Annotated

import typer

from tunedrop.cli import cancel, check, demo, deploy, drop, local, report, runs
from tunedrop.cli.output import Trouble, err, visible
from tunedrop_check import VERSION

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("demo")(demo.demo)
app.command("local")(local.local)
app.command("drop")(drop.drop)
app.command("check", cls=check.Handed, add_help_option=False)(check.check)
app.command("runs")(runs.runs)
app.command("report")(report.report)
app.command("deploy")(deploy.deploy)
app.command("cancel")(cancel.cancel)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tunedrop {VERSION}")
        raise typer.Exit


@app.callback()
def everywhere(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version and exit.", callback=_version, is_eager=True
        ),
    ] = False,
) -> None:
    """From a data file to a fine-tuned, deployed and proven Azure OpenAI model."""


def main(arguments: list[str] | None = None) -> None:
    """Entry point of the console script: leaves with the exit code of docs/cli.md."""
    try:
        app(arguments, prog_name="tunedrop")
    except Trouble as trouble:
        err.print(f"[bold red]error[/]: {visible(trouble, lines=True)}")
        sys.exit(trouble.code)
