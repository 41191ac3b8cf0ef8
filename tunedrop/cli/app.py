"""`tunedrop`: what each call begins with. It loads no more than the command that is called
needs.
"""

import sys


def main(arguments: list[str] | None = None) -> None:
    """Entry point of the console script: leaves with the exit code of docs/cli.md."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["check"]:
        from tunedrop.cli import check

        sys.exit(check.main(given[1:]))
    from tunedrop.cli import commands  # Typer, 0.1 s

    commands.run(arguments)
