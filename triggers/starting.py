"""The one way in which a run starts: claim first, then schedule. Events come twice, late, out of
order or never, so the claim in the ledger decides.
"""

import logging
from datetime import UTC, datetime

import azure.durable_functions as df
import grpc
from durabletask.client import OrchestrationStatus, TaskHubGrpcClient

from orchestrators.names import VERSION, Orchestrator, instances_of
from shared.models.base import wire
from shared.models.drop import Drop
from shared.models.messages import StartRun
from shared.models.pace import Pace
from shared.models.record import Entered, RunRecord, Step
from shared.runs.checkpoints import checkpoint
from shared.runs.ledger import Ledger
from shared.settings import settings

log = logging.getLogger("tunedrop")
# What the engine answers to a terminate or a purge of an instance that is not what it was a moment
# ago.
RACES = {grpc.StatusCode.NOT_FOUND, grpc.StatusCode.FAILED_PRECONDITION}
GONE = {OrchestrationStatus.COMPLETED, OrchestrationStatus.FAILED, OrchestrationStatus.TERMINATED}


def start_once(
    client: df.SyncDurableFunctionsClient,
    ledger: Ledger,
    drop: Drop,
    job_settings: dict[str, object] | None = None,
) -> bool:
    """Starts the run of this drop, unless it is known already; says whether this call did."""
    # Dying between the claim and the start loses nothing: the sweep finds the claim.
    return begin_once(client, ledger, new_record(drop, job_settings))


def begin_once(client: df.SyncDurableFunctionsClient, ledger: Ledger, record: RunRecord) -> bool:
    """Claims a run and schedules its orchestration; says whether this call did."""
    checkpoint("start_once: before the claim")
    # A durable instance id protects nothing: a finished instance is silently started anew on Azure.
    if not ledger.claim(record):
        log.info("run known already", extra={"run": record.id})
        return False
    checkpoint("start_once: after the claim")
    schedule(client, record.id, record.pace)
    checkpoint("start_once: after the start")
    log.info("run started", extra={"run": record.id})
    return True


def new_record(drop: Drop, job_settings: dict[str, object] | None = None) -> RunRecord:
    """The record of a run that begins now: it keeps the pace of this moment."""
    now = datetime.now(UTC)
    return RunRecord(
        id=drop.run_id,
        drop=drop,
        created_at=now,
        updated_at=now,
        timeline=(Entered(step=Step.CLAIMED, at=now),),
        pace=settings().pace,
        job_settings=job_settings,
    )


def schedule(client: TaskHubGrpcClient, run_id: str, pace: Pace | None) -> None:
    """Schedules the orchestration of a claimed run, at the run's own pace where it has one."""
    start = StartRun(run_id=run_id, pace=pace or settings().pace, version=VERSION)
    try:
        client.schedule_new_orchestration(
            Orchestrator.RUN.value, input=wire(start), instance_id=run_id
        )
    except grpc.RpcError as error:
        # An orchestration that exists is left alone.
        if getattr(error, "code", lambda: None)() is not grpc.StatusCode.ALREADY_EXISTS:
            raise


def is_alive(client: TaskHubGrpcClient, run_id: str) -> bool:
    """Whether the engine has an orchestration of this run that has not ended."""
    state = client.get_orchestration_state(run_id, fetch_payloads=False)
    return state is not None and state.runtime_status not in GONE


def schedule_anew(client: TaskHubGrpcClient, run_id: str, pace: Pace | None = None) -> bool:
    """Takes a run up again whose orchestration is gone or has ended without an outcome; says
    whether it is under way.
    """
    try:
        # A part that outlived it, as after a terminate from outside, would be in the way of its
        # successor: it is ended first, and the next call takes the run up.
        return _begun_anew(client, run_id, pace)
    except grpc.RpcError as error:
        if getattr(error, "code", lambda: None)() not in RACES:
            raise
        # Somebody else ended or purged a part meanwhile; the next call sees what is left.
        log.info("run changed meanwhile", extra={"run": run_id})
        return False


def _begun_anew(client: TaskHubGrpcClient, run_id: str, pace: Pace | None) -> bool:
    states = [
        client.get_orchestration_state(instance, fetch_payloads=False)
        for instance in instances_of(run_id)
    ]
    found = [state for state in states if state is not None]
    alive = [state.instance_id for state in found if state.runtime_status not in GONE]
    for instance in alive:
        client.terminate_orchestration(instance)
    if alive:
        return False
    for state in found:
        client.purge_orchestration(state.instance_id)
    schedule(client, run_id, pace)
    return True
