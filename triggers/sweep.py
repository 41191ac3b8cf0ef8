"""The sweep: what no event told, and what died between claim and start."""

import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import islice

import azure.durable_functions as df
import azure.functions as func
from durabletask.client import TaskHubGrpcClient

from shared.errors import RecordUnreadable, ServiceRejected, ServiceUnavailable
from shared.models.record import RunRecord, RunSummary, Step
from shared.runs.calling import call_to_the_gate
from shared.runs.ledger import Ledger, open_ledger
from shared.runs.line import look_for_all, rules
from shared.runs.pinning import surface_version
from shared.runs.recent_drops import RecentDrops, Wanted
from shared.runs.run_rows import UNREADABLE
from shared.runs.unowned import delete_unowned_deployments, delete_unowned_files
from shared.services import azure_openai, resource_manager, storage
from shared.settings import Settings, settings
from triggers.health import note_orchestrations
from triggers.starting import is_alive, schedule_anew, start_once

bp = df.Blueprint()
# A host that is busy, or was just started, takes up what is scheduled in far less.
BEGINS_WITHIN_S = 180.0
LOOKS = 5  # instances that a sweep asks for
log = logging.getLogger("tunedrop")


@bp.function_name("sweep")
@bp.timer_trigger(
    arg_name="timer", schedule=settings().sweep_schedule, run_on_startup=False, use_monitor=True
)
# It uses the same claim as every other start, so two sweeps at once, or a sweep beside a late
# event, start nothing twice.
@bp.durable_client_input(client_name="client")
def sweep(timer: func.TimerRequest, client: df.SyncDurableFunctionsClient) -> None:
    """Takes up runs that have no living orchestration, writes reports that are missing, and starts
    drops whose event never came.
    """
    make_missing_containers()
    ledger, now = open_ledger(), datetime.now(UTC)
    ledger.index_older()
    rows = list(ledger.living())
    note_orchestrations(stand_still(client, ledger, rows, now))
    before = now - timedelta(seconds=settings().claim_patience_s)
    for run_id in stranded(rows, before):
        take_up(client, ledger, run_id, before)
    for row in rows:
        if row.outcome is not None:
            finish(client, ledger, row, now - timedelta(days=settings().sweep_days))
    try:
        start_unheard(client, ledger)
    except (ServiceUnavailable, ServiceRejected) as error:
        # A container of drops that can't be read keeps no place from those that wait, and no
        # deployment that nobody owns standing.
        log.error("drops can't be looked through", extra={"error": error.problem.message})
    for run_id in look_for_all(ledger, rules(settings())):
        call_to_the_gate(client, run_id)
    delete_unowned(ledger, settings())


def take_up(
    client: df.SyncDurableFunctionsClient, ledger: Ledger, run_id: str, before: datetime
) -> None:
    """Starts the orchestration of a run that has none, and was not written to since `before`."""
    if is_alive(client, run_id):
        return
    record = readable(ledger, run_id)
    if record is None:
        return
    # It has ended meanwhile, and its row doesn't tell so yet.
    if record.ended_at is not None:
        ledger.restore(run_id)
    elif record.updated_at <= before and schedule_anew(client, run_id, record.pace):
        log.warning("run taken up again", extra={"run": run_id})


def finish(
    client: df.SyncDurableFunctionsClient, ledger: Ledger, row: RunSummary, since: datetime
) -> None:
    """Has the report of a run written that has ended without one, unless it ended too long ago."""
    # Its record may have been restored by a person.
    if row.code == UNREADABLE:
        ledger.restore(row.id)
    elif row.updated_at < since:
        ledger.index.forget(row.id)
    elif not is_alive(client, row.id) and schedule_anew(client, row.id):
        log.warning("report written again", extra={"run": row.id})


def start_unheard(client: df.SyncDurableFunctionsClient, ledger: Ledger) -> None:
    """Starts the drops of the last days that have no run, and have had time enough for their
    event.
    """
    wanted = settings()
    looked_for = Wanted(
        patience=timedelta(seconds=wanted.drop_patience_s),
        days=timedelta(days=wanted.sweep_days),
        most=wanted.sweep_blobs,
    )
    recent = RecentDrops(storage.training(), storage.ledger(), looked_for)
    for drop in recent.unheard():
        if start_once(client, ledger, drop):
            log.warning("drop without an event", extra={"run": drop.run_id})
    recent.noted()


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
    """Makes the containers that aren't there."""
    for container in (storage.training(), storage.reports(), storage.ledger()):
        try:
            container.make_if_missing()
        except (ServiceUnavailable, ServiceRejected) as error:
            # One that can't be made keeps nothing else from being done.
            log.error(
                "container can't be used",
                extra={"container": container.name, "error": error.problem.message},
            )


def stand_still(
    client: TaskHubGrpcClient, ledger: Ledger, rows: Iterable[RunSummary], now: datetime
) -> bool:
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
        if _stands_still(ledger, run_id, before)
    )


def _stands_still(ledger: Ledger, run_id: str, before: datetime) -> bool:
    """Whether the record says so too."""
    # A row is not written anew for each word of the record.
    try:
        found = ledger.read(run_id)
    except RecordUnreadable:
        return False
    return found is not None and found.record.updated_at <= before


def readable(ledger: Ledger, run_id: str) -> RunRecord | None:
    """The record of a run; None where it can't be read."""
    try:
        found = ledger.read(run_id)
        if found is None and ledger.claim_announced(run_id):
            found = ledger.read(run_id)
    except RecordUnreadable as unreadable:
        # It waits for a person, and stops no other.
        log.error("run can't be taken up", extra={"run": run_id, "code": unreadable.problem.code})
        ledger.index.tell_unreadable(run_id)
        return None
    return found.record if found else None


def stranded(rows: Iterable[RunSummary], before: datetime) -> list[str]:
    """The runs without an outcome that nobody has written to since `before`."""
    return [row.id for row in rows if row.outcome is None and row.updated_at <= before]
