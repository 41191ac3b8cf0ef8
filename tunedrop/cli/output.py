"""What reaches the terminal: results on stdout, everything else on stderr, and never a live control
character.
"""

import json
import sys
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape

from tunedrop import folders
from tunedrop_check.rules import visible_text

# Columns for a table that goes into a file or a pipe.
WIDTH_UNSEEN = 240
# Exit codes: fine; a run ended otherwise than succeeded; errors in data or usage; no service or
# stack to talk to.
FINE, NOT_SUCCEEDED, ERRORS, UNAVAILABLE = 0, 1, 2, 3


class Trouble(Exception):
    """What ends a command: a message for people, and the exit code."""

    def __init__(self, message: str, code: int = ERRORS) -> None:
        super().__init__(message)
        self.code = code


def console(stderr: bool = False) -> Console:
    """A console as all commands use it."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else WIDTH_UNSEEN
    # No guessing at colours for numbers, no `:emoji:`, no cut lines where nobody looks.
    return Console(stderr=stderr, highlight=False, soft_wrap=True, emoji=False, width=width)


out = console()
err = console(stderr=True)


def visible(text: object, *, lines: bool = False) -> str:
    """Text from a service or from data, fit for a terminal. With `lines` it keeps its line ends."""
    # What can't be seen is shown as its code point, markup as text.
    return escape(visible_text.visible(text, keeps="\n" if lines else ""))


def fields(*rows: tuple[str, object]) -> None:
    """Labelled values on stdout, one below the other; what is empty is left out."""
    for label, value in rows:
        if value not in (None, ""):
            # Further lines of a value are set in.
            out.print(f"{label:>11}  {visible(value, lines=True).replace('\n', '\n' + ' ' * 13)}")


def document(value: Any) -> None:
    """One JSON document on stdout, on one line."""
    typer.echo(json.dumps(value))


def command() -> str:
    """What the person types to get here, for hints: the console script, or the bootstrap."""
    return (
        "tunedrop"
        if folders.INSTALLED or Path(sys.argv[0]).stem == "tunedrop"
        else "python3 dev.py"
    )
