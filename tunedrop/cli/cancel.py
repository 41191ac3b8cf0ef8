"""`tunedrop cancel`: end a run, and have taken back what it made."""

from typing import Annotated

import typer

from tunedrop.cli.client import api_of
from tunedrop.cli.options import DATA, ApiUrl, AsJson, Data, Key
from tunedrop.cli.output import command, document, out, visible


def cancel(
    run_id: Annotated[str, typer.Argument(help="The run's id, as in `tunedrop runs`.")],
    as_json: AsJson = False,
    api: ApiUrl = None,
    key: Key = None,
    data: Data = DATA,
) -> None:
    """Cancel a run: its job is cancelled, its deployment and files are deleted."""
    answer = api_of(api, key, data).cancel(run_id)
    if as_json:
        document(answer)
    else:
        out.print(
            f"{visible(run_id)} is being cancelled; `{command()} runs {visible(run_id)}` shows "
            "how far it is."
        )
