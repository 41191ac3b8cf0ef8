"""`tunedrop runs`: what runs there are, or one of them."""

import time
from typing import Annotated, Any

import typer
from rich.live import Live
from rich.table import Table

from tunedrop.cli.client import Api, api_of, part
from tunedrop.cli.following import follow
from tunedrop.cli.options import DATA, ApiUrl, AsJson, Data, Key
from tunedrop.cli.output import Trouble, document, fields, out, visible

COLOURS = {"succeeded": "green", "rejected": "yellow", "failed": "red", "expired": "red"}
LOOK_EVERY_S = 2.0


def runs(
    run_id: Annotated[str | None, typer.Argument(help="Show this run only.")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Go on showing, until Ctrl-C or the run's end.")] = False,
    as_json: AsJson = False,
    api: ApiUrl = None,
    key: Key = None,
    data: Data = DATA,
) -> None:
    """List the runs, newest first, or show one."""
    service = api_of(api, key, data)
    if run_id is not None:
        run = follow(service, run_id) if watch else service.run(run_id)
        document(run) if as_json else tell(run)
    elif watch and as_json:
        raise Trouble("--watch and --json go together for one run only. Name it.")
    elif watch:
        _watch(service)
    elif as_json:
        document({"runs": service.runs()})
    else:
        out.print(_table(service.runs()))


def _watch(service: Api) -> None:
    with Live(_table(service.runs()), console=out, auto_refresh=False) as live:
        while True:
            time.sleep(LOOK_EVERY_S)
            live.update(_table(service.runs()), refresh=True)


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table("run", "step", "%", "outcome", "began (UTC)", "deployment", box=None)
    for row in rows:
        outcome = row["outcome"] or "…"
        cells = [visible(row[name]) for name in ("id", "step", "percentage")]
        began = visible(str(row["created_at"])[:19].replace("T", " "))
        table.add_row(*cells, f"[{COLOURS.get(outcome, 'default')}]{visible(outcome)}[/]", began, visible(row["deployment"] or ""))
    return table


def tell(run: dict[str, Any]) -> None:
    """A run in words, on stdout."""
    problem = part(run, "problem")
    fields(
        ("run", run["id"]),
        ("step", f"{run['step']} ({run['percentage']} %)"),
        ("outcome", run["outcome"] or "still running"),
        ("waits", run.get("waits_because")),
        ("problem", f"{problem.get('code')}: {problem.get('message')}" if problem else None),
        ("mend", problem.get("mend")),
        ("model", part(run, "job").get("fine_tuned_model") or run["model"]),
        ("deployment", run["deployment"]),
        ("answer", run["answer"]),
        ("report", run["report"]),
        ("same as", run["duplicate_of"]),
    )
