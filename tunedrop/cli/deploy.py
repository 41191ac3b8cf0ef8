"""`tunedrop deploy`: deploy the model of a run again, without paying for training again."""

from typing import Annotated, Any

import typer

from tunedrop.cli.client import api_of
from tunedrop.cli.following import code_of, followed
from tunedrop.cli.options import DATA, ApiUrl, AsJson, Data, Key
from tunedrop.cli.output import command, document, out, visible


def deploy(
    run_id: Annotated[
        str,
        typer.Argument(help="The id of the run that trained the model, as in `tunedrop runs`."),
    ],
    name: Annotated[
        str | None,
        typer.Option("--name", help="The deployment's name; default: the id of the new run."),
    ] = None,
    sku: Annotated[
        str | None,
        typer.Option("--sku", help=("The deployment's SKU; default: the SKU of that run.")),
    ] = None,
    capacity: Annotated[
        int | None, typer.Option("--capacity", min=1, help="Its capacity, in units of the SKU.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Deploy even if the same request has succeeded before.")
    ] = False,
    follow_it: Annotated[
        bool, typer.Option("--follow", help="Follow the new run to its end.")
    ] = False,
    as_json: AsJson = False,
    api: ApiUrl = None,
    key: Key = None,
    data: Data = DATA,
) -> None:
    """Deploy the model of a run again: a run of its own, which trains nothing."""
    wished: dict[str, Any] = {"name": name, "sku": sku, "capacity": capacity}
    wish: dict[str, Any] = {
        "deployment": {field: value for field, value in wished.items() if value is not None},
        "again": again,
    }
    service = api_of(api, key, data)
    begun = service.deploy(run_id, wish)
    new = str(begun.get("id"))
    if not follow_it:
        if as_json:
            document(begun)
        else:
            how = "The run is" if begun.get("started") else "This request already has a run:"
            out.print(f"{how} {visible(new)}; `{command()} runs {visible(new)}` shows it.")
        return
    ended = followed(service, new)
    if as_json:
        document(ended)
    else:
        out.print(
            f"{visible(new)}: {visible(str(ended['outcome']))}, deployment "
            f"{visible(str(ended.get('deployment') or 'none'))}"
        )
    raise typer.Exit(code_of(ended))
