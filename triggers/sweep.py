"""The sweep: what no event told, and what died between claim and start.

It uses the same claim as every other start, so two sweeps at once, or a sweep beside a late event,
start nothing twice.
"""

import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import islice

import azure.durable_functions as df
import azure.functions as func
from durabletask.client import TaskHubGrpcClient

from shared.errors import RecordUnreadable, ServiceRejected, ServiceUnavailable
from shared.models.drop import Drop, drop_of
from shared.models.record import RunRecord, RunSummary, Step
from shared.runs.ledger import Ledger, open_ledger
from shared.runs.pinning import surface_version
from shared.runs.unowned import delete_unowned_deployments, delete_unowned_files
from shared.services import azure_openai, resource_manager, storage
from shared.settings import Settings, settings
from triggers.health import note_orchestrations
from triggers.starting import is_alive, schedule_anew, start_once

bp = df.Blueprint()
BEGINS_WITHIN_S = 180.0
"""A host that is busy, or was just started, takes up what is scheduled in far less."""
LOOKS = 5  # instances that a sweep asks for
log = logging.getLogger("tunedrop")


@bp.function_name("sweep")
@bp.timer_trigger(
    arg_name="timer", schedule=settings().sweep_schedule, run_on_startup=False, use_monitor=True
)
@bp.durable_client_input(client_name="client")
def sweep(timer: func.TimerRequest, client: df.SyncDurableFunctionsClient) -> None:
    """Takes up runs that have no living orchestration, writes reports that are missing, and starts
    drops whose event never came.
    """
    make_missing_containers()
    ledger, now = open_ledger(), datetime.now(UTC)
    known = list(ledger.summaries())
    note_orchestrations(stand_still(client, known, now))
    for run_id in stranded(known, now - timedelta(seconds=settings().claim_patience_s)):
        record = None if is_alive(client, run_id) else readable(ledger, run_id)
        if record and schedule_anew(client, run_id, record.pace):
            log.warning("run taken up again", extra={"run": run_id})
    for run_id in ledger.unreported(now - timedelta(days=settings().sweep_days)):
        if not is_alive(client, run_id) and schedule_anew(client, run_id):
            log.warning("report written again", extra={"run": run_id})
    for drop in unheard({row.id for row in known}, now):
        if start_once(client, ledger, drop):
            log.warning("drop without an event", extra={"run": drop.run_id})
    delete_unowned(ledger, settings())


def delete_unowned(ledger: Ledger, wanted: Settings) -> None:
    """Deletes what ended runs have left on the account of the settings."""
    if wanted.openai_endpoint:
        delete_unowned_files(
            ledger, azure_openai.connect(wanted.openai_endpoint, surface_version(wanted))
        )
    if wanted.openai_endpoint and wanted.account:
        delete_unowned_deployments(
            ledger,
            resource_manager.connect(wanted.arm_endpoint, wanted.account, wanted.arm_api_version),
        )


def make_missing_containers() -> None:
    """Makes the containers that aren't there; one that can't be made is told, and keeps nothing
    else from being done.
    """
    for container in (storage.training(), storage.reports(), storage.ledger()):
        try:
            container.make_if_missing()
        except (ServiceUnavailable, ServiceRejected) as error:
            log.error(
                "container can't be used",
                extra={"container": container.name, "error": error.problem.message},
            )


def stand_still(client: TaskHubGrpcClient, rows: Iterable[RunSummary], now: datetime) -> bool:
    """Whether the engine has orchestrations of runs that were claimed a while ago and have not done
    their first step.
    """
    before = now - timedelta(seconds=BEGINS_WITHIN_S)
    claimed = (
        row.id
        for row in rows
        if row.outcome is None and row.step is Step.CLAIMED and row.updated_at <= before
    )
    return any(
        client.get_orchestration_state(run_id, fetch_payloads=False)
        for run_id in islice(claimed, LOOKS)
    )


def readable(ledger: Ledger, run_id: str) -> RunRecord | None:
    """The record of a run; one that can't be read waits for a person, and stops no other."""
    try:
        found = ledger.read(run_id)
    except RecordUnreadable as unreadable:
        log.error("run can't be taken up", extra={"run": run_id, "code": unreadable.problem.code})
        return None
    return found.record if found else None


def stranded(rows: Iterable[RunSummary], before: datetime) -> list[str]:
    """The runs without an outcome that nobody has written to since `before`."""
    return [row.id for row in rows if row.outcome is None and row.updated_at <= before]


def unheard(known: set[str], now: datetime) -> list[Drop]:
    """The drops of the last days that have no run, and have had time enough for their event."""
    container, wanted = storage.training(), settings()
    newest, oldest = (
        now - timedelta(seconds=wanted.drop_patience_s),
        now - timedelta(days=wanted.sweep_days),
    )
    drops = [
        drop_of(container.account, container.name, facts.name, facts.etag)
        for facts in container.list()
        if oldest <= facts.modified <= newest
    ]
    return [drop for drop in drops if drop and drop.run_id not in known]
