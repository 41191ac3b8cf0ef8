"""Deploying the model of a run again, as a run of its own that trains nothing."""

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count

import azure.durable_functions as df

from shared.models.job_file import DeployRequest
from shared.models.record import Entered, Outcome, RunRecord, Step
from shared.runs import planning
from shared.runs.answering import needed
from shared.runs.ledger import Ledger
from shared.runs.reuse import id_of, taken_from
from shared.settings import Settings, settings
from triggers.starting import begin_once


@dataclass(frozen=True)
class Deploying:
    """The run that deploys, and whether this call has started it."""

    run_id: str
    name: str
    started: bool


def deploy_once(
    client: df.SyncDurableFunctionsClient, ledger: Ledger, source: RunRecord, wish: DeployRequest
) -> Deploying:
    """Starts a run that deploys the model of `source`. The same request again is the same run,
    until that has ended badly.

    Raises:
        PlanRejected: the deployment is none that this app allows.
    """
    name = source.drop.name
    for number in count():
        run_id = id_of(source, wish, number)
        if begin_once(client, ledger, redeploying(run_id, source, wish, settings())):
            return Deploying(run_id, name, started=True)
        known = ledger.get(run_id).record
        # A second deployment by the same request would cost by the hour: it is made where `again`
        # asks for it.
        if known.outcome is None or (known.outcome is Outcome.SUCCEEDED and not wish.again):
            return Deploying(run_id, name, started=False)
    # Never reached: count() has no end.
    raise AssertionError


def redeploying(run_id: str, source: RunRecord, wish: DeployRequest, chosen: Settings) -> RunRecord:
    """The record of a run whose plan is made already, from the plan of the run that trained the
    model.
    """
    now = datetime.now(UTC)
    plan = planning.redeployed(run_id, needed(source.plan, "plan"), wish, chosen)
    record = RunRecord(
        id=run_id,
        drop=source.drop,
        created_at=now,
        updated_at=now,
        timeline=(Entered(step=Step.CLAIMED, at=now),),
        pace=chosen.pace,
        plan=plan,
        files=source.files,
    )
    return taken_from(record, source)
