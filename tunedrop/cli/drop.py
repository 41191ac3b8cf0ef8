"""`tunedrop drop`: put files where a run begins, and follow the run."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunedrop.cli import contents
from tunedrop.cli.client import Api, api_of
from tunedrop.cli.following import code_of, followed
from tunedrop.cli.naming import Layout, NotADrop, layout_of
from tunedrop.cli.options import DATA, ApiUrl, AsJson, Data, Key
from tunedrop.cli.output import UNAVAILABLE, Trouble, command, document, err, out, visible
from tunedrop.cli.report import facts_beside, fetched, kept_in
from tunedrop.cli.runs import tell
from tunedrop.local import session
from tunedrop_check.reading.drop_names import JOB_FILE

if TYPE_CHECKING:
    from tunedrop.cli.account import Account


def drop(
    paths: Annotated[
        list[Path],
        typer.Argument(help="One or more .jsonl files, packed or not; a folder; a pattern; or -."),
    ],
    run: Annotated[
        str | None,
        typer.Option("--run", help=("The run's name; default: the name of the file or folder.")),
    ] = None,
    job: Annotated[Path | None, typer.Option("--job", help="A job.json.")] = None,
    follow_it: Annotated[bool, typer.Option("--follow", help="Follow the run to its end.")] = False,
    connection_string: Annotated[
        str | None,
        typer.Option(
            help="Storage connection string; default: the stack on this machine.",
            envvar="TUNEDROP_CONNECTION_STRING",
        ),
    ] = None,
    account_url: Annotated[
        str | None, typer.Option(help="Blob endpoint of the account; uses the user of `az login`.")
    ] = None,
    container: Annotated[str, typer.Option(help="The container for drops.")] = "training",
    as_json: AsJson = False,
    api: ApiUrl = None,
    key: Key = None,
    data: Data = DATA,
) -> None:
    """Upload a drop; with --follow, exit code 1 where the run ends otherwise than succeeded or
    duplicate.
    """
    # azure-storage-blob, 0.3 s: only for commands that send.
    from tunedrop.cli.account import Account

    try:
        layout = layout_of(paths, run, job)
    except NotADrop as problem:
        raise Trouble(str(problem)) from None
    check_job(layout)
    text, url = _target(connection_string, account_url, data)
    # Known before anything is sent.
    service = _api(text, api, key, data) if follow_it else None
    account = Account.at(url) if url else Account.named_by(text or "")
    sent = send(account, container, layout)
    run_id = sent.run_id
    if service is None:
        if as_json:
            blobs = [upload.blob for upload in layout.uploads]
            document(
                {
                    "run": layout.run,
                    "run_id": run_id,
                    "blobs": blobs,
                    "replaced": list(sent.replaced),
                }
            )
        else:
            out.print(f"The run is {run_id}; `{command()} runs {run_id}` shows it.")
        return
    ended = followed(service, run_id)
    copy = fetched(service, ended, kept_in(data, ended)) if ended["report"] else None
    if as_json:
        document(ended | {"report_file": str(copy) if copy else None})
    else:
        tell(ended | {"report": copy or ended["report"]}, facts_beside(copy) if copy else {})
    raise typer.Exit(code_of(ended))


def check_job(layout: Layout) -> None:
    """Raises Trouble where the drop's job.json is one that the app would reject."""
    from shared.errors import PlanRejected

    # pydantic-settings, 0.1 s: only where there is a job.json to read.
    from shared.runs import planning

    for upload in layout.uploads:
        if upload.blob.endswith(f"/{JOB_FILE}"):
            try:
                planning.supported(planning.parsed(upload.path.read_bytes()))
            except PlanRejected as rejected:
                raise Trouble(
                    f"{upload.path}: {rejected.problem.message} {rejected.problem.fix}"
                ) from None


@dataclass(frozen=True)
class Sent:
    """A drop that was sent: its run's id, and the blobs of an earlier drop that it has replaced."""

    run_id: str
    replaced: tuple[str, ...]


def send(account: "Account", container: str, layout: Layout) -> Sent:
    """Looks into the files, then sends them, the starting blob last."""
    try:
        with contents.ready(layout) as files:
            return _sent(account, container, layout, files)
    except NotADrop as problem:
        raise Trouble(str(problem)) from None


def _sent(account: "Account", container: str, layout: Layout, files: list[contents.Ready]) -> Sent:
    # as above
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    from shared.models.drop import drop_of

    for blob in layout.absent:
        if account.holds(container, blob):
            raise Trouble(
                f"{container}/{blob} is there from an earlier drop and would join this one. "
                "Give another name with --run."
            )
    replaced = tuple(
        upload.blob for upload in layout.uploads if account.holds(container, upload.blob)
    )
    etag = ""
    columns = (
        TextColumn("  {task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        for note in (note for file in files for note in file.notes):
            bar.console.print(f"  [yellow]note[/] {visible(note)}")
        for file in files:
            upload = file.upload
            task = bar.add_task(visible(upload.blob), total=file.source.size)
            etag = account.send(
                container, file, lambda moved, task=task: bar.update(task, completed=moved)
            )
            instead = ", in place of an earlier drop's" if upload.blob in replaced else ""
            bar.console.print(
                f"  [dim]sent[/] {visible(upload.path)} as "
                f"{visible(f'{container}/{upload.blob}')}{instead}"
            )
    begun = drop_of(account.name, container, layout.uploads[-1].blob, etag)
    if begun is None:
        raise Trouble("The last blob starts no run.")
    return Sent(begun.run_id, replaced)


def _target(
    connection_string: str | None, account_url: str | None, data: Path
) -> tuple[str | None, str | None]:
    """The connection string or the URL of the account to send to: one of the two."""
    if connection_string and account_url:
        raise Trouble("Give --connection-string or --account-url, not both.")
    running = session.recall(data)
    if not (connection_string or account_url or running):
        raise Trouble(
            (
                "No TuneDrop is running here. Start it with "
                f"`{command()} local` in another terminal, or name the storage account of one with "
                "--connection-string or --account-url."
            ),
            UNAVAILABLE,
        )
    return connection_string or (
        running.storage if running and not account_url else None
    ), account_url


def _api(storage: str | None, api: str | None, key: str | None, data: Path) -> Api:
    running = session.recall(data)
    if api is None and (running is None or storage != running.storage):
        raise Trouble(
            "--follow needs --api and --key if the drop does not go to the stack on this machine."
        )
    return api_of(api, key, data)
