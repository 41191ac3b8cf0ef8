"""`tunedrop completion`: the script by which a shell completes commands, options and their values.

The script asks `tunedrop` itself, by a variable that Typer names after the program.
"""

from typing import Annotated, Literal

import typer

VARIABLE = "_TUNEDROP_COMPLETE"
Shell = Literal["bash", "zsh", "fish", "powershell"]


def completion(
    context: typer.Context,
    shell: Annotated[Shell, typer.Argument(help="bash, zsh, fish or powershell.")],
) -> None:
    """Print the script by which a shell completes `tunedrop`."""
    from typer.completion import shell_complete

    prepare()
    shell_complete(context.find_root().command, {}, "tunedrop", VARIABLE, f"source_{shell}")


def prepare() -> None:
    """Has Typer know the shells, which it does by itself only where it adds options of its own."""
    from typer.completion import get_completion_inspect_parameters

    get_completion_inspect_parameters()
