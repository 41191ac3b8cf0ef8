"""The command: its exit codes, and what runs it. `tunedrop check` is the same command with
colours.
"""

import io
import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from .. import CannotCheck
from ..rules.visible_text import visible
from . import options

if TYPE_CHECKING:
    from .as_text import Line
    from .tasks import JobBeside, Show

# As shells have it: 128 and the number of the signal, SIGINT or SIGPIPE.
INTERRUPTED, PIPE_CLOSED = 130, 141


def run(
    arguments: list[str],
    prog: str,
    show: "Show",
    job_beside: "JobBeside | None" = None,
    errors: Path | None = None,
) -> int:
    """Do what the arguments say, tell it on stdout, `show` what is for people, and give the exit
    code.

    `job_beside` reads the job.json in a folder, `errors` is the page that explains the codes of
    runs, for --explain.

    Raises:
        CannotCheck: It can't be done.
    """
    given = options.parser(prog).parse_args(arguments)
    if given.explain is None and not given.paths:
        raise CannotCheck(f"Name the files to check. See {prog} --help.")
    from . import tasks  # msgspec, numpy and the patterns, 0.2 s: not for --help and --version

    return (
        tasks.check(given, show, job_beside)
        if given.explain is None
        else tasks.explain(given, show, errors)
    )


def plainly(lines: "Iterable[Line]") -> None:
    """Print lines without colours, broken to its width on a terminal."""
    from .wrapping import wrapped  # as above

    for line in (
        wrapped(lines, shutil.get_terminal_size().columns) if sys.stdout.isatty() else lines
    ):
        print("".join(span.text for span in line).rstrip())


def main(
    arguments: list[str] | None = None,
    prog: str = "tunedrop-check",
    show: "Show" = plainly,
    job_beside: "JobBeside | None" = None,
    errors: Path | None = None,
) -> int:
    """The console script `tunedrop-check`."""
    for stream in (sys.stdout, sys.stderr):
        # A console of another encoding must not end in a traceback.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        code = run(sys.argv[1:] if arguments is None else arguments, prog, show, job_beside, errors)
        sys.stdout.flush()
    except CannotCheck as trouble:
        print(f"error: {visible(trouble)}", file=sys.stderr)
        return options.ERRORS
    # as `| head` leaves it; the flush at the end of the process must find another place to write
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except KeyboardInterrupt:
        return INTERRUPTED
    return code
