"""`tunedrop runs`: what runs there are, or one of them."""

import contextlib
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunedrop.cli.client import Api, api_of, part
from tunedrop.cli.findings import tell_findings
from tunedrop.cli.following import code_of, followed
from tunedrop.cli.options import DATA, ApiUrl, AsJson, Data, Key
from tunedrop.cli.output import Trouble, command, document, err, fields, out, visible
from tunedrop.cli.report import facts_of
from tunedrop_check.counting.money import usd

if TYPE_CHECKING:
    from rich.table import Table

COLOURS = {"succeeded": "green", "rejected": "yellow", "failed": "red", "expired": "red"}
LOOK_EVERY_S = 2.0
LIMIT = 100  # runs in the list, unless asked for more


def runs(
    run_id: Annotated[str | None, typer.Argument(help="Show only this run.")] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Update the view until Ctrl-C or the run's end.")
    ] = False,
    limit: Annotated[
        int, typer.Option("--limit", min=1, help="The maximum number of runs, newest first.")
    ] = LIMIT,
    every: Annotated[bool, typer.Option("--all", help="List all runs.")] = False,
    as_json: AsJson = False,
    api: ApiUrl = None,
    key: Key = None,
    data: Data = DATA,
) -> None:
    """List the runs, newest first, or show one."""
    service, most = api_of(api, key, data), None if every else limit
    if run_id is not None:
        _one(service, run_id, watch=watch, as_json=as_json)
    elif watch and as_json:
        raise Trouble("--watch with --json needs the id of one run.")
    elif watch:
        _watch(service, most)
    else:
        _list(service, most, as_json=as_json)


def _list(service: Api, most: int | None, *, as_json: bool) -> None:
    rows, cursor = service.newest(most)
    if as_json:
        document({"runs": rows} | ({"cursor": cursor} if cursor else {}))
        return
    out.print(table(rows))
    if cursor:
        err.print(f"Older runs are left out: `{command()} runs --all` lists them all.")


def _one(service: Api, run_id: str, *, watch: bool, as_json: bool) -> None:
    run = followed(service, run_id) if watch else service.run(run_id)
    document(run) if as_json else tell(run, facts_of(service, run))
    if watch:
        raise typer.Exit(code_of(run))


def _watch(service: Api, most: int | None) -> None:
    """Ctrl-C is the way in which this ends."""
    from rich.live import Live  # 0.02 s: only for this

    first = table(service.newest(most)[0])
    with (
        contextlib.suppress(KeyboardInterrupt),
        Live(first, console=out, auto_refresh=False) as live,
    ):
        while True:
            time.sleep(LOOK_EVERY_S)
            live.update(table(service.newest(most)[0]), refresh=True)


def table(rows: list[dict[str, Any]]) -> "Table":
    """One row a run; what doesn't fit in the terminal is broken."""
    from rich.table import Column, Table  # 0.02 s: only for this

    shown = Table(
        # The id stays whole: it is what one copies.
        Column("run", no_wrap=True, min_width=max((len(row["id"]) for row in rows), default=0)),
        box=None,
    )
    for name in ("step", "%", "outcome", "began (UTC)", "deployment", "blob", "because"):
        shown.add_column(name, overflow="fold")
    for row in rows:
        outcome = row["outcome"] or "…"
        cells = [
            visible(row["id"]),
            visible(row["step"].replace("_", " ")),
            visible(row["percentage"]),
        ]
        began = visible(str(row["created_at"])[:19].replace("T", " "))
        repeats = f"same as {row['duplicate_of']}" if row.get("duplicate_of") else ""
        more = (
            row["deployment"],
            row.get("blob"),
            row.get("code") or row.get("waits_because") or repeats,
        )
        shown.add_row(
            *cells,
            f"[{COLOURS.get(outcome, 'default')}]{visible(outcome)}[/]",
            began,
            *(visible(cell or "") for cell in more),
        )
    return shown


def tell(run: dict[str, Any], report: dict[str, Any]) -> None:
    """A run in words, on stdout, with what its report adds, if it has one."""
    problem, first, money = part(run, "problem"), part(report, "duplicate"), part(report, "money")
    fields(
        ("run", run["id"]),
        ("blob", run.get("blob")),
        ("step", f"{run['step'].replace('_', ' ')} ({run['percentage']} %)"),
        ("outcome", run["outcome"] or "still running"),
        ("verdict", report.get("headline")),
        (
            "real",
            "no: a stand-in took the place of Azure, and nothing costs money"
            if report.get("stand_in")
            else None,
        ),
        ("waits", run.get("waits_because")),
        ("problem", f"{problem.get('code')}: {problem.get('message')}" if problem else None),
        ("fix", part(report, "problem").get("fix") or problem.get("fix")),
        ("model", part(run, "job").get("fine_tuned_model") or run["model"]),
        ("deployment", run["deployment"]),
        ("answer", run["answer"]),
        ("estimate", _dollars(run.get("estimate_usd"), "for the training")),
        ("at most", _dollars(run.get("worst_case_usd"), "until the run ends")),
        (
            "training",
            _dollars(
                money.get("training_usd") if part(run, "job") else None,
                "as billed, by the price table"
                if money.get("billed_by_service")
                else "by the price table if the job ran to its end; the service told no bill",
            ),
        ),
        ("report", run["report"]),
        ("same as", run["duplicate_of"]),
        ("its model", first.get("model")),
        (
            "deployed as",
            f"{first['deployment']}{'' if first['stands'] else ' (deleted)'}"
            if first.get("deployment")
            else None,
        ),
        ("once more", f"{command()} deploy {run['duplicate_of']}" if run["duplicate_of"] else None),
    )
    tell_findings(report)


def _dollars(value: float | None, what: str) -> str | None:
    return None if value is None else f"{usd(value)} {what}"
