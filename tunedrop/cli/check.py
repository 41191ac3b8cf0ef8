"""`tunedrop check`: the command of tunedrop_check, in colours and with the app's reading of
job.json.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.text import Text
from typer.core import TyperCommand

from shared.models.drop import JOB_FILE
from tunedrop.cli.output import Trouble, out
from tunedrop_check import CannotCheck

if TYPE_CHECKING:
    from tunedrop_check.command import as_text, job_file

# The page that explains the codes of runs; it isn't there where the package stands without its
# repository.
ERRORS = Path(__file__).parents[2] / "docs" / "errors.md"
COLOURS = {
    "strong": "bold",
    "faint": "dim",
    "error": "bold red",
    "warning": "bold yellow",
    "good": "green",
    "bar": "cyan",
}


class Handed(TyperCommand):
    """A command that takes all its arguments as they are, `--help` too: tunedrop_check has its own
    parser.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Leave the arguments to the command."""
        ctx.args = args
        return []


def check(context: typer.Context) -> None:
    """Validate fine-tuning examples and count their tokens. Exit code 2 where a file has errors."""
    # msgspec, numpy and the counters, 0.2 s: only for this command.
    from tunedrop_check.command import entry

    try:
        code = entry.run(context.args, "tunedrop check", _show, _job_beside, ERRORS)
    except CannotCheck as trouble:
        raise Trouble(str(trouble)) from None
    raise typer.Exit(code)


def _show(lines: "Iterable[as_text.Line]") -> None:
    from tunedrop_check.command.wrapping import wrapped  # as above

    for line in wrapped(lines, out.width) if out.is_terminal else lines:
        out.print(Text.assemble(*((span.text, COLOURS.get(span.style, "")) for span in line)))


def _job_beside(home: Path | None) -> "job_file.Job":
    """The job.json in a folder as the app would take it."""
    from shared.errors import PlanRejected

    # pydantic-settings, 0.1 s: only where there is a job.json to read.
    from shared.runs import planning
    from tunedrop_check.command import job_file

    file = None if home is None else home / JOB_FILE
    if file is not None and file.is_file():
        try:
            planning.parsed(file.read_bytes())
        except PlanRejected as rejected:
            # A mistake anywhere in it ends the check.
            raise Trouble(f"{file}: {rejected.problem.message} {rejected.problem.fix}") from None
    return job_file.beside(home)
