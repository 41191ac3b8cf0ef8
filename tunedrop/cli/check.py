"""`tunedrop check`: the command of tunedrop_check, in colours and with the app's reading of
job.json.

It has a parser of its own and starts without Typer, so that a small file is checked in half a
second.
"""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from tunedrop import folders
from tunedrop_check import CannotCheck
from tunedrop_check.command import entry
from tunedrop_check.reading.drop_names import JOB_FILE

if TYPE_CHECKING:
    from tunedrop_check.command import as_text, job_file

COLOURS = {
    "strong": "bold",
    "faint": "dim",
    "error": "bold red",
    "warning": "bold yellow",
    "good": "green",
    "bar": "cyan",
}


def main(arguments: list[str]) -> int:
    """Do what the arguments say, and answer the exit code."""
    coloured = sys.stdout.isatty() or "FORCE_COLOR" in os.environ
    return entry.main(
        arguments,
        "tunedrop check",
        _show if coloured else entry.plainly,
        _job_beside,
        folders.CODES_PAGE,
    )


def _show(lines: "Iterable[as_text.Line]") -> None:
    from rich.text import Text  # 0.03 s: only for a terminal

    from tunedrop.cli.output import out
    from tunedrop_check.command.wrapping import wrapped

    for line in wrapped(lines, out.width) if out.is_terminal else lines:
        out.print(Text.assemble(*((span.text, COLOURS.get(span.style, "")) for span in line)))


def _job_beside(home: Path | None) -> "job_file.Job":
    """The job.json in a folder as the app would take it: any mistake in it ends the check."""
    from tunedrop_check.command import job_file

    file = None if home is None else home / JOB_FILE
    if file is not None and file.is_file():
        # pydantic, 0.1 s: only where there is a job.json to read
        from shared.errors import PlanRejected
        from shared.runs import planning

        try:
            planning.parsed(file.read_bytes())
        except PlanRejected as rejected:
            raise CannotCheck(
                f"{file}: {rejected.problem.message} {rejected.problem.fix}"
            ) from None
    return job_file.beside(home)
