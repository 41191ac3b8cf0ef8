"""`tunedrop report`: fetch the report of a run, whoever followed it."""

import json
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from tunedrop.cli.client import Api, Refused, api_of
from tunedrop.cli.options import DATA, ApiUrl, AsJson, Data, Key
from tunedrop.cli.output import Trouble, err, fields, visible

# These names and no others are written to this disk; a run without a job has no results and no
# events.
FILES = ("report.html", "report.json", "results.csv", "events.jsonl")
PAGE, FACTS = FILES[:2]


def report(
    run_id: Annotated[str, typer.Argument(help="The run's id, as in `tunedrop runs`.")],
    out_folder: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for the files; default: <data>/reports/<run id>."),
    ] = None,
    open_it: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    as_json: AsJson = False,
    api: ApiUrl = None,
    key: Key = None,
    data: Data = DATA,
) -> None:
    """Fetch the report of a run that has ended: its page, its facts, results and events."""
    service = api_of(api, key, data)
    run = service.run(run_id)
    if not run["report"]:
        raise Trouble(
            f"The run has no report yet; it is at the step {str(run['step']).replace('_', ' ')}."
        )
    page = fetched(service, run, out_folder or kept_in(data, run))
    if page is None:
        raise Trouble(f"The report of {run_id} is gone from the storage.")
    facts = facts_beside(page)
    if as_json:
        typer.echo(json.dumps(facts))
    else:
        fields(
            ("run", run["id"]),
            ("outcome", run["outcome"]),
            ("verdict", facts.get("headline")),
            ("report", page),
        )
    import webbrowser

    if open_it and not webbrowser.open(page.resolve().as_uri()):
        raise Trouble(f"No browser could be started. The page is {page}.")


def kept_in(data: Path, run: dict[str, Any]) -> Path:
    """The folder of a run's report."""
    # The id comes from a service, and must lead nowhere else.
    return data / "reports" / Path(str(run["id"])).name


def fetched(service: Api, run: dict[str, Any], folder: Path) -> Path | None:
    """Copies the files of a run's report into the folder, made where it isn't there.

    Answers the path of the page; None where there is none.

    Raises:
        Trouble: the folder can't be written.
    """
    run_id = str(run["id"])
    contents = {
        file: found for file in FILES if (found := file_of(service, run_id, file)) is not None
    }
    if PAGE not in contents:
        return None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, content in contents.items():
            (folder / file).write_bytes(content)
    except OSError as error:
        raise Trouble(
            f"{folder} can't be written: {error.strerror or type(error).__name__}."
        ) from None
    return folder / PAGE


def file_of(service: Api, run_id: str, file: str) -> bytes | None:
    """One file of a report; None where there is none."""
    try:
        return service.report_file(run_id, file)
    except Refused as refused:
        if refused.no_such_file:
            return None
        raise


def facts_of(service: Api, run: dict[str, Any]) -> dict[str, Any]:
    """The report of a run as data; empty where it has none, or it can't be had."""
    try:
        return _decoded(file_of(service, str(run["id"]), FACTS)) if run.get("report") else {}
    except Trouble as trouble:
        err.print(f"[dim]the report can't be fetched: {visible(trouble)}[/]")
        return {}


def facts_beside(page: Path) -> dict[str, Any]:
    """The report whose page was copied here, as data; empty where none was."""
    facts = page.with_name(FACTS)
    return _decoded(facts.read_bytes() if facts.exists() else None)


def _decoded(content: bytes | None) -> dict[str, Any]:
    try:
        told: object = json.loads(content or b"{}")
    except ValueError:
        return {}
    return cast("dict[str, Any]", told) if isinstance(told, dict) else {}
