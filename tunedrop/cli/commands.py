"""The commands of `tunedrop`, gathered."""

import os
import sys
from typing import Annotated

import typer

from tunedrop.cli import cancel, check_command, completion, demo, deploy, drop, local, report, runs
from tunedrop.cli.output import Trouble, err, visible
from tunedrop_check import VERSION

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,  # options of every command; the command `completion` says it once
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # boxes around the help take 0.1 s
)
app.command("demo")(demo.demo)
app.command("local")(local.local)
app.command("drop")(drop.drop)
app.command("check", cls=check_command.Handed, add_help_option=False)(check_command.check)
app.command("runs")(runs.runs)
app.command("report")(report.report)
app.command("deploy")(deploy.deploy)
app.command("cancel")(cancel.cancel)
app.command("completion")(completion.completion)


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


def run(arguments: list[str] | None) -> None:
    """Do what the arguments say, else those of this process, and leave with the exit code."""
    if completion.VARIABLE in os.environ:
        completion.prepare()
    try:
        app(arguments, prog_name="tunedrop")
    except Trouble as trouble:
        err.print(f"[bold red]error[/]: {visible(trouble, lines=True)}")
        sys.exit(trouble.code)
