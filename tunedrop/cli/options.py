"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from tunedrop import folders
from tunedrop.emulator import regions

AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on stdout, and nothing else.")
]
ApiUrl = Annotated[
    str | None,
    typer.Option(
        "--api",
        help="Base URL of the HTTP API, with /api; default: the stack on this machine.",
        envvar="TUNEDROP_API",
    ),
]
Key = Annotated[
    str | None, typer.Option("--key", help="Function key of the API.", envvar="TUNEDROP_KEY")
]
Data = Annotated[
    Path,
    typer.Option("--data", help="Folder of the local stack's data.", envvar="TUNEDROP_LOCAL_DATA"),
]
Azurite = Annotated[
    Path | None,
    typer.Option(
        "--azurite",
        help="The program azurite-blob; default: the one that npm has installed.",
        envvar="AZURITE",
    ),
]
Region = Annotated[
    str,
    typer.Option(
        "--region",
        help="Azure region of the stand-in: eastus2, northcentralus or swedencentral.",
        envvar="TUNEDROP_LOCAL_REGION",
        autocompletion=lambda: sorted(regions.REGIONS),
    ),
]
DATA = folders.data()
DEFAULT_REGION = regions.DEFAULT
